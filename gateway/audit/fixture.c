#include "gateway/audit/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/hex.h"

#define DUMP_BYTES (4U * 1024 * 1024)

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int fx_set_up(void **state)
{
    struct fx_audit *fx = calloc(1, sizeof(*fx));
    const char *base = getenv("TEST_TMPDIR");
    uint8_t seed[32];
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)snprintf(fx->root, sizeof(fx->root), "%s/audit.XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(fx->root));
    (void)snprintf(fx->log, sizeof(fx->log), "%s/log", fx->root);
    (void)snprintf(fx->index, sizeof(fx->index), "%s/index", fx->root);
    memset(seed, 0x5A, sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &fx->key));
    (void)lb_sign_key_public(fx->key, public_key);
    assert_ok(lb_note_verifier_init(FX_ORIGIN, public_key, &fx->verifier));
    assert_ok(lb_x25519_generate(&fx->officer));
    lb_clock_fixed_init(&fx->clock, FX_FIRST_MS);
    fx->arena = lb_arena_new(64U * 1024 * 1024);
    *state = fx;
    return 0;
}

int fx_tear_down(void **state)
{
    struct fx_audit *fx = *state;
    (void)nftw(fx->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    lb_sign_key_free(fx->key);
    lb_note_verifier_cleanup(&fx->verifier);
    lb_arena_free(fx->arena);
    free(fx);
    return 0;
}

/* --- entries --- */

struct fx_entry fx_entry(struct fx_audit *fx, uint64_t i)
{
    struct fx_entry entry = {.type = LB_LEAF_READ, .code = "ANSWERED", .inner = "OK"};
    if (i % 10 == 9)
        return (struct fx_entry){.type = LB_LEAF_DENY, .code = "PEER_UNLISTED", .inner = "",
                                 .actor = "", .purpose = "", .basis = "", .case_no = "",
                                 .view = "", .field = "", .decision = LB_AUDIT_DENY};
    entry.actor = lb_arena_printf(fx->arena, "actor-%u", (unsigned)(i % FX_ACTORS));
    entry.purpose = i % 2 == 0 ? "social-assistance" : "housing-support";
    entry.basis = i % 17 == 0 ? "emergency" : "consent";
    entry.case_no = lb_arena_printf(fx->arena, "case-%u", (unsigned)(i / 3));
    entry.view = i % 4 == 0 ? "tax.capital" : "tax.income";
    entry.field = i % 4 == 0 ? "total" : "monthly";
    entry.class_max = i % 4 == 0 ? 4 : 3;
    entry.has_subject = true;
    entry.subject = (unsigned)(i % FX_SUBJECTS);
    entry.decision = i % 17 == 0 ? LB_AUDIT_EMERGENCY : LB_AUDIT_ALLOW;
    if (i % 11 == 5) {
        entry.inner = "GUARDIAN_NEEDED";
        entry.decision = LB_AUDIT_DENY;
    }
    if (i % 8 == 7) {
        entry.code = entry.inner = "GRANT_EXPIRED";
        entry.decision = LB_AUDIT_DENY;
    }
    return entry;
}

void fx_subject(unsigned subject, uint8_t out[32])
{
    memset(out, (int)subject + 1, 32);
}

static const char *detail_of(struct fx_audit *fx, const struct fx_entry *entry)
{
    if (entry->type == LB_LEAF_DENY)
        return "{\"peer\":\"spiffe://example/window/stranger\"}";
    return lb_arena_printf(
        fx->arena,
        "{\"requester\":\"spiffe://example/window/civil-affairs\",\"verified\":true,"
        "\"code\":\"%s\",\"issuer\":\"consent-hall\",\"grant\":\"g-%s\",\"actor\":\"%s\","
        "\"unit\":\"hall-1\",\"purpose\":\"%s\",\"case\":\"%s\",\"form\":\"social-assistance\","
        "\"basis\":\"%s\",\"role\":\"child\",\"guardian\":\"mother\",\"class\":%d,"
        "\"every_days\":30,"
        "\"fields\":[{\"view\":\"%s\",\"field\":\"%s\",\"operator\":\"EXISTS\",\"state\":\"ok\"}]}",
        entry->inner, entry->case_no, entry->actor, entry->purpose, entry->case_no, entry->basis,
        entry->class_max, entry->view, entry->field);
}

struct lb_log *fx_open(struct fx_audit *fx)
{
    struct lb_log *log = NULL;
    const struct lb_log_options options = {
        .folder = fx->log, .origin = FX_ORIGIN, .key = fx->key, .clock = &fx->clock.clock,
        .create = true, .officer_key = fx->officer.public_key,
    };
    lb_status status = lb_log_open(&options, &fx->diag, &log);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
    return log;
}

static void append_one(struct fx_audit *fx, struct lb_log *log, uint64_t i)
{
    const struct fx_entry want = fx_entry(fx, i);
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf.type = want.type;
    entry->leaf.count = 1;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", want.code);
    (void)snprintf(entry->leaf.views, sizeof(entry->leaf.views), "%s", want.view);
    if (want.type == LB_LEAF_READ) {
        memset(entry->leaf.txn, 0x70, sizeof(entry->leaf.txn));
        memcpy(entry->leaf.txn, &i, sizeof(i));
    }
    entry->detail = lb_span_str(detail_of(fx, &want));
    entry->has_subject = want.has_subject;
    fx_subject(want.subject, entry->subject);
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
    fx->clock.now_unix_ms += FX_STEP_MS; /* the other clock stands, or the log would test itself */
}

void fx_append(struct fx_audit *fx, struct lb_log *log, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        append_one(fx, log, i);
}

void fx_erase(struct lb_log *log, unsigned subject)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ERASURE, .code = "ERASED", .count = 1};
    entry->has_subject = true;
    entry->detail = lb_span_str("{\"basis\":\"retention ended\",\"approver\":\"li\"}");
    fx_subject(subject, entry->subject);
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
}

void fx_review(struct fx_audit *fx, struct lb_log *log, unsigned subject)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_REVIEW, .code = "WHO_SAW", .count = 1};
    entry->has_subject = true;
    entry->detail = lb_span_str("{\"officer\":\"li\",\"query\":\"who-saw\"}");
    fx_subject(subject, entry->subject);
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
    fx->clock.now_unix_ms += FX_STEP_MS;
}

void fx_fill(struct fx_audit *fx, uint64_t num)
{
    struct lb_log *log = fx_open(fx);
    fx_append(fx, log, 0, num);
    lb_log_close(log);
}

/* --- indexes --- */

lb_status fx_build(struct fx_audit *fx, bool rebuild, struct lb_audit_progress *out)
{
    const struct lb_audit_build_options options = {
        .log = fx->log, .folder = fx->index, .verifier = &fx->verifier,
        .officer = {&fx->officer, 1},
        .clock = &fx->clock.clock, .rebuild = rebuild,
    };
    struct lb_audit_build *build = NULL;
    struct lb_audit_progress progress = {.size = 0};
    fx->diag.text[0] = 0;
    lb_status status = lb_audit_build_open(&options, &fx->diag, &build);
    if (status == LB_OK)
        status = lb_audit_build_step(build, &fx->diag, &progress);
    lb_audit_build_close(build);
    if (out != NULL)
        *out = progress;
    return status;
}

struct lb_audit_index *fx_index(struct fx_audit *fx)
{
    struct lb_audit_index *index = NULL;
    lb_status status = lb_audit_index_open(fx->index, &fx->diag, &index);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
    return index;
}

static void dump_row(struct lb_buf *out, const struct lb_audit_row *row)
{
    char subject[65] = "-";
    if (row->has_subject)
        lb_hex_encode(lb_span_of(row->subject, 32), subject);
    lb_buf_printf(out,
                  "%llu|%lld|%d|%d|%d|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%d|%d|%s|%lld\n",
                  (unsigned long long)row->index, (long long)row->time_ms, (int)row->type,
                  (int)row->decision, (int)row->detail, row->code, row->inner, row->views,
                  row->requester, row->organization, row->actor, row->unit, row->purpose,
                  row->basis, row->issuer, row->grant, row->case_no, row->on_behalf_of, subject,
                  row->class_max, row->verified, row->note, (long long)row->every_days);
}

const char *fx_dump(struct fx_audit *fx)
{
    const struct lb_audit_filter all = {.from_index = 0};
    struct lb_audit_index *index = fx_index(fx);
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    struct lb_buf out;
    lb_buf_init(&out, DUMP_BYTES);
    assert_ok(lb_audit_scan_open(index, &all, &scan));
    do {
        const struct lb_audit_field *fields = NULL;
        size_t num = 0;
        assert_ok(lb_audit_scan_next(scan, &row));
        if (row == NULL)
            break;
        dump_row(&out, row);
        assert_ok(lb_audit_scan_fields(scan, &fields, &num));
        for (size_t i = 0; i < num; i++)
            lb_buf_printf(&out, "  %s.%s:%s:%s\n", fields[i].view, fields[i].field,
                          fields[i].operator_text, fields[i].state);
    } while (true);
    lb_audit_scan_close(scan);
    lb_audit_index_close(index);
    assert_ok(lb_buf_check(&out));
    const char *text = lb_arena_str(fx->arena, lb_buf_span(&out));
    lb_buf_cleanup(&out);
    assert_non_null(text);
    return text;
}
