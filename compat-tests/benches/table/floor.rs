//! The floor: a minimal hyper server between the same client and the same runtime process, without a sandbox.
//! No Lambda server can cost less.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Stdio};

use anyhow::Result;
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::tools;
use lambd_compat_tests::wait::until;

/// A process that is killed when the value is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The minimal server and one runtime process.
pub(crate) struct Floor {
    /// The address to which events are posted.
    pub(crate) front: SocketAddr,
    /// The address that runtimes poll; it answers 404 to anything else.
    pub(crate) api: SocketAddr,
    server: Running,
    _runtime: Running,
    _task: tempfile::TempDir,
}

impl Floor {
    /// Starts the server with these variables, and the runtime process that `bare` makes in an empty folder.
    pub(crate) fn start(
        bare: impl FnOnce(&std::path::Path) -> Result<std::process::Command>,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let (api, front) = (free_address()?, free_address()?);
        let mut server = tools::command(tools::built("examples/floor")?);
        server
            .args(["--api", &api.to_string(), "--front", &front.to_string()])
            .envs(variables.iter().copied());
        let server = Running(server.stdout(Stdio::null()).spawn()?);
        until("the floor listens", || Ok(Connection::open(api).and_then(|_| Connection::open(front)).ok()))?;
        let task = tempfile::tempdir()?;
        let mut runtime = bare(task.path())?;
        // It prints errors if the floor ends before it.
        runtime.env("AWS_LAMBDA_RUNTIME_API", api.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let runtime = Running(runtime.spawn()?);
        Ok(Self { front, api, server, _runtime: runtime, _task: task })
    }

    /// The process id of the server.
    pub(crate) fn pid(&self) -> i32 {
        self.server.0.id().cast_signed()
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
