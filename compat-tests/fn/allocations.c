/* The benchmark preloads this into a server: it counts the allocations of the whole process in a file
   that the benchmark reads. The file is mapped when the process starts, so a later change of user has
   no effect; glibc's own names are called, because a lookup of the usual ones would allocate. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static unsigned long unmapped, *count = &unmapped;

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("ALLOCATIONS_FILE");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(0, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) count = at;
    close(file);
}

static void add(void) { __atomic_fetch_add(count, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size) { return add(), __libc_malloc(size); }
void *calloc(size_t items, size_t size) { return add(), __libc_calloc(items, size); }
void *realloc(void *old, size_t size) { return add(), __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { return add(), __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return add(), __libc_memalign(align, size); }
int posix_memalign(void **to, size_t align, size_t size) {
    add();
    *to = __libc_memalign(align, size);
    return *to ? 0 : ENOMEM;
}
