//! The code that the build script generates from the wire table.
#![expect(missing_docs, reason = "the members are those of the API reference")]

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use bytes::Bytes;

use crate::decode::Input;
use crate::error::ErrorFacts;
use crate::operation::OperationFacts;
use crate::route::Resource;
use crate::schema::{Binding, Kind, Member, MemberShape, Pattern, Shape, Structure, debug};

include!(concat!(env!("OUT_DIR"), "/lambda.rs"));
