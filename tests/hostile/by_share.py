"""Attacks on the blind household sum: a window with all its keys wants one person's amount, or one
department's, where only the household's total is meant to come out."""

import os
import time

import paths  # noqa: F401  (first)
import share
from attack import at_adapter, sealed
from ground import SHARE_RUNS, Seen

SLOT = "income12"
WEEK = 7 * 24 * 3600


class Household:
    """People of one case with a mandate each and a run over them; `persons` may be spoiled."""

    def __init__(self, ground, people, case=None):
        self._ground, self.people, self.case = ground, people, case or ground.case()
        self.grants = [ground.mandate(person=person, case=self.case) for person in people]
        self.run = ground.me.begin_run(SLOT, self.grants)

    def ask(self, index, **build):
        """What comes of asking for one person's shares."""
        message = self.run.message(self._ground.contract, index)
        read = self._ground.read(self.grants[index], person=self.people[index],
                                 **{"share": message, **build})
        return self._ground.ask(read)

    def need(self, *indexes):
        """Asks honestly."""
        for index in indexes:
            if self.ask(index).code != "OK":
                raise AssertionError("an honest share was refused")
        return self


def _couple(ground):
    return Household(ground, [ground.somebody(), ground.somebody()])


def _alone_afterwards(ground):
    couple = _couple(ground).need(0, 1)
    return Household(ground, couple.people[:1]).ask(0)


def _with_somebody_else(ground):
    couple = _couple(ground).need(0, 1)
    return Household(ground, [couple.people[0], ground.somebody()]).need(0).ask(1)


def _completed_late(ground):
    """A run that was left open, while its first person is added up with another."""
    couple = _couple(ground).need(0)
    Household(ground, [couple.people[0], ground.somebody()]).need(0, 1)
    return couple.ask(1)


def _one_adult_twice(ground):
    person = ground.somebody()
    return Household(ground, [person, person]).need(0).ask(1)


def _one_run_too_many(ground):
    couple = _couple(ground).need(0)
    for _ in range(SHARE_RUNS - 1):
        Household(ground, couple.people).need(0)
    return Household(ground, couple.people).ask(0)


def _second_answer(ground):
    return _couple(ground).need(0).ask(0)


def _changed(change):
    """A run of which one person was asked, then something about it is changed."""
    def send(ground):
        couple = _couple(ground).need(0)
        change(couple, ground)
        return couple.ask(1)
    return send


def _in_another_case(couple, ground):
    """The same commitment, under a mandate for another case."""
    section, salt = couple.grants[1].sections["tax"], couple.grants[1].salt
    couple.grants[1] = ground.me.issue([{**section, "case": ground.case()}], salt)


def _begun(offset):
    def send(ground):
        couple = _couple(ground)
        couple.run.started = int(time.time()) + offset
        return couple.ask(0)
    return send


def _spoiled(spoil):
    """A run that is wrong from the first."""
    def send(ground):
        couple = _couple(ground)
        spoil(couple.run)
        return couple.ask(0)
    return send


def _set_slot(slot):
    return _spoiled(lambda run: setattr(run, "slot", slot))


def _set_persons(change):
    return _spoiled(lambda run: setattr(run, "persons", change(run.persons)))


def _at_index(index):
    def send(ground):
        couple = _couple(ground)
        message = couple.run.message(ground.contract, index)
        return couple.ask(0, share=message)
    return send


def _without_run(ground):
    wants = ground.me.wants("tax", "applicant", ground.person, shares=True)
    return ground.ask(ground.read(sealed={"wants": wants}, opened={"views": sorted({w.view for w in wants})}))


def _run_for_nothing(ground):
    couple = _couple(ground)
    wants = ground.wants()
    return couple.ask(0, sealed={"wants": wants}, opened={"views": sorted({w.view for w in wants})})


def _as(operator, *args):
    """Section and want name wages under another operator."""
    def send(ground):
        op = f"{operator}({','.join(args)})"
        grant = ground.mandate(views=[{"view": "tax.wage", "version": 1,
                                       "fields": [{"field": "income", "op": op}]}])
        want = ground.new("Want", view="tax.wage", field="income", operator=operator, args=args)
        return ground.ask(ground.read(grant, sealed={"wants": [want]}, opened={"views": ["tax.wage"]}))
    return send


def _child_role(ground):
    person = ground.somebody()
    views = ground.me.form.granted_views("tax", "applicant", ground.me.directory)
    grant = ground.mandate(person=person, role="child", views=views)
    run = ground.me.begin_run(SLOT, [grant])
    wants = ground.me.wants("tax", "applicant", person, shares=True)
    return ground.ask(ground.read(grant, person=person, share=run.message(ground.contract, 0),
                                  sealed={"wants": wants},
                                  opened={"views": sorted({w.view for w in wants})}))


def _subset_says_nothing(ground):
    """All shares of one department, without the others': no amount. Told as the code "OK", because
    nothing is refused; the test is that what came is of no use."""
    couple = _couple(ground)
    shares = []
    for index in range(2):
        read = ground.read(couple.grants[index], person=couple.people[index],
                           share=couple.run.message(ground.contract, index))
        (event,) = ground.me.collect([read])
        answer = ground.me.open(read, event)
        shares += [fact.number % share.MODULUS for fact in answer.facts if fact.operator == "SHARE"]
    total = share.total_of(shares)
    if len(shares) != 4 or (total is not None and total < 1 << 40):
        raise AssertionError("one department's shares came to a total")
    return Seen("inner", answer.code)


ATTACKS = [
    sealed("a household of one after one of two", "SHARE_HOUSEHOLD", _alone_afterwards, before=2),
    sealed("one of a couple with somebody else", "SHARE_HOUSEHOLD", _with_somebody_else, before=3),
    sealed("an open run completed after another", "SHARE_HOUSEHOLD", _completed_late, before=3),
    sealed("one adult at two places of a run", "SHARE_REPEATED", _one_adult_twice, before=1),
    sealed("a run more of one person than allowed", "SHARE_BUDGET", _one_run_too_many, before=SHARE_RUNS),
    sealed("a share once more under another request id", "SHARE_REPEATED", _second_answer, before=1),
    sealed("all shares of one department", "OK", _subset_says_nothing, before=1),
    at_adapter("one run, two cases", "SHARE_RUN", _changed(_in_another_case), before=("ANSWERED",)),
    at_adapter("one nonce, another start", "SHARE_RUN",
               _changed(lambda couple, _: setattr(couple.run, "started", couple.run.started - 1)),
               before=("ANSWERED",)),
    at_adapter("one nonce, fewer persons", "SHARE_RUN",
               _changed(lambda couple, _: couple.run.persons.__setitem__(0, os.urandom(32))),
               before=("ANSWERED",)),
    at_adapter("a run of last week", "SHARE_RUN", _begun(-WEEK)),
    at_adapter("a run of tomorrow", "SHARE_RUN", _begun(86400)),
    at_adapter("a sum that nobody approved", "SHARE_INERT", _set_slot("wages")),
    at_adapter("a sum without a name", "SHARE_INERT", _set_slot("")),
    at_adapter("a household without the person", "SHARE_SET",
               _set_persons(lambda persons: [os.urandom(32), persons[1]])),
    at_adapter("a household of nobody", "SHARE_SET", _set_persons(lambda persons: [])),
    at_adapter("a household of thirteen", "SHARE_SET",
               _set_persons(lambda persons: persons + [os.urandom(32) for _ in range(11)])),
    at_adapter("one commitment twice", "SHARE_SET", _set_persons(lambda persons: persons[:1] * 2)),
    at_adapter("commitments of 31 bytes", "MALFORMED",
               _set_persons(lambda persons: [person[:31] for person in persons])),
    at_adapter("a nonce of 15 bytes", "MALFORMED", _spoiled(lambda run: setattr(run, "nonce", bytes(15)))),
    at_adapter("the place of another", "SHARE_SET", _at_index(1)),
    at_adapter("a place past the end", "SHARE_SET", _at_index(2 ** 32 - 1)),
    at_adapter("a child among the adults", "SHARE_SET", _child_role),
    at_adapter("a share without a run", "MALFORMED", _without_run),
    at_adapter("a run without a share", "MALFORMED", _run_for_nothing),
    at_adapter("the amount instead of its share", "OPERATOR_TOO_WEAK", _as("SUM", "12")),
    at_adapter("a share over fewer months", "OPERATOR_TOO_WEAK", _as("SHARE", "1")),
]
