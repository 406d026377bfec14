//! Makes a staged package from the `Code` of a request.

use std::sync::Arc;

use bytes::Bytes;
use lambd_model::{CodeRef, Configuration, LayerRef, Sha256};
use lambd_wire::{Error, ErrorCode, input, types};

use super::image;
use super::target_function::invalid;
use crate::api::{Call, permissions};
use crate::app::App;
use crate::object_store::{FetchError, FetchedObject, ObjectName};
use crate::packages::{Package, PackageError, PackageLimits, Packages};

/// Where the code of a function comes from, as CreateFunction and UpdateFunctionCode give it.
#[derive(Debug, Default)]
pub(in crate::api) struct Source {
    zip: Option<Bytes>,
    bucket: Option<String>,
    key: Option<String>,
    version: Option<String>,
    image_uri: Option<String>,
}

/// Code that is there, and that stays there while this value lives.
#[derive(Debug)]
pub(in crate::api) enum Staged {
    /// A package, which is not collected before the record is committed.
    Zip(Package),
    /// An image, of which nothing is fetched.
    Image(CodeRef, String),
}

impl From<types::FunctionCode> for Source {
    fn from(given: types::FunctionCode) -> Self {
        let types::FunctionCode { zip_file, s3_bucket, s3_key, s3_object_version, image_uri, .. } = given;
        Self { zip: zip_file, bucket: s3_bucket, key: s3_key, version: s3_object_version, image_uri }
    }
}

impl From<types::LayerVersionContentInput> for Source {
    fn from(given: types::LayerVersionContentInput) -> Self {
        let types::LayerVersionContentInput { zip_file, s3_bucket, s3_key, s3_object_version, .. } = given;
        Self { zip: zip_file, bucket: s3_bucket, key: s3_key, version: s3_object_version, image_uri: None }
    }
}

impl Source {
    /// The source that UpdateFunctionCode names, which it takes out of the input.
    pub(in crate::api) fn take(input: &mut input::UpdateFunctionCode) -> Self {
        Self {
            zip: input.zip_file.take(),
            bucket: input.s3_bucket.take(),
            key: input.s3_key.take(),
            version: input.s3_object_version.take(),
            image_uri: input.image_uri.take(),
        }
    }

    /// Fetches the code of a zip or an image, whichever the function is made of.
    pub(in crate::api) async fn stage(
        mut self,
        app: &Arc<App>,
        call: &Call,
        is_image: bool,
    ) -> Result<Staged, Error> {
        if self.zip.is_some() && (self.bucket.is_some() || self.key.is_some() || self.image_uri.is_some()) {
            return Err(invalid(
                "Please do not provide other FunctionCode parameters when providing a ZipFile.",
            ));
        }
        match (is_image, self.image_uri.take()) {
            (false, Some(_)) => {
                Err(invalid("Please don't provide ImageUri when updating a function with packageType Zip."))
            }
            (true, None) => {
                Err(invalid("Please provide ImageUri when updating a function with packageType Image."))
            }
            (true, uri) => {
                let uri = image::uri(uri)?;
                Ok(Staged::Image(image::code(&uri), uri))
            }
            (false, None) => self.stage_zip(app, call).await.map(Staged::Zip),
        }
    }

    /// Fetches the code of a zip: from the request or from an S3-compatible server [fact:code-from-s3].
    pub(in crate::api) async fn stage_zip(self, app: &Arc<App>, call: &Call) -> Result<Package, Error> {
        if let Some(zip) = self.zip {
            return stage(app, zip, PackageLimits::default()).await;
        }
        let (Some(bucket), Some(key)) = (self.bucket, self.key) else {
            return Err(invalid("Please provide a source for function code."));
        };
        let object = ObjectName { bucket, key, version: self.version };
        let limits = PackageLimits::default();
        // The limit for zips is about requests; what comes from S3 has only that of its files.
        let limits = PackageLimits { zipped_bytes_max: limits.unzipped_bytes_max, ..limits };
        let fetched = fetch(app, call, &object, limits.zipped_bytes_max).await?;
        stage(app, fetched.content.clone(), limits).await
    }
}

/// The server's own keys fetch the object, so the caller's policy must allow it [fact:implied-actions].
async fn fetch(
    app: &App,
    call: &Call,
    object: &ObjectName,
    limit_bytes: u64,
) -> Result<FetchedObject, Error> {
    let action = if object.version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    permissions::require(call, action, &format!("arn:aws:s3:::{}/{}", object.bucket, object.key))
        .map_err(|error| denied_by_s3(object, "AccessDenied", &error.message))?;
    let Some(objects) = &app.objects else {
        return Err(invalid(
            "Code from S3 needs the setting s3_endpoint of this server: set it, or send the package as ZipFile.",
        ));
    };
    let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
    objects.fetch(&call.place.region, object, limit).await.map_err(|error| match error {
        FetchError::Refused { code, message } if code == "AccessDenied" => {
            denied_by_s3(object, &code, &message)
        }
        FetchError::Refused { code, message } => invalid(format!(
            "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
        )),
        FetchError::TooLarge { limit_bytes } => {
            invalid(format!("Unzipped size must be smaller than {limit_bytes} bytes"))
        }
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "cannot fetch code");
            crate::api::service_error("The code could not be fetched from S3; see the server's log.")
        }
    })
}

fn denied_by_s3(object: &ObjectName, code: &str, message: &str) -> Error {
    Error::new(
        ErrorCode::AccessDeniedException,
        format!(
            "Your access has been denied by S3, please make sure your request credentials have permission to \
             GetObject for {}/{}. S3 Error Code: {code}. S3 Error Message: {message}",
            object.bucket, object.key
        ),
    )
}

impl Staged {
    /// Puts the code into a configuration.
    pub(in crate::api) fn put_into(&self, configuration: &mut Configuration) {
        match self {
            Self::Zip(package) => configuration.code = code_ref(package),
            Self::Image(code, uri) => {
                configuration.code = code.clone();
                let image = configuration.image.get_or_insert_default();
                uri.clone_into(&mut image.uri);
            }
        }
    }
}

/// Checks and unpacks a zip; the same bytes twice become one folder. Keep the returned value until the record
/// is committed: while it lives, the package is not collected.
async fn stage(app: &Arc<App>, zip: Bytes, limits: PackageLimits) -> Result<Package, Error> {
    let packages = Arc::clone(&app.packages);
    let staged = tokio::task::spawn_blocking(move || packages.stage(&zip, &limits)).await;
    staged
        .map_err(|_| crate::api::service_error("Staging was interrupted."))?
        .map_err(|error| refused(&error))
}

/// The part of a package that a record stores.
pub(in crate::api) fn code_ref(package: &Package) -> CodeRef {
    CodeRef { sha256: package.sha256, zipped_bytes: package.zipped_bytes }
}

/// Why a function cannot have its layers.
enum LayersRefused {
    Package(PackageError),
    /// The version of this ARN was deleted meanwhile.
    Gone(String),
    /// Code and layers have so many bytes.
    TooLarge(u64),
}

impl From<PackageError> for LayersRefused {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

/// Merges a function's layers, and refuses them if they are too large together with its code
/// [fact:package-sizes]. Keep the returned packages, the layers and what they are merged to, until the record is
/// committed: a layer may be deleted meanwhile.
pub(in crate::api) async fn merge_layers(
    app: &Arc<App>,
    configuration: &Configuration,
) -> Result<Vec<Package>, Error> {
    if configuration.layers.is_empty() {
        return Ok(Vec::new());
    }
    let (packages, code) = (Arc::clone(&app.packages), configuration.code.sha256);
    let layers = configuration.layers.clone();
    let merged = tokio::task::spawn_blocking(move || merge(&packages, code, &layers)).await;
    let merged = merged.map_err(|_| crate::api::service_error("Merging the layers was interrupted."))?;
    merged.map_err(|error| match error {
        LayersRefused::Gone(arn) => invalid(format!("Layer version {arn} does not exist.")),
        LayersRefused::Package(PackageError::BadZip { reason }) => {
            invalid(format!("The layers cannot be merged: {reason}"))
        }
        LayersRefused::Package(error) => refused(&error),
        LayersRefused::TooLarge(bytes) => {
            let max = PackageLimits::default().unzipped_bytes_max;
            invalid(format!(
                "Function code combined with layers exceeds the maximum allowed size of {max} bytes. The actual \
                 size is {bytes} bytes."
            ))
        }
    })
}

fn merge(packages: &Packages, code: Sha256, layers: &[LayerRef]) -> Result<Vec<Package>, LayersRefused> {
    let limits = PackageLimits::default();
    let mut kept = vec![packages.get(code)?];
    for layer in layers {
        kept.push(packages.get(layer.code.sha256).map_err(|error| match error {
            PackageError::Missing { .. } => LayersRefused::Gone(layer.arn.clone()),
            other => other.into(),
        })?);
    }
    let bytes = kept.iter().map(|package| package.unzipped_bytes).sum();
    if bytes > limits.unzipped_bytes_max {
        return Err(LayersRefused::TooLarge(bytes));
    }
    let names: Vec<_> = layers.iter().map(|layer| layer.code.sha256).collect();
    kept.extend(packages.merge(&names, &limits)?);
    Ok(kept)
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
