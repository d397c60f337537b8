#include "gateway/window/case_key.h"

/*
 * Many cases are written at once, and the disk is slow: each commits in turn, but one wait for the
 * disk serves all that committed before it began. Nobody leaves with anything, written or read,
 * that is not on the disk yet.
 */

void lb_case_store_enter(struct lb_case_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
}

/* Once a sync has failed nobody knows what is on the disk, and a later one that succeeds would not
 * say so: only a new start finds out. */
static lb_status sync_up_to(struct lb_case_store *store, uint64_t wanted)
{
    LB_ENSURE(!store->sync_failed, LB_STORE_FAILED, "the disk failed the case store");
    if (store->synced >= wanted)
        return LB_OK;
    uint64_t commits = atomic_load(&store->commits);
    lb_status status = lb_store_sync(store->store);
    store->sync_failed = status != LB_OK;
    if (status == LB_OK)
        store->synced = commits;
    return status;
}

lb_status lb_case_store_leave(struct lb_case_store *store, lb_status status)
{
    uint64_t commits = lb_store_commits(store->store);
    atomic_store(&store->commits, commits);
    (void)pthread_mutex_unlock(&store->lock);
    (void)pthread_mutex_lock(&store->syncing);
    lb_status synced = sync_up_to(store, commits);
    (void)pthread_mutex_unlock(&store->syncing);
    return synced != LB_OK ? synced : status;
}
