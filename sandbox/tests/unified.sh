#!/usr/bin/env bash
# Runs the sandbox's tests on control groups version 2, whichever version this machine has: in a small machine
# that qemu emulates. This works on every processor and does not need /dev/kvm.
#
#   sandbox/tests/unified.sh KERNEL_FOLDER TEST_BINARY LAUNCHER [ARGUMENT…]
#
# KERNEL_FOLDER holds an unpacked package linux-image-*; TEST_BINARY is what `cargo test -p lambd-sandbox --test
# sandbox --no-run` names; the arguments are the test binary's.
#
# Exit: 0 all tests passed, 1 a test failed, 3 the kernel did not boot, 4 it booted but ended without a result.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
BOOT_S=${LAMBD_BOOT_S:-120}
TESTS_S=${LAMBD_TESTS_S:-900}

kernel_folder=$(realpath "$1") binary=$(realpath "$2") launcher=$(realpath "$3")
shift 3
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d "$(dirname "$binary")/unified.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
tree=$work/tree log=$work/log

# Copies a program (or any other file) and the libraries that it is linked with to their paths in the tree.
take() {
    local path
    for path in "$@"; do
        mkdir -p "$tree$(dirname "$path")"
        [[ -e $tree$path ]] || cp -L "$path" "$tree$path"
        ldd "$path" 2>/dev/null | grep -o '/[^ ]*' || true
    done | sort -u | while read -r path; do
        mkdir -p "$tree$(dirname "$path")"
        [[ -e $tree$path ]] || cp -L "$path" "$tree$path"
    done
}

make_tree() {
    mkdir -p "$tree"/{root,proc,sys,dev,scratch,tmp,etc,usr/bin,usr/sbin,usr/lib,usr/lib64,inside}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree"
    cp "$(command -v busybox)" "$tree/busybox"
    cp "$here/unified-init.sh" "$tree/init"
    chmod +x "$tree/init"
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$tree/etc/passwd"
    printf 'root:x:0:\n' >"$tree/etc/group"
    [[ ! -e /etc/mke2fs.conf ]] || cp /etc/mke2fs.conf "$tree/etc/"
    cc -O1 -static -w -o "$tree/inside/inside" "$here/sandbox/inside.c"
    # busybox as well, for its libraries: it may be a dynamic one.
    take "$(command -v busybox)" "$binary" "$launcher" "$(command -v mke2fs)" /bin/sh
    local name
    for name in cat cut echo grep hostname id kill ls mount readlink sleep stat tail true; do
        take "/usr/bin/$name" 2>/dev/null || take "/bin/$name"
    done
    take_python
}

take_python() {
    local library
    take /usr/bin/python3
    library=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    mkdir -p "$tree$library"
    tar -C "$library" --exclude='./config-*' --exclude=./test --exclude=./ensurepip --exclude=./lib2to3 -c . |
        tar -C "$tree$library" -x
    take "$library"/lib-dynload/*.so
}

# Copies the modules that the tests need and this kernel does not have built in, and lists them in the order
# of loading.
take_modules() {
    local modules version module file
    modules=$(echo "$kernel_folder"/lib/modules/*)
    version=$(basename "$modules")
    [[ -e $modules/modules.dep ]] || busybox depmod -b "$kernel_folder" "$version"
    for module in loop ext4 tls; do
        file=$(sed -n "s|^\([^:]*/$module\.ko[^:]*\): *|\1 |p" "$modules/modules.dep")
        # The line names a module and then those that it needs, the innermost last.
        for file in $(echo "$file" | tr ' ' '\n' | tac); do
            mkdir -p "$tree/lib/modules"
            cp "$modules/$file" "$tree/lib/modules/"
            echo "/lib/modules/$(basename "$file")"
        done
    done >"$tree/modules"
}

make_initramfs() {
    make_tree
    take_modules
    {
        printf 'BINARY=%q\nset --' "$binary"
        ((!$#)) || printf ' %q' "$@"
        printf '\n'
    } >"$tree/arguments"
    (cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initramfs"
}

# One processor, emulated by one thread. With two, qemu 7.2 can keep executing a translated block whose code
# the guest has changed since: the kernel changes its own code when the first group gets a CPU limit and when
# the last one loses it, and then both processors trap at that place without end.
run() {
    : >"$log"
    timeout "$TESTS_S" qemu-system-x86_64 -accel tcg,thread=single -cpu qemu64,+rdrand -M q35 -m 3072 -smp 1 \
        -nodefaults -display none -no-reboot -serial stdio -kernel "$(echo "$kernel_folder"/boot/vmlinuz-*)" \
        -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off" \
        </dev/null >"$log" 2>&1 &
    local qemu=$!
    { tail -f --pid=$qemu "$log" & } 2>/dev/null
    local tail=$! deadline=$((SECONDS + BOOT_S))
    until grep -q '^BOOTED' "$log"; do
        kill -0 $qemu 2>/dev/null || break
        ((SECONDS < deadline)) || { kill $qemu || true; break; }
        sleep 0.2
    done
    wait $qemu || true
    wait $tail || true
}

make_initramfs "$@"
run
if ! grep -q '^BOOTED' "$log"; then
    echo "lambd: the kernel in $kernel_folder did not boot within $BOOT_S s; no test was run" >&2
    exit 3
fi
result=$(tr -d '\r' <"$log" | sed -n 's/^RESULT \([0-9]*\)$/\1/p')
case $result in
0) exit 0 ;;
'') echo "lambd: the emulated machine ended, or was ended after $TESTS_S s, before its tests had" >&2 && exit 4 ;;
*) echo "lambd: tests on control groups version 2 failed" >&2 && exit 1 ;;
esac
