#include "certs/pki.h"

#include "certs/pki_ca.h"
#include "certs/pki_tools.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"

#define DEFAULT_CA_DAYS 3650
#define MAX_CA_DAYS 36500
#define MAX_CRL_DAYS 365

void lb_pki_set_cert(struct lb_json *result, const struct lb_cert_info *info)
{
    char hex[65];
    lb_json_set_cstr(result, "spiffe", info->spiffe);
    lb_json_set_cstr(result, "serial", info->serial_hex);
    lb_tool_set_time(result, "not_before", "not_before_text", info->not_before_unix_s);
    lb_tool_set_time(result, "not_after", "not_after_text", info->not_after_unix_s);
    lb_hex_encode(lb_span_of(info->sha256, 32), hex);
    lb_json_set_cstr(result, "sha256", hex);
    lb_hex_encode(lb_span_of(info->spki_sha256, 32), hex);
    lb_json_set_cstr(result, "spki_sha256", hex);
}

lb_status lb_pki_read_cert(struct lb_tool *tool, const char *path, struct lb_cert_info *out_info)
{
    struct lb_span pem;
    LB_TRY(lb_tool_explain(tool, lb_file_read(path, LB_MAX_PEM_BYTES, tool->arena, &pem),
                           "%s: cannot be read", path));
    return lb_tool_explain(tool, lb_x509_info(pem, out_info), "%s: is no certificate", path);
}

static void set_crl(struct lb_json *result, const struct lb_pki_crl *crl)
{
    lb_json_set_int(result, "crl_number", (int64_t)crl->number);
    lb_tool_set_time(result, "crl_next_update", "crl_next_update_text", crl->next_update_unix_s);
}

/* --- init --- */

static lb_status run_init(struct lb_tool *tool, int argc, char **argv)
{
    const char *folder = NULL;
    const char *organization = "Lianban";
    int64_t days = DEFAULT_CA_DAYS;
    const struct lb_option options[] = {
        {.name = "--dir", .kind = LB_OPTION_TEXT, .required = true, .target = &folder},
        {.name = "--organization", .kind = LB_OPTION_TEXT, .target = &organization},
        {.name = "--days", .kind = LB_OPTION_INT, .target = &days, .min = 1, .max = MAX_CA_DAYS},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 3));
    LB_TRY(lb_pki_ca_init(tool, folder, organization, days));
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    LB_TRY(lb_pki_ca_open(tool, folder, &ca));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "dir", folder);
    lb_json_set_cstr(result, "organization", organization);
    char pin[65];
    lb_hex_encode(lb_span_of(ca.info.spki_sha256, 32), pin);
    lb_json_set_cstr(result, "pin", pin);
    lb_tool_set_time(result, "not_after", "not_after_text", ca.info.not_after_unix_s);
    return lb_tool_result(tool, result);
}

/* --- revoke and crl --- */

static lb_status find_serial(struct lb_tool *tool, const char *serial, const char *cert,
                             const char **out_serial)
{
    struct lb_cert_info info;
    if ((serial == NULL) == (cert == NULL))
        return lb_tool_usage(tool, "give --serial or --cert");
    const char *given = serial;
    if (cert != NULL) {
        LB_TRY(lb_pki_read_cert(tool, cert, &info));
        given = info.serial_hex;
    }
    char *lower = lb_arena_printf(tool->arena, "%s", given);
    LB_ENSURE(lower != NULL, LB_NO_MEMORY, "arena is full");
    if (lower[strspn(lower, "0123456789abcdefABCDEF")] != 0)
        return lb_tool_usage(tool, "--serial takes hex digits");
    for (char *at = lower; *at != 0; at++) {
        if (*at >= 'A' && *at <= 'F')
            *at = (char)(*at - 'A' + 'a');
    }
    *out_serial = lower;
    return LB_OK;
}

static lb_status run_revoke(struct lb_tool *tool, int argc, char **argv)
{
    const char *folder = NULL;
    const char *serial = NULL;
    const char *cert = NULL;
    const struct lb_option options[] = {
        {.name = "--dir", .kind = LB_OPTION_TEXT, .required = true, .target = &folder},
        {.name = "--serial", .kind = LB_OPTION_TEXT, .target = &serial},
        {.name = "--cert", .kind = LB_OPTION_TEXT, .target = &cert},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 3));
    LB_TRY(find_serial(tool, serial, cert, &serial));
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    struct lb_pki_crl crl;
    bool is_new = false;
    LB_TRY(lb_pki_ca_open(tool, folder, &ca));
    LB_TRY(lb_tool_explain(
        tool,
        lb_pki_index_revoke(ca.index, serial, lb_clock_unix_s(tool->clock), &is_new),
        "serial %s: this CA has not issued it", serial));
    /* Also when it was revoked before: the last attempt may have ended before its list was
     * written. */
    LB_TRY(lb_pki_ca_sign_crl(tool, &ca, LB_PKI_CRL_DAYS, &crl));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "serial", serial);
    lb_json_set_cstr(result, "state", is_new ? "revoked" : "revoked before");
    set_crl(result, &crl);
    return lb_tool_result(tool, result);
}

static lb_status run_crl(struct lb_tool *tool, int argc, char **argv)
{
    const char *folder = NULL;
    int64_t days = LB_PKI_CRL_DAYS;
    const struct lb_option options[] = {
        {.name = "--dir", .kind = LB_OPTION_TEXT, .required = true, .target = &folder},
        {.name = "--days", .kind = LB_OPTION_INT, .target = &days, .min = 1, .max = MAX_CRL_DAYS},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 2));
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    struct lb_pki_crl crl;
    LB_TRY(lb_pki_ca_open(tool, folder, &ca));
    LB_TRY(lb_pki_ca_sign_crl(tool, &ca, days, &crl));
    struct lb_json *result = lb_json_object();
    set_crl(result, &crl);
    return lb_tool_result(tool, result);
}

/* --- show --- */

static const char *state_of(const struct lb_pki_entry *entry, int64_t now)
{
    if (entry->revoked_unix_s != 0)
        return "revoked";
    return now > entry->not_after_unix_s ? "expired" : "valid";
}

static lb_status show_issued(struct lb_tool *tool, struct lb_pki_ca *ca, struct lb_json *list)
{
    struct lb_pki_entry *entries = NULL;
    size_t num = 0;
    LB_TRY(lb_pki_index_list(ca->index, false, tool->arena, &entries, &num));
    for (size_t i = 0; i < num; i++) {
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "serial", entries[i].serial_hex);
        lb_json_set_cstr(item, "spiffe", entries[i].spiffe);
        lb_tool_set_time(item, "not_after", "not_after_text", entries[i].not_after_unix_s);
        lb_json_set_cstr(item, "state", state_of(&entries[i], lb_clock_unix_s(tool->clock)));
        lb_json_append(list, item);
    }
    return LB_OK;
}

static lb_status show_ca(struct lb_tool *tool, const char *folder)
{
    LB_DEFER(lb_pki_ca_close) struct lb_pki_ca ca = {.lock_fd = -1};
    struct lb_pki_crl crl;
    char pin[65];
    LB_TRY(lb_pki_ca_open(tool, folder, &ca));
    LB_TRY(lb_pki_index_crl(ca.index, &crl));
    struct lb_json *result = lb_json_object();
    struct lb_json *list = lb_json_array();
    lb_hex_encode(lb_span_of(ca.info.spki_sha256, 32), pin);
    lb_json_set_cstr(result, "dir", folder);
    lb_json_set_cstr(result, "pin", pin);
    lb_tool_set_time(result, "not_after", "not_after_text", ca.info.not_after_unix_s);
    set_crl(result, &crl);
    lb_status status = show_issued(tool, &ca, list);
    lb_json_set(result, "issued", list);
    if (status != LB_OK) {
        lb_json_free(result);
        return status;
    }
    return lb_tool_result(tool, result);
}

static lb_status run_show(struct lb_tool *tool, int argc, char **argv)
{
    const char *folder = NULL;
    const char *cert = NULL;
    const struct lb_option options[] = {
        {.name = "--dir", .kind = LB_OPTION_TEXT, .target = &folder},
        {.name = "--cert", .kind = LB_OPTION_TEXT, .target = &cert},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 2));
    if ((folder == NULL) == (cert == NULL))
        return lb_tool_usage(tool, "give --dir or --cert");
    if (folder != NULL)
        return show_ca(tool, folder);
    struct lb_cert_info info;
    LB_TRY(lb_pki_read_cert(tool, cert, &info));
    struct lb_json *result = lb_json_object();
    lb_pki_set_cert(result, &info);
    lb_json_set_cstr(result, "kind", info.is_ca ? "ca" : "leaf");
    return lb_tool_result(tool, result);
}

/* --- help --- */

static const struct lb_tool_command commands[] = {
    {"init",
     "lianban pki init --dir D [--organization O] [--days N] [--json]\n\n"
     "Makes a CA in folder D (ca.pem, ca-key.pem, crl.pem, index.db). Its `pin` goes into the\n"
     "directory. Keep D off every node.\n\n"
     "  --organization O  default Lianban\n"
     "  --days N          life of the CA, 1 to 36500, default 3650\n"
     "\nExample:\n  lianban pki init --dir pki --organization \"City Data Office\"\n",
     run_init},
    {"issue",
     "lianban pki issue --dir D --id SPIFFE --out FOLDER [--name DNS|IP]... \n"
     "                  [--days N | --hours N] [--json]\n\n"
     "Makes a key and a certificate for one node: FOLDER/key.pem (mode 0600), cert.pem, ca.pem.\n\n"
     "  --id SPIFFE       spiffe://<federation>/<kind>/<organization>[/<name>]\n"
     "  --name DNS|IP     a name clients dial; may be given more than once\n"
     "  --days, --hours   life of the certificate, default 90 days, at most 825\n"
     "\nExample:\n"
     "  lianban pki issue --dir pki --id spiffe://city.gov/adapter/tax/one --out tax \\\n"
     "      --name 127.0.0.1\n",
     lb_pki_run_issue},
    {"renew",
     "lianban pki renew --dir D --out FOLDER [--days N | --hours N] [--json]\n\n"
     "Replaces the certificate and key in FOLDER by new ones of the same id and names. The old\n"
     "certificate stays valid until it expires; revoke it if its key is lost.\n\n"
     "  --days, --hours   life of the new certificate, default 90 days, at most 825\n"
     "\nExample:\n  lianban pki renew --dir pki --out tax\n",
     lb_pki_run_renew},
    {"revoke",
     "lianban pki revoke --dir D (--serial HEX | --cert FILE) [--json]\n\n"
     "Revokes a certificate and signs a new revocation list, valid 30 days. Bring D/crl.pem to\n"
     "every node; connections of the revoked end within seconds of its arrival.\n"
     "\nExample:\n  lianban pki revoke --dir pki --cert tax/cert.pem\n",
     run_revoke},
    {"crl",
     "lianban pki crl --dir D [--days N] [--json]\n\n"
     "Signs the revocation list anew. A node without a current list trusts nobody.\n\n"
     "  --days N          until the next one is due, 1 to 365, default 30\n"
     "\nExample:\n  lianban pki crl --dir pki --days 7\n",
     run_crl},
    {"show",
     "lianban pki show (--dir D | --cert FILE) [--json]\n\n"
     "Shows a CA with all it issued, or one certificate.\n"
     "\nExample:\n  lianban pki show --dir pki\n",
     run_show},
};

const struct lb_tool_set lb_pki_tools = {
    .name = "pki",
    .help = "lianban pki: the embedded certificate authority.\n",
    .commands = commands,
    .num_commands = sizeof(commands) / sizeof(commands[0]),
};

int lb_pki_command(int argc, char **argv)
{
    return lb_tool_run(&lb_pki_tools, argc, argv, stdout, stderr);
}
