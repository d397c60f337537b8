#include "policy/engine/form_shapes.h"

#include "policy/engine/form_text.h"

/* Text for reading out. Marks that only eyes can read become pauses, numbers become words. */

/* --- numbers --- */

#define MAX_DIGITS 12

static void say_one_by_one(struct lb_span digits, bool is_zh, struct lb_buf *out)
{
    static const char *const words[2][10] = {
        {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"},
        {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"},
    };
    for (size_t i = 0; i < digits.len; i++) {
        if (!is_zh && i > 0)
            lb_buf_put_str(out, " ");
        lb_buf_put_str(out, words[is_zh ? 0 : 1][digits.ptr[i] - '0']);
    }
}

/* Up to four digits; `lead` says whether something stands before them, so that gaps are heard. */
static void say_zh_group(unsigned number, bool lead, struct lb_buf *out)
{
    static const char *const digits[] = {"零", "一", "二", "三", "四",
                                         "五", "六", "七", "八", "九"};
    static const char *const units[] = {"千", "百", "十", ""};
    static const unsigned values[] = {1000, 100, 10, 1};
    bool gap = lead && number < 1000;
    bool begun = lead;
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = number / values[i] % 10;
        if (digit == 0) {
            gap = begun;
            continue;
        }
        if (gap)
            lb_buf_put_str(out, "零");
        gap = false;
        bool is_bare_ten = i == 2 && digit == 1 && !begun;
        if (!is_bare_ten)
            lb_buf_put_str(out, digits[digit]);
        lb_buf_put_str(out, units[i]);
        begun = true;
    }
}

static void say_zh_number(uint64_t number, struct lb_buf *out)
{
    static const char *const units[] = {"亿", "万", ""};
    static const uint64_t values[] = {100000000, 10000, 1};
    bool begun = false;
    if (number == 0)
        lb_buf_put_str(out, "零");
    for (size_t i = 0; i < 3; i++) {
        unsigned group = (unsigned)(number / values[i] % 10000);
        if (group == 0)
            continue;
        say_zh_group(group, begun, out);
        lb_buf_put_str(out, units[i]);
        begun = true;
    }
}

static void say_en_group(unsigned number, struct lb_buf *out)
{
    static const char *const small[] = {
        "",        "one",     "two",       "three",    "four",     "five",    "six",
        "seven",   "eight",   "nine",      "ten",      "eleven",   "twelve",  "thirteen",
        "fourteen", "fifteen", "sixteen",  "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                       "fifty", "sixty", "seventy", "eighty", "ninety"};
    unsigned rest = number % 100;
    if (number >= 100) {
        lb_buf_put_str(out, small[number / 100]);
        lb_buf_put_str(out, rest > 0 ? " hundred and " : " hundred");
    }
    if (rest >= 20)
        lb_buf_put_str(out, tens[rest / 10]);
    if (rest >= 20 && rest % 10 > 0)
        lb_buf_put_str(out, "-");
    lb_buf_put_str(out, small[rest < 20 ? rest : rest % 10]);
}

static void say_en_number(uint64_t number, struct lb_buf *out)
{
    static const char *const units[] = {" billion", " million", " thousand", ""};
    static const uint64_t values[] = {1000000000, 1000000, 1000, 1};
    bool begun = false;
    if (number == 0)
        lb_buf_put_str(out, "zero");
    for (size_t i = 0; i < 4; i++) {
        unsigned group = (unsigned)(number / values[i] % 1000);
        if (group == 0)
            continue;
        if (begun)
            lb_buf_put_str(out, i == 3 && group < 100 ? " and " : " ");
        say_en_group(group, out);
        lb_buf_put_str(out, units[i]);
        begun = true;
    }
}

void lb_form_say_digits(struct lb_span digits, bool is_zh, struct lb_buf *out)
{
    bool is_code = digits.len > MAX_DIGITS || (digits.len > 1 && digits.ptr[0] == '0');
    if (is_code) {
        say_one_by_one(digits, is_zh, out);
        return;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++)
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
    if (is_zh)
        say_zh_number(number, out);
    else
        say_en_number(number, out);
}

/* --- sentences --- */

struct swap {
    const char *from;
    const char *to;
};

/* The first that fits counts, so longer ones stand before their beginnings. */
static const struct swap zh_swaps[] = {
    {"；", "。"}, {"：", "。"}, {"（", "，"}, {"）", ""},  {"《", ""},
    {"》", ""},   {"、", "，"}, {"/", "或"},  {"; ", "。"}, {": ", "。"},
};
static const struct swap en_swaps[] = {
    {"time(s)", "times"}, {"day(s)", "days"}, {"art. ", "article "}, {"No. ", "number "},
    {"e.g. ", "for example "}, {"i.e. ", "that is, "}, {"etc.", "and so on"},
    {"; ", ". "},         {": ", ". "},       {" (", ", "},          {")", ""},
    {"/", " or "},        {"%", " percent"},  {":", ""},
};

static const struct swap *find_swap(struct lb_span rest, bool is_zh)
{
    const struct swap *swaps = is_zh ? zh_swaps : en_swaps;
    size_t num = is_zh ? sizeof(zh_swaps) / sizeof(zh_swaps[0])
                       : sizeof(en_swaps) / sizeof(en_swaps[0]);
    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(swaps[i].from);
        if (rest.len >= len && memcmp(rest.ptr, swaps[i].from, len) == 0)
            return &swaps[i];
    }
    return NULL;
}

static size_t count_digits(struct lb_span text)
{
    size_t len = 0;
    while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9')
        len++;
    return len;
}

/* A number, with its decimals and as a share of a hundred. Returns how many bytes it took. */
static size_t say_number(struct lb_span rest, bool is_zh, struct lb_buf *out)
{
    size_t whole = count_digits(rest);
    struct lb_span after = lb_span_of(rest.ptr + whole, rest.len - whole);
    size_t decimals = after.len > 1 && after.ptr[0] == '.'
                          ? count_digits(lb_span_of(after.ptr + 1, after.len - 1))
                          : 0;
    size_t used = whole + (decimals > 0 ? decimals + 1 : 0);
    bool is_share = is_zh && used < rest.len && rest.ptr[used] == '%';
    if (is_share)
        lb_buf_put_str(out, "百分之");
    lb_form_say_digits(lb_span_of(rest.ptr, whole), is_zh, out);
    if (decimals > 0) {
        lb_buf_put_str(out, is_zh ? "点" : " point ");
        say_one_by_one(lb_span_of(after.ptr + 1, decimals), is_zh, out);
    }
    return used + (is_share ? 1 : 0);
}

static bool ends_sentence(const struct lb_buf *out)
{
    struct lb_span text = lb_buf_span(out);
    if (text.len == 0)
        return true;
    uint8_t last = text.ptr[text.len - 1];
    bool is_full_stop = text.len >= 3 && memcmp(text.ptr + text.len - 3, "。", 3) == 0;
    return is_full_stop || last == '.' || last == '\n' || last == '?' || last == '!';
}

static bool begins_sentence(const struct lb_buf *out)
{
    struct lb_span text = lb_buf_span(out);
    if (text.len >= 2 && text.ptr[text.len - 1] == ' ' && text.ptr[text.len - 2] == '.')
        return true;
    return text.len == 0 || text.ptr[text.len - 1] == '\n';
}

/* English sentences begin with a capital. */
static void put_words(struct lb_span words, bool is_zh, struct lb_buf *out)
{
    bool is_small = words.len > 0 && words.ptr[0] >= 'a' && words.ptr[0] <= 'z';
    if (is_zh || !is_small || !begins_sentence(out)) {
        lb_buf_put(out, words);
        return;
    }
    lb_buf_put_u8(out, (uint8_t)(words.ptr[0] - 'a' + 'A'));
    lb_buf_put(out, lb_span_of(words.ptr + 1, words.len - 1));
}

#define MAX_NUMBER_BYTES LB_MAX_NOTICE_BYTES /* digits one by one, at most a whole line of them */

static size_t put_number(struct lb_span rest, bool is_zh, struct lb_buf *out)
{
    struct lb_buf words LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&words, MAX_NUMBER_BYTES);
    size_t used = say_number(rest, is_zh, &words);
    put_words(lb_buf_span(&words), is_zh, out);
    return used;
}

static void say_text(struct lb_span text, bool is_zh, struct lb_buf *out)
{
    for (size_t i = 0; i < text.len;) {
        struct lb_span rest = lb_span_of(text.ptr + i, text.len - i);
        const struct swap *swap = find_swap(rest, is_zh);
        if (swap != NULL) {
            put_words(lb_span_str(swap->to), is_zh, out);
            i += strlen(swap->from);
        } else if (count_digits(rest) > 0) {
            i += put_number(rest, is_zh, out);
        } else {
            put_words(lb_span_of(rest.ptr, 1), is_zh, out);
            i++;
        }
    }
}

/* "3. " at a line's start counts departments; "- " begins an item. */
static struct lb_span say_mark(struct lb_span line, bool is_zh, struct lb_buf *out)
{
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '-'))
        line = lb_span_of(line.ptr + 1, line.len - 1);
    size_t digits = count_digits(line);
    bool is_item = digits > 0 && line.len > digits + 1 && line.ptr[digits] == '.' &&
                   line.ptr[digits + 1] == ' ';
    if (!is_item)
        return line;
    lb_buf_put_str(out, is_zh ? "第" : "Department ");
    lb_form_say_digits(lb_span_of(line.ptr, digits), is_zh, out);
    lb_buf_put_str(out, is_zh ? "个部门，" : ", ");
    return lb_span_of(line.ptr + digits + 2, line.len - digits - 2);
}

void lb_form_shape_aloud(struct lb_span plain, bool is_zh, struct lb_buf *out)
{
    struct lb_span line;
    while (lb_form_next_line(&plain, &line)) {
        say_text(say_mark(line, is_zh, out), is_zh, out);
        if (!ends_sentence(out))
            lb_buf_put_str(out, is_zh ? "。" : ".");
        lb_buf_put_str(out, "\n");
    }
}
