#include <time.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/access_judge.h"
#include "gateway/ctl/access_lines.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/indexing.h"
#include "gateway/ctl/port.h"
#include "gateway/ctl/say.h"
#include "gateway/wire/pb.h"

/* `access serve`: the security officer's station. It fetches what reads ask about accesses, judges
 * the grant for itself, makes an entry of its looking, and answers. */

#define WAIT_MS 8000
#define PAUSE_S 1
#define QUESTION_ARENA_BYTES (32U * 1024 * 1024)
#define SALT_BYTES 32

struct station {
    struct lb_ctl_indexing indexing;
    const char *profile_path;
    struct lb_ctl_desk_profile profile;
    struct lb_ctl_desk_port port;
    struct lb_arena *arena;  /* of one question */
    struct lb_ctl_bound_grants bound;
};

/* --- one question --- */

/* The directory as it stands now: issuers come and go while the station runs. */
static lb_status judge(struct station *station, const Lianban__V1__AccessQuestion *question,
                       struct lb_ctl_access_claim *out)
{
    struct lb_ctl_indexing *indexing = &station->indexing;
    struct lb_ctl_log_keys keys = indexing->keys;
    keys.directory = NULL;
    LB_TRY(lb_ctl_log_keys_open(&keys, indexing->env, station->arena, &indexing->diag));
    lb_status status =
        lb_ctl_access_judge(question, keys.directory, station->profile.adapter,
                            lb_clock_unix_s(indexing->env->clock), station->arena, out);
    lb_ctl_log_keys_close(&keys);
    return status;
}

static const char *kind_of(const struct lb_ctl_access_claim *claim)
{
    return claim->citizen ? "SUBJECT_ACCESS" : "OVERSIGHT";
}

/* Whatever the node may be up to: before details of a person are looked at, that it happens is an
 * entry under this person's name. */
static lb_status record(struct station *station, const Lianban__V1__AccessQuestion *question,
                        const struct lb_ctl_access_claim *claim, struct lb_ctl_reviewed *out)
{
    Lianban__V1__RecordReviewRequest request = LIANBAN__V1__RECORD_REVIEW_REQUEST__INIT;
    uint8_t salt[SALT_BYTES];
    char txn[2 * 16 + 1] = "";
    LB_TRY(lb_crypto_random(salt, sizeof(salt)));
    if (question->txn.len == 16)
        lb_hex_encode(lb_pb_span(question->txn), txn);
    request.kind = (char *)(uintptr_t)kind_of(claim);
    request.query = lb_arena_printf(station->arena, "txn=%s requester=%s grant=%s", txn,
                                    claim->grant.requester, claim->grant.jti);
    LB_ENSURE(request.query != NULL, LB_NO_MEMORY, "arena is full");
    request.salt = (ProtobufCBinaryData){sizeof(salt), salt};
    request.subject = question->subjects[0];
    return station->port.record_review(station->port.ctx, &request, station->arena, out);
}

/* A node could show the proof of an entry in a log that nobody else sees: it must stand in the log
 * that the index follows, and that others witness. */
static lb_status check_recorded(struct lb_audit_index *index, const struct lb_ctl_reviewed *entry,
                                const char *kind, const uint8_t *subject)
{
    const struct lb_audit_filter filter = {.from_index = entry->entry, .type = LB_LEAF_REVIEW};
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    LB_TRY(lb_audit_scan_open(index, &filter, &scan));
    lb_status status = lb_audit_scan_next(scan, &row);
    bool found = status == LB_OK && row != NULL && row->index == entry->entry &&
                 strcmp(row->code, kind) == 0 && row->has_subject &&
                 memcmp(row->subject, subject, sizeof(row->subject)) == 0;
    lb_audit_scan_close(scan);
    LB_TRY(status);
    LB_ENSURE(found, LB_REVIEW_UNRECORDED, "the node's log lacks the entry it proved");
    return LB_OK;
}

static lb_status make_lines(struct station *station, const Lianban__V1__AccessQuestion *question,
                            bool citizen, struct lb_audit_index *index,
                            struct lb_ctl_access_lines *out)
{
    struct lb_audit_state state;
    uint8_t subjects[LB_AUDIT_MAX_SUBJECTS][32];
    for (size_t i = 0; i < question->n_subjects; i++)
        memcpy(subjects[i], question->subjects[i].data, sizeof(subjects[i]));
    LB_TRY(lb_audit_index_state(index, &state));
    const struct lb_ctl_access_ask ask = {
        .index = index,
        .state = &state,
        .subjects = subjects[0],
        .num_subjects = question->n_subjects,
        .citizen = citizen,
        .now_ms = lb_clock_unix_ms(station->indexing.env->clock),
        .max_lines = question->max_lines,
        .max_bytes = question->max_bytes,
    };
    return lb_ctl_access_lines_make(&ask, station->arena, out);
}

static lb_status look_up(struct station *station, const Lianban__V1__AccessQuestion *question,
                         struct lb_ctl_access_lines *out)
{
    struct lb_ctl_access_claim claim;
    struct lb_ctl_reviewed entry;
    struct lb_audit_progress progress;
    struct lb_audit_index *index = NULL;
    struct lb_ctl_indexing *indexing = &station->indexing;
    LB_TRY(judge(station, question, &claim));
    LB_TRY(lb_ctl_access_bind(&station->bound, &claim, question));
    LB_TRY(record(station, question, &claim, &entry));
    LB_TRY(lb_audit_build_step(indexing->build, &indexing->diag, &progress));
    LB_TRY(lb_audit_index_open(indexing->folder, &indexing->diag, &index));
    lb_status status = check_recorded(index, &entry, kind_of(&claim), question->subjects[0].data);
    if (status == LB_OK)
        status = make_lines(station, question, claim.citizen, index, out);
    lb_audit_index_close(index);
    return status;
}

static lb_status answer(struct station *station, const Lianban__V1__AccessQuestion *question)
{
    Lianban__V1__AnswerAccessQuestionRequest request =
        LIANBAN__V1__ANSWER_ACCESS_QUESTION_REQUEST__INIT;
    Lianban__V1__AnswerAccessQuestionResponse *done = NULL;
    struct lb_ctl_access_lines lines = {0, NULL};
    lb_status status = look_up(station, question, &lines);
    request.id = question->id;
    request.refused = status != LB_OK;
    if (status == LB_OK) {
        request.lines = (char **)(uintptr_t)lines.lines;
        request.n_lines = lines.num;
        lb_ctl_note(station->indexing.env, "answered, %zu rows 已答复", lines.num - 1);
    } else {
        lb_ctl_note(station->indexing.env, "refused: %s 未答复", lb_code_name(status->code));
    }
    return station->port.ask_evidence(station->port.ctx, "AnswerAccessQuestion", &request,
                                      &lianban__v1__answer_access_question_response__descriptor,
                                      station->arena, &done);
}

/* --- the run --- */

/* While nobody asks, the index follows the log, so that an answer is quick. */
static lb_status follow(struct station *station)
{
    struct lb_audit_progress progress;
    return lb_audit_build_step(station->indexing.build, &station->indexing.diag, &progress);
}

static lb_status serve_once(struct station *station)
{
    Lianban__V1__NextAccessQuestionRequest request =
        LIANBAN__V1__NEXT_ACCESS_QUESTION_REQUEST__INIT;
    Lianban__V1__NextAccessQuestionResponse *reply = NULL;
    request.wait_ms = WAIT_MS;
    lb_arena_reset(station->arena);
    LB_TRY(station->port.ask_evidence(station->port.ctx, "NextAccessQuestion", &request,
                                      &lianban__v1__next_access_question_response__descriptor,
                                      station->arena, &reply));
    return reply->question == NULL ? follow(station) : answer(station, reply->question);
}

/* What an officer can't wait away. */
static bool is_final(enum lb_code code)
{
    return code == LB_ROLE_NOT_ALLOWED || code == LB_NO_METHOD;
}

static lb_status serve(struct station *station)
{
    const struct timespec pause = {.tv_sec = PAUSE_S};
    bool failing = false;
    lb_ctl_note(station->indexing.env, "waiting for questions at %s 等待查询",
                station->profile.adapter);
    for (;;) {
        lb_status status = serve_once(station);
        if (status != LB_OK && is_final(status->code))
            return status;
        if (status != LB_OK && status->code != LB_QUESTION_GONE && !failing)
            lb_ctl_note(station->indexing.env, "%s; it is tried again 将重试",
                        lb_code_name(status->code));
        failing = status != LB_OK && status->code != LB_QUESTION_GONE;
        if (failing)
            (void)nanosleep(&pause, NULL);
    }
}

static lb_status work(struct station *station)
{
    struct lb_ctl_indexing *indexing = &station->indexing;
    const struct lb_ctl_remote *remote = indexing->env->remote;
    struct lb_audit_progress progress;
    station->arena = lb_arena_new(QUESTION_ARENA_BYTES);
    LB_ENSURE(station->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_indexing_open(indexing));
    LB_TRY(lb_ctl_desk_profile_load(station->profile_path, indexing->arena, &indexing->diag,
                                    &station->profile));
    if (station->profile.adapter == NULL)
        lb_diag_set(&indexing->diag, "the profile names no `adapter`; only a department is asked");
    LB_ENSURE(station->profile.adapter != NULL, LB_CONFIG_INVALID, "profile without an adapter");
    LB_TRY(lb_audit_build_step(indexing->build, &indexing->diag, &progress));
    LB_TRY(remote->open_desk(remote->ctx, &station->profile, indexing->env->clock,
                             &indexing->diag, &station->port));
    return serve(station);
}

static int run(struct station *station)
{
    lb_status status = work(station);
    int exit_code = lb_ctl_fail(station->indexing.env, "access serve", status,
                                &station->indexing.diag);
    if (station->port.close != NULL)
        station->port.close(station->port.ctx);
    lb_ctl_indexing_close(&station->indexing);
    lb_arena_free(station->arena);
    return exit_code;
}

static const char *const examples[] = {
    "lianban access serve --officer officer.yaml --log /var/lib/lianban/tax --officer-key"
    " officer.key --index ~/audit/tax --directory directory.note --signer VKEY",
    NULL,
};

int lb_ctl_access_serve(struct lb_ctl_env *env, int argc, char **argv)
{
    struct station station = {.indexing = {.env = env}};
    struct lb_ctl_option options[1 + LB_CTL_INDEXING_OPTIONS] = {
        {.name = "officer", .value = "PROFILE.yaml", .required = true,
         .text = &station.profile_path, .en = "your profile: whom to answer, as whom",
         .zh = "安全员配置：以何身份、向哪个节点答复"},
    };
    lb_ctl_indexing_options(&station.indexing, options + 1);
    const struct lb_ctl_usage usage = {
        .command = "access serve",
        .en = "answer who looked at a person's data, under grants, until interrupted",
        .zh = "持续答复“谁看过我的信息”（凭授权）",
        .options = options, .num_options = 1 + LB_CTL_INDEXING_OPTIONS, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_indexing_check(&station.indexing, "access serve");
    if (exit_code == LB_CTL_GO && station.indexing.keys.directory_path == NULL)
        return lb_ctl_usage_error(env, "access serve", "--directory and --signer are needed: the"
                                                       " directory says whose grants count");
    return exit_code != LB_CTL_GO ? exit_code : run(&station);
}
