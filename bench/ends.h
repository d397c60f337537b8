#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What both ends of a bare call need: tags, credentials, settings. It is written as one writes for
 * the C core when nothing but speed is asked for; no code of the product's own gRPC layer is used.
 */

#define LB_BENCH_METHOD "/bench.Bare/Call"
#define LB_BENCH_STREAM "/bench.Bare/Stream"
#define LB_BENCH_CALL_MS 65000 /* longer than any deadline of ours */

/* What the core hands back when an operation is done; a member of the operation's owner. */
struct lb_bench_tag {
    void (*done)(struct lb_bench_tag *tag, bool ok);
};

/* LB_BENCH_OWNER finds the struct that a tag is a member of. */
#define LB_BENCH_OWNER(tag_, type_, member_)                                                       \
    ((type_ *)(void *)((char *)(tag_) - offsetof(type_, member_)))

/* lb_bench_poll runs the tags of a queue until it is shut down. */
void lb_bench_poll(grpc_completion_queue *queue);

/* A process's certificate files. */
struct lb_bench_identity {
    const char *cert;
    const char *key;
    const char *ca;
};

/* lb_bench_identity_option takes --cert, --key or --ca; false for another option. */
bool lb_bench_identity_option(struct lb_bench_identity *identity, const char *name,
                              const char *value);

/* lb_bench_channel_new opens a channel over mutual TLS, or plaintext when identity is NULL (for a
 * Unix socket). A file that cannot be read ends the program. */
grpc_channel *lb_bench_channel_new(const char *target, const struct lb_bench_identity *identity);

/* lb_bench_server_credentials makes credentials that require a client's certificate of our CA. A
 * file that cannot be read ends the program. */
grpc_server_credentials *lb_bench_server_credentials(const struct lb_bench_identity *identity);

/* lb_bench_count reads a decimal number from 1 to max; anything else ends the program. */
size_t lb_bench_count(const char *name, const char *text, size_t max);

/* lb_bench_die prints a sentence and ends the program with status 1. */
void lb_bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
