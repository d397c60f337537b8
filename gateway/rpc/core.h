#ifndef GATEWAY_RPC_CORE_H
#define GATEWAY_RPC_CORE_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "gateway/rpc/runtime.h"

/*
 * The inside of the runtime, seen by this folder only: tags, pollers and the list of live calls.
 */

/* What the core hands back when an operation is done. It is embedded in the operation's owner, one
 * member per kind of operation, so that the loop has nothing to look up and nothing to allocate. */
struct lb_rpc_tag {
    void (*done)(struct lb_rpc_tag *tag, bool ok);
};

/* LB_RPC_OWNER finds the struct that a tag is a member of. */
#define LB_RPC_OWNER(tag_, type_, member_)                                                         \
    ((type_ *)(void *)((char *)(tag_) - offsetof(type_, member_)))

struct lb_rpc_poller {
    grpc_completion_queue *queue;
    pthread_t thread;
    atomic_bool came_round; /* to its queue since somebody asked */
};

struct lb_rpc_files;
struct lb_rpc_account;

struct lb_rpc_runtime {
    pthread_mutex_t lock; /* guards all up to num_pollers */
    pthread_cond_t wake_sweeper;
    bool stopping;
    struct lb_rpc_stream *live; /* every call that is not over */
    size_t num_live;
    struct lb_rpc_account *accounts; /* channels and servers there are */
    struct lb_rpc_files *files; /* certificate files being watched */
    bool has_sweeper;
    pthread_t sweeper;
    atomic_size_t turn; /* the poller that gets the next client call */
    size_t num_pollers;
    struct lb_rpc_poller pollers[];
};

/* lb_rpc_after_ms is a point of CLOCK_MONOTONIC, ms from now, for timed waits. */
struct timespec lb_rpc_after_ms(int64_t ms);

/* lb_rpc_cond_init makes a condition whose timed waits go by CLOCK_MONOTONIC. */
void lb_rpc_cond_init(pthread_cond_t *cond);

/* lb_rpc_next_poller picks the poller of a new client call, in turn. */
struct lb_rpc_poller *lb_rpc_next_poller(struct lb_rpc_runtime *runtime);

/* lb_rpc_on_poller tells whether the calling thread is one of the pollers. */
bool lb_rpc_on_poller(const struct lb_rpc_runtime *runtime);

/* lb_rpc_live_add and _remove keep the list that the sweep walks. */
void lb_rpc_live_add(struct lb_rpc_runtime *runtime, struct lb_rpc_stream *stream);
void lb_rpc_live_remove(struct lb_rpc_runtime *runtime, struct lb_rpc_stream *stream);

/* lb_rpc_live_each calls visit for every live call of one owner, or of all when owner is NULL. The
 * list is not locked meanwhile; each call is held by a reference of its own. */
void lb_rpc_live_each(struct lb_rpc_runtime *runtime, const void *owner,
                      void (*visit)(struct lb_rpc_stream *stream, void *arg), void *arg);

#endif
