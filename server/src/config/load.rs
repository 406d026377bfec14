//! Makes one checked configuration from all sources.

use std::path::{self, Path, PathBuf};
use std::{fs, io};

use super::error::ConfigError;
use super::keys::{Config, Settings};

/// The file that is read by default, if it exists.
pub const DEFAULT_FILE: &str = "/etc/lambd/lambd.toml";
/// Prefix of all variables of lambd.
const PREFIX: &str = "LAMBD_";

/// The sources of a configuration: flags and variables, merged by clap, and a file.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Source {
    /// Configuration file in TOML [default: /etc/lambd/lambd.toml if it exists]
    #[arg(long, env = "LAMBD_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Values of flags and variables.
    #[command(flatten)]
    pub settings: Settings,
}

impl Source {
    /// Reads the file, applies flags and variables over it, adds the defaults, and checks everything. Makes
    /// relative paths absolute, before anything changes the working directory.
    ///
    /// # Errors
    /// [`ConfigError`], always one line.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = self.settings.clone().or(self.file()?).or_default().check()?;
        config.data_dir = path::absolute(&config.data_dir)
            .map_err(|source| ConfigError::Read { path: config.data_dir.clone(), source })?;
        // An empty path means that there is no file.
        for file in [&mut config.policies_file, &mut config.s3_credentials_file] {
            if file.as_os_str().is_empty() {
                continue;
            }
            *file =
                path::absolute(&*file).map_err(|source| ConfigError::Read { path: file.clone(), source })?;
        }
        Ok(config)
    }

    fn file(&self) -> Result<Settings, ConfigError> {
        let path = self.config.as_deref().unwrap_or_else(|| Path::new(DEFAULT_FILE));
        match fs::read_to_string(path) {
            Ok(text) => parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.config.is_none() => {
                Ok(Settings::default())
            }
            Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
        }
    }

    /// Refuses variables that begin with `LAMBD_` and belong to no key.
    ///
    /// # Errors
    /// [`ConfigError::UnknownVariables`] with all of them.
    pub fn check_variables(present: impl Iterator<Item = String>) -> Result<(), ConfigError> {
        let ours = present.filter(|name| name.starts_with(PREFIX));
        let mut names: Vec<_> = ours.filter(|name| !Settings::VARIABLES.contains(&name.as_str())).collect();
        names.sort_unstable();
        if names.is_empty() { Ok(()) } else { Err(ConfigError::UnknownVariables { names }) }
    }
}

fn parse(path: &Path, text: &str) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        let message = match key_of_value(before) {
            Some(key) => format!("`{key}`: {message}"),
            None => message,
        };
        ConfigError::File { path: path.to_owned(), line: before.matches('\n').count() + 1, message }
    })
}

/// The key whose value begins after this text: the parser names a wrong key, but not that of a wrong value.
fn key_of_value(before: &str) -> Option<&str> {
    let key = before.lines().next_back()?.trim_end().strip_suffix('=')?.trim();
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        source: Source,
    }

    fn load(file: &str, flags: &[&str]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        fs::write(&path, file).unwrap();
        let named = ["lambd", "--config", path.to_str().unwrap()];
        let flags = Flags::try_parse_from(named.iter().chain(flags)).map_err(|error| error.to_string())?;
        flags.source.load().map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let config = load("region = 'eu-west-1'\nvolume_stock = 3\n", &["--region", "us-west-2"]).unwrap();
        assert_eq!((config.region.as_str(), config.volume_stock), ("us-west-2", 3));
        assert_eq!(config.listen, "127.0.0.1:3001".parse().unwrap());
        assert_eq!(config.data_dir, Path::new("/var/lib/lambd"));
        assert_eq!(config.account_id, "000000000000");
        let relative = load("data_dir = 'd'", &[]).unwrap();
        assert_eq!(relative.data_dir, std::env::current_dir().unwrap().join("d"));
    }

    #[test]
    fn effective_values_are_a_configuration_file() {
        let config =
            load("auth = 'off'\nlog_format = 'json'\npublic_endpoint = 'https://l.example'", &[]).unwrap();
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(load(&printed, &[]).unwrap(), config);
    }

    #[test]
    fn every_key_is_a_flag_a_variable_and_a_line() {
        let command = <Flags as clap::CommandFactory>::command();
        let printed = toml::to_string(&load("", &[]).unwrap()).unwrap();
        let keys: Vec<_> = printed.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
        assert!(keys.len() >= 16);
        for key in keys {
            let flag = command.get_arguments().find(|arg| arg.get_id() == key).unwrap();
            assert_eq!(flag.get_long().unwrap(), key.replace('_', "-"));
            let variable = format!("LAMBD_{}", key.to_uppercase());
            assert_eq!(flag.get_env().unwrap().to_str().unwrap(), variable);
            assert!(Settings::VARIABLES.contains(&variable.as_str()));
        }
    }

    #[test]
    fn refusals_name_the_key_and_the_remedy() {
        for (file, flags, expect) in [
            ("\nno_such_key = 'x'", [].as_slice(), "c.toml:2: unknown field `no_such_key`"),
            ("listen = 'localhost'", &[], "c.toml:1: `listen`: invalid socket address syntax"),
            ("volume_stock = -1", &[], "c.toml:1: `volume_stock`: invalid value: integer `-1`"),
            ("auth = 'none'", &[], "c.toml:1: `auth`: unknown variant `none`, expected `sigv4` or `off`"),
            ("listen = '127.0.0.1:1'\n\nlisten = '127.0.0.1:2'", &[], "c.toml:3: duplicate key"),
            ("[", &[], "c.toml:1: "),
            ("", &["--volume-stock", "many"], "invalid value 'many' for '--volume-stock <COUNT>'"),
            ("", &["--no-such-flag"], "unexpected argument '--no-such-flag'"),
            ("", &["--account-id", "12345"], "`account_id` is `12345`: must be 12 digits"),
            ("", &["--region", "US"], "`region` is `US`: must be a region's name"),
            ("", &["--data-dir", ""], "a value is required for '--data-dir <DIR>'"),
            ("", &["--user", "root"], "`user` is `root`: must name an unprivileged account"),
            (
                "",
                &["--auth", "off", "--listen", "0.0.0.0:1"],
                "`auth` is `off`: needs `listen` on a loopback",
            ),
            ("", &["--drain-timeout-s", "3601"], "`drain_timeout_s` is `3601`: must be between 0 and 3600"),
            ("", &["--concurrency-limit", "0"], "`concurrency_limit` is `0`: must be between 1 and 100000"),
            ("", &["--public-endpoint", "ftp://x"], "`public_endpoint` is `ftp://x`: must be like"),
            ("", &["--public-endpoint", "http://x/y"], "`public_endpoint` is `http://x/y`: must be like"),
            (
                "host_memory_mib = 1\nregion = ''",
                &[],
                "must be a region's name such as `us-east-1`; `host_memory_mib` is `1`",
            ),
        ] {
            let error = load(file, flags).unwrap_err();
            assert!(error.contains(expect), "{file:?} {flags:?}: {error}");
        }
    }

    #[test]
    fn a_named_file_must_exist() {
        let source = Source { config: Some("/no/such/file.toml".into()), ..Source::default() };
        assert_eq!(
            source.load().unwrap_err().to_string(),
            "cannot read the configuration file /no/such/file.toml"
        );
    }

    #[test]
    fn unknown_variables_are_refused_by_name() {
        let check = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned());
            Source::check_variables(names).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["PATH", "LAMBD", "LAMBDA_TASK_ROOT", "LAMBD_LISTEN", "LAMBD_CONFIG"]), Ok(()));
        let error = check(&["LAMBD_Z", "LAMBD_LISTN"]).unwrap_err();
        assert!(error.starts_with("unknown environment variables: LAMBD_LISTN, LAMBD_Z; "), "{error}");
    }
}
