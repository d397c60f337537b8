#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/heap.h"

#define NUM_BLOCKS 8192
#define BLOCK_BYTES 4000

/* A sanitizer has an allocator of its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_ALLOCATOR
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(OWN_ALLOCATOR)
#define skip_elsewhere() skip()
#else
#define skip_elsewhere() (void)0
#endif

static void *blocks[NUM_BLOCKS];
static void *top;

/* A crowd: much, and a little above it that later keeps the library from giving the rest back by
 * itself. */
static void come(void)
{
    for (size_t i = 0; i < NUM_BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    top = malloc(BLOCK_BYTES);
    assert_non_null(top);
}

static void leave(void)
{
    for (size_t i = 0; i < NUM_BLOCKS; i++)
        free(blocks[i]);
}

static void test_a_crowds_memory_is_given_back(void **state)
{
    (void)state;
    skip_elsewhere();
    struct lb_heap heap = {0};
    assert_false(lb_heap_look(&heap, 1000));
    size_t before = lb_heap_resident();
    assert_true(before > 0);
    come();
    assert_false(lb_heap_look(&heap, 2000)); /* it has just come */
    leave();
    assert_true(lb_heap_resident() > before + 2 * LB_HEAP_SPARE_BYTES); /* the library keeps it */
    assert_false(lb_heap_look(&heap, 2000 + LB_HEAP_CALM_MS - 1));
    assert_true(lb_heap_look(&heap, 2000 + LB_HEAP_CALM_MS));
    assert_true(lb_heap_resident() < before + LB_HEAP_SPARE_BYTES);
    /* Once is enough. */
    assert_false(lb_heap_look(&heap, 2000 + 2 * LB_HEAP_CALM_MS));
    free(top);
}

/* What is in use and stays is looked for once, not for ever. */
static void test_what_is_in_use_is_left_alone(void **state)
{
    (void)state;
    skip_elsewhere();
    struct lb_heap heap = {0};
    assert_false(lb_heap_look(&heap, 1000));
    come();
    assert_false(lb_heap_look(&heap, 2000));
    assert_true(lb_heap_look(&heap, 2000 + LB_HEAP_CALM_MS));
    for (int64_t i = 2; i < 10; i++)
        assert_false(lb_heap_look(&heap, 2000 + i * LB_HEAP_CALM_MS));
    leave();
    free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crowds_memory_is_given_back),
        cmocka_unit_test(test_what_is_in_use_is_left_alone),
    };
    lb_heap_limit_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
