"""What a malicious broker with the real one's keys tries on an application that passes through it. For each:
what the agent says of the departments concerned, and what those say themselves."""

import dataclasses
import os
import time

import paths  # noqa: F401  (first)
import hpke
import receipts
import requester
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from double import Plan
from rogue import leaf

VICTIM, OTHER = "tax", "finance"
_BAD = "RECEIPT_INVALID"
_FLOOD, _LATE_SECONDS = 2000, 1


@dataclasses.dataclass(frozen=True)
class Trick:
    """`agent` is the code under which the agent shows a department's facts, None where they must be right;
    `adapter` are the codes the victim itself gave."""

    name: str
    plan: Plan
    agent: dict
    adapter: tuple = ("ANSWERED",)


def _pick(double, passages, name):
    return next(p for p in passages if double.name_of(p) == name)


class _Entries(Plan):
    """Changes what the victim answered, and writes a DELIVER entry that agrees with the change."""

    def __init__(self, change):
        self._change = change

    def entries(self, double, passages):
        self._change(double, _pick(double, passages, VICTIM), _pick(double, passages, OTHER))


class _Events(Plan):
    """Changes the events themselves."""

    def __init__(self, change):
        self._change = change

    def events(self, double, passages):
        events = [p.event for p in passages]
        return self._change(double, events, _pick(double, passages, VICTIM).event,
                            _pick(double, passages, OTHER).event) or events


class _Requests(Plan):
    """Changes what goes on to the victim."""

    def __init__(self, change):
        self._change = change

    def before(self, double, passages):
        self._change(double, _pick(double, passages, VICTIM), _pick(double, passages, OTHER))


# --- answers ---

def _swap_sealed(double, mine, other):
    del double
    mine.reply.answer.sealed, other.reply.answer.sealed = other.reply.answer.sealed, mine.reply.answer.sealed


def _swap_replies(double, mine, other):
    del double
    mine.reply, other.reply = other.reply, mine.reply


def _truncate(double, mine, other):
    del double, other
    mine.reply.answer.sealed = mine.reply.answer.sealed[:-16]


def _flip(double, mine, other):
    del double, other
    raw = bytearray(mine.reply.answer.sealed)
    raw[40] ^= 1
    mine.reply.answer.sealed = bytes(raw)


def _invented(double, mine, other):
    """An answer of the right size with an entry in a log that the broker itself signs in the department's
    name."""
    del other
    sealed = os.urandom(mine.asked.answer_bytes)
    read = leaf("READ", "ANSWERED", mine.asked, receipts.leaf_hash(leaf("ROUTE", "ROUTED", mine.asked)),
                answer=sealed)
    log = double.log([read], VICTIM)
    mine.reply.answer.sealed = sealed
    mine.reply.answer.entry.CopyFrom(log.proof(0))
    mine.reply.log.CopyFrom(log.progress())


def _refusal_invented(double, mine, other):
    del double, other
    mine.reply.answer.code, mine.reply.answer.sealed = "REQUESTER_NOT_ALLOWED", b""


def _inner_in_the_open(double, mine, other):
    del double, other
    mine.reply.answer.code, mine.reply.answer.sealed = "NOT_FOUND", b""


def _of_an_earlier_case(double, mine, other):
    del other
    before = _pick(double, double.earlier, VICTIM)
    mine.reply.CopyFrom(before.reply)


def _earlier_seal_only(double, mine, other):
    del other
    mine.reply.answer.sealed = _pick(double, double.earlier, VICTIM).reply.answer.sealed


def _entry_of_another(double, mine, other):
    del double
    mine.reply.answer.entry.CopyFrom(other.reply.answer.entry)
    mine.reply.log.CopyFrom(other.reply.log)


ANSWERS = [
    Trick("sealed answers of two departments swapped", _Entries(_swap_sealed), {VICTIM: _BAD, OTHER: _BAD}),
    Trick("outcomes of two departments swapped whole", _Entries(_swap_replies), {VICTIM: _BAD, OTHER: _BAD}),
    Trick("an answer cut short", _Entries(_truncate), {VICTIM: _BAD}),
    Trick("a bit of an answer turned", _Entries(_flip), {VICTIM: _BAD}),
    Trick("an answer of its own", _Entries(_invented), {VICTIM: _BAD}),
    Trick("a refusal of its own in the department's name", _Entries(_refusal_invented), {VICTIM: _BAD}),
    Trick("a not-found of its own", _Entries(_inner_in_the_open), {VICTIM: _BAD}),
    Trick("the answer to an earlier case", _Entries(_of_an_earlier_case), {VICTIM: _BAD}),
    Trick("the seal of an earlier answer in today's outcome", _Entries(_earlier_seal_only), {VICTIM: _BAD}),
    Trick("the entry of another read", _Entries(_entry_of_another), {VICTIM: _BAD}),
]


# --- events and receipts ---

def _no_entry(double, events, mine, other):
    del double, events, other
    mine.ClearField("adapter_entry")


def _no_deliver(double, events, mine, other):
    del double, events, other
    mine.ClearField("deliver")


def _route_twice(double, events, mine, other):
    del double, events, other
    mine.deliver.CopyFrom(mine.route)


def _strange_key(double, events, mine, other):
    """Receipts in a log that another key signs."""
    del events, other
    log = double.log(double.leaves, key=Ed25519PrivateKey.generate())
    mine.broker_log.CopyFrom(log.progress())


def _fork(double, events, mine, other):
    """The victim's outcome is proved in another log of the same size, which the broker's key has signed."""
    del other
    leaves = list(double.leaves)
    leaves[next(i for i, e in enumerate(events) if e is not mine)] = leaf("ADMIN", "STARTED")
    log = double.log(leaves)
    index = next(i for i, e in enumerate(events) if e is mine)
    mine.broker_log.CopyFrom(log.progress())
    mine.route.CopyFrom(log.proof(index))
    mine.deliver.CopyFrom(log.proof(len(events) + index))
    # It comes last, when the agent has seen the first log.
    return [e for e in events if e is not mine] + [mine]


def _dropped(double, events, mine, other):
    del double, other
    return [e for e in events if e is not mine]


def _doubled(double, events, mine, other):
    del double, mine, other
    return [event for event in events for _ in range(2)]


def _backwards(double, events, mine, other):
    del double, mine, other
    return list(reversed(events))


def _of_nobody(double, events, mine, other):
    """Outcomes of reads that nobody made, among the others."""
    del other
    strangers = []
    for _ in range(50):
        stranger = double.new("CollectEvent")
        stranger.CopyFrom(mine)
        stranger.txn = os.urandom(16)
        strangers.append(stranger)
    return strangers + events


def _garbage(double, events, mine, other):
    del double, mine, other
    return [b"\xff" * 99, b"\x0a\xff\xff\xff\x7f", *events]


def _flood(double, events, mine, other):
    del double, mine, other
    return [os.urandom(97) for _ in range(_FLOOD)] + events


def _late(double, events, mine, other):
    """As long as the agent still waits, being late changes nothing."""
    del double, other
    yield from (event for event in events if event is not mine)
    time.sleep(_LATE_SECONDS)
    yield mine


EVENTS = [
    Trick("no entry of the department", _Events(_no_entry), {VICTIM: _BAD}),
    Trick("no DELIVER entry", _Events(_no_deliver), {VICTIM: _BAD}),
    Trick("the ROUTE entry for a DELIVER", _Events(_route_twice), {VICTIM: _BAD}),
    Trick("receipts under a strange key", _Events(_strange_key), {VICTIM: _BAD}),
    Trick("a forked log", _Events(_fork), {VICTIM: _BAD}),
    Trick("an outcome kept back", _Events(_dropped), {VICTIM: "UNAVAILABLE"}),
    Trick("every outcome twice", _Events(_doubled), {}),
    Trick("outcomes in another order", _Events(_backwards), {}),
    Trick("fifty outcomes of reads nobody made", _Events(_of_nobody), {}),
    Trick("garbage among the outcomes", _Events(_garbage), {}),
    Trick("a flood of garbage before the outcomes", _Events(_flood), {}),
    Trick("an outcome held back", _Events(_late), {}),
]


# --- requests ---

def _swap_requests(double, mine, other):
    del double
    one, two = mine.sent.sealed, other.sent.sealed
    kept = type(one)()
    kept.CopyFrom(one)
    one.CopyFrom(two)
    two.CopyFrom(kept)


def _cut_request(double, mine, other):
    del double, other
    mine.sent.sealed.ciphertext = mine.sent.sealed.ciphertext[:-16]


def _renumbered(double, mine, other):
    del double, other
    mine.sent.sealed.seq += 1


def _longer_deadline(double, mine, other):
    del double, other
    mine.sent.deadline_unix_ms += 1000


def _to_another(double, mine, other):
    """The whole request at another department's door."""
    del double
    mine.sent.audience = other.asked.audience


def _another_size(double, mine, other):
    del double, other
    mine.sent.answer_bytes += 64


def _other_views(double, mine, other):
    del double, other
    del mine.sent.views[1:]


def _in_another_name(double, mine, other):
    del double, other
    mine.sent.requester = "spiffe://demo.lianban/window/another"


def _sent_before(double, mine, other):
    del other
    double.ask(mine.sent, leaf("ROUTE", "ROUTED", mine.asked))


def _under_another_txn(double, mine, other):
    del double, other
    mine.sent.txn = os.urandom(16)


def _own_request(double, mine, other):
    """Its own question under the window's grant, sealed with a key of its own: it has no other."""
    del other
    ground = double.ground
    key_id, listed = ground.world.directory.seal_key(mine.sent.audience, time.time())
    info = requester.info_of(mine.sent.requester, mine.sent.audience, key_id)
    private = hpke.generate()
    enc, context = hpke.setup_auth_sender(listed, info, private)
    plain = double.new("SealedRequest", version=1, section="x", id_no=ground.person.id_no, name="x",
                       salt=bytes(16), rid=os.urandom(16), iat=int(time.time()))
    mine.sent.sealed.CopyFrom(double.new(
        "Sealed", key_id=key_id, enc=enc, sender_key=hpke.public_of(private), seq=0,
        ciphertext=context.seal(0, requester.aad_of(mine.sent), requester.pad(plain.SerializeToString()))))


def _own_request_in_the_windows_name(double, mine, other):
    """The same, and says it was sealed with the window's key."""
    sender = mine.sent.sealed.sender_key
    _own_request(double, mine, other)
    mine.sent.sealed.sender_key = sender


def _kept_back(double, mine, other):
    del double, other
    mine.sent = None


def _of_the_earlier_case(double, mine, other):
    del other
    mine.sent.CopyFrom(_pick(double, double.earlier, VICTIM).asked)


REQUESTS = [
    Trick("sealed requests of two departments swapped", _Requests(_swap_requests), {VICTIM: _BAD, OTHER: _BAD},
          ("SEAL_BROKEN",)),
    Trick("a request cut short", _Requests(_cut_request), {VICTIM: _BAD}, ("SEAL_BROKEN",)),
    Trick("a request under another number", _Requests(_renumbered), {VICTIM: "SEAL_BROKEN"}, ("SEAL_BROKEN",)),
    Trick("a later deadline", _Requests(_longer_deadline), {VICTIM: "SEAL_BROKEN"}, ("SEAL_BROKEN",)),
    Trick("another answer size", _Requests(_another_size), {VICTIM: "SEAL_BROKEN"}, ("SEAL_BROKEN",)),
    Trick("a view taken away", _Requests(_other_views), {VICTIM: _BAD}, ("SEAL_BROKEN",)),
    Trick("another txn", _Requests(_under_another_txn), {VICTIM: _BAD}, ("SEAL_BROKEN",)),
    Trick("another requester's name", _Requests(_in_another_name), {VICTIM: "REQUESTER_NOT_ALLOWED"},
          ("REQUESTER_NOT_ALLOWED",)),
    Trick("a request at another department's door", _Requests(_to_another), {VICTIM: _BAD},
          ("VIEW_UNKNOWN", "SEAL_BROKEN", "WRONG_AUDIENCE")),
    Trick("a request sent twice", _Requests(_sent_before), {VICTIM: "REPLAY"}, ("REPLAY",)),
    Trick("a question of its own", _Requests(_own_request), {VICTIM: _BAD}, ("WRONG_REQUESTER",)),
    Trick("a question of its own in the window's name", _Requests(_own_request_in_the_windows_name),
          {VICTIM: _BAD}, ("SEAL_BROKEN",)),
    Trick("a request kept back", _Requests(_kept_back), {VICTIM: "UNAVAILABLE"}, ()),
    Trick("the request of an earlier case", _Requests(_of_the_earlier_case), {VICTIM: _BAD},
          ("REPLAY", "DEADLINE")),
]

TRICKS = ANSWERS + EVENTS + REQUESTS
