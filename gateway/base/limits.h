#ifndef GATEWAY_BASE_LIMITS_H
#define GATEWAY_BASE_LIMITS_H

/*
 * Every hard maximum of the system, with its unit in the name. An input past one is refused with a
 * code; nothing grows without one.
 */

/* wire */
#define LB_MAX_MESSAGE_BYTES (1024 * 1024)     /* any gRPC message */
#define LB_MAX_GRANT_BYTES (32 * 1024)         /* an SD-JWT without its disclosures */
#define LB_MAX_SECTION_BYTES (16 * 1024)       /* one disclosure */
#define LB_MAX_SEALED_BYTES (64 * 1024)        /* one sealed request or answer */
#define LB_MAX_PARCEL_BYTES (64 * 1024)        /* a parcel's ciphertext */
#define LB_MAX_ANSWER_BYTES (32 * 1024)        /* an answer's declared, padded size */
#define LB_MAX_TOKEN_BYTES (4 * 1024)          /* an operator token */
#define LB_MAX_STATUS_LIST_BYTES (512 * 1024)  /* a status list token */
#define LB_MAX_STATUS_ENTRIES (1024 * 1024)    /* entries a status list may hold */
#define LB_MAX_READS_PER_COLLECT 512           /* a household of 12 at ten departments, and room */
#define LB_MAX_ITEMS_PER_BATCH 1024            /* reads or answers in one link frame */
#define LB_MAX_PROOF_HASHES 64                 /* an RFC 6962 path */
#define LB_MAX_SPIFFE_BYTES 256
#define LB_MAX_CODE_BYTES 32

#define LB_MAX_CASE_BYTES (4 * 1024 * 1024)    /* a case as the window agent keeps it */

/* names: views, fields, operators, purposes, forms, thresholds, cases */
#define LB_MAX_NAME_BYTES 64
#define LB_MAX_VIEWS_PER_SECTION 8
#define LB_MAX_FIELDS_PER_VIEW 256
#define LB_MAX_FIELDS_PER_SECTION 64
#define LB_MAX_OPERATOR_ARGS 4
#define LB_MAX_HOUSEHOLD 12
#define LB_MAX_CLAIM_VALUES 16
#define LB_MAX_VALUE_BYTES 512  /* one claim or released text */
#define LB_MAX_LIST_BYTES (16 * 1024)  /* all that LIST releases */
#define LB_MAX_LIST_LINE_BYTES 2048    /* one row of it */
#define LB_MAX_SAID_BYTES 2048         /* a reason, or what somebody said, in a case's record */
#define LB_MAX_ROWS_PER_READ 4096
#define LB_MAX_SHARE_CONTRIBUTIONS 16  /* fields that one blind household sum adds up */
#define LB_MAX_SHARE_VALUE (INT64_C(1) << 53)  /* cents or units; of an addend and of a total */

/* memory of one call and of one file that is parsed */
#define LB_CALL_ARENA_BYTES (4 * 1024 * 1024)
#define LB_FILE_ARENA_BYTES (16 * 1024 * 1024)
#define LB_MAX_CONFIG_FILE_BYTES (1024 * 1024)
#define LB_MAX_DIRECTORY_BYTES (4 * 1024 * 1024)
#define LB_MAX_CRL_BYTES (4 * 1024 * 1024)
#define LB_MAX_PEM_BYTES (64 * 1024)

/* time */
#define LB_CASE_DEADLINE_MS 15000       /* a fan-out's default */
#define LB_MAX_DEADLINE_MS 60000        /* a longer one is cut to this */
#define LB_SEALED_MAX_AGE_S 120         /* a sealed request's iat */
#define LB_CLOCK_SKEW_S 60              /* nbf, exp, iat */
#define LB_CONTEXT_LIFE_S 600           /* an HPKE context */
#define LB_SEAL_KEY_LIFE_S (7 * 86400)  /* a sealing key, at most */
#define LB_RETRY_WINDOW_S (24 * 3600)   /* the same rid sealed anew */
#define LB_MAX_RETRIES 3
#define LB_SHARE_RUN_LIFE_S (7 * 24 * 3600)  /* a run of a blind sum is answered this long */
#define LB_UNCLOSED_GRACE_S 60
#define LB_STATUS_TTL_S 60              /* an issuer makes its next status list after this */
#define LB_STATUS_MAX_TTLS 3            /* G3 and G4 need a list no older than so many ttl */
#define LB_LOG_CLOCK_STEP_MS 1000       /* further back than the last leaf: stop */
#define LB_PEER_SWEEP_MS 1000           /* live streams are re-checked this often */
#define LB_STOP_GRACE_MS 5000
#define LB_DRAIN_MS 3000                /* a node that stops finishes what it has accepted */

#define LB_EMERGENCY_LIFE_S (24 * 3600) /* an emergency's grant, from iat to exp */
#define LB_DAY_S INT64_C(86400)
#define LB_EVENT_MAX_DAYS 366           /* a standing grant, and between two of its uses */

/* evidence */
#define LB_MAX_LEAF_BYTES 4096
#define LB_MAX_DETAIL_BYTES (16 * 1024)
#define LB_LOG_BATCH 256
#define LB_LOG_QUEUE 8192

/* reconciling two logs */
#define LB_RECONCILE_MAX_MINUTES 1440        /* one request may name */
#define LB_RECONCILE_MAX_ENTRIES (512 * 1024) /* compared in one piece */
#define LB_RECONCILE_PAGE_ENTRIES 512        /* in one answer */
#define LB_RECONCILE_SKEW_MS 2000            /* between the clocks of two nodes */

#endif
