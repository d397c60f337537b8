#ifndef ADAPTERS_SERVE_FIXTURE_PARCEL_H
#define ADAPTERS_SERVE_FIXTURE_PARCEL_H

#include "adapters/serve/fixture.h"
#include "adapters/serve/intake.h"
#include "adapters/serve/intake_part.h"

/* For tests: what a window hands in. FX_WINDOW may hand in the part FX_PART and correction
 * requests; FX_OTHER_WINDOW is a requester like any other, and may hand in nothing. */
#define FX_PART "tax.relief"
#define FX_CLERK "spiffe://test.gov/officer/tax/clerk"
#define FX_OTHER_CLERK "spiffe://test.gov/officer/tax/clerk2"

/* fx_open_intake gives the department a policy with an intake; `more` stands under it, each line
 * indented by two. */
void fx_open_intake(struct fixture *fx, const char *more);

/* fx_open_corrections takes on no part of the form, and what citizens say of its data. */
void fx_open_corrections(struct fixture *fx);

/* fx_open_signals takes that form for a trigger, whose signals are all that is taken of it. */
void fx_open_signals(struct fixture *fx, const char *more);

/* One parcel in the making: an honest submission by default; a test spoils a part before
 * fx_seal_parcel. */
struct fx_parcel {
    const char *sender, *recipient;  /* SPIFFE ids */
    const struct fed_party *from;    /* whose key seals */
    const uint8_t *to;               /* the public key it is sealed to */
    const char *key_id;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    int64_t expires_unix_s;
    Lianban__V1__SealedParcel sealed;
    Lianban__V1__Part part;
    Lianban__V1__PartPerson person, *people[LB_MAX_HOUSEHOLD + 1];
    Lianban__V1__PartFact fact, *facts[LB_INTAKE_MAX_FACTS + 1];
    Lianban__V1__PartPaper paper, *papers[1];
    const char *token_org;           /* of the operator's token */
    const struct lb_sign_key *token_key;
    struct lb_span plain;            /* sealed in the place of it all, if not empty */
    struct lb_span ciphertext;       /* once sealed */
};

void fx_parcel_honest(struct fixture *fx, struct fx_parcel *parcel);
/* fx_parcel_signal fills a trigger's signal. */
void fx_parcel_signal(struct fixture *fx, struct fx_parcel *parcel);
/* fx_parcel_about fills one of another kind, about a submission. */
void fx_parcel_about(struct fixture *fx, struct fx_parcel *parcel,
                     const struct fx_parcel *submission, Lianban__V1__Part__Kind kind);
/* fx_seal_parcel seals it anew each time. */
Lianban__V1__Parcel *fx_seal_parcel(struct fixture *fx, struct fx_parcel *parcel);
/* fx_hand_in seals it, hands it in, and returns the receipt's code. */
const char *fx_hand_in(struct fixture *fx, struct fx_parcel *parcel,
                       struct lb_intake_receipt *out_receipt);
/* fx_count is the number that a query over the adapter's store gives. */
int64_t fx_count(struct fixture *fx, const char *sql);
/* fx_execute_state changes that store, behind the adapter's back. */
void fx_execute_state(struct fixture *fx, const char *sql);

#endif
