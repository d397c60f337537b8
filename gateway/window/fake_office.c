#include <stdio.h>
#include <string.h>

#include "gateway/token/grant.h"
#include "gateway/token/status_list.h"
#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* The consent office: files requests, and issues a grant once a test says the citizen agreed. */

#define FX_STATUS_URI "https://hall.example/status"
#define NOTICE "您的申请需要核对以下信息。"

lb_status fx_notice(void *ctx, const Lianban__V1__NoticeRequest *request, struct lb_arena *arena,
                    Lianban__V1__NoticeResponse **out)
{
    static uint8_t hash[32] = {7};
    (void)ctx;
    LB_ENSURE(strcmp(request->language, "zh") == 0, LB_MALFORMED, "language");
    assert_string_equal(request->form, "test-aid");
    assert_int_equal(request->form_version, 3);
    assert_string_equal(request->requester, FX_WINDOW);
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__notice_response__init(*out);
    (*out)->text = lb_arena_str(arena, lb_span_str(NOTICE));
    (*out)->sha256 = lb_pb_bytes(lb_span_of(hash, sizeof(hash)));
    return LB_OK;
}

static void copy(char *out, size_t size, const char *text)
{
    assert_true(strlen(text) < size);
    (void)snprintf(out, size, "%s", text);
}

lb_status fx_request_grant(void *ctx, const Lianban__V1__GrantRequest *request,
                           struct lb_arena *arena, Lianban__V1__GrantTicket **out)
{
    struct fixture *fx = ctx;
    assert_true(fx->num_tickets < FX_MAX_TICKETS);
    struct fx_ticket *ticket = &fx->tickets[fx->num_tickets++];
    assert_int_equal(request->requester_key.len, 32);
    assert_memory_equal(request->form_sha256.data, lb_form_of(fx->form)->sha256, 32);
    ticket->used = true;
    memcpy(ticket->requester_key, request->requester_key.data, 32);
    copy(ticket->role, sizeof(ticket->role), request->role);
    copy(ticket->case_id, sizeof(ticket->case_id), request->case_id);
    copy(ticket->id_no, sizeof(ticket->id_no), request->id_no);
    copy(ticket->operator_hash, sizeof(ticket->operator_hash), request->operator_);
    bool minor = strcmp(request->role, "child") == 0;
    assert_int_equal(minor, request->guardian != NULL);
    if (minor)
        copy(ticket->guardian, sizeof(ticket->guardian), request->guardian->relation);
    copy(fx->representative, sizeof(fx->representative),
         request->representative != NULL ? request->representative->kind : "");
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__grant_ticket__init(*out);
    (*out)->request_id = lb_arena_printf(arena, "r-%zu", fx->num_tickets - 1);
    (*out)->code = lb_arena_printf(arena, "%04zu", fx->num_tickets - 1);
    return LB_OK;
}

/* The section's views, by hand: version 2 is the newest that the directory lists. */
static void police_section(const struct fx_ticket *ticket, struct lb_section *section)
{
    static const struct lb_section_field person[] = {{"name", "EQ"}, {"region", "ADDR_LEVEL(6)"}};
    static const struct lb_section_field household[] = {{"members", "EQ"}};
    static const struct lb_section_view all[] = {
        {"public-security.person", 2, 2, person},
        {"public-security.household", 2, 1, household},
    };
    section->provider = "public-security";
    section->audience = "spiffe://example.gov/adapter/public-security";
    section->basis = "consent";
    section->views = all;
    section->num_views = strcmp(ticket->role, "applicant") == 0 ? 2 : 1;
    section->answer_bytes = 1024;
}

static void keep_region_back(struct lb_section *section)
{
    static const struct lb_section_field person[] = {{"name", "EQ"}};
    static const struct lb_section_view rest[] = {{"public-security.person", 2, 1, person}};
    section->views = rest;
    section->num_views = 1;
}

static void disabled_section(struct lb_section *section)
{
    static const struct lb_section_field card[] = {{"level", "IN(disability.severe)"}};
    static const struct lb_section_view all[] = {{"disabled-federation.card", 2, 1, card}};
    section->provider = "disabled-federation";
    section->audience = "spiffe://example.gov/adapter/disabled-federation";
    section->basis = "separate_consent";
    section->views = all;
    section->num_views = 1;
    section->answer_bytes = 512;
}

static void common_section(struct fixture *fx, const struct fx_ticket *ticket,
                           const uint8_t salt[16], struct lb_section *section)
{
    static const char *const laws[] = {"SAL40"};
    const struct lb_form *form = lb_form_of(fx->form);
    *section = (struct lb_section){
        .form = form->id,
        .form_version = form->version,
        .purpose = form->purpose,
        .case_id = fx->section_case != NULL ? fx->section_case : ticket->case_id,
        .num_laws = 1,
        .laws = laws,
        .role = ticket->role,
        .operator_hash = ticket->operator_hash,
        .guardian = ticket->guardian[0] != 0 ? ticket->guardian : NULL,
        .method = "document",
        .level = 3,
        .max_uses = 4,
        .event_days = fx->section_days,
    };
    memcpy(section->form_sha256, form->sha256, 32);
    lb_subject_commitment(salt, fx->section_subject != NULL ? fx->section_subject : ticket->id_no,
                          section->subject);
}

static lb_status bind_grant(struct fixture *fx, const struct fx_ticket *ticket,
                            struct lb_arena *arena, uint8_t out_jkt[32])
{
    uint8_t log_key[LB_P256_PUBLIC_BYTES];
    if (fx->section_days == 0)
        return lb_jwk_thumbprint_x25519(ticket->requester_key, arena, out_jkt);
    (void)lb_sign_key_public(fx->window_key, log_key);
    return lb_jwk_thumbprint_ed25519(log_key, arena, out_jkt);
}

static lb_status issue(struct fixture *fx, const struct fx_ticket *ticket, const uint8_t salt[16],
                       struct lb_arena *arena, struct lb_span *out)
{
    struct lb_section sections[2];
    struct lb_span jwt, disclosures[2];
    int64_t now = lb_clock_unix_s(&fx->clock.clock);
    struct lb_grant grant = {
        .issuer = fx->self_signed ? "street-office" : "hall",
        .kid = fx->self_signed ? FX_STREET_KID : FX_OFFICE_KID,
        .jti = lb_arena_printf(arena, "g-%s-%lld", ticket->id_no, (long long)now),
        .requester = "street-office",
        .iat = now,
        .nbf = now,
        .exp = now + fx->grant_life_s,
        .status_uri = FX_STATUS_URI,
        .status_index = (uint64_t)(ticket - fx->tickets),
    };
    LB_TRY(bind_grant(fx, ticket, arena, grant.cnf_jkt));
    for (size_t i = 0; i < 2; i++)
        common_section(fx, ticket, salt, &sections[i]);
    police_section(ticket, &sections[0]);
    disabled_section(&sections[1]);
    size_t num = fx->department_refused ? 1 : 2;
    if (fx->fact_refused)
        keep_region_back(&sections[0]);
    LB_TRY(lb_grant_issue(&grant, sections, num,
                          fx->self_signed ? fx->street_key : fx->office_key, arena, &jwt,
                          disclosures));
    return lb_sd_jwt_join(jwt, disclosures, num, arena, out);
}

lb_status fx_get_grant(void *ctx, const char *request_id, struct lb_arena *arena,
                       Lianban__V1__GetGrantResponse **out)
{
    static const uint8_t salt[16] = {9, 9, 9};
    struct fixture *fx = ctx;
    size_t index = (size_t)strtoul(request_id + 2, NULL, 10);
    LB_ENSURE(strncmp(request_id, "r-", 2) == 0 && index < fx->num_tickets &&
                  fx->tickets[index].used,
              LB_GRANT_UNKNOWN, "no such request");
    const struct fx_ticket *ticket = &fx->tickets[index];
    LB_ENSURE(!ticket->refused, LB_GRANT_REFUSED, "refused");
    LB_ENSURE(ticket->agreed, LB_GRANT_PENDING, "pending");
    struct lb_span text;
    LB_TRY(issue(fx, ticket, salt, arena, &text));
    *out = lb_arena_alloc(arena, sizeof(**out));
    lianban__v1__get_grant_response__init(*out);
    (*out)->grant_id = lb_arena_str(arena, lb_span_str("g"));
    (*out)->sd_jwt = lb_arena_str(arena, text);
    (*out)->subject_salt = lb_pb_bytes(lb_span_of(salt, sizeof(salt)));
    return LB_OK;
}

lb_status fx_status_list(void *ctx, struct lb_arena *arena, const char **out_token)
{
    struct fixture *fx = ctx;
    struct lb_span token = LB_SPAN_EMPTY;
    fx->num_lists++;
    LB_TRY(fx->list_fails);
    assert_ok(lb_status_list_sign("hall", FX_OFFICE_KID, FX_STATUS_URI, fx->list_seq,
                                  lb_clock_unix_s(&fx->clock.clock), 900,
                                  lb_span_of(fx->list_states, sizeof(fx->list_states)),
                                  fx->forged_list ? fx->street_key : fx->office_key, arena,
                                  &token));
    *out_token = lb_arena_str(arena, token);
    return LB_OK;
}
