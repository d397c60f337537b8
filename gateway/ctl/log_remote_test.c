#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/port.h"
#include "gateway/evidence/link.h"
#include "gateway/wire/pb.h"

/* An auditor reads a log over its port. The other side is a log of this test that may lie. */

#define ORIGIN "example/adapter/tax"
#define ADAPTER "spiffe://example/adapter/tax"
#define LOG(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", __VA_ARGS__)

#define PROFILE(node_, more_)                                                                      \
    "node: " node_ "\n"                                                                            \
    "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"                                       \
    "crl: crl.pem\n"                                                                               \
    "directory: {file: d.note, signers: [\"example+01020304+AQ\"]}\n"                              \
    "state: state\n" more_
#define AUDITOR PROFILE("spiffe://example/auditor/audit", "")
#define OFFICER PROFILE("spiffe://example/officer/tax/li", "adapter: " ADAPTER "\n")

enum lie {
    HONEST,
    TILE_CHANGED,
    TILE_SHORT,
    ENTRY_CHANGED,
    ENTRIES_TOO_MANY,
    ENTRIES_NONE,
    ENTRIES_CUT,
    PATH_SHORT_HASH,
    PATH_TOO_LONG,
    REFUSED,
};

struct bench {
    struct test_log kept;
    struct lb_log *log;
    enum lie lie;
    unsigned num_opened;
    unsigned num_calls;
    char asked[64];
    char profile[400];
    char out[400];
};

static struct bench bench;

/* --- the other side --- */

static lb_status answer_progress(const Lianban__V1__GetCheckpointRequest *request,
                                 struct lb_arena *arena, Lianban__V1__LogProgress **out)
{
    uint64_t shown = request->from_size;
    uint64_t size = 0;
    struct lb_log_head head;
    LB_TRY(lb_log_head(bench.log, arena, &head));
    LB_ENSURE(shown <= head.size, LB_LOG_BEHIND, "the caller holds a larger tree");
    LB_TRY(lb_link_show(bench.log, &shown, arena, out, &size));
    if (bench.lie == PATH_SHORT_HASH && (*out)->n_consistency > 0)
        (*out)->consistency[0].len--;
    if (bench.lie == PATH_TOO_LONG) {
        (*out)->consistency = lb_arena_array(arena, 65, sizeof(ProtobufCBinaryData));
        (*out)->n_consistency = 65;
    }
    return LB_OK;
}

static lb_status answer_tile(const Lianban__V1__GetTileRequest *request, struct lb_arena *arena,
                             Lianban__V1__GetTileResponse **out)
{
    struct lb_hash *hashes = lb_arena_array(arena, 256, sizeof(*hashes));
    LB_TRY(lb_log_tile(bench.log, request->level, request->index, request->width, hashes));
    hashes[0].bytes[7] ^= bench.lie == TILE_CHANGED;
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__get_tile_response__init(*out);
    size_t len = request->width * sizeof(*hashes) - (bench.lie == TILE_SHORT);
    (*out)->hashes = lb_pb_bytes(lb_span_of(hashes, len));
    return LB_OK;
}

static lb_status answer_entries(const Lianban__V1__GetEntriesRequest *request,
                                struct lb_arena *arena, Lianban__V1__GetEntriesResponse **out)
{
    struct lb_span entries = LB_SPAN_EMPTY;
    LB_TRY(lb_log_entries(bench.log, request->index, request->count, 300, arena, &entries));
    if (bench.lie == ENTRIES_TOO_MANY) {
        LB_TRY(lb_log_entries(bench.log, 0, 6, 65536, arena, &entries));
        uint8_t *twice = lb_arena_alloc(arena, 2 * entries.len);
        memcpy(twice, entries.ptr, entries.len);
        memcpy(twice + entries.len, entries.ptr, entries.len);
        entries = lb_span_of(twice, 2 * entries.len);
    }
    uint8_t *bytes = (uint8_t *)(uintptr_t)entries.ptr;
    bytes[40] ^= bench.lie == ENTRY_CHANGED;
    entries.len -= bench.lie == ENTRIES_CUT;
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__get_entries_response__init(*out);
    (*out)->entries = lb_pb_bytes(bench.lie == ENTRIES_NONE ? LB_SPAN_EMPTY : entries);
    return LB_OK;
}

static lb_status ask(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out)
{
    (void)ctx;
    (void)reply_kind;
    bench.num_calls++;
    LB_ENSURE(bench.lie != REFUSED, LB_ROLE_NOT_ALLOWED, "this member does not review this log");
    if (strcmp(method, "GetCheckpoint") == 0)
        return answer_progress(request, arena, out);
    if (strcmp(method, "GetTile") == 0)
        return answer_tile(request, arena, out);
    assert_string_equal(method, "GetEntries");
    return answer_entries(request, arena, out);
}

static void close_port(void *ctx)
{
    (void)ctx;
    bench.num_opened--;
}

static lb_status open_log(void *ctx, const struct lb_ctl_desk_profile *profile, const char *spiffe,
                          const struct lb_clock *clock, struct lb_diag *diag,
                          struct lb_ctl_log_port *out)
{
    (void)ctx;
    (void)profile;
    (void)clock;
    (void)diag;
    *out = (struct lb_ctl_log_port){.ask = ask, .close = close_port};
    (void)snprintf(bench.asked, sizeof(bench.asked), "%s", spiffe);
    assert_ok(lb_note_verifier_parse(lb_span_str(bench.kept.vkey), &out->verifier));
    bench.num_opened++;
    return LB_OK;
}

static void serve(const char *folder)
{
    struct lb_diag diag;
    const struct lb_log_options options = {
        .folder = folder, .origin = ORIGIN, .key = bench.kept.key, .clock = lb_clock_system(),
        .create = true,
    };
    lb_log_close(bench.log);
    assert_ok(lb_log_open(&options, &diag, &bench.log));
}

static void append(unsigned num)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    for (unsigned i = 0; i < num; i++) {
        *entry = (struct lb_log_entry){.leaf = {.type = LB_LEAF_ADMIN, .code = "STARTED"}};
        assert_ok(lb_log_append_wait(bench.log, entry));
    }
    free(entry);
}

static int set_up(void **state)
{
    (void)test_set_up(state);
    struct test_cli *cli = *state;
    bench = (struct bench){.lie = HONEST};
    cli->remote.open_log = open_log;
    test_log_make(cli, "tax", ORIGIN, &bench.kept);
    serve(bench.kept.folder);
    (void)snprintf(bench.profile, sizeof(bench.profile), "%s",
                   test_file(cli, "auditor.yaml", AUDITOR));
    (void)snprintf(bench.out, sizeof(bench.out), "%s/exported", cli->folder);
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(bench.num_opened, 0);
    lb_log_close(bench.log);
    test_log_free(&bench.kept);
    return test_tear_down(state);
}

static int pull(struct test_cli *cli)
{
    return LOG(cli, "export", "--profile", bench.profile, "--from", ADAPTER, "--out", bench.out);
}

static int verify(struct test_cli *cli)
{
    return LOG(cli, "verify", "--tiles", bench.out, "--vkey", bench.kept.vkey);
}

/* --- the tests --- */

static void an_auditor_pulls_a_log_and_what_is_new(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(pull(cli), LB_CTL_OK);
    assert_string_equal(bench.asked, ADAPTER);
    assert_non_null(strstr(cli->out, "6 entries, 6 of them new; 3 files"));
    assert_true(bench.num_calls > 3); /* an answer holds one or two entries */
    assert_int_equal(verify(cli), LB_CTL_OK);
    append(3);
    assert_int_equal(pull(cli), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "9 entries, 3 of them new"));
    assert_int_equal(verify(cli), LB_CTL_OK);
    assert_int_equal(pull(cli), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "9 entries, 0 of them new; 0 files"));
}

static void an_officer_needs_no_name(void **state)
{
    struct test_cli *cli = *state;
    char officer[400];
    (void)snprintf(officer, sizeof(officer), "%s", test_file(cli, "officer.yaml", OFFICER));
    assert_int_equal(LOG(cli, "export", "--profile", officer, "--out", bench.out), LB_CTL_OK);
    assert_string_equal(bench.asked, ADAPTER);
    assert_int_equal(LOG(cli, "export", "--profile", bench.profile, "--out", bench.out),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "--from"));
}

static void every_lie_is_refused_before_the_checkpoint(void **state)
{
    struct test_cli *cli = *state;
    static const struct {
        enum lie lie;
        const char *code;
    } lies[] = {
        {TILE_CHANGED, "LOG_FORK"},      {TILE_SHORT, "MALFORMED"},
        {ENTRY_CHANGED, "LOG_FORK"},     {ENTRIES_TOO_MANY, "MALFORMED"},
        {ENTRIES_NONE, "MALFORMED"},     {ENTRIES_CUT, "MALFORMED"},
        {PATH_TOO_LONG, "MALFORMED"},    {REFUSED, "ROLE_NOT_ALLOWED"},
    };
    char checkpoint[500];
    (void)snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", bench.out);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        bench.lie = lies[i].lie;
        assert_int_equal(pull(cli), LB_CTL_FAILED);
        assert_non_null(strstr(cli->err, lies[i].code));
        assert_int_not_equal(access(checkpoint, F_OK), 0);
    }
    bench.lie = HONEST;
    assert_int_equal(pull(cli), LB_CTL_OK);
    append(2);
    bench.lie = PATH_SHORT_HASH;
    assert_int_equal(pull(cli), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "MALFORMED"));
    assert_int_equal(verify(cli), LB_CTL_OK); /* what was there is as it was */
}

/* The node's log is replaced with a new one, signed with the right key. */
static void a_replaced_log_is_found(void **state)
{
    struct test_cli *cli = *state;
    char other[400];
    assert_int_equal(pull(cli), LB_CTL_OK);
    (void)snprintf(other, sizeof(other), "%s/other", cli->folder);
    serve(other);
    append(4);
    assert_int_equal(pull(cli), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "fewer than the 6 entries"));
    assert_non_null(strstr(cli->err, "LOG_BEHIND"));
    append(5);
    assert_int_equal(pull(cli), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "does not extend the 6 entries"));
    assert_non_null(strstr(cli->err, "LOG_FORK"));
    assert_int_equal(verify(cli), LB_CTL_OK);
}

static void checks_the_command_line(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(LOG(cli, "export", "folder", "--profile", "p", "--out", "o"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "--profile", "p", "--vkey", "v", "--out", "o"),
                     LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "folder", "--from", ADAPTER, "--vkey", "v", "--out", "o"),
                     LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "--from", ADAPTER, "--out", "o"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "--profile", "/nonexistent", "--from", ADAPTER, "--out",
                         bench.out), LB_CTL_FAILED);
}

#define REMOTE_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(an_auditor_pulls_a_log_and_what_is_new),
        REMOTE_TEST(an_officer_needs_no_name),
        REMOTE_TEST(every_lie_is_refused_before_the_checkpoint),
        REMOTE_TEST(a_replaced_log_is_found),
        REMOTE_TEST(checks_the_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
