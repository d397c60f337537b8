#ifndef BENCH_PEOPLE_H
#define BENCH_PEOPLE_H

#include "gateway/base/arena.h"

/* Who applies: invented people of the demo, and what their application must come to. */
struct lb_bench_person {
    const char *id_no;
    const char *name;
    const char *class_id;
};

struct lb_bench_people {
    size_t num;
    struct lb_bench_person *list;
};

/* lb_bench_people_read reads lines of "id_no<TAB>name<TAB>class" into the arena. FILE_FAILED,
 * TOO_LARGE; MALFORMED for another line and for none at all; NO_MEMORY. */
LB_MUST lb_status lb_bench_people_read(const char *path, struct lb_arena *arena,
                                       struct lb_bench_people *out);

#endif
