#include "gateway/window/withdrawn.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/token/status_list.h"
#include "gateway/window/look.h"

/* What citizens have withdrawn since they agreed. The office's signed list says so; then what that
 * grant brought is erased here, the case shows GRANT_REVOKED, and it is judged anew by what is
 * left. */

#define MAX_PUT_OFF 3U

struct lb_withdrawn {
    struct lb_window *window;
    uint64_t seq;          /* of the newest list seen */
    uint8_t sha256[32];
};

lb_status lb_withdrawn_new(struct lb_window *window, struct lb_withdrawn **out_withdrawn)
{
    struct lb_withdrawn *withdrawn = calloc(1, sizeof(*withdrawn));
    LB_ENSURE(withdrawn != NULL, LB_NO_MEMORY, "withdrawals");
    withdrawn->window = window;
    *out_withdrawn = withdrawn;
    return LB_OK;
}

void lb_withdrawn_free(struct lb_withdrawn *withdrawn)
{
    free(withdrawn);
}

/* --- the list --- */

static lb_status open_list(const struct lb_withdrawn *withdrawn, struct lb_span token,
                           struct lb_arena *arena, struct lb_status_list **out_list)
{
    const char *organization = NULL, *kid = NULL;
    LB_TRY(lb_status_list_peek(token, arena, &organization, &kid));
    struct lb_directory *directory = lb_trust_directory(withdrawn->window->options.trust);
    const struct lb_issuer *issuer = lb_directory_issuer(directory, organization, kid);
    struct lb_status_list *list = NULL;
    lb_status status = LB_FAULT(LB_ISSUER_UNKNOWN, "issuer is not listed");
    if (issuer != NULL)
        status = lb_status_list_open(token, issuer->key, &list);
    if (status == LB_OK && strcmp(lb_status_list_uri(list), issuer->status_uri) != 0)
        status = LB_FAULT(LB_GRANT_MALFORMED, "list under another URI than the directory's");
    lb_directory_unref(directory);
    if (status == LB_OK)
        *out_list = list;
    else
        lb_status_list_unref(list);
    return status;
}

/* A list that goes back would call a withdrawn grant valid. */
static lb_status check_order(struct lb_withdrawn *withdrawn, const struct lb_status_list *list)
{
    uint64_t seq = lb_status_list_seq(list);
    bool same = memcmp(withdrawn->sha256, lb_status_list_sha256(list), 32) == 0;
    LB_ENSURE(seq >= withdrawn->seq, LB_STATUS_STALE, "an older list than the one seen");
    LB_ENSURE(seq > withdrawn->seq || same || seq == 0, LB_STATUS_FORK,
              "same sequence, other list");
    withdrawn->seq = seq;
    memcpy(withdrawn->sha256, lb_status_list_sha256(list), sizeof(withdrawn->sha256));
    return LB_OK;
}

/* --- one case --- */

/* Its sections were opened when it was fetched, and say nothing of its state: this is done to every
 * open case every few seconds. */
static bool is_revoked(const struct lb_window_case *entry, const struct lb_case_member *member,
                       const struct lb_status_list *list, struct lb_arena *arena)
{
    struct lb_span jwt, *disclosures = NULL;
    struct lb_grant peeked;
    const struct lb_grant *grant = &peeked;
    size_t num = 0;
    int64_t now = lb_clock_unix_s(entry->window->options.clock);
    if (member->consent.sd_jwt == NULL ||
        lb_sd_jwt_split(lb_span_str(member->consent.sd_jwt), arena, &jwt, &disclosures, &num) !=
            LB_OK ||
        lb_grant_peek(jwt, arena, &peeked) != LB_OK)
        return false;
    return grant->status_uri != NULL &&
           strcmp(grant->status_uri, lb_status_list_uri(list)) == 0 &&
           strcmp(grant->issuer, lb_status_list_issuer(list)) == 0 &&
           lb_status_code(lb_status_list_check(list, grant->status_index, now)) ==
               LB_GRANT_REVOKED;
}

static bool by_consent(const struct lb_form *form, size_t fact)
{
    size_t section = lb_form_section_index(form, form->facts[fact].department);
    return section < form->num_sections && form->sections[section].basis != LB_BASIS_MANDATE;
}

/* Under the case's lock. What the law itself allows to be asked stays. */
static lb_status erase_facts(struct lb_window_case *entry, size_t index)
{
    static const struct lb_case_fact gone = {
        .value = {.state = LB_FACT_DENIED}, .code = LB_GRANT_REVOKED};
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < form->num_facts; i++) {
        if (!lb_case_asked(entry, index, i) || !by_consent(form, i))
            continue;
        LB_TRY(lb_case_set_fact(entry, &entry->members[index].facts[i], &gone));
        LB_TRY(lb_window_push_fact(entry, index, i));
    }
    return LB_OK;
}

static lb_status conclude(struct lb_window_case *entry)
{
    lb_status judged = entry->decided ? lb_window_judge(entry) : LB_OK;
    /* What cannot be recorded is not suggested; but what was erased goes, and the suggestion that
     * it led to with it. */
    if (judged != LB_OK)
        entry->decided = false;
    LB_TRY(lb_case_store_put(entry->window->store, entry));
    LB_TRY(lb_case_store_tidy(entry->window->store));
    LB_TRY(judged);
    return entry->decided ? lb_window_push_result(entry) : LB_OK;
}

/* Under both of the case's locks. */
static lb_status erase(struct lb_window_case *entry, const struct lb_status_list *list,
                       struct lb_arena *arena)
{
    bool any = false;
    for (size_t i = 0; i < entry->num_members; i++) {
        struct lb_case_member *member = &entry->members[i];
        if (!is_revoked(entry, member, list, arena))
            continue;
        if (!any)
            lb_feed_forget(entry->feed); /* events carry answers */
        any = true;
        LB_TRY(erase_facts(entry, i));
        lb_case_text_drop(&member->consent.sd_jwt);
        lb_case_text_drop(&member->ticket_id);
        lb_case_text_drop(&member->ticket_code);
        entry->look.over = true;
        lb_log_event(LB_LOG_INFO, "grant_withdrawn", "\"case\":\"%s\",\"member\":%zu", entry->id,
                     i);
    }
    return any ? conclude(entry) : LB_OK;
}

/* A collect under way holds what it asks with; the departments refuse it by themselves, and the
 * next look finds the case at rest. */
static bool at_rest(struct lb_window_case *entry)
{
    (void)pthread_mutex_lock(&entry->window->lock);
    bool rests = !entry->collecting && !entry->closed;
    (void)pthread_mutex_unlock(&entry->window->lock);
    return rests;
}

/* Whoever listens to a collect that has just ended is given a few looks to take its result. */
static bool may_erase(struct lb_window_case *entry)
{
    if (!at_rest(entry))
        return false;
    if (!lb_feed_drained(entry->feed) && entry->put_off < MAX_PUT_OFF) {
        entry->put_off++;
        return false;
    }
    entry->put_off = 0;
    return true;
}

static lb_status look_at(struct lb_window_case *entry, const struct lb_status_list *list)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_WINDOW_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&entry->asking);
    bool may = may_erase(entry);
    if (may) {
        (void)pthread_mutex_lock(&entry->lock);
        status = erase(entry, list, arena);
        (void)pthread_mutex_unlock(&entry->lock);
    }
    (void)pthread_mutex_unlock(&entry->asking);
    if (may && status == LB_OK)
        lb_look_settle(entry);
    return status;
}

/* --- all of them --- */

/* Holds every open case; the caller lets each go and frees the array. */
static lb_status hold_all(struct lb_window *window, struct lb_window_case ***out, size_t *out_num)
{
    size_t num = 0;
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&window->lock);
    struct lb_window_case **held = calloc(window->num_cases + 1, sizeof(struct lb_window_case *));
    if (held == NULL)
        status = LB_FAULT(LB_NO_MEMORY, "cases");
    for (size_t i = 0; i < LB_WINDOW_BUCKETS && held != NULL; i++) {
        for (struct lb_window_case *c = window->buckets[i]; c != NULL; c = c->next) {
            if (c->closed)
                continue;
            c->refs++;
            held[num++] = c;
        }
    }
    (void)pthread_mutex_unlock(&window->lock);
    *out = held;
    *out_num = num;
    return status;
}

static lb_status look_at_all(struct lb_withdrawn *withdrawn, struct lb_window_case *const *held,
                             size_t num)
{
    const struct lb_window_port *port = &withdrawn->window->options.port;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    const char *token = NULL;
    struct lb_status_list *list = NULL;
    LB_TRY(port->status_list(port->ctx, arena, &token));
    LB_TRY(open_list(withdrawn, lb_span_str(token), arena, &list));
    lb_status status = check_order(withdrawn, list);
    for (size_t i = 0; i < num && status == LB_OK; i++)
        status = look_at(held[i], list);
    lb_status_list_unref(list);
    return status;
}

lb_status lb_withdrawn_look(struct lb_withdrawn *withdrawn)
{
    struct lb_window_case **held = NULL;
    size_t num = 0;
    LB_TRY(hold_all(withdrawn->window, &held, &num));
    lb_status status = num == 0 ? LB_OK : look_at_all(withdrawn, held, num);
    for (size_t i = 0; i < num; i++)
        lb_window_let_go(&held[i]);
    free(held);
    return status;
}

void lb_withdrawn_reopen(struct lb_window_case *entry, struct lb_case_member *member)
{
    for (size_t i = 0; i < entry->form->form->num_facts; i++) {
        struct lb_case_fact *fact = &member->facts[i];
        if (fact->code != LB_GRANT_REVOKED)
            continue;
        lb_case_text_drop(&fact->text);
        lb_wipe(fact, sizeof(*fact));
    }
}
