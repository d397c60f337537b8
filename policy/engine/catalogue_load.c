#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/catalogue_internal.h"

/* Names that a file may take: questions and what dates give, or a policy's conditions. */
#define MAX_TAKEN (LB_CATALOGUE_MAX_QUESTIONS * 4)

static lb_status read_head(struct catalogue_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"catalogue", "version",   "title",
                                       "thresholds", "questions", "policies", NULL};
    struct lb_catalogue *catalogue = loader->catalogue;
    struct lb_diag *diag = loader->reader.diag;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_word_need(root, "catalogue", LB_WORD_ORG, diag, &catalogue->id));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, diag, &version));
    LB_TRY(lb_form_read_text(&loader->reader, root, "title", &catalogue->title));
    catalogue->version = (uint32_t)version;
    return LB_OK;
}

bool lb_catalogue_threshold_name(const struct lb_threshold *threshold, struct lb_span name)
{
    size_t i = 0;
    for (; i < name.len && threshold->name[i] != '\0'; i++) {
        char letter = threshold->name[i];
        if (name.ptr[i] != (uint8_t)(letter == '.' || letter == '-' ? '_' : letter))
            return false;
    }
    return i == name.len && threshold->name[i] == '\0';
}

/* Thresholds follow the questions' names; none may be written like one of them. */
static lb_status add_thresholds(struct catalogue_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_catalogue *catalogue = loader->catalogue;
    size_t num = lb_rules_num_thresholds(catalogue->rules);
    size_t first = catalogue->num_names;
    struct catalogue_name *names =
        lb_arena_array(catalogue->arena, first + num, sizeof(*names));
    catalogue->thresholds = lb_arena_array(catalogue->arena, num, sizeof(int64_t));
    LB_ENSURE(names != NULL && catalogue->thresholds != NULL, LB_NO_MEMORY, "thresholds");
    memcpy(names, catalogue->names, first * sizeof(*names));
    for (size_t i = 0; i < num; i++) {
        const struct lb_threshold *threshold = lb_rules_threshold_at(catalogue->rules, i);
        for (size_t k = 0; k < first; k++)
            if (lb_catalogue_threshold_name(threshold, lb_span_str(names[k].name)))
                return lb_yaml_fail(root, loader->reader.diag,
                                    "threshold %s is written like the question's name %s in "
                                    "tests; rename one",
                                    threshold->name, names[k].name);
        names[first + i] = (struct catalogue_name){threshold->name, NAME_THRESHOLD, i,
                                                   LB_EXPR_NUMBER};
        catalogue->thresholds[i] = threshold->value;
    }
    catalogue->names = names;
    catalogue->num_names = first + num;
    return LB_OK;
}

static lb_status read_one_policy(struct catalogue_loader *loader,
                                 const struct catalogue_source *source,
                                 const struct lb_yaml_node *item, size_t index)
{
    struct lb_catalogue *catalogue = loader->catalogue;
    struct catalogue_policy *policy = &catalogue->policies[index];
    const char *name = NULL;
    LB_TRY(lb_word_of(item, LB_WORD_ORG, loader->reader.diag, &name));
    LB_TRY(source->read(source->ctx, name, loader->reader.diag, &catalogue->policy_files[index]));
    const struct lb_yaml_node *root = lb_yaml_root(catalogue->policy_files[index]);
    loader->reader.num_taken = 0;
    LB_TRY(lb_catalogue_read_policy(loader, root, policy));
    LB_TRY(lb_catalogue_compile(loader, root, policy));
    catalogue->num_policies = index + 1;
    if (strcmp(policy->policy.id, name) != 0)
        return lb_yaml_fail(lb_yaml_get(root, "policy"), loader->reader.diag,
                            "a policy has the name of its file; write %s", name);
    for (size_t i = 0; i < index; i++)
        if (strcmp(catalogue->policies[i].policy.id, name) == 0)
            return lb_yaml_fail(item, loader->reader.diag, "%s stands here twice; remove one",
                                name);
    return LB_OK;
}

static lb_status read_policies(struct catalogue_loader *loader,
                               const struct catalogue_source *source,
                               const struct lb_yaml_node *root)
{
    struct lb_catalogue *catalogue = loader->catalogue;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_form_need_list(&loader->reader, root, "policies", LB_CATALOGUE_MAX_POLICIES,
                             &list));
    size_t num = lb_yaml_len(list);
    catalogue->policies = lb_arena_array(catalogue->arena, num, sizeof(*catalogue->policies));
    catalogue->policy_files = calloc(num + 1, sizeof(struct lb_yaml *));
    LB_ENSURE(catalogue->policies != NULL && catalogue->policy_files != NULL, LB_NO_MEMORY,
              "policies");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_one_policy(loader, source, lb_yaml_item(list, i), i));
    return LB_OK;
}

/* The index names every other file, so its order is the hash's. */
static lb_status hash_files(struct lb_catalogue *catalogue)
{
    struct lb_span parts[LB_CATALOGUE_MAX_POLICIES + 3];
    size_t num = 0;
    parts[num++] = lb_yaml_bytes(catalogue->index);
    parts[num++] = lb_span_of(lb_rules_sha256(catalogue->rules), 32);
    parts[num++] = lb_yaml_bytes(catalogue->questions_file);
    for (size_t i = 0; i < catalogue->num_policies; i++)
        parts[num++] = lb_yaml_bytes(catalogue->policy_files[i]);
    uint8_t digests[(LB_CATALOGUE_MAX_POLICIES + 3) * 32];
    for (size_t i = 0; i < num; i++)
        lb_sha256(parts[i], digests + i * 32);
    lb_sha256(lb_span_of(digests, num * 32), catalogue->sha256);
    return LB_OK;
}

static lb_status read_all(struct catalogue_loader *loader, const struct catalogue_source *source)
{
    struct lb_catalogue *catalogue = loader->catalogue;
    struct lb_diag *diag = loader->reader.diag;
    const struct lb_yaml_node *root = lb_yaml_root(catalogue->index);
    const char *rules = NULL;
    const char *questions = NULL;
    LB_TRY(read_head(loader, root));
    LB_TRY(lb_word_need(root, "thresholds", LB_WORD_ORG, diag, &rules));
    LB_TRY(lb_word_need(root, "questions", LB_WORD_ORG, diag, &questions));
    LB_TRY(source->read_rules(source->ctx, rules, diag, &catalogue->rules));
    LB_TRY(source->read(source->ctx, questions, diag, &catalogue->questions_file));
    LB_TRY(lb_catalogue_read_questions(loader, lb_yaml_root(catalogue->questions_file)));
    LB_TRY(add_thresholds(loader, root));
    LB_TRY(lb_expr_env_new(&catalogue->env));
    LB_TRY(read_policies(loader, source, root));
    return hash_files(catalogue);
}

lb_status lb_catalogue_read(struct lb_yaml *index, const struct catalogue_source *source,
                            struct lb_diag *diag, struct lb_catalogue **out_catalogue)
{
    LB_DEFER(lb_catalogue_freep) struct lb_catalogue *catalogue = calloc(1, sizeof(*catalogue));
    if (catalogue == NULL) {
        lb_yaml_free(index);
        LB_FAIL(LB_NO_MEMORY, "no memory for a catalogue");
    }
    catalogue->index = index;
    catalogue->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(catalogue->arena != NULL, LB_NO_MEMORY, "no memory for a catalogue");
    struct form_taken *taken = lb_arena_array(catalogue->arena, MAX_TAKEN, sizeof(*taken));
    LB_ENSURE(taken != NULL, LB_NO_MEMORY, "no memory for a catalogue");
    struct catalogue_loader loader = {
        .catalogue = catalogue,
        .reader = {.arena = catalogue->arena, .diag = diag, .taken = taken},
    };
    LB_TRY(read_all(&loader, source));
    *out_catalogue = catalogue;
    catalogue = NULL;
    return LB_OK;
}

/* --- files of a folder --- */

struct folder {
    struct lb_arena *arena;
    struct lb_span path;  /* with its last slash, or empty */
};

static const char *path_of(const struct folder *folder, const char *name)
{
    return lb_arena_printf(folder->arena, "%.*s%s.yaml", (int)folder->path.len,
                           (const char *)folder->path.ptr, name);
}

static lb_status read_file(void *ctx, const char *name, struct lb_diag *diag,
                           struct lb_yaml **out)
{
    const char *path = path_of(ctx, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "a path");
    return lb_yaml_load_file(path, diag, out);
}

static lb_status read_rules_file(void *ctx, const char *name, struct lb_diag *diag,
                                 struct lb_rules **out)
{
    const char *path = path_of(ctx, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "a path");
    return lb_rules_load(path, diag, out);
}

lb_status lb_catalogue_load(const char *path, struct lb_diag *diag,
                            struct lb_catalogue **out_catalogue)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_yaml *index = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for a catalogue");
    LB_TRY(lb_yaml_load_file(path, diag, &index));
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    struct folder folder = {arena, lb_span_of(path, len)};
    const struct catalogue_source source = {&folder, read_file, read_rules_file};
    return lb_catalogue_read(index, &source, diag, out_catalogue);
}
