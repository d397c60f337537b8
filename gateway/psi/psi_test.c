#include "gateway/psi/psi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define assert_code(status_, want_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(want_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

#define PEOPLE 40
#define BOTH 12 /* the asker's last are the answerer's first */

/* Two departments and their lists. */
struct world {
    struct lb_p256 *p256;
    struct lb_arena *arena;
    struct lb_psi_side asker, answerer;
    char numbers[2 * PEOPLE][19];
    struct lb_span own[PEOPLE], theirs[PEOPLE];
    struct lb_psi_points offered, answered;
};

static int set_up(void **state)
{
    static struct world world;
    const uint8_t run[LB_PSI_RUN_BYTES] = {1}, seed_a[LB_PSI_SEED_BYTES] = {2};
    const uint8_t seed_b[LB_PSI_SEED_BYTES] = {3};
    uint8_t prehash[LB_PSI_PREHASH_BYTES];
    world = (struct world){.arena = lb_arena_new(4 * 1024 * 1024)};
    assert_non_null(world.arena);
    assert_ok(lb_p256_new(&world.p256));
    lb_psi_prehash_of(seed_a, run, prehash);
    assert_ok(lb_psi_side_of(world.p256, seed_a, run, prehash, &world.asker));
    assert_ok(lb_psi_side_of(world.p256, seed_b, run, prehash, &world.answerer));
    for (int i = 0; i < 2 * PEOPLE; i++)
        (void)snprintf(world.numbers[i], sizeof(world.numbers[i]), "99010119%010d", i);
    for (int i = 0; i < PEOPLE; i++) {
        world.own[i] = lb_span_str(world.numbers[i]);
        world.theirs[i] = lb_span_str(world.numbers[PEOPLE - BOTH + i]);
    }
    assert_ok(lb_psi_blind(world.p256, &world.asker, world.own, PEOPLE, world.arena,
                           &world.offered));
    assert_ok(lb_psi_blind(world.p256, &world.answerer, world.theirs, PEOPLE, world.arena,
                           &world.answered));
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    lb_arena_free(world->arena);
    lb_p256_free(world->p256);
    return 0;
}

typedef uint8_t tag[LB_PSI_TAG_BYTES];

static tag *tags_of(struct world *world, const struct lb_psi_side *side,
                    const struct lb_psi_points *points)
{
    tag *tags = NULL;
    assert_ok(lb_psi_tags(world->p256, side, (const uint8_t(*)[LB_P256_POINT_BYTES])points->points,
                          points->num, world->arena, &tags));
    return tags;
}

static void a_list_tells_exactly_who_is_in_both(void **state)
{
    struct world *world = *state;
    tag *own = tags_of(world, &world->answerer, &world->offered);
    tag *theirs = tags_of(world, &world->asker, &world->answered);
    const uint32_t *numbers = NULL;
    size_t num = 0;
    bool found[PEOPLE] = {false};
    assert_ok(lb_psi_match((const tag *)own, world->offered.num, theirs, world->answered.num,
                           world->arena, &numbers, &num));
    assert_int_equal(num, BOTH);
    for (size_t i = 0; i < num; i++) {
        uint32_t whose = world->offered.whose[numbers[i]];
        assert_true(whose < PEOPLE && !found[whose]);
        found[whose] = true;
    }
    for (size_t i = 0; i < PEOPLE; i++)
        assert_int_equal(found[i], i >= PEOPLE - BOTH);
}

static void a_count_tells_how_many_and_not_who(void **state)
{
    struct world *world = *state;
    tag *own = tags_of(world, &world->answerer, &world->offered);
    tag *sent = lb_arena_array(world->arena, world->offered.num, sizeof(*sent));
    tag *theirs = tags_of(world, &world->asker, &world->answered);
    const uint32_t *numbers = NULL;
    size_t num = 0, moved = 0;
    memcpy(sent, own, world->offered.num * sizeof(*sent));
    lb_psi_sort(sent, world->offered.num);
    for (size_t i = 0; i < world->offered.num; i++)
        moved += memcmp(sent[i], own[i], sizeof(tag)) != 0 ? 1 : 0;
    assert_true(moved > world->offered.num / 2);
    assert_ok(lb_psi_match((const tag *)sent, world->offered.num, theirs, world->answered.num,
                           world->arena, &numbers, &num));
    assert_int_equal(num, BOTH);
}

static void lists_are_filled_up_sorted_and_the_same_again(void **state)
{
    struct world *world = *state;
    struct lb_psi_points again;
    size_t nobody = 0;
    assert_int_equal(world->offered.num, LB_PSI_MIN_PADDED);
    for (size_t i = 0; i < world->offered.num; i++) {
        nobody += world->offered.whose[i] == LB_PSI_NOBODY ? 1 : 0;
        assert_true(i == 0 || memcmp(world->offered.points[i - 1], world->offered.points[i],
                                     LB_P256_POINT_BYTES) < 0);
    }
    assert_int_equal(nobody, LB_PSI_MIN_PADDED - PEOPLE);
    assert_ok(lb_psi_blind(world->p256, &world->asker, world->own, PEOPLE, world->arena, &again));
    assert_memory_equal(again.points, world->offered.points,
                        again.num * sizeof(*again.points));
}

static void another_run_or_prehash_shows_other_points(void **state)
{
    struct world *world = *state;
    struct lb_psi_side other = world->asker;
    struct lb_psi_points points;
    other.prehash[0] ^= 1;
    assert_ok(lb_psi_blind(world->p256, &other, world->own, PEOPLE, world->arena, &points));
    assert_memory_not_equal(points.points, world->offered.points,
                            points.num * sizeof(*points.points));
    other = world->asker;
    other.run[0] ^= 1; /* tags of one run are none of another */
    tag *one = tags_of(world, &world->asker, &world->answered);
    tag *two = tags_of(world, &other, &world->answered);
    assert_memory_not_equal(one, two, sizeof(tag));
}

static void padding_tells_little_and_is_stable(void **state)
{
    (void)state;
    for (size_t num = 0; num <= LB_PSI_MAX_ELEMENTS; num += num < 5000 ? 1 : 997) {
        size_t padded = lb_psi_padded(num);
        assert_true(padded >= num && padded >= LB_PSI_MIN_PADDED);
        assert_true(padded == LB_PSI_MIN_PADDED || padded - num <= num / 8);
        assert_int_equal(lb_psi_padded(padded), padded);
    }
    assert_int_equal(lb_psi_padded(LB_PSI_MAX_ELEMENTS), LB_PSI_MAX_ELEMENTS);
}

static void one_person_twice_is_refused(void **state)
{
    struct world *world = *state;
    struct lb_span list[] = {world->own[0], world->own[1], world->own[0]};
    struct lb_psi_points points;
    assert_code(lb_psi_blind(world->p256, &world->asker, list, 3, world->arena, &points),
                LB_MALFORMED);
}

static void too_long_a_list_is_refused(void **state)
{
    struct world *world = *state;
    struct lb_psi_points points;
    assert_code(lb_psi_blind(world->p256, &world->asker, world->own, LB_PSI_MAX_ELEMENTS + 1,
                             world->arena, &points),
                LB_TOO_LARGE);
}

static void what_is_no_point_is_refused(void **state)
{
    struct world *world = *state;
    uint8_t points[3][LB_P256_POINT_BYTES];
    tag *tags = NULL;
    memcpy(points, world->answered.points, sizeof(points));
    points[1][63] ^= 1;
    assert_code(lb_psi_tags(world->p256, &world->asker,
                            (const uint8_t(*)[LB_P256_POINT_BYTES])points, 3, world->arena, &tags),
                LB_MALFORMED);
    memset(points[1], 0, sizeof(points[1]));
    assert_code(lb_psi_tags(world->p256, &world->asker,
                            (const uint8_t(*)[LB_P256_POINT_BYTES])points, 3, world->arena, &tags),
                LB_MALFORMED);
    assert_null(tags);
}

static void a_tag_twice_is_refused(void **state)
{
    struct world *world = *state;
    tag *own = tags_of(world, &world->answerer, &world->offered);
    tag *theirs = tags_of(world, &world->asker, &world->answered);
    const uint32_t *numbers = NULL;
    size_t num = 0;
    memcpy(own[1], own[0], sizeof(tag));
    assert_code(lb_psi_match((const tag *)own, world->offered.num, theirs, world->answered.num,
                             world->arena, &numbers, &num),
                LB_MALFORMED);
    memcpy(theirs[1], theirs[0], sizeof(tag));
    own = tags_of(world, &world->answerer, &world->offered);
    assert_code(lb_psi_match((const tag *)own, world->offered.num, theirs, world->answered.num,
                             world->arena, &numbers, &num),
                LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_tells_exactly_who_is_in_both),
        cmocka_unit_test(a_count_tells_how_many_and_not_who),
        cmocka_unit_test(lists_are_filled_up_sorted_and_the_same_again),
        cmocka_unit_test(another_run_or_prehash_shows_other_points),
        cmocka_unit_test(padding_tells_little_and_is_stable),
        cmocka_unit_test(one_person_twice_is_refused),
        cmocka_unit_test(too_long_a_list_is_refused),
        cmocka_unit_test(what_is_no_point_is_refused),
        cmocka_unit_test(a_tag_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
