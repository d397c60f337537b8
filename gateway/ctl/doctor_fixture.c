#include "gateway/ctl/doctor_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/log.h"

#define MAX_WORDS 16

static struct ward *current;  /* whom the fakes below answer for */

/* --- what is asked --- */

static void fake_contact(void *ctx, const char *endpoint, const char *spiffe,
                         struct lb_arena *arena, struct lb_ctl_contact *out)
{
    (void)ctx;
    (void)endpoint;
    (void)arena;
    *out = spiffe != NULL && strcmp(spiffe, FX_BROKER) == 0 ? current->broker : current->self;
    out->sent_unix_ms = out->got_unix_ms = current->fx.clock.now_unix_ms;
}

static void fake_close(void *ctx)
{
    (void)ctx;
}

static lb_status fake_open(const struct lb_ctl_node_files *files, const struct lb_clock *clock,
                           struct lb_diag *diag, struct lb_ctl_doctor_port *out)
{
    (void)clock;
    (void)diag;
    assert_non_null(files->cert);
    *out = (struct lb_ctl_doctor_port){.contact = fake_contact, .close = fake_close};
    return LB_OK;
}

static lb_status fake_source(const struct lb_try_ask *ask, struct lb_arena *arena,
                             struct lb_diag *diag, struct lb_tried *out)
{
    struct ward *ward = current;
    struct lb_tried_view *view = lb_arena_alloc(arena, sizeof(*view));
    assert_non_null(strstr(ask->config, "node.yaml"));
    assert_non_null(ask->policy);
    assert_non_null(view);
    (void)usleep((useconds_t)ward->source_sleeps_ms * 1000);
    lb_diag_set(diag, "what the database said");
    LB_TRY(ward->source_status);
    *view = (struct lb_tried_view){"tax.wage", ward->view_status, "no such column", ward->view_ms};
    *out = (struct lb_tried){1, 1, view};
    return LB_OK;
}

/* --- the node --- */

static void listen_somewhere(struct ward *ward)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ward->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(ward->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(ward->listener, 128), 0);
    assert_int_equal(getsockname(ward->listener, (struct sockaddr *)&address, &len), 0);
    ward->port = ntohs(address.sin_port);
}

void ward_write_directory(struct ward *ward, int64_t version, const char *endpoint)
{
    struct lb_json *directory = fx_directory(&ward->fx, version);
    lb_json_set_cstr(fx_node(directory, FX_BROKER), "endpoint", endpoint);
    fx_write_directory(&ward->fx, fx_text(&ward->fx, directory));
}

void ward_issue(struct ward *ward, int64_t lifetime_s)
{
    fx_write(fx_path(&ward->fx, "cert.pem"), fx_issue(&ward->fx, FX_ADAPTER, lifetime_s));
}

void ward_write_node(struct ward *ward, const char *spiffe, const char *listen)
{
    const char *text = lb_arena_printf(
        ward->fx.arena,
        "node: %s\nlisten: %s\nidentity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
        "crl: crl.pem\ndirectory: {file: directory, signers: [\"%s\"]}\nstate: node-state\n",
        spiffe, listen, ward->fx.directory_vkey);
    assert_non_null(text);
    fx_write(fx_path(&ward->fx, "node.yaml"), lb_span_str(text));
}

void ward_write_config(struct ward *ward, const char *more)
{
    const char *text = lb_arena_printf(
        ward->fx.arena,
        "node: " FX_ADAPTER "\nlisten: 127.0.0.1:7001\n"
        "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\ncrl: crl.pem\n"
        "directory: {file: directory, signers: [\"%s\"]}\nstate: node-state\n"
        "policy: policy.yaml\nsource: {plugin: sqlite, location: tax.db}\n"
        "attach: [" FX_BROKER "]\n%s",
        ward->fx.directory_vkey, more);
    assert_non_null(text);
    fx_write(fx_path(&ward->fx, "node.yaml"), lb_span_str(text));
}

static void write_log(struct ward *ward)
{
    struct lb_log *log = NULL;
    struct lb_diag diag;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    const struct lb_log_options options = {
        .folder = fx_path(&ward->fx, "node-state"), .origin = "example.gov/adapter/tax/one",
        .key = ward->fx.log_key, .clock = &ward->fx.clock.clock, .create = true,
        .marks = {4096, 4096, 0}};
    assert_non_null(entry);
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &log));
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
    assert_ok(lb_log_append_wait(log, entry));
    lb_log_close(log);
    free(entry);
}

static void answer_well(struct ward *ward)
{
    ward->broker = (struct lb_ctl_contact){
        .not_after_unix_s = FX_NOW + 90 * 86400, .told = true, .unix_ms = FX_NOW * 1000,
        .directory_version = 1, .version = "0.1.0", .log_state = ""};
    (void)snprintf(ward->broker.presented, sizeof(ward->broker.presented), FX_BROKER);
    struct lb_trust *trust = fx_trust(&ward->fx);
    struct lb_directory *directory = lb_trust_directory(trust);
    memcpy(ward->broker.directory_sha256, directory->sha256, 32);
    lb_directory_unref(directory);
    lb_trust_free(trust);
    static const struct lb_ctl_held_list list = {"https://hall.example/status/1", FX_NOW - 10,
                                                 FX_NOW + 900};
    ward->self = ward->broker;
    ward->self.log_state = "ok";
    ward->self.lists = &list;
    ward->self.num_lists = 1;
}

int ward_set_up(void **state)
{
    struct ward *ward = calloc(1, sizeof(*ward));
    assert_non_null(ward);
    current = ward;
    fx_setup(&ward->fx);
    listen_somewhere(ward);
    ward_write_directory(ward, 1,
                         lb_arena_printf(ward->fx.arena, "127.0.0.1:%d", ward->port));
    ward_write_config(ward, "disk: {alert_mb: 0, stop_mb: 0, reserve_mb: 0}\n");
    ward_issue(ward, 90 * 86400);
    fx_write(fx_path(&ward->fx, "key.pem"), lb_span_str("a key"));
    write_log(ward);
    answer_well(ward);
    *state = ward;
    return 0;
}

int ward_tear_down(void **state)
{
    struct ward *ward = *state;
    if (ward->listener >= 0)
        (void)close(ward->listener);
    lb_json_free(ward->json);
    free(ward->out);
    fx_teardown(&ward->fx);
    free(ward);
    current = NULL;
    return 0;
}

/* --- running --- */

int ward_run(struct ward *ward, const char *const *more)
{
    static const struct lb_ctl_doctor_ways ways = {fake_open, fake_source};
    const char *config = fx_path(&ward->fx, "node.yaml");
    const char *words[MAX_WORDS] = {"doctor", "--config", config};
    int argc = 3;
    bool text = false;
    for (; *more != NULL && argc < MAX_WORDS - 2; more++) {
        text = text || strcmp(*more, "--language") == 0;
        words[argc++] = *more;
    }
    if (!text)
        words[argc++] = "--json";
    free(ward->out);
    lb_json_free(ward->json);
    ward->json = NULL;
    struct lb_ctl_env env = {.clock = &ward->fx.clock.clock, .doctor = &ways, .err = stderr,
                              .remote = ward->remote};
    env.out = open_memstream(&ward->out, &ward->out_len);
    int exit_code = lb_ctl_doctor_command(&env, argc, (char **)(uintptr_t)words);
    (void)fclose(env.out);
    if (!text)
        assert_ok(lb_json_parse(lb_span_of(ward->out, ward->out_len), &ward->json));
    return exit_code;
}

static bool is(const struct lb_json *row, const char *key, const char *value)
{
    struct lb_span text = LB_SPAN_EMPTY;
    return lb_json_get_str(row, key, &text) == LB_OK && lb_span_is(text, value);
}

static const struct lb_json *rows_of(const struct ward *ward)
{
    const struct lb_json *rows = NULL;
    assert_ok(lb_json_get_array(ward->json, "rows", &rows));
    return rows;
}

const char *ward_state(const struct ward *ward, const char *check)
{
    static const char *const states[] = {"bad", "warn", "ok"};
    const struct lb_json *rows = rows_of(ward);
    for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
        for (size_t i = 0; i < lb_json_len(rows); i++) {
            const struct lb_json *row = lb_json_at(rows, i);
            if (is(row, "check", check) && is(row, "state", states[s]))
                return states[s];
        }
    }
    return "";
}

const char *ward_party(const struct ward *ward, const char *check)
{
    static char party[64];
    const struct lb_json *rows = rows_of(ward);
    for (size_t i = 0; i < lb_json_len(rows); i++) {
        const struct lb_json *row = lb_json_at(rows, i);
        struct lb_span text = LB_SPAN_EMPTY;
        if (!is(row, "check", check) || is(row, "state", "ok"))
            continue;
        assert_ok(lb_json_get_str(row, "party", &text));
        (void)snprintf(party, sizeof(party), "%.*s", (int)text.len, (const char *)text.ptr);
        return party;
    }
    return "";
}

void ward_expect(const struct ward *ward, const char *check, const char *state, const char *party)
{
    assert_string_equal(ward_state(ward, check), state);
    assert_string_equal(ward_party(ward, check), party);
}
