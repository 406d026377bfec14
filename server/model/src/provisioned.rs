//! Provisioned concurrency: what a function claims, and which versions the environments belong to.

use std::sync::Arc;

use crate::{Alias, Function, Version, version_number};

impl Function {
    /// Provisioned executions of all its qualifiers together.
    pub fn provisioned_total(&self) -> u32 {
        self.attached.provisioned.values().map(|provisioned| provisioned.executions).sum()
    }

    /// The part of the account's concurrency that is kept for this function: its reservation, of which provisioned
    /// executions are a part, or else these alone.
    pub fn claimed_concurrency(&self) -> u32 {
        self.reserved_concurrency.unwrap_or_else(|| self.provisioned_total())
    }

    /// The versions that the provisioned executions of a qualifier are for, with the number of each. Two versions
    /// of an alias have as large a part of them as of its invocations.
    pub fn provisioned_versions(&self, qualifier: &str) -> Vec<(Arc<Version>, u32)> {
        let Some(provisioned) = self.attached.provisioned.get(qualifier) else { return Vec::new() };
        let all = provisioned.executions;
        let parts = match self.aliases.get(qualifier) {
            None => vec![(qualifier.to_owned(), all)],
            Some(alias) => alias.parts(all),
        };
        let versions = parts.into_iter().filter(|(_, part)| *part > 0);
        versions.filter_map(|(name, part)| Some((Arc::clone(self.version(&name)?), part))).collect()
    }

    /// The alias of a name that has provisioned concurrency and names this version.
    pub fn provisioned_alias(&self, version: &str) -> Option<&str> {
        let mut aliases = self.aliases.iter().filter(|(_, alias)| alias.names(version));
        aliases.find(|(name, _)| self.attached.provisioned.contains_key(*name)).map(|(name, _)| name.as_str())
    }

    /// Whether a version that this alias names has provisioned concurrency of its own.
    pub fn is_provisioned_below(&self, alias: &Alias) -> bool {
        let versions = self.attached.provisioned.keys().filter(|name| version_number(name).is_some());
        versions.into_iter().any(|version| alias.names(version))
    }
}

impl Alias {
    /// A number divided among the versions that it names.
    fn parts(&self, all: u32) -> Vec<(String, u32)> {
        let Some((second, share)) = self.second else { return vec![(self.version.clone(), all)] };
        // The smallest whole number above the exact part, without a conversion that could lose something.
        let part = (0..all).find(|part| f64::from(*part) >= f64::from(all) * share).unwrap_or(all);
        vec![(self.version.clone(), all - part), (second.to_string(), part)]
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn two_versions_of_an_alias_have_a_part_each() {
        let alias = |second| Alias {
            version: "1".to_owned(),
            second,
            description: String::new(),
            revision_id: Uuid::nil(),
        };
        for (second, want) in [
            (None, vec![("1", 5)]),
            (Some((2, 0.0)), vec![("1", 5), ("2", 0)]),
            (Some((2, 0.1)), vec![("1", 4), ("2", 1)]),
            (Some((2, 0.4)), vec![("1", 3), ("2", 2)]),
            (Some((2, 1.0)), vec![("1", 0), ("2", 5)]),
        ] {
            let parts = alias(second).parts(5);
            let parts: Vec<_> = parts.iter().map(|(name, part)| (name.as_str(), *part)).collect();
            assert_eq!(parts, want, "{second:?}");
        }
    }
}
