#ifndef TESTS_FUZZ_TARGETS_H
#define TESTS_FUZZ_TARGETS_H

#include "gateway/base/span.h"

struct fuzz_sink;

/*
 * Every parser of foreign bytes. fuzz_NAME gives it an input and checks what must hold; true when
 * the input was accepted. seed_NAME puts inputs that are accepted, made of real bytes.
 */
#define FUZZ_TARGETS(X)                                                                            \
    X(encodings)                                                                                   \
    X(json)                                                                                        \
    X(yaml)                                                                                        \
    X(x509)                                                                                        \
    X(keys_and_signatures)                                                                         \
    X(note)                                                                                        \
    X(verifier_key)                                                                                \
    X(checkpoint)                                                                                  \
    X(leaf)                                                                                        \
    X(entry_proof)                                                                                 \
    X(digest_answers)                                                                              \
    X(log_progress)                                                                                \
    X(tlog_proof)                                                                                  \
    X(entry_bundle)                                                                                \
    X(evidence_files)                                                                              \
    X(shard_file)                                                                                  \
    X(cosignature)                                                                                 \
    X(add_checkpoint)                                                                              \
    X(witness_policy)                                                                              \
    X(grant)                                                                                       \
    X(section)                                                                                     \
    X(operator_token)                                                                              \
    X(revocation)                                                                                  \
    X(status_list)                                                                                 \
    X(sealed)                                                                                      \
    X(framed)                                                                                      \
    X(messages)                                                                                    \
    X(message_json)                                                                                \
    X(directory)                                                                                   \
    X(spiffe)                                                                                      \
    X(recovery)                                                                                    \
    X(idno)                                                                                        \
    X(operator_text)                                                                               \
    X(value_token)                                                                                 \
    X(operators)                                                                                   \
    X(rules)                                                                                       \
    X(view)                                                                                        \
    X(form)                                                                                        \
    X(expression)                                                                                  \
    X(manifest)                                                                                    \
    X(source_file)                                                                                 \
    X(source_cell)                                                                                 \
    X(source_query)                                                                                \
    X(arguments)                                                                                   \
    X(terminal_text)                                                                               \
    X(household)                                                                                   \
    X(html_text)                                                                                   \
    X(adapter_link)                                                                                \
    X(sealed_parcel)                                                                               \
    X(broker_link)                                                                                 \
    X(psi_file)                                                                                    \
    X(policy_file)                                                                                 \
    X(policy_answers)                                                                              \
    X(traceparent)

#define FUZZ_DECLARE(name_)                                                                        \
    bool fuzz_##name_(struct lb_span in);                                                          \
    void seed_##name_(const struct fuzz_sink *sink);
FUZZ_TARGETS(FUZZ_DECLARE)
#undef FUZZ_DECLARE

#endif
