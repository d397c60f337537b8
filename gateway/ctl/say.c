#include "gateway/ctl/say.h"

#include <stdarg.h>

#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/text.h"

#define NOTE_BYTES 1024

void lb_ctl_note(const struct lb_ctl_env *env, const char *format, ...)
{
    char line[NOTE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    (void)fputs("lianban: ", env->err);
    lb_ctl_put(env->err, line);
    (void)fputc('\n', env->err);
    (void)fflush(env->err);
}

static void print_error_json(const struct lb_ctl_env *env, enum lb_code code, const char *detail)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *error = lb_json_object();
    lb_json_set_cstr(error, "code", lb_code_name(code));
    lb_json_set_cstr(error, "en", lb_code_text_en(code));
    lb_json_set_cstr(error, "zh", lb_code_text_zh(code));
    lb_json_set_cstr(error, "detail", detail);
    lb_json_set(root, "error", error);
    lb_status_ignore(lb_ctl_print_json(env, root)); /* the failure is told in words as well */
}

int lb_ctl_fail(const struct lb_ctl_env *env, const char *command, lb_status status,
                const struct lb_diag *diag)
{
    enum lb_code code = lb_status_code(status);
    const char *detail = diag != NULL ? diag->text : "";
    (void)fprintf(env->err, "lianban %s: ", command);
    if (detail[0] != 0) {
        lb_ctl_put(env->err, detail);
        (void)fputs(" — ", env->err);
    }
    (void)fprintf(env->err, "%s: %s %s\n", lb_code_name(code), lb_code_text_en(code),
                  lb_code_text_zh(code));
    if (env->json)
        print_error_json(env, code, detail);
    return LB_CTL_FAILED;
}

lb_status lb_ctl_print_json(const struct lb_ctl_env *env, const struct lb_json *json)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * LB_FILE_ARENA_BYTES);
    struct lb_span text = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_json_dump(json, LB_JSON_PRETTY, arena, &text));
    (void)fwrite(text.ptr, 1, text.len, env->out); /* the stream is checked at the end */
    (void)fputc('\n', env->out);
    return LB_OK;
}

static lb_status read_stream(FILE *in, size_t max_bytes, struct lb_arena *arena,
                             struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf content;
    uint8_t chunk[4096];
    size_t got;
    lb_buf_init(&content, max_bytes);
    while ((got = fread(chunk, 1, sizeof(chunk), in)) > 0 && !content.failed)
        lb_buf_put(&content, lb_span_of(chunk, got));
    lb_wipe(chunk, sizeof(chunk));
    LB_ENSURE(ferror(in) == 0, LB_FILE_FAILED, "it cannot be read");
    LB_TRY(lb_buf_check(&content));
    return lb_arena_copy(arena, lb_buf_span(&content), out);
}

lb_status lb_ctl_read(const struct lb_ctl_env *env, const char *path, size_t max_bytes,
                      struct lb_arena *arena, struct lb_diag *diag, struct lb_span *out)
{
    bool piped = strcmp(path, "-") == 0;
    lb_status status = piped ? read_stream(env->in, max_bytes, arena, out)
                             : lb_file_read(path, max_bytes, arena, out);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: %s; check the path, or give - for standard input",
                    piped ? "standard input" : path, status->what);
    return status;
}
