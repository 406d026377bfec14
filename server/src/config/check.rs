//! The bounds of all values; they are checked before any value is used.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::error::{ConfigError, Problem};
use super::keys::Config;
use super::values::AuthMode;

impl Config {
    /// # Errors
    /// [`ConfigError::Values`] with every value that is out of bounds.
    pub(super) fn check(self) -> Result<Self, ConfigError> {
        let mut found = Problems::default();
        let is_account = lambd_model::arn::is_account(&self.account_id);
        found.unless(is_account, || problem("account_id", &self.account_id, "must be 12 digits"));
        let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        found.unless((1..=32).contains(&self.region.len()) && self.region.bytes().all(is_region), || {
            problem("region", &self.region, "must be a region's name such as `us-east-1`")
        });
        found.unless(!self.user.is_empty() && self.user != "root", || {
            problem("user", &self.user, "must name an unprivileged account")
        });
        found.unless(self.auth == AuthMode::Sigv4 || self.listen.ip().is_loopback(), || {
            let remedy = "needs `listen` on a loopback address such as 127.0.0.1; use `sigv4` for others";
            problem("auth", "off", remedy)
        });
        found.within("drain_timeout_s", self.drain_timeout_s, &(0..=3600));
        found.within("concurrency_limit", self.concurrency_limit.into(), &(1..=100_000));
        found.within("host_memory_mib", self.host_memory_mib, &(128..=u64::from(u32::MAX)));
        found.within("environment_idle_s", self.environment_idle_s, &(1..=86_400));
        found.within("volume_stock", self.volume_stock.into(), &(0..=64));
        found.within("logs_retention_days", self.logs_retention_days.into(), &(1..=3653));
        found.within("logs_group_mib", self.logs_group_mib.into(), &(1..=1_048_576));
        found.unless(self.public_endpoint.is_empty() || is_origin(&self.public_endpoint), || {
            problem("public_endpoint", &self.public_endpoint, "must be like `https://lambda.example:3001`")
        });
        let is_plain = self.s3_endpoint.starts_with("http://") && is_origin(&self.s3_endpoint);
        found.unless(self.s3_endpoint.is_empty() || is_plain, || {
            problem(
                "s3_endpoint",
                &self.s3_endpoint,
                "must be like `http://127.0.0.1:9000`; https is not possible",
            )
        });
        match found.0 {
            problems if problems.is_empty() => Ok(self),
            problems => Err(ConfigError::Values { problems }),
        }
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn unless(&mut self, right: bool, problem: impl FnOnce() -> Problem) {
        if !right {
            self.0.push(problem());
        }
    }

    fn within(&mut self, key: &'static str, value: u64, bounds: &RangeInclusive<u64>) {
        let (least, most) = (bounds.start(), bounds.end());
        self.unless(bounds.contains(&value), || {
            problem(key, value, &format!("must be between {least} and {most}"))
        });
    }
}

fn problem(key: &'static str, value: impl Display, remedy: &str) -> Problem {
    let value = format!("`{value}`");
    Problem { key, value, remedy: remedy.to_owned() }
}

/// Whether the text has a scheme and an authority, and nothing else.
fn is_origin(text: &str) -> bool {
    let parsed = text.parse::<http::Uri>();
    parsed.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && matches!(uri.path_and_query().map_or("/", |path| path.as_str()), "/")
    })
}
