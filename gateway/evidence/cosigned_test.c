#include <stdio.h>

#include "gateway/evidence/test_log.h"

#include "gateway/evidence/cosigned.h"
#include "gateway/evidence/export.h"

#define NUM_WITNESSES 2

/* A log, and two witnesses of which both must cosign. */
struct world {
    struct fixture *log;
    struct lb_sign_key *keys[NUM_WITNESSES];
    struct lb_witness_policy *policy;
};

static int set_up(void **state)
{
    static struct world world;
    void *log = NULL;
    (void)test_set_up(&log);
    world.log = log;
    const char *text = "";
    for (int i = 0; i < NUM_WITNESSES; i++) {
        uint8_t seed[32], public_key[LB_P256_PUBLIC_BYTES];
        struct lb_cosigner cosigner;
        memset(seed, 0x20 + i, sizeof(seed));
        assert_ok(lb_sign_key_from_seed(seed, &world.keys[i]));
        (void)lb_sign_key_public(world.keys[i], public_key);
        assert_ok(lb_cosigner_init(i == 0 ? "one" : "two", public_key, &cosigner));
        text = lb_arena_printf(world.log->arena, "%switness %s %s\n", text, cosigner.name,
                               lb_cosigner_format(&cosigner, world.log->arena));
        lb_cosigner_cleanup(&cosigner);
    }
    text = lb_arena_printf(world.log->arena, "%sgroup both all one two\nquorum both\n", text);
    assert_ok(lb_witness_policy_parse(lb_span_str(text), "p", &world.log->diag, &world.policy));
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    void *log = world->log;
    for (int i = 0; i < NUM_WITNESSES; i++)
        lb_sign_key_free(world->keys[i]);
    lb_witness_policy_free(world->policy);
    return test_tear_down(&log);
}

/* The log's newest checkpoint with the cosignatures of the first `num` witnesses. */
static struct lb_cosigned_row cosigned_head(struct world *world, struct lb_log *log, int num)
{
    struct lb_arena *arena = world->log->arena;
    struct lb_log_head head;
    assert_ok(lb_log_head(log, arena, &head));
    struct lb_cosigned_row row = {
        .size = head.size, .unix_s = 1700000000, .met = num == 2, .note = head.checkpoint};
    for (int i = 0; i < num; i++) {
        struct lb_span line;
        assert_ok(lb_cosign(head.checkpoint, i == 0 ? "one" : "two", world->keys[i], 1700000000,
                            arena, &line));
        row.note = lb_span_str(lb_arena_printf(arena, "%.*s%.*s", (int)row.note.len,
                                               (const char *)row.note.ptr, (int)line.len,
                                               (const char *)line.ptr));
    }
    return row;
}

static void put(struct world *world, const struct lb_cosigned_row *row)
{
    struct lb_cosigned *cosigned = NULL;
    assert_ok(lb_cosigned_open(world->log->folder, &cosigned));
    assert_ok(lb_cosigned_put(cosigned, row));
    lb_cosigned_close(cosigned);
}

static enum lb_code newest(struct world *world, bool met_only, uint64_t *out_size)
{
    struct lb_cosigned *cosigned = NULL;
    struct lb_cosigned_row row = {.size = 0};
    assert_ok(lb_cosigned_open_read(world->log->folder, &cosigned));
    lb_status status = lb_cosigned_newest(cosigned, met_only, world->log->arena, &row);
    lb_cosigned_close(cosigned);
    *out_size = row.size;
    return lb_status_code(status);
}

static void keeps_the_newest_and_the_quorum(void **state)
{
    struct world *world = *state;
    struct lb_cosigned *cosigned = NULL;
    uint64_t size = 0;
    assert_code(lb_cosigned_open_read(world->log->folder, &cosigned), LB_ABSENT);
    struct lb_log *log = test_open(world->log);
    test_append(log, 3);
    struct lb_cosigned_row row = cosigned_head(world, log, 2);
    put(world, &row);
    /* Of one size, less never replaces more. */
    struct lb_cosigned_row less = cosigned_head(world, log, 1);
    put(world, &less);
    assert_int_equal(newest(world, true, &size), LB_CODE_OK);
    assert_int_equal(size, 3);
    test_append(log, 1);
    less = cosigned_head(world, log, 1);
    put(world, &less);
    assert_int_equal(newest(world, true, &size), LB_CODE_OK);
    assert_int_equal(size, 3);
    assert_int_equal(newest(world, false, &size), LB_CODE_OK);
    assert_int_equal(size, 4);
    lb_log_close(log);
}

static void thins_out_what_is_old(void **state)
{
    struct world *world = *state;
    struct lb_cosigned *cosigned = NULL;
    struct lb_store *store = NULL;
    struct lb_stmt *count = NULL;
    bool any = false;
    struct lb_log *log = test_open(world->log);
    struct lb_cosigned_row row = {.note = lb_span_str("x"), .met = true};
    assert_ok(lb_cosigned_open(world->log->folder, &cosigned));
    /* Four in the hour two days ago, two of today; the store is asked again from today on. */
    for (uint64_t i = 1; i <= 4; i++) {
        row.size = i;
        row.unix_s = 1700000000 - 2 * 86400 + (int64_t)i;
        assert_ok(lb_cosigned_put(cosigned, &row));
    }
    lb_cosigned_close(cosigned);
    row.unix_s = 1700000000;
    for (row.size = 5; row.size <= 6; row.size++)
        put(world, &row);
    const struct lb_store_options options = {
        .path = test_path(world->log, world->log->folder, LB_COSIGNED_DATABASE),
        .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, "SELECT count(*), min(size) FROM cosigned", &count));
    assert_ok(lb_stmt_step(count, &any));
    assert_int_equal(lb_stmt_int(count, 0), 3);
    assert_int_equal(lb_stmt_int(count, 1), 4);
    lb_store_close(store);
    lb_log_close(log);
}

static enum lb_code read_witnessed(struct world *world, struct lb_witnessed *out)
{
    struct lb_span note;
    world->log->diag.text[0] = 0;
    lb_status status = lb_witnessed_read(world->log->folder, &world->log->verifier, world->policy,
                                         world->log->arena, &world->log->diag, out, &note);
    assert_int_equal(status != LB_OK, world->log->diag.text[0] != 0);
    return lb_status_code(status);
}

static enum lb_code compare(struct world *world, const char *folder,
                            const struct lb_witnessed *witnessed)
{
    struct lb_log_reader *reader = NULL;
    assert_ok(lb_log_reader_open(folder, &world->log->diag, &reader));
    lb_status status =
        lb_witnessed_compare(reader, &witnessed->checkpoint, &world->log->diag);
    lb_log_reader_close(reader);
    return lb_status_code(status);
}

static void proves_what_was_witnessed(void **state)
{
    struct world *world = *state;
    struct lb_witnessed witnessed;
    struct lb_log *log = test_open(world->log);
    test_append(log, 5);
    assert_int_equal(read_witnessed(world, &witnessed), LB_ABSENT);
    struct lb_cosigned_row row = cosigned_head(world, log, 2);
    put(world, &row);
    assert_int_equal(read_witnessed(world, &witnessed), LB_CODE_OK);
    assert_int_equal(witnessed.checkpoint.size, 5);
    assert_int_equal(witnessed.cosigned, 3);
    assert_int_equal(compare(world, world->log->folder, &witnessed), LB_CODE_OK);
    test_append(log, 300);
    assert_int_equal(compare(world, world->log->folder, &witnessed), LB_CODE_OK);
    lb_log_close(log);
}

/* A row that only says that its quorum was met. */
static void believes_no_row(void **state)
{
    struct world *world = *state;
    struct lb_witnessed witnessed;
    struct lb_log *log = test_open(world->log);
    test_append(log, 2);
    struct lb_cosigned_row row = cosigned_head(world, log, 1);
    row.met = true;
    put(world, &row);
    assert_int_equal(read_witnessed(world, &witnessed), LB_ABSENT);
    row = cosigned_head(world, log, 2);
    row.size = 7;
    uint8_t *bytes = (uint8_t *)(uintptr_t)row.note.ptr;
    bytes[strlen(TEST_ORIGIN) + 5] ^= 1;
    put(world, &row);
    assert_int_not_equal(read_witnessed(world, &witnessed), LB_CODE_OK);
    lb_log_close(log);
}

/* The same key and origin, begun anew: shorter, and once it has grown, another history. */
static void names_a_log_written_anew(void **state)
{
    struct world *world = *state;
    struct lb_witnessed witnessed;
    struct lb_log *log = test_open(world->log);
    test_append(log, 6);
    struct lb_cosigned_row row = cosigned_head(world, log, 2);
    put(world, &row);
    assert_int_equal(read_witnessed(world, &witnessed), LB_CODE_OK);
    lb_log_close(log);
    world->log->clock.now_unix_ms += 1000;
    struct lb_log_options options = test_options(world->log);
    options.folder = test_path(world->log, world->log->root, "anew");
    assert_ok(lb_log_open(&options, &world->log->diag, &log));
    test_append(log, 2);
    assert_int_equal(compare(world, options.folder, &witnessed), LB_LOG_BEHIND);
    test_append(log, 9);
    assert_int_equal(compare(world, options.folder, &witnessed), LB_LOG_FORK);
    lb_log_close(log);
}

/* --- exporting with what witnesses have cosigned --- */

struct exported {
    struct world *world;
    const char *out;
    struct lb_export_result result;
    struct lb_span checkpoint;     /* the file's content */
    struct lb_witnessed witnessed; /* what it proves by the policy */
};

/* Exports up to what was witnessed last, or all there is. */
static lb_status run_export(struct exported *exported, bool witnessed)
{
    struct fixture *log = exported->world->log;
    struct lb_log_reader *reader = NULL;
    struct lb_export *export = NULL;
    struct lb_span note = LB_SPAN_EMPTY;
    if (witnessed)
        assert_ok(lb_witnessed_read(log->folder, &log->verifier, exported->world->policy,
                                    log->arena, &log->diag, &exported->witnessed, &note));
    assert_ok(lb_log_reader_open(log->folder, &log->diag, &reader));
    assert_ok(lb_export_open(exported->out, true, &log->diag, &export));
    lb_status status = lb_log_reader_export_at(reader, export, &log->verifier, note, &log->diag,
                                               &exported->result);
    lb_log_reader_close(reader);
    lb_export_close(export);
    return status;
}

/* The files verify by themselves; and by the policy, as the code says. */
static lb_status check_export(struct exported *exported)
{
    struct fixture *log = exported->world->log;
    struct lb_export *export = NULL;
    struct lb_checkpoint checkpoint;
    assert_ok(lb_export_open(exported->out, false, &log->diag, &export));
    assert_ok(lb_export_verify(export, &log->verifier, &log->diag, &checkpoint));
    assert_int_equal(checkpoint.size, exported->result.checkpoint.size);
    assert_ok(lb_export_note(export, log->arena, &exported->checkpoint));
    lb_export_close(export);
    return lb_witnessed_check(exported->checkpoint, &log->verifier, exported->world->policy,
                              &log->diag, &exported->witnessed);
}

static void exports_what_was_witnessed(void **state)
{
    struct world *world = *state;
    struct exported exported = {
        .world = world, .out = test_path(world->log, world->log->root, "out")};
    struct lb_log *log = test_open(world->log);
    test_append(log, 3);
    struct lb_cosigned_row row = cosigned_head(world, log, 2);
    put(world, &row);
    test_append(log, 2);
    assert_code(run_export(&exported, true), LB_CODE_OK);
    assert_int_equal(exported.result.checkpoint.size, 3);
    assert_code(check_export(&exported), LB_CODE_OK);
    assert_int_equal(exported.witnessed.cosigned, 3);
    struct lb_span first = exported.checkpoint;
    /* The same tree with one signature only does not take the others' away. */
    assert_code(run_export(&exported, true), LB_CODE_OK);
    assert_int_equal(exported.result.num_files, 0);
    /* It grows across full tiles. */
    test_append(log, 700);
    row = cosigned_head(world, log, 2);
    put(world, &row);
    test_append(log, 1);
    assert_code(run_export(&exported, true), LB_CODE_OK);
    assert_int_equal(exported.result.checkpoint.size, 705);
    assert_int_equal(exported.result.from, 3);
    assert_code(check_export(&exported), LB_CODE_OK);
    assert_false(lb_span_eq(first, exported.checkpoint));
    /* All there is, without witnesses; then there is nothing to end at that covers it. */
    assert_code(run_export(&exported, false), LB_CODE_OK);
    assert_int_equal(exported.result.checkpoint.size, 706);
    assert_code(check_export(&exported), LB_ABSENT);
    assert_code(run_export(&exported, true), LB_LOG_UNWITNESSED);
    row = cosigned_head(world, log, 2);
    put(world, &row);
    assert_code(run_export(&exported, true), LB_CODE_OK);
    assert_code(check_export(&exported), LB_CODE_OK);
    assert_code(run_export(&exported, false), LB_CODE_OK);
    assert_code(check_export(&exported), LB_CODE_OK);
    lb_log_close(log);
}

/* What witnesses vouch for is not what lies here. */
static void exports_no_other_history(void **state)
{
    struct world *world = *state;
    struct exported exported = {
        .world = world, .out = test_path(world->log, world->log->root, "out")};
    struct lb_log *log = test_open(world->log);
    test_append(log, 6);
    struct lb_cosigned_row row = cosigned_head(world, log, 2);
    lb_log_close(log);
    world->log->clock.now_unix_ms += 1000;
    (void)snprintf(world->log->folder, sizeof(world->log->folder), "%s/anew", world->log->root);
    log = test_open(world->log);
    put(world, &row);
    test_append(log, 2);
    assert_code(run_export(&exported, true), LB_LOG_BEHIND);
    test_append(log, 9);
    assert_code(run_export(&exported, true), LB_LOG_FORK);
    assert_int_equal(test_file_size(test_path(world->log, exported.out, "checkpoint")), -1);
    lb_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_the_newest_and_the_quorum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(thins_out_what_is_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proves_what_was_witnessed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(believes_no_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_a_log_written_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exports_what_was_witnessed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exports_no_other_history, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
