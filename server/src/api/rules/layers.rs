//! Layers: which version a request names, who may use it, and how it is shown [fact:layer-texts].

use std::sync::Arc;

use lambd_model::{LayerRef, Place, clock};
use lambd_wire::{Error, ErrorCode, types};

use super::layer_policy;
use super::target_function::{denied, invalid};
use crate::api::{Call, permissions};
use crate::app::App;
use crate::resources::{Layer, LayerVersion};

/// Layers of one function.
const LAYERS_MAX: usize = 5;

/// A layer as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct LayerName {
    /// Account and region of the layer.
    pub(in crate::api) owner: Place,
    pub(in crate::api) name: String,
}

impl LayerName {
    /// A name in the caller's own account, or an ARN without a version, both of which the model has checked.
    pub(in crate::api) fn of(place: &Place, text: Option<&str>) -> Self {
        let text = text.unwrap_or_default();
        Self::from_arn(text).unwrap_or_else(|| Self { owner: place.clone(), name: text.to_owned() })
    }

    /// `arn:aws:lambda:REGION:ACCOUNT:layer:NAME`.
    fn from_arn(arn: &str) -> Option<Self> {
        let parts: Vec<_> = arn.split(':').collect();
        let ["arn", _, "lambda", region, account, "layer", name] = parts[..] else { return None };
        Some(Self { owner: Place { region: region.into(), account: account.into() }, name: name.to_owned() })
    }

    /// The name and the number in the ARN of a version. A number has one spelling: `01` names nothing.
    pub(in crate::api) fn of_version(arn: &str) -> Option<(Self, u64)> {
        let (layer, text) = arn.rsplit_once(':')?;
        let number: u64 = text.parse().ok().filter(|number: &u64| number.to_string() == text)?;
        Some((Self::from_arn(layer)?, number))
    }

    pub(in crate::api) fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:layer:{}", self.owner.region, self.owner.account, self.name)
    }

    pub(in crate::api) fn version_arn(&self, number: u64) -> String {
        format!("{}:{number}", self.arn())
    }

    /// Refuses a layer of another account, which only its owner changes.
    pub(in crate::api) fn owned_by(self, place: &Place) -> Result<Self, Error> {
        if self.owner == *place { Ok(self) } else { Err(denied(&self.arn())) }
    }

    pub(in crate::api) fn find(&self, app: &App) -> Option<Arc<Layer>> {
        app.resources.layers.get(&self.owner.resource(self.name.as_str()))
    }

    /// A version that the caller may use: of its own account, or where the policy lets it. Layers of other regions do
    /// not exist here.
    pub(in crate::api) fn version(
        &self,
        app: &App,
        caller: &Place,
        number: u64,
    ) -> Result<Option<LayerVersion>, Error> {
        let layer = self.find(app).filter(|_| self.owner.region == caller.region);
        let found = layer.and_then(|layer| layer.versions.get(&number).cloned());
        let is_own = self.owner.account == caller.account;
        let allows = |version: &LayerVersion| layer_policy::allows(&version.policy, &caller.account);
        match found {
            found if is_own => Ok(found),
            Some(version) if allows(&version) => Ok(Some(version)),
            // Whether it exists is not told.
            _ => Err(denied(&self.version_arn(number))),
        }
    }
}

/// The number of a version, at least 1.
pub(in crate::api) fn number(given: Option<i64>) -> Result<u64, Error> {
    given
        .and_then(|number| u64::try_from(number).ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| invalid("Layer Version Cannot be less than 1"))
}

/// 404 of the operations on policies.
pub(in crate::api) fn version_missing(arn: &str) -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, format!("Layer version {arn} does not exist."))
}

/// A version in a list.
pub(in crate::api) fn item(
    layer: &LayerName,
    number: u64,
    version: &LayerVersion,
) -> types::LayerVersionsListItem {
    types::LayerVersionsListItem {
        layer_version_arn: Some(layer.version_arn(number)),
        version: i64::try_from(number).ok(),
        description: Some(version.description.clone()),
        created_date: Some(clock::last_modified(version.created_ms)),
        compatible_architectures: version.architectures.clone(),
        compatible_runtimes: version.runtimes.clone(),
        license_info: version.license.clone(),
    }
}

/// Whether a version is for the runtime and the architecture that a list asks for.
pub(in crate::api) fn is_compatible(
    version: &LayerVersion,
    runtime: Option<&str>,
    architecture: Option<&str>,
) -> bool {
    let has = |list: &Option<Vec<String>>, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| list.as_ref().is_some_and(|list| list.iter().any(|one| one == wanted)))
    };
    has(&version.runtimes, runtime) && has(&version.architectures, architecture)
}

/// The layers that a function names, each a version that its account may use. What the function has already, it
/// keeps: also a version that was deleted since. For the rest the caller needs `lambda:GetLayerVersion`
/// [fact:implied-actions].
pub(in crate::api) fn resolve(
    app: &App,
    call: &Call,
    arns: &[String],
    present: &[LayerRef],
) -> Result<Vec<LayerRef>, Error> {
    let place = &call.place;
    if arns.len() > LAYERS_MAX {
        return Err(invalid("Cannot reference more than 5 layers."));
    }
    let mut named: Vec<(LayerName, &String)> = Vec::new();
    let mut layers = Vec::new();
    for arn in arns {
        let does_not_exist = || invalid(format!("Layer version {arn} does not exist."));
        let (layer, number) = LayerName::of_version(arn).ok_or_else(does_not_exist)?;
        if layer.owner.region != place.region {
            return Err(invalid(format!(
                "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                place.region
            )));
        }
        if let Some((_, other)) = named.iter().find(|(other, _)| *other == layer) {
            return Err(invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. \
                 {other} and {arn} are versions of the same layer."
            )));
        }
        match present.iter().find(|known| known.arn == *arn) {
            Some(known) => layers.push(known.clone()),
            None => {
                permissions::require(call, "lambda:GetLayerVersion", &layer.version_arn(number))?;
                let version = layer.version(app, place, number)?.ok_or_else(does_not_exist)?;
                layers.push(LayerRef { arn: arn.clone(), code: version.code });
            }
        }
        named.push((layer, arn));
    }
    Ok(layers)
}

/// A version of a layer, with an address of its zip.
pub(in crate::api) fn shown(
    app: &App,
    call: &Call,
    layer: &LayerName,
    number: u64,
    version: LayerVersion,
) -> types::GetLayerVersionResponse {
    let LayerVersion { code, description, license, runtimes, architectures, created_ms, .. } = version;
    types::GetLayerVersionResponse {
        content: Some(types::LayerVersionContentOutput {
            location: Some(app.code_location(&call.endpoint, &call.place.region, code.sha256)),
            code_sha256: Some(code.sha256.base64()),
            code_size: i64::try_from(code.zipped_bytes).ok(),
            ..Default::default()
        }),
        layer_arn: Some(layer.arn()),
        layer_version_arn: Some(layer.version_arn(number)),
        description: Some(description),
        created_date: Some(clock::last_modified(created_ms)),
        version: i64::try_from(number).ok(),
        compatible_architectures: architectures,
        compatible_runtimes: runtimes,
        license_info: license,
    }
}
