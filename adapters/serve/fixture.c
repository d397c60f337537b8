#include "adapters/serve/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_files.h"
#include "adapters/sqlite/sqlite.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

static void open_log(struct fixture *fx)
{
    const struct lb_log_options options = {
        .folder = fed_path(&fx->fed, "state"),
        .origin = lb_spiffe_log_origin(FX_ADAPTER),
        .key = fx->adapter.log_key,
        .clock = lb_clock_system(),
        .create = true,
        .officer_key = fx->officer.public_key,
        .migrations = lb_serve_migrations,
    };
    struct lb_diag diag = {""};
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &fx->log));
}

static void make_ring(struct fixture *fx)
{
    const struct lb_own_key keys[] = {{"s1", fx->adapter.seal}, {"s2", fx->adapter.seal}};
    const struct lb_seal_ring_options options = {
        .self = FX_ADAPTER, .trust = fx->fed.trust, .clock = lb_clock_system()};
    assert_ok(lb_seal_ring_of(&options, keys, 2, &fx->ring));
}

static void make_share_ring(struct fixture *fx)
{
    const struct lb_own_key keys[] = {{"m0", fx->adapter.share_before},
                                      {"m1", fx->adapter.share}};
    const struct lb_seal_ring_options options = {
        .self = FX_ADAPTER, .trust = fx->fed.trust, .clock = lb_clock_system(),
        .shares = true};
    assert_ok(lb_seal_ring_of(&options, keys, 2, &fx->share_ring));
}

static void start_serve(struct fixture *fx)
{
    const struct lb_serve_options options = {
        .self = FX_ADAPTER,
        .organization = "tax",
        .trust = fx->fed.trust,
        .log = fx->log,
        .log_folder = fed_path(&fx->fed, "state"),
        .keep_details_s = fx->keep_details_s,
        .recovered_unix_s = fx->recovered_unix_s,
        .workers = fx->workers,
        .clock = lb_clock_system(),
        .policy = fx->policy,
        .plugin = fx->plugin,
        .database = {.location = fx->database},
        .num_connections = 2,
        .ring = fx->ring,
        .share_ring = fx->share_ring,
        .pseudonym_key = fx->pseudonym_key,
        .pseudonym_folder = fed_path(&fx->fed, "pseudonyms"),
        .secrets = &fx->secrets,
        .closures = fed_path(&fx->fed, "state/closed.yaml"),
    };
    struct lb_diag diag = {""};
    assert_ok(lb_serve_secrets_load(fed_path(&fx->fed, "state"), true, fx->arena, &diag,
                                    &fx->secrets));
    lb_status status = lb_serve_new(&options, &diag, &fx->serve);
    assert_string_equal(diag.text, "");
    assert_ok(status);
}

static void open_federation(struct fixture *fx)
{
    static const char *const organizations[] = {
        "tax",          "finance",  "hub", "street-office", "other-office",
        "consent-hall", "stranger", NULL};
    const struct fed_node nodes[] = {{FX_ADAPTER, &fx->adapter},
                                     {FX_FINANCE, &fx->finance},
                                     {FX_BROKER, &fx->broker},
                                     {FX_WINDOW, &fx->window},
                                     {FX_OTHER_WINDOW, &fx->other}};
    const struct fed_issuer issuers[] = {
        {"consent-hall", "h1", &fx->hall, {"consent"}, FX_STATUS_URI},
        {"street-office", "m1", &fx->window, {"mandate", "operator"}, ""},
        {"other-office", "m1", &fx->other, {"mandate", "operator"}, ""},
        {"stranger", "x1", &fx->stranger, {"consent"}, "https://stranger.test/1"},
    };
    const struct fed_listed forms[] = {{"social-assistance", fx->form_sha256}};
    const struct fed_options options = {
        .nodes = nodes,
        .num_nodes = sizeof(nodes) / sizeof(nodes[0]),
        .issuers = issuers,
        .num_issuers = sizeof(issuers) / sizeof(issuers[0]),
        .organizations = organizations,
        .forms = forms,
        .num_forms = sizeof(forms) / sizeof(forms[0]),
    };
    fed_open(&fx->fed, &options);
}

static void load_policy(struct fixture *fx)
{
    struct lb_diag diag = {""};
    lb_status status = lb_serve_policy_load(fed_path(&fx->fed, "policy.yaml"), &diag, &fx->policy);
    assert_string_equal(diag.text, "");
    assert_ok(status);
}

static void start(struct fixture *fx)
{
    open_log(fx);
    assert_ok(lb_workers_new(FX_WORKERS, 1000, &fx->workers));
    start_serve(fx);
    fx->num_starts++;
}

static void stop(struct fixture *fx)
{
    lb_workers_free(fx->workers);
    lb_serve_free(fx->serve);
    lb_log_close(fx->log);
}

void fx_restart(struct fixture *fx)
{
    stop(fx);
    start(fx);
}

void fx_start_again(struct fixture *fx)
{
    stop(fx);
    lb_serve_policy_free(fx->policy);
    load_policy(fx);
    start(fx);
    assert_ok(fx_status(fx, fx->num_starts, LB_STATE_VALID, 900));
}

void fx_setup(struct fixture *fx)
{
    fx_setup_with(fx, lb_source_sqlite());
}

void fx_setup_with(struct fixture *fx, const struct lb_source_plugin *plugin)
{
    memset(fx, 0, sizeof(*fx));
    fx->plugin = plugin;
    fed_setup(&fx->fed, "serve");
    fx->arena = fx->fed.arena;
    fx->database = fed_path(&fx->fed, "tax.db");
    struct fed_party *parties[] = {&fx->adapter, &fx->finance, &fx->broker,  &fx->window,
                                   &fx->other,   &fx->hall,    &fx->stranger};
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
        fed_party_make(parties[i]);
    assert_ok(lb_x25519_generate(&fx->officer));
    assert_ok(lb_crypto_random(fx->pseudonym_key, sizeof(fx->pseudonym_key)));
    lb_sha256(lb_span_str("the form"), fx->form_sha256);

    open_federation(fx);
    make_ring(fx);
    make_share_ring(fx);
    assert_ok(lb_file_mkdirs(fed_path(&fx->fed, "pseudonyms")));
    fx_write_department(fx);
    load_policy(fx);
    start(fx);
    assert_ok(fx_status(fx, fx->num_starts, LB_STATE_VALID, 900));
}

void fx_teardown(struct fixture *fx)
{
    stop(fx);
    lb_seal_ring_free(fx->ring);
    lb_seal_ring_free(fx->share_ring);
    lb_serve_policy_free(fx->policy);
    fed_party_free(&fx->adapter);
    fed_party_free(&fx->finance);
    fed_party_free(&fx->broker);
    fed_party_free(&fx->window);
    fed_party_free(&fx->other);
    fed_party_free(&fx->hall);
    fed_party_free(&fx->stranger);
    fed_teardown(&fx->fed);
}

struct lb_span fx_list(struct fixture *fx, uint64_t seq, uint8_t state, int64_t life_s,
                       int64_t age_s)
{
    uint8_t states[16] = {0};
    struct lb_span token = LB_SPAN_EMPTY;
    states[7] = state;
    assert_ok(lb_status_list_sign("consent-hall", "h1", FX_STATUS_URI, seq,
                                  lb_clock_unix_s(lb_clock_system()) - age_s, life_s,
                                  lb_span_of(states, sizeof(states)), fx->hall.issuer_key,
                                  fx->arena, &token));
    return token;
}

lb_status fx_status(struct fixture *fx, uint64_t seq, uint8_t state, int64_t life_s)
{
    struct lb_serve_ack ack;
    return lb_serve_status_update(fx->serve, fx_list(fx, seq, state, life_s, 0), fx->arena, &ack);
}
