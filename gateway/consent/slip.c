#include <stdio.h>
#include <time.h>

#include "gateway/base/wipe.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"

/*
 * The citizen's slip. Its code is derived from the grant's id under a key of the office, so it can
 * be printed again; the store holds only a keyed hash of it, so nobody finds codes in the file. A
 * desk that follows a code proves identity again: a found slip alone opens nothing.
 */
#define TRIES_WINDOW_S 600
#define MAX_TRIES_OF_OFFICER 5
#define MAX_TRIES_OF_DESK 10 /* so that one does not lock out who sits there next */
#define MAX_TRIES_OF_ALL 50

void lb_consent_slip_code(const struct lb_consent *consent, const char *grant_id,
                          char out[LB_SLIP_CODE_BYTES])
{
    uint8_t mac[32];
    lb_hmac_sha256(lb_span_of(consent->slip_key, sizeof(consent->slip_key)),
                   lb_span_str(grant_id), mac);
    lb_slip_code(mac, out);
    lb_wipe(mac, sizeof(mac));
}

void lb_consent_slip_hash(const struct lb_consent *consent, const char code[LB_SLIP_CODE_BYTES],
                          uint8_t out[32])
{
    lb_hmac_sha256(lb_span_of(consent->slip_key, sizeof(consent->slip_key)), lb_span_str(code),
                   out);
}

lb_status lb_consent_grant_lookup(struct lb_consent *consent, const char *grant_id,
                                  struct lb_arena *arena, struct lb_consent_grant_row *out_grant)
{
    LB_ENSURE(lb_consent_text_ok(grant_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN, "no such grant");
    return lb_consent_as_unknown(
        lb_consent_grant_find(consent->store, grant_id, arena, out_grant));
}

/* The subject's document, or that of who agreed for them. */
static lb_status is_theirs(const struct lb_consent *consent,
                           const struct lb_consent_grant_row *grant, const char *id_no,
                           bool *out_is)
{
    bool is_subject = false, is_other = false;
    LB_TRY(lb_consent_is_document(consent, id_no, grant->subject, &is_subject));
    LB_TRY(lb_consent_is_document(consent, id_no, grant->guardian, &is_other));
    *out_is = is_subject || (is_other && grant->has_guardian);
    return LB_OK;
}

/* --- what a grant covers, from its record --- */

static lb_status add_name(struct lb_span name, struct lb_arena *arena, char **names, size_t *num)
{
    char *copy = lb_arena_str(arena, name);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena is full");
    if (!lb_consent_listed(copy, (const char *const *)names, *num))
        names[(*num)++] = copy;
    return LB_OK;
}

static lb_status list_departments(const struct lb_json *record, struct lb_arena *arena,
                                  char ***out_names, size_t *out_num)
{
    const struct lb_json *items = NULL;
    LB_TRY(lb_json_get_array(record, "pii_information", &items));
    char **names = lb_arena_array(arena, lb_json_len(items), sizeof(*names));
    LB_ENSURE(names != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = 0;
    for (size_t i = 0; i < lb_json_len(items); i++) {
        struct lb_span name;
        LB_TRY(lb_json_get_str(lb_json_at(items, i), "source", &name));
        LB_TRY(add_name(name, arena, names, &num));
    }
    *out_names = names;
    *out_num = num;
    return LB_OK;
}

/* A record of an older version has no such list: nothing could be refused then. */
static lb_status list_refused(const struct lb_json *record, struct lb_arena *arena,
                              char ***out_names, size_t *out_num)
{
    const struct lb_json *items = NULL;
    lb_status status = lb_json_get_array(record, "refused", &items);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    char **names = lb_arena_array(arena, lb_json_len(items), sizeof(*names));
    LB_ENSURE(names != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = 0;
    for (size_t i = 0; i < lb_json_len(items); i++)
        LB_TRY(add_name(lb_json_str(lb_json_at(items, i)), arena, names, &num));
    *out_names = names;
    *out_num = num;
    return LB_OK;
}

static int64_t issued_at(const struct lb_json *record)
{
    const struct lb_json *event = NULL;
    int64_t at = 0;
    if (lb_json_get_object(record, "event", &event) != LB_OK ||
        lb_json_get_int(event, "event_time", &at) != LB_OK)
        return 0;
    return at;
}

/* How often a standing grant may be used; 0 of any other. */
static int64_t every_days(const struct lb_json *record)
{
    int64_t days = 0;
    return lb_json_get_int(record, "every_days", &days) == LB_OK ? days : 0;
}

static const char *state_of(const struct lb_consent_grant_row *grant, int64_t now_unix_s)
{
    if (grant->state == LB_STATE_SUSPENDED)
        return "SUSPENDED";
    if (grant->state != LB_STATE_VALID)
        return "WITHDRAWN";
    return grant->exp <= now_unix_s ? "EXPIRED" : "VALID";
}

static lb_status describe(struct lb_consent *consent, const struct lb_consent_grant_row *grant,
                          struct lb_arena *arena, Lianban__V1__SlipStatus **out)
{
    LB_DEFER(lb_json_freep) struct lb_json *record = NULL;
    Lianban__V1__SlipStatus *status = lb_arena_alloc(arena, sizeof(*status));
    LB_ENSURE(status != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__slip_status__init(status);
    LB_TRY(lb_consent_record_json(consent, grant->request, arena, &record));
    LB_TRY(list_departments(record, arena, &status->departments, &status->n_departments));
    LB_TRY(list_refused(record, arena, &status->refused, &status->n_refused));
    status->grant_id = (char *)(uintptr_t)grant->id;
    status->state =
        (char *)(uintptr_t)state_of(grant, lb_clock_unix_s(consent->options.clock));
    status->form = (char *)(uintptr_t)grant->form;
    status->case_id = (char *)(uintptr_t)grant->case_id;
    status->requester = (char *)(uintptr_t)grant->requester;
    status->issued_unix_s = issued_at(record);
    status->expires_unix_s = grant->exp;
    status->every_days = every_days(record);
    *out = status;
    return LB_OK;
}

/* --- the slip itself --- */

struct slip_writer {
    struct lb_buf *buf;
    const struct lb_consent *consent;
    const struct lb_directory *directory;
    const char *language;
    bool is_zh;
};

static void put_pair(const struct slip_writer *writer, const char *zh, const char *en,
                     const char *text)
{
    lb_buf_put_str(writer->buf, writer->is_zh ? zh : en);
    lb_buf_put_str(writer->buf, text);
    lb_buf_put_str(writer->buf, "\n");
}

/* Whoever finds the slip in a drawer months later reads that it is still in use. */
static void put_standing(const struct slip_writer *writer, int64_t days)
{
    if (days == 0)
        return;
    lb_buf_printf(writer->buf,
                  writer->is_zh ? "长期授权：到期前会多次查询，每%lld天最多一次\n"
                                : "Standing: used again and again until then, at most once in "
                                  "%lld days\n",
                  (long long)days);
}

static void put_names(const struct slip_writer *writer, char *const *names, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        lb_buf_put_str(writer->buf, i == 0 ? "" : writer->is_zh ? "、" : ", ");
        lb_buf_put_str(writer->buf,
                       lb_directory_name(writer->directory, names[i], writer->language));
    }
    lb_buf_put_str(writer->buf, "\n");
}

static const char *title_of(const struct slip_writer *writer,
                            const struct lb_consent_grant_row *grant)
{
    const struct lb_form *form = NULL;
    if (lb_consent_form(writer->consent, grant->form, grant->form_version, &form) != LB_OK)
        return grant->form;
    return writer->is_zh ? form->title.zh : form->title.en;
}

/* No name and no number of the citizen: who finds it learns that somebody asked for something. */
static lb_status write_slip(const struct slip_writer *writer,
                            const struct lb_consent_grant_row *grant,
                            const Lianban__V1__SlipStatus *status, const char *code)
{
    char from[11], until[11];
    const char *office = writer->consent->options.organization;
    LB_TRY(lb_consent_day(status->issued_unix_s, from));
    LB_TRY(lb_consent_day(status->expires_unix_s, until));
    put_pair(writer, "授权回执", "Consent slip", "");
    put_pair(writer, "办理地点：", "Office: ",
             lb_directory_name(writer->directory, office, writer->language));
    put_pair(writer, "事项：", "Matter: ", title_of(writer, grant));
    put_pair(writer, "查询方：", "Asked by: ",
             lb_directory_name(writer->directory, grant->requester, writer->language));
    put_pair(writer, "日期：", "Date: ", from);
    put_pair(writer, "有效期至：", "Ends on: ", until);
    put_standing(writer, status->every_days);
    lb_buf_put_str(writer->buf, writer->is_zh ? "您同意查询：" : "You agreed to: ");
    put_names(writer, status->departments, status->n_departments);
    if (status->n_refused > 0) {
        lb_buf_put_str(writer->buf, writer->is_zh ? "您拒绝的：" : "You refused: ");
        put_names(writer, status->refused, status->n_refused);
    }
    put_pair(writer, "回执编号：", "Code: ", code);
    put_pair(writer, "凭此编号并出示证件，可在本机构任一窗口查询进度或撤回授权。请妥善保管，不要告诉他人。",
             "With this code and your document any desk of this office tells you how things stand, "
             "and withdraws your consent. Keep it to yourself.",
             "");
    return lb_buf_check(writer->buf);
}

struct slip_call {
    struct lb_consent *consent;
    struct lb_directory *directory;
    struct lb_arena *arena;
    struct lb_consent_officer officer;
    int64_t now_unix_s;
    struct lb_consent_grant_row grant;
};

static lb_status enter(const struct slip_call *call, const char *code)
{
    struct lb_consent_event event =
        lb_consent_event_of(&call->grant, code, call->officer.desk);
    event.officer = call->officer.has_token ? call->officer.name : NULL;
    return lb_consent_enter(call->consent, &event, call->arena);
}

static lb_status write_response(const struct slip_call *call, const char *language,
                                Lianban__V1__SlipResponse **out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_NOTICE_BYTES);
    const struct slip_writer writer = {&buf, call->consent, call->directory, language,
                                       strcmp(language, "zh") == 0};
    Lianban__V1__SlipStatus *status = NULL;
    Lianban__V1__SlipResponse *response = lb_arena_alloc(call->arena, sizeof(*response));
    char *code = lb_arena_alloc(call->arena, LB_SLIP_CODE_BYTES);
    LB_ENSURE(response != NULL && code != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__slip_response__init(response);
    lb_consent_slip_code(call->consent, call->grant.id, code);
    LB_TRY(describe(call->consent, &call->grant, call->arena, &status));
    LB_TRY(write_slip(&writer, &call->grant, status, code));
    response->code = code;
    response->text = lb_arena_str(call->arena, lb_buf_span(&buf));
    LB_ENSURE(response->text != NULL, LB_NO_MEMORY, "arena is full");
    *out = response;
    return LB_OK;
}

/* A grant of an older version gets its slip when it is first printed. */
static lb_status keep_slip(struct slip_call *call)
{
    char code[LB_SLIP_CODE_BYTES];
    lb_consent_slip_code(call->consent, call->grant.id, code);
    lb_consent_slip_hash(call->consent, code, call->grant.slip);
    lb_wipe(code, sizeof(code));
    return lb_consent_grant_set_slip(call->consent->store, &call->grant);
}

static lb_status print_slip(struct slip_call *call, const Lianban__V1__SlipRequest *request,
                            Lianban__V1__SlipResponse **out)
{
    bool is = false;
    bool has_language =
        strcmp(request->language, "zh") == 0 || strcmp(request->language, "en") == 0;
    LB_ENSURE(has_language, LB_MALFORMED, "a slip's language");
    LB_TRY(lb_consent_grant_lookup(call->consent, request->grant_id, call->arena, &call->grant));
    LB_TRY(is_theirs(call->consent, &call->grant, request->id_no, &is));
    LB_ENSURE(is, LB_MALFORMED, "document of another person");
    LB_TRY(keep_slip(call));
    LB_TRY(write_response(call, request->language, out));
    return enter(call, "SLIP_PRINTED");
}

lb_status lb_consent_slip(struct lb_consent *consent, const char *caller,
                          const Lianban__V1__SlipRequest *request, struct lb_arena *arena,
                          Lianban__V1__SlipResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct slip_call call = {.consent = consent, .directory = directory, .arena = arena};
    Lianban__V1__SlipResponse *response = NULL;
    lb_status status = lb_consent_who(consent, directory, caller, request->officer_token, arena,
                                      &call.officer);
    if (status == LB_OK) {
        LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
        call.now_unix_s = lb_clock_unix_s(locked->options.clock);
        status = print_slip(&call, request, &response);
    }
    lb_consent_count_denial(consent, caller, status);
    if (status == LB_OK)
        *out = response;
    return status;
}

/* --- following a code --- */

static lb_status check_tries(const struct slip_call *call)
{
    struct lb_consent_tries tries;
    LB_TRY(lb_consent_try_count(call->consent->store, call->officer.desk, call->officer.name,
                                call->now_unix_s - TRIES_WINDOW_S, &tries));
    LB_ENSURE(tries.officer < MAX_TRIES_OF_OFFICER && tries.desk < MAX_TRIES_OF_DESK &&
                  tries.all < MAX_TRIES_OF_ALL,
              LB_TRIES_EXHAUSTED, "too many wrong codes");
    return LB_OK;
}

/* A wrong code, a wrong document and a code of nobody are told alike. */
static lb_status match(struct slip_call *call, const Lianban__V1__FindSlipRequest *request)
{
    char code[LB_SLIP_CODE_BYTES];
    uint8_t hash[32];
    bool is = false;
    LB_ENSURE(lb_slip_normalise(lb_span_str(request->code), code) == LB_OK, LB_GRANT_UNKNOWN,
              "no slip's code");
    lb_consent_slip_hash(call->consent, code, hash);
    LB_TRY(lb_consent_as_unknown(
        lb_consent_grant_by_slip(call->consent->store, hash, call->arena, &call->grant)));
    lb_status status = is_theirs(call->consent, &call->grant, request->id_no, &is);
    LB_ENSURE(lb_status_code(status) != LB_MALFORMED, LB_GRANT_UNKNOWN, "no valid document");
    LB_TRY(status);
    LB_ENSURE(is, LB_GRANT_UNKNOWN, "document of another person");
    return LB_OK;
}

static lb_status find(struct slip_call *call, const Lianban__V1__FindSlipRequest *request,
                      Lianban__V1__SlipStatus **out)
{
    LB_TRY(lb_consent_store_purge(call->consent->store, call->now_unix_s));
    LB_TRY(check_tries(call));
    lb_status status = match(call, request);
    if (lb_status_code(status) == LB_GRANT_UNKNOWN)
        LB_TRY(lb_consent_try_add(call->consent->store, call->officer.desk,
                                  call->officer.name, call->now_unix_s));
    LB_TRY(status);
    LB_TRY(describe(call->consent, &call->grant, call->arena, out));
    return enter(call, "SLIP_READ");
}

lb_status lb_consent_find_slip(struct lb_consent *consent, const char *caller,
                               const Lianban__V1__FindSlipRequest *request,
                               struct lb_arena *arena, Lianban__V1__SlipStatus **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct slip_call call = {.consent = consent, .directory = directory, .arena = arena};
    Lianban__V1__SlipStatus *found = NULL;
    lb_status status = lb_consent_who(consent, directory, caller, request->officer_token, arena,
                                      &call.officer);
    if (status == LB_OK) {
        LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
        call.now_unix_s = lb_clock_unix_s(locked->options.clock);
        status = find(&call, request, &found);
    }
    lb_consent_count_denial(consent, caller, status);
    if (status == LB_OK)
        *out = found;
    return status;
}
