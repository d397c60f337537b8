#include "adapters/api/password.h"

#include <string.h>

#include "gateway/base/file.h"

#define MAX_PASSWORD_BYTES 1024

lb_status lb_source_read_password(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                                  struct lb_span *out)
{
    struct lb_span text = LB_SPAN_EMPTY;
    if (lb_file_read_secret(path, MAX_PASSWORD_BYTES, arena, &text) != LB_OK) {
        lb_diag_set(diag, "%s: the password file can't be read as a private file; it must belong "
                          "to this user with mode 0600", path);
        LB_FAIL(LB_CONFIG_INVALID, "password file unreadable or not private");
    }
    const uint8_t *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
    text.len = end != NULL ? (size_t)(end - text.ptr) : text.len;
    while (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    *out = text;
    return LB_OK;
}
