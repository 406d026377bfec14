"""A handler whose event {"do": NAME, ...} selects its action; any other event is echoed.

Actions that could harm a machine without a sandbox first check that they are in one, and even then their
arguments have no effect: an unknown file system, a folder that is not a mount point, invalid flags.
"""
import ctypes, errno, json, os, resource, socket, sys, time

libc = ctypes.CDLL(None, use_errno=True)
DENIED = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EROFS, errno.ENOENT)


def handler(event, context):
    if not isinstance(event, dict) or "do" not in event:
        return event
    arguments = {k: v for k, v in event.items() if k != "do"}
    return globals()["do_" + event["do"]](context, **arguments)


def do_raise(context, text):
    raise ValueError(text)


def do_exit(context, code):
    sys.exit(code)


def do_environ(context):
    return dict(os.environ)


def do_context(context):
    client = context.client_context
    return {"name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
            "memory": int(context.memory_limit_in_mb), "id": context.aws_request_id, "group": context.log_group_name,
            "stream": context.log_stream_name, "remaining": context.get_remaining_time_in_millis(),
            "custom": client.custom if client else None}


def do_files(context, paths):
    """Tells for each file or folder whether it can be read."""
    def readable(path):
        try:
            return os.listdir(path) is not None if os.path.isdir(path) else open(path, "rb").read(1) is not None
        except OSError:
            return False
    return {path: readable(path) for path in paths}


def do_write(context, paths):
    """Returns the errno of opening each path to append, 0 for success; writes nothing."""
    def error(path):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
            return 0
        except OSError as e:
            return e.errno
    return {path: error(path) for path in paths}


def status():
    with open("/proc/self/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def do_identity(context):
    keys = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
    return {k: status()[k] for k in keys} | {"uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
                                             "namespaces": {n: os.readlink("/proc/self/ns/" + n) for n in os.listdir("/proc/self/ns")}}


def do_processes(context):
    return {p: open(f"/proc/{p}/cmdline").read() for p in os.listdir("/proc") if p.isdigit()}


def do_connect(context, targets):
    """Returns those of [host, port] that can be reached."""
    def reached(host, port):
        try:
            socket.create_connection((host, port), timeout=1).close()
            return True
        except OSError:
            return False
    return [t for t in targets if reached(*t)]


def do_abstract(context, name):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex("\0" + name)


def do_descriptors(context):
    held = []
    try:
        while len(held) < 4096:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as e:
        return {"errno": e.errno, "limit": resource.getrlimit(resource.RLIMIT_NOFILE)}
    finally:
        for fd in held:
            os.close(fd)


def sandboxed(host):
    return all(os.readlink("/proc/self/ns/" + n) != host[n] for n in ("mnt", "pid")) and int(status()["CapEff"], 16) == 0


def in_child(action):
    """Returns 'gained' if action, in a child, returns a truthy value; otherwise how it was refused."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = "gained" if action() else errno.errorcode.get(ctypes.get_errno(), "refused")
        except OSError as e:
            text = errno.errorcode.get(e.errno, str(e))
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as end:
        text = end.read()
    code = os.waitpid(pid, 0)[1]
    return text or f"killed by {code & 127}"


def allowed(result):
    return result >= 0 or ctypes.get_errno() not in DENIED


def do_attack(context, host):
    if not sandboxed(host):
        return {"nothing was tried outside of a sandbox": "gained"}
    here, call, attr = b"/tmp/no-mount-point", libc.syscall, ctypes.create_string_buffer(128)
    os.makedirs(here, exist_ok=True)
    userns, mountns, netns = 0x10000000, 0x20000, 0x40000000
    mount = lambda: allowed(libc.mount(b"none", here, b"no-such-file-system", 0, None))
    tries = {
        "mount": mount,
        "umount": lambda: allowed(libc.umount2(here, 0)),
        "mount in a user namespace": lambda: libc.unshare(userns | mountns) == 0 and mount(),
        "capabilities by a user namespace": lambda: libc.unshare(userns) == 0 and int(status()["CapEff"], 16),
        "a network namespace": lambda: libc.unshare(netns) == 0,
        "setuid": lambda: libc.setuid(0) == 0 and int(status()["CapEff"], 16),
        "chroot": lambda: libc.chroot(here) == 0,
        "bpf": lambda: allowed(call(321, 0, attr, 72)),
        "perf_event_open": lambda: call(298, attr, 0, -1, -1, 0) >= 0,
        "userfaultfd": lambda: call(323, 0) >= 0,
        "io_uring_setup": lambda: allowed(call(425, 0, attr)),
        "keyctl": lambda: allowed(call(250, 0, -3, 0, 0, 0)),
        "kexec_load": lambda: allowed(call(246, 0, 0, None, 0xFFFF)),
        "init_module": lambda: allowed(call(175, b"", 0, b"")),
        "sethostname": lambda: allowed(libc.sethostname(b"x", ctypes.c_size_t(1 << 20))),
        "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
        "terminal input": lambda: allowed(libc.ioctl(0, 0x5412, b"\n")) and os.isatty(0),
    }
    writable = ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/proc/sys/kernel/hostname",
                "/dev/mem", "/dev/kmsg", "/proc/kcore", "/proc/self/exe")
    tries |= {"open " + p: lambda p=p: os.open(p, os.O_WRONLY) >= 0 for p in writable}
    return {name: in_child(action) for name, action in tries.items()}


def do_keep(context):
    """Returns the content of /tmp, then leaves a file there."""
    found = [name for name in os.listdir("/tmp") if name != "no-mount-point"]
    open("/tmp/kept", "w").close()
    return found


def do_fill(context, host, limit_mb):
    """Fills /tmp with one file until an error or the limit; returns the MB written and errno."""
    if not sandboxed(host):
        return None
    block, wrote = b"x" * (1 << 20), 0
    fd = os.open("/tmp/fill", os.O_CREAT | os.O_WRONLY)
    try:
        while wrote < limit_mb << 20:
            wrote += os.write(fd, block)
        return {"mb": wrote >> 20, "errno": 0}
    except OSError as e:
        return {"mb": wrote >> 20, "errno": e.errno}
    finally:
        os.close(fd)
        os.unlink("/tmp/fill")


def do_forks(context, host, limit):
    """Forks waiting children until one fork fails; returns their number and errno."""
    if not sandboxed(host):
        return None
    children, error = [], 0
    while len(children) < limit:
        try:
            pid = os.fork()
        except OSError as e:
            error = e.errno
            break
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return {"made": len(children), "errno": error}
