#include "gateway/window/window.h"

#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/window/ends.h"
#include "gateway/window/figures.h"
#include "gateway/window/parts_inside.h"
#include "gateway/window/places.h"

/* Starting and stopping, and what a window system asks about a case as it stands. */

/* --- checks at start --- */

static lb_status check_brokers(const struct lb_window_options *options,
                               const struct lb_directory *directory, struct lb_diag *diag)
{
    if (options->num_brokers == 0 || options->num_brokers > LB_WINDOW_MAX_BROKERS) {
        lb_diag_set(diag, "brokers: name 1 to %d", LB_WINDOW_MAX_BROKERS);
        LB_FAIL(LB_CONFIG_INVALID, "no broker, or too many");
    }
    for (size_t i = 0; i < options->num_brokers; i++) {
        const struct lb_node *broker = lb_directory_node(directory, options->brokers[i]);
        if (broker != NULL && broker->kind == LB_NODE_BROKER && broker->log_origin != NULL)
            return LB_OK; /* others may come later, or have gone: they are asked once listed */
    }
    lb_diag_set(diag,
                "directory: %s is not listed as a broker with a log, so receipts could not be "
                "checked; have it listed, or correct the configuration",
                options->brokers[0]);
    LB_FAIL(LB_CONFIG_INVALID, "no broker is in the directory");
}

static lb_status check_self(const struct lb_window_options *options,
                            const struct lb_directory *directory, struct lb_diag *diag)
{
    const struct lb_node *self = lb_directory_node(directory, options->self);
    if (self == NULL || self->kind != LB_NODE_WINDOW ||
        strcmp(self->organization, options->organization) != 0) {
        lb_diag_set(diag,
                    "directory: %s is not listed as a window of %s; have it listed, or correct the "
                    "configuration",
                    options->self, options->organization);
        LB_FAIL(LB_CONFIG_INVALID, "window is not in the directory");
    }
    struct lb_own_key own[LB_SEAL_RING_MAX];
    size_t num_own = lb_seal_ring_list(options->ring, directory, own);
    lb_wipe(own, sizeof(own));
    if (num_own == 0) {
        lb_diag_set(diag,
                    "directory: no sealing key of %s that is here is listed and in time; publish "
                    "the key that is configured",
                    options->self);
        LB_FAIL(LB_CONFIG_INVALID, "sealing key is not in the directory");
    }
    return check_brokers(options, directory, diag);
}

static bool same_question(const struct lb_form_fact *a, const struct lb_form_fact *b)
{
    if ((a->roles & b->roles) == 0 || strcmp(a->view, b->view) != 0 ||
        strcmp(a->field, b->field) != 0 || a->call.op != b->call.op ||
        a->call.num_args != b->call.num_args)
        return false;
    for (size_t i = 0; i < a->call.num_args; i++) {
        if (strcmp(a->call.args[i], b->call.args[i]) != 0)
            return false;
    }
    return true;
}

/* Two answers to one question could not be told apart. */
static lb_status check_form(const struct lb_form *form, const struct lb_directory *directory,
                            struct lb_diag *diag)
{
    const struct lb_listed *listed =
        lb_listed_find(directory->forms, directory->num_forms, form->id, form->version);
    if (listed == NULL || memcmp(listed->sha256, form->sha256, 32) != 0) {
        lb_diag_set(diag,
                    "form %s version %u: the directory does not list it with the hash of this "
                    "file; use the published file, or have this one listed",
                    form->id, form->version);
        LB_FAIL(LB_FORM_UNKNOWN, "form is not in the directory");
    }
    for (size_t i = 0; i < form->num_facts; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!same_question(&form->facts[i], &form->facts[k]))
                continue;
            lb_diag_set(diag,
                        "form %s version %u: facts %s and %s ask one thing of one role; use one "
                        "fact",
                        form->id, form->version, form->facts[k].name, form->facts[i].name);
            LB_FAIL(LB_CONFIG_INVALID, "a form asks one thing twice");
        }
    }
    return LB_OK;
}

static lb_status check_directory(const struct lb_window_options *options, struct lb_diag *diag)
{
    struct lb_directory *directory = lb_trust_directory(options->trust);
    lb_status status = check_self(options, directory, diag);
    for (size_t i = 0; i < options->num_forms && status == LB_OK; i++)
        status = check_form(lb_form_of(options->forms[i].form), directory, diag);
    lb_directory_unref(directory);
    return status;
}

/* --- life --- */

static lb_status take_forms(struct lb_window *window, struct lb_diag *diag)
{
    const struct lb_window_options *options = &window->options;
    if (options->num_forms == 0 || options->num_forms > LB_WINDOW_MAX_FORMS) {
        lb_diag_set(diag, "forms: name 1 to %u", LB_WINDOW_MAX_FORMS);
        LB_FAIL(LB_CONFIG_INVALID, "no form, or too many");
    }
    window->forms = calloc(options->num_forms, sizeof(window->forms[0]));
    LB_ENSURE(window->forms != NULL, LB_NO_MEMORY, "forms");
    for (size_t i = 0; i < options->num_forms; i++) {
        struct lb_case_form *form = &window->forms[i];
        form->form = lb_form_of(options->forms[i].form);
        form->compiled = options->forms[i].form;
        form->rules = options->forms[i].rules;
        (void)pthread_mutex_init(&form->judging, NULL);
        window->num_forms++;
    }
    return LB_OK;
}

static lb_status set_up(struct lb_window *window, struct lb_diag *diag)
{
    lb_diag_set(diag, "memory is exhausted");
    window->contexts = calloc(LB_WINDOW_MAX_CONTEXTS, sizeof(window->contexts[0]));
    LB_ENSURE(window->contexts != NULL, LB_NO_MEMORY, "contexts");
    LB_TRY(take_forms(window, diag));
    LB_TRY(check_directory(&window->options, diag));
    LB_TRY(lb_case_store_open(window->options.store_path, window->case_key, diag, &window->store));
    LB_TRY(lb_case_store_load(window->store, window, diag));
    LB_TRY(lb_case_catch_up(window));
    return lb_parts_replay(window);
}

lb_status lb_window_new(const struct lb_window_options *options, struct lb_diag *diag,
                        struct lb_window **out_window)
{
    struct lb_window *window = calloc(1, sizeof(*window));
    LB_ENSURE(window != NULL, LB_NO_MEMORY, "window");
    window->options = *options;
    memcpy(window->case_key, options->case_key, sizeof(window->case_key));
    (void)pthread_mutex_init(&window->lock, NULL);
    (void)pthread_cond_init(&window->idle, NULL);
    (void)pthread_mutex_init(&window->contexts_lock, NULL);
    (void)pthread_mutex_init(&window->ending, NULL);
    (void)pthread_mutex_init(&window->calculating, NULL);
    lb_window_brokers_init(&window->brokers, options->clock, options->brokers,
                           options->num_brokers);
    lb_status status = lb_window_operators_new(lb_clock_unix_s(options->clock),
                                               &window->operators);
    if (status == LB_OK)
        status = lb_checkpoint_memo_new(&window->checkpoints);
    if (status == LB_OK)
        status = lb_places_new(options, &window->admission);
    if (status == LB_OK)
        status = set_up(window, diag);
    if (status != LB_OK) {
        lb_window_free(window);
        return status;
    }
    *out_window = window;
    return LB_OK;
}

static void await_collects(struct lb_window *window)
{
    (void)pthread_mutex_lock(&window->lock);
    window->stopping = true;
    while (window->num_collects > 0)
        (void)pthread_cond_wait(&window->idle, &window->lock);
    (void)pthread_mutex_unlock(&window->lock);
}

static void free_cases(struct lb_window *window)
{
    for (size_t i = 0; i < LB_WINDOW_BUCKETS; i++) {
        while (window->buckets[i] != NULL) {
            struct lb_window_case *entry = window->buckets[i];
            window->buckets[i] = entry->next;
            lb_case_free(entry);
        }
    }
}

void lb_window_free(struct lb_window *window)
{
    if (window == NULL)
        return;
    await_collects(window);
    if (window->store != NULL)
        lb_case_write_behind(window);
    free_cases(window);
    lb_case_store_close(window->store);
    lb_window_operators_free(window->operators);
    lb_checkpoint_memo_free(window->checkpoints);
    lb_admission_free(window->admission);
    for (size_t i = 0; i < window->num_forms; i++)
        (void)pthread_mutex_destroy(&window->forms[i].judging);
    free(window->forms);
    if (window->contexts != NULL)
        lb_wipe(window->contexts, LB_WINDOW_MAX_CONTEXTS * sizeof(window->contexts[0]));
    free(window->contexts);
    lb_window_brokers_cleanup(&window->brokers);
    (void)pthread_mutex_destroy(&window->contexts_lock);
    (void)pthread_mutex_destroy(&window->ending);
    (void)pthread_mutex_destroy(&window->calculating);
    (void)pthread_cond_destroy(&window->idle);
    (void)pthread_mutex_destroy(&window->lock);
    lb_wipe(window, sizeof(*window));
    free(window);
}

lb_status lb_window_tick(struct lb_window *window)
{
    lb_window_sweep_contexts(window);
    lb_case_write_behind(window);
    lb_admission_sweep(window->admission);
    LB_TRY(lb_window_log_ends(window));
    return lb_window_operators_tick(window->operators, &window->options);
}

void lb_window_probe(struct lb_window *window)
{
    const struct lb_window_port *port = &window->options.port;
    size_t broker = lb_window_brokers_due(&window->brokers);
    if (broker < window->brokers.num && port->probe(port->ctx, broker) == LB_OK)
        lb_window_brokers_answered(&window->brokers, broker);
}

/* --- a case as it stands --- */

lb_status lb_window_get(struct lb_window *window, const char *case_id, struct lb_arena *arena,
                        Lianban__V1__CaseResult **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    (void)pthread_mutex_lock(&window->lock);
    bool collecting = entry->collecting;
    (void)pthread_mutex_unlock(&window->lock);
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = lb_window_result_message(entry, collecting, arena, out);
    if (status == LB_OK)
        status = lb_case_ends_at(entry, &(*out)->ends_unix_s);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_TRY(status);
    return lb_parts_show(entry, NULL, arena, &(*out)->parts, &(*out)->n_parts);
}

/* From here on nobody finds the case; undone when it could not be erased. */
static lb_status mark_closed(struct lb_window_case *entry, bool closed)
{
    struct lb_window *window = entry->window;
    (void)pthread_mutex_lock(&window->lock);
    bool collecting = entry->collecting, again = closed && entry->closed;
    if (!collecting && !again)
        entry->closed = closed;
    (void)pthread_mutex_unlock(&window->lock);
    LB_ENSURE(!collecting, LB_CASE_STATE, "the case is collecting");
    LB_ENSURE(!again, LB_CASE_UNKNOWN, "the case is being closed");
    return LB_OK;
}

/* Holding `asking`. What is on its way to a department is not lost for that, and what the case came
 * to is added up as it goes. */
static lb_status erase(struct lb_window_case *entry)
{
    struct lb_window *window = entry->window;
    struct lb_case_figures figures;
    bool on_their_way = false;
    LB_TRY(lb_parcels_on_their_way(window->store, entry->id, &on_their_way));
    LB_ENSURE(!on_their_way, LB_CASE_STATE, "a part is on its way");
    (void)pthread_mutex_lock(&entry->lock);
    bool counts = lb_figures_of(entry, &figures);
    (void)pthread_mutex_unlock(&entry->lock);
    return lb_case_store_erase(window->store, entry->id, lb_clock_unix_s(window->options.clock),
                               counts ? &figures : NULL);
}

lb_status lb_window_close_if(struct lb_window *window, const char *case_id,
                             lb_status (*check)(struct lb_window_case *entry))
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    LB_TRY(mark_closed(entry, true));
    /* A request for grants that is under way ends first, so that nothing is written behind us. */
    (void)pthread_mutex_lock(&entry->asking);
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = check == NULL ? LB_OK : check(entry);
    (void)pthread_mutex_unlock(&entry->lock);
    if (status == LB_OK)
        status = erase(entry);
    (void)pthread_mutex_unlock(&entry->asking);
    if (status != LB_OK) {
        lb_status_ignore(mark_closed(entry, false)); /* nothing collects a closed case */
        return status;
    }
    lb_feed_close(entry->feed);
    lb_window_remove(entry);
    lb_status_ignore(lb_window_log_ends(window)); /* lb_window_tick tries again */
    return LB_OK;
}

lb_status lb_window_close_case(struct lb_window *window, const char *case_id)
{
    return lb_window_close_if(window, case_id, NULL);
}
