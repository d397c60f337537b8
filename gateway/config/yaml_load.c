#include <yaml.h>

#include "gateway/base/utf8.h"
#include "gateway/config/yaml_node.h"

/*
 * The tree is built from events, not by libyaml's document API, because that one resolves aliases
 * and forgets which anchors and tags a file had.
 */
struct build {
    struct lb_yaml *file;
    struct lb_diag *diag;
    yaml_parser_t parser;
    yaml_event_t event;  /* the current one */
    size_t num_nodes;
    unsigned level;
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static lb_status no_memory(const struct build *build)
{
    lb_diag_set(build->diag, "%s: too much for the memory of one file; split it",
                build->file->name);
    LB_FAIL(LB_NO_MEMORY, "a YAML file passes its memory");
}

static int line_at(struct lb_span bytes, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < bytes.len; i++)
        line += bytes.ptr[i] == '\n';
    return line;
}

static lb_status syntax_error(const struct build *build)
{
    const yaml_parser_t *parser = &build->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory(build);
    int line = parser->error == YAML_READER_ERROR
                   ? line_at(build->file->bytes, parser->problem_offset)
                   : line_of(parser->problem_mark);
    return lb_yaml_fail_at(build->file, line, build->diag, "not valid YAML: %s; correct it here",
                           parser->problem == NULL ? "unknown problem" : parser->problem);
}

static lb_status next_event(struct build *build)
{
    yaml_event_delete(&build->event);
    if (yaml_parser_parse(&build->parser, &build->event) == 0)
        return syntax_error(build);
    return LB_OK;
}

static lb_status refuse_here(const struct build *build, const char *what)
{
    return lb_yaml_fail_at(build->file, line_of(build->event.start_mark), build->diag, "%s", what);
}

/* What would make the file mean more than it shows. */
static lb_status refuse_extras(const struct build *build)
{
    const yaml_event_t *event = &build->event;
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return refuse_here(build, "aliases (*name) are not supported; write the value out");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor != NULL)
        return refuse_here(build, "anchors (&name) are not supported; write the value out");
    if (tag != NULL)
        return refuse_here(build, "tags (!name) are not supported; remove it");
    return LB_OK;
}

static lb_status new_node(struct build *build, struct lb_yaml_node **out)
{
    if (++build->num_nodes > LB_MAX_YAML_NODES)
        return refuse_here(build, "too many values in one file; split it");
    struct lb_yaml_node *node = lb_arena_alloc(build->file->arena, sizeof(*node));
    if (node == NULL)
        return no_memory(build);
    node->file = build->file;
    node->line = line_of(build->event.start_mark);
    *out = node;
    return LB_OK;
}

static lb_status read_text(const struct build *build, const char **out)
{
    struct lb_span text =
        lb_span_of(build->event.data.scalar.value, build->event.data.scalar.length);
    if (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL)
        return refuse_here(build, "a NUL character is not allowed; remove \\0");
    const char *copy = lb_arena_str(build->file->arena, text);
    if (copy == NULL)
        return no_memory(build);
    *out = copy;
    return LB_OK;
}

static lb_status gather(struct build *build, struct lb_yaml_node *parent,
                        const struct lb_yaml_node *first)
{
    const struct lb_yaml_node **items =
        lb_arena_array(build->file->arena, parent->num, sizeof(*items));
    if (items == NULL)
        return no_memory(build);
    for (size_t i = 0; i < parent->num; i++, first = first->next)
        items[i] = first;
    parent->items = items;
    return LB_OK;
}

static lb_status read_node(struct build *build, struct lb_yaml_node **out);

static lb_status read_list(struct build *build, struct lb_yaml_node *list)
{
    const struct lb_yaml_node *first = NULL;
    const struct lb_yaml_node **tail = &first;
    LB_TRY(next_event(build));
    for (; build->event.type != YAML_SEQUENCE_END_EVENT; list->num++) {
        struct lb_yaml_node *item = NULL;
        LB_TRY(read_node(build, &item));
        *tail = item;
        tail = &item->next;
        LB_TRY(next_event(build));
    }
    return gather(build, list, first);
}

static lb_status read_key(struct build *build, const struct lb_yaml_node *first, const char **out)
{
    LB_TRY(refuse_extras(build));
    if (build->event.type != YAML_SCALAR_EVENT)
        return refuse_here(build, "a key must be one word or text; write \"key: value\"");
    const char *key = NULL;
    LB_TRY(read_text(build, &key));
    if (strcmp(key, "<<") == 0)
        return refuse_here(build, "merge keys (<<) are not supported; write the members out");
    if (key[0] == 0)
        return refuse_here(build, "a key is empty; name it");
    for (; first != NULL; first = first->next) {
        if (strcmp(first->key, key) == 0)
            return lb_yaml_fail_at(build->file, line_of(build->event.start_mark), build->diag,
                                   "key \"%s\" is there twice (first in line %d); remove one",
                                   lb_yaml_shown_key(key), first->key_line);
    }
    *out = key;
    return LB_OK;
}

static lb_status read_member(struct build *build, const struct lb_yaml_node *first,
                             struct lb_yaml_node **out)
{
    const char *key = NULL;
    LB_TRY(read_key(build, first, &key));
    int line = line_of(build->event.start_mark);
    LB_TRY(next_event(build));
    struct lb_yaml_node *member = NULL;
    LB_TRY(read_node(build, &member));
    member->key = key;
    member->key_line = line;
    *out = member;
    return LB_OK;
}

static lb_status read_map(struct build *build, struct lb_yaml_node *map)
{
    const struct lb_yaml_node *first = NULL;
    const struct lb_yaml_node **tail = &first;
    LB_TRY(next_event(build));
    for (; build->event.type != YAML_MAPPING_END_EVENT; map->num++) {
        if (map->num == LB_MAX_YAML_MEMBERS)
            return refuse_here(build, "too many keys in one map; split it");
        struct lb_yaml_node *member = NULL;
        LB_TRY(read_member(build, first, &member));
        *tail = member;
        tail = &member->next;
        LB_TRY(next_event(build));
    }
    return gather(build, map, first);
}

static lb_status read_nested(struct build *build, struct lb_yaml_node *node)
{
    if (build->level == LB_MAX_YAML_LEVELS)
        return refuse_here(build, "nested too deeply; at most 16 levels are allowed");
    build->level++;
    if (build->event.type == YAML_SEQUENCE_START_EVENT) {
        node->kind = LB_YAML_LIST;
        LB_TRY(read_list(build, node));
    } else {
        node->kind = LB_YAML_MAP;
        LB_TRY(read_map(build, node));
    }
    build->level--;
    return LB_OK;
}

static lb_status read_node(struct build *build, struct lb_yaml_node **out)
{
    LB_TRY(refuse_extras(build));
    struct lb_yaml_node *node = NULL;
    LB_TRY(new_node(build, &node));
    if (build->event.type == YAML_SCALAR_EVENT) {
        node->kind = LB_YAML_SCALAR;
        node->plain = build->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        LB_TRY(read_text(build, &node->text));
    } else {
        LB_TRY(read_nested(build, node));
    }
    *out = node;
    return LB_OK;
}

static lb_status refuse_directives(const struct build *build)
{
    if (build->event.data.document_start.version_directive != NULL ||
        build->event.data.document_start.tag_directives.start !=
            build->event.data.document_start.tag_directives.end)
        return refuse_here(build, "directives (%YAML, %TAG) are not supported; remove them");
    return LB_OK;
}

static lb_status read_document(struct build *build)
{
    LB_TRY(next_event(build));
    LB_TRY(next_event(build));
    if (build->event.type != YAML_DOCUMENT_START_EVENT)
        return refuse_here(build, "the file is empty; write its content");
    LB_TRY(refuse_directives(build));
    LB_TRY(next_event(build));
    struct lb_yaml_node *root = NULL;
    LB_TRY(read_node(build, &root));
    LB_TRY(next_event(build));
    LB_TRY(next_event(build));
    if (build->event.type != YAML_STREAM_END_EVENT)
        return refuse_here(build, "a second document starts here; keep one per file");
    build->file->root = root;
    return LB_OK;
}

static lb_status check_encoding(const struct lb_yaml *file, struct lb_diag *diag)
{
    size_t offset = 0;
    int32_t point = lb_utf8_next(file->bytes, &offset);
    if (point == 0xFEFF)
        return lb_yaml_fail_at(file, 1, diag, "a byte order mark; save as UTF-8 without one");
    while (point > 0)
        point = lb_utf8_next(file->bytes, &offset);
    if (point == 0)
        return lb_yaml_fail_at(file, line_at(file->bytes, offset), diag,
                               "a NUL byte; save as UTF-8 text");
    if (point == -2)
        return lb_yaml_fail_at(file, line_at(file->bytes, offset), diag,
                               "not UTF-8; save the file as UTF-8");
    return LB_OK;
}

lb_status lb_yaml_build(struct lb_yaml *file, struct lb_diag *diag)
{
    LB_TRY(check_encoding(file, diag));
    struct build build = {.file = file, .diag = diag};
    if (yaml_parser_initialize(&build.parser) == 0)
        return no_memory(&build);
    yaml_parser_set_encoding(&build.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&build.parser, file->bytes.ptr, file->bytes.len);
    lb_status status = read_document(&build);
    yaml_event_delete(&build.event);
    yaml_parser_delete(&build.parser);
    return status;
}
