#include "gateway/trust/directory_read.h"

#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/former.h"
#include "gateway/trust/reader.h"
#include "gateway/trust/seal_key.h"

#define DIRECTORY_TYPE "lianban-directory/v1"
#define MAX_URI_BYTES 512
#define MAX_PINS 16
#define MAX_TIME INT64_C(253402300799)  /* the end of year 9999 */

int lb_node_order(const void *a, const void *b)
{
    const struct lb_node *left = a;
    const struct lb_node *right = b;
    return strcmp(left->spiffe, right->spiffe);
}

int lb_issuer_order(const void *a, const void *b)
{
    const struct lb_issuer *left = a;
    const struct lb_issuer *right = b;
    int order = strcmp(left->organization, right->organization);
    return order != 0 ? order : strcmp(left->kid, right->kid);
}

int lb_listed_order(const void *a, const void *b)
{
    const struct lb_listed *left = a;
    const struct lb_listed *right = b;
    int order = strcmp(left->id, right->id);
    if (order != 0)
        return order;
    return (left->version > right->version) - (left->version < right->version);
}

static int organization_order(const void *a, const void *b)
{
    const struct lb_organization *left = a;
    const struct lb_organization *right = b;
    return strcmp(left->id, right->id);
}

static int pin_order(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Sorts and refuses equal neighbours. */
static lb_status sort_unique(struct lb_reader *reader, const char *key, void *items, size_t num,
                             size_t item_size, int (*order)(const void *, const void *))
{
    const uint8_t *bytes = items;
    qsort(items, num, item_size, order);
    for (size_t i = 1; i < num; i++) {
        if (order(bytes + (i - 1) * item_size, bytes + i * item_size) == 0)
            return lb_reader_fail(reader, "\"%s\" names one thing twice", key);
    }
    return LB_OK;
}

static lb_status read_pin(struct lb_reader *reader, const struct lb_json *item, void *out,
                          void *context)
{
    (void)context;
    return lb_reader_hex32(reader, item, NULL, out);
}

static lb_status read_organization(struct lb_reader *reader, const struct lb_json *item, void *out,
                                   void *context)
{
    static const char *const keys[] = {"id", "zh", "en", NULL};
    struct lb_organization *organization = out;
    (void)context;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_name(reader, item, "id", &organization->id));
    LB_TRY(lb_reader_text(reader, item, "zh", LB_MAX_VALUE_BYTES, &organization->zh));
    return lb_reader_text(reader, item, "en", LB_MAX_VALUE_BYTES, &organization->en);
}

/* --- nodes --- */

struct key_context {
    enum lb_key_use use;
    const char *spiffe;
    const struct lb_verify_key *log_key;  /* NULL when the node keeps no log */
    int64_t issued;                       /* the directory's date */
};

/* Only a share key may say when it begins, and then it must be before its end. */
static lb_status read_begin(struct lb_reader *reader, const struct lb_json *item,
                            struct lb_seal_key_entry *entry)
{
    int64_t begin = 0;
    if (lb_status_code(lb_json_get_int(item, "not_before", &begin)) == LB_ABSENT)
        return LB_OK;
    return lb_reader_int(reader, item, "not_before", 1, entry->not_after - 1, &entry->not_before);
}

static lb_status read_node_key(struct lb_reader *reader, const struct lb_json *item, void *out,
                               void *context)
{
    const struct key_context *node = context;
    const char *const keys[] = {"id", "key", "not_after", "signature",
                                node->use == LB_KEY_SHARE ? "not_before" : NULL, NULL};
    struct lb_seal_key_entry *entry = out;
    uint8_t signature[LB_SIGNATURE_BYTES];
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_name(reader, item, "id", &entry->id));
    LB_TRY(lb_reader_bytes(reader, item, "key", entry->public_key, 32));
    LB_TRY(lb_reader_int(reader, item, "not_after", 0, MAX_TIME, &entry->not_after));
    LB_TRY(read_begin(reader, item, entry));
    LB_TRY(lb_reader_bytes(reader, item, "signature", signature, sizeof(signature)));
    if (node->use == LB_KEY_SEAL &&
        entry->not_after > node->issued + LB_SEAL_KEY_LIFE_S + LB_CLOCK_SKEW_S)
        return lb_reader_fail(reader, "lives longer than 7 days; ask the node for a newer entry");
    if (node->log_key == NULL)
        return lb_reader_fail(reader, "a node with an X25519 key needs a log key to sign it");
    lb_status status = lb_key_check(node->use, node->spiffe, entry, node->log_key,
                                    lb_span_of(signature, sizeof(signature)), reader->arena);
    if (lb_status_code(status) == LB_SIGNATURE_INVALID)
        return lb_reader_fail(reader, "is not signed by the node's own log key; ask the node for "
                                      "a signed entry");
    return status;
}

static lb_status check_ids(struct lb_reader *reader, const struct lb_seal_key_entry *keys,
                           size_t num, const char *use)
{
    for (size_t i = 0; i < num; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(keys[i].id, keys[j].id) == 0)
                return lb_reader_fail(reader, "two %s keys have one id", use);
        }
    }
    return LB_OK;
}

/* A key that opens requests must not be one from which masks are made. */
static lb_status check_apart(struct lb_reader *reader, const struct lb_node *node)
{
    for (size_t i = 0; i < node->num_share_keys; i++) {
        for (size_t j = 0; j < node->num_seal_keys; j++) {
            if (memcmp(node->share_keys[i].public_key, node->seal_keys[j].public_key, 32) == 0)
                return lb_reader_fail(reader, "a share key is a sealing key as well");
        }
    }
    return LB_OK;
}

static lb_status read_keys(struct lb_reader *reader, const struct lb_json *item,
                           const struct lb_verify_key *log_key, int64_t issued,
                           struct lb_node *node)
{
    struct key_context context = {LB_KEY_SEAL, node->spiffe, log_key, issued};
    const struct lb_json *shares = NULL;
    void *list = NULL;
    LB_TRY(lb_reader_list(reader, item, "seal", sizeof(struct lb_seal_key_entry), read_node_key,
                          &context, &list, &node->num_seal_keys));
    node->seal_keys = list;
    LB_TRY(check_ids(reader, node->seal_keys, node->num_seal_keys, "sealing"));
    if (lb_status_code(lb_json_get_array(item, "share", &shares)) == LB_ABSENT)
        return LB_OK;
    context.use = LB_KEY_SHARE;
    LB_TRY(lb_reader_list(reader, item, "share", sizeof(struct lb_seal_key_entry), read_node_key,
                          &context, &list, &node->num_share_keys));
    node->share_keys = list;
    LB_TRY(check_ids(reader, node->share_keys, node->num_share_keys, "share"));
    return check_apart(reader, node);
}

/* The log's origin is the node's own name, so that no node can pass a log off as another's. */
static lb_status read_log_and_keys(struct lb_reader *reader, const struct lb_json *item,
                                   int64_t issued, struct lb_node *node)
{
    const char *vkey = NULL;
    LB_TRY(lb_reader_text(reader, item, "log", MAX_URI_BYTES, &vkey));
    if (vkey[0] == 0)
        return read_keys(reader, item, NULL, issued, node);
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {0};
    if (lb_note_verifier_parse(lb_span_str(vkey), &verifier) != LB_OK)
        return lb_reader_fail(reader, "\"log\" is not a verifier key");
    const char *first = lb_spiffe_log_origin(node->spiffe);
    if (lb_spiffe_log_number(node->spiffe, verifier.name) < 0)
        return lb_reader_fail(reader, "\"log\" must be a key of the name %s", first);
    node->log_origin = lb_arena_str(reader->arena, lb_span_str(verifier.name));
    LB_ENSURE(node->log_origin != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(node->log_key, verifier.public_key, sizeof(node->log_key));
    LB_TRY(lb_former_logs(reader, item, node, vkey));
    return read_keys(reader, item, verifier.key, issued, node);
}

static lb_status read_node(struct lb_reader *reader, const struct lb_json *item, void *out,
                           void *context)
{
    static const char *const keys[] = {"spiffe", "endpoint", "log",  "log_before",
                                       "seal",   "share",    "recovery", NULL};
    const struct lb_directory *directory = context;
    struct lb_node *node = out;
    const char *federation = NULL;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_text(reader, item, "spiffe", LB_MAX_SPIFFE_BYTES - 1, &node->spiffe));
    lb_status status = lb_spiffe_parse(node->spiffe, reader->arena, &federation, &node->kind,
                                       &node->organization);
    if (lb_status_code(status) == LB_MALFORMED)
        return lb_reader_fail(reader,
                              "\"spiffe\" is not spiffe://<federation>/<kind>/<organization>"
                              "[/<name>]");
    LB_TRY(status);
    if (strcmp(federation, directory->federation) != 0)
        return lb_reader_fail(reader, "the node is of another federation");
    LB_TRY(lb_reader_text(reader, item, "endpoint", LB_MAX_SPIFFE_BYTES, &node->endpoint));
    if (strchr(node->endpoint, ' ') != NULL)
        return lb_reader_fail(reader, "\"endpoint\" has a space");
    LB_TRY(read_log_and_keys(reader, item, directory->issued, node));
    return lb_former_recovery(reader, item, node);
}

/* --- issuers --- */

static lb_status read_kind(struct lb_reader *reader, const struct lb_json *item, void *out,
                           void *context)
{
    static const struct {
        const char *name;
        unsigned bit;
    } kinds[] = {
        {"consent", LB_ISSUES_CONSENT},
        {"mandate", LB_ISSUES_MANDATE},
        {"operator", LB_ISSUES_OPERATOR},
    };
    unsigned *all = context;
    (void)out;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!lb_span_is(lb_json_str(item), kinds[i].name))
            continue;
        if ((*all & kinds[i].bit) != 0)
            return lb_reader_fail(reader, "is named twice");
        *all |= kinds[i].bit;
        return LB_OK;
    }
    return lb_reader_fail(reader, "is none of consent, mandate, operator");
}

static lb_status read_key(struct lb_reader *reader, const struct lb_json *item,
                          struct lb_verify_key **out_key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    LB_TRY(lb_reader_bytes(reader, item, "x", raw, 32));
    LB_TRY(lb_reader_bytes(reader, item, "y", raw + 32, 32));
    if (lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, sizeof(raw)), out_key) != LB_OK)
        return lb_reader_fail(reader, "\"x\" and \"y\" are no point of P-256");
    return LB_OK;
}

static lb_status read_issuer(struct lb_reader *reader, const struct lb_json *item, void *out,
                             void *context)
{
    static const char *const keys[] = {"organization", "kid",    "x", "y",
                                       "kinds",        "status", "before", NULL};
    struct lb_directory_box *box = context;
    struct lb_issuer *issuer = out;
    void *kinds = NULL;
    size_t num_kinds = 0;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_name(reader, item, "organization", &issuer->organization));
    LB_TRY(lb_reader_name(reader, item, "kid", &issuer->kid));
    LB_TRY(lb_reader_text(reader, item, "status", MAX_URI_BYTES, &issuer->status_uri));
    LB_TRY(lb_reader_list(reader, item, "kinds", 1, read_kind, &issuer->kinds, &kinds,
                          &num_kinds));
    if (issuer->kinds == 0)
        return lb_reader_fail(reader, "\"kinds\" is empty");
    struct lb_verify_key *key = NULL;
    LB_TRY(read_key(reader, item, &key));
    box->keys[box->num_keys++] = key;
    issuer->key = key;
    return lb_former_issuers(reader, item, issuer);
}

static lb_status read_issuers(struct lb_reader *reader, const struct lb_json *root,
                              struct lb_directory_box *box)
{
    const struct lb_json *list = NULL;
    size_t most = lb_json_get_array(root, "issuers", &list) == LB_OK ? lb_json_len(list) : 0;
    box->keys = lb_arena_array(box->arena, most, sizeof(*box->keys));
    LB_ENSURE(box->keys != NULL, LB_NO_MEMORY, "arena is full");
    void *issuers = NULL;
    size_t num = 0;
    LB_TRY(lb_reader_list(reader, root, "issuers", sizeof(struct lb_issuer), read_issuer, box,
                          &issuers, &num));
    LB_TRY(sort_unique(reader, "issuers", issuers, num, sizeof(struct lb_issuer),
                       lb_issuer_order));
    box->directory.issuers = issuers;
    box->directory.num_issuers = num;
    return LB_OK;
}

/* --- the rest --- */

static lb_status read_listed(struct lb_reader *reader, const struct lb_json *item, void *out,
                             void *context)
{
    static const char *const keys[] = {"id", "version", "sha256", NULL};
    struct lb_listed *listed = out;
    int64_t version = 0;
    (void)context;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_name(reader, item, "id", &listed->id));
    LB_TRY(lb_reader_int(reader, item, "version", 1, UINT32_MAX, &version));
    listed->version = (uint32_t)version;
    return lb_reader_hex32(reader, item, "sha256", listed->sha256);
}

static lb_status read_listing(struct lb_reader *reader, const struct lb_json *root, const char *key,
                              const struct lb_listed **out_list, size_t *out_num)
{
    void *list = NULL;
    size_t num = 0;
    LB_TRY(lb_reader_list(reader, root, key, sizeof(struct lb_listed), read_listed, NULL, &list,
                          &num));
    LB_TRY(sort_unique(reader, key, list, num, sizeof(struct lb_listed), lb_listed_order));
    *out_list = list;
    *out_num = num;
    return LB_OK;
}

static lb_status read_head(struct lb_reader *reader, const struct lb_json *root,
                           int64_t now_unix_s, struct lb_directory *directory)
{
    static const char *const keys[] = {"type",    "federation",    "version", "issued",  "expires",
                                       "signers", "ca_pins",       "nodes",   "issuers", "forms",
                                       "rules",   "organizations", "views",   NULL};
    const char *type = NULL;
    int64_t version = 0;
    LB_TRY(lb_reader_only(reader, root, keys));
    LB_TRY(lb_reader_text(reader, root, "type", LB_MAX_NAME_BYTES, &type));
    if (strcmp(type, DIRECTORY_TYPE) != 0)
        return lb_reader_fail(reader, "\"type\" is not " DIRECTORY_TYPE
                                      "; a newer kind needs a newer program");
    LB_TRY(lb_reader_name(reader, root, "federation", &directory->federation));
    LB_TRY(lb_reader_int(reader, root, "version", 1, INT64_MAX, &version));
    LB_TRY(lb_reader_int(reader, root, "issued", 0, MAX_TIME, &directory->issued));
    LB_TRY(lb_reader_int(reader, root, "expires", 0, MAX_TIME, &directory->expires));
    directory->version = (uint64_t)version;
    if (directory->expires <= directory->issued)
        return lb_reader_fail(reader, "it expires before it is issued");
    if (directory->issued > now_unix_s + LB_CLOCK_SKEW_S)
        return lb_reader_fail(reader, "it is issued in the future; check this machine's clock");
    if (now_unix_s >= directory->expires)
        return lb_reader_fail(reader, "it has expired; get a newer one");
    return LB_OK;
}

static lb_status read_members(struct lb_reader *reader, const struct lb_json *root,
                              struct lb_directory *directory)
{
    void *list = NULL;
    LB_TRY(lb_reader_list(reader, root, "ca_pins", 32, read_pin, NULL, &list,
                          &directory->num_pins));
    if (directory->num_pins == 0 || directory->num_pins > MAX_PINS)
        return lb_reader_fail(reader, "\"ca_pins\" must name 1 to %d CA keys", MAX_PINS);
    LB_TRY(sort_unique(reader, "ca_pins", list, directory->num_pins, 32, pin_order));
    directory->pins = (const uint8_t (*)[32])list;
    LB_TRY(lb_reader_list(reader, root, "organizations", sizeof(struct lb_organization),
                          read_organization, NULL, &list, &directory->num_organizations));
    LB_TRY(sort_unique(reader, "organizations", list, directory->num_organizations,
                       sizeof(struct lb_organization), organization_order));
    directory->organizations = list;
    LB_TRY(lb_reader_list(reader, root, "nodes", sizeof(struct lb_node), read_node, directory,
                          &list, &directory->num_nodes));
    LB_TRY(sort_unique(reader, "nodes", list, directory->num_nodes, sizeof(struct lb_node),
                       lb_node_order));
    directory->nodes = list;
    return LB_OK;
}

lb_status lb_directory_read(struct lb_span text, int64_t now_unix_s, struct lb_diag *diag,
                            struct lb_directory_box *box)
{
    struct lb_reader reader = {.arena = box->arena, .diag = diag, .what = "directory"};
    struct lb_directory *directory = &box->directory;
    if (text.len == 0 || text.len > LB_MAX_DIRECTORY_BYTES || text.ptr[text.len - 1] != '\n')
        return lb_reader_fail(&reader, "it is empty, too large, or does not end with a line feed");
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    if (lb_json_parse(text, &root) != LB_OK)
        return lb_reader_fail(&reader, "it is not one JSON value without repeated members");
    LB_TRY(read_head(&reader, root, now_unix_s, directory));
    LB_TRY(lb_former_signers(&reader, root, directory));
    LB_TRY(read_members(&reader, root, directory));
    LB_TRY(read_issuers(&reader, root, box));
    LB_TRY(read_listing(&reader, root, "forms", &directory->forms, &directory->num_forms));
    LB_TRY(read_listing(&reader, root, "rules", &directory->rules, &directory->num_rules));
    LB_TRY(read_listing(&reader, root, "views", &directory->views, &directory->num_views));
    lb_sha256(text, directory->sha256);
    return LB_OK;
}
