#include "gateway/audit/html.h"
#include "gateway/base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* Whatever a stranger writes into an entry is text in the report, and nothing else. */

#define MAX_OUT (1024 * 1024)

static size_t count(struct lb_span text, uint8_t what)
{
    size_t num = 0;
    for (size_t i = 0; i < text.len; i++)
        num += text.ptr[i] == what ? 1 : 0;
    return num;
}

bool fuzz_html_text(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(MAX_OUT);
    LB_DEFER(lb_buf_cleanup) struct lb_buf out;
    const char *text = fuzz_text(arena, in);
    lb_buf_init(&out, MAX_OUT);
    if (text == NULL)
        return false;
    lb_html_text(&out, text);
    if (lb_buf_check(&out) != LB_OK)
        return false;
    struct lb_span html = lb_buf_span(&out);
    FUZZ_CHECK(lb_utf8_valid(html));
    FUZZ_CHECK(count(html, '<') == 0 && count(html, '>') == 0 && count(html, '"') == 0 &&
               count(html, '\'') == 0 && count(html, '`') == 0);
    /* An ampersand begins an escape of ours, and each of those ends. */
    FUZZ_CHECK(count(html, '&') <= count(html, ';'));
    for (size_t i = 0; i < html.len; i++)
        FUZZ_CHECK(html.ptr[i] >= 0x20 && html.ptr[i] != 0x7F);
    return true;
}

void seed_html_text(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "SA-2026-17");
    fuzz_seed_text(sink, "\"><script>alert(1)</script>");
    fuzz_seed_text(sink, "\xE5\xBC\xA0\xE4\xB8\x89\xE2\x80\xAE&amp;\xFF'`");
}
