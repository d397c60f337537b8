"""What a case hands to departments: each part reaches its department once, is answered there, and the
window is told; a department that is away holds up nobody."""

import os
import sqlite3
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "crash")]

import fixture  # noqa: E402
import away  # noqa: E402
from cases import find_story  # noqa: E402
from clerks import enrolled  # noqa: E402
from images import image  # noqa: E402
from processes import wait_until  # noqa: E402
from search import find, needles  # noqa: E402
from stubs import Refused  # noqa: E402

STORY, CLASS = "dibao-couple", "DIBAO"
LEAD, SECOND = "civil-affairs", "medical-insurance"
SOURCE = "tax"  # takes on no part, and answers
SOON = 30

federation = source_clerk = None  # pylint: disable=invalid-name
clerks = {}


def setUpModule():
    global federation, source_clerk  # pylint: disable=global-statement
    federation = fixture.running(60, share_runs=30)
    clerks.update(enrolled(federation, (LEAD, SECOND, SOURCE), 2))
    for clerk in clerks.values():
        unittest.addModuleCleanup(clerk.close)
    source_clerk = clerks.pop(SOURCE)


def members():
    return find_story(federation, STORY)["members"]


def judged():
    """A case whose class is there; its number."""
    outcome = federation.window.apply(members())
    if outcome.class_id != CLASS:
        raise AssertionError((outcome.class_id, [(f.fact, f.state, f.code) for f in outcome.result.missing]))
    return outcome.case_id


def handed(case_id=None):
    """A case whose parts were handed over; its number."""
    case_id = case_id or judged()
    federation.window.submit(case_id)
    return case_id


def state(case_id, department):
    return federation.window.parts(case_id)[department].state


def wait_state(case_id, department, wanted):
    wait_until(lambda: state(case_id, department) == wanted, SOON, f"{department}: {wanted}")


def at_the_department(department, case_id):
    """What its intake has of the case."""
    return [part for part in clerks[department].parts() if part.case_id == case_id]


def held():
    """Rows of the broker's outbox that it still has the parcel of."""
    path = os.path.join(federation.members["broker"].state, "evidence.db")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM parcel WHERE sealed IS NOT NULL").fetchone()[0]


class Handed(unittest.TestCase):
    def test_every_part_is_taken_once_and_answered(self):
        case_id = handed()
        for department in (LEAD, SECOND):
            wait_state(case_id, department, "DELIVERED")
            part, = at_the_department(department, case_id)
            self.assertEqual((part.kind, part.form, part.waiting), ("submission", "social-assistance", True))
            clerks[department].accept(part.number)
            clerks[department].decide(part.number)
            wait_state(case_id, department, "DECIDED")
        part = federation.window.parts(case_id)[LEAD]
        self.assertEqual((part.outcome, part.reference), ("GRANTED", f"{LEAD}-{part.reference.rsplit('-', 1)[1]}"))
        self.assertEqual([word.kind for word in part.words], ["ACCEPTED", "DECIDED"])
        self.assertTrue(part.due)
        wait_until(lambda: held() == 0, SOON, "an empty outbox")

    def test_twice_is_once(self):
        case_id = handed()
        first = {name: part.name for name, part in federation.window.parts(case_id).items()}
        federation.window.submit(case_id)
        self.assertEqual({name: part.name for name, part in federation.window.parts(case_id).items()}, first)
        for department in first:
            wait_state(case_id, department, "DELIVERED")
            self.assertEqual(len(at_the_department(department, case_id)), 1)

    def test_nothing_goes_before_a_class_stands(self):
        case_id = federation.window.open(members())
        with self.assertRaises(Refused) as refused:
            federation.window.submit(case_id)
        self.assertEqual(refused.exception.code, "CASE_UNDECIDED")

    def test_supplement_and_withdrawal(self):
        case_id, clerk = handed(), clerks[LEAD]
        wait_state(case_id, LEAD, "DELIVERED")
        number = at_the_department(LEAD, case_id)[0].number
        clerk.say(number, "SUPPLEMENT_WANTED", ack=True, text_zh="请补交租赁合同。", text_en="The lease, please.",
                  until="2099-01-04")
        wait_state(case_id, LEAD, "SUPPLEMENT_WANTED")
        federation.window.supplement(case_id, federation.window.parts(case_id)[LEAD].part, "租赁合同", bytes(32))
        wait_until(lambda: [p.kind for p in at_the_department(LEAD, case_id)] == ["submission", "supplement"], SOON,
                   "the supplement")
        federation.window.withdraw(case_id, federation.window.parts(case_id)[LEAD].part)
        wait_until(lambda: "withdrawal" in [p.kind for p in at_the_department(LEAD, case_id)], SOON, "the withdrawal")
        clerk.say(number, "WITHDRAWN")
        wait_state(case_id, LEAD, "WITHDRAWN")
        self.assertEqual(state(case_id, SECOND), "DELIVERED")

    def test_a_correction_goes_to_its_department_and_back(self):
        outcome = federation.window.apply(members())
        fact = next(f for f in outcome.facts if f.department == SOURCE and f.state.lower() == "ok")
        case_id, clerk = outcome.case_id, source_clerk
        federation.window.correct(case_id, fact.member, fact.fact, "不是我的情况。")
        wait_until(lambda: [p for p in clerk.parts() if p.case_id == case_id], SOON, "the request")
        request, = [p for p in clerk.parts() if p.case_id == case_id]
        self.assertEqual((request.kind, request.part), ("correction_request", ""))
        self.assertTrue(request.due)
        with self.assertRaises(Refused) as refused:
            clerk.decide(request.number)  # it is no submission
        self.assertEqual(refused.exception.code, "MALFORMED")
        clerk.decide(request.number, "DATA_CORRECTED")
        wait_until(lambda: federation.window.get(case_id).corrections[0].state == "CORRECTED", SOON, "the answer")
        self.assertTrue(federation.window.get(case_id).judge_again)
        with self.assertRaises(Refused) as refused:
            federation.window.submit(case_id)
        self.assertEqual(refused.exception.code, "CASE_UNDECIDED")
        wait_until(lambda: held() == 0, SOON, "an empty outbox")
        logs = [federation.members[name].state for name in ("broker", LEAD, SECOND, SOURCE, "window")]
        compared = federation.material.lianban("log", "reconcile", *logs, may_fail=True)
        self.assertGreaterEqual(compared["parcels"], 2)
        self.assertEqual(compared["parcel_findings"], [])


class OnTheWay(unittest.TestCase):
    """Parcels of both directions wait at the broker: a submission, a supplement, a department's words."""

    ASKED, PAPER, SAID = "请补交租赁合同与收据。", "租赁合同（朝阳区望京街道）", "LEAD-0815-4711"

    def setUp(self):
        self.folder = fixture.folder()
        self.before = self.memory_of("broker", "before")

    def memory_of(self, name, label):
        try:
            return image(federation.processes[name], os.path.join(self.folder, f"{name}-{label}"))
        except PermissionError:
            self.skipTest("nobody may look at another process here")

    def wait_at_the_broker(self):
        """Until all of it does; the case's number."""
        first, second = handed(), judged()
        for department in (LEAD, SECOND):
            wait_state(first, department, "DELIVERED")
        number, = (part.number for part in at_the_department(SECOND, first))
        clerks[SECOND].say(number, "SUPPLEMENT_WANTED", ack=True, text_zh=self.ASKED, text_en=self.ASKED,
                           until="2099-01-04")
        wait_state(first, SECOND, "SUPPLEMENT_WANTED")
        clerks[SECOND].close()
        federation.processes[SECOND].stop()
        federation.window.supplement(first, federation.window.parts(first)[SECOND].part, self.PAPER, bytes(32))
        handed(second)
        wait_state(second, LEAD, "DELIVERED")
        wait_until(lambda: held() == 2, SOON, "two parcels for the department")
        self.agent = self.memory_of("window", "with-cases")
        federation.processes["window"].stop()
        number, = (part.number for part in at_the_department(LEAD, first))
        clerks[LEAD].say(number, "ACCEPTED", ack=True, reference=self.SAID)
        wait_until(lambda: held() == 3, SOON, "a word for the window")
        return first

    def come_back(self):
        federation.processes["window"].start()
        federation.wait_answering("window")
        federation.restart(SECOND)

    def test_nobody_can_read_them(self):
        self.addCleanup(self.come_back)
        case_id = self.wait_at_the_broker()
        numbers = needles({m["id_no"] for m in members()} | {case_id, self.ASKED, self.PAPER, self.SAID})
        for name in ("broker", LEAD, SECOND):
            self.assertEqual(find(numbers, federation.members[name].state), [], name)
        self.assertEqual(find(numbers, self.memory_of("broker", "with-parcels")), [])
        self.assertTrue(find(numbers, self.agent), "not even the agent has them: the search is blind")
        # A name of two characters may stand in a form's text, which the broker had before.
        names = needles(m["name"] for m in members())
        found = {text for _, _, text in find(names, self.memory_of("broker", "with-parcels"))}
        self.assertEqual(found - {text for _, _, text in find(names, self.before)}, set())
        self.assertEqual(find(names, federation.members["broker"].state), [])


class Closed(unittest.TestCase):
    def test_many_at_once_leave_one_entry_each(self):
        cases = [federation.window.open(members()) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(federation.window.discard, cases))
        ends = [e["request_hash"] for e in federation.entries("window") if e["code"] == "CASE_KEY_DESTROYED"]
        self.assertEqual(len(ends), len(set(ends)))
        self.assertGreaterEqual(len(ends), len(cases))


class Commands(unittest.TestCase):
    """The same from a terminal, to the end of the case."""

    def lianban(self, *words):
        return federation.material.lianban("case", *words, "--agent", federation.members["window"].address)

    def test_from_submission_to_the_attestation(self):
        case_id = judged()
        parts = self.lianban("submit", "--case", case_id)["parts"]
        self.assertEqual([part["department"] for part in parts], [LEAD, SECOND])
        for department in (LEAD, SECOND):
            wait_state(case_id, department, "DELIVERED")
        self.assertEqual(self.lianban("overdue")["parts"], [])
        self.lianban("close", "--case", case_id)
        self.assertIn(f"\ncase {case_id}\n", self.lianban("attest", "--case", case_id)["attestation"])


class Away(unittest.TestCase):
    def test_who_is_away_holds_up_nobody(self):
        """Its part waits, and the window is told since when, why and until when; the others finish; on its
        return all goes through by itself. For an hour: `./run crash --away`."""
        absence = away.Absence(federation, clerks)
        absence.judge(3)
        absence.go_on(3, 1, begin=False)
        absence.come_back()
        absence.finish()
        report = absence.report()
        self.assertEqual(report["wrong"], [])
        self.assertGreater(report["cases"], 0)
        self.assertGreater(report["most_tries"], 0)

    def test_the_broker_comes_back_with_what_it_held(self):
        case_id = judged()
        federation.processes[SECOND].stop()
        handed(case_id)
        wait_state(case_id, SECOND, "WAITING")
        federation.processes["broker"].kill()
        clerks[SECOND].close()
        federation.processes[SECOND].start()
        federation.restart("broker")
        wait_state(case_id, SECOND, "DELIVERED")
        self.assertEqual(len(at_the_department(SECOND, case_id)), 1)

    def test_an_agent_that_dies_goes_on_with_its_parts(self):
        case_id = judged()
        federation.processes[SECOND].stop()
        handed(case_id)
        federation.processes["window"].kill()
        federation.processes["window"].start()
        federation.wait_answering("window")
        clerks[SECOND].close()
        federation.restart(SECOND)
        wait_state(case_id, SECOND, "DELIVERED")
        self.assertEqual(len(at_the_department(SECOND, case_id)), 1)


if __name__ == "__main__":
    unittest.main()
