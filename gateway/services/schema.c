#include "gateway/services/schema.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/wire/pb.h"
#include "lianban/schema/schema.pb-c.h"

struct lb_schema {
    struct lb_arena *arena;
    size_t num;
    struct lb_span *bytes;            /* of each file */
    Lianban__Schema__File **files;
};

static lb_status read_files(struct lb_span set, struct lb_schema *schema)
{
    Lianban__Schema__FileSet *read = NULL;
    LB_TRY(lb_pb_unpack(&lianban__schema__file_set__descriptor, set, schema->arena, &read));
    schema->bytes = lb_arena_array(schema->arena, read->n_file, sizeof(*schema->bytes));
    schema->files = lb_arena_array(schema->arena, read->n_file, sizeof(*schema->files));
    LB_ENSURE(schema->bytes != NULL && schema->files != NULL, LB_NO_MEMORY, "schema");
    for (size_t i = 0; i < read->n_file; i++) {
        schema->bytes[i] = lb_pb_span(read->file[i]);
        LB_TRY(lb_pb_unpack(&lianban__schema__file__descriptor, schema->bytes[i], schema->arena,
                            &schema->files[i]));
    }
    schema->num = read->n_file;
    return LB_OK;
}

lb_status lb_schema_new(struct lb_span files, struct lb_schema **out_schema)
{
    struct lb_schema *schema = calloc(1, sizeof(*schema));
    LB_ENSURE(schema != NULL, LB_NO_MEMORY, "schema");
    schema->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_status status = schema->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "schema")
                                             : read_files(files, schema);
    if (status != LB_OK) {
        lb_schema_free(schema);
        return status;
    }
    *out_schema = schema;
    return LB_OK;
}

void lb_schema_free(struct lb_schema *schema)
{
    if (schema == NULL)
        return;
    lb_arena_free(schema->arena);
    free(schema);
}

struct lb_span lb_schema_file(const struct lb_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->num; i++) {
        if (strcmp(schema->files[i]->name, name) == 0)
            return schema->bytes[i];
    }
    return LB_SPAN_EMPTY;
}

/* --- by what is in them --- */

/* What follows "name." or "" when that is all; NULL when the text begins otherwise. */
static const char *behind(const char *text, const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || strncmp(text, name, len) != 0)
        return NULL;
    if (text[len] == 0)
        return text + len;
    return text[len] == '.' && text[len + 1] != 0 ? text + len + 1 : NULL;
}

static bool is_one_of(const char *text, Lianban__Schema__Named *const *names, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(text, names[i]->name) == 0)
            return true;
    }
    return false;
}

/* As deep as our own files are nested. */
static bool in_types(const char *text, Lianban__Schema__Type *const *types, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const Lianban__Schema__Type *type = types[i];
        const char *rest = behind(text, type->name);
        if (rest != NULL &&
            (rest[0] == 0 || is_one_of(rest, type->field, type->n_field) ||
             is_one_of(rest, type->enum_type, type->n_enum_type) ||
             in_types(rest, type->nested_type, type->n_nested_type)))
            return true;
    }
    return false;
}

static bool in_services(const char *text, Lianban__Schema__Service *const *services, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const char *rest = behind(text, services[i]->name);
        if (rest != NULL &&
            (rest[0] == 0 || is_one_of(rest, services[i]->method, services[i]->n_method)))
            return true;
    }
    return false;
}

struct lb_span lb_schema_symbol(const struct lb_schema *schema, const char *symbol)
{
    for (size_t i = 0; i < schema->num; i++) {
        const Lianban__Schema__File *file = schema->files[i];
        const char *rest = behind(symbol, file->package);
        if (rest != NULL && rest[0] != 0 &&
            (in_types(rest, file->message_type, file->n_message_type) ||
             is_one_of(rest, file->enum_type, file->n_enum_type) ||
             in_services(rest, file->service, file->n_service)))
            return schema->bytes[i];
    }
    return LB_SPAN_EMPTY;
}
