#include "adapters/sources/config.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "adapters/odbc/odbc.h"
#include "adapters/postgres/postgres.h"
#include "adapters/sqlite/sqlite.h"

#define DEFAULT_CONNECTIONS 2
#define MIN_WAIVER_BYTES 8

struct known {
    const char *name;
    const struct lb_source_plugin *(*plugin)(void);
    bool by_path;       /* its location is a file's path */
    bool has_password;
    bool has_waiver;    /* its DBMS may be one that can't be asked about its account */
};

static const struct known all_known[] = {
    {.name = "sqlite", .plugin = lb_source_sqlite, .by_path = true},
    {.name = "postgres", .plugin = lb_source_postgres, .has_password = true},
    {.name = "odbc", .plugin = lb_source_odbc, .has_password = true, .has_waiver = true},
};

struct reader {
    const struct lb_yaml_node *source;
    const char *config_path;
    struct lb_arena *arena;
    struct lb_diag *diag;
};

static lb_status find_plugin(const struct reader *reader, const struct known **out)
{
    const char *name = NULL;
    LB_TRY(lb_yaml_need_text(reader->source, "plugin", reader->diag, &name));
    for (size_t i = 0; i < sizeof(all_known) / sizeof(all_known[0]); i++) {
        if (strcmp(all_known[i].name, name) != 0)
            continue;
        *out = &all_known[i];
        return LB_OK;
    }
    return lb_yaml_fail(lb_yaml_get(reader->source, "plugin"), reader->diag,
                        "unknown source plugin \"%.40s\"; known: sqlite, postgres, odbc", name);
}

/* A path is relative to the configuration's folder. */
static lb_status keep_path(const struct reader *reader, const char *path, const char **out)
{
    const char *slash = strrchr(reader->config_path, '/');
    int folder = slash == NULL || path[0] == '/' ? 0 : (int)(slash - reader->config_path) + 1;
    *out = lb_arena_printf(reader->arena, "%.*s%s", folder, reader->config_path, path);
    LB_ENSURE(*out != NULL && strlen(*out) < PATH_MAX, LB_CONFIG_INVALID, "path is too long");
    return LB_OK;
}

static lb_status read_location(const struct reader *reader, const struct known *known,
                               const char **out)
{
    const char *location = NULL;
    LB_TRY(lb_yaml_need_text(reader->source, "location", reader->diag, &location));
    if (known->by_path)
        return keep_path(reader, location, out);
    *out = lb_arena_str(reader->arena, lb_span_str(location));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static lb_status read_password_file(const struct reader *reader, const struct known *known,
                                    const char **out)
{
    const struct lb_yaml_node *node = lb_yaml_get(reader->source, "password_file");
    const char *path = NULL;
    if (node == NULL)
        return LB_OK;
    if (!known->has_password)
        return lb_yaml_fail(node, reader->diag, "a %s source has no password; remove password_file",
                            known->name);
    LB_TRY(lb_yaml_text(node, reader->diag, &path));
    return keep_path(reader, path, out);
}

static bool is_postgres(const char *location)
{
    return strncmp(location, "postgres://", 11) == 0 ||
           strncmp(location, "postgresql://", 13) == 0 || strstr(location, "dbname=") != NULL ||
           strncmp(location, "host=", 5) == 0;
}

static bool is_odbc(const char *location)
{
    return strncasecmp(location, "Driver=", 7) == 0 || strncasecmp(location, "DSN=", 4) == 0;
}

struct lb_sources_config lb_sources_from(const char *location)
{
    return (struct lb_sources_config){
        .plugin = is_odbc(location)       ? lb_source_odbc()
                  : is_postgres(location) ? lb_source_postgres()
                                          : lb_source_sqlite(),
        .options = {.location = location},
        .num_connections = 1,
    };
}

/* Somebody's word, in place of the database's. */
static lb_status read_waiver(const struct reader *reader, const struct known *known,
                             const char **out)
{
    const struct lb_yaml_node *node = lb_yaml_get(reader->source, "read_only_checked");
    const char *text = NULL;
    if (node == NULL)
        return LB_OK;
    if (!known->has_waiver)
        return lb_yaml_fail(node, reader->diag, "a %s source is asked itself whether its account "
                                                "can write; remove read_only_checked", known->name);
    LB_TRY(lb_yaml_text(node, reader->diag, &text));
    if (strlen(text) < MIN_WAIVER_BYTES)
        return lb_yaml_fail(node, reader->diag, "read_only_checked says who found that the account "
                                                "can't write, and when");
    *out = lb_arena_str(reader->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

lb_status lb_sources_read(const struct lb_yaml_node *source, const char *config_path,
                          struct lb_arena *arena, struct lb_diag *diag,
                          struct lb_sources_config *out)
{
    static const char *const keys[] = {"plugin", "location", "connections", "password_file",
                                       "read_only_checked", NULL};
    const struct reader reader = {source, config_path, arena, diag};
    const struct known *known = NULL;
    struct lb_sources_config config = {0};
    int64_t num = 0;
    LB_TRY(lb_yaml_only(source, keys, diag));
    LB_TRY(find_plugin(&reader, &known));
    config.plugin = known->plugin();
    LB_TRY(read_location(&reader, known, &config.options.location));
    LB_TRY(read_password_file(&reader, known, &config.options.password_file));
    LB_TRY(read_waiver(&reader, known, &config.options.read_only_checked));
    LB_TRY(lb_yaml_opt_int(source, "connections", 1, LB_SOURCES_MAX_CONNECTIONS,
                           DEFAULT_CONNECTIONS, diag, &num));
    config.num_connections = (size_t)num;
    *out = config;
    return LB_OK;
}
