"""Who looked at my data: a citizen asks at the window, an authority asks with a second person's
approval, and a department's security officer answers from the own log.

The cases of test_officer.py's federation, in a file of their own.
"""

import datetime
import json
import os

import fixture  # noqa: F401  (finds the modules below)
from cases import find_story
from material import OPERATORS
from officers import Officer
from processes import wait_until
from requester import Federation, Person, Profile, Requester
from stubs import Refused, secure_channel

ASKED, OTHER = "tax", "health"
APPROVER = OPERATORS[1][:2]
LATER = (datetime.datetime.utcnow() + datetime.timedelta(days=30)).strftime("%Y-%m-%d")


class Told:
    """A test case says `told = Told(federation, officer)` when its class is set up."""

    def __init__(self, federation, officer):
        self.federation = federation
        members = find_story(federation, "dibao-couple")["members"]
        self.citizen = members[0]
        self.case_id = self._first_case(members)
        self.officer = officer
        self.second = Officer(federation, ASKED, "wang").enrol(4)
        self.second.index_folder = officer.index_folder
        self.stranger = Officer(federation, OTHER, "zhao").enrol(5)
        federation.wait_directory(5)
        self.station = officer.station()

    def _first_case(self, members):
        try:
            return self.federation.window.apply(members).case_id
        except Refused as refused:  # on a busy machine a connection that was idle may have been given up
            if refused.canonical != "UNAVAILABLE":
                raise
            return self.federation.window.apply(members).case_id

    def members(self):
        return [dict(self.citizen, role="applicant")]

    def open(self, form="access-request", approver=None):
        return self.federation.window.open(self.members(), form, approver)

    def ask(self, form="access-request", approver=None):
        """A case at the window about the citizen alone; its outcome."""
        case_id = self.open(form, approver)
        if form == "access-request":
            self.federation.window.agree(case_id, self.members())
        return self.federation.window.collect(case_id)

    def lines(self, *form):
        """What the department's officer told: the first line, and the entries."""
        fact = fact_of(self.ask(*form), ASKED)
        if fact.state != "ok":
            raise AssertionError(f"{fact.state} {fact.code}: {self.station.said()}")
        head, *lines = (json.loads(line) for line in fact.shown.split("\n"))
        return head, lines

    def of_the_case(self):
        return [line for line in self.lines()[1] if line["purpose"] == "social-assistance"]

    def entries(self, kind):
        return [e for e in self.federation.entries(ASKED) if e["type"] == kind]


def fact_of(outcome, department):
    return {fact.department: fact for fact in outcome.facts}[department]


class Cases:
    """Of a test case that has `told`."""

    told = None

    def test_1_nobody_answers_and_that_is_said(self):
        outcome = self.told.ask()
        for department in (ASKED, OTHER):
            fact = fact_of(outcome, department)
            self.assertEqual((fact.state, fact.code, fact.shown), ("unavailable", "STATION_AWAY", ""))
        self.assertEqual({fact.department for fact in outcome.result.missing}, {ASKED, OTHER})

    def test_2_the_citizen_sees_own_reads_and_the_earlier_request(self):
        told = self.told
        told.station.start()
        wait_until(lambda: fact_of(told.ask(), ASKED).state == "ok", 20, "an answer")
        outcome = told.ask()
        self.assertEqual({fact.department for fact in outcome.result.missing}, {OTHER})
        head, lines = told.lines()
        self.assertEqual((head["rows"], head["more"]), (len(lines), False))
        self.assertIn("may be left out by law", head["note_en"])
        self.assertTrue(head["note_zh"])
        case = [line for line in lines if line["purpose"] == "social-assistance"]
        self.assertTrue(case and all(line["office"] == "street-office" for line in case))
        self.assertTrue(any("tax.wage.income SHARE(12)" in line["fields"] for line in case))
        asked = [line for line in lines if line["purpose"] == "subject-access"]
        self.assertIn("tax.accesses.accesses LIST", asked[0]["fields"])
        self.assertEqual((asked[-1]["outcome"], asked[-1]["fields"]),
                         ("nothing", ["tax.accesses.accesses LIST unavailable"]))  # nobody was there
        self.assertEqual({line["basis"] for line in asked}, {"separate_consent"})
        looked = {line["code"] for line in lines if line.get("officer") and line["outcome"] == "reviewed"}
        self.assertIn("SUBJECT_ACCESS", looked)
        self.assertEqual([line["time"] for line in lines], sorted((line["time"] for line in lines), reverse=True))
        for line in lines:
            self.assertFalse({"operator", "case", "txn", "entry"} & set(line), line)
        self.assertNotIn(told.citizen["id_no"], fact_of(outcome, ASKED).shown)

    def test_3_a_refusal_is_among_them(self):
        with Attacker(self.told) as attacker:
            read = attacker.build_read(attacker.mandate("applicant", attacker.victim, "c-refused", [ASKED]),
                                       ASKED, attacker.victim)
            self.assertEqual([attacker.code(read), attacker.code(read)], ["OK", "REPLAY"])
        _, lines = self.told.lines()
        self.assertIn(("refused", "REPLAY", "oversight"),
                      [(line["outcome"], line["code"], line["purpose"]) for line in lines])

    def test_4_oversight_sees_more_and_is_seen(self):
        head, lines = self.told.lines("oversight", APPROVER)
        self.assertNotIn("note_en", head)
        mine = [line for line in lines if line.get("case") == self.told.case_id]
        self.assertTrue(mine and all(line["operator"] and line["txn"] for line in mine))
        _, lines = self.told.lines()
        self.assertIn(("oversight", "mandate", "given"),
                      [(line["purpose"], line["basis"], line["outcome"]) for line in lines])

    def test_5_what_is_concealed_is_missing_for_the_citizen_alone(self):
        told, officer, second = self.told, self.told.officer, self.told.second
        before = told.of_the_case()
        asked = officer.ask("access", "conceal", "--case", told.case_id, "--law", "PIPL 18", "--end", LATER,
                            "--reason", "inquiry 4")["entry"]
        self.assertEqual(told.of_the_case(), before)
        refused = officer.ask("access", "approve", str(asked), may_fail=True)
        self.assertEqual(refused["error"]["code"], "APPROVER_MISSING")
        second.ask("access", "approve", str(asked), "--reason", "read the file")
        head, lines = told.lines()
        page = officer.ask("who-saw", "--document", "-", "--citizen", "--limit", "10000", given=told.citizen["id_no"])
        left = [line for line in lines if line["purpose"] == "social-assistance"]
        self.assertLess(len(left), len(before))
        self.assertEqual(left, [line for line in before if line in left])
        self.assertEqual(len([row for row in page["rows"] if row["purpose"] == "social-assistance"]), len(left))
        self.assertIn("may be left out by law", head["note_en"])
        self.assertIn(told.case_id, [line.get("case") for line in told.lines("oversight", APPROVER)[1]])
        listed = [row for row in officer.ask("access", "list")["rows"] if row["entry"] == asked]
        self.assertEqual([(row["state"], row["officer"], row["approver"]) for row in listed],
                         [("in force", officer.spiffe, second.spiffe)])
        officer.ask("access", "reveal", str(asked))
        self.assertEqual(told.of_the_case(), before)
        self.assertLessEqual({"CONCEAL_ASKED", "CONCEAL_APPROVED", "CONCEAL_LIFTED", "SUBJECT_ACCESS", "OVERSIGHT"},
                             {entry["code"] for entry in told.entries("REVIEW")})

    def test_at_the_window_it_takes_two_persons(self):
        for approver, code in ((None, "APPROVER_MISSING"), (OPERATORS[0][:2], "APPROVER_MISSING"),
                               (("W-9", "u-1"), "BADGE_UNKNOWN")):
            with self.assertRaises(Refused) as caught:
                self.told.open("oversight", approver)
            self.assertEqual(caught.exception.code, code)
        with self.assertRaises(Refused) as caught:
            self.told.open("access-request", APPROVER)
        self.assertEqual(caught.exception.code, "MALFORMED")

    def test_without_the_citizens_agreement(self):
        case_id = self.told.open()
        self.told.federation.window.ask(case_id)
        with self.assertRaises(Refused) as caught:
            self.told.federation.window.collect(case_id)
        self.assertEqual(caught.exception.code, "GRANT_PENDING")

    def test_at_the_adapter_each_is_refused_and_an_entry(self):
        with Attacker(self.told) as attacker:
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
        self.assertLessEqual({"APPROVER_MISSING", "PURPOSE_NOT_ALLOWED", "BASIS_NOT_ALLOWED", "SELF_CONSENT"},
                             {entry["code"] for entry in self.told.entries("READ")})

    def test_by_another_members_officer(self):
        federation = self.told.federation
        for caller in (self.told.stranger.folder, federation.members["window"].folder):
            channel = secure_channel(federation.members[ASKED].address, federation.material.ca,
                                     *(os.path.join(caller, file) for file in ("cert.pem", "key.pem")))
            self.addCleanup(channel.close)
            for method in ("NextAccessQuestion", "AnswerAccessQuestion"):
                with self.subTest(caller), self.assertRaises(Refused) as caught:
                    federation.contract.call(channel, "Evidence/" + method,
                                             federation.contract.new(method + "Request"), 5)
                self.assertEqual(caught.exception.code, "ROLE_NOT_ALLOWED")
        wait_until(lambda: "ROLE_NOT_ALLOWED" in {e["code"] for e in self.told.entries("DENY")}, 5, "the entry")


class Attacker(Requester):
    """Holds all of the window's keys."""

    def __init__(self, told):
        self._remote = Federation(os.path.join(told.federation.root, "endpoints.json"))
        super().__init__(self._remote, Profile.load(self._remote, "window"), "oversight")
        self.victim = Person(told.citizen["id_no"], told.citizen["name"], (told.citizen["id_no"],))
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
        return self.operator_token(sub=person)

    def code(self, read):
        event, = self.collect([read])
        return self.open(read, event).code if event.code == "ANSWERED" else event.code

    def refused(self, sealed=None, **changes):
        """The code for a section with other members."""
        salt = os.urandom(16)
        grant = self.issue([self.section(ASKED, "applicant", salt, self.victim, "c-" + os.urandom(4).hex(),
                                         **changes)], salt)
        return self.code(self.build_read(grant, ASKED, self.victim, sealed=sealed))
