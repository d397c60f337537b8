"""The demo's federation with one program of each kind under callgrind, and the ten-department case they do."""

import datetime
import os
import sys

import yaml

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(_ROOT, "demo"), os.path.join(_ROOT, "tests", "interop")]

import federation as federations  # noqa: E402
from callgrind import Counted  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from stubs import Contract  # noqa: E402

# Of the ten adapters the one whose read does most: a blind sum beside its facts.
MEMBERS = {"adapter": "tax", "broker": "broker", "window": "window", "consent": "consent"}
_PEOPLE = 300
_NUM_DEPARTMENTS = 10
_DEADLINE_MS = 60000   # the most there is: what is counted does not depend on how long it takes
_CALL_SECONDS = 200


class NoCase(Exception):
    """A case did not come to what it has to."""


class Patient(Contract):
    """Calls that wait: a program under callgrind is fifty times slower."""

    def call(self, channel, method, request, timeout=_CALL_SECONDS, metadata=()):
        return super().call(channel, method, request, max(timeout, _CALL_SECONDS), metadata)

    def stream(self, channel, method, request, timeout=_CALL_SECONDS, metadata=()):
        return super().stream(channel, method, request, max(timeout, _CALL_SECONDS), metadata)


class Ground:
    """A federation that is up, and the Counted of each kind."""

    def __init__(self, root, binaries):
        # The same person's income is added up again and again.
        self._federation = federations.Federation(os.path.join(root, "federation"), binaries, share_runs=1000000)
        self._federation.contract = Patient()
        self._federation.populate(DEFAULT_SEED, _PEOPLE, datetime.date.today())
        self._federation.make()
        self._be_patient()
        self.counted = {kind: Counted(self._federation.processes[name], os.path.join(root, kind))
                        for kind, name in MEMBERS.items()}
        self._applicant = None

    def start(self):
        """Everything, until a case has gone well; afterwards nothing is made for the first time."""
        federations._READY_SECONDS = _CALL_SECONDS
        self._federation.start()
        for household in self._federation.households:
            if len(household["members"]) == 1 and household["class"] != "MANUAL" and self._is_whole(household):
                self._applicant = household
                return
        raise NoCase("no household of one adult is answered by every department")

    def stop(self):
        self._federation.stop()

    def settle(self):
        """Every department is linked."""
        self._federation.wait_ready()

    def case(self):
        """From the counter to the class and the end of the case, with a fresh grant, by ten departments."""
        if not self._is_whole(self._applicant):
            raise NoCase("a case did not come to its class with every fact")

    def _is_whole(self, household):
        window = self._federation.window
        outcome = window.apply(household["members"])
        window.discard(outcome.case_id)
        asked = {fact.department for fact in outcome.facts}
        return (outcome.class_id == household["class"] and len(asked) == _NUM_DEPARTMENTS
                and all(fact.state == "ok" for fact in outcome.facts))

    def _be_patient(self):
        path = self._federation.members["window"].config
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
        content["deadline_ms"] = _DEADLINE_MS
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file)
