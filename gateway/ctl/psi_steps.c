#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/psi.h"
#include "gateway/ctl/psi_steps.h"

/* The three steps of a run. In each: read, check, compute; make the entry; keep in the memory; only
 * then write what leaves. */

typedef const uint8_t point_bytes[LB_P256_POINT_BYTES];
typedef const uint8_t tag_bytes[LB_PSI_TAG_BYTES];

static void wipe_run(struct lb_ctl_psi_run *run)
{
    lb_wipe(run, sizeof(*run));
}

static void wipe_offer(struct lb_psi_offer *offer)
{
    lb_wipe(offer, sizeof(*offer));
}

/* A list that was compared before, or too soon, is not compared, and the log says who tried. */
static lb_status admit(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                       struct lb_ctl_psi_run *run)
{
    struct lb_psi_evidence evidence;
    lb_status status = lb_ctl_psi_runs_admit(psi, list, run);
    if (lb_status_code(status) != LB_PSI_REPEATED)
        return status;
    LB_TRY(lb_ctl_psi_record(psi, "PSI_REFUSED",
                             lb_arena_printf(psi->arena, "psi refused=PSI_REPEATED agreement=%s",
                                             psi->agreement->name),
                             &evidence));
    return status;
}

/* --- offer --- */

/* The directory may be anybody's: the key must be of the very log that the agreement names. */
static lb_status peer_key(struct lb_ctl_psi *psi, const struct lb_seal_key_entry **out)
{
    const struct lb_ctl_psi_party *peer = lb_ctl_psi_peer(psi);
    const struct lb_node *node = lb_directory_node(psi->node.directory, peer->spiffe);
    const struct lb_seal_key_entry *key = NULL;
    bool same = node != NULL && node->log_origin != NULL &&
                memcmp(node->log_key, peer->log_key, sizeof(node->log_key)) == 0;
    if (!same)
        lb_diag_set(&psi->node.diag, "the directory lists %s with another log key than the "
                                     "agreement, or not at all", peer->spiffe);
    LB_ENSURE(same, LB_PSI_AGREEMENT, "another log key");
    key = lb_node_seal_key(node, NULL, lb_clock_unix_s(psi->node.env->clock));
    LB_ENSURE(key != NULL, LB_KEY_RETIRED, "the other side has no sealing key now");
    *out = key;
    return LB_OK;
}

/* The references of the record behind each point; none for a filler. */
static lb_status rows_of(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                         const struct lb_psi_points *points, struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_STORE_VALUE_BYTES);
    for (size_t i = 0; i < points->num; i++)
        lb_buf_put_field16(&buf, points->whose[i] == LB_PSI_NOBODY
                                     ? LB_SPAN_EMPTY : list->rows[points->whose[i]]);
    LB_TRY(lb_buf_check(&buf));
    return lb_arena_copy(psi->arena, lb_buf_span(&buf), out);
}

static lb_status make_offer(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                            struct lb_ctl_psi_run *run, struct lb_psi_offer *offer)
{
    LB_DEFER(lb_psi_side_wipe) struct lb_psi_side side = {.run = {0}};
    struct lb_psi_points points;
    struct lb_x25519_key reply;
    lb_psi_prehash_of(run->seed, run->run, offer->prehash);
    LB_TRY(lb_psi_side_of(psi->p256, run->seed, run->run, offer->prehash, &side));
    LB_TRY(lb_psi_reply_key_of(run->seed, run->run, &reply));
    memcpy(offer->reply_key, reply.public_key, sizeof(offer->reply_key));
    lb_wipe(&reply, sizeof(reply));
    LB_TRY(lb_psi_blind(psi->p256, &side, list->people, list->num, psi->arena, &points));
    LB_TRY(rows_of(psi, list, &points, &run->rows));
    lb_ctl_psi_list_commit(list, run->salt, offer->list);
    offer->num = points.num;
    offer->points = (point_bytes *)points.points;
    lb_psi_offer_hash(run->run, offer, run->offer);
    return LB_OK;
}

lb_status lb_ctl_psi_offer_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told)
{
    struct lb_ctl_psi_list list;
    LB_DEFER(wipe_run) struct lb_ctl_psi_run run = {.again = false};
    LB_DEFER(wipe_offer) struct lb_psi_offer offer = {.num = 0};
    struct lb_psi_file file = {.kind = LB_PSI_OFFER};
    const struct lb_seal_key_entry *key = NULL;
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(peer_key(psi, &key));
    LB_TRY(lb_ctl_psi_list_read(psi, &list));
    LB_TRY(admit(psi, &list, &run));
    LB_TRY(make_offer(psi, &list, &run, &offer));
    LB_TRY(lb_ctl_psi_record(psi, "PSI_OFFERED",
                             lb_ctl_psi_query(psi->arena, psi->agreement, run.run, offer.list,
                                              offer.num),
                             &offer.evidence));
    LB_TRY(lb_ctl_psi_runs_keep(psi, &run));
    LB_TRY(lb_psi_offer_write(&offer, psi->arena, &plain));
    memcpy(file.run, run.run, sizeof(file.run));
    file.key_id = key->id;
    LB_TRY(lb_ctl_psi_file_put(psi, &file, key->public_key, plain));
    *told = (struct lb_ctl_psi_told){list.num, offer.num, list.num_invalid, -1, {0}};
    memcpy(told->run, run.run, sizeof(told->run));
    return LB_OK;
}

/* --- answer --- */

static lb_status open_offer(struct lb_ctl_psi *psi, struct lb_psi_file *file,
                            struct lb_psi_offer *offer)
{
    struct lb_x25519_key key;
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(lb_ctl_psi_file_get(psi, LB_PSI_OFFER, file));
    LB_TRY(lb_ctl_psi_own_key(psi, file->key_id, &key));
    lb_status status = lb_ctl_psi_file_open(psi, file, &key, &plain);
    lb_wipe(&key, sizeof(key));
    LB_TRY(status);
    LB_TRY(lb_psi_offer_read(plain, offer));
    return lb_ctl_psi_evidence_check(lb_ctl_psi_peer(psi), "PSI_OFFERED",
                                     lb_ctl_psi_query(psi->arena, psi->agreement, file->run,
                                                      offer->list, offer->num),
                                     &offer->evidence, psi->arena);
}

static lb_status make_answer(struct lb_ctl_psi *psi, const struct lb_psi_offer *offer,
                             const struct lb_ctl_psi_list *list, const struct lb_ctl_psi_run *run,
                             struct lb_psi_answer *answer)
{
    LB_DEFER(lb_psi_side_wipe) struct lb_psi_side side = {.run = {0}};
    struct lb_psi_points points;
    uint8_t(*tags)[LB_PSI_TAG_BYTES] = NULL;
    LB_TRY(lb_psi_side_of(psi->p256, run->seed, run->run, offer->prehash, &side));
    LB_TRY(lb_psi_tags(psi->p256, &side, offer->points, offer->num, psi->arena, &tags));
    LB_TRY(lb_psi_blind(psi->p256, &side, list->people, list->num, psi->arena, &points));
    if (psi->agreement->mode == LB_PSI_COUNT)
        lb_psi_sort(tags, offer->num);
    lb_ctl_psi_list_commit(list, run->salt, answer->list);
    memcpy(answer->offer, run->offer, sizeof(answer->offer));
    answer->num_tags = offer->num;
    answer->tags = (tag_bytes *)tags;
    answer->num = points.num;
    answer->points = (point_bytes *)points.points;
    return LB_OK;
}

lb_status lb_ctl_psi_answer_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told)
{
    struct lb_ctl_psi_list list;
    LB_DEFER(wipe_run) struct lb_ctl_psi_run run = {.again = false};
    LB_DEFER(wipe_offer) struct lb_psi_offer offer = {.num = 0};
    struct lb_psi_answer answer = {.num = 0};
    struct lb_psi_file file, reply = {.kind = LB_PSI_ANSWER, .key_id = ""};
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(open_offer(psi, &file, &offer));
    LB_TRY(lb_ctl_psi_list_read(psi, &list));
    memcpy(run.run, file.run, sizeof(run.run));
    lb_psi_offer_hash(run.run, &offer, run.offer);
    LB_TRY(admit(psi, &list, &run));
    LB_TRY(make_answer(psi, &offer, &list, &run, &answer));
    LB_TRY(lb_ctl_psi_record(psi, "PSI_ANSWERED",
                             lb_ctl_psi_query(psi->arena, psi->agreement, run.run, answer.list,
                                              answer.num),
                             &answer.evidence));
    LB_TRY(lb_ctl_psi_runs_keep(psi, &run));
    LB_TRY(lb_psi_answer_write(&answer, psi->arena, &plain));
    memcpy(reply.run, run.run, sizeof(reply.run));
    LB_TRY(lb_ctl_psi_file_put(psi, &reply, offer.reply_key, plain));
    *told = (struct lb_ctl_psi_told){list.num, answer.num, list.num_invalid, -1, {0}};
    memcpy(told->run, run.run, sizeof(told->run));
    return LB_OK;
}

/* --- finish --- */

static lb_status open_answer(struct lb_ctl_psi *psi, struct lb_ctl_psi_run *run,
                             struct lb_psi_answer *answer)
{
    struct lb_psi_file file;
    struct lb_x25519_key key;
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(lb_ctl_psi_file_get(psi, LB_PSI_ANSWER, &file));
    LB_TRY(lb_ctl_psi_runs_find(psi, file.run, run));
    LB_TRY(lb_psi_reply_key_of(run->seed, run->run, &key));
    lb_status status = lb_ctl_psi_file_open(psi, &file, &key, &plain);
    lb_wipe(&key, sizeof(key));
    LB_TRY(status);
    LB_TRY(lb_psi_answer_read(plain, answer));
    LB_ENSURE(memcmp(answer->offer, run->offer, sizeof(answer->offer)) == 0, LB_MALFORMED,
              "an answer to another offer");
    return lb_ctl_psi_evidence_check(lb_ctl_psi_peer(psi), "PSI_ANSWERED",
                                     lb_ctl_psi_query(psi->arena, psi->agreement, run->run,
                                                      answer->list, answer->num),
                                     &answer->evidence, psi->arena);
}

static lb_status match(struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *run,
                       const struct lb_psi_answer *answer, const uint32_t **out, size_t *out_num)
{
    LB_DEFER(lb_psi_side_wipe) struct lb_psi_side side = {.run = {0}};
    uint8_t prehash[LB_PSI_PREHASH_BYTES], (*theirs)[LB_PSI_TAG_BYTES] = NULL;
    lb_psi_prehash_of(run->seed, run->run, prehash);
    lb_status status = lb_psi_side_of(psi->p256, run->seed, run->run, prehash, &side);
    lb_wipe(prehash, sizeof(prehash));
    LB_TRY(status);
    LB_TRY(lb_psi_tags(psi->p256, &side, answer->points, answer->num, psi->arena, &theirs));
    return lb_psi_match(answer->tags, answer->num_tags, theirs, answer->num, psi->arena, out,
                        out_num);
}

/* The own references of those in both; one for a filler is a lie of the other side's. */
static lb_status collect_rows(struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *run,
                              const struct lb_psi_answer *answer, const uint32_t *numbers,
                              size_t num, struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    struct lb_cursor cur = lb_cursor_of(run->rows);
    bool list = psi->agreement->mode == LB_PSI_LIST;
    size_t next = 0;
    lb_buf_init(&buf, LB_MAX_STORE_VALUE_BYTES);
    for (size_t i = 0; i < answer->num_tags; i++) {
        struct lb_span rows = lb_cursor_field16(&cur);
        if (!list || next == num || numbers[next] != i)
            continue;
        LB_ENSURE(rows.len > 0, LB_MALFORMED, "nobody is in both");
        lb_buf_put(&buf, rows);
        next++;
    }
    LB_ENSURE(lb_cursor_end(&cur) == LB_OK, LB_MALFORMED, "an answer of another length");
    LB_TRY(lb_buf_check(&buf));
    return lb_arena_copy(psi->arena, lb_buf_span(&buf), out);
}

/* The last entry says how many, or no more than that they were too few. */
static lb_status record_end(struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *run,
                            const struct lb_psi_answer *answer, size_t num, bool told)
{
    struct lb_psi_evidence evidence;
    const char *query = lb_ctl_psi_query(psi->arena, psi->agreement, run->run, answer->list,
                                         answer->num);
    LB_ENSURE(query != NULL, LB_NO_MEMORY, "arena is full");
    query = told ? lb_arena_printf(psi->arena, "%s count=%zu", query, num)
                 : lb_arena_printf(psi->arena, "%s count=<%lld", query,
                                   (long long)psi->agreement->k);
    return lb_ctl_psi_record(psi, "PSI_FINISHED", query, &evidence);
}

static lb_status write_rows(struct lb_ctl_psi *psi, struct lb_span rows)
{
    lb_status status = lb_file_write(psi->out, rows, 0600);
    if (status != LB_OK)
        lb_diag_set(&psi->node.diag, "%s: cannot be written", psi->out);
    return status;
}

lb_status lb_ctl_psi_finish_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told)
{
    LB_DEFER(wipe_run) struct lb_ctl_psi_run run = {.again = false};
    struct lb_psi_answer answer;
    const uint32_t *numbers = NULL;
    struct lb_span rows = LB_SPAN_EMPTY;
    size_t num = 0;
    LB_TRY(open_answer(psi, &run, &answer));
    bool list = psi->agreement->mode == LB_PSI_LIST;
    if (list && psi->out == NULL)
        lb_diag_set(&psi->node.diag, "--out FILE is missing: it takes the list's references");
    LB_ENSURE(!list || psi->out != NULL, LB_MALFORMED, "no file for the result");
    LB_TRY(match(psi, &run, &answer, &numbers, &num));
    LB_TRY(collect_rows(psi, &run, &answer, numbers, num, &rows));
    bool tell = list || num >= (size_t)psi->agreement->k;
    LB_TRY(record_end(psi, &run, &answer, num, tell));
    if (list)
        LB_TRY(write_rows(psi, rows));
    LB_TRY(lb_ctl_psi_runs_end(psi, run.run));
    LB_ENSURE(tell, LB_PSI_TOO_FEW, "fewer than k are in both");
    *told = (struct lb_ctl_psi_told){0, answer.num, 0, (int64_t)num, {0}};
    memcpy(told->run, run.run, sizeof(told->run));
    return LB_OK;
}
