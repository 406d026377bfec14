//! Functions of `PackageType` `Image`: their address and settings, with AWS's texts [fact:image-texts].

use lambd_model::{CodeRef, ImageConfig, Sha256};
use lambd_wire::{Error, types};

use super::settings;
use super::target_function::invalid;

/// Most characters of an address, its host included.
const URI_CHARS_MAX: usize = 4096;

/// Runtime, handler and layers belong to zips; AWS refuses them beside an image.
pub(in crate::api) fn refuse_zip_settings(given: bool) -> Result<(), Error> {
    if given {
        return Err(invalid(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
        ));
    }
    Ok(())
}

/// Refuses `ImageConfig` for a zip; an empty one says nothing.
pub(in crate::api) fn refuse_config(given: Option<&types::ImageConfig>) -> Result<(), Error> {
    if given.is_some_and(|config| *config != Default::default()) {
        return Err(invalid(
            "Please don't provide ImageConfig when the intended function PackageType is Zip.",
        ));
    }
    Ok(())
}

/// The address of an image, checked: `host/repository`, with a tag or a digest.
pub(in crate::api) fn uri(given: Option<String>) -> Result<String, Error> {
    let uri =
        settings::non_empty(given).ok_or_else(|| invalid("Please provide a source for function code."))?;
    if is_reference(&uri) {
        return Ok(uri);
    }
    Err(invalid(format!("Source image {uri} is not valid. Provide a valid source image.")))
}

/// `ImageConfig` as it is stored; empty members are the image's own.
pub(in crate::api) fn config(given: types::ImageConfig) -> ImageConfig {
    ImageConfig {
        entry_point: given.entry_point.unwrap_or_default(),
        command: given.command.unwrap_or_default(),
        working_directory: settings::non_empty(given.working_directory),
    }
}

/// `ImageConfig` as it is shown; `None` if all of it is the image's own.
pub(in crate::api) fn shown(config: &ImageConfig) -> Option<types::ImageConfigResponse> {
    let list = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    (*config != ImageConfig::default()).then(|| types::ImageConfigResponse {
        image_config: Some(types::ImageConfig {
            entry_point: list(&config.entry_point),
            command: list(&config.command),
            working_directory: config.working_directory.clone(),
        }),
        error: None,
    })
}

/// What stands for the code of an image: the digest of its address, or where it has none the hash of the address.
pub(in crate::api) fn code(uri: &str) -> CodeRef {
    let digest = digest(uri).and_then(Sha256::from_hex);
    let sha256 = digest.unwrap_or_else(|| Sha256::of(uri.as_bytes()));
    CodeRef { sha256, zipped_bytes: 0 }
}

/// The digest that an address ends in, 64 hexadecimal digits.
pub(in crate::api) fn digest(uri: &str) -> Option<&str> {
    uri.split_once("@sha256:").map(|(_, digest)| digest)
}

/// Whether this is the address of an image: a host, at least one part of a path, then a tag, a digest or both.
fn is_reference(uri: &str) -> bool {
    let (name, digest) = match uri.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (uri, None),
    };
    let Some((host, path)) = name.split_once('/') else { return false };
    let (path, tag) = match path.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path, None),
    };
    let hex =
        |digits: &str| digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let word = |text: &str, more: &[u8]| {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        first && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    uri.len() <= URI_CHARS_MAX
        && word(host, b".-:")
        && path.split('/').all(|part| word(part, b"._-") && !part.bytes().any(|b| b.is_ascii_uppercase()))
        && tag.is_none_or(|tag| tag.len() <= 128 && word(tag, b"._-"))
        && digest.is_none_or(|digest| digest.strip_prefix("sha256:").is_some_and(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_images() {
        let digest = format!("registry.example/app@sha256:{}", "0a".repeat(32));
        for good in [
            "000000000000.dkr.ecr.us-east-1.amazonaws.com/repo:tag",
            "localhost:5000/team/app_1.x",
            "registry.example/app:1.0-a",
            &digest,
        ] {
            assert_eq!(uri(Some(good.to_owned())).unwrap(), good);
        }
        for bad in
            ["app", "registry.example/", "registry.example/App", "h/a:b c", "h/a@sha256:12", "h/../a:x"]
        {
            assert!(!is_reference(bad), "{bad}");
        }
        assert_eq!(code(&digest).sha256.hex(), "0a".repeat(32));
    }
}
