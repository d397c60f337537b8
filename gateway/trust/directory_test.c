#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/trust/fixture.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static const char *good_text(void)
{
    return fx_text(&fx, fx_directory(&fx, 3));
}

static void test_open(void **state)
{
    (void)state;
    struct lb_note_verifier verifier = {0};
    assert_ok(lb_note_verifier_parse(lb_span_str(fx.directory_vkey), &verifier));
    struct lb_diag diag;
    struct lb_directory *directory = NULL;
    struct lb_span note = fx_sign(&fx, good_text());
    assert_ok(lb_directory_open(note, &verifier, 1, FX_NOW, &diag, &directory));
    assert_string_equal(directory->federation, "example.gov");
    assert_int_equal(directory->version, 3);
    assert_int_equal(directory->num_pins, 1);
    assert_int_equal(directory->num_organizations, 1);
    assert_string_equal(directory->organizations[0].zh, "税务");
    lb_directory_ref(directory);
    lb_directory_unref(directory);
    lb_directory_unref(directory);
    /* One changed byte, no signature, another's signature, no note at all. */
    struct lb_span changed;
    assert_ok(lb_arena_copy(fx.arena, note, &changed));
    ((uint8_t *)(uintptr_t)changed.ptr)[40] ^= 1;
    directory = NULL;
    assert_code(lb_directory_open(changed, &verifier, 1, FX_NOW, &diag, &directory),
                LB_DIRECTORY_INVALID);
    assert_code(
        lb_directory_open(lb_span_str(good_text()), &verifier, 1, FX_NOW, &diag, &directory),
        LB_DIRECTORY_INVALID);
    assert_code(lb_directory_open(note, &verifier, 0, FX_NOW, &diag, &directory),
                LB_DIRECTORY_INVALID);
    assert_code(lb_directory_open(LB_SPAN_EMPTY, &verifier, 1, FX_NOW, &diag, &directory),
                LB_DIRECTORY_INVALID);
    assert_null(directory);
    lb_note_verifier_cleanup(&verifier);
}

static void test_lookups(void **state)
{
    (void)state;
    struct lb_diag diag;
    struct lb_directory *directory = NULL;
    assert_ok(lb_directory_check_text(lb_span_str(good_text()), FX_NOW, &diag, &directory));
    const struct lb_node *adapter = lb_directory_node(directory, FX_ADAPTER);
    assert_non_null(adapter);
    assert_int_equal(adapter->kind, LB_NODE_ADAPTER);
    assert_string_equal(adapter->organization, "tax");
    assert_string_equal(adapter->endpoint, "127.0.0.1:7001");
    assert_string_equal(adapter->log_origin, "example.gov/adapter/tax/one");
    assert_non_null(lb_directory_node(directory, FX_BROKER));
    assert_null(lb_directory_node(directory, FX_WINDOW)->log_origin);
    assert_null(lb_directory_node(directory, "spiffe://example.gov/adapter/tax"));
    assert_null(lb_directory_node(directory, ""));
    const struct lb_issuer *issuer = lb_directory_issuer(directory, "hall", "h1");
    assert_non_null(issuer);
    assert_int_equal(issuer->kinds, LB_ISSUES_CONSENT);
    assert_int_equal(lb_verify_key_alg(issuer->key), LB_SIGN_ES256);
    assert_null(lb_directory_issuer(directory, "hall", "h2"));
    assert_null(lb_directory_issuer(directory, "tax", "h1"));
    assert_non_null(lb_listed_find(directory->forms, directory->num_forms, "social-assistance", 1));
    assert_non_null(lb_listed_find(directory->views, directory->num_views, "tax.income", 2));
    assert_null(lb_listed_find(directory->forms, directory->num_forms, "social-assistance", 3));
    assert_null(lb_listed_find(directory->rules, directory->num_rules, "beijin", 1));
    assert_null(lb_listed_find(NULL, 0, "beijing", 1));
    lb_directory_unref(directory);
}

static void test_seal_keys(void **state)
{
    (void)state;
    const struct lb_seal_key_entry entries[] = {
        {.id = "a", .not_after = FX_NOW + 10},
        {.id = "c", .not_after = FX_NOW + 30},
        {.id = "b", .not_after = FX_NOW + 20},
    };
    const struct lb_node node = {.num_seal_keys = 3, .seal_keys = entries};
    assert_string_equal(lb_node_seal_key(&node, NULL, FX_NOW)->id, "c");
    assert_string_equal(lb_node_seal_key(&node, "b", FX_NOW)->id, "b");
    assert_null(lb_node_seal_key(&node, "b", FX_NOW + 20));
    assert_null(lb_node_seal_key(&node, "d", FX_NOW));
    assert_null(lb_node_seal_key(&node, NULL, FX_NOW + 30));
}

static void assert_refused(const char *text, const char *sentence)
{
    struct lb_diag diag = {{0}};
    struct lb_directory *directory = NULL;
    lb_status status = lb_directory_check_text(lb_span_str(text), FX_NOW, &diag, &directory);
    if (lb_status_code(status) != LB_DIRECTORY_INVALID || strstr(diag.text, sentence) == NULL)
        print_error("wanted \"%s\", got %s \"%s\"\n", sentence,
                    lb_code_name(lb_status_code(status)), diag.text);
    assert_code(status, LB_DIRECTORY_INVALID);
    assert_non_null(strstr(diag.text, sentence));
    assert_null(directory);
}

#define FF "00000000000000000000000000000000000000000000000000000000000000ff"

static void test_hostile_swaps(void **state)
{
    (void)state;
    static const char *const swaps[][3] = {
        {"directory/v1", "directory/v2", "newer"},
        {"\"type\"", "\"extra\": 1, \"type\"", "unknown member \"extra\""},
        {"\"type\"", "\"type\": \"x\", \"type\"", "repeated"},
        {"\"version\": 3", "\"version\": 0", "\"version\" is out of range"},
        {"\"version\": 3", "\"version\": \"3\"", "\"version\" is missing"},
        {"\"issued\": 1799999990", "\"issued\": 1800000061", "future"},
        {"\"expires\": 1831536000", "\"expires\": 1800000000", "expired"},
        {"\"expires\": 1831536000", "\"expires\": 1799999990", "expires before"},
        {"\"federation\": \"example.gov\"", "\"federation\": \"other.gov\"", "another federation"},
        {"\"federation\": \"example.gov\"", "\"federation\": \"\"", "\"federation\" must be"},
        {"\"ca_pins\": [", "\"ca_pins\": [\"ab\",", "ca_pins[0]: it is not 64 hex digits"},
        {"\"ca_pins\": [", "\"ca_pins\": [\"" FF "\",\"" FF "\",", "names one thing twice"},
        {"\"zh\": \"税务\"", "\"zh\": 7", "organizations[0]: \"zh\""},
        {"\"zh\": \"税务\"", "\"zh\": \"a\\u0001\"", "control characters"},
        {"\"id\": \"tax\"", "\"id\": \"tax office\"", "\"id\" must be"},
        {FX_BROKER, "spiffe://example.gov/broker/Hub", "\"spiffe\" is not"},
        {FX_BROKER, "spiffe://example.gov/root/hub", "\"spiffe\" is not"},
        {FX_BROKER, "https://example.gov/broker/hub", "\"spiffe\" is not"},
        {FX_BROKER, "spiffe://example.gov/broker/hub/a/b", "\"spiffe\" is not"},
        {FX_BROKER, FX_WINDOW, "\"nodes\" names one thing twice"},
        {"127.0.0.1:7000", "a b", "space"},
        {"example.gov/adapter/tax/one+", "example.gov/adapter/tax/two+", "\"log\""},
        {"\"id\": \"s1\"", "\"id\": \"s2\"", "nodes[1].seal[0]: is not signed"},
        {"\"not_after\": 1800001000", "\"not_after\": 1800002000", "is not signed"},
        {"\"not_after\": 1800001000", "\"not_after\": 1900001000", "longer than 7 days"},
        {"\"key\": \"BQ", "\"key\": \"BA", "is not signed"},
        {"\"signature\": \"", "\"signature\": \"A", "not 64 bytes"},
        {"\"signature\"", "\"sig\"", "unknown member"},
        {"\"kid\": \"h1\"", "\"kid\": \"h/1\"", "\"kid\" must be"},
        {"\"x\": \"", "\"x\": \"AAAA", "not 32 bytes"},
        {"\"consent\"", "\"everything\"", "none of consent, mandate, operator"},
        {"\"consent\"", "\"consent\", \"consent\"", "named twice"},
        {"\"kid\": \"h1\"", "\"kid\": \"h1\", \"d\": \"x\"", "unknown member"},
        {"\"version\": 2", "\"version\": 1", "names one thing twice"},
        {"\"version\": 2", "\"version\": 4294967296", "out of range"},
        {"\"sha256\": \"0", "\"sha256\": \"", "not 64 hex digits"},
        {"\"forms\"", "\"Forms\"", "unknown member"},
    };
    const char *text = good_text();
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++)
        assert_refused(fx_swap(&fx, text, swaps[i][0], swaps[i][1]), swaps[i][2]);
}

static void test_hostile_shapes(void **state)
{
    (void)state;
    assert_refused("", "empty");
    assert_refused("{}", "line feed");
    assert_refused("{}\n", "\"type\"");
    assert_refused("[]\n", "not an object");
    assert_refused("{\n", "not one JSON value");
    const char *text = good_text();
    const char *cut = lb_arena_printf(fx.arena, "%.*s\n", (int)strlen(text) / 2, text);
    assert_refused(cut, "not one JSON value");
    assert_refused(lb_arena_printf(fx.arena, "%s{}\n", text), "not one JSON value");
    /* Lists that are none, or empty where they may not be. */
    static const char *const keys[] = {"ca_pins", "organizations", "nodes", "issuers",
                                       "forms",   "rules",         "views"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct lb_json *directory = fx_directory(&fx, 3);
        lb_json_set_cstr(directory, keys[i], "x");
        assert_refused(fx_text(&fx, directory), keys[i]);
    }
    struct lb_json *directory = fx_directory(&fx, 3);
    lb_json_set(directory, "ca_pins", lb_json_array());
    assert_refused(fx_text(&fx, directory), "1 to 16");
}

/* A sealing key in the directory signer's own hand, or in another node's, does not count. */
static void test_foreign_seal_key(void **state)
{
    (void)state;
    struct lb_json *directory = fx_directory(&fx, 3);
    const struct lb_json *seals = NULL;
    assert_ok(lb_json_get_array(fx_node(directory, FX_ADAPTER), "seal", &seals));
    struct lb_json *broker = fx_node(directory, FX_BROKER);
    lb_json_set(broker, "seal", lb_json_copy(seals));
    assert_refused(fx_text(&fx, directory), "needs a log key");
    directory = fx_directory(&fx, 3);
    assert_ok(lb_json_get_array(fx_node(directory, FX_ADAPTER), "seal", &seals));
    broker = fx_node(directory, FX_BROKER);
    lb_json_set(broker, "seal", lb_json_copy(seals));
    lb_json_set_cstr(broker, "log", fx_vkey(&fx, "example.gov/broker/hub", fx.log_key));
    assert_refused(fx_text(&fx, directory), "is not signed");
}

/* A share key is signed as one by its own node, and is no sealing key besides. */
static void test_share_keys(void **state)
{
    (void)state;
    struct lb_diag diag;
    struct lb_directory *read = NULL;
    struct lb_json *directory = fx_directory(&fx, 3);
    struct lb_json *adapter = fx_node(directory, FX_ADAPTER);
    lb_json_set(adapter, "share", fx_share_keys(&fx, FX_ADAPTER, 6));
    assert_ok(lb_directory_check_text(lb_span_str(fx_text(&fx, directory)), FX_NOW, &diag, &read));
    const struct lb_node *node = lb_directory_node(read, FX_ADAPTER);
    assert_int_equal(node->num_share_keys, 1);
    assert_int_equal(lb_node_share_key(node, FX_NOW)->public_key[0], 6);
    assert_null(lb_node_share_key(node, FX_NOW + 1000));
    assert_int_equal(lb_directory_node(read, FX_BROKER)->num_share_keys, 0);
    lb_directory_unref(read);
    directory = fx_directory(&fx, 3);
    lb_json_set(fx_node(directory, FX_ADAPTER), "share", fx_share_keys(&fx, FX_ADAPTER, 5));
    assert_refused(fx_text(&fx, directory), "a share key is a sealing key as well");
    directory = fx_directory(&fx, 3);
    lb_json_set(fx_node(directory, FX_ADAPTER), "share", fx_share_keys(&fx, FX_BROKER, 6));
    assert_refused(fx_text(&fx, directory), "is not signed");
    directory = fx_directory(&fx, 3);
    lb_json_set_cstr(fx_node(directory, FX_ADAPTER), "share", "none");
    assert_refused(fx_text(&fx, directory), "share");
}

static struct lb_json *add_share_key(struct lb_json *list, const struct lb_seal_key_entry *entry)
{
    struct lb_json *json = lb_json_object();
    struct lb_span signature;
    assert_ok(lb_share_key_sign(FX_ADAPTER, entry, fx.log_key, fx.arena, &signature));
    lb_json_set_cstr(json, "id", entry->id);
    lb_json_set_cstr(json, "key", lb_b64url_encode(fx.arena, lb_span_of(entry->public_key, 32)));
    if (entry->not_before != 0)
        lb_json_set_int(json, "not_before", entry->not_before);
    lb_json_set_int(json, "not_after", entry->not_after);
    lb_json_set_str(json, "signature", signature);
    lb_json_append(list, json);
    return json;
}

/* Which key a run has is settled by its start alone, so that nobody is asked under two. */
static void test_share_keys_follow_each_other(void **state)
{
    (void)state;
    const struct lb_seal_key_entry entries[] = {
        {.id = "m1", .public_key = {6}, .not_after = FX_NOW + 900},
        {.id = "m2", .public_key = {7}, .not_before = FX_NOW + 100, .not_after = FX_NOW + 500},
        {.id = "m3", .public_key = {8}, .not_before = FX_NOW + 100, .not_after = FX_NOW + 600},
    };
    static const struct { int64_t at; const char *id; } runs[] = {
        {0, "m1"}, {99, "m1"}, {100, "m3"}, {599, "m3"}, {600, "m1"}, {899, "m1"}};
    struct lb_diag diag;
    struct lb_directory *read = NULL;
    struct lb_json *directory = fx_directory(&fx, 3);
    struct lb_json *list = lb_json_array(), *keys[3];
    for (size_t i = 0; i < 3; i++)
        keys[i] = add_share_key(list, &entries[i]);
    lb_json_set(fx_node(directory, FX_ADAPTER), "share", list);
    const char *text = fx_text(&fx, lb_json_copy(directory));
    assert_ok(lb_directory_check_text(lb_span_str(text), FX_NOW, &diag, &read));
    const struct lb_node *node = lb_directory_node(read, FX_ADAPTER);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        assert_string_equal(lb_node_share_key(node, FX_NOW + runs[i].at)->id, runs[i].id);
    assert_null(lb_node_share_key(node, FX_NOW + 900));
    lb_directory_unref(read);
    /* The directory's signer puts a key off, or lets it begin at once: not what its node signed. */
    lb_json_set_int(keys[1], "not_before", FX_NOW + 200);
    assert_refused(fx_text(&fx, lb_json_copy(directory)), "is not signed");
    lb_json_set_int(keys[1], "not_before", FX_NOW + 500);
    assert_refused(fx_text(&fx, lb_json_copy(directory)), "not_before");
    lb_json_set_int(keys[1], "not_before", 0);
    assert_refused(fx_text(&fx, lb_json_copy(directory)), "not_before");
    lb_json_free(directory);
}

/* A key of a right form under another node's name. */
static void test_foreign_log_key(void **state)
{
    (void)state;
    struct lb_json *directory = fx_directory(&fx, 3);
    lb_json_set_cstr(fx_node(directory, FX_BROKER), "log",
                     fx_vkey(&fx, "example.gov/broker/hubs", fx.log_key));
    assert_refused(fx_text(&fx, directory), "must be a key of the name example.gov/broker/hub");
    directory = fx_directory(&fx, 3);
    lb_json_set_cstr(fx_node(directory, FX_BROKER), "log", "example.gov/broker/hub");
    assert_refused(fx_text(&fx, directory), "not a verifier key");
}

static void test_spiffe(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "spiffe://",
        "spiffe://a",
        "spiffe://a/adapter",
        "spiffe://a/adapter/",
        "spiffe:///adapter/b",
        "spiffe://a/adapter/b/",
        "spiffe://a/adapter/b/c/d",
        "spiffe://a/Adapter/b",
        "spiffe://a/adapter/B",
        "spiffe://a/adapter/..",
        "spiffe://a/adapter/b/.",
        "spiffe://a/adapter/b c",
        "SPIFFE://a/adapter/b",
        "spiffe://a/adapter/b?x",
        "spiffe://a/adapter/b#x",
        "spiffe://a:1/adapter/b",
        "spiffe://a/nobody/b",
        "spiffe://a/adapter/\xe7\xa8\x8e",
    };
    const char *federation = "untouched";
    const char *organization = NULL;
    enum lb_node_kind kind;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_code(lb_spiffe_parse(bad[i], fx.arena, &federation, &kind, &organization),
                    LB_MALFORMED);
    assert_string_equal(federation, "untouched");
    char part[66] = {0};
    memset(part, 'a', 65);
    const char *text = lb_arena_printf(fx.arena, "spiffe://a/adapter/%s", part);
    assert_code(lb_spiffe_parse(text, fx.arena, &federation, &kind, &organization), LB_MALFORMED);
    part[64] = 0;
    text = lb_arena_printf(fx.arena, "spiffe://a/adapter/%s", part);
    assert_ok(lb_spiffe_parse(text, fx.arena, &federation, &kind, &organization));
    for (int i = 0; i < LB_NUM_NODE_KINDS; i++) {
        text = lb_arena_printf(fx.arena, "spiffe://a.b/%s/c-1/d",
                               lb_node_kind_name((enum lb_node_kind)i));
        assert_ok(lb_spiffe_parse(text, fx.arena, &federation, &kind, &organization));
        assert_int_equal(kind, i);
        assert_string_equal(federation, "a.b");
        assert_string_equal(organization, "c-1");
    }
    assert_string_equal(lb_spiffe_log_origin(FX_ADAPTER), "example.gov/adapter/tax/one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lookups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seal_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_swaps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_seal_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_share_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_share_keys_follow_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_log_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spiffe, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
