#ifndef GATEWAY_BASE_HEAP_H
#define GATEWAY_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The C library keeps what was freed for whoever asks next, in an arena for each thread that ever
 * met another: a crowd's memory would stay with the process for ever. One arena per core is enough,
 * and what a crowd used is given back once it has gone.
 */
struct lb_heap {
    size_t kept_bytes;    /* resident after the last look that gave back; 0: never looked */
    size_t last_bytes;    /* resident at the last look */
    int64_t calm_since_ms;
};

#define LB_HEAP_SPARE_BYTES (8U * 1024 * 1024)
#define LB_HEAP_CALM_MS 3000

/* lb_heap_limit_arenas is for the start of a process, before its threads. */
void lb_heap_limit_arenas(void);

/* lb_heap_resident is the process's anonymous resident memory; 0 when the system does not tell. */
size_t lb_heap_resident(void);

/* lb_heap_look is for a tick. When more than LB_HEAP_SPARE_BYTES have come since it last gave back,
 * and none for LB_HEAP_CALM_MS, it gives back what is free, some milliseconds of work, and returns
 * true. Monotonic time; one thread. */
bool lb_heap_look(struct lb_heap *heap, int64_t now_ms);

#endif
