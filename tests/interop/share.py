"""The blind household sum by docs/PROTOCOL.md section 9 alone: sets, masks and totals."""

import dataclasses
import hashlib
import hmac
import os
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

MODULUS = 1 << 64
MAX_TOTAL = 1 << 53


def _u(bits, number):
    return number.to_bytes(bits // 8, "big")


def _field(text):
    return _u(16, len(text.encode())) + text.encode()


@dataclasses.dataclass(frozen=True)
class Part:
    """A contribution and the share key of its adapter."""

    spiffe: str
    key_id: str
    public: bytes
    view: str
    field: str
    months: int


@dataclasses.dataclass
class Run:
    """One run: what a requester states in ShareRun, and what departments know besides."""

    slot: str
    persons: list
    nonce: bytes = dataclasses.field(default_factory=lambda: os.urandom(16))
    started: int = dataclasses.field(default_factory=lambda: int(time.time()))

    def message(self, contract, index):
        """The ShareRun of one person's requests."""
        return contract.new("ShareRun", nonce=self.nonce, started=self.started, slot=self.slot,
                            persons=self.persons, index=index)


def set_digest(form, version, sha256, slot, parts, persons):
    """SHA-256 over what the masks depend on but nonce and start."""
    text = b"lianban share set v1" + _field(form) + _u(32, version) + sha256 + _field(slot)
    text += _u(16, len(parts))
    for part in parts:
        text += _field(part.spiffe) + _field(part.key_id) + part.public
        text += _field(part.view) + _field(part.field) + _u(32, part.months)
    return hashlib.sha256(text + _u(16, len(persons)) + b"".join(persons)).digest()


def pair_key(private, mine, other):
    """What two adapters have in common; `private` belongs to `mine`."""
    shared = X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(other.public))
    first, second = sorted((mine, other), key=lambda part: part.spiffe.encode())
    info = b"lianban share pair v1" + b"".join(
        _field(text) for text in (first.spiffe, first.key_id, second.spiffe, second.key_id))
    prk = hmac.digest(bytes(32), shared, "sha256")
    return hmac.digest(prk, info + b"\1", "sha256")


def mask(run, set_, parts, person, part, private):
    """The mask of one participant."""
    keys = [pair_key(private, parts[part], other) for other in parts]
    text = b"lianban share mask v1" + run.nonce + _u(64, run.started) + set_
    mine, total = person * len(parts) + part, 0
    for other in range(len(run.persons) * len(parts)):
        low, high = sorted((mine, other))
        common = hmac.digest(keys[other % len(parts)], text + _u(16, low) + _u(16, high), "sha256")
        common = int.from_bytes(common[:8], "big")
        total += common if mine < other else -common if mine > other else 0
    return total % MODULUS


def total_of(shares):
    """The sum of all participants' shares, None when they make none."""
    total = sum(shares) % MODULUS
    return total if total <= MAX_TOTAL else None
