#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/note/note.h"
#include "gateway/trust/keys.h"

#define FIRST_MS 1782900000000 /* 2026-07-01T10:00:00Z */

struct line {
    enum lb_leaf_type type;
    const char *code;
    const char *views;
    uint8_t txn[2];
    uint32_t count;
    bool retry;
    const char *detail;
};

static const struct line lines[TEST_LOG_ENTRIES] = {
    {LB_LEAF_READ, "ANSWERED", "tax.income", {0x42, 0x42}, 1, false, "{\"actor\":\"first\"}"},
    {LB_LEAF_READ, "REPLAY", "tax.income", {0x42, 0x43}, 1, true, ""},
    {LB_LEAF_DENY, "PEER_UNLISTED", "", {0, 0}, 7, false, ""},
    {LB_LEAF_READ, "ANSWERED", "tax.capital,tax.income", {0x50, 0}, 1, false,
     "{\"actor\":\"second\"}"},
    {LB_LEAF_ADMIN, "STARTED", "", {0, 0}, 1, false, ""},
    {LB_LEAF_READ, "ANSWERED", "tax.income", {0x50, 1}, 1, false, ""},
};

static void append(struct lb_log *log, const struct line *line)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf.type = line->type;
    entry->leaf.count = line->count;
    entry->leaf.retry = line->retry;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", line->code);
    (void)snprintf(entry->leaf.views, sizeof(entry->leaf.views), "%s", line->views);
    memcpy(entry->leaf.txn, line->txn, sizeof(line->txn));
    entry->detail = lb_span_str(line->detail);
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
}

static void make_keys(struct test_cli *cli, const char *origin, struct test_log *log)
{
    uint8_t seed[32];
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_arena *arena = lb_arena_new(4096);
    memset(seed, origin[strlen(origin) - 1], sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &log->key));
    (void)lb_sign_key_public(log->key, public_key);
    assert_ok(lb_note_verifier_init(origin, public_key, &verifier));
    (void)snprintf(log->vkey, sizeof(log->vkey), "%s", lb_note_verifier_format(&verifier, arena));
    lb_note_verifier_cleanup(&verifier);
    lb_arena_free(arena);
    assert_ok(lb_x25519_generate(&log->officer));
    (void)snprintf(log->key_path, sizeof(log->key_path), "%s/officer.key", cli->folder);
    assert_ok(lb_keys_save_x25519(log->key_path, &log->officer));
}

void test_log_make(struct test_cli *cli, const char *name, const char *origin,
                   struct test_log *out)
{
    struct lb_clock_fixed clock;
    struct lb_log *log = NULL;
    struct lb_diag diag;
    (void)snprintf(out->folder, sizeof(out->folder), "%s/%s", cli->folder, name);
    make_keys(cli, origin, out);
    lb_clock_fixed_init(&clock, FIRST_MS);
    const struct lb_log_options options = {
        .folder = out->folder, .origin = origin, .key = out->key, .clock = &clock.clock,
        .create = true, .officer_key = out->officer.public_key,
    };
    assert_ok(lb_log_open(&options, &diag, &log));
    for (size_t i = 0; i < TEST_LOG_ENTRIES; i++) {
        append(log, &lines[i]);
        clock.now_unix_ms += 60000; /* the other clock stands, or the log would test itself */
    }
    lb_log_close(log);
}

void test_log_free(struct test_log *log)
{
    lb_sign_key_free(log->key);
}
