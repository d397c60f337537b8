#include <stdio.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/*
 * A department's part in a blind household sum (docs/PROTOCOL.md, section 9). Who takes part and
 * what is added up comes from the department's own policy alone; the request only says which run
 * it is and for which persons.
 */

/* --- the request against the policy: outer codes, none of them depends on the person --- */

static bool wants_share(const struct lb_read_job *job)
{
    for (size_t i = 0; i < job->num_wants; i++) {
        if (job->wants[i].call.op == LB_OP_SHARE)
            return true;
    }
    return false;
}

static lb_status check_run(const struct lb_read_job *job, const Lianban__V1__ShareRun *wire,
                           const struct lb_share_slot *slot)
{
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    LB_ENSURE(wire->nonce.len == LB_SHARE_NONCE_BYTES, LB_MALFORMED, "nonce is not 16 bytes");
    LB_ENSURE(wire->started >= 0 && wire->started <= now + LB_CLOCK_SKEW_S, LB_SHARE_RUN,
              "a run of the future");
    LB_ENSURE(wire->started > now - LB_SHARE_RUN_LIFE_S, LB_SHARE_RUN, "the run is over");
    LB_ENSURE(wire->n_persons >= 1 && wire->n_persons <= (size_t)slot->persons, LB_SHARE_SET,
              "more persons than the policy allows");
    LB_ENSURE(wire->index < wire->n_persons, LB_SHARE_SET, "index is out of range");
    return LB_OK;
}

/* Each person once, and the subject of this very section at the place it is said to have. */
static lb_status take_persons(struct lb_read_job *job, const Lianban__V1__ShareRun *wire)
{
    uint8_t(*persons)[32] = lb_arena_array(job->arena, wire->n_persons, sizeof(*persons));
    LB_ENSURE(persons != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < wire->n_persons; i++) {
        LB_ENSURE(wire->persons[i].len == 32, LB_MALFORMED, "a commitment is not 32 bytes");
        memcpy(persons[i], wire->persons[i].data, 32);
        for (size_t k = 0; k < i; k++)
            LB_ENSURE(memcmp(persons[i], persons[k], 32) != 0, LB_SHARE_SET,
                      "one person stands twice");
    }
    LB_ENSURE(memcmp(persons[wire->index], job->section.subject, 32) == 0, LB_SHARE_SET,
              "the section is about somebody else of the run");
    job->share->run.persons = (const uint8_t (*)[32])persons;
    job->share->run.num_persons = wire->n_persons;
    job->share->person = wire->index;
    return LB_OK;
}

static lb_status check_role(const struct lb_read_job *job, const struct lb_share_slot *slot)
{
    for (size_t i = 0; i < slot->num_roles; i++) {
        if (strcmp(slot->roles[i], job->section.role) == 0)
            return LB_OK;
    }
    LB_FAIL(LB_SHARE_SET, "this role is not added up");
}

/* The share key of a department that the policy names, by the identity key that it names. It is
 * that of the run's start: a run goes on under its keys when a department has a new one. */
static lb_status find_peer_key(const struct lb_read_job *job,
                               const struct lb_share_contribution *contribution,
                               const struct lb_seal_key_entry **out)
{
    const struct lb_node *node = lb_directory_node(job->directory, contribution->spiffe);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_ADAPTER &&
                  lb_node_log_follows(node, contribution->log_key),
              LB_SHARE_PEER, "a department is not listed under the accepted key");
    *out = lb_node_share_key(node, job->share->run.started_unix_s);
    LB_ENSURE(*out != NULL, LB_SHARE_PEER, "a department has no valid share key");
    return LB_OK;
}

static lb_status find_own_key(struct lb_read_job *job, const struct lb_share_part *part)
{
    struct lb_seal_ring *ring = job->serve->options.share_ring;
    LB_ENSURE(ring != NULL && lb_seal_ring_find(ring, part->key_id, part->public_key,
                                                &job->share->key) == LB_OK,
              LB_SHARE_PEER, "our own share key in force is not at hand");
    return LB_OK;
}

static lb_status take_parts(struct lb_read_job *job, const struct lb_share_slot *slot)
{
    struct lb_share_part *parts =
        lb_arena_array(job->arena, slot->num_contributions, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < slot->num_contributions; i++) {
        const struct lb_share_contribution *from = &slot->contributions[i];
        const struct lb_seal_key_entry *key = NULL;
        LB_TRY(find_peer_key(job, from, &key));
        parts[i] = (struct lb_share_part){.spiffe = from->spiffe, .key_id = key->id,
                                          .view = from->view, .field = from->field,
                                          .months = from->months};
        memcpy(parts[i].public_key, key->public_key, sizeof(parts[i].public_key));
        if (strcmp(from->spiffe, job->serve->options.self) == 0)
            LB_TRY(find_own_key(job, &parts[i]));
    }
    job->share->run.parts = parts;
    job->share->run.num_parts = slot->num_contributions;
    return LB_OK;
}

/* Every share that is asked must be one of ours in this sum, over the same months. */
static lb_status place_wants(struct lb_read_job *job, const struct lb_share_slot *slot)
{
    char months[12];
    for (size_t w = 0; w < job->num_wants; w++) {
        struct lb_read_want *want = &job->wants[w];
        size_t i = 0;
        if (want->call.op != LB_OP_SHARE)
            continue;
        for (; i < slot->num_contributions; i++) {
            const struct lb_share_contribution *own = &slot->contributions[i];
            (void)snprintf(months, sizeof(months), "%u", own->months);
            if (strcmp(own->spiffe, job->serve->options.self) == 0 &&
                strcmp(own->view, want->wire->view) == 0 &&
                strcmp(own->field, want->wire->field) == 0 &&
                strcmp(months, want->call.args[0]) == 0)
                break;
        }
        LB_ENSURE(i < slot->num_contributions, LB_SHARE_SET, "the field is not of this sum");
        want->part = i;
    }
    return LB_OK;
}

lb_status lb_read_share(struct lb_read_job *job)
{
    const Lianban__V1__ShareRun *wire = job->plain->share;
    const struct lb_section *section = &job->section;
    LB_ENSURE((wire != NULL) == wants_share(job), LB_MALFORMED, "a share without its run");
    if (wire == NULL)
        return LB_OK;
    const struct lb_share_slot *slot =
        lb_serve_policy_share(job->serve->options.policy, wire->slot, section->form,
                              section->form_version);
    LB_ENSURE(slot != NULL, LB_SHARE_INERT, "policy does not name this sum");
    job->share = lb_arena_alloc(job->arena, sizeof(*job->share));
    LB_ENSURE(job->share != NULL, LB_NO_MEMORY, "arena is full");
    memset(job->share, 0, sizeof(*job->share));
    LB_TRY(check_run(job, wire, slot));
    job->share->run.started_unix_s = wire->started;
    LB_TRY(check_role(job, slot));
    LB_TRY(take_persons(job, wire));
    LB_TRY(place_wants(job, slot));
    LB_TRY(take_parts(job, slot));
    struct lb_share_run *run = &job->share->run;
    job->share->slot = slot;
    run->form = section->form;
    run->form_version = section->form_version;
    memcpy(run->form_sha256, section->form_sha256, sizeof(run->form_sha256));
    run->slot = slot->slot;
    memcpy(run->nonce, wire->nonce.data, sizeof(run->nonce));
    return lb_share_set(run, job->share->set);
}

/* --- masking --- */

lb_status lb_read_share_mask(const struct lb_read_job *job, const struct lb_read_want *want,
                             struct lb_fact *fact)
{
    uint64_t mask = 0;
    const struct lb_read_share *share = job->share;
    if (fact->state != LB_FACT_OK || fact->kind != LB_FACT_NUMBER)
        return LB_OK;
    const struct lb_share_place place = {share->person, want->part};
    LB_TRY(lb_share_mask(&share->run, share->set, &place, &share->key.key,
                         job->serve->share_pairs, &mask));
    fact->number = (int64_t)((uint64_t)fact->number + mask);
    return LB_OK;
}

/* --- memory --- */

static void name_run(const struct lb_read_job *job, struct lb_share_claim *claim)
{
    const struct lb_share_run *run = &job->share->run;
    uint8_t start[8];
    for (size_t i = 0; i < sizeof(start); i++)
        start[i] = (uint8_t)((uint64_t)run->started_unix_s >> (8 * (sizeof(start) - 1 - i)));
    const struct lb_span nonce[] = {lb_span_str("share run"),
                                    lb_span_of(run->nonce, sizeof(run->nonce))};
    lb_sha256_parts(nonce, 2, claim->run);
    const struct lb_span bound[] = {
        lb_span_str(job->request->requester), lb_span_of("", 1),
        lb_span_str(job->section.case_id),    lb_span_of("", 1),
        lb_span_of(start, sizeof(start)),     lb_span_of(job->share->set, LB_SHARE_SET_BYTES)};
    lb_sha256_parts(bound, sizeof(bound) / sizeof(bound[0]), claim->bound);
}

static void make_claim(const struct lb_read_job *job, struct lb_share_claim *claim)
{
    const struct lb_share_slot *slot = job->share->slot;
    *claim = (struct lb_share_claim){
        .slot = slot->slot,
        .place = job->share->person,
        .num_persons = job->share->run.num_persons,
        .max_runs = slot->runs,
        .period_s = slot->days * 24 * 3600,
    };
    name_run(job, claim);
    memcpy(claim->person, job->names.names[0], sizeof(claim->person));
    memcpy(claim->rid, job->plain->rid.data, sizeof(claim->rid));
    for (size_t i = 0; i < job->num_wants; i++) {
        const Lianban__V1__Fact *fact = job->facts[i];
        if (job->wants[i].call.op != LB_OP_SHARE)
            continue;
        claim->parts[claim->num_parts++] = (struct lb_share_claim_part){
            .part = job->wants[i].part,
            .has_share = fact->state == LIANBAN__V1__FACT__STATE__OK &&
                         fact->kind == LIANBAN__V1__FACT__KIND__NUMBER,
            .share = (uint64_t)fact->number,
        };
    }
}

/* The database may have changed since a share was first given: the first one is given again, since
 * the difference of two would be the change of one department's amount. */
static void take_back(struct lb_read_job *job, const struct lb_share_claim *claim)
{
    size_t at = 0;
    for (size_t i = 0; i < job->num_wants; i++) {
        if (job->wants[i].call.op != LB_OP_SHARE)
            continue;
        const struct lb_share_claim_part *part = &claim->parts[at];
        if (claim->kept[at++] && part->has_share)
            job->facts[i]->number = (int64_t)part->share;
    }
}

/* What only the history of the person tells is told to requester and officer alone. Whoever is
 * refused, by that or before, makes the same work and leaves no trace: time must not tell. */
lb_status lb_read_share_settle(struct lb_read_job *job, struct lb_store *store, int64_t now_unix_s)
{
    if (job->share == NULL)
        return LB_OK;
    struct lb_share_memory *memory = &job->serve->shares;
    struct lb_share_claim *claim = &job->share->claim;
    make_claim(job, claim);
    LB_TRY(lb_share_memory_rename(memory, store, claim->slot, &job->names));
    lb_status status = lb_share_memory_check(memory, store, now_unix_s, claim);
    if (status != LB_OK && lb_code_scope(status->code) != LB_SCOPE_INNER)
        return status;
    if (job->inner == LB_CODE_OK)
        job->inner = lb_status_code(status);
    if (job->inner != LB_CODE_OK)
        return lb_share_memory_rehearse(memory, store, now_unix_s, claim);
    take_back(job, claim);
    return lb_share_memory_keep(memory, store, now_unix_s, claim);
}

void lb_read_share_detail(const struct lb_read_job *job, struct lb_json *detail)
{
    char nonce[2 * LB_SHARE_NONCE_BYTES + 1];
    if (job->share == NULL || job->share->slot == NULL)
        return;
    struct lb_json *share = lb_json_object();
    lb_hex_encode(lb_span_of(job->share->run.nonce, LB_SHARE_NONCE_BYTES), nonce);
    lb_json_set_cstr(share, "slot", job->share->slot->slot);
    lb_json_set_cstr(share, "run", nonce);
    lb_json_set_int(share, "persons", (int64_t)job->share->run.num_persons);
    lb_json_set(detail, "share", share);
}

/* --- the policy at the start --- */

static lb_status check_own_part(const struct lb_serve_options *options,
                                const struct lb_share_slot *slot, size_t index,
                                struct lb_diag *diag)
{
    const struct lb_share_contribution *own = &slot->contributions[index];
    const struct lb_view *view = lb_serve_policy_view(options->policy, own->view);
    const struct lb_view_field *field = view == NULL ? NULL : lb_view_field(view, own->field);
    if (strcmp(own->department, options->organization) != 0 || field == NULL) {
        lb_diag_set(diag, "slot %.64s: %.64s.%.64s is no field of this department's views",
                    slot->slot, own->view, own->field);
        LB_FAIL(LB_CONFIG_INVALID, "a contribution this department cannot make");
    }
    return LB_OK;
}

lb_status lb_serve_check_shares(const struct lb_serve_options *options, struct lb_diag *diag)
{
    for (size_t s = 0; s < options->policy->num_shares; s++) {
        const struct lb_share_slot *slot = &options->policy->shares[s];
        size_t own = 0;
        for (size_t i = 0; i < slot->num_contributions; i++) {
            if (strcmp(slot->contributions[i].spiffe, options->self) != 0)
                continue;
            own++;
            LB_TRY(check_own_part(options, slot, i, diag));
        }
        if (own == 0 || lb_seal_ring_size(options->share_ring) == 0) {
            lb_diag_set(diag, own == 0 ? "slot %.64s: %s is not among its adapters"
                                       : "slot %.64s: %s has no share_keys; make one with "
                                         "`lianban keys share`",
                        slot->slot, options->self);
            LB_FAIL(LB_CONFIG_INVALID, "a sum this instance takes no part in");
        }
    }
    return LB_OK;
}
