#include "gateway/rpc/credentials.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_S 1U

struct lb_rpc_files {
    struct lb_rpc_files *next;
    char *cert_path;
    char *key_path;
    char *ca_path;
    grpc_tls_certificate_provider *provider;
};

static void file_free(struct lb_rpc_files *file)
{
    if (file->provider != NULL)
        grpc_tls_certificate_provider_release(file->provider);
    free(file->cert_path);
    free(file->key_path);
    free(file->ca_path);
    free(file);
}

void lb_rpc_files_free(struct lb_rpc_files *files)
{
    while (files != NULL) {
        struct lb_rpc_files *next = files->next;
        file_free(files);
        files = next;
    }
}

static lb_status file_new(const struct lb_rpc_identity *identity, struct lb_rpc_files **out_file)
{
    struct lb_rpc_files *file = calloc(1, sizeof(*file));
    LB_ENSURE(file != NULL, LB_NO_MEMORY, "certificate files");
    file->cert_path = strdup(identity->cert_path);
    file->key_path = strdup(identity->key_path);
    file->ca_path = strdup(identity->ca_path);
    if (file->cert_path == NULL || file->key_path == NULL || file->ca_path == NULL) {
        file_free(file);
        LB_FAIL(LB_NO_MEMORY, "certificate files");
    }
    file->provider = grpc_tls_certificate_provider_file_watcher_create(
        file->key_path, file->cert_path, file->ca_path, REFRESH_S);
    *out_file = file;
    return LB_OK;
}

static bool same_files(const struct lb_rpc_files *file, const struct lb_rpc_identity *identity)
{
    return strcmp(file->cert_path, identity->cert_path) == 0 &&
           strcmp(file->key_path, identity->key_path) == 0 &&
           strcmp(file->ca_path, identity->ca_path) == 0;
}

static lb_status watch_locked(struct lb_rpc_runtime *runtime,
                              const struct lb_rpc_identity *identity,
                              grpc_tls_certificate_provider **out_provider)
{
    struct lb_rpc_files *file = runtime->files;
    while (file != NULL && !same_files(file, identity))
        file = file->next;
    if (file == NULL) {
        LB_TRY(file_new(identity, &file));
        file->next = runtime->files;
        runtime->files = file;
    }
    *out_provider = file->provider;
    return LB_OK;
}

static lb_status tls_options(struct lb_rpc_runtime *runtime,
                             const struct lb_rpc_identity *identity, struct lb_rpc_gate *gate,
                             grpc_tls_credentials_options **out_options)
{
    grpc_tls_certificate_provider *provider = NULL;
    (void)pthread_mutex_lock(&runtime->lock);
    lb_status status = watch_locked(runtime, identity, &provider);
    (void)pthread_mutex_unlock(&runtime->lock);
    LB_TRY(status);
    grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
    grpc_tls_credentials_options_set_certificate_provider(options, provider);
    grpc_tls_credentials_options_watch_root_certs(options);
    grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
    grpc_tls_certificate_verifier *verifier = lb_rpc_gate_verifier(gate);
    grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
    grpc_tls_certificate_verifier_release(verifier);
    *out_options = options;
    return LB_OK;
}

lb_status lb_rpc_credentials_server(struct lb_rpc_runtime *runtime,
                                    const struct lb_rpc_identity *identity,
                                    struct lb_rpc_gate *gate,
                                    grpc_server_credentials **out_credentials)
{
    if (identity == NULL) {
        *out_credentials = grpc_insecure_server_credentials_create();
        return LB_OK;
    }
    grpc_tls_credentials_options *options = NULL;
    LB_TRY(tls_options(runtime, identity, gate, &options));
    grpc_tls_credentials_options_set_cert_request_type(
        options, GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    *out_credentials = grpc_tls_server_credentials_create(options);
    return LB_OK;
}

lb_status lb_rpc_credentials_channel(struct lb_rpc_runtime *runtime,
                                     const struct lb_rpc_identity *identity,
                                     struct lb_rpc_gate *gate,
                                     grpc_channel_credentials **out_credentials)
{
    if (identity == NULL) {
        *out_credentials = grpc_insecure_credentials_create();
        return LB_OK;
    }
    grpc_tls_credentials_options *options = NULL;
    LB_TRY(tls_options(runtime, identity, gate, &options));
    grpc_tls_credentials_options_set_verify_server_cert(options, 1);
    /* A host name proves nothing here: identity is the SPIFFE id, and the gate compares it. */
    grpc_tls_credentials_options_set_check_call_host(options, 0);
    *out_credentials = grpc_tls_credentials_create(options);
    return LB_OK;
}
