#include "gateway/ctl/fake.h"

#include <stdio.h>

#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

#define KEEP(field_, text_) ((void)snprintf(field_, sizeof(field_), "%s", text_))
#define TEXT(literal_) ((char *)(uintptr_t)(literal_))

static void close_port(void *ctx)
{
    struct test_cli *cli = ctx;
    cli->num_opened--;
}

/* --- the agent --- */

static lb_status open_case(void *ctx, const Lianban__V1__OpenCaseRequest *request,
                           struct lb_arena *arena, Lianban__V1__OpenCaseResponse **out)
{
    struct test_cli *cli = ctx;
    LB_TRY(lb_status_of(cli->open_code));
    cli->num_members = request->n_members;
    for (size_t i = 0; i < request->n_members; i++) {
        KEEP(cli->id_no[i], request->members[i]->id_no);
        KEEP(cli->roles[i], request->members[i]->role);
    }
    KEEP(cli->badge, request->operator_badge);
    KEEP(cli->unit, request->operator_unit);
    KEEP(cli->form, request->form);
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__open_case_response__init(*out);
    (*out)->case_id = TEXT("c-1");
    return LB_OK;
}

static lb_status get_notice(void *ctx, const Lianban__V1__GetNoticeRequest *request,
                            struct lb_arena *arena, Lianban__V1__GetNoticeResponse **out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->language, request->language);
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__get_notice_response__init(*out);
    (*out)->text = TEXT(cli->notice);
    return LB_OK;
}

static lb_status request_grants(void *ctx, const char *case_id, struct lb_arena *arena,
                                Lianban__V1__RequestGrantsResponse **out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->case_id, case_id);
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__request_grants_response__init(*out);
    (*out)->tickets = lb_arena_array(arena, cli->num_members, sizeof(*(*out)->tickets));
    (*out)->n_tickets = cli->by_mandate ? 0 : cli->num_members;
    for (size_t i = 0; i < (*out)->n_tickets; i++) {
        Lianban__V1__MemberTicket *ticket = lb_arena_alloc(arena, sizeof(*ticket));
        lianban__v1__member_ticket__init(ticket);
        ticket->member = (uint32_t)i;
        ticket->request_id = lb_arena_printf(arena, "request-%zu", i);
        ticket->code = TEXT("123456");
        (*out)->tickets[i] = ticket;
    }
    return LB_OK;
}

static lb_status get_case(void *ctx, const char *case_id, struct lb_arena *arena,
                          Lianban__V1__CaseResult **out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->case_id, case_id);
    LB_TRY(lb_status_of(cli->collect_code));
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__case_result__init(*out);
    test_fake_result(cli, *out);
    return LB_OK;
}

static lb_status close_case(void *ctx, const char *case_id)
{
    struct test_cli *cli = ctx;
    KEEP(cli->case_id, case_id);
    cli->num_closed++;
    return LB_OK;
}

/* One event through the wire's own form. */
static void emit(Lianban__V1__CaseEvent *event, void (*on_event)(void *arg, struct lb_span event),
                 void *arg)
{
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_pb_pack(event, arena, &bytes));
    on_event(arg, bytes);
    lb_arena_free(arena);
}

static void emit_fact(const char *name, const char *state, const char *code,
                      void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    static char *args[] = {TEXT("12")};
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    Lianban__V1__CaseFact fact = LIANBAN__V1__CASE_FACT__INIT;
    fact.member = 0;
    fact.department = TEXT("tax");
    fact.view = TEXT("tax.income");
    fact.field = TEXT("income");
    fact.operator_ = TEXT("SUM");
    fact.args = args;
    fact.n_args = 1;
    fact.fact = TEXT(name);
    fact.state = TEXT(state);
    fact.code = TEXT(code);
    fact.receipt_ok = strcmp(state, "ok") == 0;
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_FACT;
    event.fact = &fact;
    emit(&event, on_event, arg);
}

static void emit_result(const struct test_cli *cli,
                        void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    Lianban__V1__CaseResult result = LIANBAN__V1__CASE_RESULT__INIT;
    test_fake_result(cli, &result);
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_RESULT;
    event.result = &result;
    emit(&event, on_event, arg);
}

static lb_status emit_all(const struct test_cli *cli,
                          void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    emit_fact("wage12", "unavailable", "UNAVAILABLE", on_event, arg);
    emit_fact("wage12", "ok", "", on_event, arg); /* a later outcome replaces it */
    emit_fact("bonus12", "timeout", "SOURCE_TIMEOUT", on_event, arg);
    if (cli->bad_event)
        on_event(arg, lb_span_str("\xFF\xFF\xFF"));
    if (!cli->no_result)
        emit_result(cli, on_event, arg);
    return LB_OK;
}

static lb_status collect(void *ctx, const char *case_id,
                         void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    struct test_cli *cli = ctx;
    KEEP(cli->case_id, case_id);
    cli->num_collects++;
    cli->clock.now_monotonic_ms += 400;
    LB_ENSURE(cli->num_collects > cli->pending, LB_GRANT_PENDING, "pending");
    LB_TRY(lb_status_of(cli->collect_code));
    return emit_all(cli, on_event, arg);
}

static lb_status watch(void *ctx, const char *case_id,
                       void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    struct test_cli *cli = ctx;
    KEEP(cli->case_id, case_id);
    return emit_all(cli, on_event, arg);
}

static lb_status open_window(void *ctx, const char *agent, struct lb_diag *diag,
                             struct lb_ctl_window_port *out)
{
    struct test_cli *cli = ctx;
    (void)agent;
    (void)diag;
    cli->num_opened++;
    *out = (struct lb_ctl_window_port){cli,        open_case, get_notice, request_grants, get_case,
                                       close_case, collect,   watch,      test_ask_agent,
                                       close_port};
    return LB_OK;
}

/* --- the consent office --- */

static lb_status find_form(void *ctx, const char *id, struct lb_ctl_form_id *out)
{
    (void)ctx;
    LB_ENSURE(id == NULL || strcmp(id, "social-assistance") == 0, LB_FORM_UNKNOWN, "no such form");
    KEEP(out->id, "social-assistance");
    out->version = 3;
    return LB_OK;
}

static lb_status notice(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out)
{
    struct test_cli *cli = ctx;
    uint8_t *sha256 = lb_arena_alloc(arena, LB_SHA256_BYTES);
    KEEP(cli->requester, request->requester);
    KEEP(cli->form, request->form);
    KEEP(cli->language, request->language);
    cli->form_version = request->form_version;
    lb_sha256(lb_span_str(cli->notice), sha256);
    sha256[0] ^= cli->notice_hash_wrong ? 1 : 0;
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__notice_response__init(*out);
    (*out)->text = TEXT(cli->notice);
    (*out)->sha256 = (ProtobufCBinaryData){LB_SHA256_BYTES, sha256};
    return LB_OK;
}

static lb_status keep_choice(struct test_cli *cli, const Lianban__V1__ConfirmRequest *request)
{
    KEEP(cli->also_id_no, request->also_id_no);
    KEEP(cli->officer_token, request->officer_token);
    cli->num_refused = request->n_refused_departments + request->n_refused_facts;
    KEEP(cli->refused, request->n_refused_departments > 0 ? request->refused_departments[0] : "");
    cli->paper_len = request->paper_sha256.len;
    return LB_OK;
}

static lb_status confirm(void *ctx, const Lianban__V1__ConfirmRequest *request,
                         struct lb_arena *arena, Lianban__V1__ConfirmResponse **out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->confirm_id_no, request->id_no);
    KEEP(cli->confirm_request, request->request_id);
    KEEP(cli->confirm_method, request->method);
    cli->agreed = request->agreed;
    cli->level = request->level;
    if (request->notice_sha256.len == sizeof(cli->notice_sha256))
        memcpy(cli->notice_sha256, request->notice_sha256.data, sizeof(cli->notice_sha256));
    LB_TRY(lb_status_of(cli->confirm_code));
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__confirm_response__init(*out);
    (*out)->grant_id = TEXT(request->agreed ? "g-1" : "");
    (*out)->state = TEXT(request->agreed ? "GRANTED" : "REFUSED");
    return keep_choice(cli, request);
}

static lb_status revoke(void *ctx, const Lianban__V1__RevokeRequest *request,
                        struct lb_arena *arena, Lianban__V1__RevokeResponse **out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->confirm_id_no, request->id_no);
    KEEP(cli->confirm_request, request->grant_id);
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__revoke_response__init(*out);
    (*out)->status_seq = 12;
    (*out)->stops_by = request->action == LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME ? 0
                                                                                      : 1782892800;
    (*out)->n_receipts = cli->num_receipts;
    (*out)->receipts = lb_arena_array(arena, cli->num_receipts, sizeof(*(*out)->receipts));
    for (size_t i = 0; i < cli->num_receipts; i++) {
        Lianban__V1__RevokeReceipt *receipt = lb_arena_alloc(arena, sizeof(*receipt));
        lianban__v1__revoke_receipt__init(receipt);
        receipt->adapter = lb_arena_printf(arena, "spiffe://example/adapter/a%zu", i);
        receipt->code = TEXT(i < cli->num_stopped ? "OK" : "UNAVAILABLE");
        receipt->millis = i < cli->num_stopped ? (uint32_t)(50 * i) : 6000;
        (*out)->receipts[i] = receipt;
    }
    return LB_OK;
}

static lb_status stop_grant(void *ctx, const Lianban__V1__StopGrantRequest *request,
                            struct lb_arena *arena, struct lb_ctl_entry *out)
{
    struct test_cli *cli = ctx;
    (void)arena;
    KEEP(cli->confirm_request, request->grant_id);
    KEEP(cli->stop_reason, request->reason);
    *out = (struct lb_ctl_entry){41, 1782892800000, 1};
    return LB_OK;
}

static lb_status erase(void *ctx, const Lianban__V1__EraseSubjectRequest *request,
                       struct lb_arena *arena, struct lb_ctl_entry *out)
{
    struct test_cli *cli = ctx;
    (void)arena;
    KEEP(cli->confirm_id_no, request->id_no);
    KEEP(cli->erase_basis, request->basis);
    KEEP(cli->stop_reason, request->reason);
    cli->erase_approved = request->approve;
    *out = (struct lb_ctl_entry){42, 1782892800000, 3};
    return LB_OK;
}

static lb_status ask(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out)
{
    struct test_cli *cli = ctx;
    KEEP(cli->method, method);
    if (test_fake_office(cli, method, request, arena, out) ||
        test_fake_intake(cli, method, request, arena, out))
        return LB_OK;
    return lb_pb_unpack(reply_kind, LB_SPAN_EMPTY, arena, out); /* an empty one */
}

/* The pseudonym of any number is its characters. */
static lb_status record_review(void *ctx, const Lianban__V1__RecordReviewRequest *request,
                               struct lb_arena *arena, struct lb_ctl_reviewed *out)
{
    struct test_cli *cli = ctx;
    (void)arena;
    cli->num_reviews++;
    KEEP(cli->review_kind, request->kind);
    KEEP(cli->review_query, request->query);
    KEEP(cli->review_reason, request->reason);
    KEEP(cli->confirm_id_no, request->id_no);
    LB_TRY(lb_status_of(cli->review_code));
    *out = (struct lb_ctl_reviewed){.entry = 77, .at_unix_ms = 1782900000000};
    out->num_names = request->id_no[0] != 0 || request->subject.len > 0 ? 1 : 0;
    if (request->subject.len > 0)
        memcpy(out->names[0], request->subject.data, sizeof(out->names[0]));
    else if (out->num_names > 0)
        memset(out->names[0], request->id_no[17] - '0', sizeof(out->names[0]));
    return LB_OK;
}

static lb_status open_desk(void *ctx, const struct lb_ctl_desk_profile *profile,
                           const struct lb_clock *clock, struct lb_diag *diag,
                           struct lb_ctl_desk_port *out)
{
    struct test_cli *cli = ctx;
    (void)profile;
    (void)clock;
    (void)diag;
    cli->num_opened++;
    *out = (struct lb_ctl_desk_port){cli,    find_form,  notice, confirm,
                                    revoke, stop_grant, record_review, erase, ask, NULL,
                                    close_port};
    return LB_OK;
}

struct lb_ctl_remote test_fake_remote(struct test_cli *cli)
{
    return (struct lb_ctl_remote){.ctx = cli, .open_window = open_window, .open_desk = open_desk,
                                  .open_evidence = test_fake_evidence};
}
