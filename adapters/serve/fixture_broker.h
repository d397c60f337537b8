#ifndef ADAPTERS_SERVE_FIXTURE_BROKER_H
#define ADAPTERS_SERVE_FIXTURE_BROKER_H

#include "adapters/serve/fixture.h"
#include "adapters/serve/link.h"

/* For tests: the adapter's end of a link, and a broker at the other end that the test plays. */
struct fx_played {
    struct fixture fx;
    struct lb_log *log;          /* the broker's */
    struct lb_seen *seen;        /* the adapter's, of the broker's log */
    struct lb_seen *broker_seen; /* and the other way round */
    struct lb_session session;   /* the broker's end */
    struct lb_adapter_link *link;
    lb_status failed;
};

/* fx_played_setup makes it all, greetings exchanged; fx_played_strange_setup makes it for a
 * department with an intake, before the greetings (fx_greet); fx_played_teardown ends it. They are
 * cmocka's. */
int fx_played_setup(void **state);
int fx_played_strange_setup(void **state);
void fx_greet(struct fx_played *played);
/* fx_reconnect closes the link and begins another, greetings exchanged. */
void fx_reconnect(struct fx_played *played);
int fx_played_teardown(void **state);
/* fx_next_frame is the next frame the adapter sends; NULL after 3 s. */
Lianban__V1__Frame *fx_next_frame(struct fx_played *played);

#endif
