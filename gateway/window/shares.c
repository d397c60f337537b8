#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/window/run.h"
#include "gateway/wire/pb.h"

/*
 * Blind household sums (docs/PROTOCOL.md, section 9): one run per case and slot, kept with the case
 * so that a department that comes late completes the same run. A share is noise; what the case
 * learns is the total, once all of them are there.
 */

#define MAX_RUNS 4U                 /* departments answer about a person no more often either */
#define RUN_LEFT_S (15 * 60)        /* a run with less left is not worth asking for */

static bool has_part(const struct lb_window_case *entry, const struct lb_form_share *share,
                     size_t member)
{
    return (share->roles >> entry->members[member].role & 1U) != 0;
}

static const struct lb_case_fact *fact_of(const struct lb_window_case *entry,
                                          const struct lb_form_share *share, size_t member,
                                          size_t index)
{
    return &entry->members[member].facts[share->facts[index]];
}

static bool is_share(const struct lb_case_fact *fact)
{
    return fact->value.state == LB_FACT_OK && fact->value.kind == LB_FACT_NUMBER;
}

/* --- the persons of a run --- */

/* The commitment in the member's sections of this slot, which all are of one grant. */
static void commit(const struct lb_window_case *entry, const struct lb_form_share *share,
                   size_t member, uint8_t out[32])
{
    const struct lb_form *form = entry->form->form;
    const struct lb_case_member *person = &entry->members[member];
    size_t section = lb_form_section_index(form, form->facts[share->facts[0]].department);
    bool mandated = form->sections[section].basis == LB_BASIS_MANDATE;
    lb_subject_commitment(mandated ? person->mandate.salt : person->consent.salt, person->id_no,
                          out);
}

static size_t list_persons(const struct lb_window_case *entry, const struct lb_form_share *share,
                           uint8_t persons[LB_MAX_HOUSEHOLD][32])
{
    size_t num = 0;
    for (size_t m = 0; m < entry->num_members; m++) {
        if (has_part(entry, share, m))
            commit(entry, share, m, persons[num++]);
    }
    return num;
}

static void digest_persons(const struct lb_window_case *entry, const struct lb_form_share *share,
                           uint8_t out[32])
{
    uint8_t persons[LB_MAX_HOUSEHOLD][32];
    size_t num = list_persons(entry, share, persons);
    lb_sha256(lb_span_of(persons, num * sizeof(persons[0])), out);
}

/* --- runs --- */

/* What says that a run can never be completed, while a new one may be. */
static bool spoils(enum lb_code code)
{
    return code == LB_SHARE_RUN || code == LB_SHARE_REPEATED || code == LB_REQUEST_CHANGED ||
           code == LB_RETRY_EXHAUSTED;
}

struct progress {
    bool complete;
    bool spoiled;
};

static struct progress progress_of(const struct lb_window_case *entry,
                                   const struct lb_form_share *share)
{
    struct progress progress = {.complete = true};
    const struct lb_case_fact *first = NULL;
    for (size_t m = 0; m < entry->num_members; m++) {
        for (size_t i = 0; has_part(entry, share, m) && i < share->num_facts; i++) {
            const struct lb_case_fact *fact = fact_of(entry, share, m, i);
            progress.complete = progress.complete && lb_case_final(fact->value.state);
            progress.spoiled = progress.spoiled || spoils(fact->code);
            if (!is_share(fact))
                continue;
            if (first == NULL)
                first = fact;
            progress.spoiled = progress.spoiled ||
                               memcmp(first->share_set, fact->share_set,
                                      sizeof(fact->share_set)) != 0;
        }
    }
    return progress;
}

/* Shares of the old run are noise from now on, and the departments that gave them are asked anew
 * under rids of their own. */
static void forget_run(struct lb_window_case *entry, const struct lb_form_share *share)
{
    const struct lb_form *form = entry->form->form;
    for (size_t m = 0; m < entry->num_members; m++) {
        struct lb_case_member *member = &entry->members[m];
        for (size_t i = 0; has_part(entry, share, m) && i < share->num_facts; i++) {
            size_t fact = share->facts[i];
            size_t section = lb_form_section_index(form, form->facts[fact].department);
            lb_wipe(&member->facts[fact], sizeof(member->facts[fact]));
            member->rids[section].made = false;
        }
    }
}

static lb_status begin_run(struct lb_window_case *entry, size_t slot, int64_t now)
{
    const struct lb_form_share *share = &entry->form->form->shares[slot];
    struct lb_case_share *run = &entry->shares[slot];
    if (run->runs > 0)
        forget_run(entry, share);
    LB_TRY(lb_crypto_random(run->nonce, sizeof(run->nonce)));
    digest_persons(entry, share, run->persons);
    run->started_unix_s = now;
    run->runs++;
    entry->unkept = true;
    return LB_OK;
}

static lb_status ensure_run(struct lb_window_case *entry, size_t slot, int64_t now)
{
    const struct lb_form_share *share = &entry->form->form->shares[slot];
    const struct lb_case_share *run = &entry->shares[slot];
    uint8_t persons[32];
    if (run->runs == 0)
        return begin_run(entry, slot, now);
    struct progress progress = progress_of(entry, share);
    digest_persons(entry, share, persons);
    bool late = now > run->started_unix_s + LB_SHARE_RUN_LIFE_S - RUN_LEFT_S;
    bool others = memcmp(persons, run->persons, sizeof(persons)) != 0;
    bool over = progress.spoiled || (!progress.complete && (late || others));
    if (!over || run->runs >= MAX_RUNS)
        return LB_OK;
    lb_log_event(LB_LOG_INFO, "share_run_begun_anew", "\"runs\":%u", run->runs + 1);
    return begin_run(entry, slot, now);
}

lb_status lb_window_ensure_runs(struct lb_window_case *entry, bool late)
{
    const struct lb_form *form = entry->form->form;
    int64_t now = lb_clock_unix_s(entry->window->options.clock);
    for (size_t s = 0; s < form->num_shares; s++)
        if (lb_form_is_late(form, form->shares[s].facts[0]) == late)
            LB_TRY(ensure_run(entry, s, now));
    return LB_OK;
}

/* --- what is sealed --- */

static size_t share_of_read(const struct lb_form *form, const struct lb_collect_read *read)
{
    for (size_t i = 0; i < read->num_facts; i++) {
        size_t share = lb_form_share_of(form, read->facts[i]);
        if (share < form->num_shares)
            return share;
    }
    return SIZE_MAX;
}

static lb_status add_persons(const struct lb_collect_run *run, const struct lb_form_share *share,
                             size_t member, Lianban__V1__ShareRun *message)
{
    uint8_t(*persons)[32] = lb_arena_array(run->arena, LB_MAX_HOUSEHOLD, sizeof(*persons));
    message->persons =
        lb_arena_array(run->arena, LB_MAX_HOUSEHOLD, sizeof(message->persons[0]));
    LB_ENSURE(persons != NULL && message->persons != NULL, LB_NO_MEMORY, "arena is full");
    message->n_persons = list_persons(run->entry, share, persons);
    for (size_t i = 0; i < message->n_persons; i++)
        message->persons[i] = lb_pb_bytes(lb_span_of(persons[i], sizeof(persons[i])));
    for (size_t m = 0; m < member; m++)
        message->index += has_part(run->entry, share, m) ? 1 : 0;
    return LB_OK;
}

lb_status lb_collect_share(const struct lb_collect_run *run, const struct lb_collect_read *read,
                           Lianban__V1__ShareRun **out)
{
    const struct lb_form *form = run->entry->form->form;
    size_t slot = share_of_read(form, read);
    *out = NULL;
    if (slot == SIZE_MAX)
        return LB_OK;
    const struct lb_case_share *kept = &run->entry->shares[slot];
    Lianban__V1__ShareRun *message = lb_arena_alloc(run->arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__share_run__init(message);
    message->nonce = lb_pb_bytes(lb_span_of(kept->nonce, sizeof(kept->nonce)));
    message->started = kept->started_unix_s;
    message->slot = (char *)(uintptr_t)form->shares[slot].slot;
    LB_TRY(add_persons(run, &form->shares[slot], read->member, message));
    *out = message;
    return LB_OK;
}

/* --- the total --- */

static bool gather_shares(const struct lb_window_case *entry, const struct lb_form_share *share,
                          uint64_t *shares, size_t *out_num)
{
    *out_num = 0;
    for (size_t m = 0; m < entry->num_members; m++) {
        for (size_t i = 0; has_part(entry, share, m) && i < share->num_facts; i++) {
            const struct lb_case_fact *fact = fact_of(entry, share, m, i);
            if (!is_share(fact))
                return false;
            shares[(*out_num)++] = (uint64_t)fact->value.number;
        }
    }
    return true;
}

struct lb_fact lb_window_share_total(const struct lb_window_case *entry, size_t slot)
{
    const struct lb_form_share *share = &entry->form->form->shares[slot];
    struct lb_fact total = {.state = LB_FACT_OK, .kind = LB_FACT_UNKNOWN};
    uint64_t shares[LB_MAX_HOUSEHOLD * LB_MAX_SHARE_CONTRIBUTIONS];
    size_t num = 0;
    int64_t number = 0;
    if (!progress_of(entry, share).spoiled && gather_shares(entry, share, shares, &num)) {
        lb_status status = lb_share_total(shares, num, &number);
        lb_log_failure("share_total_unusable", status);
        if (status == LB_OK) {
            total.kind = LB_FACT_NUMBER;
            total.number = number;
        }
    }
    lb_wipe(shares, sizeof(shares));
    return total;
}
