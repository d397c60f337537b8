#include "gateway/crypto/hash.h"
#include "gateway/window/inside.h"

/*
 * Fetching what the citizens agreed to. A grant is checked before it is kept: what the adapters
 * would refuse is better told here, and an office that answers with somebody else's grant is not
 * believed.
 */

struct checking {
    const struct lb_window_case *entry;
    const struct lb_case_member *member;
    const struct lb_directory *directory;
    struct lb_arena *arena;           /* of the collect */
    struct lb_opened_grant *opened;   /* likewise */
};

static lb_status check_issuer(const struct checking *checking, const struct lb_opened_grant *opened)
{
    const struct lb_window_options *options = &checking->entry->window->options;
    const struct lb_grant *grant = &opened->grant;
    LB_ENSURE(strcmp(grant->issuer, options->organization) != 0, LB_SELF_CONSENT,
              "consent in our own name");
    const struct lb_issuer *issuer =
        lb_directory_issuer(checking->directory, grant->issuer, grant->kid);
    LB_ENSURE(issuer != NULL && (issuer->kinds & LB_ISSUES_CONSENT) != 0, LB_ISSUER_UNKNOWN,
              "issuer is not listed for consent");
    LB_TRY(lb_grant_check_signature(grant, issuer->key));
    return lb_grant_check_time(grant, lb_clock_unix_s(options->clock));
}

static lb_status check_holder(const struct checking *checking, const struct lb_grant *grant)
{
    const struct lb_window *window = checking->entry->window;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    lb_status status = lb_window_key_of(window, grant->cnf_jkt, &own);
    LB_ENSURE(strcmp(grant->requester, window->options.organization) == 0 &&
                  lb_status_code(status) != LB_KEY_RETIRED,
              LB_WRONG_REQUESTER, "grant is not for us");
    return status;
}

static lb_status check_section(const struct checking *checking, const uint8_t subject[32],
                               const struct lb_section *section)
{
    const struct lb_window_case *entry = checking->entry;
    const struct lb_form *form = entry->form->form;
    LB_ENSURE(strcmp(section->case_id, entry->id) == 0 && strcmp(section->form, form->id) == 0 &&
                  section->form_version == form->version &&
                  memcmp(section->form_sha256, form->sha256, 32) == 0,
              LB_SECTION_INVALID, "section is of another case or form");
    LB_ENSURE(strcmp(section->operator_hash, entry->person) == 0, LB_SECTION_INVALID,
              "section names another operator");
    LB_ENSURE(section->event_days == form->trigger.every_days, LB_SECTION_INVALID,
              "section stands for a trigger's interval, or not at all");
    LB_ENSURE(lb_crypto_equal(lb_span_of(section->subject, 32), lb_span_of(subject, 32)),
              LB_SUBJECT_MISMATCH, "section is about somebody else");
    return LB_OK;
}

static lb_status check_grant(const struct checking *checking, const char *sd_jwt,
                             const uint8_t salt[LB_CASE_SALT_BYTES])
{
    const struct lb_form *form = checking->entry->form->form;
    const struct lb_opened_grant *opened = checking->opened;
    uint8_t subject[32];
    LB_TRY(lb_grant_open_once(form, sd_jwt, checking->arena, checking->opened));
    LB_TRY(check_issuer(checking, opened));
    LB_TRY(check_holder(checking, &opened->grant));
    lb_subject_commitment(salt, checking->member->id_no, subject);
    for (size_t i = 0; i < form->num_sections; i++) {
        if (opened->sections[i] != NULL)
            LB_TRY(check_section(checking, subject, opened->sections[i]));
    }
    return LB_OK;
}

/* What stands is good for as long as it lasts. */
static lb_status check_kept(const struct checking *checking)
{
    LB_TRY(lb_grant_open_once(checking->entry->form->form, checking->member->consent.sd_jwt,
                              checking->arena, checking->opened));
    LB_ENSURE(lb_grant_stands(checking->entry->window, checking->opened, 0),
              LB_GRANT_EXPIRED, "grant has expired, or is bound to a key that was replaced");
    return LB_OK;
}

static lb_status keep(struct lb_window_case *entry, struct lb_case_member *member,
                      const Lianban__V1__GetGrantResponse *answer)
{
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = lb_case_text(&member->consent.sd_jwt, lb_span_str(answer->sd_jwt));
    if (status == LB_OK) {
        memcpy(member->consent.salt, answer->subject_salt.data, LB_CASE_SALT_BYTES);
        lb_withdrawn_reopen(entry, member);
    }
    (void)pthread_mutex_unlock(&entry->lock);
    return status;
}

/* An office that does not know the ticket any more can be asked anew. */
static void forget_ticket(struct lb_window_case *entry, struct lb_case_member *member)
{
    (void)pthread_mutex_lock(&entry->lock);
    lb_case_text_drop(&member->ticket_id);
    lb_case_text_drop(&member->ticket_code);
    (void)pthread_mutex_unlock(&entry->lock);
}

/* Holding `asking`: nobody else changes tickets and consents. */
static lb_status fetch(struct lb_window_case *entry, struct lb_case_member *member,
                       const struct checking *checking)
{
    const struct lb_window_port *port = &entry->window->options.port;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    Lianban__V1__GetGrantResponse *answer = NULL;
    if (member->consent.sd_jwt != NULL)
        return check_kept(checking);
    LB_ENSURE(member->ticket_id != NULL, LB_GRANT_PENDING, "no grant was requested");
    lb_status status = port->get_grant(port->ctx, member->ticket_id, arena, &answer);
    if (lb_status_code(status) == LB_GRANT_UNKNOWN)
        forget_ticket(entry, member);
    LB_TRY(status);
    LB_ENSURE(answer->subject_salt.len == LB_CASE_SALT_BYTES, LB_GRANT_MALFORMED,
              "salt is not 16 bytes");
    LB_TRY(check_grant(checking, answer->sd_jwt, answer->subject_salt.data));
    return keep(entry, member, answer);
}

/* Holding `asking`. All members are tried, so that one who has not come yet does not hide that
 * another refused. */
static lb_status fetch_all(struct lb_window_case *entry, const struct lb_directory *directory,
                           struct lb_arena *arena, struct lb_member_grants *grants)
{
    lb_status first = LB_OK;
    for (size_t i = 0; i < entry->num_members; i++) {
        if (!lb_window_needs_consent(entry->form->form, entry->members[i].role))
            continue;
        struct lb_case_member *member = &entry->members[i];
        const struct checking checking = {entry, member, directory, arena, &grants[i].consent};
        lb_status status = fetch(entry, member, &checking);
        bool outweighs = lb_status_code(first) == LB_GRANT_PENDING && status != LB_OK;
        if (first == LB_OK || outweighs)
            first = status;
    }
    return first;
}

/* The case goes to disk here only if the collect ends here: otherwise it does before reads go
 * out. */
lb_status lb_window_fetch_grants(struct lb_window_case *entry,
                                 const struct lb_directory *directory, struct lb_arena *arena,
                                 struct lb_member_grants *grants)
{
    (void)pthread_mutex_lock(&entry->asking);
    lb_status fetched = fetch_all(entry, directory, arena, grants);
    lb_status kept = LB_OK;
    if (fetched != LB_OK) {
        (void)pthread_mutex_lock(&entry->lock);
        kept = lb_case_store_put(entry->window->store, entry);
        (void)pthread_mutex_unlock(&entry->lock);
    }
    (void)pthread_mutex_unlock(&entry->asking);
    return kept != LB_OK ? kept : fetched;
}
