//! Process sandboxes for functions: namespaces, mounts, control groups, system call filter, limits.
//!
//! A server calls [`start`] while it is still root and has one thread. That makes the **launcher**, a small
//! single-threaded process with root's rights, and the server can then [`drop_privileges`]. Each
//! [`Launcher::launch`] gives a [`Sandbox`]: a program that runs contained, a listener inside its own
//! network, its output, its end, and control of its group. Dropping the [`Sandbox`] removes it.
//!
//! ```text
//! API process ──SEQPACKET──▶ launcher ──clone──▶ init (PID 1 inside) ──fork, exec──▶ program
//!      ▲      listener, pipes, files of the group      │
//!      └────────────────── how it ended ───────────────┘
//! ```
//!
//! Invariants:
//! - The launcher believes nothing: sources of binds must lie beneath folders it opened at start, targets
//!   are a fixed set, every size has a limit.
//! - No process of a sandbox outlives its init, no init outlives the launcher, no launcher outlives the
//!   connection to the API process. What a launcher killed by SIGKILL leaves (what version 1 holds frozen, groups), its
//!   guardian removes; if that was killed as well, the next launcher of the instance does.
//! - Two living sandboxes never share a user id, a namespace or a control group.
//! - No mount made here is ever seen by the host, and none that the host makes later by a sandbox.
//! - Foreign code runs only after the last step of `contain`, whose order CONTAINMENT.md explains.
//! - `unsafe` is in the module `sys` alone; cgroups-rs is known to `cgroup` alone; no thread, no async.

mod cgroup;
mod client;
mod config;
mod contain;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod identity;
mod init;
mod kernel;
mod launcher;
mod protocol;
mod root;
mod seccomp;
mod sources;
mod spec;
mod sys;
mod uids;
mod view;
mod volume;

pub use client::{Control, Exit, ExitFd, Launcher, Lifeline, Sandbox, Shutdown, start};
pub use config::LauncherConfig;
pub use error::{ChannelError, LaunchError, LaunchFailure, StartError, StartFailure, StepError};
pub use identity::drop_privileges;
pub use kernel::{KERNEL_MIN, kernel_suffices};
pub use launcher::launcher_entry;
pub use spec::{Bind, FileSpec, MOUNT_POINTS, RUNTIME_API, Spec, SpecError, SymlinkSpec};
pub use view::enter_view;
