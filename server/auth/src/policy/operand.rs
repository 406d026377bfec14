//! The values of a condition, read as its operator needs them.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::context::ConditionContext;
use super::pattern::Pattern;

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The whole text; wildcards have no meaning.
    Text { any_case: bool },
    /// The text with wildcards.
    Like,
    /// An ARN, part by part, with wildcards.
    Arn,
    /// A number and how it relates to the operand.
    Number(Relation),
    /// A time and how it relates to the operand.
    Date(Relation),
    /// `true` or `false`.
    Bool,
    /// An address within a network.
    Address,
}

/// How the request's value relates to the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds<T: PartialOrd>(self, value: &T, operand: &T) -> bool {
        match self {
            Self::Equal => value == operand,
            Self::Less => value < operand,
            Self::LessOrEqual => value <= operand,
            Self::Greater => value > operand,
            Self::GreaterOrEqual => value >= operand,
        }
    }
}

/// One value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Text(Pattern),
    Number(f64),
    /// Seconds since 1970.
    Date(i64),
    Bool(bool),
    Network {
        address: IpAddr,
        bits: u8,
    },
}

impl Operand {
    /// Reads a value for an operator. The error says what is wrong.
    pub(super) fn parse(comparison: Comparison, text: &str, variables: bool) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{text}` is not {what}");
        Ok(match comparison {
            Comparison::Text { .. } | Comparison::Like | Comparison::Arn => {
                Self::Text(Pattern::parse(text, variables)?)
            }
            Comparison::Number(_) => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                Self::Number(number.ok_or_else(|| wrong("a number"))?)
            }
            Comparison::Date(_) => {
                Self::Date(seconds(text).ok_or_else(|| wrong("a time such as 2026-01-31T00:00:00Z"))?)
            }
            Comparison::Bool => Self::Bool(boolean(text).ok_or_else(|| wrong("true or false"))?),
            Comparison::Address => {
                network(text).ok_or_else(|| wrong("an address or a network such as 10.0.0.0/8"))?
            }
        })
    }

    /// Whether a value of the request fits. A value that cannot be read fits nothing.
    pub(super) fn fits(&self, comparison: Comparison, value: &str, context: &ConditionContext) -> bool {
        match (self, comparison) {
            (Self::Text(pattern), Comparison::Text { any_case }) => pattern.is(value, context, any_case),
            (Self::Text(pattern), Comparison::Like) => pattern.fits(value, context),
            (Self::Text(pattern), Comparison::Arn) => pattern.fits_arn(value, context),
            (Self::Number(operand), Comparison::Number(relation)) => {
                value.parse().is_ok_and(|value: f64| relation.holds(&value, operand))
            }
            (Self::Date(operand), Comparison::Date(relation)) => {
                seconds(value).is_some_and(|value| relation.holds(&value, operand))
            }
            (Self::Bool(operand), Comparison::Bool) => boolean(value) == Some(*operand),
            (Self::Network { address, bits }, Comparison::Address) => {
                value.parse().is_ok_and(|value: IpAddr| is_within(value.to_canonical(), *address, *bits))
            }
            _ => false,
        }
    }
}

/// Seconds since 1970 of a time in ISO 8601, a day, or a number of seconds.
fn seconds(text: &str) -> Option<i64> {
    let midnight = |day: Date| TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok();
    let day = || midnight(text.parse().ok()?);
    let time = || text.parse::<Timestamp>().ok().or_else(day);
    text.parse().ok().or_else(|| time().map(Timestamp::as_second))
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

fn network(text: &str) -> Option<Operand> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |bits| bits.parse().ok().filter(|bits| *bits <= all))?;
    Some(Operand::Network { address, bits })
}

fn is_within(value: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (value, network, all) = match (value, network) {
        (IpAddr::V4(value), IpAddr::V4(network)) => (value.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(value), IpAddr::V6(network)) => (value.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let differing: u128 = value ^ network;
    differing.checked_shr(all - u32::from(bits)).unwrap_or(0) == 0
}
