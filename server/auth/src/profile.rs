//! The format of an AWS shared-credentials file, as far as keys go.

use super::{Credentials, Secret};

/// One section of the file, as it stands there.
#[derive(Debug)]
pub(super) struct Profile<'a> {
    pub(super) name: &'a str,
    access_key_id: Option<&'a str>,
    secret_access_key: Option<&'a str>,
    /// Twelve digits, if the file is right.
    pub(super) account: Option<&'a str>,
}

impl<'a> Profile<'a> {
    pub(super) const fn named(name: &'a str) -> Self {
        Self { name, access_key_id: None, secret_access_key: None, account: None }
    }

    /// Its pair of keys, or what is wrong with them.
    pub(super) fn credentials(&self) -> Result<Credentials, String> {
        let value = |key: &str, value: Option<&str>| {
            let value = value.ok_or_else(|| format!("no `{key}` in profile `{}`", self.name))?;
            let whole = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
            whole.then(|| value.to_owned()).ok_or_else(|| format!("`{key}` is not a key"))
        };
        let access_key_id = value("aws_access_key_id", self.access_key_id)?;
        if access_key_id.contains(['/', ',', '=']) {
            return Err("`aws_access_key_id` is not a key".to_owned());
        }
        let secret = value("aws_secret_access_key", self.secret_access_key)?;
        Ok(Credentials { access_key_id, secret_access_key: Secret::new(secret) })
    }
}

/// Every profile, in order. A section that stands there twice is two.
pub(super) fn profiles(text: &str) -> Vec<Profile<'_>> {
    let mut profiles: Vec<Profile<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            profiles.push(Profile::named(name.trim()));
        } else if let (Some((key, value)), Some(profile)) = (line.split_once('='), profiles.last_mut()) {
            let value = Some(value.trim());
            match key.trim() {
                "aws_access_key_id" => profile.access_key_id = value,
                "aws_secret_access_key" => profile.secret_access_key = value,
                "aws_account_id" => profile.account = value,
                _ => {}
            }
        }
    }
    profiles
}
