"""Status lists as a broker may bring them to a department: forged, rolled back, forked, kept back until their
time was over; and what becomes of a grant that rests. What it may relay to everybody is in by_member.py."""

import dataclasses
import time

import paths  # noqa: F401  (first)
import grpc
import sdjwt
from attack import Attack, at_adapter, told
from by_member import STRANGER, make_list
from by_rogue import ADDRESSEE, relinked
from ground import Seen, refused
from processes import wait_until
from rogue import Link, Log, leaf

_PS = "public-security"
_SUSPEND, _RESUME = 1, 2
_ATTEMPTS = 8
_SECONDS = 30


# --- a list on a link ---

def _current(ground):
    return ground.world.call("consent", "desk", "ConsentOffice/GetStatusList",
                             ground.new("GetStatusListRequest")).token


def _seq(token):
    return sdjwt.peek(token, sdjwt.STATUS_TYP)[1]["seq"]


def _inject(ground, token, department=ADDRESSEE):
    """What a department says of a list that comes on a link of our own. The honest broker may link anew
    meanwhile, which ends ours: then once more."""
    for _ in range(_ATTEMPTS):
        link = Link(ground, department, "broker", "Adapter/Link")
        link.hello()
        link.send(status_update=ground.new("StatusUpdate", token=token))
        try:
            return link.next("status_ack").code
        except grpc.RpcError as error:
            if refused(ground.contract.refused(error)).code != "CANCELLED":
                raise
        finally:
            link.close()
    raise AssertionError("no link lasted")


def _injected(make):
    def send(ground):
        code = _inject(ground, make(ground))
        relinked(ground)
        return Seen("event", code)
    return send


def _at_link(name, code, make, entry=False):
    """Refused in the acknowledgement; a list that only its history tells against is an entry as well, and
    once more where the link ended before its answer came."""
    attack = told("on a link: " + name, code, _injected(make), **{ADDRESSEE: [("ADMIN", code)] if entry else []})
    return dataclasses.replace(attack, repeats=entry)


def _window_list(ground, **changes):
    """A list signed by the window, which issues mandates."""
    profile = ground.me.profile
    return make_list(ground, **{"key": profile.issuer_key, "kid": profile.kid, **changes})


def _other_header(**header):
    """The list in force under another header, signed by the hall's own key."""
    def make(ground):
        _, payload = sdjwt.peek(_current(ground), sdjwt.STATUS_TYP)
        return sdjwt.sign({**sdjwt.header_of(sdjwt.STATUS_TYP, ground.hall_kid), **header},
                          sdjwt.compact(payload), ground.hall_key)
    return make


def _changed(ground):
    """The list in force with other states under the hall's signature over the real ones."""
    head, _, signature = _current(ground).split(".")
    return ".".join((head, make_list(ground, _seq(_current(ground)) + 1).split(".")[1], signature))


def _older(ground):
    """What was in force before the last withdrawal, with all its signatures."""
    token = _current(ground)
    _withdraw_anew(ground)
    return token


LINKS = [
    _at_link("a forged status list", "SIGNATURE_INVALID", lambda g: make_list(g, key=STRANGER)),
    _at_link("a changed status list", "SIGNATURE_INVALID", _changed),
    _at_link("the hall's list, signed by the window", "SIGNATURE_INVALID",
             lambda g: _window_list(g, kid=g.hall_kid)),
    _at_link("the window's own status list", "GRANT_MALFORMED",
             lambda g: _window_list(g, issuer=g.me.profile.organization)),
    _at_link("a status list of an unknown issuer", "ISSUER_UNKNOWN", lambda g: make_list(g, issuer="nobody")),
    _at_link("a status list under an unknown key", "ISSUER_UNKNOWN", lambda g: make_list(g, kid="k99")),
    _at_link("a status list under another address", "GRANT_MALFORMED",
             lambda g: make_list(g, seq=2 ** 40, uri="https://elsewhere/1")),
    _at_link("a status list with alg none", "GRANT_MALFORMED", _other_header(alg="none")),
    _at_link("a grant for a status list", "GRANT_MALFORMED", lambda g: g.mandate().jwt),
    _at_link("a status list of another type", "GRANT_MALFORMED", _other_header(typ="JWT")),
    _at_link("a status list of before the last withdrawal", "STATUS_STALE", _older, entry=True),
    _at_link("another status list under the number in force", "STATUS_FORK",
             lambda g: make_list(g, _seq(_current(g))), entry=True),
]


# --- grants that rest ---

def _change(ground, grant_id, action):
    """At the desk, and every department has said that it knows."""
    reply = ground.world.call("consent", "desk", "ConsentOffice/Revoke", ground.new(
        "RevokeRequest", grant_id=grant_id, id_no=ground.person.id_no, action=action))
    return {receipt.code for receipt in reply.receipts} == {"OK"}


def _withdraw_anew(ground):
    """One more withdrawal, so one more list."""
    grant_id, _ = ground.consented()
    return _change(ground, grant_id, 0)


def _resting(meanwhile):
    """A read under a grant that is suspended."""
    def send(ground):
        grant_id, grant = ground.consented()
        before = _current(ground)
        if not _change(ground, grant_id, _SUSPEND):
            raise AssertionError("not every department has stopped")
        meanwhile(ground, before)
        seen = ground.ask(ground.read(grant, _PS))
        if not _change(ground, grant_id, _RESUME):
            raise AssertionError("not every department goes on")
        return seen
    return send


def _bring_back(ground, before):
    """The list of before the suspension once more, straight to the department."""
    code = _inject(ground, before, _PS)
    relinked(ground)
    if code != "STATUS_STALE":
        raise AssertionError(f"an older list: {code}")


def _goes_on(ground):
    """Resumed, the same grant is good again: it was the state that was refused."""
    grant_id, grant = ground.consented()
    if not (_change(ground, grant_id, _SUSPEND) and _change(ground, grant_id, _RESUME)):
        raise AssertionError("not every department has heard of it")
    return ground.ask(ground.read(grant, _PS))


_ROUTED = [("ROUTE", "ROUTED"), ("DELIVER", "GRANT_SUSPENDED")]
RESTING = [
    at_adapter("suspended at the desk", "GRANT_SUSPENDED", _resting(lambda g, before: None), _PS),
    Attack("suspended, and the list of before brought back", "event", ("GRANT_SUSPENDED",), _resting(_bring_back),
           {"broker": _ROUTED, _PS: [("ADMIN", "STATUS_STALE"), ("READ", "GRANT_SUSPENDED")]}),
    Attack("suspended and resumed", "inner", ("OK",), _goes_on, {_PS: [("READ", "ANSWERED")]}),
]


# --- a list kept back ---

def _read_at_once(ground, grant):
    """A read that needs no link: the broker's own call."""
    read = ground.read(grant, _PS)
    log = Log(ground, "broker", [leaf("ROUTE", "ROUTED", read.request)])
    message = ground.new("RoutedReadRequest", log=log.progress(),
                         read=ground.new("RoutedRead", request=read.request, route=log.proof(0)))
    return Seen("event", ground.world.call(_PS, "broker", "Adapter/Read", message).answer.code)


def _kept_back(ground):
    """The next list, brought only when its time is over: it is in force, and nothing is released under it
    until there is a newer one. The hall's own next list has the number of this one, so it takes two."""
    _, grant = ground.consented()
    seq, now = _seq(_current(ground)) + 1, int(time.time())
    token = sdjwt.make_status_list(ground.hall, ground.status_uri, seq, [0] * 64, ground.hall_kid,
                                   ground.hall_key, now - 1000, 900)
    try:
        code = _inject(ground, token, _PS)
        if code != "OK":
            raise AssertionError(f"a list past its time: {code}")
        return _read_at_once(ground, grant)
    finally:
        wait_until(lambda: _withdraw_anew(ground), _SECONDS, "a newer list everywhere")
        relinked(ground)


KEPT = [told("a status list kept back until its time was over", "STATUS_STALE", _kept_back,
             **{_PS: [("READ", "STATUS_STALE")]})]

ATTACKS = LINKS + RESTING + KEPT
