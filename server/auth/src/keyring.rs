//! All pairs of keys that the server accepts, each with the account for which it acts.

use std::path::Path;

use super::credentials::{self, OPEN_TO_OTHERS, PROFILE};
use super::profile::profiles;
use super::{Credentials, CredentialsError};

/// Number of digits of an account's id.
const ACCOUNT_DIGITS: usize = 12;

/// A pair of keys, the account for which it acts, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKey {
    /// The pair of keys.
    pub credentials: Credentials,
    /// The account, twelve digits.
    pub account: String,
    /// The name of the user: that of the profile.
    pub user: String,
    /// The name of the policy that says what the user may do; without one it may do everything in the account.
    pub policy: Option<String>,
}

/// The keys of a credentials file. Profile `default` acts for the server's own account, any other profile
/// with `aws_account_id` for that account. Profiles without it are not the server's, and are ignored. A profile is a
/// user of its account with the profile's name; `lambd_policy` names the policy that limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// The keys of profile `default`.
    pub own: Credentials,
    /// The account that profile `default` names, if any; it must be the server's own.
    pub own_account: Option<String>,
    /// The name of the policy of profile `default`, if any.
    pub own_policy: Option<String>,
    /// The other keys, in the order of the file.
    pub others: Vec<AccountKey>,
}

impl Keyring {
    /// Reads the file, or makes it with a new pair of keys, as [`Credentials::load_or_create`].
    ///
    /// # Errors
    /// [`CredentialsError`], also if a profile with an account has no keys or two profiles have one key.
    pub fn load_or_create(path: &Path) -> Result<Self, CredentialsError> {
        Credentials::load_or_create(path)?;
        credentials::read(path, OPEN_TO_OTHERS, Self::parse)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let profiles = profiles(text)?;
        let own = Credentials::default_of(&profiles)?;
        let mut others: Vec<AccountKey> = Vec::new();
        let (mut own_account, mut own_policy) = (None, None);
        for profile in profiles {
            let policy = profile.policy.map(str::to_owned);
            if profile.name == PROFILE {
                own_policy = policy.clone();
            }
            let Some(account) = profile.account else {
                if policy.is_some() && profile.name != PROFILE {
                    return Err(format!(
                        "profile `{}` has `lambd_policy`, but no `aws_account_id`",
                        profile.name
                    ));
                }
                continue;
            };
            if account.len() != ACCOUNT_DIGITS || !account.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("`aws_account_id` of profile `{}` must be 12 digits", profile.name));
            }
            if profile.name == PROFILE {
                own_account = Some(account.to_owned());
                continue;
            }
            if !is_user_name(profile.name) {
                return Err(format!("profile `{}` cannot be the name of a user", profile.name));
            }
            let credentials = profile.credentials()?;
            let known = |known: &Credentials| known.access_key_id == credentials.access_key_id;
            if known(&own) || others.iter().any(|key| known(&key.credentials)) {
                return Err(format!(
                    "the access key of profile `{}` is also in another profile",
                    profile.name
                ));
            }
            let (account, user) = (account.to_owned(), profile.name.to_owned());
            others.push(AccountKey { credentials, account, user, policy });
        }
        Ok(Self { own, own_account, own_policy, others })
    }

    /// All keys; those of profile `default` act for `account`.
    pub fn keys(&self, account: &str) -> Vec<AccountKey> {
        let own = AccountKey {
            credentials: self.own.clone(),
            account: account.to_owned(),
            user: PROFILE.to_owned(),
            policy: self.own_policy.clone(),
        };
        [own].into_iter().chain(self.others.iter().cloned()).collect()
    }
}

/// Whether IAM has users of this name.
fn is_user_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "[default]\naws_access_key_id = A\naws_secret_access_key = S\n";

    #[test]
    fn profiles_with_an_account_are_that_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let made = Keyring::load_or_create(&path).unwrap();
        assert!(made.others.is_empty());
        let text = format!(
            "{}\n[other]\naws_access_key_id = B\naws_account_id = 111111111111\naws_secret_access_key = T\n\
             lambd_policy = p\n\
             [foreign] # not ours\naws_access_key_id = C\n",
            std::fs::read_to_string(&path).unwrap()
        );
        std::fs::write(&path, text).unwrap();
        let read = Keyring::load_or_create(&path).unwrap();
        assert_eq!(read.own, made.own);
        let keys = read.keys("000000000000");
        let shown = keys.iter().map(|key| (key.credentials.access_key_id.as_str(), key.account.as_str()));
        let own = (made.own.access_key_id.as_str(), "000000000000");
        assert_eq!(shown.collect::<Vec<_>>(), [own, ("B", "111111111111")]);
        let users = keys.iter().map(|key| (key.user.as_str(), key.policy.as_deref()));
        assert_eq!(users.collect::<Vec<_>>(), [("default", None), ("other", Some("p"))]);
        let limited = Keyring::parse(&format!("{OWN}lambd_policy = q")).unwrap();
        assert_eq!(limited.keys("000000000000")[0].policy.as_deref(), Some("q"));
    }

    #[test]
    fn mistakes_name_the_profile() {
        let named = format!("{OWN}aws_account_id = 222222222222");
        assert_eq!(Keyring::parse(&named).unwrap().own_account.as_deref(), Some("222222222222"));
        for (text, problem) in [
            ("[b # team", "line 4 is no section `[name]`"),
            ("[b] team", "line 4 is no section `[name]`"),
            ("aws_access_key_id = B", "`aws_access_key_id` is there twice in profile `default`"),
            ("[default]", "profile `default` is there twice"),
            ("nonsense", "line 4 is neither a section `[name]` nor a setting `name = value`"),
            ("[x]\naws_account_id = 12", "`aws_account_id` of profile `x` must be 12 digits"),
            ("[x]\nlambd_policy = p", "profile `x` has `lambd_policy`, but no `aws_account_id`"),
            ("[a/b]\naws_account_id = 111111111111", "profile `a/b` cannot be the name of a user"),
            ("[x]\naws_account_id = 111111111111", "no `aws_access_key_id` in profile `x`"),
            (
                "[x]\naws_account_id = 111111111111\naws_access_key_id = A\naws_secret_access_key = T",
                "the access key of profile `x` is also in another profile",
            ),
        ] {
            assert_eq!(Keyring::parse(&format!("{OWN}{text}")), Err(problem.to_owned()), "{text}");
        }
    }
}
