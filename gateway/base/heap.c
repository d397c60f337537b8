#include "gateway/base/heap.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define MIN_ARENAS 2
/* What a program that does its usual work goes up and down by from one second to the next. */
#define STILL_BYTES (512U * 1024)

void lb_heap_limit_arenas(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    (void)mallopt(M_ARENA_MAX, cores > MIN_ARENAS ? (int)cores : MIN_ARENAS);
}

size_t lb_heap_resident(void)
{
    unsigned long resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    int num = fscanf(file, "%*u %lu %lu", &resident, &shared);
    (void)fclose(file);
    return num == 2 && resident > shared ? (resident - shared) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

bool lb_heap_look(struct lb_heap *heap, int64_t now_ms)
{
    size_t now_bytes = lb_heap_resident();
    bool rises = now_bytes > heap->last_bytes + STILL_BYTES;
    heap->last_bytes = now_bytes;
    if (heap->kept_bytes == 0 || now_bytes < heap->kept_bytes)
        heap->kept_bytes = now_bytes;
    if (rises || now_bytes < heap->kept_bytes + LB_HEAP_SPARE_BYTES) {
        heap->calm_since_ms = now_ms;
        return false;
    }
    if (now_ms - heap->calm_since_ms < LB_HEAP_CALM_MS)
        return false;
    (void)malloc_trim(0);
    heap->kept_bytes = heap->last_bytes = lb_heap_resident();
    heap->calm_since_ms = now_ms;
    return true;
}
