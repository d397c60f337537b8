#include "tests/sources/policies.h"

#include <stdio.h>
#include <string.h>

#define MAX_ROWS 4  /* of one person */

const char *const policy_requesters[2] = {"street-office", "other-office"};
const char *const policy_purposes[2] = {"social-assistance", "study"};

/* The first two take few values, and conditions are about them; the others hardly repeat. */
static const char *const names[POLICY_COLUMNS] = {"k",   "n",           "v2",
                                                  "\"Order\"", "\"姓 名\"", "v5"};
static const char *const codes[] = {"a", "ab", "it''s :id_no", "x--y", "? $1 %", "/* z"};

const char policy_roles_sql[] =
    "CREATE ROLE reader LOGIN; CREATE ROLE r0; CREATE ROLE r1; CREATE ROLE r2; CREATE ROLE r3;"
    "CREATE FUNCTION released(who text, person text, tab text, col text) RETURNS text\n"
    "LANGUAGE plpgsql AS $$ DECLARE found text; BEGIN\n"
    "  PERFORM set_config('role', who, true), set_config('app.person', person, true);\n"
    "  EXECUTE format('SELECT count(*) || coalesce(string_agg(chr(31) ||"
    " coalesce(''='' || CAST(%s AS text), ''-''), ''''), '''') FROM %s', col, tab) INTO found;\n"
    "  PERFORM set_config('role', 'postgres', true);\n"
    "  RETURN found;\n"
    "EXCEPTION WHEN insufficient_privilege THEN RETURN 'denied'; END $$;";

uint64_t policy_random(struct policy_random *random, uint64_t below)
{
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = random->state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

bool policy_chance(struct policy_random *random, uint64_t in)
{
    return policy_random(random, in) == 0;
}

const char *policy_column_name(size_t column)
{
    return names[column];
}

/* --- what is allowed --- */

static void add_atom(struct policy_random *random, struct lb_buf *out)
{
    const char *code = codes[policy_random(random, sizeof(codes) / sizeof(codes[0]))];
    int number = (int)policy_random(random, 4);
    switch (policy_random(random, 8)) {
    case 0:
        lb_buf_printf(out, "k = '%s'", code);
        break;
    case 1:
        lb_buf_printf(out, "k <> '%s'", code);
        break;
    case 2:
        lb_buf_printf(out, "k IN ('%s', 'a', 'ab')", code);
        break;
    case 3:
        lb_buf_put_str(out, policy_chance(random, 2) ? "k LIKE 'a%'" : "k IS NOT NULL");
        break;
    case 4:
        lb_buf_printf(out, "n >= %d", number);
        break;
    case 5:
        lb_buf_printf(out, "(n = %d OR n IS NULL)", number);
        break;
    case 6:
        lb_buf_printf(out, "NOT n = %d", number);
        break;
    default:
        lb_buf_printf(out, "coalesce(n, 9) > %d", number);
    }
}

static void add_condition(struct policy_random *random, int depth, struct lb_buf *out)
{
    if (depth == 0 || policy_chance(random, 3)) {
        add_atom(random, out);
        return;
    }
    lb_buf_put_str(out, policy_chance(random, 4) ? "(NOT " : "(");
    add_condition(random, depth - 1, out);
    lb_buf_put_str(out, policy_chance(random, 2) ? " AND " : " OR ");
    add_condition(random, depth - 1, out);
    lb_buf_put_str(out, ")");
}

void policy_make(uint64_t seed, size_t number, struct policy *out)
{
    struct policy_random random = {seed + number * UINT64_C(0xD1342543DE82EF95)};
    struct lb_buf condition;
    *out = (struct policy){.seed = policy_random(&random, UINT64_MAX), .number = number};
    out->many = policy_chance(&random, 3);
    out->complete = policy_chance(&random, 2);
    out->cap = 1 + (unsigned)policy_random(&random, MAX_ROWS);
    out->row_roles = (unsigned)policy_random(&random, 1U << POLICY_ROLES);
    for (size_t i = 0; i < POLICY_COLUMNS; i++) {
        struct policy_column *column = &out->columns[i];
        column->kind = (enum policy_kind)policy_random(&random, POLICY_YUAN + 1);
        column->selected = !policy_chance(&random, 5);
        column->kind = i == 0 ? POLICY_CODE : i == 1 ? POLICY_INT : column->kind;
        if (column->selected && (!out->many || column->kind >= POLICY_INT))
            column->roles = (unsigned)policy_random(&random, 1U << POLICY_ROLES);
    }
    lb_buf_over(&condition, (uint8_t *)out->condition, sizeof(out->condition) - 1);
    lb_buf_put_str(&condition, "(");
    add_condition(&random, 3, &condition);
    lb_buf_put_str(&condition, ")");
}

/* --- the table --- */

static const char *sql_type(enum policy_kind kind, struct policy_random *random)
{
    static const char *const texts[] = {"text", "varchar(60)", "char(60)"};
    switch (kind) {
    case POLICY_DATE:
        return "date";
    case POLICY_INT:
        return "integer";
    case POLICY_CENTS:
        return "bigint";
    case POLICY_YUAN:
        return "numeric(14,2)";
    default:
        return texts[policy_random(random, 3)];
    }
}

static void add_value(enum policy_kind kind, size_t column, struct policy_random *random,
                      struct lb_buf *out)
{
    uint64_t any = policy_random(random, 1000000000);
    if (policy_chance(random, 6))
        lb_buf_put_str(out, "NULL");
    else if (column == 0)
        lb_buf_printf(out, "'%s'", codes[any % (sizeof(codes) / sizeof(codes[0]))]);
    else if (column == 1)
        lb_buf_printf(out, "%llu", (unsigned long long)(any % 4));
    else if (kind == POLICY_DATE)
        lb_buf_printf(out, "'%04d-%02d-%02d'", 1900 + (int)(any % 120), 1 + (int)(any / 120 % 12),
                      1 + (int)(any / 1440 % 28));
    else if (kind == POLICY_YUAN)
        lb_buf_printf(out, "%s%llu.%02llu", any % 7 == 0 ? "-" : "",
                      (unsigned long long)(any / 100), (unsigned long long)(any % 100));
    else if (kind == POLICY_INT || kind == POLICY_CENTS)
        lb_buf_printf(out, "%llu", (unsigned long long)any);
    else if (policy_chance(random, 8))
        lb_buf_put_str(out, policy_chance(random, 2) ? "''" : "'   '");
    else
        lb_buf_printf(out, policy_chance(random, 2) ? "'v%llu  '" : "'张·伟 ''%llu\\'",
                      (unsigned long long)any);
}

static void add_row(const struct policy *policy, const char *person, struct policy_random *random,
                    struct lb_buf *out)
{
    lb_buf_printf(out, "('%s'", person);
    for (size_t i = 0; i < POLICY_COLUMNS; i++) {
        lb_buf_put_str(out, ", ");
        add_value(policy->columns[i].kind, i, random, out);
    }
    lb_buf_put_str(out, ")");
}

/* One row each where that is the rule, mostly: a person with two is nobody's for certain. */
static size_t num_rows(const struct policy *policy, struct policy_random *random)
{
    if (policy->many || policy_chance(random, 5))
        return policy_random(random, MAX_ROWS + 1);
    return policy_chance(random, 6) ? 0 : 1;
}

static void add_rows(const struct policy *policy, struct policy_random *random, struct lb_buf *out)
{
    lb_buf_printf(out, "INSERT INTO t%zu VALUES ", policy->number);
    for (size_t p = 0; p < POLICY_PERSONS; p++)
        for (size_t left = num_rows(policy, random); left > 0; left--) {
            add_row(policy, policy->persons[p], random, out);
            lb_buf_put_str(out, ", ");
        }
    add_row(policy, "somebody else", random, out);
    lb_buf_put_str(out, ";\n");
}

static void add_grants(const struct policy *policy, struct lb_buf *out)
{
    for (unsigned role = 0; role < POLICY_ROLES; role++) {
        const char *before = "GRANT SELECT (";
        for (size_t i = 0; i < POLICY_COLUMNS; i++) {
            if ((policy->columns[i].roles & 1U << role) == 0)
                continue;
            lb_buf_printf(out, "%s%s", before, names[i]);
            before = ", ";
        }
        if ((policy->row_roles & 1U << role) != 0) {
            lb_buf_printf(out, "%sid_no", before);
            before = ", ";
        }
        if (before[0] == ',')
            lb_buf_printf(out, ") ON t%zu TO r%u;\n", policy->number, role);
    }
}

void policy_write_sql(const struct policy *policy, struct lb_buf *out)
{
    static const char *const keys[] = {"text", "varchar(18)", "char(18)"};
    struct policy_random random = {policy->seed};
    size_t t = policy->number;
    lb_buf_printf(out, "CREATE TABLE t%zu(id_no %s", t, keys[policy_random(&random, 3)]);
    for (size_t i = 0; i < POLICY_COLUMNS; i++)
        lb_buf_printf(out, ", %s %s", names[i], sql_type(policy->columns[i].kind, &random));
    lb_buf_put_str(out, ");\n");
    add_rows(policy, &random, out);
    lb_buf_printf(out, "ALTER TABLE t%zu ENABLE ROW LEVEL SECURITY;\n"
                       "CREATE POLICY everybody ON t%zu TO r0, r1, r2, r3 USING (id_no ="
                       " current_setting('app.person') AND %s);\n"
                       "CREATE POLICY adapter ON t%zu TO reader USING (true);\n"
                       "GRANT SELECT ON t%zu TO reader;\n",
                  t, t, policy->condition, t, t);
    add_grants(policy, out);
}
