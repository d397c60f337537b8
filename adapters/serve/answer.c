#include "adapters/serve/job.h"
#include "gateway/base/log.h"
#include "gateway/seal/padded.h"
#include "gateway/wire/pb.h"

/* The sealed answer. Facts, a refusal that depends on the subject, and not-found all have the same
 * size, so that nobody on the way can tell them apart. */

static lb_status pack(struct lb_read_job *job, enum lb_code inner, size_t size,
                      struct lb_span *out)
{
    Lianban__V1__SealedAnswer answer;
    lianban__v1__sealed_answer__init(&answer);
    answer.version = 1;
    answer.code = (char *)(uintptr_t)lb_code_name(inner);
    if (inner == LB_CODE_OK) {
        answer.facts = job->facts;
        answer.n_facts = job->num_wants;
        if (job->share != NULL)
            answer.share_set = lb_pb_bytes(lb_span_of(job->share->set, LB_SHARE_SET_BYTES));
    }
    answer.answered_unix_ms = lb_clock_unix_ms(job->serve->options.clock);
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(&answer, job->arena, &bytes));
    return lb_padded_wrap(bytes, size, job->arena, out);
}

/* Both the facts and a refusal are framed, and one of them is sealed. */
static lb_status choose(struct lb_read_job *job, size_t size, struct lb_span *out)
{
    enum lb_code refusal = job->inner == LB_CODE_OK ? LB_TOO_LARGE : job->inner;
    struct lb_span facts = LB_SPAN_EMPTY, refused = LB_SPAN_EMPTY;
    lb_status status = pack(job, LB_CODE_OK, size, &facts);
    LB_TRY(pack(job, refusal, size, &refused));
    bool too_large = status != LB_OK && status->code == LB_TOO_LARGE;
    if (!too_large)
        LB_TRY(status);
    if (too_large && job->inner == LB_CODE_OK) {
        /* The form declared too small an answer: an honest refusal of the same size. */
        lb_log_event(LB_LOG_ERROR, "answer_too_small", "\"answer_bytes\":%u",
                     job->request->answer_bytes);
        job->inner = LB_TOO_LARGE;
    }
    *out = job->inner == LB_CODE_OK ? facts : refused;
    return LB_OK;
}

lb_status lb_read_answer(struct lb_read_job *job)
{
    size_t size = job->request->answer_bytes - LB_AEAD_TAG_BYTES;
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(choose(job, size, &plain));
    /* The leaf has the ciphertext's hash since the entry was made. */
    return lb_seal_answer_to(&job->context, job->request->sealed->seq,
                             job->entry.leaf.request_hash, lb_pb_span(job->request->txn), plain,
                             job->arena, &job->sealed);
}
