#include <stdlib.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/idno.h"

static lb_status forget(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_serve *serve = entry->owner;
    return lb_serve_probes_erase(&serve->probes, store, entry->subject);
}

lb_status lb_serve_erase(struct lb_serve *serve, struct lb_span id_no)
{
    char read[19];
    LB_TRY(lb_idno_normalise(id_no, read));
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ERASURE, .code = "ERASED", .count = 1};
    entry->has_subject = true;
    entry->guard = forget;
    entry->owner = serve;
    lb_hmac_sha256(lb_span_of(serve->options.pseudonym_key, 32), lb_span_str(read),
                   entry->subject);
    lb_status status = lb_log_append_wait(serve->options.log, entry);
    if (status == LB_OK)
        status = entry->refused;
    free(entry);
    return status;
}
