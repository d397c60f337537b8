#ifndef TESTS_FROZEN_MESSAGES_H
#define TESTS_FROZEN_MESSAGES_H

#include "gateway/seal/hpke.h"
#include "gateway/wire/pb.h"
#include "tests/frozen/frozen.h"

/* What the sealed objects and the messages around them share. */

#define FROZEN_KEY_ID "s1"
#define FROZEN_SEQ 5U
#define FROZEN_DEADLINE_MS (FROZEN_NOW * 1000 + 10000)
#define FROZEN_ANSWER_BYTES 1024U
#define FROZEN_RETURN_CODE "ANSWERED"

extern const uint8_t frozen_txn[16];

static inline char *frozen_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* frozen_pack writes a message; frozen_unpack reads one, which must be written again as it was: no
 * field got lost or moved. */
struct lb_span frozen_pack(const void *message, struct lb_arena *arena);
void *frozen_unpack(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                    struct lb_arena *arena);

/* frozen_sender sets up the requester's context. */
void frozen_sender(struct frozen_set *set, struct lb_hpke_context *out, uint8_t enc[32]);

#endif
