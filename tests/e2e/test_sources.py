"""Departments with databases of several kinds: the same households come to the same classes."""

import concurrent.futures
import glob
import json
import os
import signal
import stat
import subprocess
import sys
import time
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from material import RULES  # noqa: E402
from servers import MariaDb, Postgres  # noqa: E402

LIBPQ = ("public-security", "tax", "social-security")
ODBC_POSTGRES = ("civil-affairs", "medical-insurance")
ODBC_MARIADB = ("education", "finance")
# Amounts that are kept in yuan there, as numeric(16,2).
YUAN = {"tax": ("wage.income_cents", "other_income.cents"), "social-security": ("pension.cents_month",),
        "finance": ("payout.cents", "bank_query.balance_cents"), "education": ("fee.public_cents",)}
# What SQLite writes in its own way.
MARIADB = {"date(:today, '-45 days')": "date_format(CAST(:today AS date) - interval 45 day, '%Y-%m-%d')"}
POSTGRES = {
    "strftime('%Y-%m', :this_month || '-01', '-2 months')":
        "to_char(CAST(CAST(:this_month AS text) || '-01' AS date) - interval '2 months', 'YYYY-MM')",
    "date(:today, '-18 years')": "to_char(CAST(:today AS date) - interval '18 years', 'YYYY-MM-DD')",
    "CASE WHEN COUNT(*) > COUNT(capital_cents) THEN NULL\n"
    "              ELSE COALESCE(SUM(capital_cents), 0) END AS capital_cents":
        "CAST(CASE WHEN COUNT(*) > COUNT(capital_cents) THEN NULL\n"
        "              ELSE COALESCE(SUM(capital_cents), 0) END AS bigint) AS capital_cents",
}


def setUpModule():
    global federation, postgres  # pylint: disable=global-statement
    postgres = Postgres()
    unittest.addModuleCleanup(postgres.stop)
    mariadb = MariaDb()
    unittest.addModuleCleanup(mariadb.stop)
    federation = fixture.made(people=80)
    for department in LIBPQ:
        postgres.load(department, database(department), YUAN.get(department, ()))
        move(department, POSTGRES, {"plugin": "postgres", "location": postgres.location(department)})
    for department in ODBC_POSTGRES:
        postgres.load(department, database(department), YUAN.get(department, ()))
        move(department, POSTGRES, {"plugin": "odbc", "location": postgres.odbc(department)})
    for department in ODBC_MARIADB:
        mariadb.load(department, database(department), YUAN.get(department, ()))
        move(department, MARIADB, {"plugin": "odbc", "location": mariadb.location(department)})
    unittest.addModuleCleanup(federation.stop)
    federation.start()


def database(department):
    return os.path.join(federation.root, "departments", department + ".db")


def move(department, dialect, source):
    """Gives a department another database, and its views that database's words."""
    member = federation.members[department]
    with open(member.config, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    config["source"] = source
    with open(member.config, "w", encoding="utf-8") as file:
        yaml.safe_dump(config, file)
    for path in glob.glob(member.path("views", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for sqlite, other in dialect.items():
            text = text.replace(sqlite, other)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    os.rename(database(department), database(department) + ".moved")


def lianban(*arguments):
    return subprocess.run([os.path.join(fixture.BIN, "lianban"), *arguments], capture_output=True, text=True,
                          check=False, timeout=60)


def views_of(department):
    return sorted(glob.glob(federation.members[department].path("views", "*.yaml")))


class Sources(unittest.TestCase):
    def apply(self, households):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda h: federation.window.apply(h["members"]), households))

    def test_every_household_comes_to_its_class(self):
        outcomes = self.apply(federation.households)
        wrong = [(h["household"], h["class"], o.class_id)
                 for h, o in zip(federation.households, outcomes) if o.class_id != h["class"]]
        self.assertEqual(wrong, [])
        self.assertGreater(len({o.class_id for o in outcomes}), 3)

    def test_z_a_hung_server_holds_nobody_and_comes_back(self):
        households = [h for h in federation.households if h["class"] != "MANUAL"]
        postgres.signal(signal.SIGSTOP)
        try:
            start = time.monotonic()
            outcome = federation.window.apply(households[0]["members"])
            took = time.monotonic() - start
        finally:
            postgres.signal(signal.SIGCONT)
        self.assertEqual(outcome.class_id, "MANUAL")
        hung = LIBPQ + ODBC_POSTGRES
        states = {(fact.department in hung, fact.state) for fact in outcome.facts}
        self.assertLessEqual({state for held, state in states if not held}, {"ok", "not_found"})
        self.assertLessEqual({state for held, state in states if held}, {"timeout", "unavailable"})
        self.assertLess(took, 30)
        # Each time another one: how often an income may be added up is limited.
        back = False
        for household in households[1:20]:
            time.sleep(0.5)
            back = back or self.apply([household])[0].class_id == household["class"]
            if back:
                break
        self.assertTrue(back)

    def test_views_fit_the_live_database(self):
        for department in (*LIBPQ, *ODBC_POSTGRES, *ODBC_MARIADB, "housing"):
            with self.subTest(department):
                run = lianban("view", "check", "--rules", RULES, "--json", "--live",
                              federation.members[department].config, *views_of(department))
                self.assertEqual(run.returncode, 0, run.stderr)
                views = json.loads(run.stdout)["views"]
                odbc = department in ODBC_POSTGRES + ODBC_MARIADB
                self.assertEqual({view["live"]["key"] for view in views if "live" in view},
                                 {"unknown" if odbc else "index"})
                self.assertTrue(any("live" in view for view in views))

    def test_a_view_that_does_not_fit_is_told(self):
        wage = federation.members["tax"].path("views", "wage.yaml")
        with open(wage, encoding="utf-8") as file:
            text = file.read()
        cases = {
            "does not compile": text.replace("income_cents FROM", "salary FROM"),
            "no column": text.replace("column: income_cents", "column: salary"),
            "is not of a type": text.replace("income_cents FROM", "payer_uscc AS income_cents FROM"),
            "two fields take": text.replace("month: month", "month: income_cents"),
            "index": text.replace("WHERE id_no = :id_no AND", "WHERE payer_uscc = :id_no AND"),
        }
        for said, changed in cases.items():
            path = os.path.join(federation.root, "changed.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(changed)
            with self.subTest(said):
                run = lianban("view", "check", "--rules", RULES, "--live", federation.members["tax"].config, path)
                self.assertEqual(run.returncode, 1)
                self.assertIn(said, run.stderr)

    def test_an_account_that_can_write_is_told(self):
        postgres.sql("tax", "GRANT DELETE ON wage TO reader;")
        try:
            run = lianban("view", "check", "--rules", RULES, "--live", federation.members["tax"].config,
                          *views_of("tax"))
        finally:
            postgres.sql("tax", "REVOKE DELETE ON wage FROM reader;")
        self.assertEqual(run.returncode, 1)
        self.assertIn("SOURCE_WRITABLE", run.stderr)
        self.assertIn("public.wage", run.stderr)

    def test_views_are_proposed_that_release_nothing(self):
        for name, source in (("postgres", ("--from", postgres.location("tax"))),
                             ("sqlite", ("--from", database("tax") + ".moved")),
                             ("config", ("--from", federation.members["tax"].config, "--table", "wage"))):
            with self.subTest(name):
                out = os.path.join(federation.root, "proposed", name)
                run = lianban("adapter", "init", *source, "--department", "tax", "--out", out, "--json")
                self.assertEqual(run.returncode, 0, run.stderr)
                proposed = json.loads(run.stdout)["views"]
                self.assertIn(os.path.join(out, "wage.yaml"), proposed)
                self.assertEqual(stat.S_IMODE(os.stat(proposed[0]).st_mode), 0o644)
                with open(os.path.join(out, "wage.yaml"), encoding="utf-8") as file:
                    view = yaml.safe_load(file)
                self.assertTrue(all(field["class"] == "G4" and "rules" not in field
                                    for field in view["fields"].values()))
                self.assertNotIn("id_no", {field.get("column") for field in view["fields"].values()})
                checked = lianban("view", "check", "--rules", RULES, *proposed)
                self.assertEqual(checked.returncode, 0, checked.stderr)
                again = lianban("adapter", "init", *source, "--department", "tax", "--out", out)
                self.assertEqual(again.returncode, 1)
        live = lianban("view", "check", "--rules", RULES, "--live", federation.members["tax"].config,
                       os.path.join(federation.root, "proposed", "config", "wage.yaml"))
        self.assertEqual(live.returncode, 0, live.stderr)


if __name__ == "__main__":
    unittest.main()
