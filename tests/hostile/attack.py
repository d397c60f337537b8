"""One row of the table: what is sent, what comes back, and what the logs must show."""

import dataclasses
import typing

_OK = "ANSWERED"


@dataclasses.dataclass(frozen=True)
class Attack:
    """`logs` maps nodes to the outcomes that appear in their logs; a node that is left out is not
    looked at. `codes` are the codes one of which must come back in the way `how` says."""

    name: str
    how: str
    codes: tuple
    send: typing.Callable
    logs: dict
    repeats: bool = False  # the outcomes may be in the logs more than once

    def fits(self, seen):
        return seen.how == self.how and seen.code in self.codes


def at_broker(name, code, send, department="tax"):
    """Refused by the broker: one DENY there, and the department has never heard of it."""
    return Attack(name, "refused", (code,), send, {"broker": [("DENY", code)], department: []})


def at_adapter(name, code, send, department="tax", before=()):
    """Refused by the department: routed and delivered here, read and refused there. `before` are the
    outcomes of honest reads that the attack begins with."""
    broker, adapter = [], []
    for each in (*before, code):
        broker += [("ROUTE", "ROUTED"), ("DELIVER", each)]
        adapter.append(("READ", each))
    return Attack(name, "event", (code,), send, {"broker": broker, department: adapter})


def sealed(name, code, send, department="tax", before=0):
    """Refused because of the person: nobody but the requester can tell it from an answer. `before` is
    how many honest reads the attack begins with."""
    return Attack(name, "inner", (code,), send,
                  {"broker": [("ROUTE", "ROUTED"), ("DELIVER", _OK)] * (before + 1),
                   department: [("READ", _OK)] * (before + 1)})


def denied(name, code, node, send, **others):
    """Refused by a node: counted in its log."""
    return Attack(name, "refused", (code,), send, {node: [("DENY", code)], **others})


def refused(name, code, send, **logs):
    """Refused with our code before anybody was asked about anybody."""
    return Attack(name, "refused", (code,), send, logs)


def told(name, code, send, **logs):
    """A call that succeeds and tells of a refusal in its reply."""
    return Attack(name, "event", (code,), send, logs)


def cut(name, codes, send, **logs):
    """Refused by the transport itself, with gRPC's own codes."""
    return Attack(name, "cut", tuple(codes), send, logs)
