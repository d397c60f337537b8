#ifndef GATEWAY_WINDOW_POST_STEPS_H
#define GATEWAY_WINDOW_POST_STEPS_H

#include "gateway/window/fixture.h"
#include "gateway/window/parts_inside.h"

/* For tests of parts: a case from its opening to what a department says, a line each. */
struct post {
    struct fixture *fx;
    struct lb_courier *courier;
    const char *case_id;  /* of the last case that was judged */
};

/* A fixture with a courier without threads, and one or two brokers. */
int post_setup(void **state);
int post_setup_two(void **state);
/* post_setup_watch is with a trigger. */
int post_setup_watch(void **state);
int post_teardown(void **state);
/* post_restart begins anew on the same disk; post_work does what has come and what is due. */
void post_restart(struct post *post);
void post_work(struct post *post);
void post_later(struct post *post, int64_t seconds);

/* post_judge opens a case that is judged FULL. */
const char *post_judge(struct post *post, bool family);
lb_status post_submit(struct post *post, bool emergency, Lianban__V1__CaseParts **out);
/* post_begin judges a case and sends its two parts off: `register` to police, `relief` to tax. */
void post_begin(struct post *post);
/* post_part is a part as GetCase shows it now; the newest of its name. */
const Lianban__V1__CasePart *post_part(struct post *post, const char *name);
#define assert_state(post, part, expected)                                                         \
    assert_string_equal(post_part(post, part)->state, expected)

/* post_tell has a broker tell something. */
void post_tell(struct post *post, size_t broker, struct lb_span event);
/* post_deliver has a department's receipt come for the newest that it got. */
void post_deliver(struct post *post, enum fx_department department);
/* post_word is a word about `register`; post_hear has police say it, and checks the answer. */
Lianban__V1__Word post_word(struct post *post, uint32_t number, Lianban__V1__Word__Kind kind);
void post_hear(struct post *post, const Lianban__V1__Word *word, uint8_t seed, const char *answer);
/* post_say has a department say something that is taken. */
void post_say(struct post *post, enum fx_department department, const char *part, uint32_t number,
              Lianban__V1__Word__Kind kind);

#endif
