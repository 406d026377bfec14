//! Identity: the account, the region and the name of a function or of another resource.

use std::fmt;
use std::sync::Arc;

/// Account and region in which a request acts: the account of the caller's key, the region of the signature.
/// Cheap to copy, because each request has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Region of the credential scope, e.g. `us-east-1`.
    pub region: Arc<str>,
    /// Account, twelve digits.
    pub account: Arc<str>,
}

impl Place {
    /// The id of the function with this name in this account and region.
    pub fn function(&self, name: impl Into<String>) -> FunctionId {
        FunctionId { account: Arc::clone(&self.account), region: Arc::clone(&self.region), name: name.into() }
    }

    /// The id of the resource with this name in this account and region.
    pub fn resource(&self, name: impl Into<String>) -> ResourceId {
        ResourceId { account: Arc::clone(&self.account), region: Arc::clone(&self.region), name: name.into() }
    }

    /// Unqualified ARN of a function in this account and region.
    pub fn function_arn(&self, name: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{name}", self.region, self.account)
    }

    /// ARN of a function, with the qualifier if there is one.
    pub fn qualified_arn(&self, name: &str, qualifier: Option<&str>) -> String {
        let mut arn = self.function_arn(name);
        if let Some(qualifier) = qualifier {
            arn.push(':');
            arn.push_str(qualifier);
        }
        arn
    }
}

/// What identifies a function, and the unit for which concurrency is counted. Names are scoped to an account
/// and a region, as on AWS. Ids sort by account, then region, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId {
    /// Account, twelve digits.
    pub account: Arc<str>,
    /// Region in which it was created.
    pub region: Arc<str>,
    /// Bare name, 1 to 64 characters.
    pub name: String,
}

impl FunctionId {
    /// Whether the function belongs to this account and region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.account == place.account && self.region == place.region
    }
}

/// Writes the unqualified ARN.
impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)
    }
}

/// What identifies a resource that belongs to no single function, within its kind. Ids sort by account, then
/// region, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// Account, twelve digits.
    pub account: Arc<str>,
    /// Region in which it was created.
    pub region: Arc<str>,
    /// Its name or id, without a slash.
    pub name: String,
}

impl ResourceId {
    /// Reads the ARN of a resource of this kind, such as `code-signing-config`.
    pub fn parse_arn(arn: &str, kind: &str) -> Option<Self> {
        let mut parts = arn.splitn(7, ':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (_arn, _partition, service) = (next()?, next()?, next()?);
        let (region, account, found, name) = (next()?, next()?, next()?, next()?);
        let is_kind = service == "lambda" && found == kind && !name.contains([':', '/']);
        is_kind.then(|| Self { account: account.into(), region: region.into(), name: name.to_owned() })
    }

    /// Its ARN, for a resource of this kind.
    pub fn arn(&self, kind: &str) -> String {
        format!("arn:aws:lambda:{}:{}:{kind}:{}", self.region, self.account, self.name)
    }

    /// Whether the resource belongs to this account and region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.account == place.account && self.region == place.region
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_resources_are_of_one_kind() {
        const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0";
        let parse = |arn: &str| ResourceId::parse_arn(arn, "code-signing-config");
        assert_eq!(parse(ARN).unwrap().arn("code-signing-config"), ARN);
        assert_eq!(ResourceId::parse_arn(ARN, "capacity-provider"), None);
        for arn in [
            "",
            "arn:aws:lambda",
            &ARN.replace("lambda", "s3"),
            &format!("{ARN}:1"),
            &ARN.replace("csc-0", ""),
        ] {
            assert_eq!(parse(arn), None, "{arn}");
        }
    }
}
