#include "gateway/audit/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit/review_state.h"
#include "gateway/base/file.h"

#define BUSY_TIMEOUT_MS 5000
#define MAX_PATH_BYTES 4096

static lb_status check_folder(const char *folder, struct lb_diag *diag)
{
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        lb_diag_set(diag, "%s: there is no such folder; lianban review scan makes it", folder);
        LB_FAIL(LB_FILE_FAILED, "the queue's folder is missing");
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 || info.st_uid != geteuid()) {
        lb_diag_set(diag, "%s: is open to others or another user's; chmod 700 and chown it",
                    folder);
        LB_FAIL(LB_FILE_FAILED, "the queue's folder is open to others");
    }
    return LB_OK;
}

static lb_status prepare(struct lb_review *review)
{
    for (int i = 0; i < REVIEW_NUM_SQL; i++)
        LB_TRY(lb_stmt_prepare(review->store, lb_review_sql((enum review_sql)i),
                               &review->stmt[i]));
    return LB_OK;
}

static lb_status open_in(struct lb_review *review, const char *folder, bool create,
                         struct lb_diag *diag)
{
    char path[MAX_PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, lb_review_schema.name);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    if (create)
        LB_TRY(lb_file_mkdirs(folder));
    LB_TRY(check_folder(folder, diag));
    const struct lb_store_options options = {
        .path = path,
        .migrations = lb_review_schema.migrations,
        .application_id = lb_review_schema.application_id,
        .create = create,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    lb_status status = lb_store_open(&options, &review->store);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: the review queue cannot be opened", path);
    LB_TRY(status);
    return prepare(review);
}

lb_status lb_review_open(const char *folder, bool create,
                         const struct lb_review_recorder *recorder, struct lb_diag *diag,
                         struct lb_review **out_review)
{
    LB_DEFER(lb_review_closep) struct lb_review *review = calloc(1, sizeof(*review));
    LB_ENSURE(review != NULL, LB_NO_MEMORY, "review queue");
    review->recorder = recorder;
    LB_TRY(open_in(review, folder, create, diag));
    *out_review = review;
    review = NULL;
    return LB_OK;
}

void lb_review_close(struct lb_review *review)
{
    if (review == NULL)
        return;
    lb_store_close(review->store);
    free(review);
}

void lb_review_closep(struct lb_review **review)
{
    lb_review_close(*review);
}

/* --- words --- */

const char *lb_review_state_name(enum lb_review_state state)
{
    static const char *const names[LB_REVIEW_STATE_END] = {
        [LB_REVIEW_OPEN] = "open",
        [LB_REVIEW_ASSIGNED] = "assigned",
        [LB_REVIEW_EXPLAINED] = "explained",
        [LB_REVIEW_CLOSED] = "closed",
    };
    return names[state];
}

const char *lb_review_outcome_name(enum lb_review_outcome outcome)
{
    static const char *const names[LB_REVIEW_OUTCOME_END] = {
        [LB_REVIEW_LAWFUL] = "lawful",
        [LB_REVIEW_MISTAKE] = "mistake",
        [LB_REVIEW_MISUSE] = "misuse",
    };
    return outcome == 0 ? "" : names[outcome];
}

bool lb_review_outcome_by_name(const char *name, enum lb_review_outcome *out)
{
    for (int i = LB_REVIEW_LAWFUL; i < LB_REVIEW_OUTCOME_END; i++) {
        if (strcmp(name, lb_review_outcome_name((enum lb_review_outcome)i)) != 0)
            continue;
        *out = (enum lb_review_outcome)i;
        return true;
    }
    return false;
}
