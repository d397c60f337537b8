#include <stdio.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "gateway/window/case_key.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* Keys of cases: each its own, gone with the case, and that is said. */

static void copy_key(struct fixture *fx, const char *case_id, uint8_t out[LB_CASE_KEY_BYTES])
{
    struct lb_case_store *store = NULL;
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_ok(lb_case_store_open(fx->store_path, fx->case_key, &fx->diag, &store));
    assert_ok(lb_case_key_get(store, case_id, out));
    lb_case_store_close(store);
    fx_restart(fx);
}

/* A row is opened by its case's key and by no other, and that key is nowhere but wrapped. */
static void every_case_has_a_key_of_its_own(void **state)
{
    struct fixture *fx = *state;
    uint8_t key[LB_CASE_KEY_BYTES], other[LB_CASE_KEY_BYTES];
    const char *case_id = fx_open(fx, false), *second = fx_open(fx, true);
    struct lb_span plain, sealed = fx_stored_case(fx, case_id), aad = lb_span_str(case_id);
    copy_key(fx, case_id, key);
    copy_key(fx, second, other);
    assert_ok(lb_case_unseal(key, aad, sealed, fx->arena, &plain));
    assert_non_null(memmem(plain.ptr, plain.len, case_id, strlen(case_id)));
    assert_code(lb_case_unseal(other, aad, sealed, fx->arena, &plain), LB_SEAL_BROKEN);
    assert_code(lb_case_unseal(fx->case_key, aad, sealed, fx->arena, &plain), LB_SEAL_BROKEN);
    assert_false(fx_in_files(fx, key, sizeof(key)));
}

static void assert_attests(struct fixture *fx, const char *case_id,
                           const uint8_t key[LB_CASE_KEY_BYTES])
{
    const struct lb_span parts[] = {lb_span_str("lianban case key v1"), lb_span_str(case_id),
                                    lb_span_of(key, LB_CASE_KEY_BYTES)};
    uint8_t commitment[32], public_key[LB_P256_PUBLIC_BYTES];
    char hex[65];
    struct lb_note_verifier verifier;
    struct lb_span note, bytes;
    struct lb_leaf leaf;
    unsigned long long entry = 0;
    lb_sha256_parts(parts, 3, commitment);
    lb_hex_encode(lb_span_of(commitment, 32), hex);
    assert_ok(lb_window_attest(fx->window, case_id, fx->arena, &note));
    assert_int_equal(lb_sign_key_public(fx->window_key, public_key), 32);
    assert_ok(lb_note_verifier_init(lb_spiffe_log_origin(FX_WINDOW), public_key, &verifier));
    struct lb_span body;
    uint32_t mask = 0;
    assert_ok(lb_note_open(note, &verifier, 1, &body, &mask));
    lb_note_verifier_cleanup(&verifier);
    const char *text = lb_arena_str(fx->arena, body);
    assert_non_null(strstr(text, lb_arena_printf(fx->arena, "\ncase %s\nkey %s\ntime %lld\n",
                                                 case_id, hex, (long long)FX_NOW)));
    assert_int_equal(sscanf(strstr(text, "\nentry "), "\nentry %llu\n", &entry), 1);
    assert_ok(lb_log_leaf(fx->window_log, entry, fx->arena, &bytes));
    assert_ok(lb_leaf_decode(bytes, &leaf));
    assert_int_equal(leaf.type, LB_LEAF_ADMIN);
    assert_string_equal(leaf.code, "CASE_KEY_DESTROYED");
    assert_memory_equal(leaf.request_hash, commitment, 32);
}

static uint64_t log_size(struct fixture *fx)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->window_log, fx->arena, &head));
    return head.size;
}

static void closing_is_attested(void **state)
{
    struct fixture *fx = *state;
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_span note;
    const char *case_id = fx_open(fx, true), *other = fx_open(fx, false);
    copy_key(fx, case_id, key);
    assert_code(lb_window_attest(fx->window, case_id, fx->arena, &note), LB_CASE_UNKNOWN);
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_attests(fx, case_id, key);
    uint64_t size = log_size(fx);
    fx_restart(fx);
    assert_ok(lb_window_tick(fx->window));
    assert_attests(fx, case_id, key);
    assert_int_equal(log_size(fx), size); /* said once */
    assert_code(lb_window_attest(fx->window, other, fx->arena, &note), LB_CASE_UNKNOWN);
    assert_code(lb_window_attest(fx->window, "c-1", fx->arena, &note), LB_CASE_UNKNOWN);
}

/* Between the end of the key and the entry about it. */
static void dies_before_the_entry(void **state)
{
    struct fixture *fx = *state;
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_case_store *store = NULL;
    const char *case_id = fx_open(fx, false);
    copy_key(fx, case_id, key);
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_ok(lb_case_store_open(fx->store_path, fx->case_key, &fx->diag, &store));
    assert_ok(lb_case_store_erase(store, case_id, FX_NOW, NULL));
    assert_ok(lb_case_store_erase(store, case_id, FX_NOW + 5, NULL)); /* it is over already */
    lb_case_store_close(store);
    uint64_t size = log_size(fx);
    fx_restart(fx);
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(log_size(fx), size + 1);
    assert_attests(fx, case_id, key);
}

/* A store of the first version: cases lie under the agent's key itself. */
static void make_old(struct fixture *fx, const char *case_id)
{
    struct lb_case_store *store = NULL;
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_stmt *update = NULL;
    struct lb_span plain, sealed = fx_stored_case(fx, case_id), aad = lb_span_str(case_id);
    assert_ok(lb_case_store_open(fx->store_path, fx->case_key, &fx->diag, &store));
    assert_ok(lb_case_key_get(store, case_id, key));
    assert_ok(lb_case_unseal(key, aad, sealed, fx->arena, &plain));
    assert_ok(lb_case_seal(fx->case_key, aad, plain, fx->arena, &sealed));
    assert_ok(lb_stmt_prepare(store->store, "UPDATE cases SET sealed = ?2 WHERE id = ?1", &update));
    assert_ok(lb_stmt_bind_text(update, 1, aad));
    assert_ok(lb_stmt_bind_blob(update, 2, sealed));
    assert_ok(lb_stmt_run(update));
    lb_case_store_close(store);
}

static void old_stores_go_on(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true), *second = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    lb_window_free(fx->window);
    fx->window = NULL;
    make_old(fx, case_id);
    make_old(fx, second);
    fx_change_store(fx, "DROP TABLE case_key; DROP TABLE parcel; DROP TABLE word; DROP TABLE ended;"
                     " DROP TABLE figures;"
                     " PRAGMA user_version = 1");
    struct lb_span old = fx_stored_case(fx, case_id);
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->class_id, got.result->class_id);
    assert_string_equal(fx_get(fx, second)->state, "OPEN");
    for (size_t at = 0; at + 64 <= old.len; at += 64)
        assert_false(fx_in_files(fx, old.ptr + at, 64));
    uint8_t key[LB_CASE_KEY_BYTES];
    copy_key(fx, case_id, key);
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_attests(fx, case_id, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_case_has_a_key_of_its_own, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(closing_is_attested, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(dies_before_the_entry, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(old_stores_go_on, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
