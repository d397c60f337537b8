#ifndef GATEWAY_PSI_MESSAGE_H
#define GATEWAY_PSI_MESSAGE_H

#include "gateway/base/limits.h"
#include "gateway/crypto/sign.h"
#include "gateway/psi/psi.h"

/*
 * The two files of a run as bytes; docs/PROTOCOL.md has the layout. A file is open as far as the
 * way needs to know, then sealed to whom it is for, then signed by the sender's log key. What is
 * read here is foreign: every length is bounded, lists are strictly ascending, so that nothing
 * stands in them twice, and every content has one encoding.
 */
#define LB_PSI_MAX_FILE_BYTES (16U * 1024 * 1024)
#define LB_PSI_MAX_QUERY_BYTES 1024
#define LB_PSI_MAX_PROOF_BYTES (64U * 1024)
#define LB_PSI_COMMITMENT_BYTES 32

enum lb_psi_kind { LB_PSI_OFFER = 1, LB_PSI_ANSWER = 2 };

struct lb_psi_file {
    enum lb_psi_kind kind;
    const char *sender;       /* SPIFFE ids */
    const char *recipient;
    uint8_t agreement[32];    /* SHA-256 of the text both have agreed on */
    uint8_t run[LB_PSI_RUN_BYTES];
    const char *key_id;       /* the recipient's, to which it is sealed; "" for the run's own */
    struct lb_span sealed;
    uint8_t signature[LB_SIGNATURE_BYTES];
};

/* The sender's own entry about this step, as its log shows it (evidence.proto). */
struct lb_psi_evidence {
    uint8_t salt[32];
    struct lb_span query;     /* the line that the entry commits to */
    struct lb_span log;       /* LogProgress */
    struct lb_span entry;     /* EntryProof */
};

struct lb_psi_offer {
    uint8_t list[LB_PSI_COMMITMENT_BYTES];  /* commits to the list */
    uint8_t prehash[LB_PSI_PREHASH_BYTES];
    uint8_t reply_key[32];                  /* X25519, of this run only: the answer's seal */
    struct lb_psi_evidence evidence;
    size_t num;
    const uint8_t (*points)[LB_P256_POINT_BYTES];
};

struct lb_psi_answer {
    uint8_t list[LB_PSI_COMMITMENT_BYTES];
    uint8_t offer[32];                      /* lb_psi_offer_hash of what is answered */
    struct lb_psi_evidence evidence;
    size_t num_tags;
    const uint8_t (*tags)[LB_PSI_TAG_BYTES];
    size_t num;
    const uint8_t (*points)[LB_P256_POINT_BYTES];
};

/* lb_psi_file_message gives what the signature covers: the open part, and the sealed one by its
 * hash; lb_psi_file_write the whole file. TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_psi_file_message(const struct lb_psi_file *file, struct lb_arena *arena,
                                      struct lb_span *out);
LB_MUST lb_status lb_psi_file_write(const struct lb_psi_file *file, struct lb_arena *arena,
                                    struct lb_span *out);
/* lb_psi_file_read takes one apart; bytes are borrowed, texts in the arena. Nothing is verified.
 * MALFORMED, TOO_LARGE, VERSION_UNSUPPORTED, NO_MEMORY. */
LB_MUST lb_status lb_psi_file_read(struct lb_span bytes, struct lb_arena *arena,
                                   struct lb_psi_file *out);

/* What is sealed. The readers borrow. Statuses as above; MALFORMED also for a list that is not
 * strictly ascending or not of a padded size. */
LB_MUST lb_status lb_psi_offer_write(const struct lb_psi_offer *offer, struct lb_arena *arena,
                                     struct lb_span *out);
LB_MUST lb_status lb_psi_offer_read(struct lb_span bytes, struct lb_psi_offer *out);
LB_MUST lb_status lb_psi_answer_write(const struct lb_psi_answer *answer, struct lb_arena *arena,
                                      struct lb_span *out);
LB_MUST lb_status lb_psi_answer_read(struct lb_span bytes, struct lb_psi_answer *out);

/* lb_psi_offer_hash is over all of an offer but its evidence, which is another one when the step is
 * done again. */
void lb_psi_offer_hash(const uint8_t run[LB_PSI_RUN_BYTES], const struct lb_psi_offer *offer,
                       uint8_t out[32]);

#endif
