#include "adapters/serve/key_file.h"

#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define HEX_CHARS (2 * LB_SERVE_KEY_BYTES)

static lb_status create_file(const char *path)
{
    uint8_t key[LB_SERVE_KEY_BYTES];
    char text[HEX_CHARS + 2];
    LB_TRY(lb_crypto_random(key, sizeof(key)));
    lb_hex_encode(lb_span_of(key, sizeof(key)), text);
    text[HEX_CHARS] = '\n';
    lb_status status = lb_file_write(path, lb_span_of(text, HEX_CHARS + 1), 0600);
    lb_wipe(key, sizeof(key));
    lb_wipe(text, sizeof(text));
    return status;
}

lb_status lb_serve_key_file(const char *path, bool create, struct lb_arena *arena,
                            uint8_t out[LB_SERVE_KEY_BYTES])
{
    struct lb_span text = LB_SPAN_EMPTY;
    if (create && access(path, F_OK) != 0)
        LB_TRY(create_file(path));
    LB_TRY(lb_file_read_secret(path, HEX_CHARS + 2, arena, &text));
    if (text.len > HEX_CHARS && text.ptr[text.len - 1] == '\n')
        text.len--;
    return lb_hex_decode(text, out, LB_SERVE_KEY_BYTES);
}
