"""The departments' policies and the published forms against the decision tables kept in the tree."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "snapshots"))

import form_tables  # noqa: E402
import views  # noqa: E402

ADVICE = "\n\nIf this was meant: tests/snapshots/%s.py --renew, and commit the difference."


class Snapshots(unittest.TestCase):
    """A rule that changes shows here, in words, before it shows anywhere else."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lianban-views-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def changed(self, department, view, old, new):
        """The difference that a changed view makes."""
        shutil.copytree(os.path.join(views.DEPARTMENTS, department),
                        os.path.join(self.folder, department))
        path = os.path.join(self.folder, department, "views", view)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        return [line for line in views.difference(department, self.folder).splitlines()
                if line[0] in "+-" and line[:3] not in ("+++", "---")]

    def test_every_department_has_one(self):
        self.assertEqual(len(views.departments()), 10)
        kept = sorted(name[:-len(".txt")] for name in os.listdir(views.SNAPSHOTS))
        self.assertEqual(kept, views.departments())
        for department in kept:
            self.assertIn("operator=", views.snapshot(department))

    def test_views_are_as_agreed(self):
        for department in views.departments():
            with self.subTest(department):
                difference = views.difference(department)
                self.assertEqual(difference, "", "\n" + difference + ADVICE % "views")

    def test_every_view_and_field_stands_in_it(self):
        for department in views.departments():
            text = views.snapshot(department)
            folder = os.path.join(views.DEPARTMENTS, department, "views")
            for name in os.listdir(folder):
                self.assertIn(f"{department}.{name[:-len('.yaml')]} ", text)

    def test_a_changed_operator_shows(self):
        lines = self.changed("education", "fee.yaml", "SUM(12)", "SUM(24)")
        self.assertEqual(len(lines), 2)
        self.assertIn("operator=SUM(12)", lines[0])
        self.assertIn("operator=SUM(24)", lines[1])

    def test_a_further_requester_shows(self):
        lines = self.changed("health", "death.yaml", "[street-office]", "[street-office, bank]")
        self.assertEqual([line[0] for line in lines], ["-", "+"])
        self.assertIn("requesters=bank,street-office", lines[1])

    def test_a_lower_level_shows(self):
        lines = self.changed("health", "death.yaml", "min_level: 3", "min_level: 1")
        self.assertIn("level=1", lines[1])


class Forms(unittest.TestCase):
    """What follows from which answers; and what no form may do."""

    maxDiff = None

    def test_every_form_has_a_table(self):
        self.assertEqual(form_tables.tables(), form_tables.forms())

    def test_forms_are_as_agreed(self):
        for form in form_tables.forms():
            with self.subTest(form):
                difference = form_tables.difference(form)
                self.assertEqual(difference, "", "\n" + difference + ADVICE % "form_tables")

    def test_a_changed_rule_shows(self):
        folder = tempfile.mkdtemp(prefix="lianban-forms-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, "changed.yaml")
        with open(os.path.join(form_tables.FORMS, "recheck.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("num_homes > 1", text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("num_homes > 1", "num_homes > 0"))
        lines = form_tables.difference("recheck", path).splitlines()
        self.assertIn("- condition property = num_homes > 1", lines)
        self.assertIn("+ UNCHANGED 1 applicant homes 0 -> UNCHANGED", lines)

    def test_nothing_is_wrong_with_any(self):
        """Every class is reached, nothing is asked without need or of the citizen, every view answers."""
        folders = [part for folder in sorted(glob.glob(os.path.join(views.DEPARTMENTS, "*", "views")))
                   for part in ("--views", folder)]
        done = subprocess.run(
            [os.path.join(form_tables.BIN, "lianban"), "form", "check", "--rules", form_tables.RULES, *folders,
             *sorted(glob.glob(os.path.join(form_tables.FORMS, "*.yaml")))],
            capture_output=True, text=True, timeout=form_tables.SECONDS, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("undecided: ", done.stdout)


if __name__ == "__main__":
    unittest.main()
