#include "gateway/consent/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/trust/keys.h"
#include "gateway/crypto/x509.h"
#include "policy/engine/idno.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

/* --- life --- */

static void make_keys(struct fixture *fx)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->directory_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->log_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->window_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->issuer_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->officer_key));
    size_t len = lb_sign_key_public(fx->issuer_key, raw);
    assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &fx->issuer_public));
    assert_ok(lb_x25519_generate(&fx->officer));
    memset(fx->pseudonym_key, 0x5C, sizeof(fx->pseudonym_key));
}

static void make_paths(struct fixture *fx)
{
    (void)snprintf(fx->folder, sizeof(fx->folder), "/tmp/lianban-consent-XXXXXX");
    assert_non_null(mkdtemp(fx->folder));
    (void)snprintf(fx->store_path, sizeof(fx->store_path), "%s/consent.db", fx->folder);
    (void)snprintf(fx->log_folder, sizeof(fx->log_folder), "%s/log", fx->folder);
    (void)snprintf(fx->directory_path, sizeof(fx->directory_path), "%s/directory", fx->folder);
    (void)snprintf(fx->ca_path, sizeof(fx->ca_path), "%s/ca.pem", fx->folder);
    (void)snprintf(fx->state_folder, sizeof(fx->state_folder), "%s/state", fx->folder);
}

static void make_trust(struct fixture *fx)
{
    const struct lb_ca_name name = {.organization = "Test", .common_name = "Test CA"};
    struct lb_span cert, key;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier = {0};
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 3650, fx->arena, &cert, &key));
    assert_ok(lb_file_write(fx->ca_path, cert, 0600));
    fx_publish(fx, fx_directory(fx));
    (void)lb_sign_key_public(fx->directory_key, raw);
    assert_ok(lb_note_verifier_init("example.gov/directory", raw, &verifier));
    const char *vkey = lb_note_verifier_format(&verifier, fx->arena);
    lb_note_verifier_cleanup(&verifier);
    const struct lb_trust_options options = {
        .directory_path = fx->directory_path,
        .directory_vkeys = &vkey,
        .num_directory_vkeys = 1,
        .ca_path = fx->ca_path,
        .crl_path = "/nonexistent",
        .state_folder = fx->state_folder,
        .clock = &fx->clock.clock,
    };
    lb_status status = lb_trust_new(&options, &fx->diag, &fx->trust);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
}

static void make_issuer(struct fixture *fx)
{
    const char *path = lb_arena_printf(fx->arena, "%s/issuer.pem", fx->folder);
    const struct lb_issuer_files files = {"h1", path, NULL};
    assert_ok(lb_keys_save_sign(path, fx->issuer_key));
    assert_ok(lb_issuer_keys_new(&files, "hall", fx->trust, &fx->diag, &fx->issuer));
}

struct lb_consent_options fx_options(struct fixture *fx)
{
    return (struct lb_consent_options){
        .self = FX_SERVER,
        .organization = "hall",
        .trust = fx->trust,
        .log = fx->log,
        .clock = &fx->clock.clock,
        .forms = (struct lb_form_compiled *const *)&fx->form,
        .num_forms = 1,
        .issuer = fx->issuer,
        .status_uri = FX_LIST,
        .status_life_s = 900,
        .store_path = fx->store_path,
        .pseudonym_key = fx->pseudonym_key,
        .emergencies_per_officer = 2,
        .emergencies_per_day = 3,
    };
}

static void open_log(struct fixture *fx)
{
    const struct lb_log_options options = {
        .folder = fx->log_folder,
        .origin = "example.gov/consent/hall",
        .key = fx->log_key,
        .clock = &fx->log_clock.clock,
        .create = true,
        .officer_key = fx->officer.public_key,
    };
    lb_status status = lb_log_open(&options, &fx->diag, &fx->log);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
}

void fx_start(struct fixture *fx)
{
    open_log(fx);
    const struct lb_consent_options options = fx_options(fx);
    lb_status status = lb_consent_new(&options, &fx->diag, &fx->consent);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
}

void fx_stop(struct fixture *fx)
{
    lb_consent_free(fx->consent);
    fx->consent = NULL;
    lb_log_close(fx->log);
    fx->log = NULL;
}

static void load_form(struct fixture *fx)
{
    lb_status status = lb_form_load_text(lb_span_str(fx_form_text()), "test.yaml", NULL, &fx->diag,
                                         &fx->form);
    if (status != LB_OK)
        print_error("%s\n", fx->diag.text);
    assert_ok(status);
}

static int set_up(void **state, bool has_officers)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    fx->has_officers = has_officers;
    fx->arena = lb_arena_new(256 * 1024 * 1024);
    lb_clock_fixed_init(&fx->clock, FX_NOW * 1000);
    lb_clock_fixed_init(&fx->log_clock, FX_NOW * 1000);
    make_paths(fx);
    make_keys(fx);
    make_trust(fx);
    make_issuer(fx);
    load_form(fx);
    fx_id("19800315", "001", fx->adult);
    fx_id("19791201", "002", fx->other_adult);
    fx_id("20190601", "003", fx->child);
    fx_id("20110601", "004", fx->teen);
    fx_start(fx);
    *state = fx;
    return 0;
}

int fx_setup(void **state)
{
    return set_up(state, false);
}

int fx_setup_officers(void **state)
{
    return set_up(state, true);
}

int fx_teardown(void **state)
{
    struct fixture *fx = *state;
    fx_stop(fx);
    lb_trust_free(fx->trust);
    lb_form_free(fx->form);
    lb_verify_key_free(fx->issuer_public);
    lb_sign_key_free(fx->directory_key);
    lb_sign_key_free(fx->log_key);
    lb_sign_key_free(fx->window_key);
    lb_issuer_keys_free(fx->issuer);
    lb_sign_key_free(fx->issuer_key);
    lb_sign_key_free(fx->officer_key);
    lb_arena_free(fx->arena);
    (void)nftw(fx->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fx);
    return 0;
}

void fx_advance(struct fixture *fx, int64_t seconds)
{
    fx->clock.now_unix_ms += seconds * 1000;
    fx->clock.now_monotonic_ms += seconds * 1000;
    fx->log_clock.now_unix_ms += seconds * 1000;
}

void fx_id(const char *birth, const char *sequence, char out[19])
{
    static const char last[] = "0123456789X";
    (void)snprintf(out, 19, "990101%s%s0", birth, sequence);
    for (size_t i = 0; i < sizeof(last) - 1; i++) {
        out[17] = last[i];
        if (lb_idno_check(lb_span_str(out)) == LB_OK)
            return;
    }
    fail();
}

/* --- messages --- */

static char *text_of(struct fixture *fx, const char *text)
{
    char *copy = lb_arena_str(fx->arena, lb_span_str(text));
    assert_non_null(copy);
    return copy;
}

Lianban__V1__GrantRequest fx_request(struct fixture *fx)
{
    Lianban__V1__GrantRequest request = LIANBAN__V1__GRANT_REQUEST__INIT;
    uint8_t *key = lb_arena_alloc(fx->arena, 32);
    uint8_t *hash = lb_arena_alloc(fx->arena, 32);
    key[0] = 10;
    memcpy(hash, lb_form_of(fx->form)->sha256, 32);
    request.form = text_of(fx, "test-aid");
    request.form_version = 3;
    request.form_sha256 = (ProtobufCBinaryData){32, hash};
    request.case_id = text_of(fx, "2027-000123");
    request.requester_key = (ProtobufCBinaryData){32, key};
    request.role = text_of(fx, "applicant");
    request.id_no = text_of(fx, fx->adult);
    request.name = text_of(fx, FX_ADULT_NAME);
    request.operator_ = text_of(fx, "00112233445566778899aabbccddeeff");
    return request;
}

Lianban__V1__GrantRequest fx_child_request(struct fixture *fx, Lianban__V1__Guardian *guardian)
{
    Lianban__V1__GrantRequest request = fx_request(fx);
    lianban__v1__guardian__init(guardian);
    guardian->id_no = text_of(fx, fx->adult);
    guardian->name = text_of(fx, FX_ADULT_NAME);
    guardian->relation = text_of(fx, "mother");
    request.role = text_of(fx, "child");
    request.id_no = text_of(fx, fx->child);
    request.name = text_of(fx, FX_CHILD_NAME);
    request.guardian = guardian;
    return request;
}

Lianban__V1__ConfirmRequest fx_confirm(struct fixture *fx, const char *request_id)
{
    Lianban__V1__ConfirmRequest confirm = LIANBAN__V1__CONFIRM_REQUEST__INIT;
    Lianban__V1__NoticeRequest ask = LIANBAN__V1__NOTICE_REQUEST__INIT;
    Lianban__V1__NoticeResponse *notice = NULL;
    ask.form = text_of(fx, "test-aid");
    ask.form_version = 3;
    ask.requester = text_of(fx, FX_WINDOW);
    ask.language = text_of(fx, "zh");
    assert_ok(lb_consent_notice(fx->consent, &ask, fx->arena, &notice));
    confirm.request_id = text_of(fx, request_id);
    confirm.agreed = true;
    confirm.method = text_of(fx, "face");
    confirm.level = 3;
    confirm.id_no = text_of(fx, fx->adult);
    confirm.notice_sha256 = notice->sha256;
    return confirm;
}

char *fx_file(struct fixture *fx, const Lianban__V1__GrantRequest *request)
{
    Lianban__V1__GrantTicket *ticket = NULL;
    assert_ok(lb_consent_request(fx->consent, FX_WINDOW, request, fx->arena, &ticket));
    return ticket->request_id;
}

char *fx_agree(struct fixture *fx, char *request_id)
{
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, request_id);
    Lianban__V1__ConfirmResponse *response = NULL;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response));
    return response->grant_id;
}

lb_status fx_revoke(struct fixture *fx, const char *desk, char *grant_id, char *id_no,
                    uint64_t *out_seq, struct lb_span *out_token)
{
    Lianban__V1__RevokeRequest request = LIANBAN__V1__REVOKE_REQUEST__INIT;
    request.grant_id = grant_id;
    request.id_no = id_no;
    struct lb_consent_push push;
    LB_TRY(lb_consent_revoke(fx->consent, desk, &request, fx->arena, &push));
    *out_seq = push.seq;
    *out_token = push.token;
    return LB_OK;
}

lb_status fx_change(struct fixture *fx, char *grant_id, Lianban__V1__RevokeRequest__Action action,
                    struct lb_consent_push *out_push)
{
    Lianban__V1__RevokeRequest request = LIANBAN__V1__REVOKE_REQUEST__INIT;
    request.grant_id = grant_id;
    request.id_no = fx->adult;
    request.action = action;
    return lb_consent_revoke(fx->consent, FX_DESK, &request, fx->arena, out_push);
}
