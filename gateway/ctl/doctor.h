#ifndef GATEWAY_CTL_DOCTOR_H
#define GATEWAY_CTL_DOCTOR_H

#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/doctor_port.h"
#include "gateway/ctl/sheet.h"

/*
 * Inside `lianban doctor`: one run, its checks and what they find. A check adds rows; none ends the
 * run, since a node in trouble has several at once.
 */
enum lb_doctor_state { LB_DOCTOR_OK, LB_DOCTOR_WARN, LB_DOCTOR_BAD };

/* Who can put it right. */
enum lb_doctor_party {
    LB_DOCTOR_OPERATIONS,  /* who runs this node's machine */
    LB_DOCTOR_NETWORK,     /* the own network: firewall, DNS, routes */
    LB_DOCTOR_DBA,         /* who runs the department's database */
    LB_DOCTOR_CA,          /* who issued this node's certificate */
    LB_DOCTOR_FEDERATION,  /* the federation's operator: directory, members */
    LB_DOCTOR_PEER,        /* who runs the other side */
    LB_DOCTOR_CONSENT,     /* the consent office that publishes the status list */
    LB_DOCTOR_CLERKS,      /* who works on the parts, or the cases, of this organization */
    LB_DOCTOR_NUM_PARTIES
};

/* What is wrong, what to do and whom to call. Static texts, in both languages. */
struct lb_doctor_advice {
    enum lb_doctor_party party;
    const char *zh, *en;            /* what it means */
    const char *do_zh, *do_en;
};

/* How long a check may take before it counts as hanging. */
struct lb_doctor_times {
    int64_t dns_ms, connect_ms, call_ms, source_ms, slow_ms;
};

struct lb_doctor {
    struct lb_ctl_env *env;
    struct lb_arena *arena;
    struct lb_doctor_times times;
    struct lb_doctor_config config;
    struct lb_ctl_doctor_port port;   /* `contact` NULL when it could not be opened */
    struct lb_directory *directory;   /* NULL when it is not believed */
    struct lb_ctl_sheet sheet;
    enum lb_doctor_state worst;
    size_t num[3];                    /* rows by state */
    /* What peers say of the time: this clock minus theirs. */
    size_t num_clocks;
    int64_t offsets_ms[LB_DOCTOR_MAX_PEERS];
    const char *clock_of[LB_DOCTOR_MAX_PEERS];
};

/* lb_doctor_good adds a row without trouble; lb_doctor_find one with. `about` is a member, a file
 * or a view, `value` what was measured; both may be NULL and are copied. */
void lb_doctor_good(struct lb_doctor *doctor, const char *check, const char *about,
                    const char *value);
void lb_doctor_find(struct lb_doctor *doctor, enum lb_doctor_state state, const char *check,
                    const char *about, const struct lb_doctor_advice *advice, const char *value);
/* lb_doctor_text formats into the run's arena; "" when that is full. */
const char *lb_doctor_text(struct lb_doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The checks. */
void lb_doctor_check_files(struct lb_doctor *doctor);      /* doctor_files.c: state, keys */
void lb_doctor_check_trust(struct lb_doctor *doctor);      /* doctor_trust.c: directory, CRL */
void lb_doctor_check_log(struct lb_doctor *doctor);        /* doctor_log.c: disk, log, witnesses */
void lb_doctor_check_source(struct lb_doctor *doctor);     /* doctor_source.c */
void lb_doctor_check_waits(struct lb_doctor *doctor);      /* doctor_waits.c: parcels and parts */
void lb_doctor_check_peers(struct lb_doctor *doctor);      /* doctor_peers.c */

/* lb_doctor_reach finds out whether "host:port" can be resolved and reached, adds the rows, and
 * says whether it answers; `grave` is how bad it is if not (doctor_net.c). */
bool lb_doctor_reach(struct lb_doctor *doctor, const char *about, const char *endpoint,
                     enum lb_doctor_state grave);
/* lb_doctor_judge_clocks says what peers' times tell of this clock and theirs (doctor_clock.c). */
void lb_doctor_judge_clocks(struct lb_doctor *doctor);

/*
 * lb_doctor_within runs work(job) on a thread of its own and waits at most wait_ms. True: it is
 * done, and the job is the caller's again. False: it hangs; whenever it ends, `release` frees the
 * job, which the caller must not touch any more.
 */
bool lb_doctor_within(int64_t wait_ms, void (*work)(void *job), void *job,
                      void (*release)(void *job));

#endif
