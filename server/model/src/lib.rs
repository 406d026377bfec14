//! Domain types: what a function is, independent of how the wire and the store encode it.
//!
//! Invariants: nothing here does I/O or knows a wire format, a store or HTTP. A function is found by its
//! [`FunctionId`]; what runs is a [`Version`].

pub mod arn;
mod attached;
pub mod clock;
mod configuration;
mod function;
mod id;
mod policy;
mod provisioned;
mod published;
mod settings;
mod sha256;

pub use arn::{FunctionRef, LATEST};
pub use attached::{Attached, ByQualifier};
pub use configuration::{
    CapacityProviderRef, CodeRef, Configuration, Durable, FileSystem, Image, ImageConfig, LayerRef,
    LogFormat, Logging, Obstacle, Variables, Vpc, host_architecture,
};
pub use function::{Function, FunctionState, LastUpdate, Version};
pub use id::{FunctionId, Place, ResourceId};
pub use policy::{Context, DIRECT_CALL, Principal, Statement};
pub use published::{Alias, Aliases, PublishedVersion, version_number};
pub use settings::{
    CodeSigning, Cors, EventInvoke, FunctionUrl, InvokeMode, ProvisionedConcurrency, RecursiveLoop,
    RuntimeManagement, RuntimeUpdates, Scaling, UrlAuth,
};
pub use sha256::{Sha256, hex};
