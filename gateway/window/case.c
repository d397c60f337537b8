#include "gateway/window/case.h"

#include <stdlib.h>
#include <time.h>

#include "gateway/base/wipe.h"
#include "gateway/window/inside.h"

void lb_case_text_drop(char **slot)
{
    if (*slot == NULL)
        return;
    lb_wipe(*slot, strlen(*slot));
    free(*slot);
    *slot = NULL;
}

lb_status lb_case_text(char **slot, struct lb_span text)
{
    LB_ENSURE(text.len == 0 || memchr(text.ptr, 0, text.len) == NULL, LB_MALFORMED,
              "text has a NUL");
    char *copy = calloc(1, text.len + 1);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "text");
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    lb_case_text_drop(slot);
    *slot = copy;
    return LB_OK;
}

static lb_status make_member(struct lb_case_member *member, const struct lb_form *form)
{
    member->rids = calloc(form->num_sections, sizeof(member->rids[0]));
    member->facts = calloc(form->num_facts, sizeof(member->facts[0]));
    LB_ENSURE(member->rids != NULL && member->facts != NULL, LB_NO_MEMORY, "member");
    LB_TRY(lb_case_text(&member->name, LB_SPAN_EMPTY));
    return lb_case_text(&member->relation, LB_SPAN_EMPTY);
}

lb_status lb_case_new(struct lb_window *window, struct lb_case_form *form, size_t num_members,
                      struct lb_window_case **out_case)
{
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "case");
    entry->window = window;
    entry->form = form;
    (void)pthread_mutex_init(&entry->asking, NULL);
    (void)pthread_mutex_init(&entry->lock, NULL);
    entry->feed = lb_feed_new();
    entry->conditions = calloc(form->form->num_conditions, sizeof(entry->conditions[0]));
    entry->shares = calloc(form->form->num_shares + 1, sizeof(entry->shares[0]));
    entry->amounts = calloc(form->form->num_amounts + 1, sizeof(entry->amounts[0]));
    LB_ENSURE(entry->feed != NULL && entry->conditions != NULL && entry->shares != NULL &&
                  entry->amounts != NULL,
              LB_NO_MEMORY, "case");
    LB_TRY(lb_case_text(&entry->unit, LB_SPAN_EMPTY));
    LB_TRY(lb_case_text(&entry->approver_unit, LB_SPAN_EMPTY));
    entry->num_members = num_members;
    for (size_t i = 0; i < num_members; i++)
        LB_TRY(make_member(&entry->members[i], form->form));
    *out_case = entry;
    entry = NULL;
    return LB_OK;
}

static void free_member(struct lb_case_member *member, const struct lb_form *form)
{
    for (size_t i = 0; member->facts != NULL && i < form->num_facts; i++)
        lb_case_text_drop(&member->facts[i].text);
    if (member->facts != NULL)
        lb_wipe(member->facts, form->num_facts * sizeof(member->facts[0]));
    free(member->facts);
    free(member->rids);
    lb_case_text_drop(&member->name);
    lb_case_text_drop(&member->relation);
    lb_case_text_drop(&member->representative);
    lb_case_text_drop(&member->ticket_id);
    lb_case_text_drop(&member->ticket_code);
    lb_case_text_drop(&member->consent.sd_jwt);
    lb_case_text_drop(&member->mandate.sd_jwt);
    lb_wipe(member, sizeof(*member));
}

void lb_case_free(struct lb_window_case *entry)
{
    if (entry == NULL)
        return;
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++)
        free_member(&entry->members[i], form);
    lb_case_text_drop(&entry->unit);
    lb_case_text_drop(&entry->approver_unit);
    lb_records_free(&entry->records);
    if (entry->feed != NULL)
        lb_feed_unref(entry->feed);
    free(entry->conditions);
    if (entry->amounts != NULL)
        lb_wipe(entry->amounts, form->num_amounts * sizeof(entry->amounts[0]));
    free(entry->amounts);
    free(entry->shares);
    (void)pthread_mutex_destroy(&entry->lock);
    (void)pthread_mutex_destroy(&entry->asking);
    lb_wipe(entry, sizeof(*entry));
    free(entry);
}

void lb_case_freep(struct lb_window_case **entry)
{
    lb_case_free(*entry);
    *entry = NULL;
}

lb_status lb_case_set_fact(struct lb_window_case *entry, struct lb_case_fact *place,
                           const struct lb_case_fact *fact)
{
    char *text = NULL;
    if (fact->value.state == LB_FACT_OK && fact->value.kind == LB_FACT_TEXT)
        LB_TRY(lb_case_text(&text, fact->value.text));
    lb_case_text_drop(&place->text);
    *place = *fact;
    place->text = text;
    place->value.text = lb_span_str(text);
    place->order = ++entry->last_order;
    return LB_OK;
}

void lb_case_day(int64_t unix_s, char out[LB_CASE_DATE_BYTES])
{
    time_t at = (time_t)unix_s;
    struct tm local;
    (void)localtime_r(&at, &local);
    (void)strftime(out, LB_CASE_DATE_BYTES, "%Y-%m-%d", &local);
}

bool lb_case_asked(const struct lb_window_case *entry, size_t member, size_t fact)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_case_member *person = &entry->members[member];
    if (!lb_form_asks(&form->facts[fact], person->role))
        return false;
    size_t section = lb_form_section_index(form, form->facts[fact].department);
    return !form->sections[section].late || person->rids[section].made ||
           person->facts[fact].value.state != 0;
}

bool lb_case_final(enum lb_fact_state state)
{
    switch (state) {
    case LB_FACT_OK:
    case LB_FACT_DENIED:
    case LB_FACT_NOT_FOUND:
    case LB_FACT_AMBIGUOUS:
    case LB_FACT_STALE:
    case LB_FACT_DRY_RUN:
        return true;
    case LB_FACT_UNAVAILABLE:
    case LB_FACT_TIMEOUT:
        return false;
    }
    return false; /* nothing has come */
}
