//! Which function a request names [fact:name-forms], and the errors if there is none
//! [fact:missing-function-text].

use std::sync::Arc;

use lambd_model::arn::LATEST;
use lambd_model::{Alias, Function, FunctionId, FunctionRef, Place, Version};
use lambd_wire::{Error, ErrorCode};

use crate::app::App;

/// A function as the request named it.
#[derive(Debug, Clone)]
pub(in crate::api) struct TargetFunction {
    pub(in crate::api) id: Arc<FunctionId>,
    /// The qualifier in the name or in the query.
    pub(in crate::api) qualifier: Option<String>,
}

impl TargetFunction {
    /// Reads the name in any of its forms and the separate qualifier, which must not contradict it. Functions of
    /// other accounts are out of reach.
    pub(in crate::api) fn parse(
        place: &Place,
        name: Option<&str>,
        qualifier: Option<&str>,
    ) -> Result<Self, Error> {
        let target = Self::parse_any_account(place, name, qualifier)?;
        if target.id.account == place.account { Ok(target) } else { Err(denied(name.unwrap_or_default())) }
    }

    /// As [`Self::parse`], for an operation that other accounts may be allowed.
    pub(in crate::api) fn parse_any_account(
        place: &Place,
        name: Option<&str>,
        qualifier: Option<&str>,
    ) -> Result<Self, Error> {
        let text = name.unwrap_or_default();
        let given = FunctionRef::parse(text).ok_or_else(|| malformed(text))?;
        if let Some(region) = given.foreign_region(place) {
            return Err(Error::new(
                ErrorCode::ResourceNotFoundException,
                format!("Functions from '{region}' are not reachable in this region ('{}')", place.region),
            ));
        }
        let account = given.account.as_deref().map_or_else(|| Arc::clone(&place.account), Arc::from);
        let qualifier = match (given.qualifier, qualifier) {
            (Some(own), Some(other)) if own != other => {
                return Err(invalid(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (Some(own), _) => Some(own),
            (None, other) => other.map(str::to_owned),
        };
        let owner = Place { account, region: Arc::clone(&place.region) };
        Ok(Self { id: Arc::new(owner.function(given.name)), qualifier })
    }

    /// The qualifier; `$LATEST` where there is none.
    pub(in crate::api) fn qualifier_or_latest(&self) -> &str {
        self.qualifier.as_deref().unwrap_or(LATEST)
    }

    /// Account and region of the function.
    pub(in crate::api) fn place(&self) -> Place {
        Place { account: Arc::clone(&self.id.account), region: Arc::clone(&self.id.region) }
    }

    /// ARN as the caller named it, with a qualifier only if the caller gave one.
    pub(in crate::api) fn arn(&self, place: &Place) -> String {
        place.qualified_arn(&self.id.name, self.qualifier.as_deref())
    }

    /// The function and the version that the qualifier names: of an alias the first one.
    pub(in crate::api) fn find(
        &self,
        app: &App,
        place: &Place,
    ) -> Result<(Arc<Function>, Arc<Version>), Error> {
        self.look_up(app, |alias| alias.version.clone()).ok_or_else(|| not_found(&self.arn(place)))
    }

    /// As [`Self::find`] for one invocation: of an alias with two versions one is drawn. The error has `:$LATEST`
    /// when no qualifier was given, as Invoke and PutFunctionConcurrency answer.
    pub(in crate::api) fn find_to_run(
        &self,
        app: &App,
        place: &Place,
    ) -> Result<(Arc<Function>, Arc<Version>), Error> {
        let qualifier = self.qualifier.as_deref().unwrap_or(LATEST);
        self.look_up(app, |alias| alias.draw(rand::random()))
            .ok_or_else(|| not_found(&place.qualified_arn(&self.id.name, Some(qualifier))))
    }

    fn look_up(
        &self,
        app: &App,
        choose: impl FnOnce(&Alias) -> String,
    ) -> Option<(Arc<Function>, Arc<Version>)> {
        let function = app.registry.get(&self.id)?;
        let qualifier = self.qualifier.as_deref().unwrap_or(LATEST);
        let version = match function.version(qualifier) {
            Some(version) => Arc::clone(version),
            None => Arc::clone(function.version(&choose(function.aliases.get(qualifier)?))?),
        };
        Some((function, version))
    }
}

/// 403: the function is another account's, whether it exists or not.
pub(in crate::api) fn denied(text: &str) -> Error {
    Error::new(ErrorCode::AccessDeniedException, format!("No permission on resource: {text}"))
}

/// 404 `Function not found: …`.
pub(in crate::api) fn not_found(arn: &str) -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, format!("Function not found: {arn}"))
}

/// 400 `InvalidParameterValueException`.
pub(in crate::api) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidParameterValueException, message.into())
}

fn malformed(text: &str) -> Error {
    invalid(format!("Invalid function name: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { region: "us-east-1".into(), account: "000000000000".into() }
    }

    #[test]
    fn qualifiers_agree_or_are_refused() {
        let parse = |name: &str, qualifier: Option<&str>| {
            TargetFunction::parse(&place(), Some(name), qualifier).map(|t| t.qualifier).map_err(|e| e.message)
        };
        assert_eq!(parse("f", None), Ok(None));
        assert_eq!(parse("f", Some("1")), Ok(Some("1".to_owned())));
        assert_eq!(parse("f:1", Some("1")), Ok(Some("1".to_owned())));
        assert_eq!(
            parse("f:1", Some("$LATEST")),
            Err("The derived qualifier from the function name does not match the specified qualifier."
                .to_owned())
        );
    }

    #[test]
    fn functions_of_other_regions_and_accounts_are_refused() {
        let error = |name: &str| TargetFunction::parse(&place(), Some(name), None).unwrap_err();
        let far = error("arn:aws:lambda:ap-southeast-1:000000000000:function:f");
        assert_eq!(
            far.message,
            "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')"
        );
        assert_eq!(error("123456789012:function:f").code.status(), 403);
    }

    /// The model's pattern on the wire and the parser here must accept the same names.
    #[test]
    fn every_name_that_the_wire_accepts_can_be_read() {
        let prefixes = [
            "",
            "function:",
            "000000000000:function:",
            "000000000000:",
            "arn:aws:lambda:us-east-1:000000000000:function:",
        ];
        let names = ["f", "F-1_2", "function", "a.b", "", "a b", "f:g", "us-east-1", "000000000000"];
        let suffixes = ["", ":1", ":$LATEST", ":live", ":", ":a b", ":1:2"];
        let (mut accepted, mut refused) = (0, 0);
        for prefix in prefixes {
            for (name, suffix) in names.iter().flat_map(|name| suffixes.map(|suffix| (name, suffix))) {
                let text = format!("{prefix}{name}{suffix}");
                let input = lambd_wire::input::GetFunctionConfiguration {
                    function_name: Some(text.clone()),
                    ..Default::default()
                };
                if lambd_wire::validate(&input).is_ok() {
                    accepted += 1;
                    assert!(FunctionRef::parse(&text).is_some(), "{text}");
                } else {
                    refused += 1;
                }
            }
        }
        assert!(accepted > 50 && refused > 50, "{accepted} {refused}");
    }
}
