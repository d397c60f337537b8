#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pthread.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/html.h"
#include "gateway/base/status.h"
#include "gateway/base/utf8.h"
#include "gateway/base/workers.h"

static void codes_have_unique_names_and_texts(void **state)
{
    (void)state;
    for (int i = 0; i < LB_NUM_CODES; i++) {
        enum lb_code found = LB_INTERNAL;
        const char *name = lb_code_name((enum lb_code)i);
        assert_true(lb_code_by_name(name, strlen(name), &found));
        assert_int_equal(found, i);
        assert_true(strlen(lb_code_text_en((enum lb_code)i)) > 0);
        assert_true(strlen(lb_code_text_zh((enum lb_code)i)) > 0);
    }
    enum lb_code untouched = LB_REPLAY;
    assert_false(lb_code_by_name("REPLA", 5, &untouched));
    assert_int_equal(untouched, LB_REPLAY);
}

static void outer_code_hides_what_depends_on_the_subject(void **state)
{
    (void)state;
    assert_int_equal(lb_code_outer(LB_NOT_FOUND), LB_ANSWERED);
    assert_int_equal(lb_code_outer(LB_SUBJECT_MISMATCH), LB_ANSWERED);
    assert_int_equal(lb_code_outer(LB_STORE_FAILED), LB_INTERNAL);
    assert_int_equal(lb_code_outer(LB_REPLAY), LB_REPLAY);
    assert_int_equal(lb_code_outer((enum lb_code)9999), LB_INTERNAL);
}

static void arena_stops_at_its_cap(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(10000);
    assert_non_null(lb_arena_alloc(arena, 9000));
    assert_null(lb_arena_alloc(arena, 2000));
    assert_null(lb_arena_array(arena, SIZE_MAX / 2, 4));
    assert_null(lb_arena_alloc(arena, SIZE_MAX));
    lb_arena_reset(arena);
    uint8_t *again = lb_arena_alloc(arena, 9000);
    assert_non_null(again);
    for (int i = 0; i < 9000; i++)
        assert_int_equal(again[i], 0);
    lb_arena_free(arena);
}

static void buffer_refuses_past_its_maximum(void **state)
{
    (void)state;
    struct lb_buf buf;
    lb_buf_init(&buf, 8);
    lb_buf_put_u32(&buf, 0x01020304);
    lb_buf_put_field16(&buf, lb_span_str("ab"));
    assert_true(lb_buf_check(&buf) == LB_OK);
    assert_memory_equal(buf.ptr, "\1\2\3\4\0\2ab", 8);
    lb_buf_put_u8(&buf, 1);
    assert_int_equal(lb_status_code(lb_buf_check(&buf)), LB_TOO_LARGE);
    assert_int_equal(buf.len, 8);
    lb_buf_cleanup(&buf);
}

static void buffer_over_lent_bytes_stays_inside(void **state)
{
    (void)state;
    uint8_t bytes[9] = {0};
    struct lb_buf buf;
    bytes[8] = 0xEE;
    lb_buf_over(&buf, bytes, 8);
    lb_buf_put_u64(&buf, 0x0102030405060708);
    assert_true(lb_buf_check(&buf) == LB_OK);
    assert_ptr_equal(buf.ptr, bytes);
    lb_buf_put_u8(&buf, 1);
    assert_int_equal(lb_status_code(lb_buf_check(&buf)), LB_TOO_LARGE);
    assert_memory_equal(bytes, "\1\2\3\4\5\6\7\10\xEE", 9);
    lb_buf_cleanup(&buf);
    assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\xEE", 9);
}

static void cursor_never_passes_the_end(void **state)
{
    (void)state;
    struct lb_cursor cur = lb_cursor_of(lb_span_of("\0\5ab", 4));
    struct lb_span field = lb_cursor_field16(&cur);
    assert_int_equal(field.len, 0);
    assert_int_equal(lb_status_code(lb_cursor_end(&cur)), LB_MALFORMED);
    cur = lb_cursor_of(lb_span_of("\0\2abc", 5));
    assert_true(lb_span_is(lb_cursor_field16(&cur), "ab"));
    assert_int_equal(lb_status_code(lb_cursor_end(&cur)), LB_MALFORMED);
}

static void utf8_refuses_overlong_and_surrogates(void **state)
{
    (void)state;
    assert_true(lb_utf8_valid(lb_span_str("买买提·艾山 𠮷")));
    assert_false(lb_utf8_valid(lb_span_of("\xC0\xAF", 2)));
    assert_false(lb_utf8_valid(lb_span_of("\xED\xA0\x80", 3)));
    assert_false(lb_utf8_valid(lb_span_of("\xE4\xBD", 2)));
    assert_false(lb_utf8_valid(lb_span_of("\xF4\x90\x80\x80", 4)));
    uint8_t out[4];
    assert_int_equal(lb_utf8_put(0x20BB7, out), 4);
    assert_memory_equal(out, "𠮷", 4);
}

/* Wherever it stands between texts that are passed over by the word, and at their very end. */
static void utf8_is_looked_at_everywhere(void **state)
{
    static const char *const wrong[] = {"\x80", "\xC0\xAF", "\xE4\xBD", "\xFF"};
    char text[48];
    (void)state;
    for (size_t len = 4; len <= 40; len++) {
        for (size_t at = 0; at + 3 <= len; at++) {
            memset(text, 'a', len);
            memcpy(text + at, "民", 3);
            assert_true(lb_utf8_valid(lb_span_of(text, len)));
            assert_false(lb_utf8_valid(lb_span_of(text, at + 2)));
            for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                memset(text, 'a', len);
                memcpy(text + at, wrong[i], strlen(wrong[i]));
                assert_false(lb_utf8_valid(lb_span_of(text, len)));
            }
        }
    }
}

/* It grows by doubling, and never past its maximum. */
static void a_buffer_has_room_to_its_maximum(void **state)
{
    struct lb_buf buf;
    (void)state;
    lb_buf_init(&buf, 300);
    for (size_t i = 0; i < 300; i++)
        lb_buf_put_u8(&buf, (uint8_t)i);
    assert_true(lb_buf_check(&buf) == LB_OK);
    lb_buf_put_u8(&buf, 0);
    assert_int_equal(lb_status_code(lb_buf_check(&buf)), LB_TOO_LARGE);
    lb_buf_put(&buf, LB_SPAN_EMPTY);
    assert_int_equal(lb_buf_span(&buf).len, 300); /* and takes nothing more, not even what fits */
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(buf.ptr[i], (uint8_t)i);
    lb_buf_cleanup(&buf);
}

static void hex_takes_exactly_its_length(void **state)
{
    (void)state;
    uint8_t out[2] = {9, 9};
    assert_int_equal(lb_status_code(lb_hex_decode(lb_span_str("0a0"), out, 2)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_hex_decode(lb_span_str("0a0g"), out, 2)), LB_MALFORMED);
    assert_int_equal(out[0], 9);
    assert_true(lb_hex_decode(lb_span_str("0aFf"), out, 2) == LB_OK);
    char text[5];
    lb_hex_encode(lb_span_of(out, 2), text);
    assert_string_equal(text, "0aff");
}

static void file_write_is_whole_and_secret_files_are_private(void **state)
{
    (void)state;
    char folder[] = "/tmp/lb_base_XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    struct lb_arena *arena = lb_arena_new(1 << 16);
    struct lb_span content = LB_SPAN_EMPTY;
    assert_true(lb_file_write(path, lb_span_str("first"), 0600) == LB_OK);
    assert_true(lb_file_write(path, lb_span_str("second"), 0600) == LB_OK);
    assert_true(lb_file_read_secret(path, 100, arena, &content) == LB_OK);
    assert_true(lb_span_is(content, "second"));
    assert_int_equal(lb_status_code(lb_file_read(path, 3, arena, &content)), LB_TOO_LARGE);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(lb_status_code(lb_file_read_secret(path, 100, arena, &content)),
                     LB_FILE_FAILED);
    assert_int_equal(lb_status_code(lb_file_read(folder, 100, arena, &content)), LB_FILE_FAILED);
    lb_arena_free(arena);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void state_folder_has_one_owner(void **state)
{
    (void)state;
    char folder[] = "/tmp/lb_lock_XXXXXX";
    assert_non_null(mkdtemp(folder));
    int first = -1, second = -1;
    assert_true(lb_file_lock(folder, &first) == LB_OK);
    assert_int_equal(lb_status_code(lb_file_lock(folder, &second)), LB_STATE_LOCKED);
    assert_int_equal(second, -1);
    (void)close(first);
    assert_true(lb_file_lock(folder, &second) == LB_OK);
    (void)close(second);
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/lock", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

struct gate_job {
    struct lb_job job;
    pthread_mutex_t *gate;
    int *ran;
};

static void run_gate(struct lb_job *job)
{
    struct gate_job *gate_job = (struct gate_job *)job;
    (void)pthread_mutex_lock(gate_job->gate);
    ++*gate_job->ran;
    (void)pthread_mutex_unlock(gate_job->gate);
}

static void full_queue_says_busy_and_loses_nothing(void **state)
{
    (void)state;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int ran = 0;
    struct gate_job jobs[8];
    struct lb_workers *workers = NULL;
    assert_true(lb_workers_new(1, 3, &workers) == LB_OK);
    (void)pthread_mutex_lock(&gate);
    int accepted = 0, busy = 0;
    for (size_t i = 0; i < 8; i++) {
        jobs[i] = (struct gate_job){.job = {.run = run_gate}, .gate = &gate, .ran = &ran};
        lb_status status = lb_workers_submit(workers, &jobs[i].job);
        if (status == LB_OK)
            accepted++;
        else if (status->code == LB_BUSY)
            busy++;
    }
    (void)pthread_mutex_unlock(&gate);
    lb_workers_free(workers);
    assert_int_equal(accepted + busy, 8);
    assert_true(accepted >= 3 && accepted <= 4);
    assert_int_equal(ran, accepted);
}

static void html_says_what_it_would_read_itself(void **state)
{
    (void)state;
    assert_string_equal(lb_html_entity('<'), "&lt;");
    assert_string_equal(lb_html_entity('>'), "&gt;");
    assert_string_equal(lb_html_entity('&'), "&amp;");
    assert_string_equal(lb_html_entity('"'), "&quot;");
    assert_null(lb_html_entity('a'));
    assert_null(lb_html_entity(0xFF1C)); /* a wide one is no bracket */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_unique_names_and_texts),
        cmocka_unit_test(outer_code_hides_what_depends_on_the_subject),
        cmocka_unit_test(arena_stops_at_its_cap),
        cmocka_unit_test(buffer_refuses_past_its_maximum),
        cmocka_unit_test(buffer_over_lent_bytes_stays_inside),
        cmocka_unit_test(cursor_never_passes_the_end),
        cmocka_unit_test(utf8_refuses_overlong_and_surrogates),
        cmocka_unit_test(utf8_is_looked_at_everywhere),
        cmocka_unit_test(a_buffer_has_room_to_its_maximum),
        cmocka_unit_test(hex_takes_exactly_its_length),
        cmocka_unit_test(file_write_is_whole_and_secret_files_are_private),
        cmocka_unit_test(state_folder_has_one_owner),
        cmocka_unit_test(full_queue_says_busy_and_loses_nothing),
        cmocka_unit_test(html_says_what_it_would_read_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
