"""Members who do what only others may, desks and windows that cheat at the consent office, and a rogue
broker or adapter with a real certificate."""

import os
import time

import sdjwt
from attack import cut, denied, refused, told
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ground import Seen
from rogue import Link, Log, leaf, real_leaves

BROKER_ADDRESSEE = "housing"      # the department a rogue broker turns to
ATTACHED = "disabled-federation"  # the one that dials the broker


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
    denied("an adapter lists forms", _ROLE, "broker", _call("broker", "tax", "Broker/ListForms", "ListFormsRequest")),
    denied("an adapter fetches a form", _ROLE, "broker", _call("broker", "tax", "Broker/GetForm", "GetFormRequest")),
    denied("a window attaches", _ROLE, "broker", _duplex("broker", "window", "Broker/Attach")),
    denied("a desk attaches", _ROLE, "broker", _duplex("broker", "desk", "Broker/Attach")),
    denied("a window relays a status list", _ROLE, "broker",
           _call("broker", "window", "Broker/RelayStatus", "RelayStatusRequest")),
    denied("an adapter relays a status list", _ROLE, "broker",
           _call("broker", "tax", "Broker/RelayStatus", "RelayStatusRequest")),
    denied("a window reads an adapter", _ROLE, "tax", _call("tax", "window", "Adapter/Read", "RoutedReadRequest")),
    denied("an adapter reads an adapter", _ROLE, "tax", _call("tax", "finance", "Adapter/Read", "RoutedReadRequest")),
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
    _office("a grant for a key of 31 bytes", "WRONG_REQUESTER", _request(requester_key=bytes(31))),
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


def _list(ground, seq=1, kid=None, key=None, uri=None, issuer=None):
    return sdjwt.make_status_list(issuer or ground.hall, uri or ground.status_uri, seq, [0] * 64,
                                  kid or ground.hall_kid, key or ground.hall_key, int(time.time()))


def _same_number(ground):
    """The hall's own key signs another list under the number in force: every department says so."""
    token = ground.world.call("consent", "desk", "ConsentOffice/GetStatusList",
                              ground.new("GetStatusListRequest")).token
    seq = sdjwt.peek(token, sdjwt.STATUS_TYP)[1]["seq"]
    reply = ground.world.call("broker", "desk", "Broker/RelayStatus",
                              ground.new("RelayStatusRequest", token=_list(ground, seq)))
    return Seen("event", ",".join(sorted({receipt.code for receipt in reply.receipts})))


_STRANGER = sdjwt.ec.generate_private_key(sdjwt.ec.SECP256R1())
STATUS = [
    refused("a forged status list", "SIGNATURE_INVALID", _relay(lambda g: _list(g, key=_STRANGER))),
    refused("a status list of an unknown issuer", "ISSUER_UNKNOWN", _relay(lambda g: _list(g, issuer="nobody"))),
    refused("a status list of garbage", "GRANT_MALFORMED", _relay(lambda g: "a.b.c")),
    refused("a status list signed by the window", "ISSUER_UNKNOWN",
            _relay(lambda g: _list(g, issuer=g.me.profile.organization, key=g.me.profile.issuer_key))),
]


# --- a rogue broker at an adapter's own port ---

def _routed(make):
    """Adapter.Read with the broker's certificate."""
    def send(ground):
        request = ground.read(department=BROKER_ADDRESSEE, grant=ground.office_grant(BROKER_ADDRESSEE)).request
        reply = ground.world.call(BROKER_ADDRESSEE, "broker", "Adapter/Read", make(ground, request))
        return Seen("event", reply.answer.code)
    return send


def _read_with(ground, request, log, index):
    return ground.new("RoutedReadRequest", log=log.progress(),
                      read=ground.new("RoutedRead", request=request, route=log.proof(index)))


def _bare(ground, request):
    return ground.new("RoutedReadRequest", read=ground.new("RoutedRead", request=request))


def _strange_key(ground, request):
    log = Log(ground, "broker", [leaf("ROUTE", "ROUTED", request)], Ed25519PrivateKey.generate())
    return _read_with(ground, request, log, 0)


def _other_log(ground, request):
    """The route in the log of another member."""
    log = Log(ground, "tax", [leaf("ROUTE", "ROUTED", request)])
    return _read_with(ground, request, log, 0)


def _of_another_txn(ground, request):
    another = ground.read().request
    return _read_with(ground, request, Log(ground, "broker", [leaf("ROUTE", "ROUTED", another)]), 0)


def _of_another_request(ground, request):
    """The right txn, but the entry is about other bytes."""
    another = ground.read(opened={"txn": request.txn}).request
    return _read_with(ground, request, Log(ground, "broker", [leaf("ROUTE", "ROUTED", another)]), 0)


def _deliver_for_route(ground, request):
    return _read_with(ground, request, Log(ground, "broker", [leaf("DELIVER", "ROUTED", request)]), 0)


def _not_in_the_tree(ground, request):
    log = Log(ground, "broker", [leaf("ADMIN", "STARTED"), leaf("ADMIN", "STARTED")])
    message = _read_with(ground, request, log, 0)
    message.read.route.leaf = leaf("ROUTE", "ROUTED", request)
    return message


def _leaf_of_garbage(ground, request):
    return _read_with(ground, request, Log(ground, "broker", [b"\xff" * 300]), 0)


def _rogue_read(name, code, make):
    return denied("rogue broker: " + name, code, BROKER_ADDRESSEE, _routed(make))


READS = [
    _rogue_read("a read without a route", "MALFORMED", _bare),
    _rogue_read("nothing at all", "MALFORMED", lambda g, r: g.new("RoutedReadRequest")),
    _rogue_read("a route signed with a strange key", "SIGNATURE_INVALID", _strange_key),
    _rogue_read("a route in another member's log", "SIGNATURE_INVALID", _other_log),
    _rogue_read("a route of another txn", "RECEIPT_INVALID", _of_another_txn),
    _rogue_read("a route of another request under one txn", "RECEIPT_INVALID", _of_another_request),
    _rogue_read("an entry of another kind for a route", "RECEIPT_INVALID", _deliver_for_route),
    _rogue_read("a route that is not in the tree", "RECEIPT_INVALID", _not_in_the_tree),
    _rogue_read("a leaf of garbage", "MALFORMED", _leaf_of_garbage),
]


# --- a rogue broker on a link ---

def _linked(act, greet=True):
    """Adapter.Link with the broker's certificate; `act` gets the link and what the adapter has seen."""
    def send(ground):
        link = Link(ground, BROKER_ADDRESSEE, "broker", "Adapter/Link")
        seen = link.next("hello").seen_size
        if greet:
            link.hello()
        act(ground, link, seen)
        return link.end()
    return send


def _batch(ground, link, log, from_size=0, size=None, **items):
    link.send(batch=ground.new("Batch", log=log.progress(from_size, size), **items))


def _real_log(ground):
    return Log(ground, "broker", real_leaves(ground, "broker"))


def _shorter(ground, link, seen):
    _batch(ground, link, _real_log(ground), size=seen - 1)


def _forked(ground, link, seen):
    leaves = real_leaves(ground, "broker")
    leaves[0] = leaf("ADMIN", "STARTED")
    _batch(ground, link, Log(ground, "broker", leaves), seen)


def _unproved(ground, link, seen):
    link.send(batch=ground.new("Batch", log=_real_log(ground).progress(seen - 1)))


def _strange(ground, link, seen):
    log = Log(ground, "broker", real_leaves(ground, "broker"), Ed25519PrivateKey.generate())
    _batch(ground, link, log, seen)


def _old_route(ground, link, seen):
    """A real entry of the real log, for another request than it is about."""
    log = _real_log(ground)
    index = next(i for i, leaf_ in ground.leaves("broker") if leaf_.type == "ROUTE")
    read = ground.new("RoutedRead", request=ground.read().request, route=log.proof(index))
    _batch(ground, link, log, seen, reads=[read])


def _many_reads(ground, link, seen):
    _batch(ground, link, _real_log(ground), seen, reads=[ground.new("RoutedRead")] * 1025)


def _answers(ground, link, seen):
    _batch(ground, link, _real_log(ground), seen, answers=[ground.new("ReadAnswer", txn=os.urandom(16))])


def _rogue_link(name, code, act, greet=True):
    return denied("rogue link: " + name, code, BROKER_ADDRESSEE, _linked(act, greet))


LINKS = [
    _rogue_link("a protocol of the far future", "VERSION_UNSUPPORTED", lambda g, l, s: l.hello(9, 99), False),
    _rogue_link("a greeting twice", "MALFORMED", lambda g, l, s: l.hello()),
    _rogue_link("a peer who has seen more of our log than there is", "LOG_BEHIND",
                lambda g, l, s: l.hello(seen=2 ** 40), False),
    _rogue_link("a batch before the greeting", "MALFORMED", _shorter, False),
    _rogue_link("a status list before the greeting", "MALFORMED",
                lambda g, l, s: l.send(status_update=g.new("StatusUpdate", token="x")), False),
    _rogue_link("an empty frame", "VERSION_UNSUPPORTED", lambda g, l, s: l.send_bytes(b"")),
    _rogue_link("a frame of garbage", "MALFORMED", lambda g, l, s: l.send_bytes(b"\xff" * 5000)),
    _rogue_link("a frame of another kind", "VERSION_UNSUPPORTED", lambda g, l, s: l.send_bytes(b"\x4a\0")),
    _rogue_link("a batch without a log", "MALFORMED", lambda g, l, s: l.send(batch=g.new("Batch"))),
    _rogue_link("a log shorter than seen", "LOG_BEHIND", _shorter),
    _rogue_link("a log with another beginning", "LOG_FORK", _forked),
    _rogue_link("a log without the proof asked for", "LOG_FORK", _unproved),
    _rogue_link("a log signed with a strange key", "SIGNATURE_INVALID", _strange),
    _rogue_link("a real route of another request", "RECEIPT_INVALID", _old_route),
    _rogue_link("more reads than a batch may hold", "MALFORMED", _many_reads),
    _rogue_link("answers towards an adapter", "MALFORMED", _answers),
    cut("rogue link: a frame of 2 MiB", ["RESOURCE_EXHAUSTED"],
        _linked(lambda g, l, s: l.send_bytes(b"\x7a\x80\x80\x80\x01" + bytes(2 << 20)))),
]


def _forged_status_on_link(ground):
    """The acknowledgement says why; the link stays."""
    link = Link(ground, BROKER_ADDRESSEE, "broker", "Adapter/Link")
    link.hello()
    link.send(status_update=ground.new("StatusUpdate", token=_list(ground, key=_STRANGER)))
    try:
        return Seen("event", link.next("status_ack").code)
    finally:
        link.close()


STATUS += [
    refused("two status lists under one number", "STATUS_FORK", _same_number),
    told("a forged status list on a link", "SIGNATURE_INVALID", _forged_status_on_link,
         **{BROKER_ADDRESSEE: []}),
]
ATTACKS = ROLES + OFFICE + STATUS + READS + LINKS
