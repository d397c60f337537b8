"""A rogue broker and a rogue adapter: with a member's stolen certificate, some with its log key as well."""

import contextlib
import os
import signal

import paths  # noqa: F401  (first)
import grpc
import hpke
from attack import cut, denied, told
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ground import Seen, refused
from processes import wait_until
from rogue import Link, Log, leaf, real_leaves

ADDRESSEE = "housing"             # the department a rogue broker turns to
ATTACHED = "disabled-federation"  # the one that dials the broker
_ATTEMPTS = 3

# --- a rogue broker at an adapter's own port ---

def _routed(make):
    """Adapter.Read with the broker's certificate."""
    def send(ground):
        request = ground.read(department=ADDRESSEE, grant=ground.office_grant(ADDRESSEE)).request
        reply = ground.world.call(ADDRESSEE, "broker", "Adapter/Read", make(ground, request))
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


def _leaf_of(raw):
    return lambda ground, request: _read_with(ground, request, Log(ground, "broker", [raw]), 0)


def _endless_proof(ground, request):
    message = _read_with(ground, request, Log(ground, "broker", [leaf("ROUTE", "ROUTED", request)]), 0)
    message.read.route.path.extend([bytes(32)] * 1000)
    return message


def _rogue_read(name, code, make):
    return denied("rogue broker: " + name, code, ADDRESSEE, _routed(make))


READS = [
    _rogue_read("a read without a route", "MALFORMED", _bare),
    _rogue_read("nothing at all", "MALFORMED", lambda g, r: g.new("RoutedReadRequest")),
    _rogue_read("a route signed with a strange key", "SIGNATURE_INVALID", _strange_key),
    _rogue_read("a route in another member's log", "SIGNATURE_INVALID", _other_log),
    _rogue_read("a route of another txn", "RECEIPT_INVALID", _of_another_txn),
    _rogue_read("a route of another request under one txn", "RECEIPT_INVALID", _of_another_request),
    _rogue_read("an entry of another kind for a route", "RECEIPT_INVALID", _deliver_for_route),
    _rogue_read("a route that is not in the tree", "RECEIPT_INVALID", _not_in_the_tree),
    _rogue_read("a leaf of another version", "VERSION_UNSUPPORTED", _leaf_of(b"\xff" * 300)),
    _rogue_read("a leaf of garbage", "MALFORMED", _leaf_of(b"\1" + b"\xff" * 300)),
    _rogue_read("a leaf of 5,000 bytes", "MALFORMED", _leaf_of(b"\1" * 5000)),
    _rogue_read("a proof of a thousand hashes", "MALFORMED", _endless_proof),
]


# --- a rogue broker that holds the broker's log key too ---

def _owning(make):
    """Adapter.Read with a route in a log of one's own making that the broker's own key signs."""
    def send(ground):
        read = make(ground)
        log = Log(ground, "broker", [leaf("ROUTE", "ROUTED", read.request, views="")])
        reply = ground.world.call(ADDRESSEE, "broker", "Adapter/Read", _read_with(ground, read.request, log, 0))
        return Seen("event", reply.answer.code)
    return send


def _read(ground, **build):
    return ground.read(ground.office_grant(ADDRESSEE), ADDRESSEE, **build)


def _own_key(ground):
    """Sealed by the broker itself, since it has no window's key."""
    return _read(ground, setup=ground.me.new_context(ground.world.spiffe(ADDRESSEE), private=hpke.generate()))


def _replayed(ground):
    """An honest read, sent once more with its own real route."""
    read = _read(ground)
    (event,) = ground.me.collect([read])
    message = ground.new("RoutedReadRequest", log=event.broker_log,
                         read=ground.new("RoutedRead", request=read.request, route=event.route))
    return Seen("event", ground.world.call(ADDRESSEE, "broker", "Adapter/Read", message).answer.code)


def _owned(name, code, make):
    return told("rogue broker: " + name, code, _owning(make), broker=[], **{ADDRESSEE: [("READ", code)]})


OWNED = [
    _owned("a request of its own", "WRONG_REQUESTER", _own_key),
    _owned("a requester with a name of 100,000 characters", "MALFORMED",
           lambda g: _read(g, opened={"requester": "x" * 100000})),
    _owned("a requester nobody knows", "REQUESTER_NOT_ALLOWED",
           lambda g: _read(g, opened={"requester": "spiffe://demo.lianban/window/other"})),
    _owned("a view with a line feed", "VIEW_UNKNOWN", lambda g: _read(g, opened={"views": ["a\nb"]})),
    _owned("a view with a name of 10,000 characters", "MALFORMED",
           lambda g: _read(g, opened={"views": ["v" * 10000]})),
    _owned("a thousand views", "MALFORMED", lambda g: _read(g, opened={"views": [f"v{i}" for i in range(1000)]})),
    _owned("another department's request", "WRONG_AUDIENCE", lambda g: g.read()),
    told("rogue broker: an honest read once more", "REPLAY", _replayed,
         broker=[("ROUTE", "ROUTED"), ("DELIVER", "ANSWERED")],
         **{ADDRESSEE: [("READ", "ANSWERED"), ("READ", "REPLAY")]}),
]


# --- a rogue broker on a link ---

def relinked(ground):
    """Waits until the honest link is back: a newer one has ended it."""
    wait_until(lambda: not ground.running.unlinked(), 20, "the honest link")


@contextlib.contextmanager
def _standing(process):
    """Keeps a process from doing anything meanwhile."""
    process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)


def _act_on_link(ground, server, caller, method, act):
    """Links, acts, and waits for the end, while the honest peer stands still: it would link anew at once,
    which ends this link. What it had begun before may still come in between: then once more."""
    with _standing(ground.running.processes[caller]):
        for _ in range(_ATTEMPTS):
            link = Link(ground, server, caller, method)
            try:
                act(ground, link, link.next("hello").seen_size)
                seen = link.end()
            except grpc.RpcError as error:
                seen = refused(ground.contract.refused(error))
            finally:
                link.close()
            if seen.code != "CANCELLED":
                break
    return seen


def _on_link(ground, *what):
    seen = _act_on_link(ground, *what)
    relinked(ground)
    return seen


def _linked(act, greet=True):
    """Adapter.Link with the broker's certificate; `act` gets the link and what the adapter has seen."""
    def greeted(ground, link, seen):
        if greet:
            link.hello()
        act(ground, link, seen)
    return lambda ground: _on_link(ground, ADDRESSEE, "broker", "Adapter/Link", greeted)


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
    return denied("rogue link: " + name, code, ADDRESSEE, _linked(act, greet))


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


# --- a rogue adapter at the broker ---

def _attached(act):
    """Broker.Attach with the certificate of the department that dials; its own link gives way and comes
    back."""
    return lambda ground: _on_link(ground, "broker", ATTACHED, "Broker/Attach", act)


def _log_of_a_stranger(ground, link, seen):
    link.hello()
    log = Log(ground, ATTACHED, real_leaves(ground, ATTACHED), Ed25519PrivateKey.generate())
    _batch(ground, link, log, seen)


def _reads_towards_the_broker(ground, link, seen):
    link.hello()
    link.send(batch=ground.new("Batch", reads=[ground.new("RoutedRead", request=ground.read().request)]))


def _rogue_adapter(name, code, act):
    return denied("rogue adapter: " + name, code, "broker", _attached(act))


ADAPTERS = [
    _rogue_adapter("a log signed with a strange key", "SIGNATURE_INVALID", _log_of_a_stranger),
    _rogue_adapter("reads towards the broker", "MALFORMED", _reads_towards_the_broker),
    _rogue_adapter("who has seen more of our log than there is", "LOG_BEHIND",
                   lambda g, l, s: l.hello(seen=2 ** 50)),
    _rogue_adapter("a frame of garbage", "MALFORMED", lambda g, l, s: l.send_bytes(b"\xff" * 999)),
]


def forked_adapter(ground):
    """With the adapter's own log key: another history than the broker has seen. Not in the table, since
    the broker asks that department no more until it is started anew."""
    def act(ground_, link, seen):
        link.hello()
        leaves = real_leaves(ground_, ATTACHED)
        leaves[0] = leaf("ADMIN", "STARTED")
        _batch(ground_, link, Log(ground_, ATTACHED, leaves), seen)
    return _act_on_link(ground, "broker", ATTACHED, "Broker/Attach", act)


ATTACKS = READS + OWNED + LINKS + ADAPTERS
