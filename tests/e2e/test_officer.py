"""What a department's security officer asks of the own log: every answer is computed here a second
time, from the opened entries themselves."""

import collections
import csv
import hashlib
import hmac
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import access_cases  # noqa: E402
import fixture  # noqa: E402
from hostile import refusals  # noqa: E402
from members import DIALS_OUT  # noqa: E402
from officers import Officer  # noqa: E402
from processes import wait_until  # noqa: E402
from review_cases import Cases  # noqa: E402
from tell import Narrator  # noqa: E402

OWN = "tax"
OTHER = "health"
LIMIT = ("--limit", "10000")
HOUSEHOLDS = 5


def setUpModule():
    """Some cases, some attempts that are refused, and an officer with an index."""
    global federation, officer, reads, refused  # pylint: disable=global-statement
    federation = fixture.running(60)
    for household in federation.households[:HOUSEHOLDS]:
        federation.window.apply(household["members"])
    with open(os.devnull, "w", encoding="utf-8") as nobody:
        refused = refusals(federation, Narrator(nobody))["refusals"]
    officer = Officer(federation, OWN).enrol(2)
    officer.index()
    wait_until(lambda: "rows" in officer.ask("log", "admin", may_fail=True), 15, "the officer's listing")
    reads = [e for e in federation.entries(OWN, details=True) if e["type"] == "READ"]


def pseudonym(id_no):
    """As the adapter makes it, from its own key."""
    with open(federation.members[OWN].path("pseudonym.key"), encoding="utf-8") as file:
        key = bytes.fromhex(file.read().strip())
    return hmac.new(key, id_no.encode(), hashlib.sha256).hexdigest()


def people():
    return [member["id_no"] for household in federation.households[:HOUSEHOLDS] for member in household["members"]]


def run(*words, given=None):
    """A command as it is typed, without --json."""
    binary = os.path.join(federation.binaries, "lianban")
    return subprocess.run([binary, *words], input=given, capture_output=True, text=True, check=False,
                          timeout=60)


class Answers(unittest.TestCase):
    """The commands against the entries."""

    def same_entries(self, rows, entries):
        self.assertEqual([row["index"] for row in rows], [entry["index"] for entry in entries])
        self.assertGreater(len(entries), 0)

    def test_who_saw(self):
        for id_no in people()[:3]:
            answer = officer.ask("who-saw", "--document", "-", *LIMIT, given=id_no + "\n")
            own = [e for e in reads if e["detail"].get("subject") == pseudonym(id_no)]
            rows = [row for row in answer["rows"] if row["type"] == "READ"]
            self.same_entries(rows, own)
            for row, entry in zip(rows, own):
                detail = entry["detail"]
                self.assertEqual((row["operator"], row["purpose"], row["case"], row["requester"]),
                                 (detail["actor"], detail["purpose"], detail["case"], detail["requester"]))
                self.assertEqual(row["office"], detail["requester"].split("/")[4])
                for field in detail["fields"]:
                    self.assertIn(f"{field['view']}.{field['field']} {field['operator']}", row["fields"])

    def test_every_filter(self):
        first = next(e for e in reads if e["detail"]["code"] == "OK")["detail"]
        checks = {
            "--member": (first["requester"].split("/")[4], lambda d, e: d["requester"].split("/")[4]),
            "--operator": (first["actor"], lambda d, e: d.get("actor")),
            "--unit": (first["unit"], lambda d, e: d.get("unit")),
            "--purpose": (first["purpose"], lambda d, e: d.get("purpose")),
            "--basis": (first["basis"], lambda d, e: d.get("basis")),
            "--case": (first["case"], lambda d, e: d.get("case")),
            "--form": (first["form"], lambda d, e: d.get("form")),
            "--grant": (first["grant"], lambda d, e: d.get("grant")),
        }
        for option, (value, of) in checks.items():
            with self.subTest(option=option):
                rows = officer.ask("log", "query", "--type", "read", option, value, *LIMIT)["rows"]
                self.same_entries(rows, [e for e in reads if of(e["detail"], e) == value])

    def test_fields_views_and_classes(self):
        field = next(e for e in reads if e["detail"].get("fields"))["detail"]["fields"][0]
        name = f"{field['view']}.{field['field']}"
        with_field = [e for e in reads if any(f["view"] == field["view"] and f["field"] == field["field"]
                                              for f in e["detail"].get("fields", []))]
        self.same_entries(officer.ask("log", "query", "--field", name, *LIMIT)["rows"], with_field)
        with_view = [e for e in reads if field["view"] in e["views"]]
        self.same_entries(officer.ask("log", "query", "--view", field["view"], *LIMIT)["rows"], with_view)
        highest = max(e["detail"].get("class", 0) for e in reads)
        self.assertGreaterEqual(highest, 3)
        sensitive = [e for e in reads if e["detail"].get("class", 0) >= highest]
        self.same_entries(officer.ask("log", "query", "--class", str(highest), *LIMIT)["rows"], sensitive)

    def test_denials_and_codes(self):
        denied = [e for e in reads if e["code"] != "ANSWERED" or e["detail"]["code"] != "OK"]
        rows = [row for row in officer.ask("log", "denials", *LIMIT)["rows"] if row["type"] == "READ"]
        self.same_entries(rows, denied)
        own = [refusal for refusal in refused if refusal["department"] == OWN]
        self.assertGreater(len(own), 0)
        for refusal in own:
            found = officer.ask("log", "query", "--code", refusal["code"], *LIMIT)["rows"]
            self.assertIn(refusal["txn"], [row["txn"] for row in found])

    def test_times_and_pages(self):
        middle = reads[len(reads) // 2]
        since = middle["time"].split(".")[0] + "Z"
        rows = officer.ask("log", "query", "--type", "read", "--since", since, *LIMIT)["rows"]
        self.same_entries(rows, [e for e in reads if e["time"] >= since[:-1]])
        paged, start = [], []
        while True:
            page = officer.ask("log", "query", "--type", "read", "--limit", "7", *start)
            paged += page["rows"]
            if "next" not in page:
                break
            start = ["--from", str(page["next"])]
        self.same_entries(paged, reads)
        newest = officer.ask("log", "query", "--type", "read", "--newest", *LIMIT)["rows"]
        self.same_entries(newest, reads[::-1])

    def test_txn(self):
        entry = reads[0]
        rows = officer.ask("log", "txn", entry["txn"])["rows"]
        self.assertEqual([row["index"] for row in rows], [entry["index"]])
        self.assertEqual(rows[0]["other_side"], "linked")

    def test_did_and_totals(self):
        by = collections.defaultdict(list)
        for entry in reads:
            if "actor" in entry["detail"]:
                by[entry["detail"]["actor"]].append(entry)
        actor, own = max(by.items(), key=lambda item: len(item[1]))
        answer = officer.ask("log", "did", actor, *LIMIT)
        self.same_entries(answer["rows"], own)
        self.assertEqual(answer["entries"], len(own))
        self.assertEqual(answer["persons"], len({e["detail"]["subject"] for e in own if "subject" in e["detail"]}))
        unit = own[-1]["detail"]["unit"]
        peers = [len([e for e in found if e["detail"]["unit"] == unit]) for name, found in by.items()
                 if name != actor and any(e["detail"]["unit"] == unit for e in found)]
        self.assertEqual(answer["peers"], len(peers))
        self.assertEqual(answer["median_entries"], statistics.median_high(peers) if peers else 0)
        totals = officer.ask("log", "totals", "--by", "operator", *LIMIT)["rows"]
        self.assertEqual({row["key"]: row["rows"] for row in totals if row["key"] in by},
                         {name: len(found) for name, found in by.items()})

    def test_first_use_and_repeats(self):
        first = {}
        for entry in reads:
            first.setdefault((entry["detail"].get("actor", ""), ",".join(entry["views"])), entry["index"])
        rows = officer.ask("log", "first-use", *LIMIT)["rows"]
        self.assertEqual({(row["key"], row["key2"]): row["first_index"] for row in rows}, first)
        rows = officer.ask("log", "repeats", "--days", "1", *LIMIT)["rows"]
        pairs = collections.Counter((e["detail"].get("actor", ""), e["detail"].get("subject", "")) for e in reads)
        self.assertEqual({(row["key"], row["key2"]): row["rows"] for row in rows}, dict(pairs))
        self.assertEqual(officer.ask("log", "repeats", "--days", "2")["rows"], [])

    def test_emergencies_admin_erasures(self):
        emergencies = [e for e in reads if e["detail"].get("basis") == "emergency" and e["detail"]["code"] == "OK"]
        self.assertEqual([row["index"] for row in officer.ask("log", "emergencies", *LIMIT)["rows"]],
                         [e["index"] for e in emergencies])
        rows = officer.ask("log", "admin", *LIMIT)["rows"]
        self.assertIn("STARTED", {row["code"] for row in rows})
        answer = officer.ask("log", "erasures", "--retain-days", "0")
        self.assertEqual(answer["due_entries"], len([e for e in reads if "subject" in e["detail"]]))
        self.assertEqual(answer["rows"], [])

    def test_status(self):
        answer = federation.material.lianban("log", "status", "--index", officer.index_folder, may_fail=True)
        self.assertIn(answer["status"], ("green", "yellow", "red"))
        self.assertGreaterEqual(answer["indexed"], len(reads))
        self.assertEqual(answer["log"], federation.members[OWN].spiffe[len("spiffe://"):])

    def test_tables_and_csv(self):
        words = ["log", "query", "--type", "read", "--index", officer.index_folder, "--officer", officer.profile]
        table = run(*words, "--language", "zh")
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertIn("经办人", table.stdout)
        self.assertIn("滞后", table.stdout)
        printed = run(*words, "--csv", *LIMIT)
        rows = list(csv.DictReader(io.StringIO(printed.stdout.lstrip("\ufeff"))))
        self.assertEqual([int(row["index"]) for row in rows], [e["index"] for e in reads])
        self.assertIn("entries behind the log", run(*words, "--language", "en").stdout)


class Recorded(unittest.TestCase):
    """No query without its entry."""

    def reviews(self):
        return [e for e in federation.entries(OWN, details=True) if e["type"] == "REVIEW"]

    def test_a_query_is_an_entry_before_it_answers(self):
        id_no = people()[0]
        answer = officer.ask("who-saw", "--document", "-", "--reason", "complaint 17", given=id_no)
        entry = self.reviews()[-1]
        self.assertEqual((entry["index"], entry["code"]), (answer["review_entry"], "WHO_SAW"))
        self.assertEqual((entry["detail"]["officer"], entry["detail"]["reason"]), (officer.spiffe, "complaint 17"))
        commitment = hashlib.sha256(b"lianban review v1" + bytes.fromhex(entry["detail"]["salt"]) +
                                    entry["detail"]["query"].encode()).hexdigest()
        self.assertEqual(entry["request_hash"], commitment)
        self.assertNotIn(id_no, json.dumps(entry))
        officer.index()
        rows = officer.ask("who-saw", "--document", "-", *LIMIT, given=id_no)["rows"]
        self.assertIn(entry["index"], [row["index"] for row in rows])

    def test_what_is_asked_stands_in_the_record(self):
        officer.ask("log", "query", "--case", "C-17", "--decision", "deny")
        self.assertEqual(self.reviews()[-1]["detail"]["query"], "decision=deny case=C-17")

    def test_another_departments_officer_gets_nothing(self):
        stranger = Officer(federation, OTHER, "wang").enrol(3)
        stranger.write_profile(federation.members[OWN])
        stranger.index_folder = officer.index_folder
        before = len(self.reviews())
        wait_until(lambda: "ROLE_NOT_ALLOWED" in self.refusal(stranger), 15, "the refusal by kind")
        self.assertEqual(len(self.reviews()), before)

    def refusal(self, who):
        answer = who.ask("log", "query", may_fail=True)
        self.assertEqual(answer["error"]["code"], "REVIEW_UNRECORDED")
        return answer["error"]["detail"]

    def test_without_the_node_nothing_is_looked_up(self):
        """This one's own node cannot be reached: the directory has no address of it."""
        alone = Officer(federation, OWN)
        alone.profile = os.path.join(officer.folder, "alone.yaml")
        alone.write_profile(federation.members[DIALS_OUT])
        answer = alone.ask("log", "query", may_fail=True)
        self.assertEqual(answer["error"]["code"], "REVIEW_UNRECORDED")
        self.assertNotIn("rows", answer)

    def test_an_identity_number_on_the_command_line_is_refused(self):
        id_no = people()[0]
        before = len(self.reviews())
        answer = officer.ask("log", "query", "--case", id_no, may_fail=True)
        self.assertEqual(answer["error"]["code"], "MALFORMED")
        self.assertNotIn(id_no, json.dumps(answer))
        self.assertEqual(len(self.reviews()), before)

    def test_unrecorded_is_for_copies_and_shows(self):
        live = run("log", "query", "--index", officer.index_folder, "--unrecorded", "--json")
        self.assertEqual(json.loads(live.stdout)["error"]["code"], "REVIEW_UNRECORDED")
        copied = Officer(federation, OWN, "zhou")
        log = os.path.join(copied.folder, "log")
        refused_copy = copied.index("--copy", may_fail=True)
        self.assertEqual(refused_copy["error"]["code"], "CONFIG_INVALID")
        shutil.copytree(federation.members[OWN].state, log, ignore=shutil.ignore_patterns("lock"))
        copied.index("--copy", "--rebuild", log=log)
        shown = run("log", "query", "--index", copied.index_folder, "--unrecorded", "--language", "en")
        self.assertIn("UNRECORDED", shown.stdout)
        hexed = pseudonym(people()[0])
        answer = json.loads(run("who-saw", "--subject", hexed, "--index", copied.index_folder,
                                "--unrecorded", "--json").stdout)
        self.assertEqual({row["subject"] for row in answer["rows"]}, {hexed})
        self.assertIn("unrecorded", answer)


class Reviewed(Cases, unittest.TestCase):
    """What the officer's rules notice in this log, and the month's report."""

    def world(self):
        return federation, officer, reads


class WhoLooked(access_cases.Cases, unittest.TestCase):
    """Last, since it asks for more: who looked, told to the person and to an authority."""

    @classmethod
    def setUpClass(cls):
        cls.told = access_cases.Told(federation, officer)
        cls.addClassCleanup(cls.told.station.stop)


if __name__ == "__main__":
    unittest.main()
