#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/base/file.h"
#include "gateway/rpc/runtime.h"

struct pem_files {
    struct lb_span cert;
    struct lb_span key;
    struct lb_span ca;
};

static lb_status read_files(const struct lb_rpc_identity *identity, struct lb_arena *arena,
                            struct lb_diag *diag, struct pem_files *out)
{
    struct pem_files files;
    if (lb_file_read(identity->cert_path, LB_MAX_PEM_BYTES, arena, &files.cert) != LB_OK) {
        lb_diag_set(diag, "%s: the certificate cannot be read; check that the file exists and that "
                          "this user may read it",
                    identity->cert_path);
        LB_FAIL(LB_CONFIG_INVALID, "certificate file");
    }
    if (lb_file_read_secret(identity->key_path, LB_MAX_PEM_BYTES, arena, &files.key) != LB_OK) {
        lb_diag_set(diag, "%s: the private key cannot be used; the file must exist, belong to this "
                          "user and be closed to group and others (chmod 600)",
                    identity->key_path);
        LB_FAIL(LB_CONFIG_INVALID, "key file");
    }
    if (lb_file_read(identity->ca_path, LB_MAX_PEM_BYTES, arena, &files.ca) != LB_OK) {
        lb_diag_set(diag, "%s: the CA certificates cannot be read; check that the file exists and "
                          "that this user may read it",
                    identity->ca_path);
        LB_FAIL(LB_CONFIG_INVALID, "CA file");
    }
    *out = files;
    return LB_OK;
}

/* The watching credentials report an unusable file only by failing every handshake. The
 * older kind parses at once, so a server that is never started tells in time. */
static bool core_accepts(const struct pem_files *files)
{
    grpc_ssl_pem_key_cert_pair pair = {
        .private_key = (const char *)files->key.ptr,
        .cert_chain = (const char *)files->cert.ptr,
    };
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_ex(
        (const char *)files->ca.ptr, &pair, 1,
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, NULL);
    if (credentials == NULL)
        return false;
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_server *server = grpc_server_create(NULL, NULL);
    grpc_server_register_completion_queue(server, queue, NULL);
    bool accepted = grpc_server_add_http2_port(server, "127.0.0.1:0", credentials) != 0;
    grpc_server_shutdown_and_notify(server, queue, server);
    (void)grpc_completion_queue_pluck(queue, server, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    grpc_server_destroy(server);
    grpc_completion_queue_shutdown(queue);
    while (grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
               .type != GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(queue);
    grpc_server_credentials_release(credentials);
    return accepted;
}

lb_status lb_rpc_identity_check(const struct lb_rpc_runtime *runtime,
                                const struct lb_rpc_identity *identity, struct lb_diag *diag)
{
    (void)runtime;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "identity");
    struct pem_files files;
    LB_TRY(read_files(identity, arena, diag, &files));
    if (core_accepts(&files))
        return LB_OK;
    lb_diag_set(diag, "%s: certificate, private key (%s) and CA (%s) make no usable identity; each "
                      "must be PEM, and the key must belong to the certificate",
                identity->cert_path, identity->key_path, identity->ca_path);
    LB_FAIL(LB_CONFIG_INVALID, "identity");
}
