"""Attacks on a department's limits: names guessed, uses told by refusals, and what is shut."""

import os
import subprocess
import time

import paths  # noqa: F401  (first)
from attack import Attack, at_adapter
from ground import BIN
from requester import Person

_PS = "public-security"
_SECONDS = 10


def _victim(ground, index):
    """Somebody no other attack is about: wrong claims are remembered."""
    household = ground.running.households[-1 - index]
    adult = next(member for member in household["members"] if member["role"] != "child")
    return Person(adult["id_no"], adult["name"])


def _claim(ground, person, grant, name):
    """One read that claims a name; its inner code."""
    wants = [want for want in ground.me.wants(_PS, "applicant", person)
             if want.operator == "EQ" and want.field == "name"]
    del wants[0].claim[:]
    wants[0].claim.append(name)
    return ground.ask(ground.read(grant, _PS, person, opened={"views": [wants[0].view]},
                                  sealed={"wants": wants}))


def _guess(index, rounds):
    """Three wrong names in each of `rounds` cases, then the right one: in the last case when there was
    one alone, else in a new one."""
    def send(ground):
        person = _victim(ground, index)
        for number in range(3 * rounds):
            if number % 3 == 0:
                grant = ground.office_grant(_PS, person=person, uses=9)
            if _claim(ground, person, grant, f"猜{number}").code != "OK":
                raise AssertionError("a guess was refused too early")
        if rounds > 1:
            grant = ground.office_grant(_PS, person=person, uses=9)
        return _claim(ground, person, grant, person.name)
    return send


def _guessed(name, index, rounds):
    """To broker and log the refusal is an answer like those before it."""
    reads = 3 * rounds + 1
    return Attack(name, "inner", ("PROBE_LIMIT",), _guess(index, rounds),
                  {"broker": [("ROUTE", "ROUTED"), ("DELIVER", "ANSWERED")] * reads,
                   _PS: [("READ", "ANSWERED")] * reads})


def _after_a_refused_person(ground):
    grant = ground.mandate(uses=1)
    ground.ask(ground.read(grant, sealed={"id_no": ground.other.id_no}))
    return ground.ask(ground.read(grant))


def _switch(ground, word, *what):
    subprocess.run([os.path.join(BIN, "lianban"), "view", word, "--state",
                    ground.running.members["tax"].state, *what, "--reason", "hostile suite"],
                   check=True, capture_output=True, timeout=_SECONDS)


def _opened(ground):
    return sum(leaf.type == "POLICY" and leaf.code == "OPENED" for _, leaf in ground.leaves("tax"))


def _while_shut(what):
    """An honest read while something is shut; `what` names it, given the read."""
    def send(ground):
        before = _opened(ground)
        read = ground.read()
        _switch(ground, "close", *what(read))
        try:
            return ground.ask(read)
        finally:
            _switch(ground, "open", "--all")
            end = time.monotonic() + _SECONDS
            while _opened(ground) == before and time.monotonic() < end:
                time.sleep(0.05)
    return send


ATTACKS = [
    _guessed("the right name after three wrong ones", 0, 1),
    _guessed("the right name in a third case after six wrong ones", 1, 2),
    at_adapter("one use too many, the first one being of a refused person", "USE_EXHAUSTED",
               _after_a_refused_person, before=("ANSWERED",)),
    at_adapter("a view the department has shut", "VIEW_CLOSED",
               _while_shut(lambda read: ("--view", read.request.views[0]))),
    at_adapter("a requester the department has shut out", "VIEW_CLOSED",
               _while_shut(lambda read: ("--requester", "street-office"))),
    at_adapter("a department that has shut altogether", "VIEW_CLOSED", _while_shut(lambda read: ("--all",))),
]
