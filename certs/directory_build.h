#ifndef CERTS_DIRECTORY_BUILD_H
#define CERTS_DIRECTORY_BUILD_H

#include "certs/tool.h"

/*
 * Inside certs: from the YAML file that people write to the directory's JSON
 * (gateway/trust/directory.h). Files are named relative to the YAML file's folder.
 *
 *   federation: city.gov
 *   version: 4                     # rises with every change
 *   days: 365                      # how long it holds, from now; default 365
 *   signers: [old.vkey, new.vkey]  # who may sign the next one; absent: no change
 *   ca: [pki/ca.pem]               # CA certificates; their public keys are pinned
 *   organizations:
 *     - {id: tax, zh: 税务, en: Tax Bureau}
 *   nodes:
 *     - spiffe: spiffe://city.gov/adapter/tax/one
 *       endpoint: 10.0.0.5:7443    # absent when it does not listen
 *       log_key: tax/log.vkey      # a file with the vkey; absent when it keeps no log
 *       log_before: [tax/before.json]  # of `lianban keys handover`, newest first; may be absent
 *       recovery: [tax/recovery.note]  # of `lianban node recover`, oldest first; may be absent
 *       seal_keys: [tax/seal.json] # entries of `lianban directory seal-key`; absent for none
 *       share_keys: [tax/share.json] # entries of `lianban directory share-key`; likewise
 *   issuers:
 *     - organization: service-hall
 *       kid: hall-1
 *       key: hall/issuer.json      # the public form of `lianban keys issuer`
 *       kinds: [consent]           # consent, mandate, operator
 *       before: [hall/before.json] # of `lianban keys handover`, newest first; may be absent
 *       status: https://…          # URI of its status list; absent for none
 *   forms:                         # rules and views in the same way; each may be absent
 *     - {id: social-assistance, version: 2, file: forms/social-assistance.yaml}
 *     - {id: other, version: 1, sha256: <64 hex digits>}
 */

/* lb_directory_from_yaml reads the file and builds the object, which the caller frees.
 * CONFIG_INVALID with file and line in tool->diag. */
LB_MUST lb_status lb_directory_from_yaml(struct lb_tool *tool, const char *path,
                                         struct lb_json **out_directory);

#endif
