#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/seen.h"
#include "gateway/evidence/test_log.h"

/* What one link has seen binds the next one, in this process and after it. */
struct ground {
    struct fixture *fixture;
    struct lb_log *log;
    struct lb_seen *seen;
    struct lb_seen_log *peer;
};

static void open_seen(struct ground *ground)
{
    assert_ok(lb_seen_new(ground->fixture->root, &ground->seen));
    assert_ok(lb_seen_open(ground->seen, TEST_ORIGIN, ground->fixture->verifier.public_key,
                           &ground->peer));
}

static struct ground begin(struct fixture *fixture)
{
    struct ground ground = {.fixture = fixture, .log = test_open(fixture)};
    test_append(ground.log, 3);
    open_seen(&ground);
    return ground;
}

static void end(struct ground *ground)
{
    lb_seen_free(ground->seen);
    lb_log_close(ground->log);
}

/* The log's newest checkpoint as a peer shows it that was shown `from` last. */
static lb_status show(struct ground *ground, uint64_t from)
{
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_checkpoint checkpoint;
    uint64_t size = 0;
    assert_ok(lb_link_show(ground->log, &from, ground->fixture->arena, &progress, &size));
    return lb_seen_advance(ground->peer, progress, &checkpoint);
}

static void two_links_see_one_log(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_log *second = NULL;
    assert_ok(show(&ground, 0));
    assert_ok(lb_seen_open(ground.seen, TEST_ORIGIN, ground.fixture->verifier.public_key, &second));
    assert_ptr_equal(second, ground.peer);
    assert_int_equal(lb_seen_size(second), 3);
    test_append(ground.log, 2);
    assert_code(show(&ground, 0), LB_LOG_FORK);
    assert_code(show(&ground, 2), LB_LOG_FORK);
    assert_int_equal(lb_seen_size(second), 3);
    assert_ok(show(&ground, 3));
    assert_int_equal(lb_seen_size(second), 5);
    end(&ground);
}

/* What is known of a checkpoint's signature says nothing of the history it belongs to. */
static void a_checkpoint_shown_again_is_judged_again(void **state)
{
    struct ground ground = begin(*state);
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_checkpoint checkpoint;
    uint64_t shown = 0;
    uint64_t size = 0;
    assert_ok(lb_link_show(ground.log, &shown, ground.fixture->arena, &progress, &size));
    for (size_t i = 0; i < 3; i++)
        assert_ok(lb_seen_advance(ground.peer, progress, &checkpoint));
    assert_int_equal(lb_checkpoint_memo_opened(lb_seen_memo(ground.seen)), 1);
    test_append(ground.log, 2);
    assert_ok(show(&ground, 3));
    assert_int_equal(lb_checkpoint_memo_opened(lb_seen_memo(ground.seen)), 2);
    assert_code(lb_seen_advance(ground.peer, progress, &checkpoint), LB_LOG_BEHIND);
    assert_int_equal(lb_checkpoint_memo_opened(lb_seen_memo(ground.seen)), 2);
    uint8_t other_key[LB_P256_PUBLIC_BYTES] = {9};
    assert_ok(lb_seen_open(ground.seen, TEST_ORIGIN, other_key, &ground.peer));
    assert_code(lb_seen_advance(ground.peer, progress, &checkpoint), LB_SIGNATURE_INVALID);
    assert_int_equal(lb_seen_size(ground.peer), 5);
    end(&ground);
}

static void what_was_seen_outlives_the_process(void **state)
{
    struct ground ground = begin(*state);
    assert_ok(show(&ground, 0)); /* the first is written at once, as a crash may come any time */
    struct lb_seen *crashed = ground.seen;
    open_seen(&ground);
    assert_int_equal(lb_seen_size(ground.peer), 3);
    test_append(ground.log, 4);
    assert_ok(show(&ground, 3));
    lb_seen_free(ground.seen);
    open_seen(&ground);
    assert_int_equal(lb_seen_size(ground.peer), 7);
    lb_seen_free(crashed);
    end(&ground);
}

static void a_new_key_keeps_the_history(void **state)
{
    struct ground ground = begin(*state);
    struct lb_sign_key *other = NULL;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    assert_ok(show(&ground, 0));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &other));
    assert_int_equal(lb_sign_key_public(other, public_key), 32);
    assert_ok(lb_seen_open(ground.seen, TEST_ORIGIN, public_key, &ground.peer));
    assert_int_equal(lb_seen_size(ground.peer), 3);
    assert_code(show(&ground, 3), LB_SIGNATURE_INVALID);
    lb_sign_key_free(other);
    end(&ground);
}

static void logs_of_other_names_are_apart(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_log *other = NULL;
    assert_ok(show(&ground, 0));
    assert_ok(lb_seen_open(ground.seen, "../../etc/passwd", ground.fixture->verifier.public_key,
                           &other));
    assert_int_equal(lb_seen_size(other), 0);
    ground.peer = other;
    assert_code(show(&ground, 0), LB_SIGNATURE_INVALID);
    end(&ground);
}

static void a_damaged_file_is_told(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_log *other = NULL;
    /* SHA-256 of "other". */
    const char *path = lb_arena_printf(
        ground.fixture->arena, "%s/%s", ground.fixture->root,
        "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
    assert_ok(lb_file_write(path, lb_span_str("short"), 0600));
    assert_code(lb_seen_open(ground.seen, "other", ground.fixture->verifier.public_key, &other),
                LB_MALFORMED);
    end(&ground);
}

static void read_head(struct ground *ground, struct lb_seen_head *out)
{
    assert_ok(lb_seen_read(ground->fixture->root, TEST_ORIGIN, ground->fixture->arena, out));
}

/* What is kept proves the size to anybody who knows the log's key, and stands beside it. */
static void the_note_is_kept_with_the_size(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_head head;
    struct lb_checkpoint checkpoint;
    assert_code(lb_seen_read(ground.fixture->root, TEST_ORIGIN, ground.fixture->arena, &head),
                LB_ABSENT);
    assert_ok(show(&ground, 0));
    test_append(ground.log, 4);
    assert_ok(show(&ground, 3));
    assert_ok(lb_seen_save(ground.peer));
    read_head(&ground, &head);
    assert_ok(lb_checkpoint_open(head.note, &ground.fixture->verifier, &checkpoint));
    assert_int_equal(checkpoint.size, 7);
    assert_int_equal(head.size, 7);
    assert_memory_equal(checkpoint.root.bytes, head.root.bytes, LB_HASH_BYTES);
    lb_seen_free(ground.seen);
    open_seen(&ground);
    lb_seen_free(ground.seen); /* nothing new: the file keeps its note */
    read_head(&ground, &head);
    assert_true(head.note.len > 0);
    open_seen(&ground);
    end(&ground);
}

/* A file of the version before has no note; it gets one with the next checkpoint of any size. */
static void a_file_without_a_note_is_read_and_completed(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_head head;
    assert_ok(show(&ground, 0));
    lb_seen_free(ground.seen);
    read_head(&ground, &head);
    struct lb_buf old;
    lb_buf_init(&old, 64);
    lb_buf_put_u64(&old, head.size);
    lb_buf_put(&old, lb_span_of(head.root.bytes, LB_HASH_BYTES));
    uint8_t digest[32];
    char hex[65];
    lb_sha256(lb_span_str(TEST_ORIGIN), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    const char *path =
        lb_arena_printf(ground.fixture->arena, "%s/%s", ground.fixture->root, hex);
    assert_ok(lb_file_write(path, lb_buf_span(&old), 0600));
    lb_buf_cleanup(&old);
    open_seen(&ground);
    assert_int_equal(lb_seen_size(ground.peer), 3);
    read_head(&ground, &head);
    assert_int_equal(head.note.len, 0);
    assert_ok(show(&ground, 3));
    assert_ok(lb_seen_save(ground.peer));
    read_head(&ground, &head);
    assert_true(head.note.len > 0);
    end(&ground);
}

static void what_is_said_to_be_lost_is_held_against_what_was_seen(void **state)
{
    struct ground ground = begin(*state);
    struct lb_seen_head head;
    uint8_t other[LB_HASH_BYTES] = {1};
    assert_ok(show(&ground, 0));
    assert_ok(lb_seen_save(ground.peer));
    read_head(&ground, &head);
    for (int in_memory = 1; in_memory >= 0; in_memory--) {
        assert_ok(lb_seen_check_lost(ground.seen, TEST_ORIGIN, 3, head.root.bytes));
        assert_ok(lb_seen_check_lost(ground.seen, TEST_ORIGIN, 4, other));
        assert_ok(lb_seen_check_lost(ground.seen, "never/seen", 0, other));
        assert_code(lb_seen_check_lost(ground.seen, TEST_ORIGIN, 3, other), LB_LOG_FORK);
        assert_code(lb_seen_check_lost(ground.seen, TEST_ORIGIN, 2, head.root.bytes),
                    LB_LOG_BEHIND);
        lb_seen_free(ground.seen);
        assert_ok(lb_seen_new(ground.fixture->root, &ground.seen));
    }
    end(&ground);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_links_see_one_log, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_shown_again_is_judged_again, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(what_was_seen_outlives_the_process, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_keeps_the_history, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(logs_of_other_names_are_apart, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_told, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(the_note_is_kept_with_the_size, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_a_note_is_read_and_completed, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(what_is_said_to_be_lost_is_held_against_what_was_seen,
                                        test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
