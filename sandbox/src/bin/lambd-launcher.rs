//! The launcher as a program of its own, for tests and for servers that do not start a second process of
//! themselves.

fn main() -> std::process::ExitCode {
    lambd_sandbox::launcher_entry();
    std::process::ExitCode::from(2) // not started by `lambd_sandbox::start`
}
