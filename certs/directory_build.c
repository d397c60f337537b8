#include "certs/directory_build.h"

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/x509.h"
#include "gateway/trust/recovery.h"

#define DAY_S INT64_C(86400)
#define MAX_DAYS 3650
#define MAX_ITEM_BYTES (16 * 1024 * 1024)

struct builder {
    struct lb_tool *tool;
    const char *folder;  /* of the YAML file, with a slash, or "" */
    const struct lb_yaml_node *organizations;
};

/* Reads one item of a list and adds members to its object. */
typedef lb_status (*build_item)(struct builder *builder, const struct lb_yaml_node *node,
                                struct lb_json *object);

static lb_status build_list(struct builder *builder, const struct lb_yaml_node *root,
                            const char *key, build_item build, struct lb_json *directory)
{
    struct lb_json *list = lb_json_array();
    lb_json_set(directory, key, list);
    const struct lb_yaml_node *items = lb_yaml_get(root, key);
    if (items == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(items) != LB_YAML_LIST)
        return lb_yaml_fail(items, &builder->tool->diag, "%s is not a list", key);
    for (size_t i = 0; i < lb_yaml_len(items); i++) {
        struct lb_json *object = lb_json_object();
        lb_json_append(list, object);
        LB_TRY(build(builder, lb_yaml_item(items, i), object));
    }
    return LB_OK;
}

/* Reads a file named by a scalar, relative to the YAML file. */
static lb_status read_named(struct builder *builder, const struct lb_yaml_node *node,
                            size_t max_bytes, struct lb_span *out_content)
{
    struct lb_tool *tool = builder->tool;
    const char *name = NULL;
    LB_TRY(lb_yaml_text(node, &tool->diag, &name));
    const char *path = name[0] == '/' ? name
                                      : lb_arena_printf(tool->arena, "%s%s", builder->folder, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    if (lb_file_read(path, max_bytes, tool->arena, out_content) != LB_OK)
        return lb_yaml_fail(node, &tool->diag, "file %s cannot be read", path);
    return LB_OK;
}

/* A file's one line, without its line feed. */
static struct lb_span strip(struct lb_span text)
{
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static lb_status copy_text(struct builder *builder, const struct lb_yaml_node *node,
                           const char *key, const char *otherwise, struct lb_json *object)
{
    const char *text = NULL;
    if (otherwise == NULL)
        LB_TRY(lb_yaml_need_text(node, key, &builder->tool->diag, &text));
    else
        LB_TRY(lb_yaml_opt_text(node, key, otherwise, &builder->tool->diag, &text));
    lb_json_set_cstr(object, key, text);
    return LB_OK;
}

/* --- organizations --- */

static lb_status build_organization(struct builder *builder, const struct lb_yaml_node *node,
                                    struct lb_json *object)
{
    static const char *const keys[] = {"id", "zh", "en", NULL};
    LB_TRY(lb_yaml_only(node, keys, &builder->tool->diag));
    LB_TRY(copy_text(builder, node, "id", NULL, object));
    LB_TRY(copy_text(builder, node, "zh", NULL, object));
    return copy_text(builder, node, "en", NULL, object);
}

/* Whoever is named must be presentable to people. */
static lb_status need_organization(struct builder *builder, const struct lb_yaml_node *node,
                                   const char *id, size_t len)
{
    for (size_t i = 0; i < lb_yaml_len(builder->organizations); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(builder->organizations, i);
        const char *known = NULL;
        LB_TRY(lb_yaml_need_text(item, "id", &builder->tool->diag, &known));
        if (strlen(known) == len && strncmp(known, id, len) == 0)
            return LB_OK;
    }
    return lb_yaml_fail(node, &builder->tool->diag,
                        "organization %.*s is not under organizations; add its id, zh and en",
                        (int)len, id);
}

/* --- nodes --- */

static lb_status add_log_key(struct builder *builder, const struct lb_yaml_node *node,
                             struct lb_json *object)
{
    const struct lb_yaml_node *file = lb_yaml_get(node, "log_key");
    struct lb_span vkey = LB_SPAN_EMPTY;
    if (file != NULL) {
        LB_TRY(read_named(builder, file, LB_MAX_PEM_BYTES, &vkey));
        vkey = strip(vkey);
    }
    lb_json_set_str(object, "log", vkey);
    return LB_OK;
}

/* Appends the entries whose files are listed under `key`, if it is there. */
static lb_status add_keys(struct builder *builder, const struct lb_yaml_node *node,
                          const char *key, struct lb_json *list)
{
    const struct lb_yaml_node *files = lb_yaml_get(node, key);
    if (files == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(files) != LB_YAML_LIST)
        return lb_yaml_fail(files, &builder->tool->diag, "%s is not a list of files", key);
    for (size_t i = 0; i < lb_yaml_len(files); i++) {
        const struct lb_yaml_node *file = lb_yaml_item(files, i);
        struct lb_span text;
        struct lb_json *entry = NULL;
        LB_TRY(read_named(builder, file, LB_MAX_PEM_BYTES, &text));
        if (lb_json_parse(text, &entry) != LB_OK)
            return lb_yaml_fail(file, &builder->tool->diag,
                                "the file is not an entry of lianban directory seal-key or "
                                "share-key, keys rotate or keys handover");
        lb_json_append(list, entry);
    }
    return LB_OK;
}

/* Without share keys the member is left out: an older program does not know it. */
static lb_status add_all_keys(struct builder *builder, const struct lb_yaml_node *node,
                              struct lb_json *object)
{
    struct lb_json *seals = lb_json_array();
    lb_json_set(object, "seal", seals);
    LB_TRY(add_keys(builder, node, "seal_keys", seals));
    if (lb_yaml_get(node, "share_keys") == NULL)
        return LB_OK;
    struct lb_json *shares = lb_json_array();
    lb_json_set(object, "share", shares);
    return add_keys(builder, node, "share_keys", shares);
}

/* The recoveries by which its log took the place of lost ones; stays out when there is none. */
static lb_status add_recoveries(struct builder *builder, const struct lb_yaml_node *node,
                                struct lb_json *object)
{
    const struct lb_yaml_node *files = lb_yaml_get(node, "recovery");
    if (files == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(files) != LB_YAML_LIST)
        return lb_yaml_fail(files, &builder->tool->diag, "recovery is not a list of files");
    struct lb_json *list = lb_json_array();
    lb_json_set(object, "recovery", list);
    for (size_t i = 0; i < lb_yaml_len(files); i++) {
        struct lb_span note;
        LB_TRY(read_named(builder, lb_yaml_item(files, i), LB_RECOVERY_MAX_BYTES, &note));
        lb_json_append_str(list, note);
    }
    return LB_OK;
}

/* The keys this one came after, with their handovers; the member stays out when there is none. */
static lb_status add_former(struct builder *builder, const struct lb_yaml_node *node,
                            const char *key, struct lb_json *object)
{
    if (lb_yaml_get(node, key) == NULL)
        return LB_OK;
    struct lb_json *list = lb_json_array();
    lb_json_set(object, key, list);
    return add_keys(builder, node, key, list);
}

static lb_status build_node(struct builder *builder, const struct lb_yaml_node *node,
                            struct lb_json *object)
{
    static const char *const keys[] = {"spiffe",    "endpoint",   "log_key",  "log_before",
                                       "seal_keys", "share_keys", "recovery", NULL};
    const char *spiffe = NULL;
    LB_TRY(lb_yaml_only(node, keys, &builder->tool->diag));
    LB_TRY(lb_yaml_need_text(node, "spiffe", &builder->tool->diag, &spiffe));
    LB_TRY(copy_text(builder, node, "spiffe", NULL, object));
    LB_TRY(copy_text(builder, node, "endpoint", "", object));
    /* The organization is the third part; that the id is whole is checked with the finished
     * text. */
    const char *part = strstr(spiffe, "://");
    for (int i = 0; i < 2 && part != NULL; i++)
        part = strchr(i == 0 ? part + 3 : part + 1, '/');
    if (part != NULL)
        LB_TRY(need_organization(builder, node, part + 1, strcspn(part + 1, "/")));
    LB_TRY(add_log_key(builder, node, object));
    LB_TRY(add_former(builder, node, "log_before", object));
    LB_TRY(add_recoveries(builder, node, object));
    return add_all_keys(builder, node, object);
}

/* --- issuers --- */

static lb_status add_issuer_key(struct builder *builder, const struct lb_yaml_node *node,
                                struct lb_json *object)
{
    const struct lb_yaml_node *file = NULL;
    struct lb_span text;
    struct lb_span x;
    struct lb_span y;
    LB_TRY(lb_yaml_need(node, "key", &builder->tool->diag, &file));
    LB_TRY(read_named(builder, file, LB_MAX_PEM_BYTES, &text));
    LB_DEFER(lb_json_freep) struct lb_json *jwk = NULL;
    if (lb_json_parse(text, &jwk) != LB_OK || lb_json_get_str(jwk, "x", &x) != LB_OK ||
        lb_json_get_str(jwk, "y", &y) != LB_OK)
        return lb_yaml_fail(file, &builder->tool->diag,
                            "the file is not the public form of lianban keys issuer");
    lb_json_set_str(object, "x", x);
    lb_json_set_str(object, "y", y);
    return LB_OK;
}

static lb_status add_kinds(struct builder *builder, const struct lb_yaml_node *node,
                           struct lb_json *object)
{
    const struct lb_yaml_node *kinds = NULL;
    struct lb_json *list = lb_json_array();
    lb_json_set(object, "kinds", list);
    LB_TRY(lb_yaml_need(node, "kinds", &builder->tool->diag, &kinds));
    if (lb_yaml_kind_of(kinds) != LB_YAML_LIST)
        return lb_yaml_fail(kinds, &builder->tool->diag,
                            "kinds is not a list of consent, mandate, operator");
    for (size_t i = 0; i < lb_yaml_len(kinds); i++) {
        const char *kind = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(kinds, i), &builder->tool->diag, &kind));
        lb_json_append_str(list, lb_span_str(kind));
    }
    return LB_OK;
}

static lb_status build_issuer(struct builder *builder, const struct lb_yaml_node *node,
                              struct lb_json *object)
{
    static const char *const keys[] = {"organization", "kid",    "key", "kinds",
                                       "status",       "before", NULL};
    const char *organization = NULL;
    LB_TRY(lb_yaml_only(node, keys, &builder->tool->diag));
    LB_TRY(lb_yaml_need_text(node, "organization", &builder->tool->diag, &organization));
    LB_TRY(need_organization(builder, node, organization, strlen(organization)));
    LB_TRY(copy_text(builder, node, "organization", NULL, object));
    LB_TRY(copy_text(builder, node, "kid", NULL, object));
    LB_TRY(add_issuer_key(builder, node, object));
    LB_TRY(add_kinds(builder, node, object));
    LB_TRY(add_former(builder, node, "before", object));
    return copy_text(builder, node, "status", "", object);
}

/* --- forms, rules, views --- */

static lb_status build_listed(struct builder *builder, const struct lb_yaml_node *node,
                              struct lb_json *object)
{
    static const char *const keys[] = {"id", "version", "file", "sha256", NULL};
    struct lb_diag *diag = &builder->tool->diag;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(node, keys, diag));
    LB_TRY(copy_text(builder, node, "id", NULL, object));
    LB_TRY(lb_yaml_need_int(node, "version", 1, UINT32_MAX, diag, &version));
    lb_json_set_int(object, "version", version);
    const struct lb_yaml_node *file = lb_yaml_get(node, "file");
    if ((file == NULL) == (lb_yaml_get(node, "sha256") == NULL))
        return lb_yaml_fail(node, diag, "give file or sha256");
    if (file == NULL)
        return copy_text(builder, node, "sha256", NULL, object);
    struct lb_span content;
    uint8_t sha256[32];
    char hex[65];
    LB_TRY(read_named(builder, file, MAX_ITEM_BYTES, &content));
    lb_sha256(content, sha256);
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    lb_json_set_cstr(object, "sha256", hex);
    return LB_OK;
}

/* --- the whole --- */

static lb_status add_pins(struct builder *builder, const struct lb_yaml_node *root,
                          struct lb_json *directory)
{
    const struct lb_yaml_node *files = NULL;
    struct lb_json *list = lb_json_array();
    lb_json_set(directory, "ca_pins", list);
    LB_TRY(lb_yaml_need(root, "ca", &builder->tool->diag, &files));
    if (lb_yaml_kind_of(files) != LB_YAML_LIST)
        return lb_yaml_fail(files, &builder->tool->diag, "ca is not a list of certificate files");
    for (size_t i = 0; i < lb_yaml_len(files); i++) {
        const struct lb_yaml_node *file = lb_yaml_item(files, i);
        struct lb_span pem;
        uint8_t pin[32];
        char hex[65];
        LB_TRY(read_named(builder, file, LB_MAX_PEM_BYTES, &pem));
        if (lb_x509_ca_pin(pem, pin) != LB_OK)
            return lb_yaml_fail(file, &builder->tool->diag, "the file holds no certificate");
        lb_hex_encode(lb_span_of(pin, 32), hex);
        lb_json_append_str(list, lb_span_str(hex));
    }
    return LB_OK;
}

/* Who may sign the next directory, if that changes; each is a file with a vkey. */
static lb_status add_signers(struct builder *builder, const struct lb_yaml_node *root,
                             struct lb_json *directory)
{
    const struct lb_yaml_node *files = lb_yaml_get(root, "signers");
    if (files == NULL)
        return LB_OK;
    struct lb_json *list = lb_json_array();
    lb_json_set(directory, "signers", list);
    if (lb_yaml_kind_of(files) != LB_YAML_LIST)
        return lb_yaml_fail(files, &builder->tool->diag, "signers is not a list of vkey files");
    for (size_t i = 0; i < lb_yaml_len(files); i++) {
        struct lb_span vkey;
        LB_TRY(read_named(builder, lb_yaml_item(files, i), LB_MAX_PEM_BYTES, &vkey));
        lb_json_append_str(list, strip(vkey));
    }
    return LB_OK;
}

static lb_status add_head(struct builder *builder, const struct lb_yaml_node *root,
                          struct lb_json *directory)
{
    struct lb_diag *diag = &builder->tool->diag;
    int64_t now = lb_clock_unix_s(builder->tool->clock);
    int64_t version = 0;
    int64_t days = 0;
    lb_json_set_cstr(directory, "type", "lianban-directory/v1");
    LB_TRY(copy_text(builder, root, "federation", NULL, directory));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT64_MAX, diag, &version));
    LB_TRY(lb_yaml_opt_int(root, "days", 1, MAX_DAYS, 365, diag, &days));
    lb_json_set_int(directory, "version", version);
    lb_json_set_int(directory, "issued", now);
    lb_json_set_int(directory, "expires", now + days * DAY_S);
    LB_TRY(add_signers(builder, root, directory));
    return add_pins(builder, root, directory);
}

static lb_status build(struct builder *builder, const struct lb_yaml_node *root,
                       struct lb_json *directory)
{
    static const char *const keys[] = {"federation", "version", "days",  "signers",
                                       "ca",         "nodes",   "forms", "organizations",
                                       "issuers",    "rules",   "views", NULL};
    LB_TRY(lb_yaml_only(root, keys, &builder->tool->diag));
    LB_TRY(add_head(builder, root, directory));
    LB_TRY(lb_yaml_need(root, "organizations", &builder->tool->diag, &builder->organizations));
    LB_TRY(build_list(builder, root, "organizations", build_organization, directory));
    LB_TRY(build_list(builder, root, "nodes", build_node, directory));
    LB_TRY(build_list(builder, root, "issuers", build_issuer, directory));
    LB_TRY(build_list(builder, root, "forms", build_listed, directory));
    LB_TRY(build_list(builder, root, "rules", build_listed, directory));
    return build_list(builder, root, "views", build_listed, directory);
}

lb_status lb_directory_from_yaml(struct lb_tool *tool, const char *path,
                                 struct lb_json **out_directory)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_file(path, &tool->diag, &yaml));
    const char *slash = strrchr(path, '/');
    struct builder builder = {.tool = tool, .folder = ""};
    if (slash != NULL)
        builder.folder = lb_arena_str(tool->arena, lb_span_of(path, (size_t)(slash - path) + 1));
    LB_ENSURE(builder.folder != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_json_freep) struct lb_json *directory = lb_json_object();
    LB_TRY(build(&builder, lb_yaml_root(yaml), directory));
    *out_directory = directory;
    directory = NULL;
    return LB_OK;
}
