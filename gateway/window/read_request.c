#include <stdlib.h>

#include "gateway/crypto/hash.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/window/run.h"
#include "gateway/wire/pb.h"

/* Planning what to ask, and building and sealing one read. */

#define PADDING_STEP 1024U
#define SEALED_VERSION 1U

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

/* --- planning --- */

static lb_status list_facts(struct lb_collect_run *run, struct lb_collect_read *read)
{
    const struct lb_form *form = run->entry->form->form;
    const char *department = form->sections[read->section].department;
    size_t *facts = lb_arena_array(run->arena, form->num_facts, sizeof(*facts));
    LB_ENSURE(facts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_facts; i++) {
        if (lb_form_asks(&form->facts[i], run->entry->members[read->member].role) &&
            strcmp(form->facts[i].department, department) == 0)
            facts[read->num_facts++] = i;
    }
    read->facts = facts;
    return LB_OK;
}

static bool anything_open(const struct lb_collect_run *run, const struct lb_collect_read *read)
{
    const struct lb_case_member *member = &run->entry->members[read->member];
    for (size_t i = 0; i < read->num_facts; i++) {
        if (!lb_case_final(member->facts[read->facts[i]].value.state))
            return true;
    }
    return false;
}

static bool is_mandated(const struct lb_collect_run *run, const struct lb_collect_read *read)
{
    return lb_form_basis(run->entry->form->form, read->section,
                         run->entry->members[read->member].role) == LB_BASIS_MANDATE;
}

static bool is_granted(const struct lb_section *section, const struct lb_form_fact *fact,
                       const char *call)
{
    for (size_t v = 0; v < section->num_views; v++) {
        const struct lb_section_view *view = &section->views[v];
        for (size_t f = 0; f < view->num_fields && strcmp(view->id, fact->view) == 0; f++) {
            if (strcmp(view->fields[f].name, fact->field) == 0 &&
                strcmp(view->fields[f].operator_text, call) == 0)
                return true;
        }
    }
    return false;
}

/* What the citizen kept back is not asked: it is denied here, and a person checks it instead. */
static lb_status leave_out_refused(struct lb_collect_run *run, struct lb_collect_read *read)
{
    const struct lb_form *form = run->entry->form->form;
    size_t *asked = lb_arena_array(run->arena, 2 * read->num_facts, sizeof(*asked));
    LB_ENSURE(asked != NULL, LB_NO_MEMORY, "arena is full");
    struct lb_collect_read refused = *read;
    size_t num = 0;
    refused.facts = asked + read->num_facts;
    refused.num_facts = 0;
    for (size_t i = 0; i < read->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[read->facts[i]];
        const char *call = lb_op_format(&fact->call, run->arena);
        LB_ENSURE(call != NULL, LB_NO_MEMORY, "arena is full");
        if (is_granted(read->granted, fact, call))
            asked[num++] = read->facts[i];
        else
            asked[read->num_facts + refused.num_facts++] = read->facts[i];
    }
    read->facts = asked;
    read->num_facts = num;
    return lb_collect_settle(run, &refused, LB_FACT_DENIED, LB_PART_REFUSED, false);
}

/* The grant's section, its addressee in the directory, and a key to seal to. */
static enum lb_code find_way(const struct lb_collect_run *run, const struct lb_opened_grant *grant,
                             const struct lb_case_grant *kept, struct lb_collect_read *read)
{
    const struct lb_form_section *section = &run->entry->form->form->sections[read->section];
    int64_t now = lb_clock_unix_s(run->window->options.clock);
    const struct lb_section *granted = grant == NULL ? NULL : grant->sections[read->section];
    if (granted == NULL)
        return is_mandated(run, read) ? LB_UNAVAILABLE : LB_PART_REFUSED;
    const struct lb_node *adapter = lb_directory_node(run->directory, granted->audience);
    if (adapter == NULL || adapter->kind != LB_NODE_ADAPTER ||
        strcmp(adapter->organization, section->department) != 0)
        return LB_UNAVAILABLE;
    if (lb_node_seal_key(adapter, NULL, now) == NULL)
        return LB_KEY_RETIRED;
    read->granted = granted;
    read->jwt = grant->jwt;
    memcpy(read->jkt, grant->grant.cnf_jkt, sizeof(read->jkt));
    read->disclosure = grant->disclosures[read->section];
    read->salt = kept->salt;
    read->adapter = adapter;
    return LB_CODE_OK;
}

/* A rid names the logical request for good: it is made once and kept with the case. */
static lb_status make_rid(struct lb_window_case *entry, struct lb_case_rid *rid)
{
    if (rid->made)
        return LB_OK;
    LB_TRY(lb_crypto_random(rid->bytes, sizeof(rid->bytes)));
    rid->made = true;
    entry->unkept = true;
    return LB_OK;
}

static lb_status plan_read(struct lb_collect_run *run, size_t member, size_t section)
{
    struct lb_case_member *person = &run->entry->members[member];
    struct lb_collect_read *read = &run->reads[run->num_reads];
    *read = (struct lb_collect_read){.member = member, .section = section};
    LB_TRY(list_facts(run, read));
    if (!anything_open(run, read))
        return LB_OK;
    bool mandated = is_mandated(run, read);
    const struct lb_member_grants *grants = &run->grants[member];
    const struct lb_case_grant *kept = mandated ? &person->mandate : &person->consent;
    enum lb_code code = find_way(
        run, kept->sd_jwt == NULL ? NULL : mandated ? &grants->mandate : &grants->consent, kept,
        read);
    if (code == LB_PART_REFUSED)
        return lb_collect_settle(run, read, LB_FACT_DENIED, code, false);
    if (code != LB_CODE_OK)
        return lb_collect_settle(run, read, LB_FACT_UNAVAILABLE, code, false);
    LB_TRY(leave_out_refused(run, read));
    if (read->num_facts == 0)
        return LB_OK;
    LB_TRY(make_rid(run->entry, &person->rids[section]));
    read->due = true;
    run->num_reads++;
    return LB_OK;
}

static lb_status plan_member(struct lb_collect_run *run, size_t index)
{
    const struct lb_form *form = run->entry->form->form;
    const struct lb_case_member *member = &run->entry->members[index];
    struct lb_member_grants *grants = &run->grants[index];
    if (member->consent.sd_jwt != NULL)
        LB_TRY(lb_grant_open_once(form, member->consent.sd_jwt, run->arena, &grants->consent));
    if (member->mandate.sd_jwt != NULL)
        LB_TRY(lb_grant_open_once(form, member->mandate.sd_jwt, run->arena, &grants->mandate));
    for (size_t i = 0; i < form->num_sections; i++)
        if (form->sections[i].late == run->late)
            LB_TRY(plan_read(run, index, i));
    return LB_OK;
}

lb_status lb_collect_prepare(struct lb_window_case *entry, size_t member, struct lb_arena *arena)
{
    const struct lb_form *form = entry->form->form;
    struct lb_opened_grant opened = {0};
    struct lb_directory *directory = lb_trust_directory(entry->window->options.trust);
    lb_status status = lb_window_ensure_mandate(entry, member, directory, arena, &opened);
    lb_directory_unref(directory);
    for (size_t i = 0; i < form->num_sections && status == LB_OK; i++) {
        if (!form->sections[i].late && lb_window_asks_section(form, entry->members[member].role, i))
            status = make_rid(entry, &entry->members[member].rids[i]);
    }
    return status;
}

lb_status lb_collect_plan(struct lb_collect_run *run)
{
    const struct lb_form *form = run->entry->form->form;
    lb_window_trace_begin(run->entry);
    /* One more than there can be, for the place that plan_read tries. */
    size_t most = run->entry->num_members * form->num_sections + 1;
    run->reads = lb_arena_array(run->arena, most, sizeof(run->reads[0]));
    LB_ENSURE(run->reads != NULL, LB_NO_MEMORY, "arena is full");
    run->num_reads = 0;
    for (size_t i = 0; i < run->entry->num_members; i++)
        LB_TRY(lb_window_ensure_mandate(run->entry, i, run->directory, run->arena,
                                        &run->grants[i].mandate));
    LB_TRY(lb_window_ensure_runs(run->entry, run->late));
    for (size_t i = 0; i < run->entry->num_members; i++)
        LB_TRY(plan_member(run, i));
    LB_ENSURE(run->num_reads <= LB_MAX_READS_PER_COLLECT, LB_TOO_LARGE, "too many reads");
    return LB_OK;
}

/* --- what is sealed --- */

static lb_status add_claim(const struct lb_collect_run *run, const struct lb_collect_read *read,
                           enum lb_form_claim claim, Lianban__V1__Want *want)
{
    struct lb_window_case *entry = run->entry;
    if (claim == LB_CLAIM_NONE)
        return LB_OK;
    want->claim = lb_arena_array(run->arena, LB_MAX_HOUSEHOLD, sizeof(want->claim[0]));
    LB_ENSURE(want->claim != NULL, LB_NO_MEMORY, "arena is full");
    if (claim == LB_CLAIM_NAME)
        want->claim[want->n_claim++] = entry->members[read->member].name;
    for (size_t i = 0; claim == LB_CLAIM_HOUSEHOLD && i < entry->num_members; i++) {
        const struct lb_form_role *role = &entry->form->form->roles[entry->members[i].role];
        if (!role->outside && !role->deceased)
            want->claim[want->n_claim++] = entry->members[i].id_no;
    }
    return LB_OK;
}

static lb_status make_want(const struct lb_collect_run *run, const struct lb_collect_read *read,
                           const struct lb_form_fact *fact, Lianban__V1__Want **out)
{
    Lianban__V1__Want *want = lb_arena_alloc(run->arena, sizeof(*want));
    LB_ENSURE(want != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__want__init(want);
    want->view = text(fact->view);
    want->field = text(fact->field);
    want->operator_ = text(lb_op_name(fact->call.op));
    want->n_args = fact->call.num_args;
    want->args = lb_arena_array(run->arena, fact->call.num_args, sizeof(want->args[0]));
    LB_ENSURE(want->args != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < want->n_args; i++)
        want->args[i] = text(fact->call.args[i]);
    LB_TRY(add_claim(run, read, fact->claim, want));
    *out = want;
    return LB_OK;
}

/* All facts of the department, also those that came before: a retry has to ask the same. */
static lb_status write_plain(const struct lb_collect_run *run, const struct lb_collect_read *read,
                             struct lb_span *out_framed)
{
    const struct lb_form *form = run->entry->form->form;
    struct lb_case_member *member = &run->entry->members[read->member];
    Lianban__V1__SealedRequest plain = LIANBAN__V1__SEALED_REQUEST__INIT;
    struct lb_span bytes;
    plain.version = SEALED_VERSION;
    plain.section = lb_arena_str(run->arena, read->disclosure);
    LB_ENSURE(plain.section != NULL, LB_NO_MEMORY, "arena is full");
    plain.id_no = member->id_no;
    plain.name = member->name;
    plain.salt = lb_pb_bytes(lb_span_of(read->salt, LB_CASE_SALT_BYTES));
    plain.operator_token = (char *)(uintptr_t)run->operator_token;
    if (run->approver_token != NULL)
        plain.approver_token = (char *)(uintptr_t)run->approver_token;
    plain.rid = lb_pb_bytes(lb_span_of(member->rids[read->section].bytes, LB_CASE_RID_BYTES));
    plain.iat = lb_clock_unix_s(run->window->options.clock);
    plain.wants = lb_arena_array(run->arena, read->num_facts, sizeof(plain.wants[0]));
    LB_ENSURE(plain.wants != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < read->num_facts; i++)
        LB_TRY(make_want(run, read, &form->facts[read->facts[i]], &plain.wants[plain.n_wants++]));
    LB_TRY(lb_collect_share(run, read, &plain.share));
    LB_TRY(lb_pb_pack(&plain, run->arena, &bytes));
    return lb_padded_wrap(bytes, lb_padded_size(bytes.len, PADDING_STEP), run->arena, out_framed);
}

/* --- what is open --- */

static int view_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static lb_status list_views(const struct lb_collect_run *run, const struct lb_collect_read *read,
                            Lianban__V1__ReadRequest *request)
{
    const struct lb_form *form = run->entry->form->form;
    char **views = lb_arena_array(run->arena, read->num_facts, sizeof(*views));
    LB_ENSURE(views != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < read->num_facts; i++)
        views[i] = text(form->facts[read->facts[i]].view);
    qsort(views, read->num_facts, sizeof(*views), view_order);
    for (size_t i = 0; i < read->num_facts; i++) {
        if (i == 0 || strcmp(views[i], views[request->n_views - 1]) != 0)
            views[request->n_views++] = views[i];
    }
    LB_ENSURE(request->n_views <= LB_MAX_VIEWS_PER_SECTION, LB_MALFORMED, "too many views");
    request->views = views;
    return LB_OK;
}

static lb_status write_open(const struct lb_collect_run *run, const struct lb_collect_read *read,
                            Lianban__V1__ReadRequest *request)
{
    uint8_t *txn = lb_arena_alloc(run->arena, LB_SEAL_TXN_BYTES);
    LB_ENSURE(txn != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_crypto_random(txn, LB_SEAL_TXN_BYTES));
    request->txn = lb_pb_bytes(lb_span_of(txn, LB_SEAL_TXN_BYTES));
    request->audience = text(read->granted->audience);
    request->requester = text(run->window->options.self);
    request->grant = lb_arena_str(run->arena, read->jwt);
    LB_ENSURE(request->grant != NULL, LB_NO_MEMORY, "arena is full");
    request->deadline_unix_ms = run->deadline_unix_ms;
    request->answer_bytes = read->granted->answer_bytes;
    return list_views(run, read, request);
}

static lb_status make_aad(const Lianban__V1__ReadRequest *request, uint8_t out[LB_SEAL_AAD_BYTES])
{
    struct lb_span views[LB_MAX_VIEWS_PER_SECTION];
    for (size_t i = 0; i < request->n_views; i++)
        views[i] = lb_span_str(request->views[i]);
    return lb_seal_aad(lb_span_str(request->grant), lb_pb_span(request->txn), views,
                       request->n_views, request->deadline_unix_ms, request->answer_bytes, out);
}

static lb_status seal(struct lb_collect_run *run, struct lb_collect_read *read,
                      Lianban__V1__ReadRequest *request)
{
    uint8_t aad[LB_SEAL_AAD_BYTES];
    struct lb_span framed;
    Lianban__V1__Sealed *sealed = lb_arena_alloc(run->arena, sizeof(*sealed));
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__sealed__init(sealed);
    LB_TRY(make_aad(request, aad));
    LB_TRY(write_plain(run, read, &framed));
    size_t size = framed.len + LB_HPKE_TAG_BYTES;
    uint8_t *ciphertext = lb_arena_alloc(run->arena, size);
    LB_ENSURE(ciphertext != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_hpke_seal(&read->context.context, read->seq, lb_span_of(aad, sizeof(aad)), framed,
                        ciphertext));
    sealed->key_id = read->context.key_id;
    sealed->enc = lb_pb_bytes(lb_span_of(read->context.enc, LB_HPKE_ENC_BYTES));
    sealed->sender_key = lb_pb_bytes(lb_span_of(read->context.sender, LB_X25519_BYTES));
    sealed->seq = read->seq;
    sealed->ciphertext = lb_pb_bytes(lb_span_of(ciphertext, size));
    request->sealed = sealed;
    return LB_OK;
}

/* Beside the seal, and not bound by it: it decides nothing. */
static lb_status write_trace(const struct lb_collect_run *run, Lianban__V1__ReadRequest *request)
{
    char text[LB_TRACE_BYTES];
    lb_trace_format(&run->entry->trace, text);
    request->traceparent = lb_arena_str(run->arena, lb_span_str(text));
    LB_ENSURE(request->traceparent != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_collect_seal(struct lb_collect_run *run, struct lb_collect_read *read)
{
    Lianban__V1__ReadRequest *request = lb_arena_alloc(run->arena, sizeof(*request));
    LB_ENSURE(request != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__read_request__init(request);
    const struct lb_seal_key_entry *key = lb_node_seal_key(
        read->adapter, NULL, lb_clock_unix_s(run->window->options.clock));
    LB_ENSURE(key != NULL, LB_KEY_RETIRED, "no sealing key is valid any more");
    LB_TRY(lb_window_take_context(run->window, read->adapter->spiffe, key, read->jkt,
                                  &read->context, &read->seq));
    LB_TRY(write_open(run, read, request));
    LB_TRY(seal(run, read, request));
    LB_TRY(write_trace(run, request));
    read->request = request;
    return LB_OK;
}
