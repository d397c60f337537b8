#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/evidence/inspect.h"
#include "gateway/evidence/seen.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/recovery.h"

/* A lost log by the commands alone: a broker that saw it, two officers, and whoever else would like
 * to have a say. */

#define ORIGIN "example.gov/adapter/tax/one"
#define LI "spiffe://example.gov/officer/tax/li"
#define WANG "spiffe://example.gov/officer/tax/wang"
#define STRANGER "spiffe://example.gov/broker/stranger"
#define NUM_SEEN 5
#define NUM_KEPT 2

enum { NEW, BROKER, BY_LI, BY_WANG, OTHER, NUM_KEYS };
static const char *const names[NUM_KEYS] = {"new.pem", "broker.pem", "li.pem", "wang.pem",
                                            "other.pem"};

static struct fixture fx;
static struct lb_sign_key *keys[NUM_KEYS];
static char *out, *err;
static size_t out_len, err_len;

/* --- commands --- */

static lb_status no_witness(const char *folder, const char *origin, struct lb_arena *arena,
                            struct lb_span *out_note)
{
    (void)folder, (void)origin, (void)arena, (void)out_note;
    LB_FAIL(LB_ABSENT, "no witness");
}

static int run(const char *const *words)
{
    char *argv[32];
    int argc = 0;
    free(out);
    free(err);
    out = err = NULL;
    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    argv[argc] = NULL;
    struct lb_ctl_env env = {.clock = &fx.clock.clock, .cosigned = no_witness, .version = "test",
                             .out = open_memstream(&out, &out_len),
                             .err = open_memstream(&err, &err_len)};
    int exit_code = lb_ctl_node_command(&env, argc, argv);
    (void)fclose(env.out);
    (void)fclose(env.err);
    return exit_code;
}
#define RUN(...) run((const char *const[]){"node", __VA_ARGS__, NULL})

#define assert_refused(run_, code_)                                                                \
    do {                                                                                           \
        assert_int_equal(run_, 1);                                                                 \
        assert_non_null(strstr(err, lb_code_name(code_)));                                         \
    } while (0)

static const char *path(const char *name)
{
    return fx_path(&fx, name);
}

/* --- the ground --- */

static struct lb_log *open_log(const char *folder, const char *origin,
                               const struct lb_sign_key *key)
{
    struct lb_log *log = NULL;
    struct lb_diag diag = {""};
    const struct lb_log_options options = {.folder = folder, .origin = origin, .key = key,
                                           .clock = &fx.clock.clock, .create = true,
                                           .marks = {4096, 4096, 0}};
    assert_ok(lb_file_mkdirs(folder));
    lb_status status = lb_log_open(&options, &diag, &log);
    assert_string_equal(diag.text, "");
    assert_ok(status);
    return log;
}

static void append(struct lb_log *log, int num)
{
    for (int i = 0; i < num; i++) {
        struct lb_log_entry *entry = calloc(1, sizeof(*entry));
        assert_non_null(entry);
        entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
        assert_ok(lb_log_append_wait(log, entry));
        free(entry);
    }
}

static void show(struct lb_log *log)
{
    struct lb_seen *seen = NULL;
    struct lb_seen_log *peer = NULL;
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_checkpoint checkpoint;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    uint64_t from = 0, size = 0;
    (void)lb_sign_key_public(fx.log_key, raw);
    assert_ok(lb_file_mkdirs(path("broker-state/seen")));
    assert_ok(lb_seen_new(path("broker-state/seen"), &seen));
    assert_ok(lb_seen_open(seen, ORIGIN, raw, &peer));
    assert_ok(lb_link_show(log, &from, fx.arena, &progress, &size));
    assert_ok(lb_seen_advance(peer, progress, &checkpoint));
    lb_seen_free(seen);
}

static void add_member(struct lb_json *directory, const char *spiffe, int key)
{
    const struct lb_json *list = NULL;
    struct lb_json *node = lb_json_object();
    assert_ok(lb_json_get_array(directory, "nodes", &list));
    lb_json_set_cstr(node, "spiffe", spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", fx_vkey(&fx, lb_spiffe_log_origin(spiffe), keys[key]));
    lb_json_set(node, "seal", lb_json_array());
    lb_json_append((struct lb_json *)(uintptr_t)list, node);
}

static void write_config(const char *name, const char *spiffe, const char *state, const char *key)
{
    const char *text = lb_arena_printf(
        fx.arena,
        "node: %s\nidentity: {cert: c, key: k, ca: ca.pem}\ncrl: crl.pem\n"
        "directory: {file: directory, signers: [\"%s\"]}\nstate: %s\nlog_key: %s\n"
        "disk: {alert_mb: 1, stop_mb: 1, reserve_mb: 0}\n",
        spiffe, fx.directory_vkey, state, key);
    assert_non_null(text);
    fx_write(path(name), lb_span_str(text));
}

static void write_directory(void)
{
    struct lb_json *directory = fx_directory(&fx, 1);
    lb_json_set_cstr(fx_node(directory, FX_BROKER), "log",
                     fx_vkey(&fx, lb_spiffe_log_origin(FX_BROKER), keys[BROKER]));
    add_member(directory, LI, BY_LI);
    add_member(directory, WANG, BY_WANG);
    fx_write_directory(&fx, fx_text(&fx, directory));
}

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    for (int i = 0; i < NUM_KEYS; i++) {
        assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &keys[i]));
        assert_ok(lb_keys_save_sign(path(names[i]), keys[i]));
    }
    write_directory();
    write_config("node.yaml", FX_ADAPTER, "node-state", "new.pem");
    write_config("broker.yaml", FX_BROKER, "broker-state", "broker.pem");
    struct lb_log *kept = open_log(path("kept"), ORIGIN, fx.log_key);
    append(kept, NUM_KEPT);
    lb_log_close(kept);
    /* The clock stands still, so that both logs begin with the same entries. */
    struct lb_log *lost = open_log(path("lost"), ORIGIN, fx.log_key);
    append(lost, NUM_SEEN);
    show(lost);
    lb_log_close(lost);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < NUM_KEYS; i++)
        lb_sign_key_free(keys[i]);
    free(out);
    free(err);
    out = err = NULL;
    fx_teardown(&fx);
    return 0;
}

/* --- steps --- */

static int seen(void)
{
    int exit_code = RUN("seen", "--config", path("broker.yaml"), "--of", FX_ADAPTER);
    fx_write(path("broker.seen"), lb_span_str(out));
    return exit_code;
}

static int draft(const char *line)
{
    return RUN("recover", "draft", "--config", path("node.yaml"), "--seen", path(line), "--officer",
               LI, "--officer", WANG, "--kept", path("kept"), "--out", path("recovery.note"),
               "--public", path("new.vkey"));
}

static int sign(const char *as, const char *key)
{
    return RUN("recover", "sign", path("recovery.note"), "--as", as, "--key", path(key),
               "--directory", path("directory"), "--signer", fx.directory_vkey);
}

static int begin(void)
{
    return RUN("recover", "begin", "--config", path("node.yaml"), "--note", path("recovery.note"));
}

static void make_note(void)
{
    assert_int_equal(seen(), 0);
    assert_int_equal(draft("broker.seen"), 0);
    assert_int_equal(sign(LI, "li.pem"), 0);
    assert_int_equal(sign(WANG, "wang.pem"), 0);
}

static void read_first(uint64_t size, struct lb_leaf *leaf)
{
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag;
    struct lb_hash hash;
    uint64_t found = 0;
    assert_ok(lb_log_reader_open(path("node-state"), &diag, &reader));
    assert_ok(lb_log_reader_size(reader, &found));
    assert_int_equal(found, size);
    assert_ok(lb_log_reader_leaf(reader, 0, fx.arena, leaf, &hash));
    lb_log_reader_close(reader);
}

static void assert_begun(void)
{
    struct lb_leaf leaf;
    struct lb_recovery recovery;
    struct lb_span note;
    assert_ok(lb_file_read(path("recovery.note"), LB_RECOVERY_MAX_BYTES, fx.arena, &note));
    assert_ok(lb_recovery_open(note, fx.arena, &recovery));
    read_first(1, &leaf);
    assert_int_equal(leaf.type, LB_LEAF_RECOVERY);
    assert_memory_equal(leaf.request_hash, recovery.sha256, 32);
    assert_memory_equal(leaf.answer_hash, recovery.lost->root, 32);
    assert_int_equal(leaf.count, NUM_SEEN - NUM_KEPT);
}

/* --- the way --- */

static void a_lost_log_gets_a_successor(void **state)
{
    (void)state;
    assert_int_equal(RUN("seen", "--config", path("broker.yaml"), "--json"), 0);
    assert_non_null(strstr(out, "\"size\": 5"));
    make_note();
    assert_non_null(strstr(out, ORIGIN "~r1+"));
    assert_int_equal(RUN("recover", "begin", "--config", path("node.yaml"), "--note",
                         path("recovery.note"), "--dry-run"), 0);
    assert_int_not_equal(access(path("node-state/evidence.db"), F_OK), 0);
    assert_int_equal(begin(), 0);
    assert_begun();
    assert_int_equal(begin(), 0);
    assert_non_null(strstr(err, "nothing was changed"));
    assert_begun();
    assert_int_equal(RUN("recover", "show", path("recovery.note"), "--directory",
                         path("directory"), "--signer", fx.directory_vkey, "--language", "zh"), 0);
    assert_non_null(strstr(out, "缺口"));
    assert_non_null(strstr(out, "2-4"));
}

/* Killed before its first entry. */
static void a_beginning_that_was_cut_off_goes_on(void **state)
{
    (void)state;
    make_note();
    lb_log_close(open_log(path("node-state"), ORIGIN "~r1", keys[NEW]));
    assert_int_equal(begin(), 0);
    assert_begun();
}

/* --- who may not --- */

static void a_draft_only_says_what_members_have_signed(void **state)
{
    struct lb_span line;
    struct lb_seen_line read;
    (void)state;
    assert_int_equal(seen(), 0);
    assert_ok(lb_file_read(path("broker.seen"), 4096, fx.arena, &line));
    assert_ok(lb_seen_line_read(lb_span_of(line.ptr, line.len - 1), fx.arena, &read));
    static const struct {
        const char *member;
        enum lb_code code;
    } liars[] = {
        {FX_BROKER, LB_SIGNATURE_INVALID},   /* not with this key */
        {STRANGER, LB_CONFIG_INVALID},       /* no member */
        {FX_WINDOW, LB_CONFIG_INVALID},      /* a member without a log */
        {FX_ADAPTER, LB_CONFIG_INVALID},     /* the lost node itself */
    };
    for (size_t i = 0; i < sizeof(liars) / sizeof(liars[0]); i++) {
        read.member = liars[i].member;
        assert_ok(lb_seen_line_sign(&read, keys[OTHER], fx.arena));
        assert_ok(lb_seen_line_write(&read, fx.arena, &line));
        fx_write(path("liar.seen"), line);
        assert_refused(draft("liar.seen"), liars[i].code);
    }
}

static void a_node_that_is_well_is_not_recovered(void **state)
{
    (void)state;
    assert_int_equal(seen(), 0);
    struct lb_log *log = open_log(path("node-state"), ORIGIN, fx.log_key);
    append(log, NUM_SEEN);
    lb_log_close(log);
    assert_refused(draft("broker.seen"), LB_CONFIG_INVALID);
    assert_non_null(strstr(err, "there is a log"));
    /* A backup that has all that was seen is put back instead. */
    assert_int_equal(rename(path("node-state"), path("aside")), 0);
    assert_int_equal(rename(path("kept"), path("older")), 0);
    assert_int_equal(rename(path("lost"), path("kept")), 0);
    assert_refused(draft("broker.seen"), LB_MALFORMED);
    assert_non_null(strstr(err, "nothing is lost"));
    /* Its old key begins no log. */
    assert_int_equal(rename(path("kept"), path("newer")), 0);
    assert_int_equal(rename(path("older"), path("kept")), 0);
    assert_ok(lb_keys_save_sign(path("new.pem"), fx.log_key));
    assert_refused(draft("broker.seen"), LB_MALFORMED);
    assert_non_null(strstr(err, "the lost one's key"));
}

static void only_the_two_sign_and_each_once(void **state)
{
    (void)state;
    assert_int_equal(seen(), 0);
    assert_int_equal(draft("broker.seen"), 0);
    assert_refused(sign(LI, "wang.pem"), LB_CONFIG_INVALID);
    assert_refused(sign(FX_BROKER, "broker.pem"), LB_CONFIG_INVALID);
    assert_refused(begin(), LB_SIGNATURE_INVALID);
    assert_int_equal(sign(LI, "li.pem"), 0);
    assert_refused(sign(LI, "li.pem"), LB_MALFORMED);
    assert_refused(begin(), LB_SIGNATURE_INVALID);
    assert_int_not_equal(access(path("node-state/evidence.db"), F_OK), 0);
    assert_refused(RUN("recover", "draft", "--config", path("node.yaml"), "--seen",
                       path("broker.seen"), "--officer", LI, "--officer", LI), LB_MALFORMED);
    assert_refused(RUN("recover", "draft", "--config", path("node.yaml"), "--seen",
                       path("broker.seen"), "--officer", LI, "--officer", FX_WINDOW),
                   LB_CONFIG_INVALID);
}

/* Whatever log there is, nothing is begun over it; and another key begins none. */
static void nothing_is_begun_over_another_log(void **state)
{
    (void)state;
    make_note();
    struct lb_log *log = open_log(path("node-state"), ORIGIN, fx.log_key);
    append(log, 1);
    lb_log_close(log);
    assert_refused(begin(), LB_LOG_FORK);
    assert_int_equal(rename(path("node-state"), path("aside")), 0);
    log = open_log(path("node-state"), ORIGIN "~r1", keys[NEW]);
    append(log, 1);
    lb_log_close(log);
    assert_refused(begin(), LB_LOG_FORK);
    assert_non_null(strstr(err, "begun with something else"));
    assert_int_equal(rename(path("node-state"), path("further")), 0);
    assert_ok(lb_keys_save_sign(path("new.pem"), keys[OTHER]));
    assert_refused(begin(), LB_CONFIG_INVALID);
}

static void the_words_are_explained(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help"), 0);
    assert_int_equal(RUN("recover", "draft", "--help"), 0);
    assert_non_null(strstr(out, "--kept"));
    assert_refused(RUN("seen", "--config", path("broker.yaml"), "--of", LI), LB_ABSENT);
    assert_refused(RUN("seen", "--config", path("broker.yaml"), "--of", STRANGER),
                   LB_CONFIG_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lost_log_gets_a_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_beginning_that_was_cut_off_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_draft_only_says_what_members_have_signed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_node_that_is_well_is_not_recovered, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_two_sign_and_each_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_begun_over_another_log, setup, teardown),
        cmocka_unit_test_setup_teardown(the_words_are_explained, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
