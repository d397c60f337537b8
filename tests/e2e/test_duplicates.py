"""Who gets help from two departments at once, found without either showing its list; and everything that
must be refused on the way (docs/DUPLICATES.md)."""

import contextlib
import os
import shutil
import sqlite3
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
import defects  # noqa: E402
import outreach  # noqa: E402
from duplicates import ANSWERER, ASKER, HOW_MANY, WHO, Comparison  # noqa: E402
from identity import id_check  # noqa: E402
from outreach_cases import Cases  # noqa: E402
from window import BADGE, UNIT  # noqa: E402

PEOPLE, RECIPIENTS = 400, 90
RECHECK_FORM = os.path.join(fixture.ROOT, "policy", "forms", "recheck.yaml")
LEAST = 0.99


def setUpModule():
    global federation, comparison  # pylint: disable=global-statement
    federation = fixture.made(PEOPLE, ready=plant, watching=outreach.SOURCES)
    comparison = Comparison(federation)
    unittest.addModuleCleanup(federation.stop)
    federation.start()


def plant(made):
    global planted, watches  # pylint: disable=global-statement
    made.material.forms["recheck"] = RECHECK_FORM
    planted = defects.plant(made.people, os.path.join(made.root, "departments"), recipients=RECIPIENTS)
    taken = planted.aided | planted.helped | {person for pair in planted.homonyms for person in pair}
    watches = outreach.plant(made, taken)


def codes(name):
    return [entry["code"] for entry in federation.entries(name) if entry["code"].startswith("PSI_")]


def rates(found, true):
    """Recall and precision."""
    return len(found & true) / len(true), len(found & true) / len(found)


def tampered(path, out, at, byte=None):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[at] = content[at] ^ 1 if byte is None else byte
    with open(out, "wb") as file:
        file.write(content)


class Duplicates(unittest.TestCase):
    """In the order of their names: each builds on what was compared before."""

    def refused(self, answer, code):
        self.assertEqual(answer.get("error", {}).get("code"), code, answer)

    def test_1_both_have_agreed_on_the_same_text(self):
        one, other = comparison.show(ASKER), comparison.show(ANSWERER)
        self.assertEqual({one[WHO], one[HOW_MANY]}, {other[WHO], other[HOW_MANY]})
        self.assertEqual(one["rows"], [])

    def test_2_other_terms_are_no_agreement(self):
        offer = comparison.offer(WHO, out="first.psi")
        self.assertEqual(offer["people"], len(planted.aided))
        self.assertEqual(offer["left_out"], 0)
        self.assertGreaterEqual(offer["size"], offer["people"])
        for change in ({"purpose": "other"}, {"law": "其他"}, {"every_days": 1}):
            comparison.write(ANSWERER, **change)
            self.refused(comparison.answer("first.psi"), "PSI_AGREEMENT")
        comparison.write(ANSWERER)
        self.assertEqual(codes(ANSWERER), [])

    def test_3_what_was_changed_on_the_way_is_refused(self):
        first, bad = comparison.path(ASKER, "first.psi"), comparison.path(ASKER, "bad.psi")
        size = os.path.getsize(first)
        for at, code in ((12, "VERSION_UNSUPPORTED"), (30, "PSI_AGREEMENT"), (size // 2, "SIGNATURE_INVALID"),
                         (size - 1, "SIGNATURE_INVALID")):
            tampered(first, bad, at)
            with self.subTest(at=at):
                self.refused(comparison.answer("bad.psi"), code)
        with open(bad, "wb") as file:
            file.write(b"\0" * (17 * 1024 * 1024))
        self.refused(comparison.answer("bad.psi"), "TOO_LARGE")
        os.unlink(bad)
        self.refused(comparison.answer("bad.psi"), "FILE_FAILED")

    def test_4_a_list_that_was_not_agreed_is_not_read(self):
        listed = comparison.path(ASKER, "hardship-aid.yaml")
        with open(listed, encoding="utf-8") as file:
            text = file.read()
        with open(listed, "w", encoding="utf-8") as file:
            file.write(text.replace("'HARDSHIP'", "'DIBAO'"))
        self.refused(comparison.offer(WHO, out="other.psi"), "CONFIG_INVALID")
        comparison.write(ASKER)
        self.assertFalse(os.path.exists(comparison.path(ASKER, "other.psi")))

    def test_5_duplicates_are_found(self):
        answer = comparison.answer("first.psi")
        self.assertEqual(answer["people"], len(planted.helped))
        again = comparison.answer("first.psi", out="again.psi")  # cut off, done again
        self.assertEqual(again["run"], answer["run"])
        tampered(comparison.path(ANSWERER, "answer.psi"), comparison.path(ANSWERER, "bad.psi"), -70)
        self.refused(comparison.finish("bad.psi"), "SIGNATURE_INVALID")
        done = comparison.finish()
        path = comparison.path(ASKER, "both.txt")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as file:
            found = {planted.payments[line] for line in file.read().splitlines()}
        recall, precision = rates(found, planted.both)
        print(f"\nduplicates by blind comparison: {len(planted.aided)} aided, {len(planted.helped)} helped,"
              f" {len(planted.both)} both; recall {recall:.3f}, precision {precision:.3f}")
        self.assertGreaterEqual(min(recall, precision), LEAST)
        self.assertEqual(done["count"], len(found))
        confused = found & {person for pair in planted.homonyms for person in pair}
        print(f"homonyms by blind comparison: {len(planted.homonyms)} pairs, {len(confused)} confused")
        self.assertEqual(confused, set())
        self.assertTrue(found & planted.variants)
        self.assertLessEqual(planted.elsewhere, found)

    def test_6_a_list_is_compared_once(self):
        self.refused(comparison.finish(), "PSI_REPEATED")
        self.refused(comparison.offer(WHO), "PSI_REPEATED")
        self.refused(comparison.offer(HOW_MANY), "PSI_REPEATED")
        self.assertEqual(codes(ASKER), ["PSI_OFFERED", "PSI_FINISHED", "PSI_REFUSED", "PSI_REFUSED"])
        shutil.copy(comparison.path(ANSWERER, "answer.psi"), comparison.path(ASKER, "answer.psi"))
        self.refused(comparison.answer("answer.psi"), "MALFORMED")
        self.assertEqual(codes(ANSWERER), ["PSI_ANSWERED", "PSI_ANSWERED"])
        states = [row["state"] for row in comparison.show(ASKER)["rows"]]
        self.assertEqual(states, ["ended"])

    def test_6b_a_list_that_changed_by_one_waits_as_well(self):
        path = os.path.join(federation.root, "departments", ASKER + ".db")
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            one = database.execute("SELECT min(pid) FROM aid_payment WHERE aid_kind = 'HARDSHIP'").fetchone()[0]
            database.execute("UPDATE aid_payment SET aid_kind = 'TEMPORARY' WHERE pid = ?", (one,))
            newest = one.replace(federation.people.month(-1), federation.people.month(0))
            database.execute("UPDATE aid_payment SET aid_kind = 'TEMPORARY' WHERE pid = ?", (newest,))
        self.refused(comparison.offer(WHO), "PSI_REPEATED")
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE aid_payment SET aid_kind = 'HARDSHIP' WHERE pid IN (?, ?)", (one, newest))

    def test_7_what_is_recorded_names_nobody(self):
        for name in (ASKER, ANSWERER):
            for entry in federation.entries(name, details=True):
                if entry["code"].startswith("PSI_"):
                    self.assertFalse([p for p in planted.aided | planted.helped if p in str(entry)])
        for file in (comparison.path(ASKER, "first.psi"), comparison.path(ASKER, "state/psi.db"),
                     comparison.path(ANSWERER, "state/psi.db")):
            with open(file, "rb") as opened:
                content = opened.read()
            self.assertFalse([p for p in planted.aided | planted.helped if p.encode() in content])

    def test_8_without_its_own_log_nothing_is_compared(self):
        for name in (ASKER, ANSWERER):
            shutil.rmtree(comparison.path(name, "state"))
        federation.processes[ASKER].stop()
        self.refused(comparison.offer(HOW_MANY, out="count.psi"), "REVIEW_UNRECORDED")
        self.assertFalse(os.path.exists(comparison.path(ASKER, "count.psi")))
        federation.processes[ASKER].start()
        federation.wait_answering(ASKER)

    def count(self, k):
        """A comparison that has forgotten the ones before it."""
        for name in (ASKER, ANSWERER):
            shutil.rmtree(comparison.path(name, "state"), ignore_errors=True)
            comparison.write(name, k=k)
        comparison.offer(HOW_MANY, out="count.psi")
        comparison.answer("count.psi", out="count-answer.psi")
        return comparison.finish("count-answer.psi", out="none.txt")

    def test_9_how_many_and_no_more(self):
        both = len(planted.both)
        self.assertGreaterEqual(both, 10)
        self.refused(self.count(both + 1), "PSI_TOO_FEW")
        self.refused(comparison.finish("count-answer.psi"), "PSI_REPEATED")
        self.assertEqual(self.count(both)["count"], both)
        self.assertFalse(os.path.exists(comparison.path(ASKER, "none.txt")))
        comparison.write(ASKER, k=9)
        self.refused(comparison.offer(HOW_MANY), "CONFIG_INVALID")
        comparison.write(ASKER)

    def test_9b_who_may_do_what(self):
        self.refused(comparison.offer(WHO, by=ANSWERER), "PSI_AGREEMENT")
        comparison.officers[ASKER], comparison.officers[ANSWERER] = (
            comparison.officers[ANSWERER], comparison.officers[ASKER])
        shutil.rmtree(comparison.path(ASKER, "state"))
        self.refused(comparison.offer(WHO), "REVIEW_UNRECORDED")


class Recheck(unittest.TestCase):
    """Everybody who gets hardship aid, one by one, by mandate."""

    @classmethod
    def setUpClass(cls):
        cls.folder = fixture.folder()
        cls.people = sorted(planted.payments.items())
        cls.told = cls.recheck("all", cls.people)
        with open(cls.path("all.out"), encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        cls.rows = {planted.payments[row[0]]: row for row in rows}

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def recheck(cls, name, people, *options):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.writelines(f"{record}\t{id_no}\t{planted.names[id_no]}\n" for record, id_no in people)
        return federation.material.lianban(
            "recheck", "run", "--form", "recheck", "--list", cls.path(name), "--out", cls.path(name + ".out"),
            "--agent", federation.members["window"].address, "--operator", BADGE, "--unit", UNIT,
            "--per-minute", "6000", *options, may_fail=True)

    def found(self, finding):
        return {person for person, row in self.rows.items() if finding in row[3].split(",")}

    def test_what_was_planted_is_found(self):
        for finding, true in (("duplicate", planted.both), ("ineligible", planted.ineligible),
                              ("income_error", planted.income_errors), ("dead", planted.dead)):
            with self.subTest(finding):
                recall, precision = rates(self.found(finding), true)
                print(f"\n{finding} by mandate: {len(true)} of {len(self.people)}; recall {recall:.3f},"
                      f" precision {precision:.3f}")
                self.assertGreaterEqual(min(recall, precision), LEAST)
                told = {row["finding"]: row["found"] for row in self.told["rows"]}
                self.assertEqual(told[finding], len(self.found(finding)))

    def test_homonyms_are_told_apart(self):
        confused = [aided for aided, _ in planted.homonyms if aided in self.found("duplicate")]
        print(f"\nhomonyms by mandate: {len(planted.homonyms)} pairs, {len(confused)} confused")
        self.assertEqual(confused, [])

    def test_nothing_is_decided_against_anybody(self):
        self.assertEqual({row[2] for row in self.rows.values()} - {"REVIEW", "MANUAL"}, set())
        self.assertEqual(self.told["checked"], len(self.people))
        self.assertEqual(self.told["unchanged"] + self.told["to_a_person"], len(self.people))
        self.assertEqual(self.told["to_a_person"], len(self.rows))
        one = next(iter(self.rows.values()))
        self.assertEqual(federation.window.get(one[1]).class_id, one[2])

    def test_what_is_not_known_goes_to_a_person(self):
        nobody = "99010519900101001" + id_check("99010519900101001")  # registered nowhere
        planted.names[nobody] = "某人"
        told = self.recheck("unknown", [("R1", nobody)])
        self.assertEqual((told["unchanged"], told["to_a_person"]), (0, 1))
        with open(self.path("unknown.out"), encoding="utf-8") as file:
            self.assertEqual(file.read().rstrip("\n").split("\t")[2:], ["MANUAL", "", "dead"])

    def test_a_wrong_line_stops_it_and_names_nobody(self):
        with open(self.path("bad"), "w", encoding="utf-8") as file:
            file.write("R1\t990101199001011234\tX\n")
        refused = federation.material.lianban(
            "recheck", "run", "--form", "recheck", "--list", self.path("bad"), "--out", self.path("bad.out"),
            "--agent", federation.members["window"].address, "--operator", BADGE, "--unit", UNIT, may_fail=True)
        self.assertEqual(refused["error"]["code"], "MALFORMED")
        self.assertNotIn("990101199001011234", str(refused))


class Finding(Cases, unittest.TestCase):
    """Who may be entitled and has not applied."""

    @classmethod
    def setUpClass(cls):
        cls.federation, cls.watches = federation, watches
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
