#include "gateway/witness/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/note/cosign.h"

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static struct lb_sign_key *key_of(int fill, uint8_t public_key[LB_P256_PUBLIC_BYTES])
{
    struct lb_sign_key *key = NULL;
    uint8_t seed[32];
    memset(seed, fill, sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &key));
    (void)lb_sign_key_public(key, public_key);
    return key;
}

const char *fx_path(struct fixture *fx, const char *name)
{
    const char *path = lb_arena_printf(fx->arena, "%s/%s", fx->root, name);
    assert_non_null(path);
    return path;
}

struct lb_log *fx_open_log(struct fixture *fx, const char *folder)
{
    const struct lb_log_options options = {
        .folder = folder,
        .origin = FX_ORIGIN,
        .key = fx->key,
        .clock = &fx->clock.clock,
        .create = true,
    };
    struct lb_log *log = NULL;
    assert_ok(lb_log_open(&options, &fx->diag, &log));
    return log;
}

void fx_append(struct lb_log *log, size_t num)
{
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    for (size_t i = 0; i < num; i++) {
        *entry = (struct lb_log_entry){.leaf = {.type = LB_LEAF_ADMIN, .code = "TEST"}};
        assert_ok(lb_log_append_wait(log, entry));
    }
    free(entry);
}

struct lb_log_head fx_head(struct fixture *fx, struct lb_log *log)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(log, fx->arena, &head));
    return head;
}

struct lb_span fx_body(struct fixture *fx, struct lb_log *log, uint64_t old_size)
{
    struct lb_log_head head = fx_head(fx, log);
    struct lb_hash *path = NULL;
    struct lb_span body;
    size_t num = 0;
    assert_ok(lb_log_consistency(log, old_size, head.size, fx->arena, &path, &num));
    assert_ok(lb_add_checkpoint_write(old_size, path, num, head.checkpoint, fx->arena, &body));
    return body;
}

void fx_copy(struct fixture *fx, const char *from, const char *to)
{
    static const char *const files[] = {"evidence.db", "evidence.db-wal", "ratchet"};
    assert_ok(lb_file_mkdirs(to));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct lb_span content;
        const char *in = lb_arena_printf(fx->arena, "%s/%s", from, files[i]);
        const char *out = lb_arena_printf(fx->arena, "%s/%s", to, files[i]);
        (void)unlink(out);
        if (access(in, F_OK) != 0)
            continue;
        assert_ok(lb_file_read(in, 8 * 1024 * 1024, fx->arena, &content));
        assert_ok(lb_file_write(out, content, 0600));
    }
    (void)unlink(lb_arena_printf(fx->arena, "%s/evidence.db-shm", to));
}

void fx_open_witness(struct fixture *fx, size_t i)
{
    struct fx_witness *one = &fx->witnesses[i];
    lb_witness_close(one->witness);
    one->witness = NULL;
    const struct lb_witness_options options = {
        .folder = one->folder,
        .name = one->name,
        .key = one->key,
        .clock = &fx->clock.clock,
        .log = fx->own,
    };
    assert_ok(lb_witness_open(&options, &fx->diag, &one->witness));
}

unsigned fx_ask(struct fixture *fx, size_t i, struct lb_span body, struct lb_span *out_body)
{
    struct lb_witness_reply reply = {.body = LB_SPAN_EMPTY};
    assert_ok(lb_witness_add(fx->witnesses[i].witness, FX_PEER, &fx->verifier, body, fx->arena,
                             &reply));
    if (out_body != NULL)
        *out_body = reply.body;
    return reply.answer;
}

static lb_status send_body(void *ctx, size_t i, struct lb_span body, int64_t timeout_ms,
                           struct lb_arena *arena, struct lb_submit_reply *out_reply)
{
    struct fixture *fx = ctx;
    struct fx_witness *one = &fx->witnesses[i];
    struct lb_witness_reply reply = {.body = LB_SPAN_EMPTY};
    assert_in_range(timeout_ms, 1, LB_SUBMIT_TIMEOUT_MS);
    one->num_calls++;
    LB_ENSURE(!one->away, LB_UNAVAILABLE, "the witness is away");
    if (one->lies != 0) {
        *out_reply = (struct lb_submit_reply){one->lies, lb_span_str(one->lie), one->shows};
        return LB_OK;
    }
    LB_TRY(lb_witness_add(one->witness, FX_PEER, &fx->verifier, body, arena, &reply));
    *out_reply = (struct lb_submit_reply){
        reply.answer, reply.body, one->mute ? LB_SPAN_EMPTY : reply.evidence};
    return LB_OK;
}

lb_status fx_submitter(struct fixture *fx, struct lb_log *log, const char *folder)
{
    const struct lb_submit_options options = {
        .folder = folder,
        .log = log,
        .keys = &fx->verifier,
        .num_keys = 1,
        .policy = fx->policy,
        .port = {fx, send_body},
        .clock = &fx->clock.clock,
        .interval_ms = 10000,
        .alert_ms = 900000,
        .stop_ms = 3600000,
    };
    return lb_submitter_new(&options, &fx->diag, &fx->submitter);
}

void fx_later(struct fixture *fx, int64_t ms)
{
    fx->clock.now_unix_ms += ms;
    fx->clock.now_monotonic_ms += ms;
}

static const char *make_witness(struct fixture *fx, int i)
{
    struct fx_witness *one = &fx->witnesses[i];
    struct lb_cosigner cosigner;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    one->folder = lb_arena_printf(fx->arena, "%s/w%d", fx->root, i);
    one->name = lb_arena_printf(fx->arena, "test.gov/auditor/w%d", i);
    assert_ok(lb_file_mkdirs(one->folder));
    one->key = key_of(0x11 + i, public_key);
    assert_ok(lb_cosigner_init(one->name, public_key, &cosigner));
    const char *line = lb_arena_printf(fx->arena, "witness w%d %s spiffe://%s\n", i,
                                       lb_cosigner_format(&cosigner, fx->arena), one->name);
    lb_cosigner_cleanup(&cosigner);
    fx_open_witness(fx, (size_t)i);
    return line;
}

int fx_set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    const char *base = getenv("TEST_TMPDIR");
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    fx->arena = lb_arena_new(256 * 1024 * 1024);
    (void)snprintf(fx->root, sizeof(fx->root), "%s/witness.XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(fx->root));
    fx->folder = fx_path(fx, "log");
    lb_clock_fixed_init(&fx->clock, FX_NOW_MS);
    fx->key = key_of(0x5A, public_key);
    assert_ok(lb_note_verifier_init(FX_ORIGIN, public_key, &fx->verifier));
    fx->log = fx_open_log(fx, fx->folder);
    fx->own = fx_open_log(fx, fx_path(fx, "own"));
    const char *text = "";
    for (int i = 0; i < FX_WITNESSES; i++)
        text = lb_arena_printf(fx->arena, "%s%s", text, make_witness(fx, i));
    text = lb_arena_printf(fx->arena, "%sgroup two 2 w0 w1 w2\nquorum two\n", text);
    assert_ok(lb_witness_policy_parse(lb_span_str(text), "p", &fx->diag, &fx->policy));
    *state = fx;
    return 0;
}

int fx_tear_down(void **state)
{
    struct fixture *fx = *state;
    lb_submitter_free(fx->submitter);
    for (size_t i = 0; i < FX_WITNESSES; i++) {
        lb_witness_close(fx->witnesses[i].witness);
        lb_sign_key_free(fx->witnesses[i].key);
    }
    lb_witness_policy_free(fx->policy);
    lb_log_close(fx->log);
    lb_log_close(fx->own);
    lb_note_verifier_cleanup(&fx->verifier);
    lb_sign_key_free(fx->key);
    lb_arena_free(fx->arena);
    (void)nftw(fx->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(fx);
    return 0;
}
