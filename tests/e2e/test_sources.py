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
from material import FORM, RULES  # noqa: E402
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
    global federation, postgres, mariadb  # pylint: disable=global-statement
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


def keep_views(member):
    """Of a department's views those that the form asks: each of them is written for its database."""
    with open(FORM, encoding="utf-8") as file:
        asked = {fact["view"] for fact in yaml.load(file, yaml.CSafeLoader)["facts"]}
    with open(member.path("policy.yaml"), encoding="utf-8") as file:
        policy = yaml.load(file, yaml.CSafeLoader)
    for path in policy["views"][:]:
        with open(member.path(path), encoding="utf-8") as file:
            view = yaml.load(file, yaml.CSafeLoader)["view"]
        if view not in asked:
            policy["views"].remove(path)
            os.remove(member.path(path))
    with open(member.path("policy.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(policy, file, allow_unicode=True)


def move(department, dialect, source):
    """Gives a department another database, and its views that database's words."""
    member = federation.members[department]
    keep_views(member)
    with open(member.config, encoding="utf-8") as file:
        config = yaml.load(file, yaml.CSafeLoader)
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
                self.assertEqual({view["live"]["key"] for view in views if "live" in view}, {"index"})
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
        for name, table, source in (
                ("postgres", "wage", ("--from", postgres.location("tax"))),
                ("sqlite", "wage", ("--from", database("tax") + ".moved")),
                ("odbc-postgres", "wage", ("--from", postgres.odbc("tax"))),
                ("odbc-mariadb", "payout", ("--from", federation.members["finance"].config)),
                ("config", "wage", ("--from", federation.members["tax"].config, "--table", "wage"))):
            with self.subTest(name):
                out = os.path.join(federation.root, "proposed", name)
                run = lianban("adapter", "init", *source, "--department", "tax", "--out", out, "--json")
                self.assertEqual(run.returncode, 0, run.stderr)
                proposed = json.loads(run.stdout)["views"]
                self.assertIn(os.path.join(out, table + ".yaml"), proposed)
                self.assertEqual(stat.S_IMODE(os.stat(proposed[0]).st_mode), 0o644)
                with open(os.path.join(out, table + ".yaml"), encoding="utf-8") as file:
                    view = yaml.load(file, yaml.CSafeLoader)
                self.assertTrue(all(field["class"] == "G4" and "rules" not in field
                                    for field in view["fields"].values()))
                self.assertNotIn("id_no", {field.get("column") for field in view["fields"].values()})
                checked = lianban("view", "check", "--rules", RULES, *proposed)
                self.assertEqual(checked.returncode, 0, checked.stderr)
                again = lianban("adapter", "init", *source, "--department", "tax", "--out", out)
                self.assertEqual(again.returncode, 1)
        for department, view in (("tax", "config/wage.yaml"), ("finance", "odbc-mariadb/payout.yaml")):
            live = lianban("view", "check", "--rules", RULES, "--live", federation.members[department].config,
                           os.path.join(federation.root, "proposed", view))
            self.assertEqual(live.returncode, 0, live.stderr)
            self.assertIn("key found by: index", live.stdout)


# Longer than a label may be, so that no resolver is asked for it.
NO_HOST = "x" * 70 + ".invalid"


class Troubles(unittest.TestCase):
    """`lianban doctor` names each trouble of a real server, with what to do and whom to call. These tests come last:
    they stop the servers."""

    KINDS = {"tax": "postgres", "civil-affairs": "odbc", "finance": "odbc"}

    @classmethod
    def setUpClass(cls):
        postgres.refusing()
        mariadb.refusing()

    @staticmethod
    def server(department):
        return mariadb if department in ODBC_MARIADB else postgres

    def location(self, department, user="reader"):
        by_odbc = department in ODBC_POSTGRES
        return (postgres.odbc if by_odbc else self.server(department).location)(department, user)

    def doctor(self, department, wait_ms=20000, **source):
        """What doctor says of the database and its views, with some of the configuration's source changed."""
        member = federation.members[department]
        path = os.path.join(member.folder, "troubled.yaml")
        with open(member.config, encoding="utf-8") as file:
            config = yaml.load(file, yaml.CSafeLoader)
        config["source"].update(source)
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file)
        run = lianban("doctor", "--config", path, "--json", "--wait-ms", str(wait_ms))
        return [row for row in json.loads(run.stdout)["rows"] if row["check"] in ("source", "view")]

    def assert_told(self, department, rows, check, party, said):
        told = [row for row in rows if row["check"] == check and row["state"] == "bad"]
        self.assertTrue(told, (department, rows))
        self.assertEqual(told[0]["party"], party, told)
        self.assertIn(said, told[0]["value"] + told[0]["found"], department)
        self.assertTrue(told[0]["to_do"] and told[0]["call"], department)

    def test_a_sound_database(self):
        for department, plugin in self.KINDS.items():
            rows = self.doctor(department)
            self.assertEqual({row["state"] for row in rows}, {"ok"}, rows)
            self.assertEqual(rows[0]["about"], plugin)
            self.assertGreater(len(rows), 1)

    def test_b_what_keeps_an_account_out(self):
        for department in self.KINDS:
            member = federation.members[department]
            wrong = member.path("wrong-password")
            with open(wrong, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write("wrong\n")
            rows = self.doctor(department, location=self.location(department, "pw"), password_file=wrong)
            self.assert_told(department, rows, "source", "own-dba", "SOURCE_DENIED")
            self.assertNotIn("let me in", str(rows))
            rows = self.doctor(department, location=self.location(department, "full"))
            self.assert_told(department, rows, "source", "own-dba", "SOURCE_FULL")
            elsewhere = self.location(department).replace(self.server(department).folder, NO_HOST)
            elsewhere = elsewhere.replace("Socket=", "Server=").replace("/sock", "")
            self.assert_told(department, self.doctor(department, location=elsewhere), "source", "own-network",
                             "SOURCE_NO_HOST")
        rows = self.doctor("finance", location="Driver={Another DBMS};Server=x")
        self.assert_told("finance", rows, "source", "own-operations", "SOURCE_NO_DRIVER")

    def test_c_an_account_that_can_write(self):
        postgres.sql("tax", "GRANT DELETE ON wage TO reader;")
        mariadb.sql("GRANT DELETE ON finance.* TO reader@localhost;")
        try:
            for department in ("tax", "finance"):
                self.assert_told(department, self.doctor(department), "source", "own-dba", "SOURCE_WRITABLE")
        finally:
            postgres.sql("tax", "REVOKE DELETE ON wage FROM reader;")
            mariadb.sql("REVOKE DELETE ON finance.* FROM reader@localhost;")

    def test_d_tables_that_are_gone_or_changed(self):
        changes = {
            ("tax", "wage"): (postgres.sql, ("tax",), "ALTER TABLE wage RENAME TO away;",
                              "ALTER TABLE away RENAME TO wage;"),
            ("finance", "payout"): (mariadb.sql, (), "ALTER TABLE finance.payout MODIFY cents varchar(40);",
                                    "ALTER TABLE finance.payout MODIFY cents decimal(16,2);"),
        }
        for (department, table), (sql, where, change, back) in changes.items():
            sql(*where, change)
            try:
                rows = self.doctor(department)
            finally:
                sql(*where, back)
            self.assert_told(department, rows, "view", "own-dba", "does not fit the database")
            self.assertTrue(any(table in row["value"] or "cents" in row["value"] for row in rows), rows)

    def test_e_a_query_that_takes_too_long(self):
        locked = subprocess.Popen([postgres.program("psql"), "-Xq", "-h", postgres.folder, "-U", "postgres", "-d",
                                   "tax"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(locked.communicate)
        locked.stdin.write("BEGIN; LOCK TABLE wage; SELECT 'held';\n")
        locked.stdin.flush()
        self.assertTrue(any("held" in line for line in iter(locked.stdout.readline, "")))
        rows = self.doctor("tax", wait_ms=4000)
        self.assert_told("tax", rows, "view", "own-dba", "did not end in time")

    def test_f_a_server_that_hangs_and_one_that_is_gone(self):
        for department in ("tax", "finance"):
            server = self.server(department)
            server.signal(signal.SIGSTOP)
            rows = self.doctor(department, wait_ms=2000)
            server.signal(signal.SIGCONT)
            self.assert_told(department, rows, "source", "own-dba", "hangs")
        for department in self.KINDS:
            self.server(department).kill()
            self.assert_told(department, self.doctor(department), "source", "own-dba", "SOURCE_UNAVAILABLE")


if __name__ == "__main__":
    unittest.main()
