#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "tests/fuzz/fuzz.h"

/*
 * What fuzzing has found to be worth keeping, once more: every seed is accepted, every file of the
 * corpus still keeps what its target promises, and so does, for a moment, what they become when
 * bytes are changed at random. The changes follow from the corpus alone, so a finding comes back.
 */

#define CORPUS "tests/fuzz/corpus"
#define MAX_INPUT_BYTES (1U << 20)
#define MUTATE_MS 120
#define MAX_MUTANT_BYTES 4096U

struct target {
    const char *name;
    bool (*run)(struct lb_span in);
    void (*seed)(const struct fuzz_sink *sink);
};

static const struct target targets[] = {
#define LIST_TARGET(name_) {#name_, fuzz_##name_, seed_##name_},
    FUZZ_TARGETS(LIST_TARGET)
#undef LIST_TARGET
};
#define NUM_TARGETS (sizeof(targets) / sizeof(targets[0]))

/* Which input is running, for whoever reads of a death. */
static char current[512];

static void tell_current(int signal_number)
{
    (void)signal_number;
    static const char head[] = "the input was ";
    (void)!write(STDERR_FILENO, head, sizeof(head) - 1);
    (void)!write(STDERR_FILENO, current, strlen(current));
    (void)!write(STDERR_FILENO, "\n", 1);
}

/* On the heap and no byte larger, so that reading past the end is seen. */
static bool run_exactly(const struct target *target, struct lb_span bytes)
{
    uint8_t *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    bool accepted = target->run(lb_span_of(copy, bytes.len));
    free(copy);
    return accepted;
}

struct seeding {
    const struct target *target;
    unsigned num;
    unsigned refused;
};

static void run_seed(void *ctx, struct lb_span bytes)
{
    struct seeding *seeding = ctx;
    (void)snprintf(current, sizeof(current), "seed %u of %s", seeding->num, seeding->target->name);
    seeding->num++;
    if (!run_exactly(seeding->target, bytes)) {
        print_error("%s is refused\n", current);
        seeding->refused++;
    }
}

/* --- a few changes --- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t change(uint8_t *bytes, size_t len, uint64_t *state)
{
    static const uint8_t telling[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '\n', '.', '~', '9', '-', '{'};
    uint64_t random = next_random(state);
    size_t at = len == 0 ? 0 : (size_t)(random >> 16) % len;
    switch (random % 5) {
    case 0:
        return len == 0 ? 0 : at; /* cut */
    case 1:
        if (len < MAX_MUTANT_BYTES) {
            memmove(bytes + at + 1, bytes + at, len - at);
            bytes[at] = telling[(random >> 8) % sizeof(telling)];
            return len + 1;
        }
        return len;
    case 2:
        if (len > 0) {
            memmove(bytes + at, bytes + at + 1, len - at - 1);
            return len - 1;
        }
        return len;
    case 3:
        if (len > 0)
            bytes[at] = telling[(random >> 8) % sizeof(telling)];
        return len;
    default:
        if (len > 0)
            bytes[at] ^= (uint8_t)(1U << (random >> 8 & 7));
        return len;
    }
}

static void run_mutants(const struct target *target, struct lb_span bytes, unsigned num,
                        uint64_t *state)
{
    uint8_t mutant[MAX_MUTANT_BYTES + 1];
    for (unsigned i = 0; i < num; i++) {
        size_t len = bytes.len < MAX_MUTANT_BYTES ? bytes.len : MAX_MUTANT_BYTES;
        if (len > 0)
            memcpy(mutant, bytes.ptr, len);
        for (unsigned k = 0; k <= i % 3; k++)
            len = change(mutant, len, state);
        (void)run_exactly(target, lb_span_of(mutant, len));
    }
}

/* --- the corpus --- */

struct inputs {
    struct lb_arena *arena;
    size_t num;
    struct lb_span bytes[4096];
};

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_corpus(const struct target *target, struct inputs *inputs)
{
    struct dirent **names = NULL;
    char folder[256];
    (void)snprintf(folder, sizeof(folder), "%s/%s", CORPUS, target->name);
    int num = scandir(folder, &names, no_dots, alphasort);
    for (int i = 0; i < num; i++) {
        (void)snprintf(current, sizeof(current), "%s/%.64s", folder, names[i]->d_name);
        free(names[i]);
        struct lb_span bytes = LB_SPAN_EMPTY;
        assert_true(lb_file_read(current, MAX_INPUT_BYTES, inputs->arena, &bytes) == LB_OK);
        (void)run_exactly(target, bytes);
        if (inputs->num < sizeof(inputs->bytes) / sizeof(inputs->bytes[0]))
            inputs->bytes[inputs->num++] = bytes;
    }
    free(names);
}

static void run_changed(const struct target *target, const struct inputs *inputs)
{
    uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    int64_t end = lb_clock_monotonic_ms(lb_clock_system()) + MUTATE_MS;
    for (size_t i = 0; inputs->num > 0 && lb_clock_monotonic_ms(lb_clock_system()) < end; i++) {
        (void)snprintf(current, sizeof(current), "change %zu of %s", i, target->name);
        run_mutants(target, inputs->bytes[i % inputs->num], 4, &state);
    }
}

static void replay(void **state)
{
    const struct target *target = *state;
    struct seeding seeding = {.target = target};
    const struct fuzz_sink sink = {run_seed, &seeding};
    struct inputs *inputs = calloc(1, sizeof(*inputs));
    assert_non_null(inputs);
    inputs->arena = lb_arena_new(64U << 20);
    assert_non_null(inputs->arena);
    target->seed(&sink);
    assert_int_equal(seeding.refused, 0);
    assert_true(seeding.num > 0);
    run_corpus(target, inputs);
    assert_true(inputs->num > 0);
    run_changed(target, inputs);
    lb_arena_free(inputs->arena);
    free(inputs);
}

int main(void)
{
    struct CMUnitTest tests[NUM_TARGETS];
    (void)signal(SIGABRT, tell_current);
    for (size_t i = 0; i < NUM_TARGETS; i++)
        tests[i] = (struct CMUnitTest){.name = targets[i].name, .test_func = replay,
                                       .initial_state = (void *)(uintptr_t)&targets[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
