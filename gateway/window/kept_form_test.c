#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* The forms in which cases are kept: kept/<name>.hex are messages of version 3 as they were first
 * written, and never changed; kept/<name>.json the same cases as the versions before had them
 * (kept_test.c). */

/* kept/<name>.hex, under today's hash of the form: the first field of 32 bytes behind the id. */
static struct lb_span frozen(struct fixture *fx, const char *name)
{
    const struct lb_form *form = lb_form_of(fx->form);
    struct lb_span text;
    char path[96];
    (void)snprintf(path, sizeof(path), "gateway/window/kept/%s.hex", name);
    assert_ok(lb_file_read(path, 1U << 20, fx->arena, &text));
    uint8_t *bytes = lb_arena_alloc(fx->arena, text.len / 2);
    size_t len = 0;
    for (size_t at = 0, end = 0; at < text.len; at = end + 1) {
        end = at + strcspn((const char *)text.ptr + at, "\n");
        assert_ok(lb_hex_decode(lb_span_of(text.ptr + at, end - at), bytes + len, (end - at) / 2));
        len += (end - at) / 2;
    }
    uint8_t *hash = memmem(bytes, len, "\x1a\x20", 2);
    assert_non_null(hash);
    memcpy(hash + 2, form->sha256, sizeof(form->sha256));
    return lb_span_of(bytes, len);
}

static void assert_writes(struct fixture *fx, struct lb_span from, struct lb_span wanted)
{
    struct lb_window_case *entry = NULL;
    struct lb_span bytes;
    assert_ok(lb_case_read(fx->window, from, fx->arena, &entry));
    assert_ok(lb_case_write(entry, fx->arena, &bytes));
    assert_int_equal(bytes.len, wanted.len);
    assert_memory_equal(bytes.ptr, wanted.ptr, wanted.len);
    lb_case_free(entry);
}

/* The message that version 3 began with is read and written on, and says what the text did. */
static void assert_frozen(struct fixture *fx, const char *name)
{
    struct lb_span message = frozen(fx, name);
    assert_writes(fx, message, message);
    assert_writes(fx, fx_kept_text(fx, name), message);
}

static void messages_stay_what_they_are(void **state)
{
    assert_frozen(*state, "decided");
    assert_frozen(*state, "first");
}

static void message_of_a_share_stays(void **state)
{
    assert_frozen(*state, "share");
}

static void message_of_a_watch_stays(void **state)
{
    assert_frozen(*state, "watch");
}

/* --- damage --- */

static void assert_refused(struct fixture *fx, const char *from, const char *to,
                           enum lb_code code)
{
    struct lb_window_case *entry = NULL;
    struct lb_span text = fx_kept_text(fx, "decided");
    char *place = strstr((char *)(uintptr_t)text.ptr, from);
    assert_non_null(place);
    const char *changed = lb_arena_printf(fx->arena, "%.*s%s%s",
                                          (int)(place - (const char *)text.ptr),
                                          (const char *)text.ptr, to, place + strlen(from));
    assert_non_null(changed);
    lb_status status = lb_case_read(fx->window, lb_span_str(changed), fx->arena, &entry);
    if (lb_status_code(status) != code)
        fail_msg("%s: %s", to, lb_code_name(lb_status_code(status)));
    assert_null(entry);
}

static void damaged_text_is_refused(void **state)
{
    struct fixture *fx = *state;
    static const char *const changes[][2] = {
        {"\"role\":\"applicant\"", "\"role\":\"nobody\""},
        {"\"role\":\"applicant\",", ""},
        {"\"fact\":\"same_person\"", "\"fact\":\"same_persons\""},
        {"\"truth\":true,", ""},
        {"\"text\":\"110101\",", ""},
        {"\"state\":1", "\"state\":9"},
        {"\"state\":1", "\"state\":-4294967295"},
        {"\"kind\":1", "\"kind\":4"},
        {"\"code\":\"UNAVAILABLE\"", "\"code\":\"UNHEARD_OF\""},
        {"\"order\":1", "\"order\":0"},
        {"\"receipts_checked\":2", "\"receipts_checked\":-1"},
        {"\"thresholds\":7", "\"thresholds\":4294967296"},
        {"\"salt\":\"09", "\"salt\":\""},
        {"\"class\":\"FULL\"", "\"class\":\"EMPTY\""},
        {"\"identified\":\"T\",", ""},
        {"\"public-security\":\"", "\"public-safety\":\""},
        {"\"entry\":1000", "\"entry\":-1"},
        {"record SUGGESTED", "record SUGGESTION"},
        {"\"ticket_code\":\"0000\",", ""},
        {"\"id_no\":\"9", "\"id_no\":\"99"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        assert_refused(fx, changes[i][0], changes[i][1], LB_STORE_FAILED);
    assert_refused(fx, "\"version\":2", "\"version\":3", LB_VERSION_UNSUPPORTED);
    assert_refused(fx, "\"form_sha256\":\"", "\"form_sha256\":\"00", LB_FORM_UNKNOWN);
}

#define TEST(name_, setup_) cmocka_unit_test_setup_teardown(name_, setup_, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_stay_what_they_are, fx_setup),
        TEST(message_of_a_share_stays, fx_setup_share),
        TEST(message_of_a_watch_stays, fx_setup_watch),
        TEST(damaged_text_is_refused, fx_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
