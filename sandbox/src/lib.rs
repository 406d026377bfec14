//! Process sandboxes for functions: namespaces, mounts, control groups, system call filter, limits.
//!
//! A server calls [`start`] while it is still root and has one thread. That starts the **launcher**, a small
//! single-threaded process with root's rights; the server can then [`drop_privileges`]. Each
//! [`Launcher::launch`] returns a [`Sandbox`]: a program that runs contained, a listener in its own network
//! namespace, its output, its exit, and control of its group. Dropping the [`Sandbox`] removes it.
//!
//! ```text
//! API process ──SEQPACKET──▶ launcher ──clone──▶ init (PID 1 inside) ──fork, exec──▶ program
//!      ▲      listener, pipes, files of the group      │
//!      └────────────────── exit status ────────────────┘
//! ```
//!
//! Invariants:
//! - The launcher validates every request: sources of binds must lie beneath folders that it opened at start,
//!   targets are a fixed set, every size has a limit.
//! - No process of a sandbox outlives its init, no init outlives the launcher, no launcher outlives the
//!   connection to the API process. What remains after a SIGKILL of the launcher (processes that version 1
//!   keeps frozen, groups) is removed by its guardian, or, if the guardian was killed too, by the next
//!   launcher of the instance.
//! - Two living sandboxes never share a user id, a namespace or a control group.
//! - The host never sees a mount made here, and a sandbox never sees a mount that the host makes later.
//! - Foreign code runs only after the last step of `contain`; CONTAINMENT.md explains the order.
//! - `unsafe` is used in the module `sys` only, cgroups-rs in `cgroup` only; no threads, no async code.

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
