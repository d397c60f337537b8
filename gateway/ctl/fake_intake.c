#include <stdio.h>
#include <string.h>

#include "gateway/ctl/fake.h"
#include "lianban/v1/intake.pb-c.h"

/* A department's intake with parts numbered from 7 on. */

#define TEXT(text_) ((char *)(uintptr_t)(text_))
#define KEEP(field_, text_) (void)snprintf(field_, sizeof(field_), "%s", text_)

static void *answer(struct lb_arena *arena, const ProtobufCMessageDescriptor *kind)
{
    void *message = lb_arena_alloc(arena, kind->sizeof_message);
    assert_non_null(message);
    protobuf_c_message_init(kind, message);
    return message;
}

static void next_part(struct test_cli *cli, struct lb_arena *arena, void *out)
{
    Lianban__V1__PartResponse *part = answer(arena, &lianban__v1__part_response__descriptor);
    part->found = cli->num_waiting > 0;
    part->number = 7 + cli->acked;
    part->json = lb_arena_printf(arena, "{\"number\": %lld}", (long long)part->number);
    *(Lianban__V1__PartResponse **)out = part;
}

static void list_parts(struct test_cli *cli, struct lb_arena *arena, void *out)
{
    Lianban__V1__ListPartsResponse *list =
        answer(arena, &lianban__v1__list_parts_response__descriptor);
    list->parts = lb_arena_array(arena, cli->num_waiting, sizeof(list->parts[0]));
    for (size_t i = 0; i < cli->num_waiting; i++) {
        Lianban__V1__PartSummary *part = answer(arena, &lianban__v1__part_summary__descriptor);
        part->number = 7 + (int64_t)i;
        part->kind = TEXT("submission");
        part->state = TEXT("open");
        part->case_id = TEXT("c-1");
        part->waiting = true;
        list->parts[list->n_parts++] = part;
    }
    *(Lianban__V1__ListPartsResponse **)out = list;
}

static void ack_part(struct test_cli *cli, struct lb_arena *arena, void *out)
{
    cli->num_waiting--;
    cli->acked++;
    *(void **)out = answer(arena, &lianban__v1__ack_part_response__descriptor);
}

static void say_word(struct test_cli *cli, const Lianban__V1__SayWordRequest *request,
                     struct lb_arena *arena, void *out)
{
    Lianban__V1__SayWordResponse *said = answer(arena, &lianban__v1__say_word_response__descriptor);
    said->number = 1;
    cli->said_of = request->number;
    cli->said_kind = (int)request->word->kind;
    cli->said_outcome = (int)request->word->outcome;
    cli->said_ack = request->ack;
    KEEP(cli->said_reference, request->word->reference);
    KEEP(cli->said_text, request->word->text_zh);
    KEEP(cli->said_law, request->word->law);
    KEEP(cli->said_until, request->word->until);
    *(Lianban__V1__SayWordResponse **)out = said;
}

bool test_fake_intake(struct test_cli *cli, const char *method, const void *request,
                      struct lb_arena *arena, void *out)
{
    if (strcmp(method, "NextPart") == 0 || strcmp(method, "GetPart") == 0)
        next_part(cli, arena, out);
    else if (strcmp(method, "ListParts") == 0)
        list_parts(cli, arena, out);
    else if (strcmp(method, "AckPart") == 0)
        ack_part(cli, arena, out);
    else if (strcmp(method, "SayWord") == 0)
        say_word(cli, request, arena, out);
    else
        return false;
    return true;
}
