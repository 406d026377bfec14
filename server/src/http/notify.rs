//! What systemd is told (`Type=notify`). Without systemd these do nothing.

use sd_notify::NotifyState;

/// The server answers from now on.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The server drains from now on.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}
