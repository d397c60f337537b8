"""Who looked at my data: a citizen asks at the window, an authority asks with a second person's
approval, and the departments' security officers answer from their own logs."""

import datetime
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from material import OPERATORS  # noqa: E402
from officers import Officer  # noqa: E402
from processes import wait_until  # noqa: E402
from requester import Federation, Person, Profile, Requester  # noqa: E402
from stubs import Refused, secure_channel  # noqa: E402

ASKED, OTHER = "tax", "health"
APPROVER = OPERATORS[1][:2]
LATER = (datetime.datetime.utcnow() + datetime.timedelta(days=30)).strftime("%Y-%m-%d")


def setUpModule():
    """One case at the window, and two officers of one department and one of another."""
    global federation, citizen, first, officers, station  # pylint: disable=global-statement
    federation = fixture.running(60)
    citizen = find_story(federation, "dibao-couple")["members"][0]
    first = federation.window.apply(find_story(federation, "dibao-couple")["members"])
    officers = [Officer(federation, ASKED, "li").enrol(2), Officer(federation, ASKED, "wang").enrol(3),
                Officer(federation, OTHER, "zhao").enrol(4)]
    officers[1].index_folder = officers[0].index_folder
    station = officers[0].station()
    unittest.addModuleCleanup(station.stop)


def ask(form="access-request", approver=None):
    """A case at the window about the citizen alone; its outcome."""
    members = [dict(citizen, role="applicant")]
    case_id = federation.window.open(members, form, approver)
    if form == "access-request":
        federation.window.agree(case_id, members)
    return federation.window.collect(case_id)


def fact_of(outcome, department):
    return {fact.department: fact for fact in outcome.facts}[department]


def lines_of(outcome, department=ASKED):
    """What a department's officer told: the first line, and the entries."""
    fact = fact_of(outcome, department)
    if fact.state != "ok":
        raise AssertionError(f"{fact.state} {fact.code}: {station.said()}")
    head, *lines = (json.loads(line) for line in fact.shown.split("\n"))
    return head, lines


class Asked(unittest.TestCase):
    """In this order: without the station, with it, with something concealed."""

    maxDiff = None

    def test_1_nobody_answers_and_that_is_said(self):
        outcome = ask()
        for department in (ASKED, OTHER):
            fact = fact_of(outcome, department)
            self.assertEqual((fact.state, fact.code, fact.shown), ("unavailable", "STATION_AWAY", ""))
        self.assertEqual({fact.department for fact in outcome.result.missing}, {ASKED, OTHER})

    def test_2_the_citizen_sees_own_reads_and_the_earlier_request(self):
        station.start()
        wait_until(lambda: "waiting" in station.said(), 15, "the station")
        wait_until(lambda: fact_of(ask(), ASKED).state == "ok", 20, "an answer")
        outcome = ask()
        head, lines = lines_of(outcome)
        self.assertEqual({fact.department for fact in outcome.result.missing}, {OTHER})
        self.assertEqual((head["rows"], head["more"]), (len(lines), False))
        self.assertIn("may be left out by law", head["note_en"])
        self.assertTrue(head["note_zh"])
        case = [line for line in lines if line["purpose"] == "social-assistance"]
        self.assertTrue(case and all(line["office"] == "street-office" for line in case))
        self.assertIn("tax.wage.income SHARE(12)", case[-1]["fields"])
        asked = [line for line in lines if line["purpose"] == "subject-access"]
        self.assertIn("tax.accesses.accesses LIST", asked[0]["fields"])
        self.assertEqual({line["basis"] for line in asked}, {"separate_consent"})
        looked = [line for line in lines if line.get("officer")]
        self.assertEqual({(line["outcome"], line["code"]) for line in looked}, {("reviewed", "SUBJECT_ACCESS")})
        self.assertEqual([line["time"] for line in lines], sorted((line["time"] for line in lines), reverse=True))
        for line in lines:
            self.assertFalse({"operator", "case", "txn", "entry"} & set(line), line)
        self.assertNotIn(citizen["id_no"], fact_of(outcome, ASKED).shown)

    def test_3_a_refusal_is_among_them(self):
        with Attacker() as attacker:
            read = attacker.build_read(attacker.mandate("applicant", attacker.victim, "c-refused", [ASKED]),
                                       ASKED, attacker.victim)
            self.assertEqual([attacker.code(read), attacker.code(read)], ["OK", "REPLAY"])
        _, lines = lines_of(ask())
        self.assertIn(("refused", "REPLAY", "oversight"),
                      [(line["outcome"], line["code"], line["purpose"]) for line in lines])

    def test_4_oversight_sees_more_and_is_seen(self):
        head, lines = lines_of(ask("oversight", APPROVER))
        self.assertNotIn("note_en", head)
        mine = [line for line in lines if line.get("case") == first.case_id]
        self.assertTrue(mine and all(line["operator"] and line["txn"] for line in mine))
        _, lines = lines_of(ask())
        self.assertIn(("oversight", "mandate", "given"),
                      [(line["purpose"], line["basis"], line["outcome"]) for line in lines])

    def test_5_what_is_concealed_is_missing_for_the_citizen_alone(self):
        officer, second = officers[:2]
        before = [line for line in lines_of(ask())[1] if line["purpose"] == "social-assistance"]
        asked = officer.ask("access", "conceal", "--case", first.case_id, "--law", "PIPL 18", "--end", LATER,
                            "--reason", "inquiry 4")["entry"]
        self.assertEqual(self.seen(), before)
        refused = officer.ask("access", "approve", str(asked), may_fail=True)
        self.assertEqual(refused["error"]["code"], "APPROVER_MISSING")
        second.ask("access", "approve", str(asked), "--reason", "read the file")
        self.assertEqual(self.seen(), [])
        head, _ = lines_of(ask())
        self.assertIn("may be left out by law", head["note_en"])
        told = lines_of(ask("oversight", APPROVER))[1]
        self.assertIn(first.case_id, [line.get("case") for line in told])
        listed = [row for row in officer.ask("access", "list")["rows"] if row["entry"] == asked]
        self.assertEqual([(row["state"], row["officer"], row["approver"]) for row in listed],
                         [("in force", officer.spiffe, second.spiffe)])
        officer.ask("access", "reveal", str(asked))
        self.assertEqual(self.seen(), before)
        codes = [e["code"] for e in federation.entries(ASKED, details=True) if e["type"] == "REVIEW"]
        for code in ("CONCEAL_ASKED", "CONCEAL_APPROVED", "CONCEAL_LIFTED", "SUBJECT_ACCESS", "OVERSIGHT"):
            self.assertIn(code, codes)

    def seen(self):
        return [line for line in lines_of(ask())[1] if line["purpose"] == "social-assistance"]

    def test_6_a_station_that_dies_is_missed(self):
        station.stop()
        wait_until(lambda: fact_of(ask(), ASKED).code == "STATION_AWAY", 30, "a named absence")
        station.start()
        wait_until(lambda: fact_of(ask(), ASKED).state == "ok", 30, "an answer again")


class Attacker(Requester):
    """Holds all of the window's keys."""

    def __init__(self, form="oversight"):
        self._remote = Federation(os.path.join(federation.root, "endpoints.json"))
        super().__init__(self._remote, Profile.load(self._remote, "window"), form)
        self.victim = Person(citizen["id_no"], citizen["name"], (citizen["id_no"],))
        self.second = "fedcba9876543210fedcba9876543210"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._remote.close()

    def section(self, *args, **changes):
        return super().section(*args, **{"approver": self.second, **changes})

    def build_read(self, *args, sealed=None, **options):  # pylint: disable=arguments-differ
        return super().build_read(*args, sealed={"approver_token": self.token(self.second), **(sealed or {})},
                                  **options)

    def token(self, person):
        own = self.profile
        return self.operator_token(sub=person) if person != own.person else self.operator_token()

    def code(self, read):
        event, = self.collect([read])
        return self.open(read, event).code if event.code == "ANSWERED" else event.code

    def refused(self, sealed=None, **changes):
        """The code for a section with other members."""
        salt = os.urandom(16)
        grant = self.issue([self.section(ASKED, "applicant", salt, self.victim, "c-" + os.urandom(4).hex(),
                                         **changes)], salt)
        return self.code(self.build_read(grant, ASKED, self.victim, sealed=sealed))


class Refusals(unittest.TestCase):
    """Each is refused with its code, and is an entry."""

    def test_at_the_window(self):
        for approver, code in ((None, "APPROVER_MISSING"), (OPERATORS[0][:2], "APPROVER_MISSING"),
                               (("W-9", "u-1"), "BADGE_UNKNOWN")):
            with self.assertRaises(Refused) as caught:
                federation.window.open([dict(citizen, role="applicant")], "oversight", approver)
            self.assertEqual(caught.exception.code, code)
        with self.assertRaises(Refused) as caught:
            federation.window.open([dict(citizen, role="applicant")], "access-request", APPROVER)
        self.assertEqual(caught.exception.code, "MALFORMED")

    def test_without_the_citizens_agreement(self):
        case_id = federation.window.open([dict(citizen, role="applicant")], "access-request")
        federation.window.ask(case_id)
        with self.assertRaises(Refused) as caught:
            federation.window.collect(case_id)
        self.assertEqual(caught.exception.code, "GRANT_PENDING")

    def test_at_the_adapter(self):
        with Attacker() as attacker:
            own = attacker.profile.person
            for code, sealed, changes in (
                    ("APPROVER_MISSING", None, {"approver": None}),
                    ("APPROVER_MISSING", {"approver_token": ""}, {}),
                    ("APPROVER_MISSING", {"approver_token": attacker.token(own)}, {}),
                    ("APPROVER_MISSING", {"approver_token": attacker.token(own)}, {"approver": own}),
                    ("PURPOSE_NOT_ALLOWED", None, {"purpose": "social-assistance"}),
                    ("BASIS_NOT_ALLOWED", None, {"purpose": "subject-access"}),
                    ("BASIS_NOT_ALLOWED", None, {"law": ["PIPL44"]}),
                    ("SELF_CONSENT", None, {"purpose": "subject-access", "basis": "separate_consent"})):
                with self.subTest(code=code, changes=changes):
                    self.assertEqual(attacker.refused(sealed, **changes), code)
        codes = {e["code"] for e in federation.entries(ASKED) if e["type"] == "READ"}
        self.assertLessEqual({"APPROVER_MISSING", "PURPOSE_NOT_ALLOWED", "BASIS_NOT_ALLOWED", "SELF_CONSENT"},
                             codes)

    def test_by_another_members_officer(self):
        folder = officers[2].folder
        for name, caller in (("officer", folder), ("window", federation.members["window"].folder)):
            channel = secure_channel(federation.members[ASKED].address, federation.material.ca,
                                     *(os.path.join(caller, file) for file in ("cert.pem", "key.pem")))
            self.addCleanup(channel.close)
            for method, request in (("NextAccessQuestion", "NextAccessQuestionRequest"),
                                    ("AnswerAccessQuestion", "AnswerAccessQuestionRequest")):
                with self.subTest(name), self.assertRaises(Refused) as caught:
                    federation.contract.call(channel, "Evidence/" + method, federation.contract.new(request), 5)
                self.assertEqual(caught.exception.code, "ROLE_NOT_ALLOWED")
        time.sleep(1.5)  # refusals of one second are one entry
        self.assertIn("ROLE_NOT_ALLOWED", {e["code"] for e in federation.entries(ASKED) if e["type"] == "DENY"})


if __name__ == "__main__":
    unittest.main()
