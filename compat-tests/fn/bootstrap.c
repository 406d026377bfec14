/* A static custom runtime: one kept-alive connection to the Runtime API, echo by default.
   An event {"do":"NAME",...} selects another action; see `answer`. The tests use it as a probe and the
   benchmark as the runtime process, so the echo path does only what is necessary. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 8 << 20 };

static char in[ROOM], out[ROOM], fds[256], *api;
static int sock = -1, calls;
static unsigned long long env_id;

static void die(const char *what) { perror(what); _exit(70); }

static void dial(void) {
    char host[64];
    int port, one = 1;
    if (!api || sscanf(api, "%63[^:]:%d", host, &port) != 2) die("AWS_LAMBDA_RUNTIME_API");
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &at.sin_addr);
    if (sock >= 0) close(sock);
    sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || connect(sock, (void *)&at, sizeof at)) die("connect");
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void send_all(const char *data, size_t size) {
    while (size) {
        ssize_t n = write(sock, data, size);
        if (n <= 0) die("write to the Runtime API");
        data += n, size -= n;
    }
}

/* Sends one request and returns the status. The head stays in `in`, ended by NUL; `body` and `size` are set. */
static int call(const char *head, size_t head_size, const char *data, size_t data_size, char **body, size_t *size) {
    send_all(head, head_size);
    if (data_size) send_all(data, data_size);
    size_t got = 0, want = 0;
    char *end = 0;
    while (!end || got < want) {
        ssize_t n = read(sock, in + got, ROOM - 1 - got);
        if (n <= 0) die("read from the Runtime API");
        got += n, in[got] = 0;
        if (end || !(end = strstr(in, "\r\n\r\n"))) continue;
        char *length = strcasestr(in, "\r\ncontent-length:");
        if (!length || length > end) { fprintf(stderr, "an answer without Content-Length\n"); _exit(71); }
        want = end + 4 - in + strtoul(length + 17, 0, 10);
        if (want >= ROOM) _exit(72);
    }
    *end = 0, *body = end + 4, *size = want - (*body - in);
    return atoi(in + 9);
}

static long number(const char *event, const char *key) {
    char *at = strstr(event, key);
    return at ? atol(at + strlen(key)) : 0;
}

static int post(const char *id, const char *data, size_t data_size) {
    char head[512], *body;
    size_t size;
    int n = snprintf(head, sizeof head,
        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n", id, api, data_size);
    return call(head, n, data, data_size, &body, &size);
}

static int identity(char *to) {
    char *var = getenv("LAMBD_TEST_VAR");
    return sprintf(to, "{\"env\":\"%llx\",\"calls\":%d,\"pid\":%d,\"fds\":[%s],\"var\":\"%s\"}", env_id, calls, getpid(), fds, var ? var : "");
}

/* Waits for SIGUSR1 from outside; until then the process has the name "held", which the host can see. */
static void hold(void) {
    sigset_t set;
    int got;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    prctl(PR_SET_NAME, "held");
    sigwait(&set, &got);
    prctl(PR_SET_NAME, "bootstrap");
}

static void say(long lines) {
    for (long i = 0; i < lines; i++) printf("line %06ld %0*d\n", i, 40, 0);
    fflush(stdout);
}

static void flood(long mib) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (size_t i = 1023; i < sizeof block; i += 1024) block[i] = '\n';
    for (long i = 0; i < mib; i++)
        for (size_t o = 0; o < sizeof block;) {
            ssize_t n = write(1, block + o, sizeof block - o);
            if (n <= 0) die("write to stdout");
            o += n;
        }
}

static int quoted_head(const char *head, char *to) {
    int n = sprintf(to, "\"");
    for (; *head; head++) {
        if (*head == '\r') continue;
        if (*head == '\n') { n += sprintf(to + n, "\\n"); continue; }
        if (*head == '"' || *head == '\\') to[n++] = '\\';
        to[n++] = *head;
    }
    return n + sprintf(to + n, "\"");
}

/* Actions that may never answer report first where they run. */
static void tell(void) { printf("environment %llx\n", env_id), fflush(stdout); }

static size_t answer(const char *event, size_t size, const char *what) {
    if (!strncmp(what, "hold", 4)) tell(), hold();
    else if (!strncmp(what, "exit", 4)) tell(), _exit(number(event, "\"code\":"));
    else if (!strncmp(what, "raise", 5)) tell(), signal(number(event, "\"signal\":"), SIG_DFL), kill(getpid(), number(event, "\"signal\":")), pause();
    else if (!strncmp(what, "say", 3)) say(number(event, "\"lines\":"));
    else if (!strncmp(what, "flood", 5)) flood(number(event, "\"mb\":"));
    else if (!strncmp(what, "alloc", 5)) {
        size_t bytes = (size_t)number(event, "\"mb\":") << 20;
        char *p = malloc(bytes);
        for (size_t i = 0; p && i < bytes; i += 4096) ((volatile char *)p)[i] = 1;
    } else if (!strncmp(what, "length", 6)) return sprintf(out, "%zu", size);
    else if (!strncmp(what, "head", 4)) return quoted_head(in, out);
    else if (!strncmp(what, "big", 3)) {
        size_t n = number(event, "\"size\":");
        memset(out, 'a', n), out[0] = out[n - 1] = '"';
        return n;
    } else if (!strncmp(what, "forge", 5)) {
        int status = post("00000000-0000-4000-8000-000000000000", "\"forged\"", 8);
        return sprintf(out, "{\"status\":%d}", status);
    }
    return identity(out);
}

static void list_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir) && n < 200)
            n += sprintf(fds + n, "%s%d", n ? "," : "", atoi(e->d_name));
    if (dir) closedir(dir);
}

int main(void) {
    char next[256], id[64], *body;
    size_t size;
    sigset_t set;
    list_descriptors();
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigprocmask(SIG_BLOCK, &set, 0);
    api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (getrandom(&env_id, sizeof env_id, 0) < 0) die("getrandom");
    dial();
    int next_size = snprintf(next, sizeof next, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", api);
    for (;;) {
        if (call(next, next_size, 0, 0, &body, &size) != 200) { fprintf(stderr, "next was refused: %s\n", in); _exit(73); }
        char *at = strcasestr(in, "\r\nlambda-runtime-aws-request-id:");
        if (!at || sscanf(at + 32, " %63[^\r\n ]", id) != 1) _exit(74);
        calls++;
        char *what = strstr(body, "\"do\":\"");
        size_t n = what ? answer(body, size, what + 6) : 0;
        int status = what ? post(id, out, n) : post(id, body, size);
        if (status != 202 && status != 413) { fprintf(stderr, "response was refused: %s\n", in); _exit(75); }
    }
}
