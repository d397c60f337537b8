#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/serve/fixture_files.h"
#include "adapters/serve/fixture_people.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/store/store.h"

static const char rules[] =
    "rules: test-rules\n"
    "version: 3\n"
    "in_force: 2026-01-01\n"
    "title: {zh: 测试, en: Test}\n"
    "thresholds:\n"
    "  capital.large: {value: 100000, unit: cents, source: test}\n";

static const char wage_view[] =
    "view: tax.wage\n"
    "version: 1\n"
    "title: {zh: 工资, en: Wages}\n"
    "query: SELECT month, income_cents FROM wage WHERE id_no = :id_no\n"
    "rows: many\n"
    "complete: true\n"
    "max_rows: 40\n"
    "as_of: SELECT as_of FROM data_as_of\n"
    "freshness_days: 45\n"
    "fields:\n"
    "  income:\n"
    "    column: income_cents\n"
    "    type: cents\n"
    "    month: month\n"
    "    class: G4\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [\"SUM(12)\", \"SHARE(12)\"]\n"
    "        requesters: [street-office]\n"
    "        bases: [mandate]\n"
    "        issuers: [street-office]\n"
    "        laws: [SAL41]\n"
    "        min_level: 2\n"
    "  months:\n"
    "    type: row\n"
    "    class: G3\n";

static const char business_view[] =
    "view: tax.business\n"
    "version: 1\n"
    "title: {zh: 经营主体, en: Business}\n"
    "query: SELECT uscc FROM business WHERE legal_id = :id_no\n"
    "rows: many\n"
    "complete: true\n"
    "fields:\n"
    "  owned:\n"
    "    type: row\n"
    "    class: G3\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [EXISTS]\n"
    "        requesters: [street-office]\n"
    "        bases: [consent]\n"
    "        issuers: [consent-hall]\n"
    "        min_level: 2\n";

/* What leaves as pseudonym and token, from a table that still has a number of 15 digits. */
static const char account_view[] =
    "view: " FX_ACCOUNT "\n"
    "version: 1\n"
    "title: {zh: 账户, en: Account}\n"
    "query: SELECT old_id, number FROM account WHERE id_no = :id_no\n"
    "rows: one\n"
    "fields:\n"
    "  person: {column: old_id, type: id, class: G3, rules: [{purpose: social-assistance,"
    " operators: [PSEUDO], requesters: [street-office], bases: [mandate], issuers: [street-office],"
    " laws: [SAL41], min_level: 2}]}\n"
    "  number: {column: number, type: text, class: G4, rules: [{purpose: social-assistance,"
    " operators: [\"TOKEN(30)\"], requesters: [street-office], bases: [mandate],"
    " issuers: [street-office], laws: [SAL41], min_level: 2}]}\n"
    "  bank: {column: number, type: text, class: G4, rules: [{purpose: social-assistance,"
    " operators: [OMIT], requesters: [street-office], bases: [mandate], issuers: [street-office],"
    " laws: [SAL41], min_level: 2}]}\n";

/* Many rows of one person. */
static const char *deposit_view(struct fixture *fx)
{
    const char *operators = "SUM(1)";
    for (int i = 2; i <= FX_NUM_SUMS; i++)
        operators = lb_arena_printf(fx->arena, "%s, SUM(%d)", operators, i);
    return lb_arena_printf(fx->arena,
                           "view: " FX_DEPOSITS "\n"
                           "version: 1\n"
                           "title: {zh: 存款, en: Deposits}\n"
                           "query: SELECT month, cents FROM deposit WHERE id_no = :id_no\n"
                           "rows: many\n"
                           "complete: true\n"
                           "max_rows: 4096\n"
                           "fields:\n"
                           "  total:\n"
                           "    column: cents\n"
                           "    type: cents\n"
                           "    month: month\n"
                           "    class: G4\n"
                           "    rules:\n"
                           "      - purpose: social-assistance\n"
                           "        operators: [%s]\n"
                           "        requesters: [street-office]\n"
                           "        bases: [mandate]\n"
                           "        issuers: [street-office]\n"
                           "        laws: [SAL41]\n"
                           "        min_level: 2\n",
                           operators);
}

/* A query that takes its time: about a second. */
static const char slow_view[] =
    "view: tax.slow\n"
    "version: 1\n"
    "title: {zh: 慢, en: Slow}\n"
    "query: SELECT uscc, (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
    " WHERE n < 3000000) SELECT count(*) FROM c) AS n FROM business WHERE legal_id = :id_no\n"
    "rows: many\n"
    "complete: true\n"
    "timeout_ms: 20000\n"
    "fields:\n"
    "  owned:\n"
    "    type: row\n"
    "    class: G3\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [EXISTS]\n"
    "        requesters: [street-office]\n"
    "        bases: [consent]\n"
    "        issuers: [consent-hall]\n"
    "        min_level: 2\n";

static void write_text(struct fixture *fx, const char *name, const char *text)
{
    assert_non_null(text);
    fed_write(&fx->fed, name, lb_span_str(text));
}

static void key_hash(const struct lb_sign_key *key, char hex[65])
{
    uint8_t raw[LB_P256_PUBLIC_BYTES], digest[32];
    size_t len = lb_sign_key_public(key, raw);
    lb_sha256(lb_span_of(raw, len), digest);
    lb_hex_encode(lb_span_of(digest, 32), hex);
}

static const char *shares_text(struct fixture *fx)
{
    return lb_arena_printf(fx->arena,
                           "shares:\n"
                           "  - slot: income12\n"
                           "    form: social-assistance\n"
                           "    version: 1\n"
                           "    roles: [applicant, member]\n"
                           "    persons: 12\n"
                           "    runs: 4\n"
                           "    days: 30\n"
                           "    adapters:\n"
                           "      - {department: tax, spiffe: \"%s\", log: \"%s\"}\n"
                           "      - {department: finance, spiffe: \"%s\", log: \"%s\"}\n"
                           "    contributions:\n"
                           "      - {department: tax, view: tax.wage, field: income, months: 12}\n"
                           "      - {department: finance, view: finance.payout, field: paid,"
                           " months: 12}\n",
                           FX_ADAPTER, fed_party_vkey(&fx->adapter, FX_ADAPTER, fx->arena),
                           FX_FINANCE, fed_party_vkey(&fx->finance, FX_FINANCE, fx->arena));
}

const char *fx_policy_text(struct fixture *fx)
{
    char hall[65], window[65], form[65];
    key_hash(fx->hall.issuer_key, hall);
    key_hash(fx->window.issuer_key, window);
    lb_hex_encode(lb_span_of(fx->form_sha256, 32), form);
    return lb_arena_printf(fx->arena,
                           "policy: tax\n"
                           "rules: rules.yaml\n"
                           "views: [wage.yaml, business.yaml, deposit.yaml, slow.yaml,\n"
                           "        account.yaml, " FX_PEOPLE_VIEWS "]\n"
                           "budgets: {requester: {hour: %d}}\n"
                           "accept:\n"
                           "  brokers: [%s]\n"
                           "  requesters:\n"
                           "    - {spiffe: \"%s\", log: \"%s\"}\n"
                           "  issuers:\n"
                           "    - {organization: consent-hall, kid: h1, key_sha256: \"%s\"}\n"
                           "    - {organization: street-office, kid: m1, key_sha256: \"%s\"}\n"
                           "  forms:\n"
                           "    - {form: social-assistance, version: 1, sha256: \"%s\"}\n"
                           "%s",
                           FX_DEPARTMENT_HOUR, FX_BROKER, FX_WINDOW,
                           fed_party_vkey(&fx->window, FX_WINDOW, fx->arena),
                           hall, window, form, shares_text(fx));
}

const char *fx_policy_of(struct fixture *fx, const char *views)
{
    char hall[65], window[65], other[65], form[65];
    key_hash(fx->hall.issuer_key, hall);
    key_hash(fx->window.issuer_key, window);
    key_hash(fx->other.issuer_key, other);
    lb_hex_encode(lb_span_of(fx->form_sha256, 32), form);
    return lb_arena_printf(fx->arena,
                           "policy: tax\n"
                           "rules: rules.yaml\n"
                           "views: [%s]\n"
                           "accept:\n"
                           "  brokers: [%s]\n"
                           "  requesters:\n"
                           "    - {spiffe: \"%s\", log: \"%s\"}\n"
                           "    - {spiffe: \"%s\", log: \"%s\"}\n"
                           "  issuers:\n"
                           "    - {organization: consent-hall, kid: h1, key_sha256: \"%s\"}\n"
                           "    - {organization: street-office, kid: m1, key_sha256: \"%s\"}\n"
                           "    - {organization: other-office, kid: m1, key_sha256: \"%s\"}\n"
                           "  forms:\n"
                           "    - {form: social-assistance, version: 1, sha256: \"%s\"}\n",
                           views, FX_BROKER, FX_WINDOW,
                           fed_party_vkey(&fx->window, FX_WINDOW, fx->arena), FX_OTHER_WINDOW,
                           fed_party_vkey(&fx->other, FX_OTHER_WINDOW, fx->arena), hall, window,
                           other, form);
}

/* Wages of 1,000.00 in each of the last 14 months: 12 of them count. */
static void write_wages(struct lb_store *store, const char *id_no)
{
    time_t now = time(NULL);
    struct tm local;
    char sql[256];
    (void)localtime_r(&now, &local);
    int months = (local.tm_year + 1900) * 12 + local.tm_mon;
    for (int back = 0; back < 14; back++) {
        int month = months - back;
        (void)snprintf(sql, sizeof(sql), "INSERT INTO wage VALUES('%s', '%04d-%02d', 100000)",
                       id_no, month / 12, month % 12 + 1);
        assert_ok(lb_store_exec(store, sql));
    }
}

static void write_database(struct fixture *fx)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = fed_path(&fx->fed, "tax.db"), .create = true,
                                             .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, "CREATE TABLE wage(id_no TEXT, month TEXT, income_cents INT);"
                                   "CREATE TABLE business(uscc TEXT, legal_id TEXT);"
                                   "CREATE TABLE data_as_of(as_of TEXT);"
                                   "CREATE TABLE account(id_no TEXT, old_id TEXT, number TEXT);"
                                   "INSERT INTO account VALUES('" FX_ADULT "', '" FX_OLD_ADULT
                                   "', '" FX_ACCOUNT_NUMBER "');"
                                   "CREATE TABLE deposit(id_no TEXT, month TEXT, cents INT);"
                                   "INSERT INTO deposit SELECT '" FX_ADULT "', '2000-01', n FROM"
                                   " (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1"
                                   " FROM c WHERE n < 4000) SELECT n FROM c);"
                                   "INSERT INTO data_as_of VALUES(date('now', '-3 days'));"
                                   "INSERT INTO business VALUES('X', '" FX_ADULT "');"));
    fx_fill_people(store);
    write_wages(store, FX_ADULT);
    write_wages(store, FX_OTHER_ADULT);
    lb_store_close(store);
}

void fx_write_department(struct fixture *fx)
{
    write_text(fx, "rules.yaml", lb_arena_printf(fx->arena, "%s%s", rules, fx_people_rules(fx)));
    write_text(fx, "wage.yaml", wage_view);
    write_text(fx, "business.yaml", business_view);
    write_text(fx, "deposit.yaml", deposit_view(fx));
    write_text(fx, "slow.yaml", slow_view);
    write_text(fx, "account.yaml", account_view);
    fx_write_people(fx);
    write_text(fx, "policy.yaml", fx_policy_text(fx));
    write_database(fx);
}

void fx_execute(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = fed_path(&fx->fed, "tax.db"),
                                             .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, sql));
    lb_store_close(store);
}
