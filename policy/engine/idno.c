#include "policy/engine/idno.h"

#include "policy/engine/date.h"

#define ID_CHARS 18
#define FIRST_BIRTH_YEAR 1800  /* an earlier one is digits out of place */
#define LAST_BIRTH_YEAR 2199

static bool birth_of(const uint8_t *id, struct lb_date *out)
{
    struct lb_date birth = {
        .year = lb_date_digits(id + 6, 4),
        .month = lb_date_digits(id + 10, 2),
        .day = lb_date_digits(id + 12, 2),
    };
    if (!lb_date_valid(&birth) || birth.year < FIRST_BIRTH_YEAR || birth.year > LAST_BIRTH_YEAR)
        return false;
    *out = birth;
    return true;
}

/* GB 11643-1999, 4.2.2: ISO 7064 MOD 11-2. */
static char check_character(const uint8_t *id)
{
    static const int weights[ID_CHARS - 1] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < ID_CHARS - 1; i++)
        sum += (id[i] - '0') * weights[i];
    return "10X98765432"[sum % 11];
}

static lb_status read_id(struct lb_span id_no, char out[ID_CHARS + 1], struct lb_date *out_birth)
{
    LB_ENSURE(id_no.len == ID_CHARS, LB_ID_INVALID, "identity number of another length");
    for (size_t i = 0; i < ID_CHARS - 1; i++)
        LB_ENSURE(id_no.ptr[i] >= '0' && id_no.ptr[i] <= '9', LB_ID_INVALID,
                  "identity number with a character that is no digit");
    struct lb_date birth;
    LB_ENSURE(birth_of(id_no.ptr, &birth), LB_ID_INVALID, "identity number with no birth date");
    char last = (char)id_no.ptr[ID_CHARS - 1];
    if (last == 'x')
        last = 'X';
    LB_ENSURE(last == check_character(id_no.ptr), LB_ID_INVALID,
              "identity number with a wrong check character");
    memcpy(out, id_no.ptr, ID_CHARS - 1);
    out[ID_CHARS - 1] = last;
    out[ID_CHARS] = '\0';
    *out_birth = birth;
    return LB_OK;
}

lb_status lb_idno_check(struct lb_span id_no)
{
    char normal[ID_CHARS + 1];
    struct lb_date birth;
    return read_id(id_no, normal, &birth);
}

lb_status lb_idno_normalise(struct lb_span id_no, char out[19])
{
    struct lb_date birth;
    return read_id(id_no, out, &birth);
}

lb_status lb_idno_age(struct lb_span id_no, const char *today, int *out_years)
{
    char normal[ID_CHARS + 1];
    struct lb_date birth;
    struct lb_date day;
    LB_TRY(read_id(id_no, normal, &birth));
    LB_ENSURE(lb_date_parse(lb_span_str(today), &day), LB_INTERNAL, "today is not a date");
    int years = lb_date_age(&birth, &day);
    LB_ENSURE(years >= 0, LB_ID_INVALID, "identity number of somebody not yet born");
    *out_years = years;
    return LB_OK;
}
