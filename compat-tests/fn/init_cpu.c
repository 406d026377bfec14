/* A runtime that ends before its first poll: two processes use CPU for 400 ms, then it prints how much CPU they
   got, in thousandths of one CPU. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double used(int who) {
    struct rusage r;
    getrusage(who, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

int main(void) {
    double start = seconds(CLOCK_MONOTONIC);
    pid_t child = fork();
    while (seconds(CLOCK_MONOTONIC) - start < 0.4);
    if (!child) _exit(0);
    wait(0);
    double wall = seconds(CLOCK_MONOTONIC) - start;
    printf("cpu permille %.0f\n", (used(RUSAGE_SELF) + used(RUSAGE_CHILDREN)) / wall * 1000);
    fflush(stdout);
    return 1;
}
