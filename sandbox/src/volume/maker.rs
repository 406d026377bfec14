//! A helper process that makes volumes one after another, so that the launcher does not wait.

use std::collections::HashMap;
use std::os::fd::AsFd;

use serde::{Deserialize, Serialize};

use super::image::Template;
use crate::error::{StartFailure, StepError};
use crate::protocol::Channel;

/// Most templates kept in memory; each takes some hundred KiB.
const TEMPLATES_MAX: usize = 16;

/// An order for one volume.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VolumeOrder {
    pub(super) tmp_mib: u32,
}

/// The answers, in the order of the orders: the mount as descriptor, or why it could not be made.
pub(super) type MadeVolume = Result<(), StartFailure>;

/// Serves orders until the launcher closes the connection.
pub(super) fn serve(channel: &Channel) {
    let mut templates: HashMap<u32, Template> = HashMap::new();
    while let Ok(order) = channel.receive::<VolumeOrder>() {
        let tmp_mib = order.value.tmp_mib;
        let sent = match make(&mut templates, tmp_mib) {
            Ok(volume) => channel.send(&MadeVolume::Ok(()), &[volume.as_fd()]),
            Err(failure) => channel.send(&MadeVolume::Err(failure), &[]),
        };
        if sent.is_err() {
            return;
        }
    }
}

fn make(templates: &mut HashMap<u32, Template>, tmp_mib: u32) -> Result<std::os::fd::OwnedFd, StartFailure> {
    if !templates.contains_key(&tmp_mib) {
        if templates.len() >= TEMPLATES_MAX {
            templates.clear();
        }
        templates.insert(tmp_mib, Template::make(tmp_mib)?);
    }
    let Some(template) = templates.get(&tmp_mib) else {
        return Err(StepError { step: "make a template".into(), errno: 0 }.into());
    };
    Ok(template.volume()?)
}
