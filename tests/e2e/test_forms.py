"""All forms on the generated population: every case comes to the class that SQL over the departments' own databases
comes to, and to the one its story tells."""

import collections
import concurrent.futures
import contextlib
import datetime
import glob
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
import departments  # noqa: E402
import forms  # noqa: E402
import population  # noqa: E402
from clerks import enrolled  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from material import LIFE_FORMS, TRIGGERS  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402
from verdicts import OUTCOMES, Outcomes  # noqa: E402
from window import BADGE, UNIT  # noqa: E402

PEOPLE = 60  # ordinary ones; the stories' families come on top
IN_FLIGHT = 8


def classes_of(form):
    with open(os.path.join(fixture.ROOT, "policy", "forms", form + ".yaml"), encoding="utf-8") as file:
        read = yaml.load(file, yaml.CSafeLoader)
    return {entry["class"] for entry in read["classes"]} | {read["otherwise"]["class"], "MANUAL"}


def why(ended):
    """What speaks for and against, and what is missing."""
    return ([(reason.condition, reason.truth) for reason in ended.result.reasons]
            + [(fact.fact, fact.state, fact.code) for fact in ended.result.missing])


class Ninth:
    """The form that docs/FORMS.md adds: its files as they stand there, its commands as they are typed."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(fixture.ROOT, "docs", "FORMS.md"), encoding="utf-8") as file:
            text = file.read()
        os.symlink(os.path.join(fixture.ROOT, "policy"), os.path.join(folder, "policy"))
        self.files = dict(re.findall(r"^`([\w./-]+)`:\n\n```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        for name, content in self.files.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(content)
        self.commands = re.findall(r"^```sh\nlianban (.*?)\n```", text, re.MULTILINE)

    def path(self, name):
        return os.path.join(self.folder, name)

    def join(self, whole):
        """Public security has the view beside its own, and everybody knows the form."""
        own = whole.material.views["public-security"]
        shutil.copytree(own, self.path("views"), dirs_exist_ok=True)
        whole.material.views["public-security"] = self.path("views")
        whole.material.forms["senior-card"] = self.path("senior-card.yaml")


def setUpModule():
    global federation, ninth  # pylint: disable=global-statement
    ninth = Ninth(fixture.folder())
    federation = fixture.made(PEOPLE, ready=ninth.join)
    unittest.addModuleCleanup(federation.stop)
    federation.start()


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = forms.cases_of(federation.people)
        with concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as pool:
            cls.ended = list(pool.map(cls.apply, cls.cases))
        cls.outcomes = Outcomes(os.path.join(federation.root, "departments"), federation.people.today)
        cls.addClassCleanup(cls.outcomes.close)

    @staticmethod
    def apply(case):
        try:
            return federation.window.apply(case["members"], case["form"])
        except Refused as refused:
            return refused

    def test_every_story_comes_to_its_class(self):
        for case, ended in zip(self.cases, self.ended):
            with self.subTest(form=case["form"], key=case["key"]):
                self.assertNotIsInstance(ended, Refused, ended)
                if case["key"]:
                    self.assertEqual(ended.class_id, case["class"], why(ended))

    def test_every_case_equals_the_databases(self):
        for case, ended in zip(self.cases, self.ended):
            with self.subTest(form=case["form"], key=case["key"]):
                found = self.outcomes.judge(case)
                self.assertEqual(ended.class_id, found["class"], why(ended))
                for amount in ended.result.amounts:
                    self.assertEqual(amount.value, found[amount.amount], amount.amount)

    def test_recognition_goes_before_income(self):
        """Who is settled without it is not asked for income: no department that knows it hears of the person."""
        settled = {"illness-poverty-recognised", "public-rental-housing-dibao", "public-rental-housing-low-income",
                   "public-rental-housing-above-fifteen", "disability-subsidies-no-certificate"}
        asked = {case["key"]: {fact.department for fact in ended.facts}
                 for case, ended in zip(self.cases, self.ended) if case["key"]}
        for key in settled:
            with self.subTest(key=key):
                self.assertFalse(asked[key] & {"tax", "social-security", "finance"}
                                 - ({"finance"} if key.startswith("disability") else set()))
        for key in ("illness-poverty-at-the-line", "public-rental-housing-four"):
            self.assertLessEqual({"tax", "social-security", "finance"}, asked[key])

    def test_every_class_of_every_form_has_a_story(self):
        told = collections.defaultdict(set)
        for case in self.cases:
            if case["key"]:
                told[case["form"]].add(case["class"])
        self.assertEqual(dict(told), {form: classes_of(form) for form in LIFE_FORMS})

    def test_there_is_an_outcome_for_every_form(self):
        self.assertEqual({os.path.basename(path)[:-len(".sql")] for path in glob.glob(OUTCOMES + "/*.sql")},
                         {*LIFE_FORMS, *TRIGGERS})

    def test_receipts_were_checked_and_documents_saved(self):
        for ended in self.ended:
            self.assertEqual(ended.result.receipts_failed, 0)
            self.assertGreater(ended.result.receipts_checked, 0)
        saved = sum(ended.result.documents_saved for ended in self.ended)
        self.assertGreater(saved, len(self.cases))


class Rechecks(unittest.TestCase):
    """Who draws a subsidy, one after the other by mandate: what is found is for a person, and nothing is stopped."""

    def test_a_stop_is_proposed_to_a_person(self):
        told = [case for case in forms.cases_of(federation.people) if case["key"] in {
            "disability-recheck-" + key for key in ("as-before", "set-free", "in-prison", "moved", "working")}]
        folder = fixture.folder()
        listed, out = os.path.join(folder, "drawing"), os.path.join(folder, "to-look-at")
        with open(listed, "w", encoding="utf-8") as file:
            for case in told:
                person, = case["members"]
                file.write(f"{case['key']}\t{person['id_no']}\t{person['name']}\n")
        done = federation.material.lianban(
            "recheck", "run", "--form", "disability-recheck", "--list", listed, "--out", out, "--agent",
            federation.members["window"].address, "--operator", BADGE, "--unit", UNIT, "--per-minute", "6000")
        with open(out, encoding="utf-8") as file:
            rows = {row[0]: row for row in (line.rstrip("\n").split("\t") for line in file)}
        self.assertEqual({key: row[2] for key, row in rows.items()},
                         {case["key"]: case["class"] for case in told if case["class"] != "UNCHANGED"})
        self.assertEqual((done["checked"], done["to_a_person"]), (len(told), len(rows)))
        for row in rows.values():
            still = federation.window.get(row[1])
            self.assertEqual((still.class_id, len(still.parts)), (row[2], 0))
        self.assertEqual(rows["disability-recheck-in-prison"][3], "imprisoned_now")
        self.assertEqual(rows["disability-recheck-moved"][3], "moved")


class Payouts(unittest.TestCase):
    """An account goes from who has it to who pays as a token: the window passes on what it cannot read."""

    USE = ("--provider", "social-security", "--requester", "street-office", "--purpose", "newborn",
           "--view", "social-security.card", "--field", "account")

    def test_who_pays_opens_it_and_nobody_else(self):
        with contextlib.closing(sqlite3.connect(self.database("social-security"))) as database:
            cards = dict(database.execute("SELECT aac002, hex(bank_acct_enc) FROM card"))
        told = next(case for case in forms.cases_of(federation.people) if case["form"] == "newborn"
                    and case["class"] == "FULL" and case["members"][0]["id_no"] in cards)
        account = cards[told["members"][0]["id_no"]]
        clerk = enrolled(federation, ("medical-insurance",), 2)["medical-insurance"]
        self.addCleanup(clerk.close)
        ended = federation.window.apply(told["members"], "newborn")
        kept = {fact.fact: fact for fact in ended.facts}["payout"]
        self.assertEqual((kept.state, kept.shown), ("ok", ""))
        federation.window.submit(ended.case_id)
        wait_until(lambda: self.parts(clerk, ended), 60, "both parts at the medical insurance")
        handed = {part["part"]: part for part in self.parts(clerk, ended)}
        self.assertNotIn("payout", {fact["fact"] for fact in handed["insurance"]["facts"]})
        token, = [fact["shown"] for fact in handed["maternity"]["facts"] if fact["fact"] == "payout"]
        self.assertEqual(len(token), 258)
        self.assertNotIn(account, str(handed))
        self.assertEqual(self.opened(token, "--key", self.key("social-security"), *self.USE), {"value": account})
        given = os.path.join(fixture.folder(), "newborn.key")
        federation.material.lianban("view", "token-key", "--key", self.key("social-security"), *self.USE,
                                    "--out", given)
        self.assertEqual(self.opened(token, "--use-key", given), {"value": account})
        for options in (("--key", self.key("medical-insurance"), *self.USE), ("--use-key", self.key("social-security")),
                        ("--key", self.key("social-security"), *self.USE[:-1], "held")):
            self.assertEqual(self.opened(token, *options)["error"]["code"], "SEAL_BROKEN")

    @staticmethod
    def parts(clerk, ended):
        """The parts of a case at a clerk's department, read, once both are there."""
        numbers = [part.number for part in clerk.parts() if part.case_id == ended.case_id]
        return [clerk.show(number) for number in numbers] if len(numbers) == 2 else []

    @staticmethod
    def database(department):
        return os.path.join(federation.root, "departments", department + ".db")

    @staticmethod
    def key(department):
        return os.path.join(federation.members[department].state, "token.key")

    @staticmethod
    def opened(token, *options):
        return federation.material.lianban("view", "open-token", *options, may_fail=True, given=token)


class Heirs(unittest.TestCase):
    def test_nothing_is_asked_before_each_agreed(self):
        """One of two heirs has not agreed, and then refuses: no department is asked. Without him a person decides
        (the story `one-of-two`)."""
        told = next(case for case in forms.cases_of(federation.people) if case["key"] == "bereavement-wife-and-son")
        heir = [member["role"] for member in told["members"]].index("heir")
        case_id = federation.window.open(told["members"], "bereavement")
        tickets = [(ticket.member, ticket.request_id) for ticket in federation.window.ask(case_id)]
        federation.window.confirm(case_id, told["members"], [ticket for ticket in tickets if ticket[0] != heir])
        with self.assertRaises(Refused) as waiting:
            federation.window.collect(case_id)
        self.assertEqual(waiting.exception.code, "GRANT_PENDING")
        notice = federation.window.notice(case_id).sha256
        for member, request_id in tickets:
            if member == heir:
                federation.desk.confirm(request_id, told["members"][heir]["id_no"], notice, agreed=False)
        with self.assertRaises(Refused) as refused:
            federation.window.collect(case_id)
        self.assertEqual(refused.exception.code, "GRANT_REFUSED")


class Days(unittest.TestCase):
    def test_the_stories_hold_on_other_days_as_well(self):
        """Ends of years, months and terms: databases and outcomes alone, without a federation."""
        for day in ("2027-01-01", "2028-02-29", "2030-08-31"):
            today = datetime.date.fromisoformat(day)
            people = population.generate(DEFAULT_SEED, 1, today)
            folder = fixture.folder()
            departments.write_all(people, folder)
            outcomes = Outcomes(folder, today)
            self.addCleanup(outcomes.close)
            told = [case for case in forms.cases_of(people) if case["key"]]
            for case in told:
                with self.subTest(day=day, key=case["key"]):
                    self.assertEqual(outcomes.judge(case)["class"], case["class"])


class Reports(unittest.TestCase):
    """The half-yearly report, on the days around the last one: a week after the 20th, or after the Monday behind."""

    LAST = ("2026-01-27", "2026-07-27", "2027-01-27", "2029-01-29", "2030-01-28", "2024-07-29", "2025-07-28")

    def test_it_is_missed_on_the_day_after(self):
        path = os.path.join(fixture.ROOT, "demo", "departments", "civil-affairs", "views", "subsidy-report.yaml")
        with open(path, encoding="utf-8") as file:
            query = yaml.safe_load(file)["query"]
        database = sqlite3.connect(":memory:")
        self.addCleanup(database.close)
        database.execute("CREATE TABLE subsidy_report (id_no TEXT, day TEXT)")

        def state(day, *reported):
            database.execute("DELETE FROM subsidy_report")
            database.executemany("INSERT INTO subsidy_report VALUES ('one', ?)", [(each,) for each in reported])
            return database.execute(query, {"id_no": "one", "today": day.isoformat()}).fetchone()[0]

        for last in map(datetime.date.fromisoformat, self.LAST):
            first = last.replace(day=1)
            before, after = first - datetime.timedelta(days=1), last + datetime.timedelta(days=1)
            with self.subTest(last=last):
                self.assertEqual([state(day) for day in (first, last, after)], ["in-time", "in-time", "missed"])
                self.assertEqual(state(after, first.isoformat()), "in-time")
                self.assertEqual(state(after, after.isoformat()), "in-time")
                self.assertEqual(state(after, before.isoformat()), "missed")
                self.assertEqual(state(before), "missed")


class Documentation(unittest.TestCase):
    def test_its_commands_find_nothing_wrong(self):
        self.assertEqual(set(ninth.files), {"views/senior.yaml", "senior-card.yaml"})
        self.assertEqual(len(ninth.commands), 2)
        for command in ninth.commands:
            done = subprocess.run([os.path.join(fixture.BIN, "lianban"), *shlex.split(command)], cwd=ninth.folder,
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_ninth_form_decides(self):
        people = [person for household in federation.people.households[:federation.people.num_own]
                  for person in household.people if not person.marks and not person.died and person.age >= 18]
        old = next(person for person in people if person.age >= 60)
        young = next(person for person in people if person.age < 60)
        for person, name, expected in ((old, old.name, "CARD"), (young, young.name, "NOT_YET"),
                                       (old, old.name + "某", "MANUAL")):
            members = [{"role": "applicant", "id_no": person.id_no, "name": name}]
            self.assertEqual(federation.window.apply(members, "senior-card").class_id, expected)


if __name__ == "__main__":
    unittest.main()
