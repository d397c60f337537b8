#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/token/status_list.h"

/* The issuers' status lists in force. They arrive through the broker, which needs no trust: each is
 * signed by its issuer, its sequence never falls, and one past its time refuses every grant under
 * it (promise 8). */

#define MAX_LISTS 16

struct lb_serve_status {
    pthread_mutex_t lock;
    size_t num_lists;
    struct lb_status_list *lists[MAX_LISTS];
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
        lb_status_list_unref(status->lists[i]);
    (void)pthread_mutex_destroy(&status->lock);
    free(status);
}

static struct lb_status_list *find_list(struct lb_serve_status *status, const char *uri)
{
    struct lb_status_list *found = NULL;
    (void)pthread_mutex_lock(&status->lock);
    for (size_t i = 0; i < status->num_lists && found == NULL; i++) {
        if (strcmp(lb_status_list_uri(status->lists[i]), uri) == 0)
            found = status->lists[i];
    }
    if (found != NULL)
        lb_status_list_ref(found);
    (void)pthread_mutex_unlock(&status->lock);
    return found;
}

lb_status lb_serve_check_status(struct lb_serve *serve, const struct lb_grant *grant)
{
    if (grant->status_uri == NULL)
        return LB_OK; /* section.c refuses consent without a status */
    struct lb_status_list *list = find_list(serve->status, grant->status_uri);
    LB_ENSURE(list != NULL, LB_STATUS_STALE, "no status list yet");
    /* A list speaks for its own issuer only. */
    lb_status status =
        strcmp(lb_status_list_issuer(list), grant->issuer) == 0
            ? lb_status_list_check(list, grant->status_index,
                                   lb_clock_unix_s(serve->options.clock))
            : LB_FAULT(LB_GRANT_MALFORMED, "status list of another issuer");
    lb_status_list_unref(list);
    return status;
}

/* Takes over the reference. An older list than the one in force never replaces it. */
static lb_status put_in_force(struct lb_serve_status *status, struct lb_status_list *list)
{
    struct lb_status_list *old = list;
    lb_status result = LB_OK;
    (void)pthread_mutex_lock(&status->lock);
    size_t i = 0;
    while (i < status->num_lists &&
           strcmp(lb_status_list_uri(status->lists[i]), lb_status_list_uri(list)) != 0)
        i++;
    if (i == MAX_LISTS) {
        result = LB_FAULT(LB_TOO_LARGE, "too many status lists");
    } else if (i == status->num_lists) {
        status->lists[status->num_lists++] = list;
        old = NULL;
    } else if (lb_status_list_seq(list) > lb_status_list_seq(status->lists[i])) {
        old = status->lists[i];
        status->lists[i] = list;
    }
    (void)pthread_mutex_unlock(&status->lock);
    if (old != NULL)
        lb_status_list_unref(old);
    return result;
}

struct update {
    struct lb_serve *serve;
    struct lb_status_list *list;
};

static lb_status remember(struct lb_log_entry *entry, struct lb_store *store)
{
    struct update *update = entry->owner;
    return lb_serve_memory_status(update->serve->memory, store, lb_status_list_uri(update->list),
                                  lb_status_list_seq(update->list),
                                  lb_status_list_sha256(update->list));
}

/* A new list is an event of its own in the log, committed with its sequence number. */
static lb_status record_list(struct lb_serve *serve, struct lb_status_list *list)
{
    struct update update = {serve, list};
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STATUS_LIST", .count = 1};
    memcpy(entry->leaf.request_hash, lb_status_list_sha256(list), 32);
    entry->guard = remember;
    entry->owner = &update;
    lb_status status = lb_log_append_wait(serve->options.log, entry);
    if (status == LB_OK)
        status = entry->refused;
    free(entry);
    return status;
}

static lb_status accept_list(struct lb_serve *serve, struct lb_status_list *list)
{
    struct lb_status_list *known = find_list(serve->status, lb_status_list_uri(list));
    bool same = known != NULL && memcmp(lb_status_list_sha256(known), lb_status_list_sha256(list),
                                        32) == 0;
    if (known != NULL)
        lb_status_list_unref(known);
    if (same)
        return LB_OK;
    LB_TRY(record_list(serve, list));
    lb_status_list_ref(list);
    return put_in_force(serve->status, list);
}

lb_status lb_serve_status_update(struct lb_serve *serve, struct lb_span token,
                                 struct lb_arena *arena, const char **out_uri, uint64_t *out_seq)
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
    if (status == LB_OK)
        status = accept_list(serve, list);
    if (status == LB_OK) {
        *out_uri = lb_arena_str(arena, lb_span_str(lb_status_list_uri(list)));
        *out_seq = lb_status_list_seq(list);
        if (*out_uri == NULL)
            status = LB_FAULT(LB_NO_MEMORY, "arena is full");
    }
    if (list != NULL)
        lb_status_list_unref(list);
    lb_directory_unref(directory);
    return status;
}
