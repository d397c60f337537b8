"""HPKE (RFC 9180), base and Auth mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.

Only what reads need: messages by explicit sequence number, in any order, and the secret export.
Keys are 32 raw bytes.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG_BYTES = 16
_MODE_BASE, _MODE_AUTH = 0x00, 0x02
_KEM, _KDF, _AEAD = (0x0020).to_bytes(2, "big"), (1).to_bytes(2, "big"), (1).to_bytes(2, "big")
_KEM_SUITE = b"KEM" + _KEM
_SUITE = b"HPKE" + _KEM + _KDF + _AEAD
_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


class SealBroken(Exception):
    """A ciphertext does not open, or a key is of small order."""


def public_of(private):
    """The public half of an X25519 private key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(*_RAW)


def generate():
    """A new X25519 private key."""
    return X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())


def _extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def _expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def _labeled_extract(suite, salt, label, ikm):
    return _extract(salt, b"HPKE-v1" + suite + label + ikm)


def _labeled_expand(suite, prk, label, info, length):
    return _expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def _dh(private, public):
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise SealBroken("key of small order") from None


def _shared(dh, kem_context):
    prk = _labeled_extract(_KEM_SUITE, b"", b"eae_prk", dh)
    return _labeled_expand(_KEM_SUITE, prk, b"shared_secret", kem_context, 32)


class Context:
    """Both ends' context after the key schedule."""

    def __init__(self, mode, shared, info):
        schedule = (bytes([mode]) + _labeled_extract(_SUITE, b"", b"psk_id_hash", b"")
                    + _labeled_extract(_SUITE, b"", b"info_hash", info))
        secret = _labeled_extract(_SUITE, shared, b"secret", b"")
        self.key = _labeled_expand(_SUITE, secret, b"key", schedule, 16)
        self.base_nonce = _labeled_expand(_SUITE, secret, b"base_nonce", schedule, 12)
        self.exporter_secret = _labeled_expand(_SUITE, secret, b"exp", schedule, 32)

    def nonce(self, seq):
        """The nonce of message number seq: base_nonce XOR seq."""
        return bytes(a ^ b for a, b in zip(self.base_nonce, seq.to_bytes(12, "big")))

    def seal(self, seq, aad, plaintext):
        """Message number seq; a number is used once."""
        return AESGCM(self.key).encrypt(self.nonce(seq), plaintext, aad)

    def open(self, seq, aad, ciphertext):
        """The plaintext of message number seq; SealBroken."""
        return aead_open(self.key, self.nonce(seq), aad, ciphertext)

    def export(self, context, length):
        """Secret export (section 5.3)."""
        return _labeled_expand(_SUITE, self.exporter_secret, b"sec", context, length)


def aead_open(key, nonce, aad, ciphertext):
    """AES-128-GCM; SealBroken instead of the library's own error."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise SealBroken("does not open") from None


def setup_auth_sender(recipient_public, info, sender_private, ephemeral=None):
    """SetupAuthS: returns (enc, Context). `ephemeral` is a private key, for test vectors."""
    ephemeral = ephemeral or generate()
    enc = public_of(ephemeral)
    dh = _dh(ephemeral, recipient_public) + _dh(sender_private, recipient_public)
    kem_context = enc + recipient_public + public_of(sender_private)
    return enc, Context(_MODE_AUTH, _shared(dh, kem_context), info)


def setup_auth_recipient(enc, recipient_private, info, sender_public):
    """SetupAuthR."""
    dh = _dh(recipient_private, enc) + _dh(recipient_private, sender_public)
    kem_context = enc + public_of(recipient_private) + sender_public
    return Context(_MODE_AUTH, _shared(dh, kem_context), info)


def setup_base_recipient(enc, recipient_private, info):
    """SetupBaseR: what an officer needs to open a detail's key."""
    dh = _dh(recipient_private, enc)
    return Context(_MODE_BASE, _shared(dh, enc + public_of(recipient_private)), info)
