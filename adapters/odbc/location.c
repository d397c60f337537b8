#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/api/password.h"
#include "adapters/odbc/inside.h"
#include "gateway/base/wipe.h"

/* The connection string: KEY=value;KEY={value};... */

#define MAX_LOCATION_BYTES 4096

static const char *advice(const char *key, size_t len)
{
    static const struct {
        const char *key;
        const char *advice;
    } known[] = {
        {"PWD", "the connection string holds a password; put it into a file with mode 0600 that "
                "belongs to this user, and name that file in password_file"},
        {"PASSWORD", "the connection string holds a password; put it into a file with mode 0600 "
                     "that belongs to this user, and name that file in password_file"},
        {"USESERVERSIDEPREPARE", "the connection string sets UseServerSidePrepare; leave it out, "
                                 "values are bound at the server"},
        {"OPTION", "the connection string sets OPTION, which can allow several statements in one; "
                   "leave it out"},
        {"OPTIONS", "the connection string sets OPTIONS, which can allow several statements in "
                    "one; leave it out"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].key) == len && strncasecmp(known[i].key, key, len) == 0)
            return known[i].advice;
    return NULL;
}

/* Behind a value, in braces or not. */
static const char *skip_value(const char *text)
{
    if (*text != '{')
        return text + strcspn(text, ";");
    for (text++; *text != 0; text++) {
        if (*text != '}')
            continue;
        if (text[1] != '}')
            return text + 1;
        text++;
    }
    return text;
}

static lb_status check_keys(const char *location, struct lb_diag *diag)
{
    const char *at = location;
    while (*at != 0) {
        at += strspn(at, "; \t");
        size_t len = strcspn(at, "=;");
        const char *end = at + len;
        while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
            len--;
        const char *wrong = advice(at, len);
        if (wrong != NULL || (*end != '=' && len > 0)) {
            lb_diag_set(diag, "%s", wrong != NULL ? wrong
                                                  : "the connection string is not one; write it as "
                                                    "in \"Driver={...};Server=...;UID=...\"");
            LB_FAIL(LB_CONFIG_INVALID, "connection string that is refused");
        }
        at = *end == '=' ? skip_value(end + 1 + strspn(end + 1, " \t")) : end;
    }
    return LB_OK;
}

/* ";PWD={...}", a } inside doubled. */
static void add_password(struct lb_span password, char *out)
{
    static const char key[] = ";PWD={";
    size_t len = sizeof(key) - 1;
    memcpy(out, key, len);
    for (size_t i = 0; i < password.len; i++) {
        out[len++] = (char)password.ptr[i];
        if (password.ptr[i] == '}')
            out[len++] = '}';
    }
    out[len++] = '}';
    out[len] = 0;
}

static lb_status put_together(const struct lb_source_options *options, struct lb_arena *arena,
                              struct lb_diag *diag, char **out_location)
{
    struct lb_span password = LB_SPAN_EMPTY;
    size_t len = strlen(options->location);
    if (options->password_file != NULL)
        LB_TRY(lb_source_read_password(options->password_file, arena, diag, &password));
    char *location = calloc(1, len + 2 * password.len + 16);
    LB_ENSURE(location != NULL, LB_NO_MEMORY, "memory is exhausted");
    memcpy(location, options->location, len);
    if (options->password_file != NULL)
        add_password(password, location + len);
    *out_location = location;
    return LB_OK;
}

lb_status lb_odbc_location(const struct lb_source_options *options, struct lb_diag *diag,
                           char **out_location)
{
    LB_ENSURE(strlen(options->location) <= MAX_LOCATION_BYTES, LB_CONFIG_INVALID,
              "connection string is too long");
    LB_TRY(check_keys(options->location, diag));
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(16 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    return put_together(options, arena, diag, out_location);
}
