#include <stdio.h>
#include <unistd.h>

#include "certs/pki_ca.h"
#include "certs/pki_tools.h"
#include "gateway/base/file.h"

#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)
#define DEFAULT_DAYS 90
#define MAX_DAYS 825

struct issue_options {
    const char *folder;
    const char *out;
    const char *spiffe;
    struct lb_tool_list names;
    int64_t days;
    int64_t hours;
};

static lb_status read_issue(struct lb_tool *tool, int argc, char **argv, bool renew,
                            struct issue_options *options)
{
    const struct lb_option known[] = {
        {.name = "--dir", .kind = LB_OPTION_TEXT, .required = true, .target = &options->folder},
        {.name = "--out", .kind = LB_OPTION_TEXT, .required = true, .target = &options->out},
        {.name = "--days", .kind = LB_OPTION_INT, .target = &options->days, .min = 1,
         .max = MAX_DAYS},
        {.name = "--hours", .kind = LB_OPTION_INT, .target = &options->hours, .min = 1,
         .max = MAX_DAYS * 24},
        {.name = "--id", .kind = LB_OPTION_TEXT, .required = true, .target = &options->spiffe},
        {.name = "--name", .kind = LB_OPTION_LIST, .target = &options->names},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, known, renew ? 4 : 6));
    if (options->days != 0 && options->hours != 0)
        return lb_tool_usage(tool, "give --days or --hours, not both");
    return LB_OK;
}

static int64_t lifetime_of(const struct issue_options *options)
{
    if (options->hours != 0)
        return options->hours * HOUR_S;
    return (options->days != 0 ? options->days : DEFAULT_DAYS) * DAY_S;
}

static lb_status put(struct lb_tool *tool, const char *folder, const char *name,
                     struct lb_span content, mode_t mode)
{
    const char *path = NULL;
    LB_TRY(lb_tool_path(tool, folder, name, &path));
    return lb_tool_explain(tool, lb_file_write(path, content, mode), "%s: cannot be written", path);
}

static lb_status replace(struct lb_tool *tool, const char *folder, const char *from,
                         const char *to)
{
    const char *source = NULL;
    const char *target = NULL;
    LB_TRY(lb_tool_path(tool, folder, from, &source));
    LB_TRY(lb_tool_path(tool, folder, to, &target));
    LB_ENSURE(rename(source, target) == 0, LB_FILE_FAILED, "file cannot be put in place");
    return LB_OK;
}

/* Both new files are whole on the disk before either takes the old one's place, so a node is never
 * left without a working pair for longer than two renames. */
static lb_status put_pair(struct lb_tool *tool, const char *folder, const struct lb_pki_ca *ca,
                          const struct lb_pki_issued *issued)
{
    LB_TRY(lb_tool_explain(tool, lb_file_mkdirs(folder), "%s: cannot be made", folder));
    LB_TRY(put(tool, folder, "ca.pem", ca->cert_pem, 0644));
    LB_TRY(put(tool, folder, "key.pem.next", issued->key_pem, 0600));
    LB_TRY(put(tool, folder, "cert.pem.next", issued->cert_pem, 0644));
    LB_TRY(replace(tool, folder, "key.pem.next", "key.pem"));
    return replace(tool, folder, "cert.pem.next", "cert.pem");
}

static lb_status issue_into(struct lb_tool *tool, struct lb_pki_ca *ca,
                            const struct lb_pki_request *request, const char *folder)
{
    struct lb_pki_issued issued;
    LB_TRY(lb_pki_ca_issue(tool, ca, request, &issued));
    LB_TRY(put_pair(tool, folder, ca, &issued));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "out", folder);
    lb_pki_set_cert(result, &issued.info);
    return lb_tool_result(tool, result);
}

lb_status lb_pki_run_issue(struct lb_tool *tool, int argc, char **argv)
{
    struct issue_options options = {0};
    const char *cert = NULL;
    LB_TRY(read_issue(tool, argc, argv, false, &options));
    LB_TRY(lb_tool_path(tool, options.out, "cert.pem", &cert));
    if (access(cert, F_OK) == 0)
        return lb_tool_fail(tool, "%s exists; use lianban pki renew, or another folder", cert);
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    LB_TRY(lb_pki_ca_open(tool, options.folder, &ca));
    const struct lb_pki_request request = {
        .spiffe = options.spiffe,
        .names = options.names.items,
        .num_names = options.names.num,
        .lifetime_s = lifetime_of(&options),
    };
    return issue_into(tool, &ca, &request, options.out);
}

/* Splits the recorded names, one a line, into a list. */
static lb_status split_names(struct lb_tool *tool, const char *text, struct lb_tool_list *out)
{
    while (*text != 0) {
        size_t len = strcspn(text, "\n");
        LB_ENSURE(out->num < LB_TOOL_MAX_LIST, LB_TOO_LARGE, "too many names");
        const char *name = lb_arena_str(tool->arena, lb_span_of(text, len));
        LB_ENSURE(name != NULL, LB_NO_MEMORY, "arena is full");
        out->items[out->num++] = name;
        text += len + (text[len] == '\n');
    }
    return LB_OK;
}

lb_status lb_pki_run_renew(struct lb_tool *tool, int argc, char **argv)
{
    struct issue_options options = {0};
    const char *cert = NULL;
    struct lb_cert_info old;
    struct lb_pki_entry entry;
    LB_TRY(read_issue(tool, argc, argv, true, &options));
    LB_TRY(lb_tool_path(tool, options.out, "cert.pem", &cert));
    LB_TRY(lb_pki_read_cert(tool, cert, &old));
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    LB_TRY(lb_pki_ca_open(tool, options.folder, &ca));
    LB_TRY(lb_tool_explain(
        tool, lb_pki_index_find(ca.index, old.serial_hex, tool->arena, &entry),
        "%s: this CA has not issued it", cert));
    if (entry.revoked_unix_s != 0)
        return lb_tool_fail(tool, "%s: is revoked; issue a new certificate instead", cert);
    LB_TRY(split_names(tool, entry.names, &options.names));
    const struct lb_pki_request request = {
        .spiffe = entry.spiffe,
        .names = options.names.items,
        .num_names = options.names.num,
        .lifetime_s = lifetime_of(&options),
    };
    return issue_into(tool, &ca, &request, options.out);
}
