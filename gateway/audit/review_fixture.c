#include "gateway/audit/review_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static lb_status record(void *ctx, struct lb_review_act *act)
{
    struct fixture *fixture = ctx;
    assert_true(act->seq > 0);
    LB_TRY(fixture->record_fails);
    act->leaf = 1000 + fixture->num_recorded++;
    act->recorded = true;
    return LB_OK;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[96];
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/lianban-review-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(path, sizeof(path), "%s/review", fixture->folder);
    fixture->arena = lb_arena_new(16 * 1024 * 1024);
    fixture->recorder = (struct lb_review_recorder){.ctx = fixture, .record = record};
    fixture->origin = "city.gov/adapter/tax";
    assert_ok(lb_review_open(path, true, &fixture->recorder, &fixture->diag, &fixture->review));
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    lb_review_close(fixture->review);
    lb_detect_lists_free(fixture->lists);
    lb_detect_rules_free(fixture->rules);
    lb_arena_free(fixture->arena);
    (void)nftw(fixture->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

void fixture_rules(struct fixture *fixture, const char *id)
{
    size_t kept = 0;
    assert_ok(lb_detect_rules_load("policy/review/rules.yaml", &fixture->diag, &fixture->rules));
    for (size_t i = 0; i < fixture->rules->num; i++)
        if (id == NULL || strcmp(fixture->rules->rules[i].id, id) == 0)
            fixture->rules->rules[kept++] = fixture->rules->rules[i];
    assert_true(kept > 0);
    fixture->rules->num = kept;
}

void fixture_lists(struct fixture *fixture, const char *yaml)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/lists.yaml", fixture->folder);
    assert_ok(lb_file_write(path, lb_span_str(yaml), 0600));
    assert_ok(lb_detect_lists_load(path, &fixture->diag, &fixture->lists));
}

struct lb_audit_row *fixture_row(struct fixture *fixture, int64_t time_ms, uint8_t person)
{
    assert_true(fixture->num < FIXTURE_ROWS);
    struct lb_audit_row *row = &fixture->rows[fixture->num];
    *row = (struct lb_audit_row){
        .index = fixture->num, .time_ms = time_ms, .type = LB_LEAF_READ,
        .decision = LB_AUDIT_ALLOW, .code = "ANSWERED", .views = "tax", .count = 1,
        .detail = LB_AUDIT_DETAIL_OPEN, .inner = "OK",
        .requester = "spiffe://city.gov/window/office-1/hall-1", .organization = "office-1",
        .actor = "00000000000000000000000000000001", .unit = "hall-1",
        .purpose = "social_assistance", .basis = "consent", .role = "applicant",
        .issuer = "consent-hall", .grant = "g", .case_no = "SA-1", .on_behalf_of = "",
        .form = "social-assistance", .has_subject = true, .class_max = 3, .verified = true,
        .note = "",
    };
    memset(row->subject, person, sizeof(row->subject));
    fixture->num++;
    return row;
}

void fixture_deny(struct lb_audit_row *row, const char *code)
{
    row->decision = LB_AUDIT_DENY;
    row->code = code;
    row->inner = code;
    row->has_subject = false;
}

static lb_status next_row(void *ctx, const struct lb_audit_row **out_row, bool *out_missed)
{
    struct fixture *fixture = ctx;
    bool end = fixture->at >= fixture->num;
    *out_row = end ? NULL : &fixture->rows[fixture->at];
    *out_missed = !end && fixture->missed[fixture->at];
    fixture->at++;
    return LB_OK;
}

struct lb_review_source fixture_source(struct fixture *fixture, size_t from)
{
    fixture->at = from;
    return (struct lb_review_source){.ctx = fixture, .origin = fixture->origin, .next = next_row};
}

void fixture_scan(struct fixture *fixture)
{
    struct lb_review_progress progress;
    uint64_t next = 0;
    assert_ok(lb_review_next(fixture->review, &next));
    const struct lb_review_source source = fixture_source(fixture, next);
    assert_ok(lb_review_scan(fixture->review, fixture->rules, fixture->lists, &source, 0,
                             &progress));
    assert_int_equal(progress.next, fixture->num);
}

size_t fixture_alerts(struct fixture *fixture, struct lb_review_alert *out_first)
{
    const struct lb_review_filter filter = {.closed_too = true};
    struct lb_review_alert *alerts = NULL;
    size_t num = 0;
    uint64_t left = 0;
    assert_ok(lb_review_list(fixture->review, &filter, fixture->arena, &alerts, &num, &left));
    if (num > 0 && out_first != NULL)
        *out_first = alerts[0];
    return num;
}
