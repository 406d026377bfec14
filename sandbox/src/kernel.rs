//! The kernel version that the sandbox needs.

/// The oldest kernel (major, minor) on which sandboxes can be made; it added `mount_setattr`. Other calls are
/// older: `close_range` (5.9), `LOOP_CONFIGURE` (5.8), `CLONE_INTO_CGROUP` (5.7), `openat2` (5.6).
pub const KERNEL_MIN: (u32, u32) = (5, 12);

/// Whether a kernel of this release, as in `/proc/sys/kernel/osrelease`, is new enough.
pub fn kernel_suffices(release: &str) -> bool {
    let mut numbers = release.trim().split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (next(), next()) >= KERNEL_MIN
}

#[cfg(test)]
mod tests {
    use super::kernel_suffices;

    #[test]
    fn a_release_from_5_12_on_suffices() {
        for (release, right) in [
            ("6.18.44-fc-v657\n", true),
            ("5.12.0", true),
            ("5.12", true),
            ("6.1.0-50-cloud-amd64", true),
            ("5.11.22", false),
            ("5.9.0", false),
            ("4.19.0-27-amd64", false),
            ("", false),
        ] {
            assert_eq!(kernel_suffices(release), right, "{release}");
        }
    }
}
