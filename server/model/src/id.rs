//! Who owns a thing and where it is.

use std::fmt;
use std::sync::Arc;

/// Account and region in which a request acts: the account of the caller's key, the region of the signature. Cheap to
/// copy: every request has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Region of the credential scope, e.g. `us-east-1`.
    pub region: Arc<str>,
    /// Twelve digits.
    pub account: Arc<str>,
}

impl Place {
    /// The function of this name here.
    pub fn function(&self, name: impl Into<String>) -> FunctionId {
        FunctionId { account: Arc::clone(&self.account), region: Arc::clone(&self.region), name: name.into() }
    }

    /// Unqualified ARN of a function of this place.
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

/// What finds a function, and what concurrency is counted for. Functions of two accounts or two regions are
/// strangers to each other, as on AWS. In order, the functions of one account and region stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId {
    /// Twelve digits.
    pub account: Arc<str>,
    /// Region in which it was created.
    pub region: Arc<str>,
    /// Bare name, 1–64 characters.
    pub name: String,
}

impl FunctionId {
    /// Whether it belongs to this account and region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.account == place.account && self.region == place.region
    }
}

/// Its unqualified ARN.
impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)
    }
}
