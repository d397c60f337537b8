#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/live.h"
#include "gateway/ctl/propose.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* `lianban adapter init`: views proposed from a live database. */

#define CATALOG_BYTES (32 * 1024 * 1024)
#define MAX_VIEW_BYTES (256 * 1024)

struct proposal {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    const char *from;           /* an adapter's configuration, or a connection string */
    const char *password_file;
    const char *department;
    const char *folder;
    struct lb_ctl_list tables;  /* none: all */
    struct lb_ctl_live live;
    struct lb_arena *arena;
    struct lb_json *views;
    struct lb_json *skipped;
    size_t num_views;
    size_t num_skipped;
};

static lb_status open_source(struct proposal *proposal)
{
    struct lb_ctl_live *live = &proposal->live;
    struct stat info;
    size_t len = strlen(proposal->from);
    bool is_yaml = len > 5 && strcmp(proposal->from + len - 5, ".yaml") == 0;
    if (is_yaml && stat(proposal->from, &info) == 0) {
        LB_TRY(lb_ctl_live_read(proposal->from, &proposal->diag, live));
    } else {
        live->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
        LB_ENSURE(live->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
        live->source = lb_sources_from(proposal->from);
    }
    if (proposal->password_file != NULL)
        live->source.options.password_file = proposal->password_file;
    return lb_ctl_live_connect(live, &proposal->diag);
}

static bool is_wanted(const struct proposal *proposal, const struct lb_source_listed *first)
{
    for (size_t i = 0; i < proposal->tables.num; i++)
        if (strcmp(proposal->tables.items[i], first->table) == 0)
            return true;
    return proposal->tables.num == 0;
}

static void skip(struct proposal *proposal, const struct lb_source_listed *first, const char *why)
{
    proposal->num_skipped++;
    if (proposal->env->json) {
        lb_json_append_str(proposal->skipped, lb_span_str(first->table));
        return;
    }
    (void)fputs("- ", proposal->env->out);
    lb_ctl_put(proposal->env->out, first->table);
    (void)fprintf(proposal->env->out, ": %s\n", why);
}

static lb_status path_of(struct proposal *proposal, const char *name, const char **out)
{
    const char *path = lb_arena_printf(proposal->arena, "%s/%s.yaml", proposal->folder, name);
    LB_ENSURE(path != NULL && strlen(path) < PATH_MAX, LB_CONFIG_INVALID, "path is too long");
    *out = path;
    return LB_OK;
}

/* What somebody has decided upon is not written over, and not mixed with what nobody has. */
static lb_status check_folder(struct proposal *proposal)
{
    glob_t found;
    const char *pattern = NULL;
    LB_TRY(path_of(proposal, "*", &pattern));
    int none = glob(pattern, 0, NULL, &found);
    if (none == 0)
        globfree(&found);
    if (none == GLOB_NOMATCH)
        return LB_OK;
    lb_diag_set(&proposal->diag, "%s has views already; give --out a new folder",
                proposal->folder);
    LB_FAIL(LB_CONFIG_INVALID, "a folder with views");
}

/* Two tables may come to one name. */
static lb_status new_path(struct proposal *proposal, char name[65], const char **out)
{
    struct stat info;
    LB_TRY(path_of(proposal, name, out));
    if (stat(*out, &info) != 0)
        return LB_OK;
    size_t len = strlen(name);
    (void)snprintf(name + len, 65 - len, "-%zu", proposal->num_views + 1);
    return path_of(proposal, name, out);
}

static lb_status write_view(struct proposal *proposal, const struct lb_propose_table *table,
                            const struct lb_source_listed *key)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    char name[65];
    const char *path = NULL;
    lb_propose_name(table, proposal->num_views + 1, name);
    lb_buf_init(&buf, MAX_VIEW_BYTES);
    LB_TRY(new_path(proposal, name, &path));
    LB_TRY(lb_propose_view(table, proposal->department, name, key, &buf));
    LB_TRY(lb_file_write(path, lb_buf_span(&buf), 0644));
    proposal->num_views++;
    if (proposal->env->json) {
        lb_json_append_str(proposal->views, lb_span_str(path));
        return LB_OK;
    }
    (void)fprintf(proposal->env->out, "+ %s%s\n", path,
                  key->indexed ? "" : lb_ctl_pick(proposal->env, "（主键无索引）",
                                                  " (the key has no index)"));
    return LB_OK;
}

static lb_status propose_table(struct proposal *proposal, const struct lb_propose_table *table)
{
    const struct lb_source_listed *first = &table->catalog->columns[table->first];
    const struct lb_source_listed *key = lb_propose_key(table);
    if (!is_wanted(proposal, first))
        return LB_OK;
    if (key == NULL) {
        skip(proposal, first,
             lb_ctl_pick(proposal->env, "未发现公民身份号码列，请自行编写关联查询",
                         "no column looks like the identity number; write a view that joins it"));
        return LB_OK;
    }
    lb_status status = write_view(proposal, table, key);
    if (lb_status_code(status) != LB_ABSENT)
        return status;
    skip(proposal, first, status->what);
    return LB_OK;
}

static lb_status propose(struct proposal *proposal)
{
    const struct lb_source_plugin *plugin = proposal->live.source.plugin;
    struct lb_source_catalog catalog = {0};
    struct lb_propose_table table;
    if (plugin->catalog == NULL) {
        lb_diag_set(&proposal->diag, "a %s source has no tables to list", plugin->name);
        LB_FAIL(LB_CONFIG_INVALID, "source without tables");
    }
    LB_TRY(plugin->catalog(proposal->live.open, proposal->arena, &catalog));
    LB_TRY(lb_file_mkdirs(proposal->folder));
    LB_TRY(check_folder(proposal));
    for (size_t at = 0; lb_propose_next(&catalog, at, &table); at += table.num)
        LB_TRY(propose_table(proposal, &table));
    return LB_OK;
}

static lb_status finish(struct proposal *proposal)
{
    if (proposal->env->json) {
        LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
        lb_json_set(root, "views", proposal->views);
        lb_json_set(root, "skipped", proposal->skipped);
        proposal->views = NULL;
        proposal->skipped = NULL;
        return lb_ctl_print_json(proposal->env, root);
    }
    lb_ctl_note(proposal->env, "%zu views proposed, %zu tables left out; none releases anything "
                               "yet. Next: decide, then `lianban view check --live`",
                proposal->num_views, proposal->num_skipped);
    return LB_OK;
}

/* As view files have it: [a-z][a-z0-9-]*, and short. */
static bool is_department(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len > 0 && len <= 32 && name[len] == 0 && name[0] >= 'a' && name[0] <= 'z';
}

static lb_status run(struct proposal *proposal)
{
    if (!is_department(proposal->department)) {
        lb_diag_set(&proposal->diag, "--department must be the department's id in the directory, "
                                     "such as tax");
        LB_FAIL(LB_CONFIG_INVALID, "no department");
    }
    proposal->arena = lb_arena_new(CATALOG_BYTES);
    LB_ENSURE(proposal->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (proposal->env->json) {
        proposal->views = lb_json_array();
        proposal->skipped = lb_json_array();
    }
    LB_TRY(open_source(proposal));
    LB_TRY(propose(proposal));
    return finish(proposal);
}

static int init_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban adapter init --from node.yaml --department tax --out views",
        "lianban adapter init --from 'host=db dbname=tax user=reader' --password-file db.pw "
        "--department tax --out views --table wage",
        NULL,
    };
    struct proposal proposal = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "from", .value = "CONFIG|DSN", .required = true, .text = &proposal.from,
         .en = "an adapter's configuration, a connection string, or an SQLite file",
         .zh = "接入端配置文件、连接串，或 SQLite 文件"},
        {.name = "department", .value = "ID", .required = true, .text = &proposal.department,
         .en = "whose views they will be", .zh = "视图所属部门"},
        {.name = "out", .value = "FOLDER", .required = true, .text = &proposal.folder,
         .en = "where the view files go; none is replaced", .zh = "视图文件目录，不覆盖已有文件"},
        {.name = "password-file", .value = "FILE", .text = &proposal.password_file,
         .en = "with the account's password, mode 0600", .zh = "存放账号口令的文件，权限 0600"},
        {.name = "table", .value = "NAME", .list = &proposal.tables,
         .en = "these tables alone", .zh = "仅限这些表"},
    };
    const struct lb_ctl_usage usage = {
        .command = "adapter init",
        .en = "propose views from a live database; they release nothing until rules are written",
        .zh = "根据数据库草拟视图文件；未写规则前不提供任何数据",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run(&proposal);
    exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(env, usage.command, status, &proposal.diag);
    lb_json_freep(&proposal.views);
    lb_json_freep(&proposal.skipped);
    lb_ctl_live_cleanup(&proposal.live);
    lb_arena_free(proposal.arena);
    return exit_code;
}

int lb_ctl_adapter_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"init", "propose views from a live database", "根据数据库草拟视图文件", init_command},
    };
    return lb_ctl_words(env, "adapter", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
