#ifndef GATEWAY_EXCHANGE_OUTBOX_FIXTURE_H
#define GATEWAY_EXCHANGE_OUTBOX_FIXTURE_H

#include "gateway/exchange/outbox.h"
#include "lianban/v1/link.pb-c.h"
#include "tests/support/federation.h"

/* For tests: a broker's outbox on a real log, two adapters and two agents played by the test. */

#define OFX_BROKER "spiffe://test.gov/broker/hub"
#define OFX_TAX "spiffe://test.gov/adapter/tax"
#define OFX_HOUSING "spiffe://test.gov/adapter/housing"
#define OFX_STREET "spiffe://test.gov/window/street-office"
#define OFX_HALL "spiffe://test.gov/window/service-hall"

#define OFX_LOOK_MS 20
#define OFX_STEPS 6000     /* how often what is waited for is looked at */
#define OFX_STEP_US 10000

/* A party with its own log. */
struct ofx_party {
    const char *spiffe;
    struct fed_party keys;
    struct lb_log *log;
};

struct ofx {
    struct federation fed;
    struct lb_arena *arena;
    struct ofx_party broker, tax, housing, street, hall;
    struct lb_seen *seen;            /* of the adapters' logs, by the broker */
    struct lb_clock_fixed clock;     /* the outbox's; the logs have the machine's */
    struct lb_outbox_limits limits;
    struct lb_outbox *outbox;
    unsigned round;                  /* each has a broker's log of its own */
    const char *folder;              /* that log's */
};

/* For cmocka: a group's federation and parties; then for each test a broker that begins anew. */
int ofx_open(void **state);
int ofx_close(void **state);
int ofx_setup(void **state);
int ofx_teardown(void **state);

/* The same in steps, for who forks: ofx_make makes keys and files alone, without any thread;
 * ofx_begin opens logs and outbox as they are, in the folder that is the fixture's, and ofx_end
 * closes them. ofx_free is the end of all. */
struct ofx *ofx_make(void);
void ofx_begin(struct ofx *fx);
void ofx_end(struct ofx *fx);
void ofx_free(struct ofx *fx);
/* ofx_start begins the outbox on what is on disk, ofx_stop ends it. */
void ofx_start(struct ofx *fx);
void ofx_stop(struct ofx *fx);
int64_t ofx_now_s(const struct ofx *fx);
/* ofx_pass lets time pass, for the outbox. */
void ofx_pass(struct ofx *fx, int64_t ms);

/* ofx_parcel makes one whose name and ciphertext are of this byte. */
Lianban__V1__Parcel *ofx_parcel(struct ofx *fx, uint8_t byte, const struct ofx_party *sender,
                                const struct ofx_party *recipient);
/* ofx_reseal gives it another ciphertext of the same size. */
void ofx_reseal(struct ofx *fx, Lianban__V1__Parcel *parcel);
lb_status ofx_submit(struct ofx *fx, const struct ofx_party *caller, Lianban__V1__Parcel *parcel,
                     Lianban__V1__ParcelReceipt **out_receipt);
/* ofx_hold submits one that must be held. */
Lianban__V1__Parcel *ofx_hold(struct ofx *fx, uint8_t byte);

/* ofx_entry makes an entry PARCEL of a party about a name; the proof is against `log`. */
struct ofx_proof {
    Lianban__V1__EntryProof *entry;
    Lianban__V1__LogProgress *log;
};
struct ofx_proof ofx_entry(struct ofx *fx, const struct ofx_party *party, const char *code,
                           struct lb_span name, struct lb_span ciphertext);

/* An adapter's link. */
struct ofx_link {
    struct ofx *fx;
    struct ofx_party *adapter;
    struct lb_outlet *outlet;
    struct lb_session ours, theirs;
    struct lb_seen *seen;            /* of the broker's log, by the adapter */
};
void ofx_link(struct ofx *fx, struct ofx_link *link, struct ofx_party *adapter);
void ofx_unlink(struct ofx_link *link);
/* ofx_batch waits for the next frame with something in it, and checks every proof; NULL when a
 * minute brings none. ofx_quiet: there is none now. */
Lianban__V1__ParcelBatch *ofx_batch(struct ofx_link *link);
bool ofx_quiet(struct ofx_link *link);
/* ofx_given waits for the next parcel on a link. */
const Lianban__V1__RoutedParcel *ofx_given(struct ofx_link *link);
/* ofx_told waits for the next receipt on a link. */
const Lianban__V1__ParcelReceipt *ofx_told(struct ofx_link *link);
/* ofx_entry_on makes an entry of the adapter's, proved against its log as the batch shows it. */
Lianban__V1__EntryProof *ofx_entry_on(struct ofx_link *link, const char *code,
                                      const Lianban__V1__Parcel *parcel,
                                      Lianban__V1__ParcelBatch *batch);
/* ofx_send hands the broker a frame of the adapter's with its log shown. */
lb_status ofx_send(struct ofx_link *link, Lianban__V1__ParcelBatch *batch);
/* ofx_say sends a receipt for a parcel, with an entry if it says so. */
lb_status ofx_say(struct ofx_link *link, const Lianban__V1__Parcel *parcel, const char *code,
                  bool entry);
/* ofx_word hands in a parcel of the adapter's with its entry. */
lb_status ofx_word(struct ofx_link *link, Lianban__V1__Parcel *parcel);

/* An agent's Follow. */
struct ofx_follow {
    struct ofx *fx;
    struct lb_outlet *outlet;
    lb_status ended;                 /* what it was ended with */
};
lb_status ofx_follow(struct ofx *fx, struct ofx_follow *follow, const struct ofx_party *agent);
void ofx_unfollow(struct ofx_follow *follow);
/* ofx_event waits for the next event; NULL when a minute brings none. */
Lianban__V1__FollowEvent *ofx_event(struct ofx_follow *follow);
/* ofx_outcome waits for the next event with this code about a parcel of the agent's. */
const Lianban__V1__ParcelEvent *ofx_outcome(struct ofx_follow *follow, const char *code);
/* ofx_take says DELIVERED for a parcel, or that its end is known. */
lb_status ofx_take(struct ofx *fx, const struct ofx_party *agent,
                   const Lianban__V1__Parcel *parcel, bool ended);

/* ofx_leaf finds the newest entry PARCEL with this code and name in the broker's log. */
bool ofx_leaf(struct ofx *fx, const char *code, const Lianban__V1__Parcel *parcel,
              struct lb_leaf *out);
/* ofx_row counts rows of the table for which a condition holds. */
int64_t ofx_rows(struct ofx *fx, const char *where);

#endif
