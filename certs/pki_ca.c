#include "certs/pki_ca.h"

#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/trust/directory.h"

#define DAY_S 86400
/* Lists are dated back a little, so that a node whose clock lags takes a fresh one at once. */
#define CRL_BACKDATE_S 300

void lb_pki_ca_close(struct lb_pki_ca *ca)
{
    lb_store_close(ca->index);
    ca->index = NULL;
    if (ca->lock_fd >= 0)
        (void)close(ca->lock_fd);
    ca->lock_fd = -1;
}

static lb_status lock(struct lb_tool *tool, struct lb_pki_ca *ca)
{
    return lb_tool_explain(tool, lb_file_lock(ca->folder, &ca->lock_fd),
                           "%s: cannot be locked; another command may be at work there",
                           ca->folder);
}

static lb_status open_index(struct lb_tool *tool, struct lb_pki_ca *ca, bool create)
{
    const char *path = NULL;
    LB_TRY(lb_tool_path(tool, ca->folder, "index.db", &path));
    return lb_tool_explain(tool, lb_pki_index_open(path, create, &ca->index),
                           "%s: cannot be opened", path);
}

static lb_status read_files(struct lb_tool *tool, struct lb_pki_ca *ca)
{
    const char *cert = NULL;
    const char *key = NULL;
    LB_TRY(lb_tool_path(tool, ca->folder, "ca.pem", &cert));
    LB_TRY(lb_tool_path(tool, ca->folder, "ca-key.pem", &key));
    LB_TRY(lb_tool_explain(tool, lb_file_read(cert, LB_MAX_PEM_BYTES, tool->arena, &ca->cert_pem),
                           "%s: cannot be read; is there a CA (lianban pki init)?", cert));
    LB_TRY(lb_tool_explain(
        tool, lb_file_read_secret(key, LB_MAX_PEM_BYTES, tool->arena, &ca->key_pem),
        "%s: cannot be read, or is open to others (chmod 600)", key));
    return lb_tool_explain(tool, lb_x509_info(ca->cert_pem, &ca->info), "%s: is no certificate",
                           cert);
}

lb_status lb_pki_ca_open(struct lb_tool *tool, const char *folder, struct lb_pki_ca *ca)
{
    *ca = (struct lb_pki_ca){.folder = folder, .lock_fd = -1};
    if (access(folder, F_OK) != 0)
        return lb_tool_fail(tool, "%s: there is no such folder; make a CA with lianban pki init",
                            folder);
    LB_TRY(lock(tool, ca));
    LB_TRY(read_files(tool, ca));
    return open_index(tool, ca, false);
}

static lb_status write_file(struct lb_tool *tool, const char *folder, const char *name,
                            struct lb_span content, mode_t mode)
{
    const char *path = NULL;
    LB_TRY(lb_tool_path(tool, folder, name, &path));
    return lb_tool_explain(tool, lb_file_write(path, content, mode), "%s: cannot be written", path);
}

/* The certificate comes last: a folder with ca.pem is a whole CA. */
static lb_status fill_folder(struct lb_tool *tool, struct lb_pki_ca *ca,
                             const char *organization, int64_t days)
{
    const struct lb_ca_name name = {
        .organization = organization,
        .common_name = lb_arena_printf(tool->arena, "%s CA", organization),
    };
    struct lb_pki_crl crl;
    LB_ENSURE(name.common_name != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_tool_explain(tool,
                           lb_ca_create(&name, lb_clock_unix_s(tool->clock), (unsigned)days,
                                        tool->arena, &ca->cert_pem, &ca->key_pem),
                           "the CA certificate cannot be made; is the organization's name longer "
                           "than 64 bytes?"));
    LB_TRY(write_file(tool, ca->folder, "ca-key.pem", ca->key_pem, 0600));
    LB_TRY(open_index(tool, ca, true));
    LB_TRY(lb_pki_ca_sign_crl(tool, ca, LB_PKI_CRL_DAYS, &crl));
    return write_file(tool, ca->folder, "ca.pem", ca->cert_pem, 0644);
}

lb_status lb_pki_ca_init(struct lb_tool *tool, const char *folder, const char *organization,
                         int64_t days)
{
    const char *cert = NULL;
    LB_TRY(lb_tool_path(tool, folder, "ca.pem", &cert));
    LB_TRY(lb_tool_explain(tool, lb_file_mkdirs(folder), "%s: cannot be made", folder));
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.folder = folder, .lock_fd = -1};
    LB_TRY(lock(tool, &ca));
    if (access(cert, F_OK) == 0)
        return lb_tool_fail(tool,
                            "%s exists; a CA that is replaced makes every certificate void, so "
                            "choose another folder",
                            cert);
    return fill_folder(tool, &ca, organization, days);
}

static lb_status join_names(struct lb_tool *tool, const struct lb_pki_request *request,
                            const char **out_names)
{
    const char *names = "";
    for (size_t i = 0; i < request->num_names; i++) {
        if (strpbrk(request->names[i], " \t\r\n,") != NULL)
            return lb_tool_usage(tool, "\"%.64s\" is neither a DNS name nor an address",
                                 request->names[i]);
        names = lb_arena_printf(tool->arena, "%s%s%s", names, i == 0 ? "" : "\n",
                                request->names[i]);
        LB_ENSURE(names != NULL, LB_NO_MEMORY, "arena is full");
    }
    *out_names = names;
    return LB_OK;
}

static lb_status check_request(struct lb_tool *tool, const struct lb_pki_ca *ca,
                               const struct lb_pki_request *request, int64_t now)
{
    const char *federation = NULL;
    const char *organization = NULL;
    enum lb_node_kind kind;
    if (lb_spiffe_parse(request->spiffe, tool->arena, &federation, &kind, &organization) != LB_OK)
        return lb_tool_usage(tool, "\"%.200s\" is not spiffe://<federation>/<kind>/<organization>"
                                   "[/<name>] with a kind of broker, adapter, window, consent, "
                                   "officer or auditor",
                             request->spiffe);
    if (now + request->lifetime_s > ca->info.not_after_unix_s)
        return lb_tool_fail(tool, "the certificate would outlive its CA; choose a shorter time");
    return LB_OK;
}

lb_status lb_pki_ca_issue(struct lb_tool *tool, struct lb_pki_ca *ca,
                          const struct lb_pki_request *request, struct lb_pki_issued *out_issued)
{
    const struct lb_ca_issue_options options = {
        .spiffe = request->spiffe,
        .names = request->names,
        .num_names = request->num_names,
        .now_unix_s = lb_clock_unix_s(tool->clock),
        .lifetime_s = request->lifetime_s,
    };
    struct lb_pki_issued issued;
    struct lb_pki_entry entry = {0};
    LB_TRY(check_request(tool, ca, request, options.now_unix_s));
    LB_TRY(join_names(tool, request, &entry.names));
    LB_TRY(lb_tool_explain(tool,
                           lb_ca_issue(ca->cert_pem, ca->key_pem, &options, tool->arena,
                                       &issued.cert_pem, &issued.key_pem),
                           "the certificate cannot be made; check the names"));
    LB_TRY(lb_x509_info(issued.cert_pem, &issued.info));
    entry.serial_hex = issued.info.serial_hex;
    entry.spiffe = request->spiffe;
    entry.not_before_unix_s = issued.info.not_before_unix_s;
    entry.not_after_unix_s = issued.info.not_after_unix_s;
    LB_TRY(lb_tool_explain(tool, lb_pki_index_add(ca->index, &entry),
                           "%s/index.db: cannot be written", ca->folder));
    *out_issued = issued;
    return LB_OK;
}

static lb_status list_revoked(struct lb_tool *tool, struct lb_pki_ca *ca,
                              struct lb_ca_revoked **out_list, size_t *out_num)
{
    struct lb_pki_entry *entries = NULL;
    size_t num = 0;
    LB_TRY(lb_pki_index_list(ca->index, true, tool->arena, &entries, &num));
    struct lb_ca_revoked *list = lb_arena_array(tool->arena, num, sizeof(*list));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        (void)snprintf(list[i].serial_hex, sizeof(list[i].serial_hex), "%s",
                       entries[i].serial_hex);
        list[i].revoked_unix_s = entries[i].revoked_unix_s;
    }
    *out_list = list;
    *out_num = num;
    return LB_OK;
}

lb_status lb_pki_ca_sign_crl(struct lb_tool *tool, struct lb_pki_ca *ca, int64_t days,
                             struct lb_pki_crl *out_crl)
{
    int64_t now = lb_clock_unix_s(tool->clock);
    struct lb_pki_crl crl = {
        .this_update_unix_s = now - CRL_BACKDATE_S,
        .next_update_unix_s = now + days * DAY_S,
    };
    struct lb_ca_revoked *revoked = NULL;
    size_t num = 0;
    struct lb_span pem;
    LB_TRY(list_revoked(tool, ca, &revoked, &num));
    LB_TRY(lb_pki_index_next_crl(ca->index, &crl));
    LB_TRY(lb_ca_crl(ca->cert_pem, ca->key_pem, revoked, num, crl.number, crl.this_update_unix_s,
                     crl.next_update_unix_s, tool->arena, &pem));
    LB_TRY(write_file(tool, ca->folder, "crl.pem", pem, 0644));
    *out_crl = crl;
    return LB_OK;
}
