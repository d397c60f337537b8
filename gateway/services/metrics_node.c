#include "gateway/services/metrics_text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/x509.h"

/* How the node stands: what it believes, its log, its peers, its process. */

#define MAX_LINKS 256

static int64_t now_s(const struct lb_metrics_options *options)
{
    return lb_clock_unix_s(options->clock);
}

static void put_certificate(const struct lb_metrics_options *options, struct lb_arena *arena,
                            struct lb_buf *out)
{
    struct lb_span pem = LB_SPAN_EMPTY;
    struct lb_cert_info info;
    if (lb_file_read(options->cert_path, LB_MAX_PEM_BYTES, arena, &pem) != LB_OK ||
        lb_x509_info(pem, &info) != LB_OK)
        return; /* a family that is gone is an alarm of its own */
    lb_metrics_gauge(out, "lianban_certificate_left_seconds",
                     "Until the node's own certificate ends; negative once it has.",
                     info.not_after_unix_s - now_s(options));
}

void lb_metrics_put_node(const struct lb_metrics_options *options, struct lb_arena *arena,
                         struct lb_buf *out)
{
    lb_metrics_head(out, "lianban_build_info", "gauge", "The program's version and the node.");
    lb_buf_printf(out, "lianban_build_info{version=\"%s\",node=\"%s\"} 1\n", options->version,
                  options->node);
    put_certificate(options, arena, out);
    struct lb_directory *directory = lb_trust_directory(options->trust);
    lb_metrics_gauge(out, "lianban_directory_version", "The directory in force.",
                     (int64_t)directory->version);
    lb_metrics_gauge(out, "lianban_directory_left_seconds", "Until that directory ends.",
                     directory->expires - now_s(options));
    lb_directory_unref(directory);
}

/* --- the log --- */

static void put_newest(const struct lb_metrics_options *options, struct lb_arena *arena,
                       struct lb_buf *out)
{
    struct lb_log_head head;
    struct lb_span bytes = LB_SPAN_EMPTY;
    struct lb_leaf leaf;
    if (lb_log_head(options->log, arena, &head) != LB_OK)
        return;
    lb_metrics_gauge(out, "lianban_log_entries", "Entries of the evidence log.",
                     (int64_t)head.size);
    if (head.size == 0 || lb_log_leaf(options->log, head.size - 1, arena, &bytes) != LB_OK ||
        lb_leaf_decode(bytes, &leaf) != LB_OK)
        return;
    lb_metrics_gauge(out, "lianban_log_last_entry_seconds",
                     "Since the newest entry; one comes every minute.",
                     (lb_clock_unix_ms(options->clock) - leaf.time_ms) / 1000);
}

void lb_metrics_put_log(const struct lb_metrics_options *options, struct lb_arena *arena,
                        struct lb_buf *out)
{
    struct lb_log_health health;
    lb_log_health(options->log, &health);
    put_newest(options, arena, out);
    lb_metrics_gauge(out, "lianban_log_queue_depth", "Entries that wait to be written.",
                     (int64_t)health.num_queued);
    lb_metrics_gauge(out, "lianban_log_queue_capacity", "How many may wait.", LB_LOG_QUEUE);
    lb_metrics_gauge(out, "lianban_log_healthy", "1 while entries of every kind are accepted.",
                     lb_log_healthy(options->log));
    lb_metrics_head(out, "lianban_log_state", "gauge", "1 for the state the log is in.");
    for (int state = LB_LOG_STATE_OK; state <= LB_LOG_STATE_STOPPED; state++)
        lb_buf_printf(out, "lianban_log_state{state=\"%s\"} %d\n",
                      lb_log_state_name((enum lb_log_state)state),
                      (enum lb_log_state)state == health.state);
    lb_metrics_gauge(out, "lianban_log_disk_free_bytes", "Left on the log's disk.",
                     (int64_t)health.free_bytes);
}

/* --- peers --- */

lb_status lb_metrics_put_lists(const struct lb_metrics_options *options, struct lb_arena *arena,
                               struct lb_buf *out)
{
    struct lb_held_list *lists = NULL;
    size_t num = 0;
    if (options->lists.list == NULL)
        return LB_OK;
    LB_TRY(options->lists.list(options->lists.ctx, arena, &lists, &num));
    lb_metrics_head(out, "lianban_status_list_age_seconds", "gauge",
                    "Since the status list in force was made; one per issuing organization.");
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(out, "lianban_status_list_age_seconds{issuer=\"%s\",list=\"%zu\"} %" PRId64
                      "\n", lists[i].issuer, i, now_s(options) - lists[i].issued_unix_s);
    lb_metrics_head(out, "lianban_status_list_left_seconds", "gauge",
                    "Until it ends, and with it every grant under it.");
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(out, "lianban_status_list_left_seconds{issuer=\"%s\",list=\"%zu\"} %" PRId64
                      "\n", lists[i].issuer, i, lists[i].expires_unix_s - now_s(options));
    return LB_OK;
}

/* Only whom the directory lists: a link's other end is verified, but may have been struck off. */
lb_status lb_metrics_put_links(const struct lb_metrics_options *options, struct lb_arena *arena,
                               struct lb_buf *out)
{
    if (options->links == NULL)
        return LB_OK;
    struct lb_metrics_link *links = lb_arena_array(arena, MAX_LINKS, sizeof(*links));
    LB_ENSURE(links != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = options->links(options->links_ctx, links, MAX_LINKS);
    struct lb_directory *directory = lb_trust_directory(options->trust);
    lb_metrics_head(out, "lianban_link_up", "gauge", "1 while the link to a member is up.");
    for (size_t i = 0; i < num; i++) {
        if (lb_directory_node(directory, links[i].peer) != NULL)
            lb_buf_printf(out, "lianban_link_up{peer=\"%s\"} %d\n", links[i].peer, links[i].up);
    }
    lb_metrics_head(out, "lianban_link_circuit", "gauge",
                    "0 while a member is asked, 1 while it is not, 2 while a few reads try.");
    for (size_t i = 0; i < num; i++) {
        if (lb_directory_node(directory, links[i].peer) != NULL)
            lb_buf_printf(out, "lianban_link_circuit{peer=\"%s\"} %d\n", links[i].peer,
                          links[i].circuit);
    }
    lb_directory_unref(directory);
    return LB_OK;
}

/* --- the process --- */

static int64_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = -1;
    (void)fclose(file);
    return pages < 0 ? -1 : (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
    int64_t num = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        num++;
    (void)closedir(folder);
    return num - 3; /* the two dots, and the folder itself */
}

void lb_metrics_put_process(struct lb_buf *out)
{
    struct rusage usage;
    int64_t bytes = resident_bytes(), files = open_files();
    if (bytes >= 0)
        lb_metrics_gauge(out, "process_resident_memory_bytes", "Resident memory.", bytes);
    if (files >= 0)
        lb_metrics_gauge(out, "process_open_fds", "Open files and sockets.", files);
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    int64_t us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
                 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    lb_metrics_head(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    lb_buf_printf(out, "process_cpu_seconds_total %" PRId64 ".%06" PRId64 "\n", us / 1000000,
                  us % 1000000);
}
