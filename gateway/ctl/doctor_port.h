#ifndef GATEWAY_CTL_DOCTOR_PORT_H
#define GATEWAY_CTL_DOCTOR_PORT_H

#include "adapters/api/try.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "lianban/v1/node.pb-c.h"

/* How `lianban doctor` calls other members and tries the department's database; who implements it
 * knows gRPC and the sources. */

/* The node's own files, as its configuration names them. */
struct lb_ctl_node_files {
    const char *cert, *key, *ca, *crl;
    const char *directory;
    const char *const *signers;
    size_t num_signers;
    const char *trust_state;  /* folder; only read */
    int64_t timeout_ms;       /* of one call */
};

struct lb_ctl_held_list {
    const char *uri;
    int64_t issued_unix_s, expires_unix_s;
};

/* What came of one call to a member. */
struct lb_ctl_contact {
    lb_status status;        /* LB_OK, or why the call failed; a refusal of the certificate first */
    char presented[LB_MAX_SPIFFE_BYTES];  /* whom the certificate names; "" when none was seen */
    int64_t not_after_unix_s;             /* of that certificate */
    int64_t sent_unix_ms, got_unix_ms;    /* by this machine's clock */
    bool told;               /* the rest is known: an older version has no such method */
    int64_t unix_ms;
    uint64_t directory_version;
    uint8_t directory_sha256[32];
    const char *version;
    size_t num_lists;        /* of the own node only, as is what follows */
    const struct lb_ctl_held_list *lists;
    const char *log_state;
    uint32_t log_queue;
    const char *drill;       /* under way; NULL or "" for none */
};

struct lb_ctl_doctor_port {
    void *ctx;
    /* Calls a member's Node.About at "host:port" or "unix:<path>", or a window agent's own at its
     * socket (spiffe NULL). Texts are in the arena. */
    void (*contact)(void *ctx, const char *endpoint, const char *spiffe, struct lb_arena *arena,
                    struct lb_ctl_contact *out);
    /* Calls a member's Operations.GetStatus; the reply is in the arena. The other side's code; a
     * refusal of its certificate comes first. */
    lb_status (*status)(void *ctx, const char *endpoint, const char *spiffe,
                        struct lb_arena *arena, Lianban__V1__GetStatusResponse **out);
    /* The same of Operations.GetChannels. */
    lb_status (*channels)(void *ctx, const char *endpoint, const char *spiffe,
                          struct lb_arena *arena, Lianban__V1__GetChannelsResponse **out);
    /* The same of Operations.GetParcels. */
    lb_status (*parcels)(void *ctx, const char *endpoint, const char *spiffe,
                         struct lb_arena *arena, Lianban__V1__GetParcelsResponse **out);
    void (*close)(void *ctx);
};

/* What main gives to the command. */
struct lb_ctl_doctor_ways {
    /* Opens the port. A directory that is not believed is no failure: then certificates are shown
     * and none is accepted. With a sentence in diag when the node's own files don't fit together.
     */
    lb_status (*open)(const struct lb_ctl_node_files *files, const struct lb_clock *clock,
                      struct lb_diag *diag, struct lb_ctl_doctor_port *out);
    /* Tries a department's database with its policy's views. */
    lb_status (*try_source)(const struct lb_try_ask *ask, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_tried *out);
};

#endif
