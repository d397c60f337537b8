#include "adapters/serve/fixture_parcel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/store/store.h"
#include "gateway/token/operator_token.h"
#include "gateway/wire/pb.h"

static void open_for(struct fixture *fx, const char *parts, const char *kind, const char *more)
{
    const char *text = lb_arena_printf(fx->arena,
                                       "%s"
                                       "intake:\n"
                                       "  forms:\n"
                                       "    - form: social-assistance\n"
                                       "      version: 1\n"
                                       "      parts: [%s]\n"
                                       "      requesters: [\"" FX_WINDOW "\"]\n"
                                       "      %s: true\n"
                                       "  clerks: [\"" FX_CLERK "\", \"" FX_OTHER_CLERK "\"]\n"
                                       "%s",
                                       fx_policy_of(fx, "wage.yaml"), parts, kind, more);
    assert_non_null(text);
    fed_write(&fx->fed, "policy.yaml", lb_span_str(text));
    fx_start_again(fx);
}

void fx_open_intake(struct fixture *fx, const char *more)
{
    open_for(fx, FX_PART ", tax.other", "corrections", more);
}

void fx_open_corrections(struct fixture *fx)
{
    open_for(fx, "", "corrections", "");
}

void fx_open_signals(struct fixture *fx, const char *more)
{
    open_for(fx, FX_PART ", tax.other", "signals", more);
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void fill_part(struct fixture *fx, struct fx_parcel *parcel)
{
    Lianban__V1__Part *part = &parcel->part;
    lianban__v1__part__init(part);
    lianban__v1__part_person__init(&parcel->person);
    lianban__v1__part_fact__init(&parcel->fact);
    lianban__v1__part_paper__init(&parcel->paper);
    parcel->person.role = text_of("applicant");
    parcel->person.id_no = text_of(FX_ADULT);
    parcel->person.name = text_of("王小明");
    parcel->fact.fact = text_of("income12");
    parcel->fact.department = text_of("tax");
    parcel->fact.shown = text_of("12,000.00");
    parcel->fact.state = LIANBAN__V1__FACT__STATE__OK;
    parcel->fact.grade = text_of("A");
    parcel->paper.title = text_of("户口簿");
    parcel->paper.sha256 = lb_pb_bytes(lb_span_of(fx->form_sha256, 32));
    for (size_t i = 0; i < sizeof(parcel->people) / sizeof(parcel->people[0]); i++)
        parcel->people[i] = &parcel->person;
    for (size_t i = 0; i < sizeof(parcel->facts) / sizeof(parcel->facts[0]); i++)
        parcel->facts[i] = &parcel->fact;
    parcel->papers[0] = &parcel->paper;
    part->kind = LIANBAN__V1__PART__KIND__SUBMISSION;
    part->case_id = text_of("c-1");
    part->form = text_of("social-assistance");
    part->form_version = 1;
    part->form_sha256 = lb_pb_bytes(lb_span_of(fx->form_sha256, 32));
    part->part = text_of(FX_PART);
    part->class_id = text_of("fits");
    part->people = parcel->people;
    part->n_people = 1;
    part->facts = parcel->facts;
    part->n_facts = 1;
    part->papers = parcel->papers;
    part->n_papers = 1;
    part->note = text_of("请尽快");
    part->due = text_of("2026-12-01");
}

void fx_parcel_honest(struct fixture *fx, struct fx_parcel *parcel)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    memset(parcel, 0, sizeof(*parcel));
    parcel->sender = FX_WINDOW;
    parcel->recipient = FX_ADAPTER;
    parcel->from = &fx->window;
    parcel->to = fx->adapter.seal.public_key;
    parcel->key_id = "s1";
    parcel->expires_unix_s = now + 3600;
    parcel->token_org = "street-office";
    parcel->token_key = fx->window.issuer_key;
    assert_ok(lb_crypto_random(parcel->name, sizeof(parcel->name)));
    lianban__v1__sealed_parcel__init(&parcel->sealed);
    parcel->sealed.version = 1;
    parcel->sealed.made_unix_s = now;
    fill_part(fx, parcel);
}

void fx_parcel_signal(struct fixture *fx, struct fx_parcel *parcel)
{
    fx_parcel_honest(fx, parcel);
    parcel->part.kind = LIANBAN__V1__PART__KIND__SIGNAL;
    parcel->part.class_id = text_of("CANDIDATE");
    parcel->part.note = text_of("");
    parcel->part.n_facts = 0;
    parcel->part.n_papers = 0;
}

void fx_parcel_about(struct fixture *fx, struct fx_parcel *parcel,
                     const struct fx_parcel *submission, Lianban__V1__Part__Kind kind)
{
    fx_parcel_honest(fx, parcel);
    parcel->part.kind = kind;
    parcel->part.about = lb_pb_bytes(lb_span_of(submission->name, sizeof(submission->name)));
}

/* Made once, so that the same parcel sealed again has the same content. */
static void make_plain(struct fixture *fx, struct fx_parcel *parcel)
{
    if (parcel->part.operator_token[0] == 0) {
        const struct lb_operator claims = {
            .organization = parcel->token_org,
            .kid = "m1",
            .unit = "u-1",
            .person = "00112233445566778899aabbccddeeff",
            .jti = "t-1",
            .iat = parcel->sealed.made_unix_s - 1,
            .exp = parcel->sealed.made_unix_s + 299,
        };
        struct lb_span token = LB_SPAN_EMPTY;
        assert_ok(lb_operator_token_issue(&claims, parcel->token_key, fx->arena, &token));
        parcel->part.operator_token = lb_arena_str(fx->arena, token);
    }
    if (parcel->sealed.body_case == LIANBAN__V1__SEALED_PARCEL__BODY__NOT_SET) {
        parcel->sealed.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_PART;
        parcel->sealed.part = &parcel->part;
    }
    assert_ok(lb_pb_pack(&parcel->sealed, fx->arena, &parcel->plain));
}

Lianban__V1__Parcel *fx_seal_parcel(struct fixture *fx, struct fx_parcel *parcel)
{
    struct lb_parcel_cover cover = {parcel->sender, parcel->recipient, parcel->key_id, {0},
                                    parcel->expires_unix_s};
    struct lb_parcel_sealed sealed;
    Lianban__V1__Parcel *wire = lb_arena_alloc(fx->arena, sizeof(*wire));
    Lianban__V1__Sealed *seal = lb_arena_alloc(fx->arena, sizeof(*seal));
    struct lb_span enc = LB_SPAN_EMPTY;
    assert_true(wire != NULL && seal != NULL);
    if (parcel->plain.len == 0)
        make_plain(fx, parcel);
    memcpy(cover.name, parcel->name, sizeof(cover.name));
    assert_ok(lb_parcel_seal(&cover, parcel->to, &parcel->from->seal, parcel->plain, fx->arena,
                             &sealed));
    assert_ok(lb_arena_copy(fx->arena, lb_span_of(sealed.enc, sizeof(sealed.enc)), &enc));
    lianban__v1__parcel__init(wire);
    lianban__v1__sealed__init(seal);
    seal->key_id = text_of(parcel->key_id);
    seal->enc = lb_pb_bytes(enc);
    seal->sender_key = lb_pb_bytes(lb_span_of(parcel->from->seal.public_key, 32));
    seal->ciphertext = lb_pb_bytes(sealed.ciphertext);
    parcel->ciphertext = sealed.ciphertext;
    wire->name = lb_pb_bytes(lb_span_of(parcel->name, sizeof(parcel->name)));
    wire->sender = text_of(parcel->sender);
    wire->recipient = text_of(parcel->recipient);
    wire->sealed = seal;
    wire->expires_unix_s = parcel->expires_unix_s;
    return wire;
}

const char *fx_hand_in(struct fixture *fx, struct fx_parcel *parcel,
                       struct lb_intake_receipt *out_receipt)
{
    const struct lb_intake_routed routed = {.parcel = fx_seal_parcel(fx, parcel)};
    lb_intake_take(lb_serve_intake(fx->serve), &routed, 1, out_receipt);
    return out_receipt->code;
}

int64_t fx_count(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = NULL;
    bool row = false;
    const struct lb_store_options options = {
        .path = fed_path(&fx->fed, "state/evidence.db"), .read_only = true,
        .busy_timeout_ms = 5000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, sql, &stmt));
    assert_ok(lb_stmt_step(stmt, &row));
    assert_true(row);
    int64_t num = lb_stmt_int(stmt, 0);
    lb_store_close(store);
    return num;
}

void fx_execute_state(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = fed_path(&fx->fed, "state/evidence.db"),
                                             .busy_timeout_ms = 10000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, sql));
    lb_store_close(store);
}
