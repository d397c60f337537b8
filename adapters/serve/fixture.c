#include "adapters/serve/fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_files.h"
#include "adapters/sqlite/sqlite.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

const char *fx_path(struct fixture *fx, const char *name)
{
    return lb_arena_printf(fx->arena, "%s/%s", fx->folder, name);
}

void fx_write(struct fixture *fx, const char *name, const char *text)
{
    assert_ok(lb_file_write(fx_path(fx, name), lb_span_str(text), 0600));
}

static void make_party(struct fx_party *party)
{
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &party->log_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &party->issuer_key));
    assert_ok(lb_x25519_generate(&party->seal));
}

static void free_party(struct fx_party *party)
{
    lb_sign_key_free(party->log_key);
    lb_sign_key_free(party->issuer_key);
}

static void open_log(struct fixture *fx)
{
    const struct lb_log_options options = {
        .folder = fx_path(fx, "state"),
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

static void start_serve(struct fixture *fx)
{
    const struct lb_serve_options options = {
        .self = FX_ADAPTER,
        .organization = "tax",
        .trust = fx->trust,
        .log = fx->log,
        .workers = fx->workers,
        .clock = lb_clock_system(),
        .policy = fx->policy,
        .plugin = lb_source_sqlite(),
        .location = fx_path(fx, "tax.db"),
        .num_connections = 2,
        .keys = &fx->key,
        .num_keys = 1,
        .pseudonym_key = fx->pseudonym_key,
    };
    struct lb_diag diag = {""};
    lb_status status = lb_serve_new(&options, &diag, &fx->serve);
    assert_string_equal(diag.text, "");
    assert_ok(status);
}

void fx_setup(struct fixture *fx)
{
    memset(fx, 0, sizeof(*fx));
    const char *base = getenv("TEST_TMPDIR");
    (void)snprintf(fx->folder, sizeof(fx->folder), "%s/serve-XXXXXX",
                   base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(fx->folder));
    fx->arena = lb_arena_new(LB_FILE_ARENA_BYTES * 2);
    struct fx_party *parties[] = {&fx->adapter, &fx->broker, &fx->window,
                                  &fx->other,   &fx->hall,   &fx->stranger};
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
        make_party(parties[i]);
    assert_ok(lb_x25519_generate(&fx->officer));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->directory_key));
    assert_ok(lb_crypto_random(fx->pseudonym_key, sizeof(fx->pseudonym_key)));
    lb_sha256(lb_span_str("the form"), fx->form_sha256);
    fx->key = (struct lb_serve_key){"s1", fx->adapter.seal};

    fx_write_federation(fx);
    fx_write_department(fx);
    struct lb_diag diag = {""};
    lb_status status = lb_serve_policy_load(fx_path(fx, "policy.yaml"), &diag, &fx->policy);
    assert_string_equal(diag.text, "");
    assert_ok(status);
    open_log(fx);
    assert_ok(lb_workers_new(3, 1000, &fx->workers));
    start_serve(fx);
    assert_ok(fx_status(fx, 1, LB_STATE_VALID, 900));
}

void fx_teardown(struct fixture *fx)
{
    lb_serve_free(fx->serve);
    lb_workers_free(fx->workers);
    lb_log_close(fx->log);
    lb_serve_policy_free(fx->policy);
    lb_trust_free(fx->trust);
    free_party(&fx->adapter);
    free_party(&fx->broker);
    free_party(&fx->window);
    free_party(&fx->other);
    free_party(&fx->hall);
    free_party(&fx->stranger);
    lb_sign_key_free(fx->directory_key);
    lb_arena_free(fx->arena);
    (void)nftw(fx->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

lb_status fx_status(struct fixture *fx, uint64_t seq, uint8_t state, int64_t life_s)
{
    uint8_t states[16] = {0};
    struct lb_span token = LB_SPAN_EMPTY;
    const char *uri = NULL;
    uint64_t in_force = 0;
    states[7] = state;
    LB_TRY(lb_status_list_sign("consent-hall", "h1", FX_STATUS_URI, seq,
                               lb_clock_unix_s(lb_clock_system()), life_s,
                               lb_span_of(states, sizeof(states)), fx->hall.issuer_key, fx->arena,
                               &token));
    return lb_serve_status_update(fx->serve, token, fx->arena, &uri, &in_force);
}
