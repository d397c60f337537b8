#include "tests/frozen/frozen.h"

#include "tests/frozen/parts.h"
#include "tests/fuzz/fuzz.h"

const struct frozen_object frozen_objects[] = {
    {"leaf.hex", false, true, make_leaf, accept_leaf},
    {"checkpoint.note", true, true, make_checkpoint, accept_checkpoint},
    {"log.vkey", true, true, make_vkey, accept_vkey},
    {"directory.note", true, true, make_directory, accept_directory},
    {"grant.jwt", true, false, make_grant, accept_grant},
    {"section.disclosure", true, false, make_section, accept_section},
    {"status-list.jwt", true, false, make_status_list, accept_status_list},
    {"withdrawal.jwt", true, false, make_withdrawal, accept_withdrawal},
    {"operator.jwt", true, false, make_operator_token, accept_operator_token},
    {"sealed-request.hex", false, true, make_sealed_request, accept_sealed_request},
    {"sealed-answer.hex", false, true, make_sealed_answer, accept_sealed_answer},
    {"read-request.hex", false, true, make_read_request, accept_read_request},
    {"frame-hello.hex", false, true, make_hello, accept_hello},
    {"frame-reads.hex", false, true, make_batch, accept_batch},
    {"frame-answers.hex", false, true, make_answers, accept_answers},
    {"frame-status-update.hex", false, true, make_status_update, accept_status_update},
    {"collect-request.hex", false, true, make_collect_request, accept_collect_request},
    {"collect-event.hex", false, true, make_collect_event, accept_collect_event},
    {"evidence.db.hex", false, false, make_evidence, accept_evidence},
    {"evidence.ratchet.hex", false, false, make_ratchet, accept_ratchet},
};
const size_t frozen_num_objects = sizeof(frozen_objects) / sizeof(frozen_objects[0]);

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (i < frozen_num_objects && strcmp(frozen_objects[i].name, name) != 0)
        i++;
    FUZZ_CHECK(i < frozen_num_objects && i < FROZEN_MAX);
    return i;
}

struct lb_span frozen_get(const struct frozen_set *set, const char *name)
{
    return set->bytes[index_of(name)];
}

void frozen_put(struct frozen_set *set, const char *name, struct lb_span bytes)
{
    set->bytes[index_of(name)] = bytes;
}
