#!/bin/sh
# Runs the sandbox tests on cgroup version 2, whatever this machine has: in a user-mode Linux kernel whose
# root is this machine's, read-only. Takes half a minute and no image.
#
#   sandbox/tests/unified.sh TEST_BINARY [FILTER]
#
# TEST_BINARY is what `cargo test -p lambd-sandbox --release --test sandbox --no-run` names.
# Needs root and the package user-mode-linux (or LAMBD_UML, the folder where it was unpacked).
set -eu

if [ "${1-}" = --inside ]; then
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    # Not on /tmp, where the checkout may be.
    mount -t tmpfs -o size=1800m tmp "$SCRATCH"
    export TMPDIR="$SCRATCH"
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    # No kmod in a minimal system: the call itself (313 is finit_module).
    python3 -c 'import ctypes, os, sys
sys.exit(ctypes.CDLL(None).syscall(313, os.open(sys.argv[1], os.O_RDONLY), b"", 0))' "$LOOP"
    python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'
    # As a service manager does for Delegate=yes.
    echo '+memory +cpu +pids' > /sys/fs/cgroup/cgroup.subtree_control
    mkdir /sys/fs/cgroup/unit
    echo $$ > /sys/fs/cgroup/unit/cgroup.procs
    result=0
    # One CPU. It has no 32-bit calls that could be killed.
    # shellcheck disable=SC2086
    "$BINARY" $ARGUMENTS --test-threads=1 --skip other_call_tables_kill || result=$?
    echo "RESULT $result"
    echo o > /proc/sysrq-trigger
    sleep 10
fi

uml=${LAMBD_UML-}
[ -x "$uml/usr/bin/linux.uml" ] || { echo "install user-mode-linux: $uml/usr/bin/linux.uml is missing" >&2; exit 1; }
loop=$(find "$uml/usr/lib/uml/modules" -name loop.ko)
test_binary=$(realpath "$1")
shift
here=$(realpath "$0")
scratch=$(realpath "$(dirname "$test_binary")/../../tmp")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The kernel's command line carries the program of PID 1; unpinned, it is three times slower.
taskset -c 1 timeout 600 "$uml/usr/bin/linux.uml" root=/dev/root rootfstype=hostfs rootflags=/ ro mem=3000M \
    init=/bin/sh con=null con0=fd:0,fd:1 quiet panic=-1 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin SCRATCH="$scratch" LOOP="$loop" \
    BINARY="$test_binary" ARGUMENTS="$*" -- "$here" --inside < /dev/null | tee "$log"
grep -q 'RESULT 0' "$log"
