#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/shards.h"

/* What shards a log has, for people. */

#define MAX_FILES 4096
#define META_ARENA_BYTES (64U * 1024)

struct listing {
    const char *folder;
    struct lb_log_reader *reader;
    struct lb_shards *shards;
    struct lb_shard_list *list;
};

static struct lb_shard_line *find_line(struct lb_shard_list *list, const char *name)
{
    for (size_t i = 0; i < list->num; i++) {
        if (strcmp(list->lines[i].name, name) == 0)
            return &list->lines[i];
    }
    return NULL;
}

static void add_linked(struct listing *listing)
{
    struct lb_shard_list *list = listing->list;
    for (size_t i = 0; i < lb_shards_num(listing->shards); i++) {
        const struct lb_shards_row *row = lb_shards_at(listing->shards, i);
        struct lb_shard_line *line = &list->lines[list->num++];
        memcpy(line->name, row->name, sizeof(line->name));
        line->from = row->from;
        line->to = row->to;
        line->bytes = row->file_bytes;
        line->state = lb_shards_state(listing->shards, i);
    }
}

static lb_status add_copied(struct listing *listing, const char *name)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(META_ARENA_BYTES);
    LB_DEFER(lb_shard_file_close) struct lb_shard_file file = {.store = NULL};
    struct lb_shard_path path;
    struct lb_shard_meta meta;
    struct stat info;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "shard");
    LB_TRY(lb_shard_path_make(listing->folder, name, ".db", &path));
    LB_ENSURE(stat(path.text, &info) == 0, LB_FILE_FAILED, "a shard cannot be looked at");
    LB_TRY(lb_shard_file_open(path.text, &file));
    LB_TRY(lb_shard_file_meta(&file, arena, &meta));
    struct lb_shard_line *line = &listing->list->lines[listing->list->num++];
    memcpy(line->name, meta.name, sizeof(line->name));
    line->from = meta.from;
    line->to = meta.to;
    line->bytes = (uint64_t)info.st_size;
    line->state = LB_SHARD_COPIED;
    return LB_OK;
}

/* Files that are no linked shards; what is none at all is not listed. */
static lb_status add_files(struct listing *listing)
{
    struct lb_shard_path folder;
    LB_TRY(lb_shard_path_make(listing->folder, "", "", &folder));
    DIR *dir = opendir(folder.text);
    if (dir == NULL)
        return LB_OK;
    const struct dirent *entry;
    for (unsigned i = 0; i < MAX_FILES && (entry = readdir(dir)) != NULL; i++) {
        char name[LB_SHARD_NAME_BYTES] = "";
        size_t len = strlen(entry->d_name);
        if (len != strlen("2026h1.db") || strcmp(entry->d_name + len - 3, ".db") != 0)
            continue;
        memcpy(name, entry->d_name, len - 3);
        bool is_new = lb_shard_is_name(name) && find_line(listing->list, name) == NULL;
        if (!is_new || listing->list->num >= LB_SHARD_MAX)
            continue;
        /* Whoever copies or links it tells what is wrong with it. */
        lb_status_ignore(add_copied(listing, name));
    }
    (void)closedir(dir);
    return LB_OK;
}

static lb_status ask_number(struct lb_store *store, const char *sql, uint64_t *out)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, sql, &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK)
        *out = row && lb_stmt_int(stmt, 0) > 0 ? (uint64_t)lb_stmt_int(stmt, 0) : 0;
    lb_stmt_free(stmt);
    return status;
}

static lb_status add_space(struct listing *listing)
{
    struct lb_store *store = listing->reader->store;
    uint64_t pages = 0;
    uint64_t page = 0;
    uint64_t first = 0;
    uint64_t end = lb_shards_end(listing->shards);
    LB_TRY(ask_number(store, "PRAGMA freelist_count", &pages));
    LB_TRY(ask_number(store, "PRAGMA page_size", &page));
    LB_TRY(ask_number(store, "SELECT coalesce(min(idx), 0) FROM leaf", &first));
    listing->list->free_bytes = pages * page;
    listing->list->num_left = first < end ? end - first : 0;
    return LB_OK;
}

static int by_range(const void *a, const void *b)
{
    const struct lb_shard_line *first = a;
    const struct lb_shard_line *second = b;
    return (first->from > second->from) - (first->from < second->from);
}

static lb_status fill(struct listing *listing)
{
    add_linked(listing);
    LB_TRY(add_files(listing));
    qsort(listing->list->lines, listing->list->num, sizeof(listing->list->lines[0]), by_range);
    return add_space(listing);
}

lb_status lb_shard_list_read(const char *folder, struct lb_diag *diag,
                             struct lb_shard_list *out_list)
{
    struct listing listing = {.folder = folder, .list = out_list};
    memset(out_list, 0, sizeof(*out_list));
    LB_TRY(lb_log_reader_open(folder, diag, &listing.reader));
    listing.shards = listing.reader->records.shards;
    lb_status status = fill(&listing);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: its shards cannot be listed: %s", folder, status->what);
    lb_log_reader_close(listing.reader);
    return status;
}

static lb_status declare(const char *folder, const char *name)
{
    struct lb_shard_path path;
    LB_TRY(lb_shard_path_make(folder, name, ".away", &path));
    return lb_file_write(path.text, lb_span_str("kept elsewhere\n"), 0600);
}

lb_status lb_shard_away(const char *folder, const char *name, struct lb_diag *diag)
{
    struct lb_shard_list list;
    LB_TRY(lb_shard_list_read(folder, diag, &list));
    const struct lb_shard_line *line = lb_shard_is_name(name) ? find_line(&list, name) : NULL;
    bool linked = line != NULL && line->state != LB_SHARD_COPIED;
    if (!linked)
        lb_diag_set(diag, "%s: no such shard is linked; `lianban log shard FOLDER` without --away"
                          " tells which are", folder);
    LB_ENSURE(linked, LB_ABSENT, "no such shard");
    lb_status status = declare(folder, name);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: the declaration cannot be written", folder);
    return status;
}
