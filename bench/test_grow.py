"""The generators and the arithmetic of bench/grow*.py."""

import contextlib
import datetime
import glob
import os
import sqlite3
import sys
import tempfile
import unittest
from types import SimpleNamespace

_HERE = os.path.dirname(os.path.abspath(__file__))
_DEMO = os.path.join(_HERE, "..", "demo")
sys.path[:0] = [_HERE, _DEMO, os.path.join(_HERE, "..", "tests", "interop")]

import departments  # noqa: E402
import grow  # noqa: E402
import grow_city  # noqa: E402
import grow_people  # noqa: E402
import population  # noqa: E402
import spread  # noqa: E402
import yaml  # noqa: E402
from identity import id_is_valid  # noqa: E402
from members import DEPARTMENTS  # noqa: E402

_COPIES = 30    # more than are whole


def slice_of(p50, collect=1.0, cpu=2.0, rate=3.0):
    return {"p50_ms": p50, "p99_ms": 2 * p50, "per_second": rate, "n": 4, "failed": 0, "cpu_ms": {"adapter": cpu},
            "steps": {"collect": {"p50_ms": collect}}}


def queries():
    """(department, query) of every view that the form asks."""
    with open(os.path.join(_HERE, "..", "policy", "forms", "social-assistance.yaml"), encoding="utf-8") as file:
        asked = {fact["view"] for fact in yaml.safe_load(file)["facts"]}
    for path in glob.glob(os.path.join(_DEMO, "departments", "*", "views", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            view = yaml.safe_load(file)
        if view["view"] in asked:
            yield view["view"].partition(".")[0], view["query"]


class Numbers(unittest.TestCase):
    def test_a_copy_has_a_valid_number_of_its_own(self):
        made = {grow_people.number_of("990101199001010015", code) for code in range(1000, 10000)}
        self.assertEqual(len(made), 9000)
        self.assertTrue(all(id_is_valid(number) for number in made))

    def test_copies_are_spread_evenly_and_never_districts(self):
        for num in (1, 4, 24, 500, 9000):
            codes = grow_people.codes_of(num)
            self.assertEqual((len(set(codes)), min(codes)), (num, 1000))
            self.assertLessEqual(max(codes), 9999)
            whole = grow_people.whole_of(codes)
            self.assertEqual(len(set(whole)), min(num, 24))
            self.assertLessEqual(set(whole), set(codes))
        with self.assertRaises(ValueError):
            grow_people.codes_of(9001)

    def test_who_shares_a_tail_is_not_copied(self):
        self.assertEqual(grow_people.copied(["990101199001010015", "990102199001010013", "990101199001010031"]),
                         ["990101199001010031"])


class Enlarged(unittest.TestCase):
    """The demo's databases and the same with copies."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.people = population.generate(3, 200, datetime.date.today())
        cls.ids = [person.id_no for household in cls.people.households for person in household.people]
        cls.small, cls.large = (os.path.join(folder.name, name) for name in ("small", "large"))
        for path in (cls.small, cls.large):
            departments.write_all(cls.people, path)
        cls.bytes = grow_people.enlarge(cls.large, cls.ids, _COPIES)

    def rows(self, folder, department, sql, *values):
        with contextlib.closing(sqlite3.connect(os.path.join(folder, department + ".db"))) as database:
            return database.execute(sql, values).fetchall()

    def test_every_person_is_there_once_more_for_each_copy(self):
        num = len(grow_people.copied(self.ids))
        listed = self.rows(self.small, "public-security", "SELECT count(*) FROM person")[0][0]
        found = self.rows(self.large, "public-security", "SELECT id_no FROM person")
        self.assertGreaterEqual(len(found), listed + _COPIES * (num - len(self.ids) + listed))
        self.assertEqual(len(found), len(set(found)))
        self.assertTrue(all(id_is_valid(number) for (number,) in found))

    def test_a_whole_copy_has_all_that_its_person_has(self):
        code = grow_people.whole_of(grow_people.codes_of(_COPIES))[3]
        compared = 0
        for id_no in grow_people.copied(self.ids):
            for department, sql in (("tax", "SELECT month, income_cents FROM wage WHERE id_no = ? ORDER BY month"),
                                    ("finance", "SELECT bank, balance_cents FROM bank_query WHERE id_no = ?"),
                                    ("medical-insurance", "SELECT setl_time, psn_part_amt FROM insured JOIN settlement "
                                     "USING (psn_no) WHERE id_no = ? ORDER BY 1, 2"),
                                    ("housing", "SELECT d.area_m2 FROM title JOIN dwelling AS d USING (unit_no) WHERE "
                                     "owner_id = ? ORDER BY 1")):
                rows = self.rows(self.small, department, sql, id_no)
                copy = grow_people.number_of(id_no, code)
                self.assertEqual(self.rows(self.large, department, sql, copy), rows)
                compared += len(rows)
        self.assertGreater(compared, 500)

    def test_the_others_have_one_month_of_many(self):
        code = (set(grow_people.codes_of(_COPIES)) - set(grow_people.whole_of(grow_people.codes_of(_COPIES)))).pop()
        most = self.rows(self.large, "tax", "SELECT max(n) FROM (SELECT count(*) AS n FROM wage "
                         "WHERE substr(id_no, 3, 4) = ? GROUP BY id_no)", str(code))
        self.assertEqual(most, [(1,)])

    def test_indexes_are_as_they_were_and_used(self):
        for department in DEPARTMENTS:
            names = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name"
            self.assertEqual(self.rows(self.large, department, names), self.rows(self.small, department, names))
        values = {"id_no": "990101199001010015", "today": "2026-01-01", "this_month": "2026-01",
                  "from_month": "2025-01"}
        for department, query in queries():
            with contextlib.closing(sqlite3.connect(os.path.join(self.large, department + ".db"))) as database:
                plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + query, values)]
            self.assertEqual([step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step], [], query)

    def test_the_bytes_told_are_those_on_disk(self):
        self.assertEqual(self.bytes, sum(os.path.getsize(os.path.join(self.large, name))
                                         for name in os.listdir(self.large)))

    def test_every_table_that_the_form_reads_grows(self):
        read = {}
        for department, query in queries():
            read.setdefault(department, set()).update(grow_people.tables_read(query))
        self.assertEqual({name: tables - {"period"} for name, tables in read.items()},
                         {name: set(tables) for name, tables in grow_people.TABLES.items()})


class Sizes(unittest.TestCase):
    def test_a_size_that_the_disk_does_not_hold_is_left_out_and_said(self):
        before = grow.shutil.disk_usage
        self.addCleanup(setattr, grow.shutil, "disk_usage", before)
        grow.shutil.disk_usage = lambda _: SimpleNamespace(free=2 * 200000 * grow._BYTES_A_SUBJECT)
        sizes, left_out = grow._sizes_with_room("/", {})
        self.assertEqual(sizes, [10000, 100000])
        self.assertEqual(len(left_out), 1)
        self.assertIn("1 M subjects", left_out[0])

    def test_ten_million_fit_the_copies(self):
        self.assertLessEqual(max(grow.SUBJECTS["large"]) / grow._BASE_PEOPLE["full"],
                             grow_people.LAST_CODE - grow_people.FIRST_CODE + 1)

    def test_three_fields_are_asked(self):
        self.assertEqual([grow_city.asked(num) for num in (1, 3, 25, 250)],
                         [[1], [1, 2, 3], [1, 13, 25], [1, 125, 250]])

    def test_a_wide_view_has_all_its_fields(self):
        view = grow_city._view("a", "wide", {f"f{i}": "int" for i in range(1, 251)}, ["p"])
        self.assertEqual(len(view["fields"]), 250)
        self.assertIn("f1, f2", view["query"])
        self.assertTrue(all(len(field["rules"]) == 1 for field in view["fields"].values()))


class Growth(unittest.TestCase):
    SLICES = {10: [slice_of(2), slice_of(4), slice_of(3)], 90: [slice_of(3), slice_of(4), slice_of(6)]}

    def test_a_growth_is_the_median_of_the_rounds_own(self):
        self.assertEqual(grow.growth(self.SLICES, 10, 90), {"median": 1.5, "min": 1.0, "max": 2.0})

    def test_ours_beside_the_bare_ones(self):
        bare = {10: [slice_of(1)] * 3, 90: [slice_of(2)] * 3}
        found = grow._beside(grow._grown("departments", self.SLICES), self.SLICES, bare)
        self.assertEqual(found["growth"]["ours / bare"], {"median": 0.75, "min": 0.5, "max": 1.0})
        self.assertEqual(found["growth"]["bare p50_ms"]["median"], 2.0)

    def document(self):
        parts = {part: grow._grown(part, self.SLICES) for part in ("subjects", "fields", "departments")}
        grow._beside(parts["departments"], self.SLICES, {10: [slice_of(1)] * 3, 90: [slice_of(2)] * 3})
        parts["subjects"]["left_out"] = ["10 M subjects: more disk"]
        side = spread.side([slice_of(1)])
        level = {"in_flight": 4, "ours": side, "bare": side, "ratio": spread.spread([1.0])}
        return {**parts, "departments_in_flight": 10, "in_flight": [level]}

    def test_targets_lines_and_curves_of_a_document(self):
        found = self.document()
        targets = {target["id"]: target["measured"] for target in grow.targets(found)}
        self.assertEqual(targets, {"growth_subjects": 1.5, "growth_fields": 1.5, "growth_departments": 0.75})
        text = "\n".join(grow.lines(found))
        self.assertIn("10 M subjects: more disk", text)
        self.assertIn("ours / bare: 0.75 (0.50-1.00)", text)
        drawn = grow.curves(found)
        self.assertEqual(len(drawn), 4)
        self.assertEqual([series["label"] for series in drawn[2]["series"]], ["case", "collect", "bare fan-out"])
        self.assertEqual(drawn[0]["series"][0]["points"], [[10, 3], [90, 4]])


if __name__ == "__main__":
    unittest.main()
