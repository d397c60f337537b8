"""What is left of the list of things a serious attacker tries: clocks, disclosures, uses at once, SQL and path
tricks in every string, numbers and texts out of all bounds."""

import hashlib
import hmac
import os
import time

import paths  # noqa: F401  (first)
import requester
import sdjwt
from attack import Attack, at_adapter, at_broker, cut, sealed
from ground import Seen
from rogue import Log, leaf

SQL = "' OR 1=1; DROP TABLE leaf; --"
PATH = "../../../etc/passwd"


def _now(seconds=0):
    return int(time.time()) + seconds


# --- tokens ---

def _hmac_grant(ground):
    """An HMAC over the grant under the text of the issuer's public key."""
    grant = ground.mandate()
    _, payload = sdjwt.peek(grant.jwt, sdjwt.GRANT_TYP)
    pem = ground.me.profile.issuer_key.public_key().public_bytes(
        sdjwt.serialization.Encoding.PEM, sdjwt.serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": sdjwt.GRANT_TYP, "kid": ground.me.profile.kid}
    text = ".".join(sdjwt.b64(sdjwt.compact(part)) for part in (header, payload))
    grant.jwt = text + "." + sdjwt.b64(hmac.new(pem, text.encode(), hashlib.sha256).digest())
    return ground.ask(ground.read(grant))


def _header(**header):
    def send(ground):
        grant = ground.mandate()
        _, payload = sdjwt.peek(grant.jwt, sdjwt.GRANT_TYP)
        grant.jwt = sdjwt.sign({**sdjwt.header_of(sdjwt.GRANT_TYP, ground.me.profile.kid), **header},
                               sdjwt.compact(payload), ground.me.profile.issuer_key)
        return ground.ask(ground.read(grant))
    return send


def _payload(change):
    """A grant whose payload's bytes are changed before they are signed."""
    def send(ground):
        grant = ground.mandate()
        _, payload = sdjwt.peek(grant.jwt, sdjwt.GRANT_TYP)
        grant.jwt = sdjwt.sign(sdjwt.header_of(sdjwt.GRANT_TYP, ground.me.profile.kid),
                               change(sdjwt.compact(payload)), ground.me.profile.issuer_key)
        return ground.ask(ground.read(grant))
    return send


def _claims(**claims):
    return lambda ground: ground.ask(ground.read(ground.mandate(
        claims={name: _now(value) if name in ("iat", "nbf", "exp") else value
                for name, value in claims.items()})))


def _operator_iat(seconds):
    def send(ground):
        token = ground.me.operator_token(iat=_now(seconds), exp=_now(seconds + 3600))
        return ground.ask(ground.read(sealed={"operator_token": token}))
    return send


def _operator_by(ground, kid):
    own = ground.me.profile
    return sdjwt.operator_token(own.organization, own.unit, own.person, kid, own.issuer_key, _now())


def _sealed_iat(seconds):
    return lambda ground: ground.ask(ground.read(sealed={"iat": _now(seconds)}))


TOKENS = [
    at_broker("grant by HMAC with the public key", "GRANT_MALFORMED", _hmac_grant),
    at_broker("grant of another type", "GRANT_MALFORMED", _header(typ="JWT")),
    at_broker("grant with an instruction that is critical", "GRANT_MALFORMED", _header(crit=["exp"])),
    at_broker("grant from a clock 63 s ahead", "GRANT_NOT_YET_VALID", _claims(iat=63, nbf=63, exp=3600)),
    sealed("grant from a clock 55 s ahead", "OK", _claims(iat=55, nbf=55, exp=3600)),
    at_adapter("operator from a clock 63 s ahead", "OPERATOR_TOKEN_INVALID", _operator_iat(63)),
    at_adapter("seal from a clock 63 s ahead", "REQUEST_STALE", _sealed_iat(63)),
    at_broker("grant with a number of 400 digits", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"suite"', b'"n":' + b"9" * 400 + b',"suite"'))),
    at_broker("grant with an exponent without end", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"iat":', b'"iat":1e999999,"x":'))),
    at_broker("grant with a fraction for a time", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"exp":', b'"exp":1.5,"x":'))),
    at_broker("grant with half a surrogate pair", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"jti":"', b'"jti":"\\ud800'))),
    at_broker("grant with a zero byte in a claim", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"jti":"', b'"jti":"\\u0000'))),
    at_broker("grant that is not UTF-8", "GRANT_MALFORMED",
              _payload(lambda text: text.replace(b'"jti":"', b'"jti":"\xc0\xaf'))),
    at_broker("operator token under an unknown key id", "OPERATOR_TOKEN_INVALID",
              lambda g: g.ask(g.read(), token=_operator_by(g, "k99"))),
    at_adapter("operator token inside under an unknown key id", "ISSUER_UNKNOWN",
               lambda g: g.ask(g.read(sealed={"operator_token": _operator_by(g, "k99")}))),
]


def _big(**opened):
    return lambda ground: ground.ask(ground.read(opened={name: make() for name, make in opened.items()}))


SIZES = [
    cut("10 MiB of base64 for a grant", ["RESOURCE_EXHAUSTED"], _big(grant=lambda: "QUJD" * (10 << 18)), broker=[],
        tax=[]),
    cut("10 MiB of base64 for a section", ["RESOURCE_EXHAUSTED", "CANCELLED"],
        lambda g: g.ask(g.read(sealed={"section": "QUJD" * (10 << 18)})), broker=[], tax=[]),
    at_adapter("40 KiB of base64 for a section", "TOO_LARGE",
               lambda g: g.ask(g.read(sealed={"section": "QUJD" * 10240}))),
]


# --- disclosures ---

def _disclosure(change):
    def send(ground):
        grant = ground.mandate()
        return ground.ask(ground.read(grant, sealed={"section": change(grant.disclosures["tax"])}))
    return send


def _flip_character(text):
    return text[:40] + ("A" if text[40] != "A" else "B") + text[41:]


DISCLOSURES = [
    at_adapter("an altered disclosure", "SECTION_INVALID", _disclosure(_flip_character)),
    at_adapter("a disclosure twice", "SECTION_INVALID", _disclosure(lambda text: text + "~" + text)),
    at_adapter("a disclosure with a tilde behind it", "SECTION_INVALID", _disclosure(lambda text: text + "~")),
    at_adapter("a disclosure in the other base64", "SECTION_INVALID", _disclosure(lambda text: text + "=")),
    at_adapter("no disclosure", "SECTION_INVALID", _disclosure(lambda text: "")),
]


# --- uses and replays ---

def _at_once(ground):
    """Eight reads under a grant for one use, sent together: one is answered."""
    grant = ground.mandate(uses=1)
    reads = [ground.read(grant) for _ in range(8)]
    codes = sorted(event.code for event in ground.me.collect(reads))
    if codes != ["ANSWERED"] + ["USE_EXHAUSTED"] * 7:
        raise AssertionError(f"uses at once: {codes}")
    return Seen("event", "USE_EXHAUSTED")


def _same_rid_at_once(ground):
    """One logical request sealed eight times and sent together: the first, and three more answers."""
    grant, rid = ground.mandate(uses=1), os.urandom(16)
    reads = [ground.read(grant, sealed={"rid": rid}) for _ in range(8)]
    codes = sorted(event.code for event in ground.me.collect(reads))
    if codes != ["ANSWERED"] * 4 + ["RETRY_EXHAUSTED"] * 4:
        raise AssertionError(f"one request id at once: {codes}")
    return Seen("event", "RETRY_EXHAUSTED")


def _after_restart(ground):
    """The same bytes before and after the department was restarted: what it has answered is on disk.
    They are good for longer than the restart takes, so that nothing but the replay refuses them."""
    read = ground.read(opened={"deadline_unix_ms": int((time.time() + 55) * 1000)})
    if ground.ask(read) != Seen("inner", "OK"):
        raise AssertionError("an honest read was refused")
    ground.running.processes["tax"].stop()
    ground.running.restart("tax")
    return ground.ask(read)


def _in_another_context(ground):
    """The ciphertext of one context under the encapsulated key of another."""
    one, two = ground.read(), ground.read()
    one.request.sealed.enc = two.request.sealed.enc
    return ground.ask(one)


def _past_its_deadline(ground):
    """Held back until nobody waits for it any more, then sent on."""
    read = ground.read(opened={"deadline_unix_ms": int((time.time() + 0.4) * 1000)})
    time.sleep(0.6)
    log = Log(ground, "broker", [leaf("ROUTE", "ROUTED", read.request)])
    message = ground.new("RoutedReadRequest", log=log.progress(),
                         read=ground.new("RoutedRead", request=read.request, route=log.proof(0)))
    return Seen("event", ground.world.call("tax", "broker", "Adapter/Read", message).answer.code)


def _answered_and(code, num_ok, num_not):
    return {"broker": [("ROUTE", "ROUTED")] * (num_ok + num_not) + [("DELIVER", "ANSWERED")] * num_ok
            + [("DELIVER", code)] * num_not,
            "tax": [("READ", "ANSWERED")] * num_ok + [("READ", code)] * num_not}


AGAIN = [
    Attack("eight uses of one at once", "event", ("USE_EXHAUSTED",), _at_once,
           _answered_and("USE_EXHAUSTED", 1, 7)),
    Attack("one request id eight times at once", "event", ("RETRY_EXHAUSTED",), _same_rid_at_once,
           _answered_and("RETRY_EXHAUSTED", 4, 4)),
    at_adapter("a seal in another context", "SEAL_BROKEN", _in_another_context),
    Attack("a read held back past its deadline", "event", ("DEADLINE",), _past_its_deadline,
           {"tax": [("READ", "DEADLINE")]}),
    Attack("the same bytes after a restart", "event", ("REPLAY",), _after_restart,
           {"tax": [("READ", "ANSWERED"), ("READ", "REPLAY")]}),
]


# --- SQL and path tricks ---

def _section(**section):
    return lambda ground: ground.ask(ground.read(ground.mandate(**section)))


def _want(**changes):
    return lambda ground: ground.ask(ground.read(sealed={"wants": ground.wants(**changes)}))


def _opened(**opened):
    return lambda ground: ground.ask(ground.read(opened=opened))


def _role(role):
    """Asks what the form asks of an applicant, under a section about another role."""
    def send(ground):
        wants = ground.wants()
        views = ground.me.form.granted_views("tax", "applicant", ground.me.directory)
        return ground.ask(ground.read(ground.mandate(role=role, views=views), sealed={"wants": wants},
                                      opened={"views": sorted({want.view for want in wants})}))
    return send


def _tricks(what, text):
    return [
        at_broker(f"{what} for a form", "FORM_UNKNOWN", lambda g: g.ask(g.read(), form=text)),
        at_broker(f"{what} for a department", "WRONG_AUDIENCE", _opened(audience=text)),
        at_broker(f"{what} for a requester", "WRONG_REQUESTER", _opened(requester=text)),
        at_broker(f"{what} for a grant's issuer", "ISSUER_UNKNOWN", _claims(iss=text)),
        at_broker(f"{what} for a grant's organization", "WRONG_REQUESTER", _claims(requester=text)),
        at_broker(f"{what} for a view", "MALFORMED", _opened(views=[text])),
        at_adapter(f"{what} for a purpose", "PURPOSE_NOT_ALLOWED", _section(purpose=text)),
        at_adapter(f"{what} for a law", "BASIS_NOT_ALLOWED", _section(law=[text])),
        at_adapter(f"{what} for a basis", "BASIS_NOT_ALLOWED", _section(basis=text)),
        at_adapter(f"{what} for a form in a section", "FORM_INERT", _section(form=text)),
        at_adapter(f"{what} for a provider", "WRONG_AUDIENCE", _section(provider=text)),
        at_adapter(f"{what} for a way of proof", "SECTION_INVALID", _section(method=text)),
        at_adapter(f"{what} for a field", "FIELD_NOT_GRANTED", _want(field=text)),
        at_adapter(f"{what} for an operator", "OPERATOR_UNKNOWN", _want(operator=text)),
        at_adapter(f"{what} for an operator's argument", "OPERATOR_UNKNOWN", _want(args=[text])),
        sealed(f"{what} for a case", "OK", _section(case=text)),
        sealed(f"{what} for a role", "OK", _role(text)),
        sealed(f"{what} for a name", "OK", lambda g: g.ask(g.read(sealed={"name": text}))),
        sealed(f"{what} for an identity number", "ID_INVALID", lambda g: g.ask(g.read(sealed={"id_no": text}))),
    ]


def _key_id(ground):
    read = ground.read()
    read.request.sealed.key_id = PATH
    return ground.ask(read)


def _not_utf8(ground):
    """A sealed request whose name is no text, framed as usual."""
    read = ground.read(sealed={"name": "ab"})
    plain = read.plain.SerializeToString().replace(b"\x02ab", b"\x02\xc0\xaf")
    sealed_ = read.request.sealed
    sealed_.ciphertext = read.context.seal(sealed_.seq, requester.aad_of(read.request), requester.pad(plain))
    return ground.ask(read)


def _status_file(ground):
    claims = {"status": {"status_list": {"idx": 0, "uri": "file:///etc/passwd"}}}
    return ground.ask(ground.read(ground.office_grant("public-security", claims), "public-security"))


TEXTS = _tricks("SQL", SQL) + _tricks("a path", PATH) + [
    at_adapter("a path for a key", "KEY_RETIRED", _key_id),
    at_adapter("a file for a status list", "STATUS_STALE", _status_file, "public-security"),
    at_adapter("a zero byte in a sealed name", "MALFORMED", lambda g: g.ask(g.read(sealed={"name": "a\0b"}))),
    at_adapter("a zero byte in a sealed argument", "MALFORMED", _want(args=["12\0"])),
    at_adapter("a sealed name that is not UTF-8", "MALFORMED", _not_utf8),
]


# --- telling and guessing ---

def _one_size(ground):
    """Of somebody known, of nobody, and of the wrong person: answers and entries are of one size."""
    nobody = requester.Person("990101190001010018", "无名氏")
    reads = [ground.read(), ground.read(ground.mandate(person=nobody), person=nobody),
             ground.read(sealed={"id_no": ground.other.id_no})]
    sizes, codes = set(), []
    for read, event in zip(reads, ground.me.collect(reads)):
        codes.append(ground.me.open(read, event).code)
        sizes.add((event.code, len(event.sealed), len(event.adapter_entry.leaf)))
    if len(sizes) != 1 or codes != ["OK", "OK", "SUBJECT_MISMATCH"]:
        raise AssertionError(f"outcomes to be told apart: {sizes} {codes}")
    return Seen("inner", codes[0])


GUESSES = [
    sealed("somebody, nobody and the wrong one by size", "OK", _one_size, before=2),
    at_adapter("a number for a threshold", "OPERATOR_UNKNOWN", _want(operator="CMP", args=["<", "145000"])),
    at_adapter("a threshold that is not in the rules", "OPERATOR_TOO_WEAK",
               _want(operator="CMP", args=["<", "my.guess"])),
]

ATTACKS = TOKENS + SIZES + DISCLOSURES + AGAIN + TEXTS + GUESSES
