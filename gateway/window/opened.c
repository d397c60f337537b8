#include "gateway/window/inside.h"

/* A grant taken apart, and what of a form is asked of whom. */

bool lb_window_asks_section(const struct lb_form *form, size_t role, size_t section)
{
    for (size_t i = 0; i < form->num_facts; i++) {
        if (lb_form_asks(&form->facts[i], role) &&
            strcmp(form->facts[i].department, form->sections[section].department) == 0)
            return true;
    }
    return false;
}

bool lb_window_needs_consent(const struct lb_form *form, size_t role)
{
    for (size_t i = 0; i < form->num_sections; i++) {
        if (lb_form_basis(form, i, role) != LB_BASIS_MANDATE &&
            lb_window_asks_section(form, role, i))
            return true;
    }
    return false;
}

bool lb_grant_stands(const struct lb_window *window, const struct lb_opened_grant *opened,
                     int64_t left_s)
{
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    return opened->grant.exp > lb_clock_unix_s(window->options.clock) + left_s &&
           lb_window_key_of(window, opened->grant.cnf_jkt, &own) == LB_OK;
}

static lb_status take_section(const struct lb_form *form, struct lb_span disclosure,
                              struct lb_arena *arena, struct lb_opened_grant *opened)
{
    struct lb_section *section = lb_arena_alloc(arena, sizeof(*section));
    LB_ENSURE(section != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_section_open(&opened->grant, disclosure, arena, section));
    size_t index = lb_form_section_index(form, section->provider);
    LB_ENSURE(index < form->num_sections, LB_SECTION_INVALID, "a section the form does not have");
    LB_ENSURE(opened->sections[index] == NULL, LB_SECTION_INVALID, "a department stands twice");
    opened->sections[index] = section;
    opened->disclosures[index] = disclosure;
    return LB_OK;
}

lb_status lb_grant_take_apart(const struct lb_form *form, const char *sd_jwt,
                              struct lb_arena *arena, struct lb_opened_grant *out)
{
    struct lb_opened_grant opened = {0};
    struct lb_span *disclosures = NULL;
    size_t num = 0;
    LB_TRY(lb_sd_jwt_split(lb_span_str(sd_jwt), arena, &opened.jwt, &disclosures, &num));
    LB_TRY(lb_grant_peek(opened.jwt, arena, &opened.grant));
    opened.sections = lb_arena_array(arena, form->num_sections, sizeof(opened.sections[0]));
    opened.disclosures = lb_arena_array(arena, form->num_sections, sizeof(opened.disclosures[0]));
    LB_ENSURE(opened.sections != NULL && opened.disclosures != NULL, LB_NO_MEMORY,
              "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(take_section(form, disclosures[i], arena, &opened));
    opened.text = sd_jwt;
    *out = opened;
    return LB_OK;
}

lb_status lb_grant_open_once(const struct lb_form *form, const char *sd_jwt,
                             struct lb_arena *arena, struct lb_opened_grant *opened)
{
    if (opened->text != NULL && strcmp(opened->text, sd_jwt) == 0)
        return LB_OK;
    const char *copy = lb_arena_str(arena, lb_span_str(sd_jwt));
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena is full");
    return lb_grant_take_apart(form, copy, arena, opened);
}
