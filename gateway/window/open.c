#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"
#include "gateway/window/look.h"
#include "gateway/window/places.h"
#include "policy/engine/idno.h"

/* Opening a case: the household against the form, before anybody is asked anything. */

#define MAX_NAME_POINTS 64
#define OPERATOR_ARENA_BYTES (64 * 1024)
#define ADULT_AGE 18

/* At most max code points of well-formed UTF-8 without control characters; at least min. */
static bool is_line(const char *text, size_t min, size_t max)
{
    struct lb_span bytes = lb_span_str(text);
    size_t offset = 0, points = 0;
    if (bytes.len > 4 * max)
        return false;
    for (int32_t point = lb_utf8_next(bytes, &offset); point != -1;
         point = lb_utf8_next(bytes, &offset)) {
        if (point < 0x20 || (point >= 0x7f && point < 0xa0))
            return false;
        points++;
    }
    return points >= min && points <= max;
}

static struct lb_case_form *newest_form(struct lb_window *window, const char *id)
{
    struct lb_case_form *found = NULL;
    for (size_t i = 0; i < window->num_forms; i++) {
        struct lb_case_form *form = &window->forms[i];
        if (strcmp(form->form->id, id) != 0)
            continue;
        if (found == NULL || form->form->version > found->form->version)
            found = form;
    }
    return found;
}

static lb_status check_age(const struct lb_window_case *entry, const struct lb_case_member *member)
{
    char date[LB_CASE_DATE_BYTES];
    int age = 0;
    lb_case_day(lb_clock_unix_s(entry->window->options.clock), date); /* as the adapters do */
    LB_ENSURE(lb_idno_age(lb_span_str(member->id_no), date, &age) == LB_OK, LB_MALFORMED,
              "born after today");
    const struct lb_form_role *role = &entry->form->form->roles[member->role];
    LB_ENSURE(role->deceased || role->minor == (age < ADULT_AGE), LB_MALFORMED,
              "age does not fit the role");
    return LB_OK;
}

static lb_status take_member(struct lb_window_case *entry, size_t index,
                             const Lianban__V1__Member *wire)
{
    const struct lb_form *form = entry->form->form;
    struct lb_case_member *member = &entry->members[index];
    member->role = lb_form_role_index(form, wire->role);
    LB_ENSURE(member->role < form->num_roles, LB_MALFORMED, "no such role");
    LB_ENSURE((index == 0) == (member->role == 0), LB_MALFORMED, "applicant first, and once");
    LB_ENSURE(lb_idno_normalise(lb_span_str(wire->id_no), member->id_no) == LB_OK, LB_MALFORMED,
              "identity number does not hold");
    LB_ENSURE(is_line(wire->name, 1, MAX_NAME_POINTS), LB_MALFORMED, "name is not a name");
    LB_ENSURE(is_line(wire->relation, 0, LB_MAX_NAME_BYTES) &&
                  strlen(wire->relation) <= LB_MAX_NAME_BYTES,
              LB_MALFORMED, "relation is not a word");
    for (size_t i = 0; i < index; i++)
        LB_ENSURE(strcmp(entry->members[i].id_no, member->id_no) != 0, LB_MALFORMED,
                  "one person stands twice");
    LB_TRY(check_age(entry, member));
    LB_TRY(lb_case_take_representative(member, wire->representative));
    LB_TRY(lb_case_text(&member->name, lb_span_str(wire->name)));
    return lb_case_text(&member->relation, lb_span_str(wire->relation));
}

static lb_status check_roles(const struct lb_window_case *entry)
{
    const struct lb_form *form = entry->form->form;
    for (size_t role = 0; role < form->num_roles; role++) {
        int64_t count = 0;
        for (size_t i = 0; i < entry->num_members; i++)
            count += entry->members[i].role == role ? 1 : 0;
        LB_ENSURE(count >= form->roles[role].min && count <= form->roles[role].max, LB_MALFORMED,
                  "too few or too many of one role");
    }
    return LB_OK;
}

/* Over the identity numbers as they came, which the device's key signs. */
static lb_status hash_members(const Lianban__V1__OpenCaseRequest *request, struct lb_arena *arena,
                              uint8_t out[32])
{
    struct lb_span *parts = lb_arena_array(arena, 2 * request->n_members, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < request->n_members; i++) {
        parts[2 * i] = lb_span_str(request->members[i]->id_no);
        parts[2 * i + 1] = lb_span_str("\n");
    }
    lb_sha256_parts(parts, 2 * request->n_members, out);
    return LB_OK;
}

/* Two persons stand behind oversight, each admitted as who opens a case is. */
static lb_status take_approver(struct lb_window_case *entry,
                               const Lianban__V1__OpenCaseRequest *request,
                               struct lb_window_admission *asked, struct lb_arena *arena)
{
    struct lb_window *window = entry->window;
    struct lb_register_entry who;
    bool needed = strcmp(entry->form->form->purpose, LB_PURPOSE_OVERSIGHT) == 0;
    bool given = request->approver_badge[0] != 0;
    LB_ENSURE(needed || !given, LB_MALFORMED, "an approver where none is asked for");
    if (!needed)
        return LB_OK;
    LB_ENSURE(given, LB_APPROVER_MISSING, "oversight that nobody approves");
    asked->badge = request->approver_badge;
    asked->unit = request->approver_unit;
    asked->given = request->approver_proof;
    LB_TRY(lb_window_operators_admit(window->operators, &window->options, asked, arena, &who));
    LB_ENSURE(strcmp(who.hash, entry->person) != 0, LB_APPROVER_MISSING,
              "the operator approves what they ask themself");
    memcpy(entry->approver, who.hash, sizeof(who.hash));
    return lb_case_text(&entry->approver_unit, lb_span_str(who.unit));
}

/* The badge itself is not kept: what travels is the person's own keyed hash. */
static lb_status take_operator(struct lb_window_case *entry,
                               const Lianban__V1__OpenCaseRequest *request)
{
    struct lb_window *window = entry->window;
    struct lb_register_entry who;
    struct lb_window_admission asked = {
        .badge = request->operator_badge, .unit = request->operator_unit,
        .given = request->operator_proof, .form = request->form};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(OPERATOR_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(hash_members(request, arena, asked.content));
    LB_TRY(lb_window_operators_admit(window->operators, &window->options, &asked, arena, &who));
    memcpy(entry->person, who.hash, sizeof(who.hash));
    LB_TRY(lb_case_text(&entry->unit, lb_span_str(who.unit)));
    return take_approver(entry, request, &asked, arena);
}

static lb_status name_case(struct lb_window_case *entry)
{
    uint8_t random[16];
    char digits[2 * sizeof(random) + 1];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    lb_hex_encode(lb_span_of(random, sizeof(random)), digits);
    (void)snprintf(entry->id, sizeof(entry->id), "c-%s", digits);
    return LB_OK;
}

static lb_status fill_case(struct lb_window_case *entry,
                           const Lianban__V1__OpenCaseRequest *request)
{
    for (size_t i = 0; i < request->n_members; i++)
        LB_TRY(take_member(entry, i, request->members[i]));
    LB_TRY(check_roles(entry));
    LB_TRY(take_operator(entry, request));
    return name_case(entry);
}

/* The table takes it only when it is on disk, and the disk keeps it only when the table does. */
static lb_status keep(struct lb_window *window, struct lb_window_case *entry)
{
    entry->opened_unix_s = lb_clock_unix_s(window->options.clock);
    LB_TRY(lb_case_store_put(window->store, entry));
    lb_status status = lb_window_add(window, entry);
    if (status != LB_OK) /* nobody knows its id */
        lb_status_ignore(
            lb_case_store_erase(window->store, entry->id, entry->opened_unix_s, NULL));
    return status;
}

lb_status lb_window_open(struct lb_window *window, const Lianban__V1__OpenCaseRequest *request,
                         struct lb_arena *arena, Lianban__V1__OpenCaseResponse **out)
{
    struct lb_case_form *form = newest_form(window, request->form);
    LB_ENSURE(form != NULL, LB_FORM_UNKNOWN, "no such form");
    LB_TRY(lb_places_may_open(window, request->operator_unit));
    LB_TRY(lb_look_open(window, form->form));
    LB_ENSURE(request->n_members >= 1 && request->n_members <= LB_MAX_HOUSEHOLD, LB_MALFORMED,
              "size of the household is out of range");
    Lianban__V1__OpenCaseResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__open_case_response__init(response);
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = NULL;
    LB_TRY(lb_case_new(window, form, request->n_members, &entry));
    LB_TRY(fill_case(entry, request));
    response->case_id = lb_arena_str(arena, lb_span_str(entry->id));
    LB_ENSURE(response->case_id != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(keep(window, entry));
    entry = NULL; /* the table's */
    *out = response;
    return LB_OK;
}
