// Runs inside a sandbox and prints what it could do. Every hostile command first checks that it is in a pid
// namespace of its own and has no capabilities.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <arpa/inet.h>

static void sandboxed(void) {
    char line[256];
    unsigned long caps = 1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "CapEff: %lx", &caps);
    if (caps || getuid() == 0 || getpid() > 1000 || access("/var/task/inside", X_OK)) {
        puts("not in a sandbox: nothing was tried");
        exit(99);
    }
    fclose(status);
}

static void said(const char *name, long result) {
    printf("%s %d\n", name, result < 0 ? errno : 0);
    fflush(stdout);
}

static void descriptors(void) {
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
    puts("");
}

// The arguments of each call have no effect even where the call is permitted.
static void calls(void) {
    char attr[128] = {0};
    int here = open("/", O_PATH);
    said("mount", mount("none", "/tmp", "no-such-fs", 0, NULL));
    said("umount2", umount2("/tmp", 0));
    said("fsopen", syscall(SYS_fsopen, "no-such-fs", 0));
    said("open_tree", syscall(SYS_open_tree, -1, "", 0));
    said("move_mount", syscall(SYS_move_mount, -1, "", -1, "", 0));
    said("mount_setattr", syscall(SYS_mount_setattr, -1, "", 0, attr, 0));
    said("pivot_root", syscall(SYS_pivot_root, "/none", "/none"));
    said("chroot", chroot("/tmp"));
    said("unshare user", unshare(CLONE_NEWUSER));
    said("unshare mount", unshare(CLONE_NEWNS));
    said("unshare net", unshare(CLONE_NEWNET));
    said("setns", syscall(SYS_setns, -1, 0));
    said("clone user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    said("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
    said("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -2));
    said("bpf", syscall(SYS_bpf, 0, attr, 72));
    said("perf_event_open", syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
    said("userfaultfd", syscall(SYS_userfaultfd, 0));
    said("io_uring_setup", syscall(SYS_io_uring_setup, 0, attr));
    said("ptrace", syscall(SYS_ptrace, 16, 1, 0, 0));
    said("process_vm_readv", syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0));
    said("pidfd_getfd", syscall(SYS_pidfd_getfd, -1, 0, 0));
    said("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0xffff));
    said("init_module", syscall(SYS_init_module, "", 0, ""));
    said("open_by_handle_at", syscall(SYS_open_by_handle_at, here, attr, 0));
    said("sethostname", sethostname("x", 1));
    said("swapon", syscall(SYS_swapon, "/none", 0));
    said("quotactl", syscall(SYS_quotactl, 0, 0, 0, 0));
    said("syslog", syscall(SYS_syslog, 10, 0, 0));
    said("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
    said("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
    said("raw socket", socket(AF_INET, SOCK_RAW, 1));
    said("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
    said("netfilter socket", socket(AF_NETLINK, SOCK_RAW, 12));
    said("vsock", socket(40, SOCK_STREAM, 0));
    said("multipath TCP", socket(AF_INET, SOCK_STREAM, 262));
    said("SCTP", socket(AF_INET, SOCK_STREAM, 132));
    said("SCTP packets", socket(AF_INET6, SOCK_SEQPACKET, 132));
    said("DCCP", socket(AF_INET, SOCK_DCCP, 33));
    said("UDP-Lite", socket(AF_INET, SOCK_DGRAM, 136));
    said("ping socket", socket(AF_INET, SOCK_DGRAM, 1));
    said("L2TP", socket(AF_INET, SOCK_DGRAM, 115));
    said("unknown protocol", socket(AF_INET, SOCK_STREAM, 200));
    said("unknown type", socket(AF_INET, SOCK_RDM, 0));
    int tcp = socket(AF_INET, SOCK_STREAM, 6);
    said("TLS in the kernel", setsockopt(tcp, 6, 31, "tls", 4));
    said("signed segments", setsockopt(tcp, 6, 14, attr, sizeof attr));
    said("UDP tunnel", setsockopt(socket(AF_INET, SOCK_DGRAM, 17), 17, 100, &(int){2}, 4));
    said("personality", personality(ADDR_NO_RANDOMIZE));
    said("set_mm", prctl(PR_SET_MM, 1, 0, 0, 0));
    said("tiocsti", ioctl(0, TIOCSTI, "x"));
    said("tiocsti high bits", syscall(SYS_ioctl, 0, 0xffffffff00000000UL | TIOCSTI, "x"));
    said("setuid", setuid(0));
    said("mknod", mknod("/tmp/device", S_IFBLK | 0600, 0x100));
    said("nice", setpriority(PRIO_PROCESS, 0, -5));
    said("clone3", syscall(SYS_clone3, attr, 88));
    said("call 9999", syscall(9999));
    said("route socket", socket(AF_NETLINK, SOCK_RAW, 0));
    said("TCP socket", tcp);
    said("TCP option", setsockopt(tcp, 6, 1, &(int){1}, 4));
    said("UDP socket", socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    said("local packets", socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
    said("fork", fork() == 0 ? (_exit(0), 0) : 0);
    said("query personality", personality(0xffffffff));
}

// Tries to raise the limit of core files, then crashes.
static void crash(void) {
    struct rlimit none = {0, 0}, all = {RLIM_INFINITY, RLIM_INFINITY}, now = {7, 7};
    said("none", setrlimit(RLIMIT_CORE, &none));
    said("all", setrlimit(RLIMIT_CORE, &all));
    said("the old call", syscall(SYS_setrlimit, RLIMIT_CORE, &none));
    said("both at once", prlimit(0, RLIMIT_CORE, &none, &now));
    said("asked", getrlimit(RLIMIT_CORE, &now));
    printf("limit %ld %ld\n", (long)now.rlim_cur, (long)now.rlim_max);
    signal(SIGSEGV, SIG_DFL);
    if (fork() == 0) raise(SIGSEGV);
    wait(NULL);
    raise(SIGSEGV);
}

static void opens(char **paths) {
    for (; *paths; paths += 2) {
        int fd = open(paths[1], !strcmp(paths[0], "w") ? O_WRONLY : !strcmp(paths[0], "c") ? O_WRONLY | O_CREAT : O_RDONLY, 0600);
        long bytes = fd < 0 ? -1 : 0;
        char buffer[16];
        if (fd >= 0 && *paths[0] == 'r') bytes = read(fd, buffer, sizeof buffer);
        printf("%s %s %d\n", paths[0], paths[1], bytes < 0 ? errno : bytes > 0 ? 0 : -1);
    }
}

static void forks(int limit) {
    int made = 0, failed = 0;
    for (; made < limit; made++) {
        pid_t pid = fork();
        if (pid == 0) { pause(); _exit(0); }
        if (pid < 0) { failed = errno; break; }
    }
    printf("%d %d\n", made, failed);
    fflush(stdout);
    if (limit > 0) kill(-1, SIGKILL);
}

static void files(void) {
    int made = 3;
    while (open("/dev/null", O_RDONLY) >= 0) made++;
    printf("%d %d\n", made, errno);
}

static void memory(long mib) {
    for (long n = 0; n < mib; n++) {
        char *piece = malloc(1 << 20);
        memset(piece, 1, 1 << 20);
    }
    puts("survived");
}

// Processes that need more memory than there is, each in one long system call after another.
static void hogs(long processes) {
    for (long n = 0; n < processes; n++)
        if (fork() == 0)
            while (mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED) {}
    for (;;) pause();
}

static void fill(const char *path, long mib) {
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    long long wrote = 0;
    int failed = 0;
    while (wrote < mib << 20) {
        long n = write(fd, block, sizeof block);
        if (n < 0) { failed = errno; break; }
        wrote += n;
    }
    close(fd);
    unlink(path);
    printf("%lld %d\n", wrote >> 20, failed);
}

// Writes until a write fails; then everything that was accepted must reach the disk and be read back.
static void keep(const char *path, long mib) {
    static char block[1 << 20], back[1 << 20];
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    long long wrote = 0, kept = 0;
    int failed = 0, synced;
    while (wrote < mib << 20) {
        memset(block, wrote >> 20, sizeof block);
        long n = write(fd, block, sizeof block);
        if (n < 0) { failed = errno; break; }
        wrote += n;
    }
    synced = fsync(fd) < 0 ? errno : 0;
    lseek(fd, 0, SEEK_SET);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    for (long n; kept < wrote && (n = read(fd, back, sizeof back)) > 0; kept += n)
        if (back[0] != (char)(kept >> 20) || back[n - 1] != back[0]) break;
    printf("%lld %d %d %lld\n", wrote, failed, synced, kept);
}

static void hello(void) {
    struct sockaddr_in address = {AF_INET, htons(9001), {htonl(INADDR_LOOPBACK)}, {0}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char reply[6] = {0};
    said("connect", connect(fd, (struct sockaddr *)&address, sizeof address));
    said("send", write(fd, "hello", 5));
    said("receive", read(fd, reply, 5));
    puts(reply);
}

static void abstract(const char *name) {
    struct sockaddr_un address = {AF_UNIX, {0}};
    strncpy(address.sun_path + 1, name, 90);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    said("abstract", connect(fd, (struct sockaddr *)&address, 3 + strlen(name)));
}

static void ticks(void) {
    for (long n = 0;; n++) {
        char line[32];
        if (write(1, line, sprintf(line, "%ld\n", n)) < 0) _exit(0);
        usleep(1000);
    }
}

// Orphans that leave the session and outlive the program, like daemons.
static void daemons(void) {
    for (int n = 0; n < 5; n++)
        if (fork() == 0) {
            setsid();
            if (fork() == 0) { for (;;) pause(); }
            _exit(0);
        }
    while (wait(NULL) > 0) {}
    puts("made");
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    long number = argc > 2 ? atol(argv[2]) : 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(what, "fds")) { descriptors(); return 0; }
    sandboxed();
    if (!strcmp(what, "calls")) calls();
    else if (!strcmp(what, "opens")) opens(argv + 2);
    else if (!strcmp(what, "forks")) forks(number);
    else if (!strcmp(what, "files")) files();
    else if (!strcmp(what, "memory")) memory(number);
    else if (!strcmp(what, "hogs")) hogs(number);
    else if (!strcmp(what, "fill")) fill(argv[3], number);
    else if (!strcmp(what, "keep")) keep(argv[3], number);
    else if (!strcmp(what, "crash")) crash();
    else if (!strcmp(what, "hello")) hello();
    else if (!strcmp(what, "abstract")) abstract(argv[2]);
    else if (!strcmp(what, "ticks")) ticks();
    else if (!strcmp(what, "daemons")) daemons();
    else if (!strcmp(what, "pause")) { puts("ready"); for (;;) pause(); }
    else if (!strcmp(what, "exit")) exit(number);
    else if (!strcmp(what, "signal")) { signal(number, SIG_DFL); raise(number); pause(); }
#ifdef __x86_64__
    else if (!strcmp(what, "call 32")) { long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); printf("%ld\n", r); }
    else if (!strcmp(what, "call x32")) printf("%ld\n", syscall(0x40000000 | SYS_getpid));
#endif
    else { fprintf(stderr, "unknown command %s\n", what); return 98; }
    return 0;
}
