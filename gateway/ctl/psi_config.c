#include "gateway/base/buf.h"
#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/psi.h"
#include "gateway/note/note.h"

/* What two departments have agreed on, read from one's own file. Its text is what both must have,
 * word for word, down to the hash of the query either list comes from. */

#define MAX_DAYS 366
#define MAX_TEXT_BYTES (16 * 1024)
#define SHA256_CHARACTERS 64

static lb_status fail(const struct lb_yaml_node *node, struct lb_ctl_psi *psi, const char *text)
{
    return lb_yaml_fail(node, &psi->node.diag, "%s", text);
}

static lb_status keep(struct lb_ctl_psi *psi, const char *text, const char **out)
{
    *out = lb_arena_str(psi->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* One line, so that no value can make up another member of the text. */
static lb_status need_line(struct lb_ctl_psi *psi, const struct lb_yaml_node *map, const char *key,
                           const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, &psi->node.diag, &text));
    if (!lb_utf8_line(text, LB_MAX_VALUE_BYTES))
        return lb_yaml_fail(lb_yaml_get(map, key), &psi->node.diag,
                            "`%s` is one line of at most %d bytes", key, LB_MAX_VALUE_BYTES);
    return keep(psi, text, out);
}

static lb_status need_path(struct lb_ctl_psi *psi, const struct lb_yaml_node *map, const char *key,
                           const char **out)
{
    const char *text = NULL;
    const char *slash = strrchr(psi->config_path, '/');
    LB_TRY(lb_yaml_need_text(map, key, &psi->node.diag, &text));
    if (text[0] == '/' || slash == NULL)
        return keep(psi, text, out);
    *out = lb_arena_printf(psi->arena, "%.*s%s", (int)(slash - psi->config_path) + 1,
                           psi->config_path, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* --- a party --- */

static lb_status read_log(struct lb_ctl_psi *psi, const struct lb_yaml_node *map,
                          struct lb_ctl_psi_party *party)
{
    struct lb_note_verifier verifier;
    LB_TRY(need_line(psi, map, "log", &party->vkey));
    if (lb_note_verifier_parse(lb_span_str(party->vkey), &verifier) != LB_OK)
        return fail(map, psi, "log must be a verifier key <name>+<id>+<key>");
    memcpy(party->log_key, verifier.public_key, sizeof(party->log_key));
    lb_status status = keep(psi, verifier.name, &party->origin);
    lb_note_verifier_cleanup(&verifier);
    LB_TRY(status);
    if (lb_spiffe_log_number(party->spiffe, party->origin) < 0)
        return fail(map, psi, "log is the key of another member's log");
    return LB_OK;
}

static bool is_sha256(const char *text)
{
    return strlen(text) == SHA256_CHARACTERS &&
           strspn(text, "0123456789abcdef") == SHA256_CHARACTERS;
}

static lb_status read_party(struct lb_ctl_psi *psi, const struct lb_yaml_node *agreement,
                            const char *key, struct lb_ctl_psi_party *party)
{
    static const char *const keys[] = {"spiffe", "log", "list", "column", "sha256", NULL};
    const char *federation = NULL, *organization = NULL;
    enum lb_node_kind kind = LB_NODE_BROKER;
    const struct lb_yaml_node *map = NULL;
    LB_TRY(lb_yaml_need(agreement, key, &psi->node.diag, &map));
    LB_TRY(lb_yaml_only(map, keys, &psi->node.diag));
    LB_TRY(need_line(psi, map, "spiffe", &party->spiffe));
    if (lb_spiffe_parse(party->spiffe, psi->arena, &federation, &kind, &organization) != LB_OK ||
        kind != LB_NODE_ADAPTER)
        return fail(map, psi, "spiffe is that of an adapter");
    LB_TRY(read_log(psi, map, party));
    LB_TRY(need_line(psi, map, "list", &party->list));
    LB_TRY(need_line(psi, map, "column", &party->column));
    LB_TRY(need_line(psi, map, "sha256", &party->list_sha256));
    if (!is_sha256(party->list_sha256))
        return fail(map, psi, "sha256 is that of the list's file, 64 digits in lower case");
    return LB_OK;
}

/* --- an agreement --- */

static void put_party(struct lb_buf *buf, const char *role, const struct lb_ctl_psi_party *party)
{
    lb_buf_printf(buf, "%s: %s\n  log: %s\n  list: %s\n  column: %s\n  sha256: %s\n", role,
                  party->spiffe, party->vkey, party->list, party->column, party->list_sha256);
}

static lb_status write_text(struct lb_ctl_psi *psi, struct lb_ctl_psi_agreement *agreement)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, MAX_TEXT_BYTES);
    lb_buf_printf(&buf, "lianban psi agreement v1\nagreement: %s\nmode: %s\npurpose: %s\nlaw: %s\n",
                  agreement->name, agreement->mode == LB_PSI_LIST ? "list" : "count",
                  agreement->purpose, agreement->law);
    if (agreement->mode == LB_PSI_LIST)
        lb_buf_printf(&buf, "mandate: %s\n", agreement->mandate);
    else
        lb_buf_printf(&buf, "k: %lld\n", (long long)agreement->k);
    lb_buf_printf(&buf, "every_days: %lld\n", (long long)agreement->every_days);
    put_party(&buf, "asker", &agreement->asker);
    put_party(&buf, "answerer", &agreement->answerer);
    LB_TRY(lb_buf_check(&buf));
    lb_sha256(lb_buf_span(&buf), agreement->sha256);
    agreement->text = lb_arena_str(psi->arena, lb_buf_span(&buf));
    LB_ENSURE(agreement->text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* Who is told names only under a mandate; who is told a number is told none below k. */
static lb_status read_mode(struct lb_ctl_psi *psi, const struct lb_yaml_node *map,
                           struct lb_ctl_psi_agreement *agreement)
{
    const char *mode = NULL;
    LB_TRY(lb_yaml_need_text(map, "mode", &psi->node.diag, &mode));
    bool list = strcmp(mode, "list") == 0;
    if (!list && strcmp(mode, "count") != 0)
        return fail(lb_yaml_get(map, "mode"), psi, "mode is list or count");
    if (lb_yaml_get(map, list ? "k" : "mandate") != NULL)
        return fail(map, psi, "`k` is for mode count, `mandate` for mode list");
    agreement->mode = list ? LB_PSI_LIST : LB_PSI_COUNT;
    if (list)
        return need_line(psi, map, "mandate", &agreement->mandate);
    return lb_yaml_need_int(map, "k", LB_PSI_MIN_COUNT, LB_PSI_MAX_ELEMENTS, &psi->node.diag,
                            &agreement->k);
}

static lb_status find_role(struct lb_ctl_psi *psi, const struct lb_yaml_node *map,
                           struct lb_ctl_psi_agreement *agreement)
{
    const char *self = psi->node.config.node;
    agreement->asks = strcmp(agreement->asker.spiffe, self) == 0;
    bool answers = strcmp(agreement->answerer.spiffe, self) == 0;
    if (agreement->asks == answers)
        return fail(map, psi, "this department is one of asker and answerer, another is the other");
    return LB_OK;
}

static lb_status read_agreement(struct lb_ctl_psi *psi, const struct lb_yaml_node *map,
                                struct lb_ctl_psi_agreement *agreement)
{
    static const char *const keys[] = {"agreement", "mode",  "purpose",  "law",      "mandate", "k",
                                       "every_days", "asker", "answerer", "own_list", NULL};
    LB_TRY(lb_yaml_only(map, keys, &psi->node.diag));
    LB_TRY(need_line(psi, map, "agreement", &agreement->name));
    if (strlen(agreement->name) > LB_MAX_NAME_BYTES)
        return fail(map, psi, "an agreement's name is at most 64 bytes");
    LB_TRY(read_mode(psi, map, agreement));
    LB_TRY(need_line(psi, map, "purpose", &agreement->purpose));
    LB_TRY(need_line(psi, map, "law", &agreement->law));
    LB_TRY(lb_yaml_need_int(map, "every_days", 1, MAX_DAYS, &psi->node.diag,
                            &agreement->every_days));
    LB_TRY(read_party(psi, map, "asker", &agreement->asker));
    LB_TRY(read_party(psi, map, "answerer", &agreement->answerer));
    LB_TRY(need_path(psi, map, "own_list", &agreement->own_list));
    LB_TRY(find_role(psi, map, agreement));
    return write_text(psi, agreement);
}

static lb_status read_agreements(struct lb_ctl_psi *psi, const struct lb_yaml_node *root)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(root, "agreements", &psi->node.diag, &list));
    psi->num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (psi->num == 0 || psi->num > LB_CTL_PSI_MAX_AGREEMENTS)
        return fail(list, psi, "`agreements` is a list of 1 to 64");
    psi->agreements = lb_arena_array(psi->arena, psi->num, sizeof(*psi->agreements));
    LB_ENSURE(psi->agreements != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < psi->num; i++) {
        LB_TRY(read_agreement(psi, lb_yaml_item(list, i), &psi->agreements[i]));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(psi->agreements[i].name, psi->agreements[j].name) == 0)
                return fail(lb_yaml_item(list, i), psi, "an agreement of this name stands above");
        }
    }
    return LB_OK;
}

lb_status lb_ctl_psi_config(struct lb_ctl_psi *psi)
{
    static const char *const keys[] = {"adapter", "state", "agreements", NULL};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_file(psi->config_path, &psi->node.diag, &yaml));
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    LB_TRY(lb_yaml_only(root, keys, &psi->node.diag));
    LB_TRY(need_path(psi, root, "adapter", &psi->node.path));
    LB_TRY(need_path(psi, root, "state", &psi->state));
    LB_TRY(lb_ctl_node_open(&psi->node));
    return read_agreements(psi, root);
}

const struct lb_ctl_psi_party *lb_ctl_psi_own(const struct lb_ctl_psi *psi)
{
    return psi->agreement->asks ? &psi->agreement->asker : &psi->agreement->answerer;
}

const struct lb_ctl_psi_party *lb_ctl_psi_peer(const struct lb_ctl_psi *psi)
{
    return psi->agreement->asks ? &psi->agreement->answerer : &psi->agreement->asker;
}
