//! Pages of a list: `MaxItems`, `Marker` and `NextMarker`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambd_model::ByQualifier;
use lambd_wire::Error;

use super::target_function::invalid;

/// AWS's page; a larger `MaxItems` is cut to it.
const PAGE: usize = 50;

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Page {
    pub(in crate::api) limit: usize,
    /// What the last page ended with.
    pub(in crate::api) after: Option<String>,
}

impl Page {
    /// A marker names the last entry of its page: pages stay whole while entries come and go.
    pub(in crate::api) fn of(max_items: Option<i32>, marker: Option<&str>) -> Result<Self, Error> {
        Self::sized(max_items, marker, PAGE)
    }

    /// As [`Self::of`] for a list with a page of another size.
    pub(in crate::api) fn sized(
        max_items: Option<i32>,
        marker: Option<&str>,
        page: usize,
    ) -> Result<Self, Error> {
        let limit = max_items.and_then(|n| usize::try_from(n).ok()).map_or(page, |n| n.clamp(1, page));
        let decode = |marker: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid("Invalid Marker."))
        };
        let after = marker.filter(|marker| !marker.is_empty()).map(decode).transpose()?;
        Ok(Self { limit, after })
    }

    /// The settings of this page and the marker of the next one.
    pub(in crate::api) fn of_settings<'a, T>(
        &self,
        all: &'a ByQualifier<T>,
    ) -> (Vec<(&'a str, &'a T)>, Option<String>) {
        let rest = all.iter().map(|(qualifier, settings)| (qualifier.as_str(), &**settings));
        let rest = rest.filter(|(qualifier, _)| self.after.as_deref().is_none_or(|after| *qualifier > after));
        self.cut(rest, |(qualifier, _)| (*qualifier).to_owned())
    }

    /// The first entries of the rest, and the marker of the next page if there is more.
    pub(in crate::api) fn cut<T>(
        &self,
        rest: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let mut entries: Vec<_> = rest.take(self.limit + 1).collect();
        let more = entries.len() > self.limit;
        entries.truncate(self.limit);
        let marker = entries.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        (entries, marker)
    }
}
