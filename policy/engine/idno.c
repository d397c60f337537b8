#include "policy/engine/idno.h"

#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "policy/engine/date.h"

#define ID_CHARS 18
#define OLD_ID_CHARS 15
#define FIRST_OLD_AGE_SEQUENCE 996 /* to 999: for those past a hundred when numbers were given */
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

/* Up to 18 characters in ASCII; false when there are more, or one is no digit and no X. */
static bool narrow(struct lb_span text, char out[ID_CHARS], size_t *out_num)
{
    size_t offset = 0;
    size_t num = 0;
    int32_t point;
    while ((point = lb_utf8_next(text, &offset)) >= 0) {
        if (point >= 0xFF01 && point <= 0xFF5E)
            point -= 0xFF01 - 0x21;
        bool known = (point >= '0' && point <= '9') || point == 'x' || point == 'X';
        if (!known || num == ID_CHARS)
            return false;
        out[num++] = (char)point;
    }
    *out_num = num;
    return point == -1;
}

/* RRRRRRYYMMDDSSS to RRRRRRyyYYMMDDSSSC; all are digits. */
static void lengthen(const char old[OLD_ID_CHARS], char out[ID_CHARS])
{
    int sequence = lb_date_digits((const uint8_t *)old + 12, 3);
    memcpy(out, old, 6);
    memcpy(out + 6, sequence >= FIRST_OLD_AGE_SEQUENCE ? "18" : "19", 2);
    memcpy(out + 8, old + 6, OLD_ID_CHARS - 6);
    out[ID_CHARS - 1] = check_character((const uint8_t *)out);
}

static bool has_letter(const char *text, size_t num)
{
    return memchr(text, 'x', num) != NULL || memchr(text, 'X', num) != NULL;
}

lb_status lb_idno_canonical(struct lb_span id_no, char out[19])
{
    char given[ID_CHARS];
    char whole[ID_CHARS];
    size_t num = 0;
    LB_ENSURE(narrow(lb_text_trim(id_no), given, &num), LB_ID_INVALID,
              "identity number with a character that is no digit");
    if (num == OLD_ID_CHARS && !has_letter(given, num)) {
        lengthen(given, whole);
        memcpy(given, whole, ID_CHARS);
        num = ID_CHARS;
    }
    lb_status status = lb_idno_normalise(lb_span_of(given, num), out);
    lb_wipe(given, sizeof(given));
    lb_wipe(whole, sizeof(whole));
    return status;
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
