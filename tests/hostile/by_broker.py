"""Attacks of a window that the broker itself can see through: caller, operator, form, grant, shape."""

import hashlib
import hmac
import os
import time

import paths  # noqa: F401  (first)
import sdjwt
from attack import at_broker, cut

_FORGER = sdjwt.ec.generate_private_key(sdjwt.ec.SECP256R1())


def _token(ground, **changes):
    return ground.me.operator_token(**changes)


def _ask_with(token):
    return lambda ground: ground.ask(ground.read(), token=token(ground))


def _hmac_token(ground):
    """An HMAC under the text of the public key: what libjwt would take."""
    key = ground.me.profile.issuer_key.public_key()
    pem = key.public_bytes(sdjwt.serialization.Encoding.PEM,
                           sdjwt.serialization.PublicFormat.SubjectPublicKeyInfo)
    _, payload = sdjwt.peek(_token(ground), sdjwt.OPERATOR_TYP)
    header = {"alg": "HS256", "typ": "JWT", "kid": ground.me.profile.kid}
    text = ".".join(sdjwt.b64(sdjwt.compact(part)) for part in (header, payload))
    return text + "." + sdjwt.b64(hmac.new(pem, text.encode(), hashlib.sha256).digest())


def _unsigned_token(ground):
    _, payload = sdjwt.peek(_token(ground), sdjwt.OPERATOR_TYP)
    header = {"alg": "none", "typ": "JWT", "kid": ground.me.profile.kid}
    return ".".join(sdjwt.b64(sdjwt.compact(part)) for part in (header, payload)) + "."


def _forged_token(ground):
    own = ground.me.profile
    return sdjwt.operator_token(own.organization, own.unit, own.person, own.kid, _FORGER,
                                int(time.time()))


def _hall_token(ground):
    return sdjwt.operator_token(ground.hall, "u", "0" * 32, ground.hall_kid, ground.hall_key,
                                int(time.time()))


TOKENS = [
    at_broker("no operator token", "OPERATOR_TOKEN_INVALID", _ask_with(lambda g: "")),
    at_broker("operator token of garbage", "OPERATOR_TOKEN_INVALID", _ask_with(lambda g: "a.b.c")),
    at_broker("operator token of 7 KiB", "OPERATOR_TOKEN_INVALID", _ask_with(lambda g: "a" * 7000)),
    at_broker("operator whose session is over", "OPERATOR_TOKEN_EXPIRED",
              _ask_with(lambda g: _token(g, iat=int(time.time()) - 900, exp=int(time.time()) - 1))),
    at_broker("forged operator token", "OPERATOR_TOKEN_INVALID", _ask_with(_forged_token)),
    at_broker("operator token by HMAC with the public key", "OPERATOR_TOKEN_INVALID",
              _ask_with(_hmac_token)),
    at_broker("operator token without a signature", "OPERATOR_TOKEN_INVALID",
              _ask_with(_unsigned_token)),
    at_broker("operator of the consent hall", "OPERATOR_TOKEN_INVALID", _ask_with(_hall_token)),
    at_broker("operator token for a month", "OPERATOR_TOKEN_INVALID",
              _ask_with(lambda g: _token(g, life=30 * 86400))),
    at_broker("operator token of tomorrow", "OPERATOR_TOKEN_INVALID",
              _ask_with(lambda g: _token(g, iat=int(time.time()) + 3600, exp=int(time.time()) + 7200))),
    at_broker("operator token with a claim too many", "OPERATOR_TOKEN_INVALID",
              _ask_with(lambda g: _token(g, admin=True))),
    at_broker("a grant as operator token", "OPERATOR_TOKEN_INVALID",
              _ask_with(lambda g: g.mandate().jwt)),
]


def _ask_form(**changes):
    return lambda ground: ground.ask(ground.read(), **changes)


FORMS = [
    at_broker("unknown form", "FORM_UNKNOWN", _ask_form(form="tax-audit")),
    at_broker("unknown version of the form", "FORM_UNKNOWN", _ask_form(form_version=7)),
    at_broker("no version of the form", "FORM_UNKNOWN", _ask_form(form_version=0)),
    at_broker("form with another hash", "FORM_UNKNOWN", _ask_form(form_sha256=bytes(32))),
    at_broker("form with a short hash", "FORM_UNKNOWN", _ask_form(form_sha256=b"x")),
]


def _ask_open(**opened):
    return lambda ground: ground.ask(ground.read(opened=opened))


def _ask_grant(**claims):
    return lambda ground: ground.ask(ground.read(ground.mandate(claims=claims)))


def _now(seconds=0):
    return int(time.time()) + seconds


def _forged_grant(ground):
    return ground.ask(ground.read(ground.mandate(key=_FORGER)))


def _raw_grant(header, change=None):
    """A grant whose header or payload bytes are of our own making."""
    def send(ground):
        grant = ground.mandate()
        _, payload = sdjwt.peek(grant.jwt, sdjwt.GRANT_TYP)
        text = sdjwt.compact(payload)
        grant.jwt = sdjwt.sign({**sdjwt.header_of(sdjwt.GRANT_TYP, ground.me.profile.kid), **header},
                               change(text) if change else text, ground.me.profile.issuer_key)
        return ground.ask(ground.read(grant))
    return send


GRANTS = [
    at_broker("grant of an unknown issuer", "ISSUER_UNKNOWN", _ask_grant(iss="nobody")),
    at_broker("grant under an unknown key id", "ISSUER_UNKNOWN",
              lambda g: g.ask(g.read(g.mandate(kid="k99")))),
    at_broker("forged grant", "SIGNATURE_INVALID", _forged_grant),
    at_broker("consent hall's name on our signature", "SIGNATURE_INVALID",
              lambda g: g.ask(g.read(g.mandate(claims={"iss": g.hall}, kid=g.hall_kid)))),
    at_broker("expired grant", "GRANT_EXPIRED",
              lambda g: _ask_grant(iat=_now(-900), nbf=_now(-900), exp=_now(-1))(g)),
    at_broker("grant not yet valid", "GRANT_NOT_YET_VALID",
              lambda g: _ask_grant(nbf=_now(600), exp=_now(900))(g)),
    at_broker("grant issued in the future", "GRANT_NOT_YET_VALID",
              lambda g: _ask_grant(iat=_now(600), exp=_now(900))(g)),
    at_broker("grant of another organization", "WRONG_REQUESTER", _ask_grant(requester="tax")),
    at_broker("grant that ends before it begins", "GRANT_MALFORMED",
              lambda g: _ask_grant(nbf=_now(), exp=_now(-5))(g)),
    at_broker("grant of another suite", "VERSION_UNSUPPORTED", _ask_grant(suite="lianban-9")),
    at_broker("grant with a claim too many", "GRANT_MALFORMED", _ask_grant(aud="tax")),
    at_broker("grant with SHA-1 digests", "GRANT_MALFORMED", _ask_grant(_sd_alg="sha-1")),
    at_broker("grant with too few digests", "GRANT_MALFORMED", _ask_grant(_sd=[sdjwt.b64(bytes(32))])),
    at_broker("grant with unsorted digests", "GRANT_MALFORMED",
              _ask_grant(_sd=[sdjwt.b64(bytes([16 - i]) * 32) for i in range(16)])),
    at_broker("grant with a repeated digest", "GRANT_MALFORMED",
              _ask_grant(_sd=[sdjwt.b64(bytes(32))] * 16)),
    at_broker("grant with a time in words", "GRANT_MALFORMED", _ask_grant(iat="now")),
    at_broker("grant with a time past all bounds", "GRANT_MALFORMED", _ask_grant(exp=2 ** 62)),
    at_broker("grant with a claim twice", "GRANT_MALFORMED",
              _raw_grant({}, lambda text: b'{"exp":99999999999,' + text[1:])),
    at_broker("grant nested a thousand deep", "GRANT_MALFORMED",
              _raw_grant({}, lambda text: b'{"cnf":' + b"[" * 1000 + b"]" * 1000 + b"," + text[1:])),
    at_broker("grant with alg none", "GRANT_MALFORMED", _raw_grant({"alg": "none"})),
    at_broker("grant with its own key in the header", "GRANT_MALFORMED",
              _raw_grant({"jwk": {"kty": "EC"}})),
    at_broker("grant of 40 KiB", "TOO_LARGE", _ask_open(grant="a" * 40960)),
    at_broker("no grant", "GRANT_MALFORMED", _ask_open(grant="")),
]


def _two_with_one_txn(ground):
    txn = os.urandom(16)
    reads = [ground.read(opened={"txn": txn}) for _ in range(2)]
    return _raw_collect(ground, [read.request for read in reads])


def _raw_collect(ground, requests):
    """A collect without a look at the events."""
    me = ground.me
    request = ground.new("CollectRequest", form=me.form.id, form_version=me.form.version,
                         form_sha256=me.form.sha256, reads=requests)
    channel = ground.world.channel("broker", "window")
    list(ground.contract.stream(channel, "Broker/Collect", request,
                                metadata=(("lianban-operator", me.operator_token()),)))
    raise AssertionError("not refused")


def _spoiled(spoil):
    """A read of which something is changed after it was sealed."""
    def send(ground):
        read = ground.read()
        spoil(read.request)
        return ground.ask(read)
    return send


def _bytes_to_collect(make):
    """Bytes of our own making instead of a CollectRequest."""
    def send(ground):
        good = ground.new("CollectRequest", form=ground.me.form.id, form_version=1,
                          form_sha256=ground.me.form.sha256,
                          reads=[ground.read().request]).SerializeToString()
        channel = ground.world.channel("broker", "window")
        list(ground.contract.stream(channel, "Broker/Collect", make(good),
                                    metadata=(("lianban-operator", ground.me.operator_token()),)))
        raise AssertionError("not refused")
    return send


SHAPES = [
    at_broker("in another requester's name", "WRONG_REQUESTER",
              _ask_open(requester="spiffe://demo.lianban/window/other-office")),
    at_broker("to an unlisted department", "WRONG_AUDIENCE",
              _ask_open(audience="spiffe://demo.lianban/adapter/customs")),
    at_broker("to the broker itself", "WRONG_AUDIENCE",
              lambda g: g.ask(g.read(opened={"audience": g.world.spiffe("broker")}))),
    at_broker("to a name of 10,000 characters", "WRONG_AUDIENCE", _ask_open(audience="s" * 10000)),
    at_broker("txn of 15 bytes", "MALFORMED", _ask_open(txn=bytes(15))),
    at_broker("txn of 17 bytes", "MALFORMED", _ask_open(txn=bytes(17))),
    at_broker("nothing sealed", "MALFORMED", _spoiled(lambda r: r.ClearField("sealed"))),
    at_broker("no views", "MALFORMED", _ask_open(views=[])),
    at_broker("five thousand views", "MALFORMED", _ask_open(views=[f"v{i:05}" for i in range(5000)])),
    at_broker("view with a name of 10,000 characters", "MALFORMED", _ask_open(views=["v" * 10000])),
    at_broker("sealed request of 70 KiB", "TOO_LARGE",
              _spoiled(lambda r: setattr(r.sealed, "ciphertext", bytes(70 * 1024)))),
    at_broker("encapsulated key of 31 bytes", "MALFORMED",
              _spoiled(lambda r: setattr(r.sealed, "enc", bytes(31)))),
    at_broker("sender's key of 33 bytes", "MALFORMED",
              _spoiled(lambda r: setattr(r.sealed, "sender_key", bytes(33)))),
    at_broker("key with a name of 10,000 characters", "MALFORMED",
              _spoiled(lambda r: setattr(r.sealed, "key_id", "s" * 10000))),
    at_broker("room for an endless answer", "MALFORMED", _ask_open(answer_bytes=2 ** 32 - 1)),
    at_broker("view with a line feed", "MALFORMED", _ask_open(views=["tax.wage\nREAD"])),
    at_broker("view with a comma", "MALFORMED", _ask_open(views=["tax.other,tax.wage"])),
    at_broker("two reads under one txn", "REPLAY", _two_with_one_txn),
    at_broker("a collect of nothing", "MALFORMED", lambda g: _raw_collect(g, [])),
    at_broker("a collect of 513 empty reads", "MALFORMED",
              lambda g: _raw_collect(g, [g.new("ReadRequest")] * 513)),
    at_broker("a truncated message", "MALFORMED", _bytes_to_collect(lambda good: good[:-7])),
    at_broker("garbage for a message", "MALFORMED", _bytes_to_collect(lambda good: b"\xff" * 999)),
    at_broker("a length that points past the end", "MALFORMED",
              _bytes_to_collect(lambda good: b"\x0a\xff\xff\xff\xff\x0f" + good)),
    at_broker("groups nested ten thousand deep", "MALFORMED",
              _bytes_to_collect(lambda good: good + b"\x5b" * 10000 + b"\x5c" * 10000)),
    at_broker("a text that is not UTF-8", "MALFORMED",
              _bytes_to_collect(lambda good: good + b"\x0a\x02\xc0\xaf")),
    at_broker("a text with a zero byte", "MALFORMED",
              _bytes_to_collect(lambda good: good + b"\x0a\x03a\0b")),
    cut("a message of 4 MiB", ["RESOURCE_EXHAUSTED"],
        _bytes_to_collect(lambda good: good + b"\x7a\x80\x80\x80\x02" + bytes(4 << 20)), broker=[], tax=[]),
]

ATTACKS = TOKENS + FORMS + GRANTS + SHAPES
