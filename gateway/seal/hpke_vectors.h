#ifndef GATEWAY_SEAL_HPKE_VECTORS_H
#define GATEWAY_SEAL_HPKE_VECTORS_H

#include "gateway/seal/hpke.h"

/* RFC 9180 A.1.1 (Base) and A.1.3 (Auth), whole: one info and one plaintext for all. */

#define INFO "Ode on a Grecian Urn"
#define PLAIN "Beauty is truth, truth beauty"
#define PLAIN_BYTES 29
#define SEALED_BYTES (PLAIN_BYTES + LB_HPKE_TAG_BYTES)

struct vector {
    const char *ephemeral_private;
    const char *enc;
    const char *recipient_private;
    const char *recipient_public;
    const char *sender_private;  /* NULL in Base mode */
    const char *sender_public;
    const char *key;
    const char *base_nonce;
    const char *exporter_secret;
    struct {
        uint64_t seq;
        const char *aad;
        const char *sealed;
    } encryptions[6];
    struct {
        const char *context;
        const char *value;
    } exports[3];
};

static const struct vector rfc_9180_a_1_1 = {
    .ephemeral_private = "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
    .enc = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
    .recipient_private = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
    .recipient_public = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
    .key = "4531685d41d65f03dc48f6b8302c05b0",
    .base_nonce = "56d890e5accaaf011cff4b7d",
    .exporter_secret = "45ff1c2e220db587171952c0592d5f5ebe103f1561a2614e38f2ffd47e99e3f8",
    .encryptions = {
        {0, "Count-0",
         "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
         "6d8770ac83d07bea87e13c512a"},
        {1, "Count-1",
         "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab25"
         "1c03d0c22a56b8ca42c2063b84"},
        {2, "Count-2",
         "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb7251649158"
         "8d96a19ad4a683518973dcc180"},
        {4, "Count-4",
         "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a"
         "09fc0012bc69fccaa251c0246d"},
        {255, "Count-255",
         "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505b"
         "f106deefec4a49ac38d71c9e0a"},
        {256, "Count-256",
         "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3"
         "fbeda97d2e0e1aba483a2df9f2"},
    },
    .exports = {
        {"",
         "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"},
        {"00",
         "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"},
        {"54657374436f6e74657874",
         "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"},
    },
};

static const struct vector rfc_9180_a_1_3 = {
    .ephemeral_private = "ff4442ef24fbc3c1ff86375b0be1e77e88a0de1e79b30896d73411c5ff4c3518",
    .enc = "23fb952571a14a25e3d678140cd0e5eb47a0961bb18afcf85896e5453c312e76",
    .recipient_private = "fdea67cf831f1ca98d8e27b1f6abeb5b7745e9d35348b80fa407ff6958f9137e",
    .recipient_public = "1632d5c2f71c2b38d0a8fcc359355200caa8b1ffdf28618080466c909cb69b2e",
    .sender_private = "dc4a146313cce60a278a5323d321f051c5707e9c45ba21a3479fecdf76fc69dd",
    .sender_public = "8b0c70873dc5aecb7f9ee4e62406a397b350e57012be45cf53b7105ae731790b",
    .key = "b062cb2c4dd4bca0ad7c7a12bbc341e6",
    .base_nonce = "a1bc314c1942ade7051ffed0",
    .exporter_secret = "ee1a093e6e1c393c162ea98fdf20560c75909653550540a2700511b65c88c6f1",
    .encryptions = {
        {0, "Count-0",
         "5fd92cc9d46dbf8943e72a07e42f363ed5f721212cd90bcfd072bfd9f44e06b8"
         "0fd17824947496e21b680c141b"},
        {1, "Count-1",
         "d3736bb256c19bfa93d79e8f80b7971262cb7c887e35c26370cfed62254369a1"
         "b52e3d505b79dd699f002bc8ed"},
        {2, "Count-2",
         "122175cfd5678e04894e4ff8789e85dd381df48dcaf970d52057df2c9acc3b12"
         "1313a2bfeaa986050f82d93645"},
        {4, "Count-4",
         "dae12318660cf963c7bcbef0f39d64de3bf178cf9e585e756654043cc5059873"
         "bc8af190b72afc43d1e0135ada"},
        {255, "Count-255",
         "55d53d85fe4d9e1e97903101eab0b4865ef20cef28765a47f840ff99625b7d69"
         "dee927df1defa66a036fc58ff2"},
        {256, "Count-256",
         "42fa248a0e67ccca688f2b1d13ba4ba84755acf764bd797c8f7ba3b9b1dc3330"
         "326f8d172fef6003c79ec72319"},
    },
    .exports = {
        {"",
         "28c70088017d70c896a8420f04702c5a321d9cbf0279fba899b59e51bac72c85"},
        {"00",
         "25dfc004b0892be1888c3914977aa9c9bbaf2c7471708a49e1195af48a6f29ce"},
        {"54657374436f6e74657874",
         "5a0131813abc9a522cad678eb6bafaabc43389934adb8097d23c5ff68059eb64"},
    },
};

#endif
