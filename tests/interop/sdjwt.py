"""Tokens: JWS with ES256, SD-JWT grants (RFC 9901), operator tokens, Token Status Lists.

Reads them as strictly as docs/PROTOCOL.md says, and makes them, good and bad.
"""

import base64
import hashlib
import json
import os
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (decode_dss_signature,
                                                             encode_dss_signature)

GRANT_TYP, STATUS_TYP, OPERATOR_TYP = "lianban-grant+sd-jwt", "statuslist+jwt", "JWT"
SUITE = "lianban-1"
DIGEST_STEP = 16
_ES256 = ec.ECDSA(hashes.SHA256())


class BadToken(Exception):
    """A token, section or status list that must not be believed; the text says why."""


def b64(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):
    """Decodes base64url; only the one canonical spelling is taken."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(raw) != text:
        raise BadToken("not canonical base64url")
    return raw


def compact(value):
    """JSON as bytes without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# --- JWS ---

def load_private(path):
    """A P-256 key from a PKCS#8 PEM file."""
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def public_key(x, y):
    """A P-256 public key from a JWK's coordinates (base64url)."""
    numbers = [int.from_bytes(unb64(part), "big") for part in (x, y)]
    return ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()


def sign(header, payload, key):
    """A compact JWS; header and payload are objects, or bytes to be taken as they are."""
    parts = [part if isinstance(part, bytes) else compact(part) for part in (header, payload)]
    text = ".".join(b64(part) for part in parts)
    r, s = decode_dss_signature(key.sign(text.encode(), _ES256))
    return text + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def header_of(typ, kid):
    return {"alg": "ES256", "typ": typ, "kid": kid}


def peek(token, typ):
    """Header and payload without checking the signature."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("not three parts")
    header, payload = json.loads(unb64(parts[0])), json.loads(unb64(parts[1]))
    if set(header) != {"alg", "typ", "kid"} or header["alg"] != "ES256" or header["typ"] != typ:
        raise BadToken("header is not " + typ)
    return header, payload


def verify(token, typ, key):
    """Payload of a token signed with this key."""
    _, payload = peek(token, typ)
    text, _, signature = token.rpartition(".")
    raw = unb64(signature)
    if len(raw) != 64:
        raise BadToken("signature is not 64 bytes")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key.verify(der, text.encode(), _ES256)
    except InvalidSignature:
        raise BadToken("signature does not verify") from None
    return payload


def thumbprint(public, curve="X25519"):
    """RFC 7638 over a raw key as a JWK, base64url: a sealing key, or with Ed25519 a log key."""
    jwk = {"crv": curve, "kty": "OKP", "x": b64(public)}
    return b64(hashlib.sha256(compact(jwk)).digest())


# --- grants ---

def commitment(salt, id_no):
    """The section's `sub`."""
    return b64(hashlib.sha256(b"lianban subject v1" + salt + id_no.encode()).digest())


def disclose(section, name="section"):
    """A disclosure: base64url of [salt, name, section]."""
    return b64(compact([b64(os.urandom(16)), name, section]))


def digest(disclosure):
    return hashlib.sha256(disclosure.encode()).digest()


def make_grant(claims, disclosures, kid, key):
    """Signs a grant over disclosures; `claims` are the open ones but for suite, _sd and _sd_alg, and
    win over what is made here. Returns the JWT."""
    digests = [digest(disclosure) for disclosure in disclosures]
    while len(digests) % DIGEST_STEP or len(digests) == len(disclosures):
        digests.append(os.urandom(32))
    payload = {"suite": SUITE, "_sd_alg": "sha-256", "_sd": [b64(d) for d in sorted(digests)]}
    return sign(header_of(GRANT_TYP, kid), {**payload, **claims}, key)


def join(jwt, disclosures):
    """<jwt>~<d1>~...~<dn>~"""
    return "~".join([jwt, *disclosures, ""])


def split(sd_jwt):
    """The JWT and its disclosures."""
    jwt, *disclosures = sd_jwt.split("~")
    if not disclosures or disclosures.pop() or not all(disclosures) or (
            len(set(disclosures)) != len(disclosures)):
        raise BadToken("not an SD-JWT without key binding")
    return jwt, disclosures


def section_of(payload, disclosure):
    """Opens a disclosure of a verified grant."""
    if b64(digest(disclosure)) not in payload["_sd"]:
        raise BadToken("disclosure is not part of the grant")
    array = json.loads(unb64(disclosure))
    if len(array) != 3 or array[1] != "section" or len(unb64(array[0])) != 16:
        raise BadToken("not a section")
    return array[2]


def check_grant(jwt, key, now):
    """Payload of a grant whose signature, suite, digests and times hold."""
    payload = verify(jwt, GRANT_TYP, key)
    digests = [unb64(text) for text in payload["_sd"]]
    if payload["suite"] != SUITE or payload["_sd_alg"] != "sha-256":
        raise BadToken("unknown suite")
    if len(digests) < DIGEST_STEP or digests != sorted(set(digests)):
        raise BadToken("digests are too few, repeated or not sorted")
    if not payload["nbf"] <= now + 60 or now >= payload["exp"]:
        raise BadToken("not valid now")
    return payload


# --- operators ---

def operator_token(organization, unit, person, kid, key, now, life=600, **changes):
    """A token for the person at the window; `person` is a keyed hash, 32 hex digits."""
    claims = {"use": "lianban-operator", "iss": organization, "unit": unit, "sub": person,
              "iat": now, "exp": now + life, "jti": os.urandom(16).hex(), **changes}
    return sign(header_of(OPERATOR_TYP, kid), claims, key)


# --- status lists ---

def status_at(token, key, index, now):
    """State of one index (0 valid, 1 invalid, 2 suspended) in a current, signed list."""
    payload = verify(token, STATUS_TYP, key)
    if not payload["iat"] <= now + 60 or now >= payload["exp"]:
        raise BadToken("status list is not current")
    if payload["status_list"]["bits"] != 2:
        raise BadToken("status list has other bits")
    states = zlib.decompress(unb64(payload["status_list"]["lst"]))
    return states[index // 4] >> (index % 4 * 2) & 3


def make_status_list(organization, uri, seq, states, kid, key, now, life=900):
    """A list over states, one byte value each."""
    packed = bytearray((len(states) + 3) // 4)
    for index, state in enumerate(states):
        packed[index // 4] |= state << (index % 4 * 2)
    payload = {"iss": organization, "sub": uri, "iat": now, "exp": now + life, "ttl": life, "seq": seq,
               "status_list": {"bits": 2, "lst": b64(zlib.compress(bytes(packed)))}}
    return sign(header_of(STATUS_TYP, kid), payload, key)
