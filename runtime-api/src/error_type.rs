//! Error types in the form that telemetry and REPORT use.

use crate::limits::ERROR_TYPE_MAX_BYTES;

/// Normalises the error type that a runtime sent in `Lambda-Runtime-Function-Error-Type`.
///
/// A text that contains `Runtime.` or `Function.` followed by a capital and at least one more letter is kept
/// as a whole. Any other becomes `Function.Unknown` if it starts with `Function.`, otherwise
/// `Runtime.Unknown` [fact:error-type-form]. The `errorType` inside the payload is not changed.
pub(crate) fn normalise(raw: &str) -> &str {
    if raw.len() <= ERROR_TYPE_MAX_BYTES && is_known_form(raw) {
        raw
    } else if raw.starts_with("Function.") {
        "Function.Unknown"
    } else {
        "Runtime.Unknown"
    }
}

/// Whether `raw` matches the unanchored pattern `(Runtime|Function)\.[A-Z][a-zA-Z]+`.
fn is_known_form(raw: &str) -> bool {
    ["Runtime.", "Function."].into_iter().any(|category| {
        raw.match_indices(category).any(|(at, _)| {
            let reason = &raw.as_bytes()[at + category.len()..];
            matches!(reason, [first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_alphabetic())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_the_known_form_are_kept() {
        for (raw, normal) in [
            ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
            ("Function.MyError", "Function.MyError"),
            ("Runtime.Ab", "Runtime.Ab"),
            ("Runtime.A", "Runtime.Unknown"),
            ("Runtime.A1", "Runtime.Unknown"),
            ("Runtime.aB", "Runtime.Unknown"),
            ("Runtime.", "Runtime.Unknown"),
            ("Function.", "Function.Unknown"),
            ("Function.lower", "Function.Unknown"),
            ("Function.Runtime.Good", "Function.Runtime.Good"),
            ("Runtime.x Runtime.Good", "Runtime.x Runtime.Good"),
            ("prefix Runtime.Good suffix", "prefix Runtime.Good suffix"),
            ("Runtime.Good.9", "Runtime.Good.9"),
            ("runtime.Good", "Runtime.Unknown"),
            ("Extension.Crash", "Runtime.Unknown"),
            ("Function<RuntimeError>", "Runtime.Unknown"),
            ("unhandled", "Runtime.Unknown"),
            ("Exception", "Runtime.Unknown"),
            ("Runtime.Ünicode", "Runtime.Unknown"),
            ("", "Runtime.Unknown"),
        ] {
            assert_eq!(normalise(raw), normal, "{raw:?}");
        }
    }

    #[test]
    fn a_type_beyond_the_length_limit_is_not_kept() {
        let long = format!("Function.{}", "A".repeat(ERROR_TYPE_MAX_BYTES));
        assert_eq!(normalise(&long), "Function.Unknown");
    }
}
