#include <stdio.h>
#include <string.h>

#include "gateway/ctl/fake.h"

/* A consent office's further methods: each notes what it was asked and answers with one canned
 * message. */

#define TEXT(text_) ((char *)(uintptr_t)(text_))
#define KEEP(field_, text_) (void)snprintf(field_, sizeof(field_), "%s", text_)

static void answer_slip(struct test_cli *cli, const void *request, struct lb_arena *arena,
                        void *out)
{
    const Lianban__V1__FindSlipRequest *ask = request;
    Lianban__V1__SlipStatus *status = lb_arena_alloc(arena, sizeof(*status));
    KEEP(cli->slip_code, ask->code);
    KEEP(cli->confirm_id_no, ask->id_no);
    lianban__v1__slip_status__init(status);
    status->state = TEXT("VALID");
    status->grant_id = TEXT("g-7");
    *(Lianban__V1__SlipStatus **)out = status;
}

static void answer_due(const struct test_cli *cli, struct lb_arena *arena, void *out)
{
    static Lianban__V1__DueSupplement item = LIANBAN__V1__DUE_SUPPLEMENT__INIT;
    static Lianban__V1__DueSupplement *items[] = {&item};
    Lianban__V1__ListDueResponse *due = lb_arena_alloc(arena, sizeof(*due));
    lianban__v1__list_due_response__init(due);
    item.grant_id = TEXT("g-9");
    item.overdue = cli->overdue > 0;
    due->items = items;
    due->n_items = 1;
    due->overdue = cli->overdue;
    *(Lianban__V1__ListDueResponse **)out = due;
}

bool test_fake_office(struct test_cli *cli, const char *method, const void *request,
                      struct lb_arena *arena, void *out)
{
    if (strcmp(method, "FindSlip") == 0)
        answer_slip(cli, request, arena, out);
    else if (strcmp(method, "ListDue") == 0)
        answer_due(cli, arena, out);
    else
        return false;
    return true;
}
