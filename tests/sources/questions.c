#include "tests/sources/questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PERSON_BYTES 64

/* --- making them --- */

static unsigned roles_of(const struct policy *policy, size_t field)
{
    return field == QUESTION_ROWS ? policy->row_roles : policy->columns[field].roles;
}

static bool allowed(const struct question *question, size_t field)
{
    return (roles_of(question->policy, field) & 1U << question->role) != 0;
}

static bool offered(const struct policy *policy, size_t field)
{
    return field == QUESTION_ROWS || policy->columns[field].selected;
}

/* Some of the fields that the role is allowed, or all others that the view has. */
static void pick(struct question *question, bool wanted, uint64_t in, struct policy_random *random)
{
    for (size_t i = 0; i < QUESTION_FIELDS; i++)
        if (offered(question->policy, i) && allowed(question, i) == wanted &&
            policy_chance(random, in))
            question->fields[question->num++] = i;
}

/* At least one of them, if there is any. */
static bool pick_some(struct question *question, bool wanted, struct policy_random *random)
{
    size_t before = question->num;
    pick(question, wanted, 2, random);
    if (question->num == before)
        pick(question, wanted, 1, random);
    return question->num > before;
}

static bool make_attack(struct question *question, struct policy_random *random)
{
    static const char *const keys[] = {
        "somebody else", "' OR '1'='1", "%", "99010119800101201", "990101198001012019", "1", "",
        "990101197507155515' --", "99010119800101201X ", "99010119800101201X\n", ":id_no", "$1"};
    static const char *const inventions[] = {"id_no", "k", "f9", "*", "rows ", "f0, id_no", ""};
    uint64_t any = policy_random(random, 1000);
    switch (question->attack) {
    case FIELD_NOT_ALLOWED:
        return pick_some(question, false, random) && question->num < QUESTION_FIELDS;
    case FIELD_UNKNOWN:
        question->invented = inventions[any % (sizeof(inventions) / sizeof(inventions[0]))];
        return pick_some(question, true, random);
    case OTHER_PERSON:
        question->stated = question->policy->persons[any % POLICY_PERSONS];
        return question->stated != question->person && pick_some(question, true, random);
    case CRAFTED_KEY:
        if (!pick_some(question, true, random))
            return false;
        question->stated = keys[any % (sizeof(keys) / sizeof(keys[0]))];
        question->person = question->stated;
        return true;
    case WEAKER_OPERATOR:
        if (allowed(question, QUESTION_ROWS))
            question->fields[question->num++] = QUESTION_ROWS;
        return question->num > 0;
    default:
        return pick_some(question, true, random);
    }
}

void question_make(const struct policy *policy, bool honest, struct policy_random *random,
                   struct question *out)
{
    *out = (struct question){.policy = policy};
    out->attack = honest ? HONEST : (enum attack)(1 + policy_random(random, NUM_ATTACKS - 1));
    out->role = (unsigned)policy_random(random, POLICY_ROLES);
    out->person = policy->persons[policy_random(random, POLICY_PERSONS)];
    out->stated = out->person;
    out->exists = policy_chance(random, 2);
    if (make_attack(out, random))
        return;
    /* The policy leaves no room for that: then what it does not allow, or all it has. */
    out->attack = FIELD_NOT_ALLOWED;
    out->num = 0;
    out->stated = out->person;
    if (pick_some(out, false, random))
        return;
    out->attack = HONEST;
    pick(out, true, 1, random);
}

/* --- PostgreSQL's part --- */

static void put_literal(const char *text, struct lb_buf *out)
{
    lb_buf_put_str(out, "'");
    for (; *text != 0; text++) {
        if (*text == '\'')
            lb_buf_put_str(out, "'");
        lb_buf_put_u8(out, (uint8_t)*text);
    }
    lb_buf_put_str(out, "'");
}

static const char *column_of(size_t field)
{
    return field == QUESTION_ROWS ? "id_no" : policy_column_name(field);
}

const char *question_write_sql(const struct question *question, const char *before,
                               struct lb_buf *out)
{
    for (size_t i = 0; i < question->num; i++) {
        lb_buf_printf(out, "%s('r%u', ", before, question->role);
        put_literal(question->person, out);
        lb_buf_printf(out, ", 't%zu', ", question->policy->number);
        put_literal(column_of(question->fields[i]), out);
        lb_buf_put_str(out, ")");
        before = ",\n";
    }
    return before;
}

void question_take(struct question *question, char **rest)
{
    for (size_t i = 0; i < question->num; i++) {
        char *line = strsep(rest, "\n");
        assert_non_null(line);
        assert_non_null(*rest);
        question->seen[i] = line;
    }
}

/* --- the adapter's part --- */

static const char *operator_of(const struct question *question, size_t field)
{
    if (field == QUESTION_ROWS)
        return question->exists && question->attack != WEAKER_OPERATOR ? "EXISTS" : "COUNT";
    return question->policy->many ? "SUM" : "PASS";
}

static const char *argument_of(const struct question *question, size_t field, struct fixture *fx)
{
    unsigned more = question->attack == WEAKER_OPERATOR ? 1 : 0;
    if (strcmp(operator_of(question, field), "COUNT") == 0)
        return lb_arena_printf(fx->arena, "%u", question->policy->cap + more);
    return question->policy->many && field != QUESTION_ROWS ? "0" : NULL;
}

static const char *name_of(size_t field, struct fixture *fx)
{
    return field == QUESTION_ROWS ? "rows" : lb_arena_printf(fx->arena, "f%zu", field);
}

static void fill_wants(const struct question *question, struct fixture *fx, struct fx_ask *ask)
{
    struct fx_want *wants = lb_arena_array(fx->arena, QUESTION_FIELDS + 1, sizeof(*wants));
    struct lb_section_field *fields =
        lb_arena_array(fx->arena, QUESTION_FIELDS + 1, sizeof(*fields));
    struct lb_section_view *view = lb_arena_alloc(fx->arena, sizeof(*view));
    assert_true(wants != NULL && fields != NULL && view != NULL);
    for (size_t i = 0; i < question->num; i++) {
        size_t field = question->fields[i];
        struct fx_want *want = &wants[i];
        *want = (struct fx_want){name_of(field, fx), operator_of(question, field),
                                 argument_of(question, field, fx), NULL};
        fields[i] = (struct lb_section_field){
            want->field, want->arg == NULL ? want->operator_name
                                           : lb_arena_printf(fx->arena, "%s(%s)",
                                                             want->operator_name, want->arg)};
    }
    if (question->attack == FIELD_NOT_GRANTED)
        fields[question->num - 1] = (struct lb_section_field){"f9", "PASS"};
    size_t num = question->num;
    if (question->attack == FIELD_UNKNOWN)
        wants[num++] = (struct fx_want){question->invented, "PASS", NULL, NULL};
    *view = (struct lb_section_view){
        lb_arena_printf(fx->arena, "tax.p%zu", question->policy->number), 1, question->num, fields};
    ask->section.views = view;
    ask->views[0] = view->id;
    ask->field = wants[0].field;
    ask->operator_name = wants[0].operator_name;
    ask->arg = wants[0].arg;
    ask->more = wants + 1;
    ask->num_more = num - 1;
}

/* Who asks. Another window's mandate is signed by that window, and sealed by this one. */
static void fill_window(const struct question *question, struct fixture *fx,
                        struct lb_span tokens[2], struct fx_ask *ask)
{
    unsigned own = question->role % 2;
    unsigned granted = question->attack == OTHER_WINDOW ? 1 - own : own;
    const struct fed_party *const windows[2] = {&fx->window, &fx->other};
    ask->sender = windows[own];
    ask->requester = own == 0 ? FX_WINDOW : FX_OTHER_WINDOW;
    ask->operator_org = policy_requesters[own];
    ask->operator_key = windows[own]->issuer_key;
    ask->grant.issuer = policy_requesters[granted];
    ask->grant.requester = policy_requesters[granted];
    ask->grant_key = windows[granted]->issuer_key;
    if (tokens[own].len == 0)
        tokens[own] = fx_operator_token(fx, ask);
    ask->token = tokens[own];
}

void question_build(const struct question *question, struct fixture *fx, struct lb_span tokens[2],
                    struct fx_built *out)
{
    struct fx_ask *ask = lb_arena_alloc(fx->arena, sizeof(*ask));  /* the request borrows it */
    assert_non_null(ask);
    fx_ask_honest(fx, ask);
    fill_window(question, fx, tokens, ask);
    fill_wants(question, fx, ask);
    ask->section.purpose =
        question->attack == OTHER_PURPOSE ? "audit" : policy_purposes[question->role / 2];
    ask->section.case_id = lb_arena_printf(fx->arena, "c-%zu", question->policy->number);
    ask->section.answer_bytes = 4096;
    char *granted = lb_arena_alloc(fx->arena, PERSON_BYTES);  /* 18 characters are hashed of it */
    assert_true(granted != NULL && strlen(question->person) < PERSON_BYTES);
    memcpy(granted, question->person, strlen(question->person));
    ask->granted_id = granted;
    ask->id_no = question->stated;
    ask->deadline_ms = 55000;
    fx_build(fx, ask, out);
}
