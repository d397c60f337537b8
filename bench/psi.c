#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/psi/psi.h"

/* How many people of a list one core blinds in a second, and how many points of the other side's
 * it blinds again: bench-psi [PEOPLE]. By the processor's clock of the one thread there is. */

#define USUAL_PEOPLE 20000
#define ARENA_BYTES (128U << 20)

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static lb_status make_people(struct lb_arena *arena, size_t num, struct lb_span **out)
{
    struct lb_span *people = lb_arena_array(arena, num, sizeof(*people));
    LB_ENSURE(people != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        people[i] = lb_span_str(lb_arena_printf(arena, "99010119%010zu", i));
        LB_ENSURE(people[i].ptr != NULL, LB_NO_MEMORY, "arena is full");
    }
    *out = people;
    return LB_OK;
}

static lb_status measure(size_t num)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    LB_DEFER(lb_p256_freep) struct lb_p256 *p256 = NULL;
    const uint8_t run[LB_PSI_RUN_BYTES] = {1}, seed[LB_PSI_SEED_BYTES] = {2};
    uint8_t prehash[LB_PSI_PREHASH_BYTES], (*tags)[LB_PSI_TAG_BYTES] = NULL;
    LB_DEFER(lb_psi_side_wipe) struct lb_psi_side side;
    struct lb_psi_points points;
    struct lb_span *people = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_p256_new(&p256));
    LB_TRY(make_people(arena, num, &people));
    lb_psi_prehash_of(seed, run, prehash);
    LB_TRY(lb_psi_side_of(p256, seed, run, prehash, &side));
    double began = seconds();
    LB_TRY(lb_psi_blind(p256, &side, people, num, arena, &points));
    double blinded = seconds();
    LB_TRY(lb_psi_tags(p256, &side, (const uint8_t(*)[LB_P256_POINT_BYTES])points.points,
                       points.num, arena, &tags));
    double tagged = seconds();
    (void)printf("points %zu; one core: %.0f a second hashed to the curve and blinded, %.0f a "
                 "second blinded again\n",
                 points.num, (double)points.num / (blinded - began),
                 (double)points.num / (tagged - blinded));
    return LB_OK;
}

int main(int argc, char **argv)
{
    unsigned long num = argc > 1 ? strtoul(argv[1], NULL, 10) : USUAL_PEOPLE;
    if (argc > 2 || num == 0 || num > LB_PSI_MAX_ELEMENTS) {
        (void)fprintf(stderr, "usage: bench-psi [PEOPLE], at most %u\n", LB_PSI_MAX_ELEMENTS);
        return 2;
    }
    lb_status status = measure(num);
    if (status != LB_OK)
        (void)fprintf(stderr, "bench-psi: %s\n", status->what);
    return status == LB_OK ? 0 : 1;
}
