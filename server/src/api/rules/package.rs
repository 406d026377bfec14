//! Makes a staged package from the `Code` of a request.

use std::sync::Arc;

use bytes::Bytes;
use lambd_model::CodeRef;
use lambd_wire::{Error, ErrorCode, types};

use super::target_function::invalid;
use crate::app::App;
use crate::packages::{Package, PackageError, PackageLimits};

/// Stages the `Code` of a new function.
pub(in crate::api) async fn stage_new(app: &Arc<App>, code: types::FunctionCode) -> Result<Package, Error> {
    refuse_sources(code.s3_bucket.is_some() || code.s3_key.is_some(), code.image_uri.is_some())?;
    match code.zip_file {
        Some(zip) => stage(app, zip).await,
        None => Err(invalid("Please provide a source for function code.")),
    }
}

/// Refuses code that is not in the request itself.
pub(in crate::api) fn refuse_sources(s3: bool, image: bool) -> Result<(), Error> {
    if s3 {
        return Err(invalid(
            "Code from S3 is not supported by this release of lambd: send the package as ZipFile.",
        ));
    }
    if image {
        return Err(invalid(
            "Container images are not supported by this release of lambd: send a zip as ZipFile.",
        ));
    }
    Ok(())
}

/// Checks and unpacks a zip; the same bytes twice become one folder. Keep the returned value until the record
/// is committed: while it lives, the package is not collected.
pub(in crate::api) async fn stage(app: &Arc<App>, zip: Bytes) -> Result<Package, Error> {
    let packages = Arc::clone(&app.packages);
    let staged = tokio::task::spawn_blocking(move || packages.stage(&zip, &PackageLimits::default())).await;
    staged
        .map_err(|_| crate::api::service_error("Staging was interrupted."))?
        .map_err(|error| refused(&error))
}

/// The part of a package that a record stores.
pub(in crate::api) fn code_ref(package: &Package) -> CodeRef {
    CodeRef { sha256: package.sha256, zipped_bytes: package.zipped_bytes }
}

fn refused(error: &PackageError) -> Error {
    match (error, error.aws_message()) {
        (PackageError::ZippedTooLarge { .. }, Some(text)) => {
            Error::new(ErrorCode::RequestEntityTooLargeException, text)
        }
        (_, Some(text)) => {
            tracing::debug!(%error, "refused a package");
            invalid(text)
        }
        (_, None) => {
            tracing::error!(error = error as &dyn std::error::Error, "cannot stage a package");
            crate::api::service_error(
                "The package could not be stored. Nothing was changed; see the server's log.",
            )
        }
    }
}
