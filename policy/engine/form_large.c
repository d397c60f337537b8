#include "gateway/base/html.h"
#include "policy/engine/form_shapes.h"

/* A sheet of paper to fill in: what belongs together stays on one page. */
#define PAPER_STYLE                                                                                \
    "body{font-family:serif;font-size:12pt;line-height:1.6;max-width:42em;margin:1em auto}"       \
    "h1{font-size:18pt;text-align:center}h2{font-size:13pt;border-top:1pt solid;padding-top:.3em}" \
    "p{margin:.3em 0}.i{margin-left:1.5em}@media print{h2{break-after:avoid}p{break-inside:avoid}}"

/*
 * Large print: HTML because every office can print it, with everything inside the one file.
 * 24-point type and lines of at most 18 em for eyes that need them (GB/T 37668 asks for 18 points
 * and more).
 */
#define LARGE_STYLE                                                                                \
    "body{font-family:sans-serif;font-size:24pt;line-height:1.7;max-width:18em;margin:1em auto}"  \
    "h1{font-size:32pt}h2{font-size:26pt;border-top:2pt solid}p{margin:.5em 0}"                   \
    ".i{margin-left:1em}"

bool lb_form_next_line(struct lb_span *rest, struct lb_span *out_line)
{
    if (rest->len == 0)
        return false;
    const uint8_t *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->ptr);
    *out_line = lb_span_of(rest->ptr, len);
    size_t used = end == NULL ? len : len + 1;
    *rest = lb_span_of(rest->ptr + used, rest->len - used);
    return true;
}

static bool begins(struct lb_span text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.ptr, prefix, len) == 0;
}

static void put_char(uint8_t byte, struct lb_buf *out)
{
    const char *entity = lb_html_entity(byte);
    if (entity != NULL)
        lb_buf_put_str(out, entity);
    else
        lb_buf_put_u8(out, byte);
}

/* A clause a line: what stands behind a semicolon begins a new one. */
static void put_text(struct lb_span text, struct lb_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        struct lb_span rest = lb_span_of(text.ptr + i, text.len - i);
        const char *mark = begins(rest, "；") ? "；" : begins(rest, "; ") ? "; " : NULL;
        if (mark == NULL) {
            put_char(text.ptr[i], out);
            continue;
        }
        lb_buf_put_str(out, mark);
        lb_buf_put_str(out, "<br>");
        i += strlen(mark) - 1;
    }
}

static void put_element(const char *open, struct lb_span text, const char *close,
                        struct lb_buf *out)
{
    lb_buf_put_str(out, open);
    put_text(text, out);
    lb_buf_put_str(out, close);
    lb_buf_put_str(out, "\n");
}

static void put_line(struct lb_span line, bool is_first, struct lb_buf *out)
{
    size_t spaces = 0;
    while (spaces < line.len && line.ptr[spaces] == ' ')
        spaces++;
    struct lb_span text = lb_span_of(line.ptr + spaces, line.len - spaces);
    if (is_first)
        put_element("<h1>", text, "</h1>", out);
    else if (spaces > 0)
        put_element("<p class=\"i\">", text, "</p>", out);
    else if ((text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9') || begins(text, "【"))
        put_element("<h2>", text, "</h2>", out);
    else
        put_element("<p>", text, "</p>", out);
}

static void put_page(struct lb_span plain, const char *title, bool is_zh, const char *style,
                     struct lb_buf *out)
{
    struct lb_span line;
    bool is_first = true;
    lb_buf_put_str(out, is_zh ? "<!DOCTYPE html>\n<html lang=\"zh\">" :
                                "<!DOCTYPE html>\n<html lang=\"en\">");
    lb_buf_put_str(out, "<head><meta charset=\"utf-8\"><title>");
    lb_buf_put_str(out, title);
    lb_buf_put_str(out, "</title><style>");
    lb_buf_put_str(out, style);
    lb_buf_put_str(out, "</style></head>\n<body>\n");
    while (lb_form_next_line(&plain, &line)) {
        put_line(line, is_first, out);
        is_first = false;
    }
    lb_buf_put_str(out, "</body></html>\n");
}

void lb_form_shape_large(struct lb_span plain, const char *title, bool is_zh, struct lb_buf *out)
{
    put_page(plain, title, is_zh, LARGE_STYLE, out);
}

void lb_form_shape_paper(struct lb_span plain, const char *title, bool is_zh, struct lb_buf *out)
{
    put_page(plain, title, is_zh, PAPER_STYLE, out);
}
