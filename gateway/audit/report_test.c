#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/fixture.h"
#include "gateway/audit/html.h"
#include "gateway/audit/report.h"
#include "gateway/audit/review_source.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"

/* The report over a log in which somebody tries to write into it, and the queue over an index. */

#define EVIL "\\\"><script>alert(1)</script><img src=x onerror='alert(2)'>`"
#define JULY_MS 1782835200000 /* 2026-07-01T00:00+08:00 */
#define AUGUST_MS (JULY_MS + 31 * INT64_C(86400000))
#define ZONE_MS (8 * 3600 * 1000)

struct bench {
    struct fx_audit *fx;
    struct lb_audit_index *index;
    struct lb_detect_rules *rules;
    struct lb_review *review;
    struct lb_log_reader *reader;
    struct lb_buf html;
    struct lb_report_counts counts;
};

/* --- a log with strangers' words in it --- */

static void append(struct fx_audit *fx, struct lb_log *log, const char *word, unsigned person)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){
        .type = LB_LEAF_READ, .count = 1, .code = "ANSWERED", .views = "tax.income"};
    entry->detail = lb_span_str(lb_arena_printf(
        fx->arena,
        "{\"requester\":\"spiffe://example/window/%s\",\"verified\":true,\"code\":\"OK\","
        "\"issuer\":\"i\",\"grant\":\"g\",\"actor\":\"actor-%s\",\"unit\":\"unit-%s\","
        "\"purpose\":\"purpose-%s\",\"case\":\"%s\",\"form\":\"f\",\"basis\":\"consent\","
        "\"role\":\"child\",\"class\":3,\"fields\":[{\"view\":\"tax.income\",\"field\":\"monthly\","
        "\"operator\":\"EXISTS\",\"state\":\"%s\"}]}",
        person == 2 ? "hall" : word, word, word, word, person == 2 ? "" : word,
        person == 3 ? "not_found" : "ok"));
    entry->has_subject = true;
    fx_subject(person, entry->subject);
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
    fx->clock.now_unix_ms += FX_STEP_MS;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char path[400];
    assert_non_null(bench);
    (void)fx_set_up((void **)&bench->fx);
    struct fx_audit *fx = bench->fx;
    struct lb_log *log = fx_open(fx);
    append(fx, log, "plain", 1);
    append(fx, log, EVIL, 1);
    append(fx, log, "caseless", 2);
    append(fx, log, "missing", 3);
    lb_log_close(log);
    assert_ok(fx_build(fx, false, NULL));
    bench->index = fx_index(fx);
    assert_ok(lb_log_reader_open(fx->log, &fx->diag, &bench->reader));
    assert_ok(lb_detect_rules_load("policy/review/rules.yaml", &fx->diag, &bench->rules));
    (void)snprintf(path, sizeof(path), "%s/review", fx->root);
    assert_ok(lb_review_open(path, true, NULL, &fx->diag, &bench->review));
    lb_buf_init(&bench->html, LB_REPORT_MAX_BYTES);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    lb_buf_cleanup(&bench->html);
    lb_review_close(bench->review);
    lb_detect_rules_free(bench->rules);
    lb_log_reader_close(bench->reader);
    lb_audit_index_close(bench->index);
    (void)fx_tear_down((void **)&bench->fx);
    free(bench);
    return 0;
}

static void scan(struct bench *bench, struct lb_review_progress *out)
{
    struct lb_review_rows rows;
    struct lb_review_source source;
    uint64_t next = 0;
    assert_ok(lb_review_next(bench->review, &next));
    assert_ok(lb_review_rows_open(bench->index, next, 0, &rows, &source));
    assert_ok(lb_review_scan(bench->review, bench->rules, NULL, &source, 0, out));
    lb_review_rows_close(&rows);
}

static lb_status leaf_hash(void *ctx, uint64_t index, uint8_t out[32])
{
    struct bench *bench = ctx;
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_TRY(lb_log_reader_leaf(bench->reader, index, bench->fx->arena, &leaf, &hash));
    memcpy(out, hash.bytes, 32);
    return LB_OK;
}

static const char *report(struct bench *bench, const char *by)
{
    const struct lb_report_options options = {
        .month = "2026-07", .from_ms = JULY_MS, .until_ms = AUGUST_MS, .zone_ms = ZONE_MS,
        .now_ms = AUGUST_MS, .by = by, .log_folder = "tax/state", .has_entry = true, .entry = 99,
        .leaf_hash = leaf_hash, .ctx = bench,
    };
    assert_ok(lb_report_write(bench->index, bench->review, &options, &bench->html,
                              &bench->counts));
    lb_buf_put_u8(&bench->html, 0);
    return (const char *)bench->html.ptr;
}

static size_t count(const char *text, const char *what)
{
    size_t num = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        num++;
    return num;
}

/* --- the queue over an index --- */

static void test_scan_of_an_index(void **state)
{
    struct bench *bench = *state;
    struct lb_review_progress progress;
    const struct lb_review_filter filter = {.rule = "no-case"};
    struct lb_review_alert *alerts = NULL;
    size_t num = 0;
    uint64_t left = 0;
    scan(bench, &progress);
    assert_int_equal(progress.num_reads, 4);
    assert_int_equal(progress.next, progress.num_rows);
    assert_ok(lb_review_list(bench->review, &filter, bench->fx->arena, &alerts, &num, &left));
    assert_int_equal(num, 1);
    assert_string_equal(alerts[0].organization, "hall");
    scan(bench, &progress); /* nothing is new */
    assert_int_equal(progress.num_rows, 0);
}

/* Every field not found is a number that nobody has. */
static void test_missed_rows(void **state)
{
    struct bench *bench = *state;
    struct lb_review_rows rows;
    struct lb_review_source source;
    const struct lb_audit_row *row = NULL;
    size_t num = 0, num_missed = 0;
    bool missed = false;
    assert_ok(lb_review_rows_open(bench->index, 0, 0, &rows, &source));
    assert_string_equal(source.origin, FX_ORIGIN);
    assert_ok(source.next(source.ctx, &row, &missed));
    while (row != NULL) {
        num += row->type == LB_LEAF_READ ? 1 : 0;
        num_missed += missed ? 1 : 0;
        assert_ok(source.next(source.ctx, &row, &missed));
    }
    lb_review_rows_close(&rows);
    assert_int_equal(num, 4);
    assert_int_equal(num_missed, 1);
}

/* --- the report --- */

static void test_nothing_of_a_stranger_is_markup(void **state)
{
    struct bench *bench = *state;
    struct lb_review_progress progress;
    scan(bench, &progress);
    const char *html = report(bench, "<b onclick=alert(3)>chen</b>");
    assert_int_equal(count(html, "<script"), 1); /* our own */
    assert_int_equal(count(html, "<img"), 0);
    assert_int_equal(count(html, "<b onclick"), 0);
    assert_int_equal(count(html, "onerror='"), 0);
    assert_true(count(html, "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") > 0);
    /* inside the attribute too, where a quote would end it */
    assert_non_null(strstr(html, "data-n=\"&quot;&gt;&lt;script&gt;"));
    assert_int_equal(count(html, "src="), count(html, "img src="));
    assert_int_equal(count(html, "http://") + count(html, "https://"), 0);
}

static void test_only_its_own_script_may_run(void **state)
{
    struct bench *bench = *state;
    uint8_t hash[LB_SHA256_BYTES];
    const char *html = report(bench, "chen");
    const char *begin = strstr(html, "<script>") + 8;
    lb_sha256(lb_span_of(begin, (size_t)(strstr(begin, "</script>") - begin)), hash);
    const char *b64 = lb_b64_encode(bench->fx->arena, lb_span_of(hash, sizeof(hash)));
    const char *want = lb_arena_printf(bench->fx->arena, "script-src 'sha256-%s'", b64);
    assert_non_null(strstr(html, want));
    assert_non_null(strstr(html, "default-src 'none'"));
}

static void test_rows_have_their_proofs(void **state)
{
    struct bench *bench = *state;
    const char *html = report(bench, "chen");
    uint64_t size = 0;
    size_t found = 0;
    assert_ok(lb_log_reader_size(bench->reader, &size));
    for (uint64_t i = 0; i < size; i++) {
        uint8_t hash[32];
        char hex[65];
        assert_ok(leaf_hash(bench, i, hash));
        lb_hex_encode(lb_span_of(hash, 32), hex);
        const char *row = lb_arena_printf(bench->fx->arena, "<tr id=\"e%llu\"",
                                          (unsigned long long)i);
        const char *proof = lb_arena_printf(
            bench->fx->arena, "%s<br><code>lianban log prove tax/state %llu", hex,
            (unsigned long long)i);
        found += strstr(html, row) != NULL && strstr(html, proof) != NULL ? 1 : 0;
    }
    assert_int_equal(found, 4);
    assert_int_equal(bench->counts.num_rows, 4);
    assert_int_equal(bench->counts.num_listed, 4);
    assert_non_null(strstr(html, "@media print"));
    assert_non_null(strstr(html, "<small>this report is entry</small> 99"));
}

static void test_reviews_stand_in_it(void **state)
{
    struct bench *bench = *state;
    struct lb_review_progress progress;
    scan(bench, &progress);
    const char *html = report(bench, "chen");
    assert_int_equal(bench->counts.num_open, progress.num_alerts);
    assert_non_null(strstr(html, "The look-up names no case; 1 times."));
    assert_non_null(strstr(html, "逾期 overdue"));
    assert_non_null(strstr(html, "<a href=\"#e"));
}

static void test_no_hashes_and_no_queue(void **state)
{
    struct bench *bench = *state;
    const struct lb_report_options options = {
        .month = "2026-07", .from_ms = JULY_MS, .until_ms = AUGUST_MS, .zone_ms = ZONE_MS,
        .now_ms = AUGUST_MS, .by = "chen", .log_folder = "tax/state"};
    assert_ok(lb_report_write(bench->index, NULL, &options, &bench->html, &bench->counts));
    lb_buf_put_u8(&bench->html, 0);
    assert_non_null(strstr((const char *)bench->html.ptr, "no review queue was given"));
    assert_int_equal(bench->counts.num_rows, 4);
}

static void test_another_month_is_empty(void **state)
{
    struct bench *bench = *state;
    const struct lb_report_options options = {
        .month = "2026-08", .from_ms = AUGUST_MS, .until_ms = AUGUST_MS + 1, .zone_ms = ZONE_MS,
        .now_ms = AUGUST_MS, .by = "chen", .log_folder = "tax/state"};
    assert_ok(lb_report_write(bench->index, NULL, &options, &bench->html, &bench->counts));
    assert_int_equal(bench->counts.num_rows, 0);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } texts[] = {
        {"a<b>&\"'`", "a&lt;b&gt;&amp;&quot;&#39;&#96;"},
        {"收入 é", "收入 é"},
        {"a\x01" "b\x7f", "a\xef\xbf\xbd" "b\xef\xbf\xbd"},
        {"a\xff" "b\xc0\xbc", "a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xe2\x80\xae" "b", "a\xef\xbf\xbd" "b"}, /* right to left */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lb_buf out;
        lb_buf_init(&out, 1000);
        lb_html_text(&out, texts[i].in);
        lb_buf_put_u8(&out, 0);
        assert_string_equal((const char *)out.ptr, texts[i].out);
        lb_buf_cleanup(&out);
    }
}

#define RUN(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_scan_of_an_index), RUN(test_missed_rows),
        RUN(test_nothing_of_a_stranger_is_markup), RUN(test_only_its_own_script_may_run),
        RUN(test_rows_have_their_proofs), RUN(test_reviews_stand_in_it),
        RUN(test_no_hashes_and_no_queue), RUN(test_another_month_is_empty),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
