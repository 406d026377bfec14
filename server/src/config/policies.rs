//! The file of policies, which the setting `policies_file` names.

use std::fs::File;
use std::io::Read as _;

use lambd_auth::{AccessRules, UndefinedRoles};

use super::error::ConfigError;
use super::keys::Config;
use super::values::RoleRights;

/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

impl Config {
    /// Reads the policies and the roles that have one. Without a file there are none.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or something in it is not understood.
    pub fn access_rules(&self) -> Result<AccessRules, ConfigError> {
        let path = &self.policies_file;
        let mut rules = AccessRules::default();
        if !path.as_os_str().is_empty() {
            let failed = |source| ConfigError::Read { path: path.clone(), source };
            let mut text = String::new();
            let file = File::open(path).map_err(failed)?;
            file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
            let wrong = |problem| ConfigError::Policies { path: path.clone(), problem };
            rules = AccessRules::parse(&text).map_err(wrong)?;
        }
        rules.undefined_roles = match self.undefined_roles {
            RoleRights::Execution => UndefinedRoles::Execution,
            RoleRights::Everything => UndefinedRoles::Everything,
            RoleRights::Nothing => UndefinedRoles::Nothing,
        };
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn the_file_is_read_whole_or_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policies.json");
        let config = Settings { policies_file: Some(path.clone()), ..Settings::default() }.into_config();
        let error = config.access_rules().unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.contains("policies.json"), "{error}");
        for (text, expect) in [
            (r#"{"Policies": {"p": {"Statement": []}}}"#, None),
            (r#"{"Policies": {"p": {"Statement": [], "x": 1}}}"#, Some("policy `p`: unknown field `x`")),
        ] {
            std::fs::write(&path, text).unwrap();
            let read = config.access_rules().map(|rules| assert!(rules.policy("p").is_some()));
            let error = read.err().map(|error| error.to_string());
            assert_eq!(error.is_some(), expect.is_some(), "{error:?}");
            assert!(error.unwrap_or_default().contains(expect.unwrap_or_default()), "{text}");
        }
        assert_eq!(Settings::default().into_config().access_rules().unwrap(), AccessRules::default());
    }
}
