#include "gateway/witness/fixture.h"

#include <pthread.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/evidence/inspect.h"
#include "gateway/note/cosign.h"
#include "gateway/store/store.h"

/* transparency-dev/witness, witness_test.go. The cosignature was derived from its keys. */
#define MONKEYS "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define WITNESS_SKEY "PRIVATE+KEY+witness+f13a86db+AaLa/dfyBhyo/m0Z7WCi98ENVZWtrP8pxgRNrx7tIWiA"
#define DASH "\xe2\x80\x94 "
#define BODY_5                                                                                     \
    "old 0\n\nmonkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n" DASH                   \
    "monkeys 202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9Dbi"   \
    "cZCkEx9AY=\n"
#define SIZE_8                                                                                     \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n" DASH                            \
    "monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8Gxrj"     \
    "ePZhvDCH7Ag=\n"
#define COSIGNED_8                                                                                 \
    DASH "witness JLN4UQAAAABkGFDL30hyK1zJfcjUteDTTLwHjqqBssk83aRYgcomnd8bo/7OG1sGbEwpJoabhF3o"    \
         "O+9mYxBnYeQ2iSFGj5xaybB7Aw==\n"

/* The published log, as the published witness sees it. */
static void answers_the_published_vectors(void **state)
{
    struct fixture *fx = *state;
    static const char *const proof[] = {
        "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
        "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
        "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
        "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833",
    };
    struct lb_hash path[4];
    struct lb_witness_options options = {.folder = fx->witnesses[0].folder,
                                         .name = "witness",
                                         .clock = &fx->clock.clock,
                                         .log = fx->log};
    struct lb_sign_key *key = NULL;
    struct lb_witness_reply reply;
    struct lb_span body;
    const char *name = NULL;
    assert_ok(lb_note_signer_parse(lb_span_str(WITNESS_SKEY), fx->arena, &name, &key));
    options.key = key;
    fx->clock.now_unix_ms = INT64_C(1679315147) * 1000;
    lb_witness_close(fx->witnesses[0].witness);
    assert_ok(lb_witness_open(&options, &fx->diag, &fx->witnesses[0].witness));
    struct lb_witness *witness = fx->witnesses[0].witness;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier;
    assert_ok(lb_note_verifier_parse(lb_span_str(MONKEYS), &verifier));
    for (size_t i = 0; i < 4; i++)
        assert_ok(lb_hex_decode(lb_span_str(proof[i]), path[i].bytes, LB_HASH_BYTES));
    assert_ok(lb_witness_add(witness, FX_PEER, &verifier, lb_span_str(BODY_5), fx->arena, &reply));
    assert_int_equal(reply.answer, 200);
    assert_ok(lb_add_checkpoint_write(5, path, 4, lb_span_str(SIZE_8), fx->arena, &body));
    assert_ok(lb_witness_add(witness, FX_PEER, &verifier, body, fx->arena, &reply));
    assert_int_equal(reply.answer, 200);
    assert_true(lb_span_is(reply.body, COSIGNED_8));
    /* The smaller one again is no longer what was cosigned last. */
    assert_ok(lb_witness_add(witness, FX_PEER, &verifier, lb_span_str(BODY_5), fx->arena, &reply));
    assert_int_equal(reply.answer, 409);
    assert_true(lb_span_is(reply.body, "8\n"));
    lb_witness_close(witness);
    fx->witnesses[0].witness = NULL;
    lb_sign_key_free(key);
}

static void cosigns_growth_step_by_step(void **state)
{
    struct fixture *fx = *state;
    struct lb_span line;
    int64_t unix_s = 0;
    uint64_t size = 1;
    struct lb_hash root;
    struct lb_cosigner cosigner;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->witnesses[0].key, public_key);
    assert_ok(lb_cosigner_init(fx->witnesses[0].name, public_key, &cosigner));
    assert_code(lb_witness_latest(fx->witnesses[0].witness, FX_ORIGIN, &size, &root), LB_ABSENT);
    uint64_t old_size = 0;
    for (size_t i = 0; i < 8; i++) {
        struct lb_log_head head = fx_head(fx, fx->log);
        assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, old_size), &line), 200);
        const char *note = lb_arena_printf(fx->arena, "%s%s", (const char *)head.checkpoint.ptr,
                                           (const char *)line.ptr);
        assert_ok(lb_cosign_verify(lb_span_str(note), &cosigner, &unix_s, NULL));
        assert_int_equal(unix_s, fx->clock.now_unix_ms / 1000);
        assert_ok(lb_witness_latest(fx->witnesses[0].witness, FX_ORIGIN, &size, &root));
        assert_int_equal(size, head.size);
        old_size = head.size;
        fx_append(fx->log, i);
        fx_later(fx, 1000);
    }
    /* The same once more. */
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, old_size), &line), 200);
    old_size = fx_head(fx, fx->log).size;
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, old_size), &line), 200);
    lb_cosigner_cleanup(&cosigner);
}

/* The time it puts its name to never goes back. */
static void holds_a_loss_against_what_it_cosigned(void **state)
{
    struct fixture *fx = *state;
    struct lb_witness *witness = fx->witnesses[0].witness;
    struct lb_span line, note;
    const uint8_t other[LB_HASH_BYTES] = {1};
    const char *folder = fx->witnesses[0].folder;
    fx_append(fx->log, 1);
    fx_append(fx->log, 2);
    struct lb_log_head head = fx_head(fx, fx->log);
    assert_ok(lb_witness_check_lost(witness, FX_ORIGIN, 0, other));
    assert_code(lb_witness_read(folder, FX_ORIGIN, fx->arena, &note), LB_ABSENT);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), &line), 200);
    assert_ok(lb_witness_check_lost(witness, FX_ORIGIN, head.size, head.root.bytes));
    assert_ok(lb_witness_check_lost(witness, FX_ORIGIN, head.size + 1, other));
    assert_code(lb_witness_check_lost(witness, FX_ORIGIN, head.size, other), LB_LOG_FORK);
    assert_code(lb_witness_check_lost(witness, FX_ORIGIN, head.size - 1, head.root.bytes),
                LB_LOG_BEHIND);
    assert_ok(lb_witness_read(folder, FX_ORIGIN, fx->arena, &note));
    assert_memory_equal(note.ptr, head.checkpoint.ptr, head.checkpoint.len);
    assert_true(note.len > head.checkpoint.len); /* its own signature as well */
}

static void keeps_its_time(void **state)
{
    struct fixture *fx = *state;
    struct lb_span first, second;
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), &first), 200);
    fx->clock.now_unix_ms -= 86400 * 1000;
    fx_open_witness(fx, 0);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), &second), 200);
    assert_true(lb_span_eq(first, second));
}

static void refuses_what_is_not_the_peers_own(void **state)
{
    struct fixture *fx = *state;
    struct lb_span body = fx_body(fx, fx->log, 0), forged;
    struct lb_note_verifier other;
    struct lb_witness_reply reply;
    uint64_t size = 0;
    struct lb_hash root;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->witnesses[0].key, public_key);
    /* Another's log. */
    assert_ok(lb_note_verifier_init("test.gov/adapter/health", public_key, &other));
    assert_ok(lb_witness_add(fx->witnesses[0].witness, "spiffe://test.gov/adapter/health", &other,
                             body, fx->arena, &reply));
    assert_int_equal(reply.answer, 404);
    lb_note_verifier_cleanup(&other);
    /* Its own, but signed with another key than the directory's. */
    assert_ok(lb_note_verifier_init(FX_ORIGIN, public_key, &other));
    assert_ok(lb_witness_add(fx->witnesses[0].witness, FX_PEER, &other, body, fx->arena, &reply));
    assert_int_equal(reply.answer, 403);
    lb_note_verifier_cleanup(&other);
    /* Every changed byte of what is signed, and of the signature. */
    for (size_t i = 7; i < body.len; i++) {
        assert_ok(lb_arena_copy(fx->arena, body, &forged));
        ((uint8_t *)(uintptr_t)forged.ptr)[i] ^= 1;
        assert_int_not_equal(fx_ask(fx, 0, forged, NULL), 200);
    }
    assert_int_equal(fx_ask(fx, 0, lb_span_str("old 0\n"), NULL), 400);
    assert_int_equal(fx_ask(fx, 0, LB_SPAN_EMPTY, NULL), 400);
    assert_code(lb_witness_latest(fx->witnesses[0].witness, FX_ORIGIN, &size, &root), LB_ABSENT);
}

/* The log signs a second history, from its middle on and from its start. */
static void refuses_a_fork(void **state)
{
    struct fixture *fx = *state;
    struct lb_span told;
    const char *folder = fx_path(fx, "fork");
    fx_append(fx->log, 4);
    lb_log_close(fx->log);
    fx_copy(fx, fx->folder, folder);
    fx->log = fx_open_log(fx, fx->folder);
    fx_append(fx->log, 3);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), NULL), 200);
    fx_later(fx, 1000);
    struct lb_log *fork = fx_open_log(fx, folder);
    /* Shorter: only an old size that is past it would fit. */
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fork, 4), &told), 409);
    assert_true(lb_span_is(told, "7\n"));
    /* As long, with another root. */
    fx_append(fork, 3);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fork, 7), NULL), 422);
    /* Longer. */
    fx_append(fork, 5);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fork, 7), NULL), 422);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fork, 4), NULL), 409);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fork, 0), NULL), 409);
    /* The honest one goes on. */
    fx_append(fx->log, 2);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 7), NULL), 200);
    lb_log_close(fork);
}

static void remembers_through_a_restart(void **state)
{
    struct fixture *fx = *state;
    struct lb_span told;
    fx_append(fx->log, 5);
    struct lb_span small = fx_body(fx, fx->log, 0);
    fx_append(fx->log, 5);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), NULL), 200);
    fx_open_witness(fx, 0);
    assert_int_equal(fx_ask(fx, 0, small, &told), 409);
    assert_true(lb_span_is(told, "10\n"));
    fx_append(fx->log, 1);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 10), NULL), 200);
}

/* --- two at once --- */

#define RACERS 4
#define LAPS 40

struct racer {
    struct fixture *fx;
    const struct lb_span *bodies;
    pthread_t thread;
    unsigned num_cosigned;
    bool went_back;
};

/* Each tries every step, in a different order; what is cosigned last must only ever grow. */
static void *race(void *arg)
{
    struct racer *racer = arg;
    struct lb_witness *witness = racer->fx->witnesses[0].witness;
    struct lb_arena *arena = lb_arena_new(16 * 1024 * 1024);
    uint64_t before = 0, size = 0;
    struct lb_hash root;
    for (size_t lap = 0; lap < 3 * LAPS; lap++) {
        struct lb_witness_reply reply;
        if (lb_witness_add(witness, FX_PEER, &racer->fx->verifier, racer->bodies[lap % LAPS],
                           arena, &reply) == LB_OK &&
            reply.answer == 200)
            racer->num_cosigned++;
        if (lb_witness_latest(witness, FX_ORIGIN, &size, &root) == LB_OK) {
            racer->went_back = racer->went_back || size < before;
            before = size;
        }
    }
    lb_arena_free(arena);
    return NULL;
}

static void does_not_go_back_in_a_race(void **state)
{
    struct fixture *fx = *state;
    struct lb_span bodies[LAPS];
    struct racer racers[RACERS];
    unsigned cosigned = 0;
    for (size_t i = 0; i < LAPS; i++) {
        fx_append(fx->log, 1);
        bodies[i] = fx_body(fx, fx->log, i);
    }
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.fx = fx, .bodies = bodies};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        (void)pthread_join(racers[i].thread, NULL);
        assert_false(racers[i].went_back);
        cosigned += racers[i].num_cosigned;
    }
    /* Each step was cosigned by exactly one of them. */
    assert_int_equal(cosigned, LAPS);
}

/* --- its own evidence --- */

static size_t count_codes(struct fixture *fx, const char *code)
{
    struct lb_log_reader *reader = NULL;
    uint64_t size = 0;
    size_t num = 0;
    assert_ok(lb_log_reader_open(fx->folder, &fx->diag, &reader));
    assert_ok(lb_log_reader_size(reader, &size));
    for (uint64_t i = 0; i < size; i++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        assert_ok(lb_log_reader_leaf(reader, i, fx->arena, &leaf, &hash));
        num += strcmp(leaf.code, code) == 0 ? leaf.count : 0;
    }
    lb_log_reader_close(reader);
    return num;
}

static void records_what_it_cosigned_and_refused(void **state)
{
    struct fixture *fx = *state;
    const struct lb_witness_options options = {
        .folder = fx->witnesses[0].folder,
        .name = fx->witnesses[0].name,
        .key = fx->witnesses[0].key,
        .clock = &fx->clock.clock,
        .log = fx->log, /* stands for the auditor's own */
        .keeps_entries = true,
        .seals_detail = true,
    };
    const char *folder = fx_path(fx, "witnessed");
    struct lb_log *log = fx_open_log(fx, folder);
    lb_witness_close(fx->witnesses[0].witness);
    assert_ok(lb_witness_open(&options, &fx->diag, &fx->witnesses[0].witness));
    fx_append(log, 3);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, log, 0), NULL), 200);
    assert_int_equal(count_codes(fx, "COSIGNED"), 1);
    /* The same size again is no news. */
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, log, 3), NULL), 200);
    assert_int_equal(count_codes(fx, "COSIGNED"), 1);
    struct lb_span small = fx_body(fx, log, 2);
    fx_append(log, 1);
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, log, 3), NULL), 200);
    assert_int_equal(count_codes(fx, "COSIGNED"), 2);
    assert_int_equal(fx_ask(fx, 0, small, NULL), 409); /* shorter than what it cosigned */
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, log, 0), NULL), 409); /* only asks */
    assert_int_equal(fx_ask(fx, 0, lb_span_str("x"), NULL), 400);
    lb_log_close(log);
    lb_log_close(fx->log);
    assert_int_equal(count_codes(fx, "LOG_BEHIND"), 1);
    assert_int_equal(count_codes(fx, "MALFORMED"), 1);
    fx->log = fx_open_log(fx, fx->folder);
}

/* What can't be kept is not cosigned, then or later. */
static void says_nothing_without_its_store(void **state)
{
    struct fixture *fx = *state;
    struct lb_store *store = NULL;
    struct lb_witness_reply reply;
    const struct lb_store_options options = {
        .path = lb_arena_printf(fx->arena, "%s/" LB_WITNESS_DATABASE, fx->witnesses[0].folder),
        .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, "DROP TABLE witnessed"));
    lb_store_close(store);
    for (int i = 0; i < 2; i++)
        assert_code(lb_witness_add(fx->witnesses[0].witness, FX_PEER, &fx->verifier,
                                   fx_body(fx, fx->log, 0), fx->arena, &reply),
                    LB_LOG_UNAVAILABLE);
}

static void needs_a_key_of_its_kind(void **state)
{
    struct fixture *fx = *state;
    struct lb_sign_key *key = NULL;
    struct lb_witness *witness = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    struct lb_witness_options options = {
        .folder = fx->root, .name = "a", .key = key, .clock = &fx->clock.clock, .log = fx->log};
    assert_code(lb_witness_open(&options, &fx->diag, &witness), LB_CONFIG_INVALID);
    options.key = fx->witnesses[0].key;
    options.name = "a b";
    assert_code(lb_witness_open(&options, &fx->diag, &witness), LB_CONFIG_INVALID);
    lb_sign_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_the_published_vectors, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(cosigns_growth_step_by_step, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(holds_a_loss_against_what_it_cosigned, fx_set_up,
                                        fx_tear_down),
        cmocka_unit_test_setup_teardown(keeps_its_time, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_not_the_peers_own, fx_set_up,
                                        fx_tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_fork, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(remembers_through_a_restart, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(does_not_go_back_in_a_race, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(records_what_it_cosigned_and_refused, fx_set_up,
                                        fx_tear_down),
        cmocka_unit_test_setup_teardown(says_nothing_without_its_store, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(needs_a_key_of_its_kind, fx_set_up, fx_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
