#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/file.h"
#include "gateway/note/note.h"
#include "gateway/trust/keys.h"
#include "gateway/window/fixture.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static struct lb_log *open_log(struct fixture *fx, const char *spiffe,
                               const struct lb_sign_key *key, const char *folder)
{
    struct lb_log *log = NULL;
    const struct lb_log_options options = {
        .folder = fx_path(fx, folder),
        .origin = lb_spiffe_log_origin(spiffe),
        .key = key,
        .clock = &fx->clock.clock,
        .create = true,
    };
    if (lb_log_open(&options, &fx->diag, &log) != LB_OK)
        fail_msg("%s", fx->diag.text);
    return log;
}

static void make_adapters(struct fixture *fx)
{
    static const char *const names[FX_ADAPTERS] = {"public-security", "tax",
                                                   "disabled-federation", "finance"};
    for (size_t i = 0; i < FX_ADAPTERS; i++) {
        struct fx_adapter *adapter = &fx->adapters[i];
        adapter->organization = names[i];
        (void)snprintf(adapter->spiffe, sizeof(adapter->spiffe), "spiffe://example.gov/adapter/%s",
                       names[i]);
        assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &adapter->log_key));
        assert_ok(lb_x25519_generate(&adapter->seal_key));
        adapter->log = open_log(fx, adapter->spiffe, adapter->log_key, names[i]);
    }
}

static void make_form(struct fixture *fx, const char *text)
{
    if (lb_rules_load_text(lb_span_str(fx_rules_text()), "rules.yaml", &fx->diag, &fx->rules) !=
        LB_OK)
        fail_msg("%s", fx->diag.text);
    if (lb_form_load_text(lb_span_str(text), "form.yaml", fx->rules, &fx->diag,
                          &fx->form) != LB_OK)
        fail_msg("%s", fx->diag.text);
    fx->forms[0] = (struct lb_window_form){fx->form, fx->rules};
}

static lb_status record(void *ctx, const char *code, struct lb_span detail, uint64_t *out_index)
{
    struct fixture *fx = ctx;
    assert_true(detail.len > 0);
    LB_TRY(fx->record_fails);
    if (strncmp(code, "CASE_", 5) == 0) {
        *out_index = 1000 + fx->num_entered++;
        if (fx->on_entry != NULL)
            fx->on_entry(fx);
        return LB_OK;
    }
    (void)snprintf(fx->recorded, sizeof(fx->recorded), "%s", code);
    *out_index = fx->num_recorded++;
    return LB_OK;
}

static lb_status sign_note(void *ctx, struct lb_span text, struct lb_arena *arena,
                           struct lb_span *out_note)
{
    const struct fixture *fx = ctx;
    return lb_note_sign(text, false, lb_spiffe_log_origin(FX_WINDOW), fx->window_key, arena,
                        out_note);
}

void fx_add_operator(struct fixture *fx, const char *badge, const char *unit, const char *id_no,
                     const struct lb_sign_key *device)
{
    struct lb_register_entry entry = {
        .badge = badge,
        .unit = unit,
        .has_device = device != NULL,
        .not_before = FX_NOW - 86400,
        .not_after = FX_NOW + 90 * 86400,
    };
    lb_register_hash(fx->person_key, id_no, entry.hash);
    if (device != NULL)
        assert_int_equal(lb_sign_key_public(device, entry.device), 64);
    assert_ok(lb_register_add(fx->operators, &entry, "test", FX_NOW));
}

static void make_register(struct fixture *fx)
{
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->device_key));
    assert_ok(lb_register_open(fx_path(fx, "operators"), true, &fx->diag, &fx->operators));
    fx_add_operator(fx, "B-0042", "窗口3", fx_id(fx, "19800101", 1), NULL);
    fx_add_operator(fx, "B-1", "unit", fx_id(fx, "19800101", 2), NULL);
    fx_add_operator(fx, "D-1", "unit", fx_id(fx, "19800101", 3), fx->device_key);
}

/* The keys as they stand now: a test may have changed them. */
static void make_keys(struct fixture *fx)
{
    struct lb_own_key own = {.id = "s1", .key = fx->seal_key};
    const struct lb_seal_ring_options options = {
        .self = FX_WINDOW, .trust = fx->trust, .clock = &fx->clock.clock};
    const struct lb_issuer_files files = {FX_STREET_KID, fx_path(fx, "street.pem"), NULL};
    lb_seal_ring_free(fx->ring);
    lb_issuer_keys_free(fx->issuer);
    fx->ring = NULL;
    fx->issuer = NULL;
    assert_ok(lb_seal_ring_of(&options, &own, 1, &fx->ring));
    assert_ok(lb_keys_save_sign(files.path, fx->street_key));
    assert_ok(lb_issuer_keys_new(&files, "street-office", fx->trust, &fx->diag, &fx->issuer));
}

lb_status fx_new_window(struct fixture *fx, struct lb_window **out_window)
{
    static const char *const brokers[FX_BROKERS] = {FX_BROKER, FX_SECOND};
    make_keys(fx);
    const struct lb_window_options options = {
        .self = FX_WINDOW,
        .organization = "street-office",
        .trust = fx->trust,
        .workers = fx->workers,
        .clock = &fx->clock.clock,
        .forms = fx->forms,
        .num_forms = 1,
        .ring = fx->ring,
        .issuer = fx->issuer,
        .brokers = brokers,
        .num_brokers = fx->num_brokers,
        .store_path = fx->store_path,
        .case_key = fx->case_key,
        .operators = fx->operators,
        .witness = {fx, record, sign_note},
        .log = fx->window_log,
        .calendar = fx->calendar,
        .deadline_ms = 5000,
        .port = {fx,           fx_notice,  fx_request_grant,
                 fx_get_grant, fx_collect, fx_probe, fx_status_list,
                 fx_submit,    fx_follow,  fx_take},
    };
    return lb_window_new(&options, &fx->diag, out_window);
}

void fx_restart(struct fixture *fx)
{
    lb_window_free(fx->window);
    fx->window = NULL;
    if (fx_new_window(fx, &fx->window) != LB_OK)
        fail_msg("%s", fx->diag.text);
}

enum fx_form { FX_USUAL, FX_SHARE, FX_LATE, FX_WATCH };

static const char *text_of(struct fixture *fx, enum fx_form form)
{
    if (form == FX_SHARE)
        return fx_share_form_text(fx);
    if (form == FX_WATCH)
        return fx_watch_form_text();
    return form == FX_LATE ? fx_late_form_text(fx) : fx_form_text();
}

static int set_up(void **state, enum fx_form form)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    *state = fx;
    (void)snprintf(fx->folder, sizeof(fx->folder), "/tmp/lianban-window-XXXXXX");
    assert_non_null(mkdtemp(fx->folder));
    fx->arena = lb_arena_new(64 * 1024 * 1024);
    lb_clock_fixed_init(&fx->clock, FX_NOW * 1000);
    fx->grant_life_s = 30 * 86400;
    fx->section_days = form == FX_WATCH ? 30 : 0;
    memset(fx->case_key, 0x31, sizeof(fx->case_key));
    memset(fx->person_key, 0x32, sizeof(fx->person_key));
    (void)snprintf(fx->store_path, sizeof(fx->store_path), "%s/cases.db", fx->folder);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->directory_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->broker_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->second_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->window_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->office_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->street_key));
    assert_ok(lb_x25519_generate(&fx->seal_key));
    make_form(fx, text_of(fx, form));
    make_adapters(fx);
    fx->num_brokers = 1;
    fx->window_log = open_log(fx, FX_WINDOW, fx->window_key, "window");
    fx->broker_log = open_log(fx, FX_BROKER, fx->broker_key, "broker");
    fx->second_log = open_log(fx, FX_SECOND, fx->second_key, "second");
    fx_make_trust(fx);
    assert_ok(lb_workers_new(2, 16, &fx->workers));
    make_register(fx);
    fx_restart(fx);
    return 0;
}

int fx_setup(void **state)
{
    return set_up(state, FX_USUAL);
}

int fx_setup_share(void **state)
{
    return set_up(state, FX_SHARE);
}

int fx_setup_late(void **state)
{
    return set_up(state, FX_LATE);
}

int fx_setup_watch(void **state)
{
    return set_up(state, FX_WATCH);
}

int fx_teardown(void **state)
{
    struct fixture *fx = *state;
    lb_window_free(fx->window);
    lb_workers_free(fx->workers);
    lb_register_close(fx->operators);
    lb_seal_ring_free(fx->ring);
    lb_issuer_keys_free(fx->issuer);
    lb_sign_key_free(fx->device_key);
    lb_trust_free(fx->trust);
    lb_work_calendar_free(fx->calendar);
    lb_log_close(fx->window_log);
    lb_log_close(fx->broker_log);
    lb_log_close(fx->second_log);
    for (size_t i = 0; i < FX_ADAPTERS; i++) {
        lb_log_close(fx->adapters[i].log);
        lb_sign_key_free(fx->adapters[i].log_key);
    }
    lb_form_free(fx->form);
    lb_rules_free(fx->rules);
    lb_sign_key_free(fx->directory_key);
    lb_sign_key_free(fx->broker_key);
    lb_sign_key_free(fx->second_key);
    lb_sign_key_free(fx->window_key);
    lb_sign_key_free(fx->office_key);
    lb_sign_key_free(fx->street_key);
    lb_arena_free(fx->arena);
    (void)nftw(fx->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(fx);
    return 0;
}
