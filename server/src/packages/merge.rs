//! The layers of a function as one tree, for `/opt`.
//!
//! One layer is its own package. Several are unpacked over each other into a package of their own, whose name is the
//! hash of theirs, so that functions with the same layers share it.

use std::fs;

use lambd_model::Sha256;

use super::extract::Extraction;
use super::files::{Scratch, io, sync_dir};
use super::{Package, PackageError, PackageLimits, Packages};

impl Packages {
    /// The tree of these layers, pinned; a file of a later layer replaces one of an earlier layer
    /// [fact:layer-order]. It is made if it is absent; when this returns, it is durable. `None` without layers.
    ///
    /// # Errors
    /// [`PackageError::Missing`] if a layer is not there; [`PackageError::BadZip`] if a file of one would replace
    /// a directory of another; those of [`Packages::stage`].
    pub fn merge(&self, layers: &[Sha256], limits: &PackageLimits) -> Result<Option<Package>, PackageError> {
        let Some(merged) = Sha256::of_layers(layers) else { return Ok(None) };
        let pin = self.pins.pin(merged);
        if let Some(package) = self.load(merged, &pin)? {
            return Ok(Some(package));
        }
        if layers.len() == 1 {
            return Err(PackageError::Missing { sha256: merged });
        }
        let scratch = Scratch::create(&self.scratch)?;
        let mut extraction = Extraction::begin(&scratch.path().join("code"), limits)?;
        let mut zipped_bytes = 0;
        for layer in layers {
            let path = self.folder(*layer).join("package.zip");
            let zip = match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(PackageError::Missing { sha256: *layer });
                }
                other => other.map_err(io("read", &path))?,
            };
            zipped_bytes += zip.len() as u64;
            extraction.add(&zip)?;
        }
        let unzipped_bytes = extraction.finish()?;
        let package = self.publish(&scratch, merged, pin, zipped_bytes, unzipped_bytes)?;
        sync_dir(&self.dir)?;
        Ok(Some(package))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::fixture::{ZipEntry, file, link, zip};

    #[test]
    fn a_later_layer_replaces_files_of_an_earlier_one() {
        let dir = tempfile::tempdir().unwrap();
        let packages = Packages::open(dir.path()).unwrap();
        let limits = PackageLimits::default();
        let layer = |entries: &[ZipEntry]| packages.stage(&zip(entries), &limits).unwrap();
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().to_str().unwrap();
        let first = layer(&[
            file("both", "first"),
            file("lib/first", "1"),
            link("link", target),
            link("folder", target),
        ]);
        let second = layer(&[
            file("both", "second"),
            file("lib/second", "2"),
            file("link", "a file now"),
            file("folder/inside", "a folder now"),
        ]);
        let merged = packages.merge(&[first.sha256, second.sha256], &limits).unwrap().unwrap();
        let read = |name: &str| fs::read_to_string(merged.code_dir.join(name)).unwrap();
        assert_eq!(read("both"), "second");
        assert_eq!((read("lib/first"), read("lib/second")), ("1".to_owned(), "2".to_owned()));
        assert_eq!(
            (read("link"), read("folder/inside")),
            ("a file now".to_owned(), "a folder now".to_owned())
        );
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "no link was followed");
        let both = layer(&[file("both", "third")]);
        let read_both = |layers: &[Sha256]| {
            let merged = packages.merge(layers, &limits).unwrap().unwrap();
            fs::read_to_string(merged.code_dir.join("both")).unwrap()
        };
        assert_eq!(read_both(&[first.sha256, both.sha256]), "third");
        assert_eq!(read_both(&[both.sha256, first.sha256]), "first");
        assert_eq!(packages.merge(&[first.sha256], &limits).unwrap().unwrap().sha256, first.sha256);
        assert!(packages.merge(&[], &limits).unwrap().is_none());
        let third = layer(&[file("lib", "a file")]);
        let error = packages.merge(&[first.sha256, third.sha256], &limits).unwrap_err();
        assert!(matches!(error, PackageError::BadZip { .. }), "{error}");
    }

    #[test]
    fn a_layer_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let packages = Packages::open(dir.path()).unwrap();
        let gone = Sha256::of(b"gone");
        for layers in [vec![gone], vec![gone, gone]] {
            let error = packages.merge(&layers, &PackageLimits::default()).unwrap_err();
            assert!(matches!(error, PackageError::Missing { sha256 } if sha256 == gone), "{error}");
        }
    }
}
