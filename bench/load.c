/* Keeps a number of calls or cases in flight and prints how long they took, as one JSON object. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bare_work.h"
#include "bench/form_work.h"
#include "bench/load_reads.h"

#define MAX_SECONDS 600
#define MAX_REQUEST_BYTES (1024 * 1024)
#define MAX_CASES 4000
#define MAX_READS 200000
#define MAX_PEOPLE_BYTES (4 * 1024 * 1024)
#define PREPARING 32 /* cases in flight while those to collect are made ready */

static const char usage[] =
    "bench-load bare --target HOST:PORT --request-bytes N [--sizes SIZES]\n"
    "bench-load forms --agent unix:PATH --office HOST:PORT --people FILE [--form ID]\n"
    "bench-load collect ... as forms, and --cases N\n"
    "bench-load link|through --target HOST:PORT --plan FILE --people FILE --reads N [--cached]\n"
    "           [--sizes SIZES] [--status FILE]\n"
    "  bare: calls of a bare echo or fan-out; forms: whole cases; collect: only the collecting\n"
    "  of N cases that were granted before; link: N reads over a link to an adapter, in the place\n"
    "  of a broker that does not run; through: N reads through a broker. All take --cert, --key,\n"
    "  --ca, --in-flight K, --millis N (measured), --warm-millis N and --at-least N (cases,\n"
    "  however long it takes). People are lines of id_no, name and class, with tabs between.\n"
    "  SIZES are bytes of an answer and of how many in a thousand: 2048:300,32768:700.\n";

struct settings {
    struct lb_bench_identity identity;
    struct lb_bench_options run;
    const char *target;
    const char *agent;
    const char *office;
    const char *people;
    const char *form;
    size_t request_bytes;
    size_t cases;
    struct lb_bench_reads_settings reads;
};

static grpc_channel *target(const struct settings *settings)
{
    if (settings->target == NULL)
        lb_bench_die("--target is needed");
    return lb_bench_channel_new(settings->target, &settings->identity);
}

static int run_bare(const struct settings *settings)
{
    static struct lb_bench_size sizes[LB_BENCH_MAX_SIZES];
    size_t num =
        settings->reads.sizes == NULL ? 0 : lb_bench_sizes_read(settings->reads.sizes, sizes);
    struct lb_bench_work work = lb_bench_bare_work(settings->run.queue, target(settings),
                                                   settings->request_bytes, sizes, num);
    return lb_bench_run_all(&settings->run, &work, false) == 0 ? 0 : 1;
}

/* --- forms --- */

/* Takes the given cases through some steps, which must all go well. */
static void prepare(struct lb_bench_forms *forms, unsigned steps, size_t num_cases)
{
    const struct lb_bench_options options = {
        .queue = forms->queue,
        .in_flight = num_cases < PREPARING ? num_cases : PREPARING,
    };
    forms->steps = steps;
    forms->num_cases = num_cases;
    const struct lb_bench_work work = lb_bench_forms_work(forms);
    if (lb_bench_run_all(&options, &work, true) > 0)
        lb_bench_die("cases could not be made ready or closed");
}

static struct lb_bench_forms *make_forms(const struct settings *settings)
{
    struct lb_arena *arena = lb_arena_new(MAX_PEOPLE_BYTES);
    if (settings->agent == NULL || settings->office == NULL || settings->people == NULL)
        lb_bench_die("--agent, --office and --people are needed");
    if (arena == NULL)
        lb_bench_die("out of memory");
    struct lb_bench_forms *forms = lb_bench_forms_new(
        settings->run.queue, lb_bench_channel_new(settings->agent, NULL),
        lb_bench_channel_new(settings->office, &settings->identity));
    lb_status status = lb_bench_people_read(settings->people, arena, &forms->people);
    if (status != LB_OK)
        lb_bench_die("%s: %s", settings->people, status->what);
    forms->form = settings->form;
    prepare(forms,
            LB_BENCH_BIT(LB_BENCH_OPEN) | LB_BENCH_BIT(LB_BENCH_NOTICE) |
                LB_BENCH_BIT(LB_BENCH_CLOSE),
            1);
    return forms;
}

static int run_forms(const struct settings *settings)
{
    struct lb_bench_forms *forms = make_forms(settings);
    forms->steps = (LB_BENCH_BIT(LB_BENCH_NUM_STEPS) - 1) & ~LB_BENCH_BIT(LB_BENCH_NOTICE);
    forms->num_cases = 0;
    const struct lb_bench_work work = lb_bench_forms_work(forms);
    return lb_bench_run_all(&settings->run, &work, false) == 0 ? 0 : 1;
}

static int run_collect(const struct settings *settings)
{
    struct lb_bench_forms *forms = make_forms(settings);
    struct lb_bench_options options = settings->run;
    options.measured_ms = 0;
    forms->cases = calloc(settings->cases, sizeof(forms->cases[0]));
    if (forms->cases == NULL)
        lb_bench_die("out of memory");
    prepare(forms,
            LB_BENCH_BIT(LB_BENCH_OPEN) | LB_BENCH_BIT(LB_BENCH_GRANTS) |
                LB_BENCH_BIT(LB_BENCH_CONFIRM),
            settings->cases);
    forms->steps = LB_BENCH_BIT(LB_BENCH_COLLECT);
    const struct lb_bench_work work = lb_bench_forms_work(forms);
    size_t num_failed = lb_bench_run_all(&options, &work, false);
    prepare(forms, LB_BENCH_BIT(LB_BENCH_CLOSE), settings->cases);
    return num_failed == 0 ? 0 : 1;
}

/* --- options --- */

static bool take_text(struct settings *settings, const char *name, const char *value)
{
    const char **into = strcmp(name, "target") == 0   ? &settings->target
                        : strcmp(name, "agent") == 0  ? &settings->agent
                        : strcmp(name, "office") == 0 ? &settings->office
                        : strcmp(name, "people") == 0 ? &settings->people
                        : strcmp(name, "form") == 0   ? &settings->form
                        : strcmp(name, "plan") == 0   ? &settings->reads.plan
                        : strcmp(name, "status") == 0 ? &settings->reads.status
                        : strcmp(name, "sizes") == 0  ? &settings->reads.sizes
                                                      : NULL;
    if (into == NULL)
        return lb_bench_identity_option(&settings->identity, name, value);
    *into = value;
    return true;
}

static void take_number(struct settings *settings, const char *name, const char *value)
{
    if (strcmp(name, "in-flight") == 0)
        settings->run.in_flight = lb_bench_count(name, value, LB_BENCH_MAX_LANES);
    else if (strcmp(name, "millis") == 0)
        settings->run.measured_ms = (int64_t)lb_bench_count(name, value, MAX_SECONDS * 1000);
    else if (strcmp(name, "warm-millis") == 0)
        settings->run.warm_ms = (int64_t)lb_bench_count(name, value, MAX_SECONDS * 1000);
    else if (strcmp(name, "at-least") == 0)
        settings->run.at_least = lb_bench_count(name, value, MAX_CASES);
    else if (strcmp(name, "cached") == 0)
        settings->reads.cached = true;
    else if (strcmp(name, "reads") == 0)
        settings->reads.num = lb_bench_count(name, value, MAX_READS);
    else if (strcmp(name, "request-bytes") == 0)
        settings->request_bytes = lb_bench_count(name, value, MAX_REQUEST_BYTES);
    else
        settings->cases = lb_bench_count(name, value, MAX_CASES);
}

static bool take_options(struct settings *settings, int argc, char **argv)
{
    static const struct option known[] = {
        {"cert", required_argument, NULL, 1},          {"key", required_argument, NULL, 1},
        {"ca", required_argument, NULL, 1},            {"target", required_argument, NULL, 1},
        {"agent", required_argument, NULL, 1},         {"office", required_argument, NULL, 1},
        {"people", required_argument, NULL, 1},        {"form", required_argument, NULL, 1},
        {"in-flight", required_argument, NULL, 1},     {"millis", required_argument, NULL, 1},
        {"warm-millis", required_argument, NULL, 1},   {"cases", required_argument, NULL, 1},
        {"request-bytes", required_argument, NULL, 1}, {"at-least", required_argument, NULL, 1},
        {"plan", required_argument, NULL, 1},          {"status", required_argument, NULL, 1},
        {"sizes", required_argument, NULL, 1},         {"reads", required_argument, NULL, 1},
        {"cached", no_argument, NULL, 1},
        {NULL, 0, NULL, 0}};
    int index = 0;
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            return false;
        if (!take_text(settings, known[index].name, optarg))
            take_number(settings, known[index].name, optarg);
    }
    return optind == argc - 1;
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .run = {.in_flight = 1, .warm_ms = 300, .measured_ms = 3000},
        .form = "social-assistance",
        .request_bytes = 1024,
        .cases = 64,
        .reads = {.num = 1000},
    };
    if (!take_options(&settings, argc, argv)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    grpc_init();
    settings.run.queue = grpc_completion_queue_create_for_next(NULL);
    const char *what = argv[optind];
    if (strcmp(what, "bare") == 0)
        return run_bare(&settings);
    if (strcmp(what, "forms") == 0)
        return run_forms(&settings);
    if (strcmp(what, "collect") == 0)
        return run_collect(&settings);
    settings.reads.people = settings.people;
    if (strcmp(what, "link") == 0)
        return lb_bench_run_link(&settings.run, target(&settings), &settings.reads) == 0 ? 0 : 1;
    if (strcmp(what, "through") == 0)
        return lb_bench_run_through(&settings.run, target(&settings), &settings.reads) == 0 ? 0 : 1;
    (void)fputs(usage, stderr);
    return 2;
}
