#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/* The issuers' status lists in force. They arrive through the broker, which needs no trust: each is
 * signed by its issuer, its sequence never falls, and one past its time refuses every grant under
 * it (promise 8). */

#define MAX_LISTS 16

struct in_force {
    struct lb_status_list *list;
    bool proved;                 /* `ack` is about this very list */
    struct lb_serve_ack ack;
};

struct lb_serve_status {
    pthread_mutex_t lock;
    size_t num_lists;
    struct in_force lists[MAX_LISTS];
};

lb_status lb_serve_status_new(struct lb_serve_status **out_status)
{
    struct lb_serve_status *status = calloc(1, sizeof(*status));
    LB_ENSURE(status != NULL, LB_NO_MEMORY, "status lists");
    (void)pthread_mutex_init(&status->lock, NULL);
    *out_status = status;
    return LB_OK;
}

void lb_serve_status_free(struct lb_serve_status *status)
{
    if (status == NULL)
        return;
    for (size_t i = 0; i < status->num_lists; i++)
        lb_status_list_unref(status->lists[i].list);
    (void)pthread_mutex_destroy(&status->lock);
    free(status);
}

/* Under lock; NULL when there is none. */
static struct in_force *find(struct lb_serve_status *status, const char *uri)
{
    for (size_t i = 0; i < status->num_lists; i++) {
        if (strcmp(lb_status_list_uri(status->lists[i].list), uri) == 0)
            return &status->lists[i];
    }
    return NULL;
}

static struct lb_status_list *take_list(struct lb_serve_status *status, const char *uri)
{
    (void)pthread_mutex_lock(&status->lock);
    struct in_force *found = find(status, uri);
    struct lb_status_list *list = found == NULL ? NULL : found->list;
    if (list != NULL)
        lb_status_list_ref(list);
    (void)pthread_mutex_unlock(&status->lock);
    return list;
}

static lb_status judge(struct lb_serve *serve, const struct lb_status_list *list,
                       const struct lb_grant *grant, int data_class)
{
    int64_t now = lb_clock_unix_s(serve->options.clock);
    int64_t max_age = lb_serve_policy_status_age(serve->options.policy, data_class,
                                                 lb_status_list_ttl(list));
    /* A list speaks for its own issuer only. */
    LB_ENSURE(strcmp(lb_status_list_issuer(list), grant->issuer) == 0, LB_GRANT_MALFORMED,
              "status list of another issuer");
    LB_TRY(lb_status_list_check(list, grant->status_index, now));
    return lb_status_list_check_age(list, now, max_age);
}

lb_status lb_serve_check_status(struct lb_serve *serve, const struct lb_grant *grant,
                                int data_class)
{
    if (grant->status_uri == NULL)
        return LB_OK; /* section.c refuses consent without a status */
    struct lb_status_list *list = take_list(serve->status, grant->status_uri);
    LB_ENSURE(list != NULL, LB_STATUS_STALE, "no status list yet");
    lb_status status = judge(serve, list, grant, data_class);
    lb_status_list_unref(list);
    return status;
}

struct update {
    struct lb_serve *serve;
    struct lb_status_list *list;
};

/* An older list than the one in force never replaces it. */
static lb_status put_in_force(struct lb_serve_status *status, struct lb_status_list *list)
{
    struct lb_status_list *old = NULL;
    lb_status result = LB_OK;
    (void)pthread_mutex_lock(&status->lock);
    struct in_force *place = find(status, lb_status_list_uri(list));
    if (place == NULL && status->num_lists == MAX_LISTS) {
        result = LB_FAULT(LB_TOO_LARGE, "too many status lists");
    } else if (place == NULL || lb_status_list_seq(list) > lb_status_list_seq(place->list)) {
        if (place == NULL)
            place = &status->lists[status->num_lists++];
        old = place->list;
        lb_status_list_ref(list);
        place->list = list;
        place->proved = false;
    }
    (void)pthread_mutex_unlock(&status->lock);
    lb_status_list_unref(old);
    return result;
}

/* On the log's own thread, between the entries before and those behind: each read's last look at
 * its grant's status is a step of its own entry, so the order of the log is the order of judgement.
 * A list whose entry then can't be written stays in force, which is only stricter, and the log has
 * stopped. */
static lb_status take_effect(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct update *update = entry->owner;
    LB_TRY(lb_serve_memory_status(update->serve->memory, store, lb_status_list_uri(update->list),
                                  lb_status_list_seq(update->list),
                                  lb_status_list_sha256(update->list)));
    return put_in_force(update->serve->status, update->list);
}

/* A new list is an event of its own in the log, committed with its sequence number. */
static lb_status record_list(struct lb_serve *serve, struct lb_status_list *list,
                             struct lb_serve_ack *ack)
{
    struct update update = {serve, list};
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STATUS_LIST", .count = 1};
    memcpy(entry->leaf.request_hash, lb_status_list_sha256(list), 32);
    entry->guard = take_effect;
    entry->owner = &update;
    lb_status status = lb_serve_record_ack(serve, entry, ack);
    free(entry);
    return status;
}

/* The entry by which the very list came into force; false when that was another, or is not known
 * yet. */
static bool find_proof(struct lb_serve_status *status, const struct lb_status_list *list,
                       struct lb_serve_ack *out_ack)
{
    (void)pthread_mutex_lock(&status->lock);
    const struct in_force *known = find(status, lb_status_list_uri(list));
    bool same = known != NULL && known->proved &&
                memcmp(known->ack.sha256, lb_status_list_sha256(list), 32) == 0;
    if (same)
        *out_ack = known->ack;
    (void)pthread_mutex_unlock(&status->lock);
    return same;
}

static void keep_proof(struct lb_serve_status *status, const struct lb_status_list *list,
                       const struct lb_serve_ack *ack)
{
    (void)pthread_mutex_lock(&status->lock);
    struct in_force *known = find(status, lb_status_list_uri(list));
    if (known != NULL &&
        memcmp(lb_status_list_sha256(known->list), lb_status_list_sha256(list), 32) == 0) {
        known->ack = *ack;
        known->proved = true;
    }
    (void)pthread_mutex_unlock(&status->lock);
}

static lb_status accept_list(struct lb_serve *serve, struct lb_status_list *list,
                             struct lb_serve_ack *ack)
{
    if (find_proof(serve->status, list, ack))
        return LB_OK;
    int len = snprintf(ack->uri, sizeof(ack->uri), "%s", lb_status_list_uri(list));
    LB_ENSURE(len >= 0 && (size_t)len < sizeof(ack->uri), LB_GRANT_MALFORMED, "uri is too long");
    ack->seq = lb_status_list_seq(list);
    LB_TRY(record_list(serve, list, ack));
    keep_proof(serve->status, list, ack);
    return LB_OK;
}

static lb_status open_list(struct lb_serve *serve, struct lb_span token, struct lb_arena *arena,
                           struct lb_status_list **out_list)
{
    const char *organization = NULL, *kid = NULL;
    LB_TRY(lb_status_list_peek(token, arena, &organization, &kid));
    struct lb_directory *directory = lb_trust_directory(serve->options.trust);
    const struct lb_issuer *issuer = NULL;
    struct lb_status_list *list = NULL;
    lb_status status = lb_serve_issuer(serve, directory, organization, kid, &issuer);
    if (status == LB_OK)
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

lb_status lb_serve_status_update(struct lb_serve *serve, struct lb_span token,
                                 struct lb_arena *arena, struct lb_serve_ack *out_ack)
{
    struct lb_status_list *list = NULL;
    memset(out_ack, 0, sizeof(*out_ack));
    lb_sha256(token, out_ack->sha256);
    LB_TRY(open_list(serve, token, arena, &list));
    struct lb_serve_ack ack = *out_ack;
    lb_status status = accept_list(serve, list, &ack);
    lb_status_list_unref(list);
    if (status == LB_OK)
        *out_ack = ack;
    return status;
}

static bool copy_list(const struct lb_status_list *list, struct lb_arena *arena,
                      struct lb_serve_list *out)
{
    *out = (struct lb_serve_list){
        .uri = lb_arena_str(arena, lb_span_str(lb_status_list_uri(list))),
        .issuer = lb_arena_str(arena, lb_span_str(lb_status_list_issuer(list))),
        .seq = lb_status_list_seq(list),
        .issued_unix_s = lb_status_list_issued(list),
        .expires_unix_s = lb_status_list_expires(list),
    };
    return out->uri != NULL && out->issuer != NULL;
}

lb_status lb_serve_lists(struct lb_serve *serve, struct lb_arena *arena,
                         struct lb_serve_list **out, size_t *out_num)
{
    struct lb_serve_status *status = serve->status;
    struct lb_serve_list *lists = lb_arena_array(arena, MAX_LISTS, sizeof(*lists));
    LB_ENSURE(lists != NULL, LB_NO_MEMORY, "arena is full");
    bool copied = true;
    (void)pthread_mutex_lock(&status->lock);
    size_t num = status->num_lists;
    for (size_t i = 0; i < num && copied; i++)
        copied = copy_list(status->lists[i].list, arena, &lists[i]);
    (void)pthread_mutex_unlock(&status->lock);
    LB_ENSURE(copied, LB_NO_MEMORY, "arena is full");
    *out = lists;
    *out_num = num;
    return LB_OK;
}
