//! The format of an AWS shared-credentials file, as far as the server needs it.
//!
//! The parser is strict, because a mistake could give one profile's keys to another: it refuses a line that
//! is no section, setting or comment, and a section or setting that occurs twice.

use super::{Credentials, Secret};

/// One section of the file.
#[derive(Debug)]
pub(super) struct Profile<'a> {
    pub(super) name: &'a str,
    access_key_id: Option<&'a str>,
    secret_access_key: Option<&'a str>,
    /// The account as written in the file; not checked yet.
    pub(super) account: Option<&'a str>,
    /// The name of the policy that limits the key.
    pub(super) policy: Option<&'a str>,
}

impl<'a> Profile<'a> {
    pub(super) const fn named(name: &'a str) -> Self {
        Self { name, access_key_id: None, secret_access_key: None, account: None, policy: None }
    }

    /// The profile's pair of keys, or a text that says what is wrong with them.
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

    fn set(&mut self, key: &str, value: &'a str) -> Result<(), String> {
        let slot = match key {
            "aws_access_key_id" => &mut self.access_key_id,
            "aws_secret_access_key" => &mut self.secret_access_key,
            "aws_account_id" => &mut self.account,
            "lambd_policy" => &mut self.policy,
            _ => return Ok(()),
        };
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(format!("`{key}` is there twice in profile `{}`", self.name)),
        }
    }
}

/// Reads all profiles in order. The error says what is wrong with the file and quotes no value.
pub(super) fn profiles(text: &str) -> Result<Vec<Profile<'_>>, String> {
    let mut profiles: Vec<Profile<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (number, is_indented) = (number + 1, line.starts_with([' ', '\t']));
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = section(rest).ok_or_else(|| format!("line {number} is no section `[name]`"))?;
            if profiles.iter().any(|profile| profile.name == name) {
                return Err(format!("profile `{name}` is there twice"));
            }
            profiles.push(Profile::named(name));
        } else if let Some((key, value)) = line.split_once('=') {
            // An indented line belongs to the setting before it; no setting that is read here has any.
            if let Some(profile) = profiles.last_mut().filter(|_| !is_indented || !key.trim().is_empty()) {
                profile.set(key.trim(), value.trim())?;
            }
        } else if !is_indented {
            return Err(format!("line {number} is neither a section `[name]` nor a setting `name = value`"));
        }
    }
    Ok(profiles)
}

/// The name of a section; a comment may follow the bracket.
fn section(rest: &str) -> Option<&str> {
    let (name, behind) = rest.split_once(']')?;
    let behind = behind.trim();
    (behind.is_empty() || behind.starts_with(['#', ';'])).then_some(name.trim())
}
