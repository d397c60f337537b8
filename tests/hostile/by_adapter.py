"""Attacks of a window through the honest broker that only the department can see through: what the
section grants, the seal, the person, and reads sent again."""

import os
import time

import paths  # noqa: F401  (first)
import hpke
import receipts
import requester
from attack import at_adapter, sealed
from requester import Person

NOBODY = Person("990101190001010018", "无名氏")


def _section(department="tax", **section):
    """A mandate whose section says something else."""
    return lambda ground: ground.ask(ground.read(ground.mandate(department, **section), department))


def _wants(department="tax", **changes):
    """Honest grant, but the first want is changed."""
    return lambda ground: ground.ask(
        ground.read(department=department, sealed={"wants": ground.wants(department, **changes)}))


def _both(views, department="finance", **changes):
    """Section and want name the same thing that the view does not allow."""
    def send(ground):
        want = ground.wants(department, **changes)[:1]
        grant = ground.mandate(department, views=views)
        return ground.ask(ground.read(grant, department, opened={"views": [want[0].view]},
                                      sealed={"wants": want}))
    return send


def _view(view="finance.deposits", version=1, field="balance", op="SUM(0)"):
    return [{"view": view, "version": version, "fields": [{"field": field, "op": op}]}]


_FINANCE = "finance"


def _to_log_key(ground):
    """What a standing grant is bound to, instead of a sealing key."""
    _, public = receipts.parse_vkey(ground.me.directory.log_vkey(ground.me.profile.spiffe))
    return {"cnf": {"jkt": requester.sdjwt.thumbprint(public, "Ed25519")}}


def _standing(days=30, bound=_to_log_key, life=3600, uses=1):
    def send(ground):
        claims = {**bound(ground), "exp": int(time.time()) + life}
        return ground.ask(ground.read(ground.mandate(claims=claims, event={"every_days": days}, uses=uses)))
    return send


STANDING = [
    at_adapter("a standing grant where only ordinary ones are taken", "EVENT_NOT_ALLOWED", _standing()),
    at_adapter("a standing grant of two years", "EVENT_TOO_LONG", _standing(life=2 * 366 * 86400)),
    at_adapter("a standing grant with two uses for one interval", "EVENT_TOO_LONG", _standing(uses=2)),
    at_adapter("a standing grant for an interval of no days", "SECTION_INVALID", _standing(days=0)),
    at_adapter("a standing grant bound to a sealing key", "WRONG_REQUESTER", _standing(bound=lambda g: {})),
    at_adapter("an ordinary grant bound to a log key", "WRONG_REQUESTER",
               lambda g: g.ask(g.read(g.mandate(claims=_to_log_key(g))))),
]

SECTIONS = [
    at_adapter("ungranted field", "FIELD_NOT_GRANTED", _wants(field="months")),
    at_adapter("ungranted field of a view granted to others", "FIELD_NOT_GRANTED",
               _both(_view("tax.capital", 1, "total", "BUCKET(capital.bands)"), "tax")),
    at_adapter("unknown field", "FIELD_UNKNOWN", _both(_view(field="salary"), field="salary"), _FINANCE),
    at_adapter("unknown view", "VIEW_UNKNOWN",
               lambda g: g.ask(g.read(opened={"views": ["tax.secrets"]}))),
    at_adapter("view of another department", "VIEW_UNKNOWN",
               lambda g: g.ask(g.read(opened={"views": ["finance.deposits"]}))),
    at_adapter("want outside the announced views", "FIELD_NOT_GRANTED",
               lambda g: g.ask(g.read(opened={"views": ["tax.business"]}))),
    at_adapter("another version of the view", "FIELD_NOT_GRANTED",
               lambda g: g.ask(g.read(g.mandate(views=_view("tax.business", 2, "represents", "EXISTS")),
                                      sealed={"wants": g.wants()[:1]}, opened={"views": ["tax.business"]}))),
    at_adapter("unknown operator", "OPERATOR_UNKNOWN", _wants(operator="PEEK", args=[])),
    at_adapter("the amounts themselves instead of their total", "OPERATOR_TOO_WEAK",
               _wants(_FINANCE, operator="PASS", args=[]), _FINANCE),
    at_adapter("a field asked to be left out", "OPERATOR_TOO_WEAK",
               _wants(operator="OMIT", args=[])),
    at_adapter("operator in small letters", "OPERATOR_UNKNOWN", _wants(operator="exists")),
    at_adapter("operator with an argument too many", "OPERATOR_UNKNOWN", _wants(args=["12", "1"])),
    at_adapter("weaker operator than granted", "OPERATOR_TOO_WEAK", _wants(_FINANCE, args=["6"]), _FINANCE),
    at_adapter("operator of another kind than granted", "OPERATOR_TOO_WEAK",
               _wants(_FINANCE, operator="EXISTS", args=[]), _FINANCE),
    at_adapter("granted wider than the view allows", "OPERATOR_TOO_WEAK",
               _both(_view(op="SUM(24)"), args=["24"]), _FINANCE),
    at_adapter("granted month by month", "OPERATOR_TOO_WEAK",
               _both(_view(op="SUM(1)"), args=["1"]), _FINANCE),
    at_adapter("a threshold of the asker's own", "OPERATOR_TOO_WEAK",
               _both(_view(op="CMP(<,income.local)"), operator="CMP", args=["<", "income.local"]),
               _FINANCE),
    at_adapter("another purpose", "PURPOSE_NOT_ALLOWED", _section(purpose="marketing")),
    at_adapter("another law", "BASIS_NOT_ALLOWED", _section(law=["SAL99"])),
    at_adapter("no law", "BASIS_NOT_ALLOWED", _section(law=[])),
    at_adapter("unknown basis", "BASIS_NOT_ALLOWED", _section(basis="curiosity")),
    at_adapter("emergency in our own name", "SELF_CONSENT", _section(basis="emergency")),
    at_adapter("mandate where the law wants consent", "BASIS_NOT_ALLOWED",
               _section("health", basis="mandate"), "health"),
    at_adapter("no case", "NO_CASE", _section(case=None)),
    at_adapter("an empty case", "NO_CASE", _section(case="")),
    at_adapter("another version of the form", "FORM_INERT", _section(form_version=2)),
    at_adapter("form changed under its name", "FORM_INERT", _section(form_sha256="00" * 32)),
    at_adapter("identity proved too weakly", "LOA_LOW", _section(level=1)),
    at_adapter("a level beyond all levels", "SECTION_INVALID", _section(level=9)),
    at_adapter("a million uses and one", "SECTION_INVALID", _section(uses=1000001)),
    at_adapter("section with a member too many", "SECTION_INVALID", _section(admin=True)),
    at_adapter("section without a purpose", "SECTION_INVALID", _section(purpose=None)),
    at_adapter("section with one view twice", "SECTION_INVALID", _section(views=_view() * 2)),
    at_adapter("section of another department", "WRONG_AUDIENCE", _section(provider="finance")),
    at_adapter("section for another instance", "WRONG_AUDIENCE",
               lambda g: g.ask(g.read(g.mandate(aud="spiffe://demo.lianban/adapter/tax/2"),
                                      opened={"audience": g.world.spiffe("tax")},
                                      setup=g.me.new_context(g.world.spiffe("tax"))))),
    at_adapter("section of another grant", "SECTION_INVALID",
               lambda g: g.ask(g.read(sealed={"section": g.mandate().disclosures["tax"]}))),
    at_adapter("section of garbage", "SECTION_INVALID",
               lambda g: g.ask(g.read(sealed={"section": "~~~"}))),
    at_adapter("another answer size than declared", "SECTION_INVALID",
               lambda g: g.ask(g.read(opened={"answer_bytes": 4096}))),
]


def _office(department="public-security", claims=None, **section):
    return lambda ground: ground.ask(
        ground.read(ground.office_grant(department, claims, **section), department))


def _self_signed(status):
    def send(ground):
        claims = {"status": {"status_list": {"idx": 0, "uri": ground.status_uri}}} if status else None
        grant = ground.mandate("public-security", claims=claims, method="face", level=3)
        return ground.ask(ground.read(grant, "public-security"))
    return send


def _status(index=0, uri=None):
    def send(ground):
        claims = {"status": {"status_list": {"idx": index, "uri": uri or ground.status_uri}}}
        return _office(claims=claims)(ground)
    return send


def _without_status(ground):
    grant = ground.mandate("public-security", claims={"iss": ground.hall}, key=ground.hall_key,
                           kid=ground.hall_kid, method="face", level=3)
    return ground.ask(ground.read(grant, "public-security"))


def _revoked(ground):
    grant_id, grant = ground.consented()
    receipts = ground.desk.revoke(grant_id, ground.person.id_no).receipts
    if {receipt.code for receipt in receipts} != {"OK"}:
        raise AssertionError("not every department has stopped")
    return ground.ask(ground.read(grant, "public-security"))


_PS = "public-security"
CONSENT = [
    at_adapter("the window signs consent itself", "SELF_CONSENT", _self_signed(True), _PS),
    at_adapter("the same without a status", "SELF_CONSENT", _self_signed(False), _PS),
    at_adapter("consent without a status", "GRANT_MALFORMED", _without_status, _PS),
    at_adapter("mandate signed by the consent hall", "BASIS_NOT_ALLOWED", _office("tax", basis="mandate")),
    at_adapter("consent where the law wants a mandate", "BASIS_NOT_ALLOWED", _office("tax", basis="consent")),
    at_adapter("plain consent where it must be separate", "BASIS_NOT_ALLOWED",
               _office("health", basis="consent"), "health"),
    at_adapter("status index past the list", "GRANT_MALFORMED", _status(1000000), _PS),
    at_adapter("status list that nobody has seen", "STATUS_STALE", _status(uri="https://elsewhere/1"), _PS),
    at_adapter("withdrawn at the desk", "GRANT_REVOKED", _revoked, _PS),
]


def _other_key(ground):
    """Somebody who got hold of a grant and seals with a key of their own."""
    audience = ground.world.spiffe("tax")
    return ground.ask(ground.read(setup=ground.me.new_context(audience, private=hpke.generate())))


def _cnf_of_another(ground):
    claims = {"cnf": {"jkt": requester.sdjwt.thumbprint(hpke.public_of(hpke.generate()))}}
    return ground.ask(ground.read(ground.mandate(claims=claims)))


def _claimed_key(ground):
    """Sealed with a strange key, said to be the window's."""
    audience = ground.world.spiffe("tax")
    key_id, enc, _, context = ground.me.new_context(audience, private=hpke.generate())
    return ground.ask(ground.read(setup=(key_id, enc, ground.me.seal_public, context)))


def _spoiled(spoil):
    """A read of which something is changed after it was sealed: what a broker could try."""
    def send(ground):
        read = ground.read()
        spoil(read.request, ground)
        return ground.ask(read)
    return send


def _flip(name):
    def spoil(request, _ground):
        raw = getattr(request.sealed, name)
        setattr(request.sealed, name, raw[:9] + bytes([raw[9] ^ 16]) + raw[10:])
    return spoil


def _set(name, change):
    return lambda request, _ground: setattr(request, name, change(getattr(request, name)))


def _plaintext(frame):
    """A seal over bytes of our own making instead of a framed SealedRequest."""
    def send(ground):
        read = ground.read()
        sealed_ = read.request.sealed
        sealed_.ciphertext = read.context.seal(sealed_.seq, requester.aad_of(read.request), frame(read.plain))
        return ground.ask(read)
    return send


def _plain(**changes):
    return lambda ground: ground.ask(ground.read(sealed=changes))


def _plain_at(**offsets):
    """Times inside the seal, relative to now."""
    return lambda ground: ground.ask(
        ground.read(sealed={name: int(time.time()) + offset for name, offset in offsets.items()}))


def _operator(**changes):
    def send(ground):
        now = int(time.time())
        token = ground.me.operator_token(**{
            name: now + value if name in ("iat", "exp") else value for name, value in changes.items()})
        return ground.ask(ground.read(sealed={"operator_token": token}))
    return send


def _many_wants(num):
    return lambda ground: ground.ask(ground.read(sealed={"wants": ground.wants()[:1] * num}))


SEALS = [
    at_adapter("grant bound to another key", "WRONG_REQUESTER", _cnf_of_another),
    at_adapter("stolen grant, sealed with another key", "WRONG_REQUESTER", _other_key),
    at_adapter("sealed with another key than it says", "SEAL_BROKEN", _claimed_key),
    at_adapter("flipped bit in the ciphertext", "SEAL_BROKEN", _spoiled(_flip("ciphertext"))),
    at_adapter("flipped bit in the encapsulated key", "SEAL_BROKEN", _spoiled(_flip("enc"))),
    at_adapter("encapsulated key of small order", "SEAL_BROKEN",
               _spoiled(lambda r, _: setattr(r.sealed, "enc", bytes(32)))),
    at_adapter("another number than sealed", "SEAL_BROKEN",
               _spoiled(lambda r, _: setattr(r.sealed, "seq", 2 ** 64 - 1))),
    at_adapter("ciphertext of a tag alone", "MALFORMED",
               _spoiled(lambda r, _: setattr(r.sealed, "ciphertext", bytes(16)))),
    at_adapter("later deadline than sealed", "SEAL_BROKEN", _spoiled(_set("deadline_unix_ms", lambda v: v + 1))),
    at_adapter("another answer size than sealed", "SEAL_BROKEN", _spoiled(_set("answer_bytes", lambda v: v + 1))),
    at_adapter("another txn than sealed", "SEAL_BROKEN", _spoiled(_set("txn", lambda v: os.urandom(16)))),
    at_adapter("another grant than sealed", "SEAL_BROKEN",
               _spoiled(lambda r, g: setattr(r, "grant", g.mandate().jwt))),
    at_adapter("a view taken away after sealing", "SEAL_BROKEN",
               _spoiled(lambda r, _: r.views.pop())),
    at_adapter("retired key", "KEY_RETIRED", _spoiled(lambda r, _: setattr(r.sealed, "key_id", "s0"))),
    at_adapter("views out of order", "MALFORMED",
               lambda g: g.ask(g.read(opened={"views": ["tax.wage", "tax.business"]}))),
    at_adapter("no room for an answer", "MALFORMED", lambda g: g.ask(g.read(opened={"answer_bytes": 1}))),
    at_adapter("deadline of tomorrow", "MALFORMED",
               lambda g: g.ask(g.read(opened={"deadline_unix_ms": int((time.time() + 86400) * 1000)}))),
    at_adapter("seal over nothing", "MALFORMED", _plaintext(lambda plain: b"\0")),
    at_adapter("seal over garbage", "MALFORMED", _plaintext(lambda plain: requester.pad(b"\xff" * 99))),
    at_adapter("padding that is not zero", "MALFORMED",
               _plaintext(lambda plain: requester.pad(plain.SerializeToString())[:-1] + b"\1")),
    at_adapter("frame longer than it is", "MALFORMED",
               _plaintext(lambda plain: b"\xff\xff\xff\xff" + plain.SerializeToString())),
    at_adapter("sealed request of another version", "VERSION_UNSUPPORTED", _plain(version=2)),
    at_adapter("stale seal", "REQUEST_STALE", _plain_at(iat=-125)),
    at_adapter("seal of the future", "REQUEST_STALE", _plain_at(iat=120)),
    at_adapter("request id of 15 bytes", "MALFORMED", _plain(rid=bytes(15))),
    at_adapter("salt of no bytes", "MALFORMED", _plain(salt=b"")),
    at_adapter("no wants", "MALFORMED", _plain(wants=[])),
    at_adapter("sixty-five wants", "MALFORMED", _many_wants(65)),
    at_adapter("seventeen claims", "MALFORMED", _wants(claim=["x"] * 17)),
    at_adapter("name of 40,000 characters", "TOO_LARGE", _plain(name="n" * 40000)),
    at_adapter("no operator inside", "OPERATOR_TOKEN_INVALID", _plain(operator_token="")),
    at_adapter("operator inside whose session is over", "OPERATOR_TOKEN_EXPIRED", _operator(iat=-900, exp=-1)),
    at_adapter("another operator than the grant names", "OPERATOR_TOKEN_INVALID", _operator(sub="f" * 32)),
]

SUBJECTS = [
    sealed("grant about another person", "SUBJECT_MISMATCH",
           lambda g: g.ask(g.read(sealed={"id_no": g.other.id_no, "name": g.other.name}))),
    sealed("another salt than committed to", "SUBJECT_MISMATCH",
           lambda g: g.ask(g.read(sealed={"salt": os.urandom(16)}))),
    sealed("identity number with a wrong check digit", "ID_INVALID",
           lambda g: g.ask(g.read(sealed={"id_no": g.person.id_no[:17] + ("1" if g.person.id_no[17] != "1"
                                                                          else "2")}))),
    sealed("identity number that is SQL", "ID_INVALID",
           lambda g: g.ask(g.read(sealed={"id_no": "' OR 1=1; --'     "}))),
    sealed("identity number of 10,000 characters", "ID_INVALID",
           lambda g: g.ask(g.read(sealed={"id_no": "1" * 10000}))),
    sealed("no identity number", "ID_INVALID", lambda g: g.ask(g.read(sealed={"id_no": ""}))),
    sealed("a child without a guardian", "GUARDIAN_NEEDED",
           lambda g: g.ask(g.read(g.office_grant(_PS, person=g.child), _PS, g.child)), _PS),
    sealed("a person nobody has heard of", "OK",
           lambda g: g.ask(g.read(person=NOBODY, grant=g.mandate(person=NOBODY)))),
]


def _twice(ground):
    read = ground.read()
    ground.ask(read)
    return ground.ask(read)


def _twice_after_inner(ground):
    read = ground.read(sealed={"id_no": ground.other.id_no})
    ground.ask(read)
    return ground.ask(read)


def _same_rid(changes, times=1, **section):
    """One logical request sealed anew `times` times; the last one is changed."""
    def send(ground):
        grant, rid = ground.mandate(**section), os.urandom(16)
        for _ in range(times):
            if ground.ask(ground.read(grant, sealed={"rid": rid})).code != "OK":
                raise AssertionError("an honest retry was refused")
        return ground.ask(ground.read(grant, sealed={"rid": rid, **changes(ground)}))
    return send


AGAIN = [
    at_adapter("the same bytes again", "REPLAY", _twice, before=("ANSWERED",)),
    at_adapter("the same bytes after a refusal about the person", "REPLAY", _twice_after_inner,
               before=("ANSWERED",)),
    at_adapter("one request id, another question", "REQUEST_CHANGED",
               _same_rid(lambda g: {"wants": g.wants()[:1]}), before=("ANSWERED",)),
    at_adapter("a fifth answer to one request id", "RETRY_EXHAUSTED", _same_rid(lambda g: {}, times=4),
               before=("ANSWERED",) * 4),
    at_adapter("more uses than granted", "USE_EXHAUSTED",
               _same_rid(lambda g: {"rid": os.urandom(16)}, uses=1), before=("ANSWERED",)),
]

ATTACKS = STANDING + SECTIONS + CONSENT + SEALS + SUBJECTS + AGAIN
