#include "gateway/audit/report.h"

#include "gateway/audit/report_inside.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"

/* The file's frame: head, style, the one script and the policy that allows no other. */

#define ARENA_BYTES (32U * 1024 * 1024)
#define SCRATCH_BYTES (1024U * 1024)

static const char style[] =
    "body{font:14px/1.5 sans-serif;margin:2em auto;max-width:78em;padding:0 1em;color:#222}"
    "h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #999}"
    "small{color:#666;font-weight:normal}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0}"
    "th,td{border:1px solid #ccc;padding:.2em .5em;text-align:left;vertical-align:top}"
    "th{background:#eee}td.n{text-align:right;white-space:nowrap}"
    "td.b{width:30%}.bar{height:.9em;background:#4a7ab0;display:inline-block}"
    "code,.h{font:11px/1.3 monospace;word-break:break-all}"
    ".facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(16em,1fr));gap:.3em 1.5em}"
    ".facts b{float:right}.s4,.s3{color:#a00;font-weight:bold}.s2{color:#850}"
    "tr.deny td{background:#fff3f0}tr.emergency td{background:#fffbe0}"
    ".filters label{margin-right:1.2em}svg text{font:10px sans-serif;fill:#444}"
    "@media print{@page{size:A4;margin:15mm}body{font-size:10px;max-width:none;margin:0}"
    ".filters,.screen{display:none}h2{break-after:avoid}tr,svg{break-inside:avoid}"
    "thead{display:table-header-group}#annex:not(:checked)~.annex{display:none}}";

static const char script[] =
    "(function(){'use strict';"
    "var f=document.querySelectorAll('[data-f]'),r=document.querySelectorAll('#rows tbody tr'),"
    "n=document.getElementById('shown');"
    "function go(){var k=0;for(var i=0;i<r.length;i++){var ok=true;"
    "for(var j=0;j<f.length;j++){var v=f[j].value;if(!v)continue;"
    "var t=r[i].getAttribute('data-'+f[j].getAttribute('data-f'))||'';"
    "if(f[j].tagName==='SELECT'?t!==v:t.indexOf(v)<0)ok=false;}"
    "r[i].hidden=!ok;if(ok)k++;}n.textContent=k;}"
    "for(var j=0;j<f.length;j++)f[j].addEventListener('input',go);go();})();";

static lb_status put_head(struct report *report)
{
    struct lb_buf *out = report->out;
    uint8_t hash[LB_SHA256_BYTES];
    lb_sha256(lb_span_str(script), hash);
    const char *allowed = lb_b64_encode(report->arena, lb_span_of(hash, sizeof(hash)));
    LB_ENSURE(allowed != NULL, LB_NO_MEMORY, "arena is full");
    lb_buf_put_str(out, "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\">\n"
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src"
                        " 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
                        " script-src 'sha256-");
    lb_buf_put_str(out, allowed);
    lb_buf_put_str(out, "'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    lb_html_text(out, report->options->month);
    lb_buf_put_str(out, " 存证月报 Evidence report</title>\n<style>");
    lb_buf_put_str(out, style);
    lb_buf_put_str(out, "</style></head>\n<body>\n");
    return LB_OK;
}

static void put_tail(struct report *report)
{
    lb_buf_put_str(report->out, "<script>");
    lb_buf_put_str(report->out, script);
    lb_buf_put_str(report->out, "</script>\n</body></html>\n");
}

static lb_status write_all(struct report *report)
{
    LB_TRY(put_head(report));
    LB_TRY(lb_report_summary(report));
    LB_TRY(lb_report_charts(report));
    LB_TRY(lb_report_tables(report));
    LB_TRY(lb_report_reviews(report));
    LB_TRY(lb_report_rows(report));
    put_tail(report);
    return lb_buf_check(report->out);
}

lb_status lb_report_totals(struct report *report, enum lb_audit_key by, size_t limit,
                           struct lb_audit_total **out_totals, size_t *out_num)
{
    const struct lb_audit_totals_options options = {
        .filter = &report->filter,
        .by = by,
        .by2 = LB_AUDIT_BY_NONE,
        .zone_ms = report->options->zone_ms,
        .limit = limit,
    };
    return lb_audit_totals(report->index, &options, report->arena, out_totals, out_num);
}

lb_status lb_report_write(struct lb_audit_index *index, struct lb_review *review,
                          const struct lb_report_options *options, struct lb_buf *out,
                          struct lb_report_counts *out_counts)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(SCRATCH_BYTES);
    struct report report = {
        .index = index,
        .review = review,
        .options = options,
        .filter = {.since_ms = options->from_ms, .until_ms = options->until_ms,
                   .type = LB_LEAF_READ},
        .arena = arena,
        .scratch = scratch,
        .out = out,
    };
    LB_ENSURE(arena != NULL && scratch != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(write_all(&report));
    *out_counts = report.counts;
    return LB_OK;
}
