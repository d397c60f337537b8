#include "adapters/serve/share_memory.h"

#include <string.h>

#include "adapters/serve/share_lapse.h"
#include "gateway/crypto/hash.h"

/* Households outlive the last moment at which one of their runs can be answered: the period is
 * never less than LB_SHARE_RUN_LIFE_S, and this is twice the skew that a run's start may have. */
#define GRACE_S (2 * LB_CLOCK_SKEW_S)

enum statement {
    PURGE,
    FIND_RUN,
    FIND_PLACE,
    FIND_SHARE,
    FIND_PERSON,
    COUNT_RUNS,
    COUNT_PERSONS,
    ADD_HOUSEHOLD,
    MOVE_PERSONS,
    MOVE_RUNS,
    DROP_HOUSEHOLD,
    PROLONG,
    ADD_RUN,
    ADD_PERSON,
    ADD_PLACE,
    ADD_SHARE,
    RENAME_SHARES,
    RENAME_PLACES,
    RENAME_PERSON,
    NUM_STATEMENTS
};

static const char *const sql[NUM_STATEMENTS] = {
    [PURGE] = "DELETE FROM share_household WHERE expires < ?1",
    [FIND_RUN] = "SELECT r.bound, h.id, h.size FROM share_run AS r JOIN share_household AS h"
                 " ON h.id = r.household WHERE r.id = ?1",
    [FIND_PLACE] = "SELECT place FROM share_place WHERE run = ?1 AND person = ?2",
    [FIND_SHARE] = "SELECT rid, share FROM share WHERE run = ?1 AND person = ?2 AND part = ?3",
    [FIND_PERSON] = "SELECT h.id, h.size FROM share_person AS p JOIN share_household AS h"
                    " ON h.id = p.household WHERE p.slot = ?1 AND p.person = ?2",
    [COUNT_RUNS] = "SELECT count(*) FROM (SELECT 1 FROM share_place"
                   " WHERE person = ?2 AND slot = ?1 AND at > ?3 LIMIT ?4)",
    [COUNT_PERSONS] = "SELECT count(*) FROM share_person WHERE household = ?1",
    [ADD_HOUSEHOLD] = "INSERT INTO share_household(slot, size, expires) VALUES(?1, ?2, ?3)",
    [MOVE_PERSONS] = "UPDATE share_person SET household = ?1 WHERE household = ?2",
    [MOVE_RUNS] = "UPDATE share_run SET household = ?1 WHERE household = ?2",
    [DROP_HOUSEHOLD] = "DELETE FROM share_household WHERE id = ?1",
    [PROLONG] = "UPDATE share_household SET expires = max(expires, ?2) WHERE id = ?1",
    [ADD_RUN] = "INSERT INTO share_run(id, bound, household) VALUES(?1, ?2, ?3)",
    [ADD_PERSON] = "INSERT INTO share_person(slot, person, household) VALUES(?1, ?2, ?3)",
    [ADD_PLACE] = "INSERT INTO share_place(run, person, slot, place, at)"
                  " VALUES(?1, ?2, ?3, ?4, ?5)",
    [ADD_SHARE] = "INSERT INTO share(run, person, part, rid, share) VALUES(?1, ?2, ?3, ?4, ?5)",
    [RENAME_SHARES] = "UPDATE share SET person = ?3 WHERE person = ?2 AND run IN"
                      " (SELECT run FROM share_place WHERE person = ?2 AND slot = ?1)",
    [RENAME_PLACES] = "UPDATE share_place SET person = ?3 WHERE person = ?2 AND slot = ?1",
    [RENAME_PERSON] = "UPDATE share_person SET person = ?3 WHERE person = ?2 AND slot = ?1",
};

/* What every step of one call works with. */
struct step {
    struct lb_share_memory *memory;
    struct lb_store *store;
    int64_t now;
};

void lb_share_memory_init(struct lb_share_memory *memory)
{
    *memory = (struct lb_share_memory){.sql = {.texts = sql, .num = NUM_STATEMENTS}};
    lb_share_lapse_init(&memory->lapse);
}

static lb_status prepare(const struct step *step, enum statement which, struct lb_stmt **out)
{
    return lb_serve_sql_get(&step->memory->sql, step->store, which, out);
}

static struct lb_span hash_span(const uint8_t hash[32])
{
    return lb_span_of(hash, 32);
}

static lb_status run_with_ints(const struct step *step, enum statement which, int64_t first,
                               const int64_t *second)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, which, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, first));
    if (second != NULL)
        LB_TRY(lb_stmt_bind_int(stmt, 2, *second));
    return lb_stmt_run(stmt);
}

/* --- names --- */

static lb_status rename_by(const struct step *step, enum statement which, const char *slot,
                           const uint8_t from[32], const uint8_t to[32])
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, which, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(slot)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(from)));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, hash_span(to)));
    return lb_stmt_run(stmt);
}

lb_status lb_share_memory_rename(struct lb_share_memory *memory, struct lb_store *store,
                                 const char *slot, const struct lb_epoch_names *names)
{
    static const enum statement tables[] = {RENAME_SHARES, RENAME_PLACES, RENAME_PERSON};
    const struct step step = {memory, store, 0};
    for (size_t i = 1; i < names->num; i++) {
        for (size_t k = 0; k < sizeof(tables) / sizeof(tables[0]); k++)
            LB_TRY(rename_by(&step, tables[k], slot, names->names[i], names->names[0]));
    }
    return LB_OK;
}

/* --- checking --- */

/* Notes why a claim is refused; the first reason counts. */
static void need(struct lb_share_claim *claim, bool holds, lb_status reason)
{
    if (!holds && claim->refused == LB_OK)
        claim->refused = reason;
}

static lb_status find_run(const struct step *step, struct lb_share_claim *claim)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, FIND_RUN, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_step(stmt, &claim->run_known));
    bool same = claim->run_known && lb_span_eq(lb_stmt_blob(stmt, 0), hash_span(claim->bound));
    claim->run_household = claim->run_known ? lb_stmt_int(stmt, 1) : 0;
    bool stands = claim->run_known && lb_stmt_int(stmt, 2) == (int64_t)claim->num_persons;
    lb_stmt_reset(stmt);
    need(claim, !claim->run_known || same,
         LB_FAULT(LB_SHARE_RUN, "the nonce stands for another run"));
    need(claim, !claim->run_known || stands,
         LB_FAULT(LB_SHARE_HOUSEHOLD, "the run was given up for another statement"));
    return LB_OK;
}

static lb_status find_place(const struct step *step, struct lb_share_claim *claim)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, FIND_PLACE, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_step(stmt, &claim->place_known));
    bool same = claim->place_known && lb_stmt_int(stmt, 0) == (int64_t)claim->place;
    lb_stmt_reset(stmt);
    need(claim, !claim->place_known || same,
         LB_FAULT(LB_SHARE_REPEATED, "one person stands at two places of a run"));
    return LB_OK;
}

static lb_status find_share(const struct step *step, struct lb_share_claim *claim, size_t index)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(prepare(step, FIND_SHARE, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)claim->parts[index].part));
    LB_TRY(lb_stmt_step(stmt, &found));
    bool same =
        found && lb_span_eq(lb_stmt_blob(stmt, 0), lb_span_of(claim->rid, sizeof(claim->rid)));
    uint64_t share = found ? (uint64_t)lb_stmt_int(stmt, 1) : 0;
    lb_stmt_reset(stmt);
    need(claim, !found || same,
         LB_FAULT(LB_SHARE_REPEATED, "the share went out under another rid"));
    claim->kept[index] = found;
    if (found && same)
        claim->parts[index].share = share;
    return LB_OK;
}

static lb_status find_person(const struct step *step, struct lb_share_claim *claim,
                             bool *out_same_size)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(prepare(step, FIND_PERSON, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(claim->slot)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_step(stmt, &found));
    claim->person_household = found ? lb_stmt_int(stmt, 0) : 0;
    *out_same_size = !found || lb_stmt_int(stmt, 1) == (int64_t)claim->num_persons;
    lb_stmt_reset(stmt);
    return LB_OK;
}

static lb_status count_runs(const struct step *step, struct lb_share_claim *claim)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(prepare(step, COUNT_RUNS, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(claim->slot)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, step->now - claim->period_s));
    LB_TRY(lb_stmt_bind_int(stmt, 4, claim->max_runs));
    LB_TRY(lb_stmt_step(stmt, &found));
    int64_t runs = found ? lb_stmt_int(stmt, 0) : 0;
    lb_stmt_reset(stmt);
    need(claim, claim->place_known || runs < claim->max_runs,
         LB_FAULT(LB_SHARE_BUDGET, "too many runs of one person"));
    return LB_OK;
}

static lb_status count_persons(const struct step *step, int64_t household, int64_t *out_num)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(prepare(step, COUNT_PERSONS, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, household));
    LB_TRY(lb_stmt_step(stmt, &found));
    *out_num = found ? lb_stmt_int(stmt, 0) : 0;
    lb_stmt_reset(stmt);
    return LB_OK;
}

/* The persons whom this read would make one household, of which those already known are enough to
 * tell that it would be too many; unless what was stated of this one before has lapsed. */
static lb_status check_household(const struct step *step, struct lb_share_claim *claim,
                                 bool same_size)
{
    int64_t of_run = 0, of_person = 0, size = (int64_t)claim->num_persons;
    bool may_lapse = false;
    LB_TRY(count_persons(step, claim->run_household, &of_run));
    LB_TRY(count_persons(step, claim->person_household, &of_person));
    LB_TRY(lb_share_may_lapse(&step->memory->lapse, step->store, claim->person_household,
                              step->now - LB_SHARE_IDLE_S, &may_lapse));
    bool is_new = claim->person_household == 0;
    bool fits = claim->run_household == claim->person_household ||
                of_run + (is_new ? 1 : of_person) <= size;
    bool yields = may_lapse && of_run < size && !(same_size && fits);
    need(claim, yields || same_size,
         LB_FAULT(LB_SHARE_HOUSEHOLD, "a household of another size"));
    need(claim, yields || fits,
         LB_FAULT(LB_SHARE_HOUSEHOLD, "added up with other persons before"));
    claim->lapsed = yields ? claim->person_household : 0;
    if (yields)
        claim->person_household = 0;
    return LB_OK;
}

lb_status lb_share_memory_check(struct lb_share_memory *memory, struct lb_store *store,
                                int64_t now_unix_s, struct lb_share_claim *claim)
{
    const struct step step = {memory, store, now_unix_s};
    bool same_size = false;
    claim->refused = LB_OK;
    LB_TRY(run_with_ints(&step, PURGE, now_unix_s, NULL));
    LB_TRY(find_run(&step, claim));
    LB_TRY(find_place(&step, claim));
    for (size_t i = 0; i < claim->num_parts; i++)
        LB_TRY(find_share(&step, claim, i));
    LB_TRY(count_runs(&step, claim));
    LB_TRY(find_person(&step, claim, &same_size));
    LB_TRY(check_household(&step, claim, same_size));
    return claim->refused;
}

/* --- keeping --- */

static lb_status add_household(const struct step *step, const struct lb_share_claim *claim,
                               int64_t *out_household)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, ADD_HOUSEHOLD, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(claim->slot)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)claim->num_persons));
    LB_TRY(lb_stmt_bind_int(stmt, 3, step->now));
    LB_TRY(lb_stmt_run(stmt));
    *out_household = lb_store_last_rowid(step->store);
    return LB_OK;
}

/* One household for the run and the person: the one there is, two that turn out to be one, or a
 * new one. */
static lb_status settle_household(const struct step *step, const struct lb_share_claim *claim,
                                  int64_t *out_household)
{
    int64_t of_run = claim->run_household, of_person = claim->person_household;
    int64_t household = of_run != 0 ? of_run : of_person;
    if (household == 0)
        LB_TRY(add_household(step, claim, &household));
    if (of_run != 0 && of_person != 0 && of_run != of_person) {
        LB_TRY(run_with_ints(step, MOVE_PERSONS, of_run, &of_person));
        LB_TRY(run_with_ints(step, MOVE_RUNS, of_run, &of_person));
        LB_TRY(run_with_ints(step, DROP_HOUSEHOLD, of_person, NULL));
    }
    int64_t expires = step->now + claim->period_s + GRACE_S;
    *out_household = household;
    return run_with_ints(step, PROLONG, household, &expires);
}

static lb_status add_run(const struct step *step, const struct lb_share_claim *claim,
                         int64_t household)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, ADD_RUN, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->bound)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, household));
    return lb_stmt_run(stmt);
}

static lb_status add_person(const struct step *step, const struct lb_share_claim *claim,
                            int64_t household)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, ADD_PERSON, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(claim->slot)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, household));
    return lb_stmt_run(stmt);
}

static lb_status add_place(const struct step *step, const struct lb_share_claim *claim)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, ADD_PLACE, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(claim->slot)));
    LB_TRY(lb_stmt_bind_int(stmt, 4, (int64_t)claim->place));
    LB_TRY(lb_stmt_bind_int(stmt, 5, step->now));
    return lb_stmt_run(stmt);
}

static lb_status add_share(const struct step *step, const struct lb_share_claim *claim,
                           const struct lb_share_claim_part *part)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(prepare(step, ADD_SHARE, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, hash_span(claim->run)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, hash_span(claim->person)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)part->part));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(claim->rid, sizeof(claim->rid))));
    LB_TRY(lb_stmt_bind_int(stmt, 5, (int64_t)part->share));
    return lb_stmt_run(stmt);
}

static lb_status write_claim(const struct step *step, const struct lb_share_claim *claim)
{
    int64_t household = 0;
    if (claim->lapsed != 0)
        LB_TRY(lb_share_lapse(&step->memory->lapse, step->store, claim->lapsed));
    LB_TRY(settle_household(step, claim, &household));
    if (!claim->run_known)
        LB_TRY(add_run(step, claim, household));
    if (claim->person_household == 0)
        LB_TRY(add_person(step, claim, household));
    if (!claim->place_known)
        LB_TRY(add_place(step, claim));
    for (size_t i = 0; i < claim->num_parts; i++) {
        if (claim->parts[i].has_share && !claim->kept[i])
            LB_TRY(add_share(step, claim, &claim->parts[i]));
    }
    return LB_OK;
}

/* Either way in a savepoint of its own, and then in an empty one that ends the other way, so that
 * what is kept and what is undone take the same steps. */
static lb_status write_within(const struct step *step, const struct lb_share_claim *claim,
                              bool keep)
{
    LB_TRY(lb_store_savepoint(step->store));
    lb_status status = write_claim(step, claim);
    lb_status ended = status == LB_OK && keep ? lb_store_release(step->store)
                                              : lb_store_undo(step->store);
    LB_TRY(status != LB_OK ? status : ended);
    LB_TRY(lb_store_savepoint(step->store));
    return keep ? lb_store_undo(step->store) : lb_store_release(step->store);
}

lb_status lb_share_memory_keep(struct lb_share_memory *memory, struct lb_store *store,
                               int64_t now_unix_s, const struct lb_share_claim *claim)
{
    const struct step step = {memory, store, now_unix_s};
    return write_within(&step, claim, true);
}

lb_status lb_share_memory_rehearse(struct lb_share_memory *memory, struct lb_store *store,
                                   int64_t now_unix_s, const struct lb_share_claim *claim)
{
    const struct step step = {memory, store, now_unix_s};
    struct lb_share_claim nobody = *claim;
    LB_TRY(lb_crypto_random(nobody.person, sizeof(nobody.person)));
    nobody.place_known = false;
    nobody.person_household = nobody.lapsed = 0;
    memset(nobody.kept, 0, sizeof(nobody.kept));
    return write_within(&step, &nobody, false);
}
