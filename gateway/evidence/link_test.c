#include "gateway/evidence/link.h"
#include "gateway/evidence/test_log.h"
#include "gateway/wire/pb.h"

/* A log, a watcher of it, and what is shown between them. */
struct pair {
    struct lb_log *log;
    struct lb_watch watch;
    uint64_t shown;
};

static void begin(struct fixture *fixture, struct pair *pair)
{
    pair->log = test_open(fixture);
    pair->shown = 0;
    assert_ok(lb_watch_init(&pair->watch, TEST_ORIGIN, fixture->verifier.public_key, 0, NULL));
}

static void end(struct pair *pair)
{
    lb_watch_cleanup(&pair->watch);
    lb_log_close(pair->log);
}

static Lianban__V1__LogProgress *show(struct fixture *fixture, struct pair *pair)
{
    Lianban__V1__LogProgress *progress = NULL;
    Lianban__V1__LogProgress *back = NULL;
    struct lb_span bytes;
    uint64_t size = 0;
    assert_ok(lb_link_show(pair->log, &pair->shown, fixture->arena, &progress, &size));
    assert_int_equal(size, pair->shown);
    /* As it travels. */
    assert_ok(lb_pb_pack(progress, fixture->arena, &bytes));
    assert_ok(lb_pb_unpack(&lianban__v1__log_progress__descriptor, bytes, fixture->arena, &back));
    return back;
}

static void a_watcher_follows_a_growing_log(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    begin(fixture, &pair);
    static const size_t steps[] = {0, 1, 0, 1, 3, 250, 0, 2, 300};
    uint64_t size = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        test_append(pair.log, steps[i]);
        size += steps[i];
        assert_ok(lb_watch_advance(&pair.watch, show(fixture, &pair), &checkpoint));
        assert_int_equal(checkpoint.size, size);
        assert_int_equal(pair.watch.size, size);
    }
    end(&pair);
}

static void entries_are_proved_in_the_shown_tree(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    begin(fixture, &pair);
    test_append(pair.log, 40);
    struct lb_log_entry entry = test_entry();
    entry.leaf.retry = true; /* unlike its neighbours */
    assert_ok(lb_log_append_wait(pair.log, &entry));
    test_append(pair.log, 40);
    assert_ok(lb_watch_advance(&pair.watch, show(fixture, &pair), &checkpoint));
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_span bytes = lb_span_of(entry.leaf_bytes, entry.leaf_len);
    assert_ok(lb_link_prove(pair.log, 40, bytes, 81, fixture->arena, &proof));
    struct lb_leaf leaf;
    struct lb_hash hash;
    assert_ok(lb_link_verify(proof, &checkpoint, &leaf, &hash));
    assert_hash(&hash, entry.leaf_hash);
    assert_string_equal(leaf.code, "ANSWERED");
    /* Another index, leaf, tree, path length or hash length does not pass. */
    proof->index = 41;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_RECEIPT_INVALID);
    proof->index = UINT64_MAX;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_RECEIPT_INVALID);
    proof->index = 40;
    proof->n_path--;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_RECEIPT_INVALID);
    proof->n_path++;
    proof->path[0].len = 31;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_MALFORMED);
    proof->path[0].len = 32;
    proof->leaf.data[30] ^= 1;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_RECEIPT_INVALID);
    proof->leaf.data[30] ^= 1;
    checkpoint.root.bytes[0] ^= 1;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_RECEIPT_INVALID);
    checkpoint.root.bytes[0] ^= 1;
    size_t len = proof->leaf.len;
    proof->leaf.len = 0;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_MALFORMED);
    proof->leaf.len = LB_MAX_LEAF_BYTES + 1;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_MALFORMED);
    proof->leaf.len = len;
    proof->n_path = LB_MAX_PROOF_HASHES + 1;
    assert_code(lb_link_verify(proof, &checkpoint, &leaf, &hash), LB_MALFORMED);
    assert_code(lb_link_prove(pair.log, 81, bytes, 81, fixture->arena, &proof), LB_MALFORMED);
    end(&pair);
}

static void a_log_that_shrank_is_behind(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    begin(fixture, &pair);
    test_append(pair.log, 5);
    Lianban__V1__LogProgress *old = show(fixture, &pair);
    assert_ok(lb_watch_advance(&pair.watch, old, &checkpoint));
    test_append(pair.log, 5);
    assert_ok(lb_watch_advance(&pair.watch, show(fixture, &pair), &checkpoint));
    assert_code(lb_watch_advance(&pair.watch, old, &checkpoint), LB_LOG_BEHIND);
    assert_int_equal(pair.watch.size, 10);
    /* A restart that remembers nothing of the peer is told by the watcher's memory. */
    struct lb_watch again;
    assert_ok(lb_watch_init(&again, TEST_ORIGIN, fixture->verifier.public_key, pair.watch.size,
                            &pair.watch.root));
    assert_code(lb_watch_advance(&again, old, &checkpoint), LB_LOG_BEHIND);
    test_append(pair.log, 1);
    assert_ok(lb_watch_advance(&again, show(fixture, &pair), &checkpoint));
    lb_watch_cleanup(&again);
    end(&pair);
}

static void a_forked_log_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    begin(fixture, &pair);
    test_append(pair.log, 5);
    const char *copy = test_copy_log(fixture, fixture->folder, "fork");
    test_append(pair.log, 2);
    assert_ok(lb_watch_advance(&pair.watch, show(fixture, &pair), &checkpoint));
    struct lb_log_options options = test_options(fixture);
    struct pair fork = {.shown = 0};
    options.folder = copy;
    fixture->clock.now_unix_ms += 1;
    assert_ok(lb_log_open(&options, &fixture->diag, &fork.log));
    /* The same size with another root, then a longer history that left ours behind. */
    test_append(fork.log, 2);
    assert_code(lb_watch_advance(&pair.watch, show(fixture, &fork), &checkpoint), LB_LOG_FORK);
    test_append(fork.log, 3);
    fork.shown = 7;
    assert_code(lb_watch_advance(&pair.watch, show(fixture, &fork), &checkpoint), LB_LOG_FORK);
    assert_int_equal(pair.watch.size, 7);
    lb_log_close(fork.log);
    end(&pair);
}

static void a_proof_that_does_not_fit_is_a_fork(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    begin(fixture, &pair);
    test_append(pair.log, 3);
    assert_ok(lb_watch_advance(&pair.watch, show(fixture, &pair), &checkpoint));
    test_append(pair.log, 4);
    Lianban__V1__LogProgress *progress = show(fixture, &pair);
    progress->from_size = 0;
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_LOG_FORK);
    progress->from_size = 4;
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_LOG_FORK);
    progress->from_size = 3;
    progress->n_consistency--;
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_LOG_FORK);
    progress->n_consistency++;
    progress->consistency[0].data[0] ^= 1;
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_LOG_FORK);
    progress->consistency[0].data[0] ^= 1;
    progress->consistency[0].len = 33;
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_MALFORMED);
    progress->consistency[0].len = 32;
    assert_ok(lb_watch_advance(&pair.watch, progress, &checkpoint));
    /* The same again says nothing new, and its proof is one too many. */
    assert_code(lb_watch_advance(&pair.watch, progress, &checkpoint), LB_LOG_FORK);
    progress->n_consistency = 0;
    assert_ok(lb_watch_advance(&pair.watch, progress, &checkpoint));
    end(&pair);
}

static void another_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    struct lb_checkpoint checkpoint;
    struct lb_watch other;
    struct lb_sign_key *key = NULL;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    begin(fixture, &pair);
    test_append(pair.log, 3);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &key));
    (void)lb_sign_key_public(key, public_key);
    Lianban__V1__LogProgress *progress = show(fixture, &pair);
    assert_ok(lb_watch_init(&other, TEST_ORIGIN, public_key, 0, NULL));
    assert_code(lb_watch_advance(&other, progress, &checkpoint), LB_SIGNATURE_INVALID);
    assert_code(lb_watch_check(&other, progress, &checkpoint), LB_SIGNATURE_INVALID);
    lb_watch_cleanup(&other);
    assert_ok(lb_watch_init(&other, "example/adapter/health", fixture->verifier.public_key, 0,
                            NULL));
    assert_code(lb_watch_check(&other, progress, &checkpoint), LB_SIGNATURE_INVALID);
    lb_watch_cleanup(&other);
    assert_ok(lb_watch_check(&pair.watch, progress, &checkpoint));
    assert_int_equal(checkpoint.size, 3);
    assert_int_equal(pair.watch.size, 0);
    progress->checkpoint.len = 0;
    assert_code(lb_watch_check(&pair.watch, progress, &checkpoint), LB_MALFORMED);
    progress->checkpoint.len = 4097;
    assert_code(lb_watch_check(&pair.watch, progress, &checkpoint), LB_MALFORMED);
    assert_code(lb_watch_init(&other, TEST_ORIGIN, public_key, 5, NULL), LB_MALFORMED);
    lb_sign_key_free(key);
    end(&pair);
}

static void an_empty_tree_has_the_empty_root(void **state)
{
    struct fixture *fixture = *state;
    struct lb_checkpoint empty = {.size = 0, .origin = TEST_ORIGIN};
    struct lb_checkpoint checkpoint;
    struct lb_watch watch;
    struct lb_span note;
    memset(empty.root.bytes, 1, sizeof(empty.root.bytes));
    assert_ok(lb_checkpoint_sign(&empty, fixture->key, fixture->arena, &note));
    assert_ok(lb_watch_init(&watch, TEST_ORIGIN, fixture->verifier.public_key, 0, NULL));
    Lianban__V1__LogProgress progress = LIANBAN__V1__LOG_PROGRESS__INIT;
    progress.checkpoint = lb_pb_bytes(note);
    assert_code(lb_watch_advance(&watch, &progress, &checkpoint), LB_LOG_FORK);
    lb_merkle_empty(&empty.root);
    assert_ok(lb_checkpoint_sign(&empty, fixture->key, fixture->arena, &note));
    progress.checkpoint = lb_pb_bytes(note);
    assert_ok(lb_watch_advance(&watch, &progress, &checkpoint));
    lb_watch_cleanup(&watch);
}

static void more_than_the_log_holds_cannot_be_shown(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair;
    Lianban__V1__LogProgress *progress = NULL;
    uint64_t size = 0;
    begin(fixture, &pair);
    test_append(pair.log, 3);
    pair.shown = 4;
    assert_code(lb_link_show(pair.log, &pair.shown, fixture->arena, &progress, &size),
                LB_MALFORMED);
    assert_int_equal(pair.shown, 4);
    end(&pair);
}

#define LINK_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(a_watcher_follows_a_growing_log),
        LINK_TEST(entries_are_proved_in_the_shown_tree),
        LINK_TEST(a_log_that_shrank_is_behind),
        LINK_TEST(a_forked_log_is_told),
        LINK_TEST(a_proof_that_does_not_fit_is_a_fork),
        LINK_TEST(another_key_is_refused),
        LINK_TEST(an_empty_tree_has_the_empty_root),
        LINK_TEST(more_than_the_log_holds_cannot_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
