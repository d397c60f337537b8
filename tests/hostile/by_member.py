"""Members who do what only others may, and desks and windows that cheat at the consent office."""

import time

import paths  # noqa: F401  (first)
import sdjwt
from attack import denied, refused
from ground import Seen
from rogue import Link

def _call(server, caller, method, message, **fields):
    return lambda ground: ground.call(server, caller, method, ground.new(message, **fields))


def _stream(server, caller, method, message):
    def send(ground):
        channel = ground.world.channel(server, caller)
        for _ in ground.contract.stream(channel, method, ground.new(message)):
            pass
        return Seen("event", "OK")
    return send


def _duplex(server, caller, method):
    def send(ground):
        link = Link(ground, server, caller, method)
        link.hello()
        return link.end()
    return send


_ROLE = "ROLE_NOT_ALLOWED"
ROLES = [
    denied("an adapter collects", _ROLE, "broker", _stream("broker", "tax", "Broker/Collect", "CollectRequest")),
    denied("a desk collects", _ROLE, "broker", _stream("broker", "desk", "Broker/Collect", "CollectRequest")),
    denied("the broker collects from itself", _ROLE, "broker",
           _stream("broker", "broker", "Broker/Collect", "CollectRequest")),
    denied("an adapter lists forms", _ROLE, "broker",
           _call("broker", "tax", "Broker/ListForms", "ListFormsRequest")),
    denied("an adapter fetches a form", _ROLE, "broker",
           _call("broker", "tax", "Broker/GetForm", "GetFormRequest")),
    denied("a window attaches", _ROLE, "broker", _duplex("broker", "window", "Broker/Attach")),
    denied("a desk attaches", _ROLE, "broker", _duplex("broker", "desk", "Broker/Attach")),
    denied("a window relays a status list", _ROLE, "broker",
           _call("broker", "window", "Broker/RelayStatus", "RelayStatusRequest")),
    denied("an adapter relays a status list", _ROLE, "broker",
           _call("broker", "tax", "Broker/RelayStatus", "RelayStatusRequest")),
    denied("an adapter relays a withdrawal", _ROLE, "broker",
           _call("broker", "tax", "Broker/RelayRevocation", "RelayRevocationRequest")),
    denied("the broker stops a grant", _ROLE, "tax",
           _call("tax", "broker", "Adapter/StopGrant", "StopGrantRequest", issuer="x", grant_id="y", reason="z")),
    denied("a desk stops a grant", _ROLE, "tax",
           _call("tax", "desk", "Adapter/StopGrant", "StopGrantRequest", issuer="x", grant_id="y", reason="z")),
    denied("the broker erases a person", _ROLE, "tax",
           _call("tax", "broker", "Adapter/EraseSubject", "EraseSubjectRequest", basis="court_order", reason="z")),
    denied("a window erases a person", _ROLE, "tax",
           _call("tax", "window", "Adapter/EraseSubject", "EraseSubjectRequest", basis="court_order", reason="z")),
    denied("a window reads an adapter", _ROLE, "tax", _call("tax", "window", "Adapter/Read", "RoutedReadRequest")),
    denied("an adapter reads an adapter", _ROLE, "tax",
           _call("tax", "finance", "Adapter/Read", "RoutedReadRequest")),
    denied("a desk reads an adapter", _ROLE, "tax", _call("tax", "desk", "Adapter/Read", "RoutedReadRequest")),
    denied("a window links to an adapter", _ROLE, "tax", _duplex("tax", "window", "Adapter/Link")),
    denied("an adapter links to an adapter", _ROLE, "tax", _duplex("tax", "finance", "Adapter/Link")),
    denied("the broker asks for a grant", _ROLE, "consent",
           _call("consent", "broker", "ConsentOffice/RequestGrant", "GrantRequest")),
    denied("an adapter asks for a grant", _ROLE, "consent",
           _call("consent", "tax", "ConsentOffice/RequestGrant", "GrantRequest")),
    denied("a desk asks for a grant", _ROLE, "consent",
           _call("consent", "desk", "ConsentOffice/RequestGrant", "GrantRequest")),
    denied("a window confirms", _ROLE, "consent",
           _call("consent", "window", "ConsentOffice/Confirm", "ConfirmRequest")),
    denied("the broker confirms", _ROLE, "consent",
           _call("consent", "broker", "ConsentOffice/Confirm", "ConfirmRequest")),
    denied("a window withdraws a grant", _ROLE, "consent",
           _call("consent", "window", "ConsentOffice/Revoke", "RevokeRequest")),
    denied("the broker fetches a grant", _ROLE, "consent",
           _call("consent", "broker", "ConsentOffice/GetGrant", "GetGrantRequest", request_id="x")),
    denied("an adapter reads the notice", _ROLE, "consent",
           _call("consent", "tax", "ConsentOffice/Notice", "NoticeRequest")),
]


def _request(**changes):
    """A window's request for a grant, with something else in it."""
    def send(ground):
        me = ground.me
        request = ground.new("GrantRequest", **{
            "form": me.form.id, "form_version": me.form.version, "form_sha256": me.form.sha256,
            "case_id": ground.case(), "requester_key": me.seal_public, "role": "applicant",
            "id_no": ground.person.id_no, "name": ground.person.name, "operator": me.profile.person, **changes})
        return ground.call("consent", "window", "ConsentOffice/RequestGrant", request)
    return send


def _confirm(document=None, **changes):
    """A desk's confirmation of a fresh request, with something else in it."""
    def send(ground):
        ticket = ground.me.request_grant("applicant", ground.person, ground.case())
        form = ground.me.form
        notice = ground.world.call("consent", "desk", "ConsentOffice/Notice", ground.new(
            "NoticeRequest", form=form.id, form_version=form.version, requester=ground.me.profile.spiffe,
            language="zh"))
        confirm = {"request_id": ticket.request_id, "agreed": True, "method": "face", "level": 3,
                   "id_no": document(ground) if document else ground.person.id_no,
                   "notice_sha256": notice.sha256, **changes}
        return ground.call("consent", "desk", "ConsentOffice/Confirm", ground.new("ConfirmRequest", **confirm))
    return send


def _twice(ground):
    ticket = ground.me.request_grant("applicant", ground.person, ground.case())
    spiffe, form = ground.me.profile.spiffe, ground.me.form
    ground.desk.confirm(ticket, ground.person.id_no, spiffe, form)
    ground.desk.confirm(ticket, ground.person.id_no, spiffe, form, agreed=False)
    raise AssertionError("decided twice")


def _revoke_of_another(ground):
    grant_id, _ = ground.consented()
    ground.desk.revoke(grant_id, ground.other.id_no)
    raise AssertionError("withdrawn by another")


def _office(name, code, send, before=()):
    logs = {"consent": [*before, ("DENY", code)]}
    return refused(name, code, send, **logs)


OFFICE = [
    _office("a grant for another key than the window's", "WRONG_REQUESTER", _request(requester_key=bytes(32))),
    _office("a grant for a key of 31 bytes", "MALFORMED", _request(requester_key=bytes(31))),
    _office("a grant for an unknown form", "FORM_UNKNOWN", _request(form="tax-audit")),
    _office("a grant for a form with another hash", "FORM_UNKNOWN", _request(form_sha256=bytes(32))),
    _office("a grant for an unknown role", "MALFORMED", _request(role="emperor")),
    _office("a grant without a case", "MALFORMED", _request(case_id="")),
    _office("a grant for an identity number that is none", "MALFORMED", _request(id_no="1" * 18)),
    _office("a grant for a name of 100,000 characters", "MALFORMED", _request(name="n" * 100000)),
    _office("a child asked for as an adult", "MALFORMED",
            lambda g: _request(id_no=g.child.id_no, name=g.child.name)(g)),
    _office("a request id that is guessed", "GRANT_UNKNOWN",
            _call("consent", "window", "ConsentOffice/GetGrant", "GetGrantRequest", request_id="0" * 32)),
    _office("a confirmation of nothing", "GRANT_UNKNOWN", _confirm(request_id="0" * 32)),
    _office("a document of another person", "MALFORMED", _confirm(lambda g: g.other.id_no)),
    _office("another notice than shown", "MALFORMED", _confirm(notice_sha256=bytes(32))),
    _office("a level the proof does not reach", "MALFORMED", _confirm(method="document", level=4)),
    _office("an unknown way of proof", "MALFORMED", _confirm(method="hearsay")),
    _office("a decision taken twice", "CASE_STATE", _twice, [("CONSENT", "GRANTED")]),
    _office("withdrawn with another's document", "MALFORMED", _revoke_of_another, [("CONSENT", "GRANTED")]),
    _office("withdrawal of nothing", "GRANT_UNKNOWN",
            _call("consent", "desk", "ConsentOffice/Revoke", "RevokeRequest", grant_id="x")),
]


# --- status lists on the way ---

def _relay(make):
    """A desk's certificate relays a list of its own making; what the broker said."""
    return lambda ground: ground.call("broker", "desk", "Broker/RelayStatus",
                                      ground.new("RelayStatusRequest", token=make(ground)))


def make_list(ground, seq=1, kid=None, key=None, uri=None, issuer=None):
    """A status list in the hall's name, all valid."""
    return sdjwt.make_status_list(issuer or ground.hall, uri or ground.status_uri, seq, [0] * 64,
                                  kid or ground.hall_kid, key or ground.hall_key, int(time.time()))


def _same_number(ground):
    """The hall's own key signs another list under the number in force: every department says so."""
    token = ground.world.call("consent", "desk", "ConsentOffice/GetStatusList",
                              ground.new("GetStatusListRequest")).token
    seq = sdjwt.peek(token, sdjwt.STATUS_TYP)[1]["seq"]
    # Of a number that the hall itself has not sent yet, the other list would be the first.
    ground.world.call("broker", "desk", "Broker/RelayStatus", ground.new("RelayStatusRequest", token=token))
    reply = ground.world.call("broker", "desk", "Broker/RelayStatus",
                              ground.new("RelayStatusRequest", token=make_list(ground, seq)))
    return Seen("event", ",".join(sorted({receipt.code for receipt in reply.receipts})))


STRANGER = sdjwt.ec.generate_private_key(sdjwt.ec.SECP256R1())
STATUS = [
    denied("two status lists under one number", "STATUS_FORK", "broker", _same_number),
    denied("a status list older than the one in force", "STATUS_STALE", "broker", _relay(make_list)),
    denied("a forged status list", "SIGNATURE_INVALID", "broker", _relay(lambda g: make_list(g, key=STRANGER))),
    denied("a status list of an unknown issuer", "ISSUER_UNKNOWN", "broker",
           _relay(lambda g: make_list(g, issuer="nobody"))),
    denied("a status list of garbage", "GRANT_MALFORMED", "broker", _relay(lambda g: "a.b.c")),
    denied("a status list signed by the window", "ISSUER_UNKNOWN", "broker",
           _relay(lambda g: make_list(g, issuer=g.me.profile.organization, key=g.me.profile.issuer_key))),
]


ATTACKS = ROLES + OFFICE + STATUS
