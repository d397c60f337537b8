#include <string.h>

#include "adapters/serve/intake_part.h"
#include "adapters/serve/intake_state.h"
#include "gateway/base/wipe.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/* What is in a parcel, by the department's own policy: whoever is not named there, or hands in what
 * does not stand there, is refused. */

static lb_status check_times(const struct lb_intake_job *job)
{
    int64_t now = lb_clock_unix_s(job->intake->serve->options.clock);
    int64_t made = job->parcel->made_unix_s;
    int64_t ends = job->wire->expires_unix_s;
    LB_ENSURE(ends > now, LB_PARCEL_EXPIRED, "parcel is past its end");
    LB_ENSURE(ends <= now + LB_INTAKE_LIFE_S + LB_CLOCK_SKEW_S, LB_MALFORMED,
              "parcel's end is too far away");
    LB_ENSURE(made <= now + LB_CLOCK_SKEW_S, LB_MALFORMED, "parcel was made in the future");
    LB_ENSURE(made >= now - LB_INTAKE_LIFE_S, LB_PARCEL_EXPIRED, "parcel was made too long ago");
    return LB_OK;
}

/* As for reads: named by our policy with an identity key that the directory still has. */
static lb_status check_requester(const struct lb_intake_job *job)
{
    const struct lb_serve *serve = job->intake->serve;
    const char *sender = job->wire->sender;
    const struct lb_accepted_requester *accepted =
        lb_serve_policy_requester(serve->options.policy, sender);
    LB_ENSURE(accepted != NULL && job->intake->key.ready, LB_INTAKE_CLOSED,
              "policy takes in nothing of this sender");
    const struct lb_node *node = lb_directory_node(job->directory, sender);
    LB_ENSURE(node != NULL && lb_node_log_follows(node, accepted->log_key), LB_KEY_CHANGED,
              "sender's identity key is not the accepted one, nor handed over by it");
    return lb_serve_closure_check(serve->closure, job->organization, NULL, 0);
}

static lb_status check_form(const struct lb_intake_job *job)
{
    const struct lb_serve_policy *policy = job->intake->serve->options.policy;
    const Lianban__V1__Part *part = job->part;
    struct lb_span hash = lb_pb_span(part->form_sha256);
    const struct lb_directory *directory = job->directory;
    const struct lb_listed *listed = lb_listed_find(directory->forms, directory->num_forms,
                                                    part->form, part->form_version);
    LB_ENSURE(listed != NULL && lb_span_eq(hash, lb_span_of(listed->sha256, 32)), LB_FORM_UNKNOWN,
              "directory lists no such form, version and hash");
    const struct lb_accepted_form *accepted =
        lb_serve_policy_form(policy, part->form, part->form_version);
    const struct lb_intake_form *form =
        lb_intake_policy_form(policy, part->form, part->form_version, job->wire->sender);
    LB_ENSURE(form != NULL && accepted != NULL &&
                  lb_span_eq(hash, lb_span_of(accepted->sha256, 32)),
              LB_INTAKE_CLOSED, "policy takes in nothing of this form from this sender");
    bool request = part->kind == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    bool signal = part->kind == LIANBAN__V1__PART__KIND__SIGNAL;
    LB_ENSURE(signal == form->signals || part->kind == LIANBAN__V1__PART__KIND__WITHDRAWAL,
              LB_PART_UNKNOWN, "of a trigger policy takes signals, and of no other form");
    LB_ENSURE(request ? form->corrections : lb_intake_form_has_part(form, part->part),
              LB_PART_UNKNOWN, "policy does not name this part of the form");
    return LB_OK;
}

/* The issuer's key may have been replaced since the token was made: one that handed over to it
 * holds as well. */
static const struct lb_issuer *find_issuer(const struct lb_directory *directory,
                                           const struct lb_operator *peek,
                                           const struct lb_former_key **out_former)
{
    *out_former = NULL;
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        if (strcmp(issuer->organization, peek->organization) != 0)
            continue;
        if (strcmp(issuer->kid, peek->kid) == 0)
            return issuer;
        for (size_t k = 0; k < issuer->num_former; k++) {
            if (strcmp(issuer->former[k].kid, peek->kid) == 0) {
                *out_former = &issuer->former[k];
                return issuer;
            }
        }
    }
    return NULL;
}

static lb_status verify_token(struct lb_intake_job *job, const struct lb_operator_read *read,
                              const struct lb_issuer *issuer, const struct lb_former_key *former)
{
    struct lb_verify_key *key = NULL;
    if (former != NULL)
        LB_TRY(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(former->raw, former->raw_len), &key));
    lb_status status = lb_operator_cache_check(job->intake->serve->operators, read,
                                               former != NULL ? key : issuer->key,
                                               job->parcel->made_unix_s, job->arena);
    lb_verify_key_free(key);
    LB_ENSURE(status == LB_OK, LB_OPERATOR_TOKEN_INVALID,
              "operator token was not valid when the parcel was made");
    job->operator_claims = read->claims;
    return LB_OK;
}

static lb_status check_operator(struct lb_intake_job *job)
{
    struct lb_operator_read read;
    const struct lb_issuer *accepted = NULL;
    const struct lb_former_key *former = NULL;
    LB_TRY(lb_operator_cache_read(job->intake->serve->operators,
                                  lb_span_str(job->part->operator_token),
                                  job->parcel->made_unix_s, job->arena, &read));
    LB_ENSURE(strcmp(read.claims.organization, job->organization) == 0, LB_OPERATOR_TOKEN_INVALID,
              "operator belongs to another organization");
    const struct lb_issuer *issuer = find_issuer(job->directory, &read.claims, &former);
    LB_ENSURE(issuer != NULL, LB_ISSUER_UNKNOWN, "issuer is not listed");
    LB_TRY(lb_serve_issuer(job->intake->serve, job->directory, issuer->organization, issuer->kid,
                           &accepted));
    LB_ENSURE((accepted->kinds & LB_ISSUES_OPERATOR) != 0, LB_OPERATOR_TOKEN_INVALID,
              "issuer does not issue operator tokens");
    return verify_token(job, &read, issuer, former);
}

static void name_people(struct lb_intake_job *job)
{
    for (size_t i = 0; i < job->part->n_people; i++) {
        char id_no[19];
        if (lb_idno_normalise(lb_span_str(job->part->people[i]->id_no), id_no) == LB_OK)
            lb_serve_epochs_names(job->intake->serve->epochs, lb_span_str(id_no), &job->names[i]);
        lb_wipe(id_no, sizeof(id_no));
    }
}

lb_status lb_intake_judge(struct lb_intake_job *job)
{
    LB_ENSURE(job->parcel->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_PART, LB_MALFORMED,
              "no part is in the parcel");
    LB_TRY(lb_intake_part_check(job->parcel->part));
    job->part = job->parcel->part;
    name_people(job);
    LB_TRY(check_times(job));
    LB_TRY(check_requester(job));
    LB_TRY(check_form(job));
    LB_TRY(check_operator(job));
    job->judged = true;
    return LB_OK;
}

/* --- the row --- */

static lb_status tag_matter(struct lb_intake_job *job)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf matter;
    lb_buf_init(&matter, 4 * LB_MAX_NAME_BYTES);
    lb_buf_put_field16(&matter, lb_span_str(job->part->case_id));
    lb_buf_put_field16(&matter, lb_span_str(job->part->form));
    lb_buf_put_u32(&matter, job->part->form_version);
    lb_buf_put_field16(&matter, lb_span_str(job->part->part));
    LB_TRY(lb_buf_check(&matter));
    const struct lb_span parts[] = {lb_span_str("matter"), lb_buf_span(&matter)};
    lb_intake_key_tag(&job->intake->key, parts, 2, job->row.matter);
    return LB_OK;
}

lb_status lb_intake_prepare(struct lb_intake_job *job)
{
    struct lb_intake_row *row = &job->row;
    row->kind = job->part->kind;
    row->came_unix_s = lb_clock_unix_s(job->intake->serve->options.clock);
    row->ends_unix_s = job->wire->expires_unix_s;
    LB_TRY(tag_matter(job));
    LB_TRY(lb_intake_key_close(&job->intake->key, "part", row->name, job->plain, job->arena,
                               &row->closed));
    row->bytes = (int64_t)row->closed.len;
    return LB_OK;
}
