//! AWS's runtime identifiers [fact:runtime-identifiers] and its texts about them [fact:setting-texts].

use std::fmt::Write as _;

use crate::runtimes::manifest::valid_identifier;

/// The state of an identifier on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Functions may be created with it.
    Current {
        /// The date (`YYYY-MM-DD`) from which AWS provides no security updates, if it is scheduled.
        until: Option<&'static str>,
    },
    /// The service model names it, but functions can be neither created nor updated with it.
    Deprecated,
    /// Not an identifier of AWS's.
    Unknown,
}

/// The identifiers with which functions can be created, in the order of AWS's own message, then those added
/// after that recording; each with its date of deprecation.
const CURRENT: [(&str, Option<&str>); 31] = [
    ("nodejs20.x", None),
    ("python3.14", Some("2029-06-30")),
    ("provided.al2023", Some("2029-06-30")),
    ("python3.12", Some("2028-10-31")),
    ("python3.13", Some("2029-06-30")),
    ("nodejs24.x", Some("2028-04-30")),
    ("nodejs22.x", Some("2027-04-30")),
    ("java25", Some("2029-06-30")),
    ("python3.10", Some("2026-10-31")),
    ("python3.11", Some("2027-06-30")),
    ("java21", Some("2029-06-30")),
    ("ruby3.3", Some("2027-03-31")),
    ("ruby3.4", Some("2028-03-31")),
    ("ruby3.2", None),
    ("python3.8", None),
    ("python3.9", None),
    ("java17", Some("2027-06-30")),
    ("nodejs16.x", None),
    ("dotnet10", Some("2028-11-14")),
    ("dotnet8", Some("2026-11-10")),
    ("java11", Some("2027-06-30")),
    ("dotnet6", None),
    ("nodejs18.x", None),
    ("provided.al2", None),
    ("java8.al2", Some("2027-06-30")),
    ("java17.al2023", None),
    ("java11.al2023", None),
    ("java8.al2023", None),
    ("ruby4.0", Some("2029-03-31")),
    ("nodejs26.x", None),
    ("python3.15", None),
];

/// Identifiers that the service model names and Create refuses.
const DEPRECATED: [&str; 19] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "java8",
    "go1.x",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "ruby2.5",
    "ruby2.7",
];

/// The state of `identifier` on AWS. `provided` is deprecated like those in the table.
pub fn standing(identifier: &str) -> Standing {
    if let Some((_, until)) = CURRENT.iter().find(|(name, _)| *name == identifier) {
        return Standing::Current { until: *until };
    }
    if identifier == "provided" || DEPRECATED.contains(&identifier) {
        return Standing::Deprecated;
    }
    Standing::Unknown
}

/// The identifiers that Create accepts, with the date of their deprecation if it is scheduled.
pub fn current() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    CURRENT.into_iter()
}

/// Whether [`install`](crate::runtimes::install) has a recipe for `identifier`.
pub fn can_install(identifier: &str) -> bool {
    super::install::Recipe::of(identifier).is_some()
}

/// AWS's `InvalidParameterValueException` text for an identifier that it does not know.
pub fn unknown_message(identifier: &str) -> String {
    let mut text = format!(
        "Value {identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    );
    for (n, (name, _)) in CURRENT.iter().enumerate() {
        let _ = write!(text, "{}{name}", if n == 0 { "" } else { ", " });
    }
    text.push_str("] or be a valid ARN");
    text
}

/// AWS's `InvalidParameterValueException` text for an identifier of [`Standing::Deprecated`].
pub fn deprecated_message(identifier: &str) -> String {
    format!(
        "The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda \
         functions. We recommend you use a supported runtime while creating or updating functions."
    )
}

/// lambd's own text for a runtime of AWS's that is not installed on this server.
pub fn not_installed_message(identifier: &str) -> String {
    if can_install(identifier) {
        return format!(
            "The runtime {identifier} is not installed on this server. \
             Install it with: lambd runtime install {identifier}"
        );
    }
    debug_assert!(valid_identifier(identifier), "only called for identifiers of the table");
    format!(
        "The runtime {identifier} is not installed on this server and lambd cannot build it: \
         make a folder with a runtime.toml for it and install it with: lambd runtime add DIR"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_identifier_has_its_standing() {
        let dated = Standing::Current { until: Some("2027-06-30") };
        for (identifier, want) in [
            ("python3.11", dated),
            ("provided.al2", Standing::Current { until: None }),
            ("provided", Standing::Deprecated),
            ("nodejs12.x", Standing::Deprecated),
            ("Python3.11", Standing::Unknown),
            ("", Standing::Unknown),
        ] {
            assert_eq!(standing(identifier), want, "{identifier:?}");
        }
    }

    #[test]
    fn the_tables_do_not_overlap() {
        for name in DEPRECATED {
            assert!(CURRENT.iter().all(|(current, _)| *current != name), "{name} is in both");
        }
    }

    /// The dates are only in this table; the names are those of the service's own message.
    #[test]
    fn the_current_identifiers_are_those_of_the_model() {
        let mut current: Vec<&str> = CURRENT.iter().map(|(name, _)| *name).collect();
        let mut model = lambd_wire::SUPPORTED_RUNTIMES.to_vec();
        current.sort_unstable();
        model.sort_unstable();
        assert_eq!(current, model);
    }

    #[test]
    fn refusals_have_the_texts_recorded_on_aws() {
        assert!(matches!(standing("python3.12"), Standing::Current { .. }));
        assert_eq!(standing("java8"), Standing::Deprecated);
        assert!(deprecated_message("java8").starts_with(
            "The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda functions."
        ));
        assert_eq!(standing("python2.8"), Standing::Unknown);
        assert!(unknown_message("python2.8").starts_with(
            "Value python2.8 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
        ));
    }

    #[test]
    fn an_unknown_identifier_gets_the_recorded_list() {
        let text = unknown_message("X");
        assert!(text.starts_with("Value X at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, "), "{text}");
        assert!(text.ends_with(", python3.15] or be a valid ARN"), "{text}");
    }

    #[test]
    fn the_text_for_a_missing_runtime_says_how_to_install_it() {
        for (identifier, want) in [
            ("python3.13", "lambd runtime install python3.13"),
            ("nodejs24.x", "lambd runtime install nodejs24.x"),
            ("ruby3.4", "lambd runtime add DIR"),
            ("python3.8", "lambd runtime add DIR"),
        ] {
            assert!(not_installed_message(identifier).ends_with(want), "{identifier}");
        }
    }
}
