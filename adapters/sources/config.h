#ifndef ADAPTERS_SOURCES_CONFIG_H
#define ADAPTERS_SOURCES_CONFIG_H

#include "adapters/api/source.h"
#include "gateway/config/yaml.h"

/*
 * The `source` of an adapter's configuration: which plugin, and how it reaches the database.
 *
 *   source:
 *     plugin: postgres              # sqlite | postgres | odbc
 *     location: "host=... dbname=... user=..."  # of sqlite: a path, relative to the configuration
 *     password_file: secrets/db     # optional; mode 0600, relative likewise
 *     connections: 4                # 1 to 64; 2
 *     read_only_checked: "..."      # odbc, with a DBMS that can't be asked: who found that the
 *                                   # account can't write, and when
 */

#define LB_SOURCES_MAX_CONNECTIONS 64

struct lb_sources_config {
    const struct lb_source_plugin *plugin;
    struct lb_source_options options;
    size_t num_connections;
};

/* lb_sources_read reads the map `source`; texts live in the arena. `config_path` is the file it
 * stands in. CONFIG_INVALID with file, line and advice in diag, NO_MEMORY. */
LB_MUST lb_status lb_sources_read(const struct lb_yaml_node *source, const char *config_path,
                                  struct lb_arena *arena, struct lb_diag *diag,
                                  struct lb_sources_config *out);

/* lb_sources_from guesses the plugin from a location alone, which is borrowed: a connection string
 * of ODBC's or PostgreSQL's, or else the path of an SQLite file. */
struct lb_sources_config lb_sources_from(const char *location);

#endif
