#include "gateway/ctl/log_witnessed.h"

static bool has_cosigned(const struct lb_witnessed *witnessed, size_t i)
{
    return (witnessed->cosigned & UINT32_C(1) << i) != 0;
}

const char *lb_ctl_witnessed_text(const struct lb_witness_policy *policy,
                                  const struct lb_witnessed *witnessed, struct lb_arena *arena)
{
    if (policy == NULL)
        return NULL;
    const char *names = "";
    for (size_t i = 0; i < policy->num_witnesses && names != NULL; i++) {
        if (has_cosigned(witnessed, i))
            names = lb_arena_printf(arena, "%s%s%s", names, names[0] == 0 ? "" : ", ",
                                    policy->witnesses[i].name);
    }
    return names == NULL ? NULL
                         : lb_arena_printf(arena, "%llu (%s)",
                                           (unsigned long long)witnessed->checkpoint.size, names);
}

void lb_ctl_witnessed_json(const struct lb_witness_policy *policy,
                           const struct lb_witnessed *witnessed, struct lb_json *out)
{
    if (policy == NULL)
        return;
    struct lb_json *one = lb_json_object();
    struct lb_json *names = lb_json_array();
    lb_json_set_int(one, "size", (int64_t)witnessed->checkpoint.size);
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        if (has_cosigned(witnessed, i))
            lb_json_append_str(names, lb_span_str(policy->witnesses[i].name));
    }
    lb_json_set(one, "by", names);
    lb_json_set(out, "witnessed", one);
}
