#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/exchange/inside.h"
#include "gateway/store/store.h"

/* Citizens' withdrawals on disk, until their grants are over: a broker that was started anew still
 * tells the adapters that have not heard. Lists need no such thing, since their issuers send them
 * again and again. */

#define APPLICATION_ID 0x4C424B50U  /* "LBKP" */

static const char *const migrations[] = {
    "CREATE TABLE withdrawal(sha256 BLOB PRIMARY KEY, grant_jwt TEXT NOT NULL,"
    " token TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;"
    "CREATE TABLE told(sha256 BLOB NOT NULL, adapter TEXT NOT NULL, ack BLOB NOT NULL,"
    " PRIMARY KEY (sha256, adapter)) STRICT;",
    NULL,
};

const struct lb_store_schema lb_exchange_schema = {"withdrawals.db", APPLICATION_ID, migrations};

struct lb_exchange_kept {
    pthread_mutex_t lock;  /* of the store; before the exchange's */
    struct lb_store *store;
};

void lb_kept_close(struct lb_exchange_kept *kept)
{
    if (kept == NULL)
        return;
    lb_store_close(kept->store);
    (void)pthread_mutex_destroy(&kept->lock);
    free(kept);
}

static lb_status purge(struct lb_store *store, int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, "DELETE FROM withdrawal WHERE expires <= ?1", &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, now_unix_s);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    LB_TRY(status);
    return lb_store_exec(store, "DELETE FROM told WHERE sha256 NOT IN"
                                " (SELECT sha256 FROM withdrawal)");
}

/* Before any link: nobody else looks at the table yet. */
static lb_status load_withdrawals(struct lb_exchange *exchange, struct lb_store *store)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT grant_jwt, token, expires FROM withdrawal", &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    while (status == LB_OK && row) {
        struct ending *ending = NULL;
        bool is_new = false;
        status = lb_ending_hold_withdrawal(exchange, lb_stmt_text(stmt, 0), lb_stmt_text(stmt, 1),
                                           lb_stmt_int(stmt, 2), &ending, &is_new);
        if (status == LB_OK)
            status = lb_stmt_step(stmt, &row);
    }
    lb_stmt_free(stmt);
    return status;
}

static lb_status take_told(struct lb_exchange *exchange, const struct lb_stmt *stmt)
{
    struct lb_span sha256 = lb_stmt_blob(stmt, 0), name = lb_stmt_text(stmt, 1);
    char spiffe[LB_MAX_SPIFFE_BYTES];
    LB_ENSURE(sha256.len == 32 && name.len < sizeof(spiffe), LB_STORE_FAILED, "a row of no kind");
    memcpy(spiffe, name.ptr, name.len);
    spiffe[name.len] = 0;
    struct ending *ending = lb_ending_by_sha256(exchange, sha256.ptr);
    struct adapter *adapter = lb_exchange_adapter(exchange, spiffe);
    LB_ENSURE(adapter != NULL, LB_NO_MEMORY, "adapter");
    return ending == NULL ? LB_OK
                          : lb_ending_prove(ending, adapter, lb_stmt_blob(stmt, 2), true);
}

static lb_status load_told(struct lb_exchange *exchange, struct lb_store *store)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT sha256, adapter, ack FROM told", &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    while (status == LB_OK && row) {
        status = take_told(exchange, stmt);
        if (status == LB_OK)
            status = lb_stmt_step(stmt, &row);
    }
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_kept_open(struct lb_exchange *exchange, const char *path)
{
    if (path == NULL)
        return LB_OK;
    const struct lb_store_options options = {
        .path = path,
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = 1000,
    };
    struct lb_exchange_kept *kept = calloc(1, sizeof(*kept));
    LB_ENSURE(kept != NULL, LB_NO_MEMORY, "withdrawals");
    (void)pthread_mutex_init(&kept->lock, NULL);
    exchange->kept = kept; /* closed with the exchange, also when this fails */
    lb_status status = lb_store_open(&options, &kept->store);
    LB_ENSURE(lb_status_code(status) != LB_VERSION_UNSUPPORTED, LB_VERSION_UNSUPPORTED,
              "withdrawals.db: a newer version wrote it; start that version");
    LB_TRY(status);
    LB_TRY(purge(kept->store, lb_clock_unix_s(exchange->options.clock)));
    LB_TRY(load_withdrawals(exchange, kept->store));
    return load_told(exchange, kept->store);
}

/* --- writing --- */

static lb_status insert_withdrawal(struct lb_store *store, const uint8_t sha256[32],
                                   struct lb_span grant, struct lb_span token, int64_t expires)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT INTO withdrawal(sha256, grant_jwt, token, expires)"
                           " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(sha256) DO NOTHING",
                           &stmt));
    lb_status status = lb_stmt_bind_blob(stmt, 1, lb_span_of(sha256, 32));
    if (status == LB_OK)
        status = lb_stmt_bind_text(stmt, 2, grant);
    if (status == LB_OK)
        status = lb_stmt_bind_text(stmt, 3, token);
    if (status == LB_OK)
        status = lb_stmt_bind_int(stmt, 4, expires);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_kept_add(struct lb_exchange *exchange, const uint8_t sha256[32],
                      struct lb_span grant, struct lb_span token, int64_t expires_unix_s)
{
    struct lb_exchange_kept *kept = exchange->kept;
    if (kept == NULL)
        return LB_OK;
    (void)pthread_mutex_lock(&kept->lock);
    lb_status status = purge(kept->store, lb_clock_unix_s(exchange->options.clock));
    if (status == LB_OK)
        status = insert_withdrawal(kept->store, sha256, grant, token, expires_unix_s);
    (void)pthread_mutex_unlock(&kept->lock);
    return status;
}

/* A proof on its way to the disk, out of the exchange's lock. */
struct fresh {
    uint8_t sha256[32];
    struct adapter *adapter;
    struct lb_buf ack;
};

/* The copy is marked as kept before it is: a proof that can't be written costs one more frame after
 * a restart, nothing else. */
static bool take_fresh(struct lb_exchange *exchange, struct fresh *out)
{
    bool found = false;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct ending *e = exchange->endings; e != NULL && !found; e = e->next) {
        for (struct ending_proof *p = e->proofs; e->uri == NULL && p != NULL; p = p->next) {
            if (p->kept || found)
                continue;
            found = true;
            p->kept = true;
            memcpy(out->sha256, e->sha256, sizeof(out->sha256));
            out->adapter = p->adapter;
            lb_buf_put(&out->ack, lb_buf_span(&p->ack));
        }
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return found;
}

static lb_status insert_told(struct lb_store *store, const struct fresh *fresh)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_buf_check(&fresh->ack));
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT INTO told(sha256, adapter, ack) VALUES(?1, ?2, ?3)"
                           " ON CONFLICT(sha256, adapter) DO UPDATE SET ack = ?3",
                           &stmt));
    lb_status status = lb_stmt_bind_blob(stmt, 1, lb_span_of(fresh->sha256, 32));
    if (status == LB_OK)
        status = lb_stmt_bind_text(stmt, 2, lb_span_str(fresh->adapter->spiffe));
    if (status == LB_OK)
        status = lb_stmt_bind_blob(stmt, 3, lb_buf_span(&fresh->ack));
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

void lb_kept_flush(struct lb_exchange *exchange)
{
    struct lb_exchange_kept *kept = exchange->kept;
    struct fresh fresh = {.adapter = NULL};
    if (kept == NULL)
        return;
    lb_buf_init(&fresh.ack, LB_MAX_MESSAGE_BYTES);
    while (take_fresh(exchange, &fresh)) {
        (void)pthread_mutex_lock(&kept->lock);
        lb_log_failure("proof_not_kept", insert_told(kept->store, &fresh));
        (void)pthread_mutex_unlock(&kept->lock);
        fresh.ack.len = 0;
    }
    lb_buf_cleanup(&fresh.ack);
}
