//! Published versions of a function and the aliases that name them.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::{Configuration, Function, LATEST, Statement, Version};

/// A published version: what it runs never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedVersion {
    /// Its qualifier is its number.
    pub version: Arc<Version>,
    /// Its own `RevisionId`.
    pub revision_id: Uuid,
}

/// A name for a version, or for two with a share of the invocations each.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// [`LATEST`] or the number of a published version, in decimal digits.
    pub version: String,
    /// The number of a second version and its share of the invocations, 0 to 1 [fact:alias-weights].
    pub second: Option<(u64, f64)>,
    /// Free text.
    pub description: String,
    /// Changes with every change of the alias.
    pub revision_id: Uuid,
}

impl Alias {
    /// The version that one invocation runs: the second one if `draw`, evenly spread over 0 to 1, falls into its share.
    pub fn draw(&self, draw: f64) -> String {
        match self.second {
            Some((number, share)) if draw < share => number.to_string(),
            _ => self.version.clone(),
        }
    }

    /// Whether this version is one of those that it names.
    pub fn names(&self, qualifier: &str) -> bool {
        self.version == qualifier || self.second.is_some_and(|(number, _)| number.to_string() == qualifier)
    }
}

/// Names of aliases and the aliases.
pub type Aliases = BTreeMap<String, Arc<Alias>>;

impl Function {
    /// `$LATEST` or a published version by its number; aliases are no versions.
    pub fn version(&self, qualifier: &str) -> Option<&Arc<Version>> {
        if qualifier == LATEST {
            return Some(&self.latest);
        }
        self.published(qualifier).map(|published| &published.version)
    }

    /// A published version by its number.
    pub fn published(&self, qualifier: &str) -> Option<&Arc<PublishedVersion>> {
        self.versions.get(&version_number(qualifier)?)
    }

    /// The last published version that is still there.
    pub fn last_published(&self) -> Option<&Arc<PublishedVersion>> {
        self.versions.values().next_back()
    }

    /// `$LATEST` and every published version, in the order of their numbers.
    pub fn all_versions(&self) -> impl Iterator<Item = &Arc<Version>> {
        std::iter::once(&self.latest).chain(self.versions.values().map(|published| &published.version))
    }

    /// `RevisionId` of what a qualifier names: the function as a whole, a version or an alias.
    pub fn revision(&self, qualifier: &str) -> Option<Uuid> {
        if qualifier == LATEST {
            return Some(self.revision_id);
        }
        let alias = || self.aliases.get(qualifier).map(|alias| alias.revision_id);
        self.published(qualifier).map(|published| published.revision_id).or_else(alias)
    }

    /// The function with these permissions for what the qualifier names, which has a new revision then; without any
    /// the policy is gone.
    #[must_use]
    pub fn with_policy(&self, qualifier: &str, statements: Vec<Statement>) -> Self {
        let (mut function, revision_id) = (self.clone(), Uuid::new_v4());
        let number = version_number(qualifier);
        if let Some(published) = number.and_then(|number| function.versions.get_mut(&number)) {
            let version = Arc::clone(&published.version);
            *published = Arc::new(PublishedVersion { version, revision_id });
        } else if let Some(alias) = self.aliases.get(qualifier) {
            let alias = Alias { revision_id, ..(**alias).clone() };
            function.aliases.insert(qualifier.to_owned(), Arc::new(alias));
        } else {
            function.revision_id = revision_id;
        }
        if statements.is_empty() {
            function.policies.remove(qualifier);
        } else {
            function.policies.insert(qualifier.to_owned(), Arc::new(statements));
        }
        function
    }

    /// `RevisionId` of one of this function's versions.
    pub fn revision_of(&self, version: &Version) -> Uuid {
        self.published(&version.qualifier).map_or(self.revision_id, |published| published.revision_id)
    }

    /// The function with its code and settings published under the next number, and that version. Where nothing
    /// changed since the last one, that is the version, and the function is as it was [fact:publish-unchanged].
    pub fn publish(&self, description: Option<String>) -> (Self, Arc<PublishedVersion>) {
        if let Some(last) = self.last_published()
            && is_same(&last.version.configuration, &self.latest.configuration)
        {
            return (self.clone(), Arc::clone(last));
        }
        let mut configuration = Arc::clone(&self.latest.configuration);
        if let Some(description) = description.filter(|text| *text != configuration.description) {
            Arc::make_mut(&mut configuration).description = description;
        }
        let number = self.last_number.saturating_add(1);
        let version = Version {
            function: Arc::clone(&self.id),
            qualifier: number.to_string(),
            configuration,
            generation: Uuid::new_v4(),
        };
        let published =
            Arc::new(PublishedVersion { version: Arc::new(version), revision_id: Uuid::new_v4() });
        let mut function = Self { last_number: number, ..self.clone() };
        function.versions.insert(number, Arc::clone(&published));
        (function, published)
    }
}

/// The number that a qualifier is. Each number has one spelling: `01` is none.
pub fn version_number(qualifier: &str) -> Option<u64> {
    qualifier.parse().ok().filter(|number: &u64| number.to_string() == qualifier)
}

/// Whether two versions run the same: descriptions and times are not part of it.
fn is_same(one: &Configuration, other: &Configuration) -> bool {
    let bare = |configuration: &Configuration| Configuration {
        description: String::new(),
        last_modified_ms: 0,
        ..configuration.clone()
    };
    bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_draws_its_second_version_for_that_share_of_the_invocations() {
        let alias = |second| Alias {
            version: "1".to_owned(),
            second,
            description: String::new(),
            revision_id: Uuid::nil(),
        };
        let of_thousand =
            |alias: &Alias| (0..1000).filter(|draw| alias.draw(f64::from(*draw) / 1000.0) == "2").count();
        for (second, want) in [(None, 0), (Some((2, 0.0)), 0), (Some((2, 0.25)), 250), (Some((2, 1.0)), 1000)]
        {
            assert_eq!(of_thousand(&alias(second)), want, "{second:?}");
        }
        assert!(alias(Some((2, 0.5))).names("2") && !alias(None).names("2"));
    }
}
