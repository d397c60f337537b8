#include "gateway/window/parts.h"

#include "gateway/base/utf8.h"
#include "gateway/window/corrections.h"
#include "gateway/window/look.h"
#include "gateway/wire/pb.h"

/* What a window system asks about a case's parts. */

#define MAX_NOTE_BYTES 2048
#define MAX_PAPERS 32U

/* --- a case at rest --- */

/* Held with both its locks taken, in their order; given back together. */
struct resting {
    struct lb_window_case *entry;
    bool locked;
};

static void let_go(struct resting *resting)
{
    if (resting->locked) {
        (void)pthread_mutex_unlock(&resting->entry->lock);
        (void)pthread_mutex_unlock(&resting->entry->asking);
    }
    lb_window_let_go(&resting->entry);
}

static bool is_collecting(struct lb_window_case *entry)
{
    (void)pthread_mutex_lock(&entry->window->lock);
    bool collecting = entry->collecting;
    (void)pthread_mutex_unlock(&entry->window->lock);
    return collecting;
}

static lb_status rest(struct lb_window *window, const char *case_id, struct resting *out)
{
    LB_TRY(lb_window_hold(window, case_id, &out->entry));
    (void)pthread_mutex_lock(&out->entry->asking);
    (void)pthread_mutex_lock(&out->entry->lock);
    out->locked = true;
    LB_ENSURE(!lb_window_closed(out->entry), LB_CASE_UNKNOWN, "the case is being closed");
    LB_ENSURE(!is_collecting(out->entry), LB_CASE_STATE, "the case is collecting");
    return LB_OK;
}

static lb_status show(const struct lb_window_case *entry, struct lb_arena *arena,
                      Lianban__V1__CaseParts **out)
{
    Lianban__V1__CaseParts *parts = lb_arena_alloc(arena, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_parts__init(parts);
    LB_TRY(lb_parts_show(entry, NULL, arena, &parts->parts, &parts->n_parts));
    *out = parts;
    return LB_OK;
}

static size_t count(const Lianban__V1__CaseParts *parts)
{
    size_t num = parts->n_parts;
    for (size_t i = 0; i < parts->n_parts; i++)
        num += parts->parts[i]->n_sent;
    return num;
}

/* New rows on disk at once, and told. */
static lb_status add(struct lb_window_case *entry, const struct lb_parcel_row *rows, size_t num,
                     const Lianban__V1__CaseParts *parts, struct lb_arena *arena)
{
    if (num == 0)
        return LB_OK;
    LB_ENSURE(count(parts) + num <= LB_PARTS_MAX_OF_CASE, LB_TOO_LARGE,
              "too much about one case");
    LB_TRY(lb_parcels_add(entry->window->store, rows, num, arena));
    for (size_t i = 0; i < num; i++)
        lb_parts_push(entry->window, &rows[i]);
    return LB_OK;
}

/* --- submitting --- */

/* The newest submission of a part stands, unless it was returned. */
static bool is_there(const struct lb_form *form, size_t part,
                     const Lianban__V1__CaseParts *parts)
{
    bool there = false;
    for (size_t i = 0; i < parts->n_parts; i++)
        if (strcmp(parts->parts[i]->part, form->parts[part].name) == 0)
            there = lb_part_state_by_name(parts->parts[i]->state) != LB_PART_RETURNED;
    return there;
}

static lb_status submit(struct lb_window_case *entry, bool emergency, struct lb_arena *arena)
{
    const struct lb_form *form = entry->form->form;
    struct lb_parcel_row *rows = lb_arena_array(arena, form->num_parts, sizeof(*rows));
    Lianban__V1__CaseParts *parts = NULL;
    size_t class = SIZE_MAX, num = 0;
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(!lb_case_is_watch(entry), LB_CASE_STATE, "a trigger's looks make its signals");
    if (!emergency)
        LB_TRY(lb_parts_class(entry, &class));
    LB_TRY(show(entry, arena, &parts));
    for (size_t i = 0; i < form->num_parts; i++) {
        const struct lb_form_part *part = &form->parts[i];
        bool wanted = emergency ? part->emergency : lb_form_hands_over(part, class);
        if (wanted && !is_there(form, i, parts))
            LB_TRY(lb_part_make(entry, i, arena, &rows[num++]));
    }
    return add(entry, rows, num, parts, arena);
}

lb_status lb_window_submit(struct lb_window *window,
                           const Lianban__V1__SubmitCaseRequest *request, struct lb_arena *arena,
                           Lianban__V1__CaseParts **out)
{
    LB_DEFER(let_go) struct resting resting = {.entry = NULL};
    LB_TRY(rest(window, request->case_id, &resting));
    LB_TRY(submit(resting.entry, request->emergency, arena));
    return show(resting.entry, arena, out);
}

/* --- about a submission --- */

static bool is_text(const char *text, size_t max_bytes)
{
    return text[0] == 0 || lb_utf8_line(text, max_bytes);
}

/* The newest submission of a part. */
static lb_status find_part(const Lianban__V1__CaseParts *parts, const char *name,
                           const Lianban__V1__CasePart **out)
{
    const Lianban__V1__CasePart *found = NULL;
    for (size_t i = 0; i < parts->n_parts; i++)
        if (strcmp(parts->parts[i]->part, name) == 0)
            found = parts->parts[i];
    LB_ENSURE(found != NULL, LB_PART_UNKNOWN, "no such part was submitted");
    *out = found;
    return LB_OK;
}

static bool same(const Lianban__V1__Part *a, const Lianban__V1__Part *b)
{
    if (a->kind != b->kind || strcmp(a->note, b->note) != 0 || a->n_papers != b->n_papers)
        return false;
    for (size_t i = 0; i < a->n_papers; i++)
        if (strcmp(a->papers[i]->title, b->papers[i]->title) != 0 ||
            !lb_span_eq(lb_pb_span(a->papers[i]->sha256), lb_pb_span(b->papers[i]->sha256)))
            return false;
    return true;
}

/* Asked again before the department said anything more, the same is one. */
static lb_status was_sent(struct lb_window_case *entry, const Lianban__V1__CasePart *part,
                          const Lianban__V1__Part *extra, struct lb_arena *arena, bool *out)
{
    *out = false;
    for (size_t i = 0; i < part->n_sent && !*out; i++) {
        struct lb_parcel_row row;
        Lianban__V1__SealedParcel *content = NULL;
        LB_TRY(lb_parcel_get(entry->window->store, part->sent[i]->name.data, arena, &row));
        LB_TRY(lb_parcel_part(&row, arena, &content));
        *out = row.kept->after_word == part->n_words && same(content->part, extra);
    }
    return LB_OK;
}

static lb_status send_about(struct lb_window_case *entry, const Lianban__V1__CasePart *part,
                            const Lianban__V1__Part *extra, const Lianban__V1__CaseParts *parts,
                            struct lb_arena *arena)
{
    struct lb_parcel_row submission, row;
    bool sent = false;
    LB_TRY(was_sent(entry, part, extra, arena, &sent));
    if (sent)
        return LB_OK;
    LB_ENSURE(part->n_sent < LB_PARTS_MAX_SENT, LB_TOO_LARGE, "too much about one part");
    LB_TRY(lb_parcel_get(entry->window->store, part->name.data, arena, &submission));
    LB_TRY(lb_part_make_about(entry, &submission, extra, (uint32_t)part->n_words, NULL, arena,
                              &row));
    return add(entry, &row, 1, parts, arena);
}

static lb_status take_papers(const Lianban__V1__SupplementRequest *request,
                             struct lb_arena *arena, Lianban__V1__Part *extra)
{
    LB_ENSURE(request->n_papers <= MAX_PAPERS, LB_MALFORMED, "too many papers");
    extra->papers = lb_arena_array(arena, request->n_papers, sizeof(extra->papers[0]));
    LB_ENSURE(extra->papers != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < request->n_papers; i++) {
        const Lianban__V1__CasePaper *paper = request->papers[i];
        LB_ENSURE(lb_utf8_line(paper->title, LB_MAX_VALUE_BYTES) && paper->sha256.len == 32,
                  LB_MALFORMED, "no paper");
        Lianban__V1__PartPaper *copy = lb_arena_alloc(arena, sizeof(*copy));
        LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__part_paper__init(copy);
        copy->title = paper->title;
        copy->sha256 = paper->sha256;
        extra->papers[extra->n_papers++] = copy;
    }
    return LB_OK;
}

lb_status lb_window_supplement(struct lb_window *window,
                               const Lianban__V1__SupplementRequest *request,
                               struct lb_arena *arena, Lianban__V1__CaseParts **out)
{
    LB_DEFER(let_go) struct resting resting = {.entry = NULL};
    Lianban__V1__Part extra = LIANBAN__V1__PART__INIT;
    Lianban__V1__CaseParts *parts = NULL;
    const Lianban__V1__CasePart *part = NULL;
    enum lb_part_state next;
    extra.kind = LIANBAN__V1__PART__KIND__SUPPLEMENT;
    extra.note = request->note;
    LB_ENSURE(is_text(request->note, MAX_NOTE_BYTES), LB_MALFORMED, "no line of text");
    LB_ENSURE(request->note[0] != 0 || request->n_papers > 0, LB_MALFORMED, "nothing to send");
    LB_TRY(take_papers(request, arena, &extra));
    LB_TRY(rest(window, request->case_id, &resting));
    LB_TRY(show(resting.entry, arena, &parts));
    LB_TRY(find_part(parts, request->part, &part));
    LB_TRY(lb_part_next(lb_part_state_by_name(part->state), LB_PART_IS_SUPPLEMENTED, &next));
    LB_TRY(send_about(resting.entry, part, &extra, parts, arena));
    return show(resting.entry, arena, out);
}

/* --- withdrawing --- */

static bool is_withdrawing(const Lianban__V1__CasePart *part)
{
    for (size_t i = 0; i < part->n_sent; i++)
        if (strcmp(part->sent[i]->kind, "WITHDRAWAL") == 0)
            return true;
    return false;
}

/* Asked once; what nobody took needs no asking. */
static lb_status withdraw(struct lb_window_case *entry, const Lianban__V1__CasePart *part,
                          const Lianban__V1__Part *extra, const Lianban__V1__CaseParts *parts,
                          struct lb_arena *arena)
{
    enum lb_part_state state = lb_part_state_by_name(part->state);
    if (lb_part_is_over(state))
        return LB_OK;
    if (state == LB_PART_DEAD)
        return lb_parts_revive(entry->window, part->name.data, true);
    return is_withdrawing(part) ? LB_OK : send_about(entry, part, extra, parts, arena);
}

lb_status lb_parts_withdraw(struct lb_window_case *entry, const char *part, const char *note,
                            struct lb_arena *arena)
{
    Lianban__V1__Part extra = LIANBAN__V1__PART__INIT;
    Lianban__V1__CaseParts *parts = NULL;
    const Lianban__V1__CasePart *named = NULL;
    extra.kind = LIANBAN__V1__PART__KIND__WITHDRAWAL;
    extra.note = (char *)(uintptr_t)note; /* only packed */
    LB_TRY(show(entry, arena, &parts));
    if (part != NULL)
        LB_TRY(find_part(parts, part, &named));
    for (size_t i = 0; i < parts->n_parts; i++) {
        if (named == NULL || parts->parts[i] == named)
            LB_TRY(withdraw(entry, parts->parts[i], &extra, parts, arena));
    }
    return LB_OK;
}

lb_status lb_window_withdraw(struct lb_window *window,
                             const Lianban__V1__WithdrawRequest *request, struct lb_arena *arena,
                             Lianban__V1__CaseParts **out)
{
    LB_DEFER(let_go) struct resting resting = {.entry = NULL};
    LB_ENSURE(is_text(request->note, MAX_NOTE_BYTES), LB_MALFORMED, "no line of text");
    LB_TRY(rest(window, request->case_id, &resting));
    LB_TRY(lb_parts_withdraw(resting.entry, request->part[0] != 0 ? request->part : NULL,
                             request->note, arena));
    return show(resting.entry, arena, out);
}

/* --- dead letters --- */

/* A submission, or what was sent after it. */
static lb_status retry(struct lb_window *window, const Lianban__V1__CasePart *part, bool *any)
{
    const char *dead = lb_part_state_name(LB_PART_DEAD);
    if (strcmp(part->state, dead) == 0) {
        *any = true;
        LB_TRY(lb_parts_revive(window, part->name.data, false));
    }
    for (size_t i = 0; i < part->n_sent; i++) {
        if (strcmp(part->sent[i]->state, dead) != 0)
            continue;
        *any = true;
        LB_TRY(lb_parts_revive(window, part->sent[i]->name.data, false));
    }
    return LB_OK;
}

lb_status lb_window_retry(struct lb_window *window, const Lianban__V1__RetryRequest *request,
                          struct lb_arena *arena, Lianban__V1__CaseParts **out)
{
    LB_DEFER(let_go) struct resting resting = {.entry = NULL};
    Lianban__V1__CaseParts *parts = NULL;
    bool any = false;
    LB_TRY(rest(window, request->case_id, &resting));
    LB_TRY(show(resting.entry, arena, &parts));
    for (size_t i = 0; i < parts->n_parts; i++) {
        if (request->part[0] == 0 || strcmp(parts->parts[i]->part, request->part) == 0)
            LB_TRY(retry(window, parts->parts[i], &any));
    }
    if (request->part[0] == 0)
        LB_TRY(lb_corrections_retry(resting.entry, &any));
    LB_ENSURE(any, LB_PART_UNKNOWN, "no such part is dead");
    return show(resting.entry, arena, out);
}
