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
    /// Whether the resource belongs to this account and region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.account == place.account && self.region == place.region
    }
}
