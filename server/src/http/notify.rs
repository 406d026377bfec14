//! Notifies systemd (`Type=notify`); without systemd nothing happens.

use sd_notify::NotifyState;

/// Says that the server answers requests now.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Says that the server drains now.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}
