"""A case by the command line alone: the window applies, the desk beside it confirms or refuses."""

import json
import os
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from desk import documents  # noqa: E402
from processes import wait_until  # noqa: E402

LIANBAN = os.path.join(fixture.BIN, "lianban")
SECONDS = 30


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(10)


def desk(word, ticket, document, *options):
    """`lianban consent confirm` or `refuse` as the desk's clerk types it; the number comes by a pipe."""
    return subprocess.run(
        [LIANBAN, "consent", word, "--desk", federation.members["desk"].config, "--request",
         ticket["request_id"], "--code", ticket["code"], "--document", "-", "--json", *options],
        input=document + "\n", capture_output=True, text=True, timeout=SECONDS, check=False)


class Command(unittest.TestCase):
    def setUp(self):
        self.household = find_story(federation, "dibao-lone-parent")
        self.members = self.household["members"]
        self.tickets = os.path.join(fixture.folder(), "tickets.json")

    def apply(self):
        """`lianban apply`, which waits for the desk."""
        process = subprocess.Popen(
            [LIANBAN, "apply", "--form", "social-assistance", "--household", "-", "--agent",
             federation.members["window"].address, "--operator", "W-1", "--unit", "u-1", "--tickets",
             self.tickets, "--wait", str(SECONDS), "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        process.stdin.write(yaml.safe_dump({"members": self.members}, allow_unicode=True))
        process.stdin.close()
        process.stdin = None
        wait_until(lambda: os.path.exists(self.tickets), SECONDS, "the tickets")
        with open(self.tickets, encoding="utf-8") as file:
            return process, json.load(file)["tickets"]

    def documents(self, ticket):
        """What is shown at the desk: (a number, options that name a second one)."""
        shown, also = documents(self.members, ticket["member"])
        if not also:
            return shown, ()
        path = os.path.join(os.path.dirname(self.tickets), "also.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(also)
        return shown, ("--also-document", path)

    def test_everybody_agrees(self):
        process, tickets = self.apply()
        self.assertEqual(len(tickets), len(self.members))
        for ticket in tickets:
            shown, also = self.documents(ticket)
            ended = desk("confirm", ticket, shown, "--method", "face", "--level", "3", *also)
            self.assertEqual(ended.returncode, 0, ended.stderr)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(f'"{self.household["class"]}"', out)
        for member in self.members:
            self.assertNotIn(member["id_no"], out + err)
        self.decide(json.loads(out))

    def case(self, word, case_id, *options, say=None, fails=None):
        """`lianban case` about one case, by W-0017; what is said comes by a pipe."""
        given = () if say is None else ("--operator", "W-0017", "--unit", "street-office-01", "--file", "-")
        ended = subprocess.run(
            [LIANBAN, "case", word, "--case", case_id, "--agent", federation.members["window"].address,
             *given, *options],
            input=None if say is None else yaml.safe_dump(say, allow_unicode=True), capture_output=True,
            text=True, timeout=SECONDS, check=False)
        self.assertEqual(ended.returncode, 1 if fails else 0, ended.stderr)
        self.assertIn(fails or "", ended.stderr)
        return ended.stdout

    def decide(self, result):
        """What a person does with a suggestion, up to the record that anybody can verify."""
        case_id, suggested = result["case_id"], result["class_id"]
        listed = json.loads(subprocess.run(
            [LIANBAN, "case", "list", "--agent", federation.members["window"].address, "--turn", "officer",
             "--json"], capture_output=True, text=True, timeout=SECONDS, check=True).stdout)
        self.assertIn(case_id, [one["case_id"] for one in listed["cases"]])
        self.case("letter", case_id, fails="CASE_STATE")
        decision = {"class": "NONE", "reason": "不符合条件", "law": ["SAL45"],
                    "suggestion": result["suggestion"]}
        self.case("decide", case_id, say=decision, fails="NOT_HEARD")
        decision["class"] = suggested
        decided = json.loads(self.case("decide", case_id, "--json", say=decision))
        self.assertEqual((decided["decision"]["departs"], decided["turn"]), ("no", "nobody"))
        letter = self.case("letter", case_id, "--language", "zh", "--variant", "large")
        for words in (result["class_zh"], "不符合条件", "行政复议法", "社会救助法"):
            self.assertIn(words, letter)
        for member in self.members:
            self.assertNotIn(member["id_no"], letter)
            self.assertNotIn(member["name"], letter)
        note = self.case("records", case_id, "--number", str(decided["decision"]["record"]))
        self.assertIn(suggested, self.verify(note))
        self.verify(note.replace(f"class {suggested}", "class NONE"), fails="SIGNATURE_INVALID")

    def verify(self, note, fails=None):
        """The record by the agent's key in the directory alone."""
        ended = subprocess.run(
            [LIANBAN, "case", "verify", "-", "--directory", federation.material.directory, "--signer",
             federation.material.directory_vkey],
            input=note, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(ended.returncode, 1 if fails else 0, ended.stderr)
        self.assertIn(fails or "", ended.stderr)
        return ended.stdout

    def test_somebody_refuses(self):
        process, tickets = self.apply()
        self.assertEqual(desk("refuse", tickets[0], self.documents(tickets[0])[0]).returncode, 0)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 1)
        self.assertIn("GRANT_REFUSED", out + err)

    def test_another_persons_document(self):
        process, tickets = self.apply()
        other = find_story(federation, "none-deposits")["members"][0]["id_no"]
        ended = desk("confirm", tickets[0], other, "--method", "face", "--level", "3")
        self.assertEqual(ended.returncode, 1)
        self.assertNotIn(other, ended.stdout + ended.stderr)
        process.kill()
        process.communicate()


class Explained(unittest.TestCase):
    """A department asks its own policy what would become of a request."""

    def explain(self, *options, **changes):
        request = {"requester": "street-office", "issuer": "street-office", "form": "social-assistance",
                   "version": 1, "purpose": "social-assistance", "basis": "mandate", "law": ["SAL41"],
                   "method": "document",
                   "wants": [{"view": "tax.capital", "field": "total",
                              "operator": "BUCKET(capital.bands)"}], **changes}
        return subprocess.run(
            [LIANBAN, "view", "explain", "--policy", federation.members["tax"].path("policy.yaml"),
             *options, "-"],
            input=json.dumps(request), capture_output=True, text=True, timeout=SECONDS, check=False)

    def test_what_the_form_asks_is_allowed(self):
        ended = self.explain()
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("tax.capital total BUCKET(capital.bands) G3: ALLOWED", ended.stdout)

    def test_sums_are_shares_now(self):
        ended = self.explain(wants=[{"view": "tax.wage", "field": "income", "operator": "SUM(12)"}])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("- operator: SUM(12) does not meet SHARE(12)", ended.stdout)

    def test_every_refusal_names_its_clause(self):
        for changes, code, clause in (
                ({"purpose": "marketing"}, "PURPOSE_NOT_ALLOWED", "- purpose"),
                ({"requester": "bank", "issuer": "bank"}, "REQUESTER_NOT_ALLOWED", "- requester"),
                ({"law": ["SAL40"]}, "BASIS_NOT_ALLOWED", "- basis"),
                ({"basis": "consent"}, "SELF_CONSENT", "- basis"),
                ({"version": 2}, "FORM_INERT", "- form"),
                ({"basis": "emergency", "issuer": "consent-hall", "life_hours": 25}, "BASIS_NOT_ALLOWED",
                 "- life: 25 h does not meet an emergency's at most 24 h"),
                ({"method": "none"}, "LOA_LOW", "- level")):
            ended = self.explain(**changes)
            self.assertEqual(ended.returncode, 1, code)
            self.assertIn(code, ended.stdout)
            self.assertIn(clause, ended.stdout)

    def test_for_programs_and_in_chinese(self):
        answer = json.loads(self.explain("--json").stdout)
        self.assertEqual((answer["department"], answer["code"]), ("tax", "OK"))
        self.assertTrue(answer["wants"][0]["rules"][0]["allows"])
        self.assertIn("获准", self.explain("--language", "zh").stdout)


if __name__ == "__main__":
    unittest.main()
