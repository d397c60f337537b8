"""Tests of the demo world: python3 -m unittest demo/test_generate.py"""

import collections
import contextlib
import datetime
import glob
import hashlib
import io
import json
import os
import re
import sqlite3
import statistics
import sys
import tempfile
import unittest

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

import departments  # noqa: E402
import expected  # noqa: E402
import generate  # noqa: E402
import identity  # noqa: E402
import population  # noqa: E402
import truth  # noqa: E402

TODAY = datetime.date(2026, 11, 21)
CLASSES = ("TEKUN", "DIBAO", "SINGLE", "EDGE", "RIGID", "NONE", "MANUAL")
RULES = os.path.join(os.path.dirname(_HERE), "policy", "rules", "beijing-reference.yaml")
CATALOGUE = os.path.join(os.path.dirname(_HERE), "policy", "catalogue", "thresholds.yaml")


def make(out, *more):
    """Runs the generator and returns its truth."""
    path = os.path.join(out, "truth.json")
    with contextlib.redirect_stdout(io.StringIO()):
        code = generate.main(["--out", out, "--truth", path, "--today", TODAY.isoformat(), *more])
    assert code == 0
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def open_department(out, department):
    return sqlite3.connect(f"file:{os.path.join(out, department)}.db?mode=ro", uri=True)


def content_hash(out):
    digest = hashlib.sha256()
    for department in departments.LAG_DAYS:
        with contextlib.closing(open_department(out, department)) as connection:
            for line in connection.iterdump():
                digest.update(line.encode())
    return digest.hexdigest()


class Identifiers(unittest.TestCase):
    def test_identity_numbers_of_the_standard(self):
        for id_no in ("11010519491231002X", "440524188001010014"):
            self.assertTrue(identity.id_is_valid(id_no))

    def test_wrong_identity_numbers(self):
        for id_no in ("110105194912310021", "11010519491331002X", "11010519491231002", "",
                      "1101051949123100２X"):
            self.assertFalse(identity.id_is_valid(id_no))

    def test_credit_code_of_the_standard(self):
        self.assertEqual(identity.uscc_check("91350100M000100Y4"), "3")

    def test_regions_are_the_sixteen_districts(self):
        districts, streets = identity.load_regions()
        self.assertEqual(len(districts), 16)
        self.assertTrue(all(len(streets[code]) == 3 for code, _ in districts))

    def test_a_number_is_given_once(self):
        ids = identity.IdNumbers(population.random.Random(1))
        given = {ids.next("110105", "1990-01-01", "F") for _ in range(400)}
        self.assertEqual(len(given), 400)


class World(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._temporary = tempfile.TemporaryDirectory()
        cls.out = cls._temporary.name
        cls.truth = make(cls.out)

    @classmethod
    def tearDownClass(cls):
        cls._temporary.cleanup()

    def rows(self, department, sql, *values):
        with contextlib.closing(open_department(self.out, department)) as connection:
            return connection.execute(sql, values).fetchall()

    def test_same_arguments_same_content_other_seed_other_content(self):
        with tempfile.TemporaryDirectory() as again, tempfile.TemporaryDirectory() as other:
            self.assertEqual(make(again), self.truth)
            self.assertEqual(content_hash(again), content_hash(self.out))
            make(other, "--seed", "5")
            self.assertNotEqual(content_hash(other), content_hash(self.out))

    def test_every_identity_is_valid_unassigned_and_single(self):
        ids = [row[0] for row in self.rows("medical-insurance", "SELECT id_no FROM insured")]
        self.assertGreaterEqual(len(ids), 2000)
        self.assertEqual(len(set(ids)), len(ids))
        self.assertTrue(all(id_no.startswith("99") and identity.id_is_valid(id_no) for id_no in ids))
        codes = [row[0] for row in self.rows("tax", "SELECT uscc FROM business")]
        self.assertTrue(all(identity.uscc_check(code[:17]) == code[17] for code in codes))

    def test_every_class_has_households(self):
        found = collections.Counter(h["class"] for h in self.truth["households"])
        self.assertEqual(set(found), set(CLASSES))
        self.assertTrue(all(found[name] >= 3 for name in CLASSES), found)
        stories = collections.Counter(h["class"] for h in self.truth["stories"])
        self.assertTrue(all(stories[name] >= 3 for name in CLASSES), stories)
        self.assertEqual(max(len(h["members"]) for h in self.truth["stories"]), 12)

    def test_households_are_well_formed(self):
        for household in self.truth["households"]:
            roles = [member["role"] for member in household["members"]]
            self.assertEqual(roles.count("applicant"), 1)
            self.assertEqual(roles[0], "applicant")
            self.assertLessEqual(len(roles), 12)

    def test_databases_and_population_agree_on_every_household(self):
        checker = expected.Expected(self.out, TODAY)
        self.addCleanup(checker.close)
        for household in self.truth["households"]:
            result, reason = checker.judge(household["members"])
            self.assertEqual(result, household["class"], (household, reason))

    def test_a_changed_record_changes_the_class(self):
        checker = expected.Expected(self.out, TODAY)
        self.addCleanup(checker.close)
        household = next(h for h in self.truth["stories"] if h["story"]["key"] == "dibao-couple")
        wrong_name = [dict(member, name="某人") for member in household["members"]]
        self.assertEqual(checker.judge(wrong_name)[0], "MANUAL")
        self.assertEqual(checker.judge(household["members"][:1])[0], "MANUAL")

    def test_files_are_plain(self):
        self.assertEqual(sorted(glob.glob(os.path.join(self.out, "*.db*"))),
                         sorted(os.path.join(self.out, d + ".db") for d in departments.LAG_DAYS))
        for department in departments.LAG_DAYS:
            with open(os.path.join(self.out, department + ".db"), "rb") as file:
                self.assertEqual(file.read(20)[18:20], b"\x01\x01", "not a rollback journal")

    def test_departments_have_their_own_date(self):
        dates = {d: self.rows(d, "SELECT as_of FROM data_as_of") for d in departments.LAG_DAYS}
        self.assertTrue(all(len(found) == 1 for found in dates.values()))
        self.assertGreater(len({found[0][0] for found in dates.values()}), 5)

    def test_one_dead_beneficiary(self):
        paid = [row[0] for row in self.rows("civil-affairs", "SELECT id_no FROM aid_payment WHERE month = '2026-11'")]
        dead = [row for row in self.rows("public-security", "SELECT id_no FROM person WHERE status = 'dead'")
                if row[0] in paid]
        self.assertEqual(len(dead), 1)
        self.assertEqual(len(self.rows("health", "SELECT 1 FROM death_cert WHERE id_no = ?",
                                       dead[0][0])), 1)

    def test_planted_oddities(self):
        pairs = self.rows("public-security", "SELECT count(*) FROM person GROUP BY name, birth, sex"
                          " HAVING count(*) > 1")
        self.assertGreaterEqual(len(pairs), 1)
        self.assertEqual(len(self.rows("public-security", "SELECT 1 FROM household WHERE hh = '13010200000001'"
                                       " AND hukou_area6 NOT LIKE '11%'")), 1)
        months = self.rows("social-security", "SELECT count(*) FROM contribution GROUP BY aac001"
                           " ORDER BY 1 DESC LIMIT 1")
        self.assertEqual(months, [(360 - 99,)])
        self.assertGreaterEqual(len(self.rows("finance", "SELECT 1 FROM bank_query WHERE as_of"
                                              " < '2026-01-01'")), 1)

    def test_homonyms_and_variants(self):
        names = [row[0] for row in self.rows("public-security", "SELECT name FROM person")]
        self.assertLess(len(set(names)), 0.95 * len(names))
        odd = [n for n in names if expected.normal_name(n) != n or any(ord(c) > 0xFFFF for c in n)]
        self.assertTrue(0.008 < len(odd) / len(names) < 0.04, len(odd))


class Distributions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        world = population.generate(7, 20000, TODAY)
        cls.households = world.households
        cls.people = [person for household in world.households for person in household.people]

    def share(self, test):
        return sum(map(test, self.people)) / len(self.people)

    def test_stories_come_to_what_they_are_told_as(self):
        for household in self.households:
            if household.story:
                self.assertEqual(truth.judge(household)[0], household.story["class"],
                                 household.story["key"])

    def test_people(self):
        self.assertAlmostEqual(len(self.people) / len(self.households), 2.62, delta=0.12)
        self.assertAlmostEqual(self.share(lambda p: p.age < 15), 0.1795, delta=0.025)
        self.assertAlmostEqual(self.share(lambda p: p.age >= 60), 0.187, delta=0.025)
        men = self.share(lambda p: p.sex == "M")
        self.assertAlmostEqual(men / (1 - men), 1.0507, delta=0.06)
        self.assertAlmostEqual(self.share(lambda p: p.variant is not None), 0.02, delta=0.008)

    def test_incomes(self):
        heads = [sum(map(truth.income_of, h.people)) / 100 / len(h.people) for h in self.households]
        self.assertAlmostEqual(statistics.mean(heads), 41314, delta=4000)
        self.assertAlmostEqual(statistics.median(heads), 34707, delta=5500)

    def test_ages_fit_birth_dates(self):
        for person in self.people:
            born = datetime.date.fromisoformat(person.birth)
            age = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
            self.assertEqual(age, person.age)


class Views(unittest.TestCase):
    """The queries of every view run on the department's database and find their rows by an index; a view of
    the officer's station has none."""

    @classmethod
    def setUpClass(cls):
        cls._temporary = tempfile.TemporaryDirectory()
        cls.out = cls._temporary.name
        cls.truth = make(cls.out)
        cls.views = sorted(glob.glob(os.path.join(_HERE, "departments", "*", "views", "*.yaml")))

    @classmethod
    def tearDownClass(cls):
        cls._temporary.cleanup()

    @staticmethod
    def entry(text, key):
        """A plain or block scalar of a view file."""
        found = re.search(rf"^{key}: \|\n((?:  .*\n)+)|^{key}: (.+)$", text, re.MULTILINE)
        return (found.group(1) or found.group(2)).strip()

    def each(self):
        for path in self.views:
            department = path.split(os.sep)[-3]
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if re.search(r"^source: officer$", text, re.MULTILINE):
                continue
            with contextlib.closing(open_department(self.out, department)) as connection:
                yield path, text, connection

    def parameters(self, id_no):
        return {"id_no": id_no, "today": TODAY.isoformat(), "this_month": "2026-11",
                "from_month": "2025-11"}

    def test_there_are_views_of_ten_departments(self):
        self.assertEqual({path.split(os.sep)[-3] for path in self.views}, set(departments.LAG_DAYS))

    def test_queries_run_and_name_their_columns(self):
        id_no = self.truth["stories"][3]["members"][0]["id_no"]
        for path, text, connection in self.each():
            with self.subTest(view=path):
                cursor = connection.execute(self.entry(text, "query"), self.parameters(id_no))
                columns = {column[0] for column in cursor.description}
                named = re.findall(r"^    (?:column|month): (\S+)$", text, re.MULTILINE)
                self.assertLessEqual(set(named), columns)
                limit = int(self.entry(text, "max_rows"))
                self.assertLessEqual(len(cursor.fetchall()), limit)
                as_of = connection.execute(self.entry(text, "as_of")).fetchall()
                self.assertEqual([len(row) for row in as_of], [1])
                datetime.date.fromisoformat(as_of[0][0])

    def test_queries_search_and_never_scan(self):
        for path, text, connection in self.each():
            with self.subTest(view=path):
                plan = connection.execute("EXPLAIN QUERY PLAN " + self.entry(text, "query"),
                                          self.parameters("990105199001010015"))
                steps = [row[3] for row in plan]
                self.assertTrue(any(step.startswith("SEARCH") for step in steps), steps)
                self.assertFalse(any(step.startswith("SCAN") and step != "SCAN CONSTANT ROW" for step in steps), steps)

    def test_what_nobody_needs_is_not_read(self):
        """No query names a column that no form may have: it cannot leak, and no rule can release it."""
        never = {"health": "weight_g weeks hospital icd10", "medical-insurance": "dx_icd10 fixmedins_code balance"
                 " claim_cents allowance_cents", "public-security": "photo_hash nation addr_text former_name",
                 "civil-affairs": "amount_month hh_key", "education": "school_code grade", "housing": "balance rent"
                 " subsidy_pct addr12", "social-security": "aab001 aab004 unit_cents person_cents",
                 "finance": "acct_enc"}
        for path, text, _ in self.each():
            words = set(re.findall(r"[a-z_0-9]+", self.entry(text, "query")))
            for column in never.get(path.split(os.sep)[-3], "").split():
                with self.subTest(view=path, column=column):
                    self.assertNotIn(column, words)

    def test_every_view_answers_for_somebody(self):
        ids = [m["id_no"] for h in self.truth["households"] for m in h["members"]]
        for path, text, connection in self.each():
            with self.subTest(view=path):
                query = self.entry(text, "query")
                self.assertTrue(any(connection.execute(query, self.parameters(id_no)).fetchone()
                                    for id_no in ids))


class Standards(unittest.TestCase):
    """The numbers kept apart in Python are the rule set's."""

    def test_thresholds(self):
        with open(RULES, encoding="utf-8") as file:
            found = dict(re.findall(r"^  ([a-z.]+):\n    value: (\d+)$", file.read(), re.MULTILINE))
        self.assertEqual(int(found["std.dibao"]), truth.STANDARD)
        self.assertEqual(int(found["income.local"]), truth.LOCAL_INCOME)
        self.assertEqual(int(found["area.mean"]), truth.MEAN_AREA)
        self.assertEqual((found["edge.ratio"], found["rigid.ratio"], found["deposit.months"]),
                         ("15000", "5000", "24"))

    def test_what_stands_in_no_text_says_so(self):
        """All figures that no text was found for: a short list, and the rule sets say it of no others."""
        unverified = {RULES: ["income.local", "rigid.ratio", "area.mean", "maternity.min", "min.wage",
                              "housing.work.months", "medical.burden.ratio", "unemployment.long",
                              "income.drop"],
                      CATALOGUE: ["wage.minimum"]}
        for path, names in unverified.items():
            with open(path, encoding="utf-8") as file:
                thresholds = yaml.safe_load(file)["thresholds"]
            with self.subTest(path):
                said = [name for name, entry in thresholds.items() if not entry.get("verified", True)]
                self.assertEqual(said, names)
                self.assertEqual([name for name, entry in thresholds.items() if "参考值" in entry["source"]], names)

    def test_disease_list(self):
        with open(RULES, encoding="utf-8") as file:
            codes = re.search(r"disease.major:\n    codes: \[(.*)\]", file.read()).group(1)
        self.assertEqual(tuple(codes.split(", ")), population.MAJOR_DISEASES)


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as text, self.assertRaises(SystemExit) as end:
            generate.main(["--out", os.devnull, *arguments])
        self.assertEqual(end.exception.code, 2)
        return text.getvalue()

    def test_wrong_arguments(self):
        self.assertIn("--today", self.refused("--today", "2026-02-30"))
        self.assertIn("--people", self.refused("--people", "0"))

    def test_a_folder_that_cannot_be_made(self):
        with contextlib.redirect_stderr(io.StringIO()) as text:
            self.assertEqual(generate.main(["--out", os.devnull + "/x", "--people", "1"]), 1)
        self.assertIn("/x", text.getvalue())


if __name__ == "__main__":
    unittest.main()
