"""The federation after its broker was taken over: the double in the broker's place, applications that pass
through it, and what is to be seen of each."""

import itertools
import os

import paths  # noqa: F401  (first)
import blind
from by_double import Trick
from double import Double, Plan
from search import find, needles

# The double serves these and refuses the rest its service, which any broker can: enough for every trick.
ASKED = ("social-security", "tax", "finance")
_FINE = {"ok", "not_found"}


class Takeover:
    """From the moment the broker is stopped until it is started again."""

    def __init__(self, ground):
        self._ground = ground
        # Departments count how often one person is asked about, so everybody comes once, alone.
        self._people = itertools.cycle([h["members"][:1] for h in ground.running.households])
        ground.running.processes["broker"].stop()
        self.double = Double(ground, ASKED)
        self.double.start()
        self.honest = self._apply(Plan())
        self.double.earlier = self.double.passages

    def _apply(self, plan):
        """One application; ({department: (state, code, shown) of its facts}, the result)."""
        self.double.plan, self.double.passages = plan, []
        window = self._ground.running.window
        members = next(self._people)
        case_id = window.open(members)
        window.agree(case_id, members)
        outcome = window.collect(case_id)
        window.discard(case_id)
        found = {name: [] for name in ASKED}
        for fact in (*outcome.facts, *outcome.result.missing):
            if fact.department in found:
                found[fact.department].append((fact.state, fact.code, fact.shown))
        return {name: sorted(set(facts)) for name, facts in found.items()}, outcome.result

    def play(self, trick: Trick):
        """(what the agent says, what it must say) of a trick, and (what the victim said, what it may)."""
        facts, result = self._apply(trick.plan)
        said, due = {}, {}
        for name in ASKED:
            code = trick.agent.get(name)
            said[name] = (sorted({state for state, _, _ in facts[name]} - _FINE) if code is None
                          else sorted({(c, shown) for _, c, shown in facts[name]}))
            due[name] = [] if code is None else [(code, "")]
        victim = [p for p in self.double.passages if self.double.name_of(p) == "tax"]
        return said, due, {code for p in victim for code in p.codes}, result

    def identities_seen(self):
        """Who can be recognized in all bytes that went through the double."""
        path = os.path.join(self._ground.running.root, "seen-by-the-double")
        with open(path, "wb") as file:
            file.write(self.double.seen)
        running = self._ground.running
        names = blind.identities(os.path.join(running.root, "departments"))
        return find(needles(names | blind.released(running.people)), path)

    def sizes(self):
        """{(department, declared size, code): sizes of sealed answers} of the honest passage."""
        return {self.double.name_of(p): (p.asked.answer_bytes, len(p.reply.answer.sealed), p.reply.answer.code)
                for p in self.double.earlier if p.reply is not None}

    def end(self):
        self.double.stop()
        self._ground.running.processes["broker"].start()
        self._ground.running.wait_ready()
