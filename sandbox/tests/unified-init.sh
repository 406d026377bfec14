#!/busybox sh
# shellcheck shell=dash
# PID 1 of the small machine in which unified.sh runs the sandbox's tests. /busybox is static; the other
# folders are copies of those of the machine that made the initramfs, as far as the tests need them.
export PATH=/usr/sbin:/usr/bin TMPDIR=/scratch LAMBD_TEST_CODE=/inside LAMBD_TEST_OWN_MACHINE=1

if [ "$1" != inside ]; then
    # The initial file system cannot be a sandbox's old root, because pivot_root needs a mount to leave.
    /busybox mount --bind / /root
    exec /busybox chroot /root /init inside
fi

/busybox mount -t proc proc /proc
/busybox mount -t sysfs sys /sys
/busybox mount -t devtmpfs dev /dev
/busybox mount -t tmpfs -o size=2000m scratch /scratch
/busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in $(/busybox cat /modules); do /busybox insmod "$module"; done
/busybox ip link set lo up
# A service manager does this for Delegate=yes.
echo '+memory +cpu +pids' >/sys/fs/cgroup/cgroup.subtree_control
/busybox mkdir /sys/fs/cgroup/unit
echo $$ >/sys/fs/cgroup/unit/cgroup.procs

# shellcheck source=/dev/null
. /arguments
echo BOOTED
# The kernel's messages about functions that run out of memory are not needed.
/busybox dmesg -n 1
result=0
"$BINARY" "$@" || result=$?
echo "RESULT $result"
/busybox poweroff -f
