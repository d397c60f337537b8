#include "gateway/ctl/form_files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VIEWS_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)

static lb_status load_view(struct lb_ctl_form_files *files, const char *path, struct lb_diag *diag)
{
    if (files->num_views == LB_CTL_MAX_ITEMS)
        lb_diag_set(diag, "%s: more than %d views; name fewer folders", path, LB_CTL_MAX_ITEMS);
    LB_ENSURE(files->num_views < LB_CTL_MAX_ITEMS, LB_TOO_LARGE, "too many views");
    LB_TRY(lb_view_load(path, files->rules, files->arena, diag, &files->views[files->num_views]));
    files->num_views++;
    return LB_OK;
}

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static lb_status load_names(struct lb_ctl_form_files *files, const char *folder,
                            struct dirent **names, int num, struct lb_diag *diag)
{
    for (int i = 0; i < num; i++) {
        const char *path = lb_arena_printf(files->arena, "%s/%s", folder, names[i]->d_name);
        LB_ENSURE(path != NULL, LB_NO_MEMORY, "a view's path");
        LB_TRY(load_view(files, path, diag));
    }
    return LB_OK;
}

static lb_status load_folder(struct lb_ctl_form_files *files, const char *folder,
                             struct lb_diag *diag)
{
    struct dirent **names = NULL;
    int num = scandir(folder, &names, is_yaml, alphasort);
    if (num <= 0)
        lb_diag_set(diag, "%s: no views (*.yaml) can be read here", folder);
    lb_status status = num < 0 ? LB_OK : load_names(files, folder, names, num, diag);
    for (int i = 0; i < num; i++)
        free(names[i]);
    free(names);
    LB_ENSURE(num > 0, LB_FILE_FAILED, "a folder of views");
    return status;
}

static lb_status load_views(struct lb_ctl_form_files *files, const struct lb_ctl_list *views,
                            struct lb_diag *diag)
{
    for (size_t i = 0; i < views->num; i++) {
        struct stat info;
        bool folder = stat(views->items[i], &info) == 0 && S_ISDIR(info.st_mode);
        LB_TRY(folder ? load_folder(files, views->items[i], diag)
                      : load_view(files, views->items[i], diag));
    }
    return LB_OK;
}

lb_status lb_ctl_form_files_load(const char *rules_path, const struct lb_ctl_list *forms,
                                 const struct lb_ctl_list *views, struct lb_diag *diag,
                                 struct lb_ctl_form_files *out_files)
{
    *out_files = (struct lb_ctl_form_files){.arena = lb_arena_new(VIEWS_ARENA_BYTES)};
    LB_ENSURE(out_files->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_rules_load(rules_path, diag, &out_files->rules));
    for (size_t i = 0; i < forms->num; i++) {
        LB_TRY(lb_form_load(forms->items[i], out_files->rules, diag, &out_files->forms[i]));
        out_files->read[i] = lb_form_of(out_files->forms[i]);
        out_files->num_forms = i + 1;
    }
    return load_views(out_files, views, diag);
}

void lb_ctl_form_files_cleanup(struct lb_ctl_form_files *files)
{
    for (size_t i = 0; i < files->num_forms; i++)
        lb_form_free(files->forms[i]);
    lb_rules_free(files->rules);
    lb_arena_free(files->arena);
}

struct lb_form_registered lb_ctl_form_files_registered(const struct lb_ctl_form_files *files)
{
    return (struct lb_form_registered){.num_views = files->num_views,
                                       .views = files->views,
                                       .num_forms = files->num_forms,
                                       .forms = files->read};
}
