#include <pthread.h>
#include <stdio.h>

#include "gateway/evidence/checkpoint_memo.h"
#include "gateway/evidence/test_util.h"

#define ORIGIN "example.com/log"
#define OTHER_ORIGIN "example.com/log2"

/* A log's key and another one that would like to be it. */
struct keys {
    struct lb_arena *arena;
    struct lb_checkpoint_memo *memo;
    struct lb_sign_key *key[2];
    struct lb_note_verifier verifier[2];
};

static struct keys begin(void)
{
    struct keys keys = {.arena = lb_arena_new(8 * 1024 * 1024)};
    assert_ok(lb_checkpoint_memo_new(&keys.memo));
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        uint8_t public_key[LB_P256_PUBLIC_BYTES];
        assert_ok(lb_sign_key_from_seed(seed, &keys.key[i]));
        (void)lb_sign_key_public(keys.key[i], public_key);
        assert_ok(lb_note_verifier_init(ORIGIN, public_key, &keys.verifier[i]));
    }
    return keys;
}

static void end(struct keys *keys)
{
    for (size_t i = 0; i < 2; i++) {
        lb_note_verifier_cleanup(&keys->verifier[i]);
        lb_sign_key_free(keys->key[i]);
    }
    lb_checkpoint_memo_free(keys->memo);
    lb_arena_free(keys->arena);
}

static struct lb_span sign(struct keys *keys, size_t by, uint64_t size)
{
    struct lb_checkpoint checkpoint = {.origin = ORIGIN, .size = size};
    struct lb_span note;
    memset(checkpoint.root.bytes, (int)(size % 251), sizeof(checkpoint.root.bytes));
    assert_ok(lb_checkpoint_sign(&checkpoint, keys->key[by], keys->arena, &note));
    return note;
}

/* What the memo says, which must be what lb_checkpoint_open says, whatever was asked before. */
static lb_status open_note(struct keys *keys, size_t by, struct lb_span note)
{
    struct lb_checkpoint plain = {.size = 1};
    struct lb_checkpoint got = {.size = 2};
    lb_status expected = lb_checkpoint_open(note, &keys->verifier[by], &plain);
    lb_status status = lb_checkpoint_memo_open(keys->memo, note, &keys->verifier[by], &got);
    assert_code(status, lb_status_code(expected));
    if (status == LB_OK) {
        assert_string_equal(got.origin, plain.origin);
        assert_int_equal(got.size, plain.size);
        assert_hash(&got.root, plain.root);
    } else {
        assert_int_equal(got.size, 2);
    }
    return status;
}

static void the_same_bytes_are_verified_once(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_span note = sign(&keys, 0, 7);
    for (size_t i = 0; i < 100; i++)
        assert_ok(open_note(&keys, 0, note));
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), 1);
    assert_ok(open_note(&keys, 0, sign(&keys, 0, 8)));
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), 2);
    end(&keys);
}

/* A key that was replaced has signed nothing for the key that stands now. */
static void another_key_or_name_does_not_profit(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_span note = sign(&keys, 0, 7);
    struct lb_note_verifier renamed;
    struct lb_checkpoint got;
    assert_ok(open_note(&keys, 0, note));
    assert_code(open_note(&keys, 1, note), LB_SIGNATURE_INVALID);
    assert_ok(lb_note_verifier_init(OTHER_ORIGIN, keys.verifier[0].public_key, &renamed));
    assert_code(lb_checkpoint_memo_open(keys.memo, note, &renamed, &got), LB_SIGNATURE_INVALID);
    lb_note_verifier_cleanup(&renamed);
    /* The verifier claims the log's name, id and key, but what verifies is another key. */
    struct lb_note_verifier swapped = keys.verifier[0];
    swapped.key = keys.verifier[1].key;
    assert_code(lb_checkpoint_memo_open(keys.memo, note, &swapped, &got), LB_SIGNATURE_INVALID);
    /* Its id in the line, its signature beside: refused, and refused for the other as well. */
    assert_code(open_note(&keys, 0, sign(&keys, 1, 7)), LB_SIGNATURE_INVALID);
    assert_ok(open_note(&keys, 1, sign(&keys, 1, 7)));
    assert_code(open_note(&keys, 0, sign(&keys, 1, 7)), LB_SIGNATURE_INVALID);
    end(&keys);
}

static void a_changed_byte_is_another_note(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_span whole = sign(&keys, 0, 7);
    uint8_t note[1024];
    assert_true(whole.len + 1 < sizeof(note));
    assert_ok(open_note(&keys, 0, whole));
    for (size_t bit = 0; bit < 8 * whole.len; bit++) {
        memcpy(note, whole.ptr, whole.len);
        note[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_true(open_note(&keys, 0, lb_span_of(note, whole.len)) != LB_OK);
    }
    memcpy(note, whole.ptr, whole.len);
    note[whole.len] = '\n';
    for (size_t len = 0; len <= whole.len + 1; len++)
        assert_int_equal(open_note(&keys, 0, lb_span_of(note, len)) == LB_OK, len == whole.len);
    /* The good one is still known. */
    uint64_t opened = lb_checkpoint_memo_opened(keys.memo);
    assert_ok(open_note(&keys, 0, whole));
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), opened);
    end(&keys);
}

static void a_failure_is_never_remembered(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_span forged = sign(&keys, 1, 7);
    for (uint64_t i = 1; i <= 10; i++) {
        assert_code(open_note(&keys, 0, forged), LB_SIGNATURE_INVALID);
        assert_code(open_note(&keys, 0, lb_span_str("no note")), LB_MALFORMED);
        assert_int_equal(lb_checkpoint_memo_opened(keys.memo), 2 * i);
    }
    end(&keys);
}

/* More than it has room for: nothing wrong is told, the oldest is verified again, the newest not;
 * and what an attacker fills it with pushes out but does not change. */
static void a_full_memo_forgets_the_oldest(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_span first = sign(&keys, 0, 1);
    struct lb_span last = first;
    const uint64_t num = 8 * LB_CHECKPOINT_MEMO_ENTRIES;
    assert_ok(open_note(&keys, 0, first));
    for (uint64_t i = 0; i < num; i++) {
        struct lb_checkpoint got;
        lb_arena_reset(keys.arena);
        last = sign(&keys, 1, i);
        assert_ok(lb_checkpoint_memo_open(keys.memo, last, &keys.verifier[1], &got));
        assert_int_equal(got.size, i);
    }
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), num + 1);
    assert_ok(open_note(&keys, 1, last));
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), num + 1);
    first = sign(&keys, 0, 1);
    assert_ok(open_note(&keys, 0, first));
    assert_int_equal(lb_checkpoint_memo_opened(keys.memo), num + 2);
    assert_code(open_note(&keys, 0, last), LB_SIGNATURE_INVALID);
    assert_code(open_note(&keys, 1, first), LB_SIGNATURE_INVALID);
    end(&keys);
}

static void without_a_memo_everything_is_verified(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct lb_checkpoint got;
    struct lb_span note = sign(&keys, 0, 7);
    assert_ok(lb_checkpoint_memo_open(NULL, note, &keys.verifier[0], &got));
    assert_int_equal(got.size, 7);
    assert_code(lb_checkpoint_memo_open(NULL, note, &keys.verifier[1], &got),
                LB_SIGNATURE_INVALID);
    lb_checkpoint_memo_free(NULL);
    end(&keys);
}

#define THREADS 4
#define NOTES 32

struct crowd {
    struct keys *keys;
    struct lb_span good[NOTES];
    struct lb_span forged[NOTES];
    bool wrong[THREADS];
};

struct one {
    struct crowd *crowd;
    size_t number;
};

static void *ask(void *arg)
{
    const struct one *one = arg;
    struct keys *keys = one->crowd->keys;
    for (uint64_t i = 0; i < 20 * NOTES; i++) {
        struct lb_checkpoint got = {.size = 0};
        size_t at = (i + one->number) % NOTES;
        if (lb_checkpoint_memo_open(keys->memo, one->crowd->good[at], &keys->verifier[0], &got) !=
                LB_OK ||
            got.size != at ||
            lb_checkpoint_memo_open(keys->memo, one->crowd->forged[at], &keys->verifier[0],
                                    &got) == LB_OK)
            one->crowd->wrong[one->number] = true;
    }
    return NULL;
}

static void any_thread_may_ask(void **state)
{
    (void)state;
    struct keys keys = begin();
    struct crowd crowd = {.keys = &keys};
    struct one ones[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < NOTES; i++) {
        crowd.good[i] = sign(&keys, 0, i);
        crowd.forged[i] = sign(&keys, 1, i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ones[i] = (struct one){.crowd = &crowd, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &ones[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(crowd.wrong[i]);
    }
    end(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_are_verified_once),
        cmocka_unit_test(another_key_or_name_does_not_profit),
        cmocka_unit_test(a_changed_byte_is_another_note),
        cmocka_unit_test(a_failure_is_never_remembered),
        cmocka_unit_test(a_full_memo_forgets_the_oldest),
        cmocka_unit_test(without_a_memo_everything_is_verified),
        cmocka_unit_test(any_thread_may_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
