"""What bench/pgfdw*.py makes of its measurements, and that its servers let nobody in whom they should not."""

import contextlib
import os
import sqlite3
import sys
import tempfile
import unittest
from types import SimpleNamespace

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "demo"), os.path.join(_HERE, "..", "tests", "interop")]

import pgfdw  # noqa: E402
import pgfdw_load  # noqa: E402
import pgfdw_servers  # noqa: E402
import yaml  # noqa: E402
from members import DEPARTMENTS  # noqa: E402

_FORM = os.path.join(_HERE, "..", "policy", "forms", "social-assistance.yaml")


def line(client, micros, script, end_us):
    return f"{client} 7 {micros} {script} {end_us // 1000000} {end_us % 1000000}\n"


class Counting(unittest.TestCase):
    def test_first_uses_and_the_warm_time_are_not_counted(self):
        lines = [line(0, 90000, 0, 1000000), line(0, 2000, 0, 1500000),   # the warm time
                 line(0, 3000, 0, 2000000), line(1, 80000, 0, 2100000),   # its first use
                 line(0, 4000, 0, 2500000), line(0, 5000, 0, 3000000)]
        ended, n, seconds, times = pgfdw_load.counted(lines, 900000)
        self.assertEqual((ended, n, seconds, times), (6, 2, 1.0, [4.0, 5.0]))

    def test_the_order_of_the_files_does_not_matter(self):
        lines = [line(0, 1000 + i, 0, 1000000 + 1000 * i) for i in range(50)]
        self.assertEqual(pgfdw_load.figures(lines, 0), pgfdw_load.figures(lines[::-1], 0))

    def test_figures_are_as_of_our_own_load(self):
        lines = [line(0, 1000 * (i % 100 + 1), 0, 1000000 + 10000 * i) for i in range(102)]
        found = pgfdw_load.figures(lines, 0)
        self.assertEqual((found["ended"], found["n"], found["per_second"]), (102, 100, 100.0))
        self.assertEqual((found["p50_ms"], found["p99_ms"]), (50.0, 99.0))

    def test_too_few_say_nothing(self):
        with self.assertRaises(pgfdw_load.LoadFailed):
            pgfdw_load.figures([line(0, 1, 0, 1), line(0, 1, 0, 2)], 0)

    def test_percentiles_are_by_nearest_rank(self):
        self.assertEqual([pgfdw_load.percentile([1, 2, 3], p) for p in (1, 34, 50, 99)], [1, 2, 2, 3])


class Choosing(unittest.TestCase):
    TRIALS = [{"way": way, "in_flight": level, "per_second": rate}
              for way, level, rate in (("a", 1, 5), ("b", 1, 9), ("a", 8, 70), ("b", 8, 60))]

    def test_the_best_way_of_each_level(self):
        self.assertEqual([pgfdw.best(self.TRIALS, level) for level in (1, 8)], ["b", "a"])

    def test_the_target_is_of_eight_in_flight(self):
        levels = [{"in_flight": level, "ratio": {"per_second": {"median": value}}}
                  for level, value in ((1, 9), (8, 3.5))]
        found = pgfdw.targets({"levels": levels})
        self.assertEqual([(t["relation"], t["required"], t["measured"]) for t in found], [(">=", 4.0, 3.5)])


class Comparing(unittest.TestCase):
    @staticmethod
    def fact(shown, state="ok", name="homes", as_of="2026-01-01"):
        return SimpleNamespace(department="housing", fact=name, shown=shown, state=state, as_of=as_of)

    def test_the_same(self):
        rows = {("housing", "homes"): ("1", "2026-01-01"), ("housing", "small"): ("0", "2026-01-01")}
        facts = [self.fact("1"), self.fact("false", name="small"), self.fact("0", name="shops"),
                 self.fact("", "not_found", name="queue"), self.fact("", name="hidden")]
        self.assertEqual(pgfdw.same(facts, rows), 4)

    def test_what_is_not(self):
        right = {("housing", "homes"): ("1", "2026-01-01")}
        for fact, rows in ((self.fact("2"), right), (self.fact("1", as_of="2026-01-02"), right), (self.fact("1"), {}),
                           (self.fact("true", name="small"), right), (self.fact("", "not_found"), right)):
            with self.subTest(fact=fact), self.assertRaises(pgfdw.Differs):
                pgfdw.same([fact], rows)


class Views(unittest.TestCase):
    def test_they_give_out_what_the_form_asks_of_an_applicant_and_no_more(self):
        with open(_FORM, encoding="utf-8") as file:
            asked = [fact for fact in yaml.safe_load(file)["facts"] if "applicant" in fact["roles"]]
        found = pgfdw_servers.sections()
        self.assertEqual(set(found), {"before", "after", *DEPARTMENTS})
        for name in DEPARTMENTS:
            names = {fact["fact"] for fact in asked if fact["department"] == name}
            sql = found[name].replace("'home'", "")
            told = {word for word in names if f"'{word}'" in sql}
            self.assertEqual(told, names, name)

    def test_ways_differ_from_the_untuned_one_by_known_options_only(self):
        options = {key for way in pgfdw._WAYS.values() for key in way}
        self.assertLessEqual(options, pgfdw_servers._TUNED)
        self.assertIn({}, pgfdw._WAYS.values())
        self.assertLessEqual(set(pgfdw._QUICK_WAYS), set(pgfdw._WAYS))


@unittest.skipIf(pgfdw_servers.missing(), pgfdw_servers.missing())
class Live(unittest.TestCase):
    """Two departments of one person."""

    ID_NO = "990101199001010015"

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            cls.databases(folder)
            cls.servers = stack.enter_context(pgfdw_servers.Servers(folder, ("health", "disabled-federation")))
            cls.stack = stack.pop_all()
        cls.load = pgfdw_load.Load(cls.servers, [(cls.ID_NO, "某人")])

    @classmethod
    def tearDownClass(cls):
        folders = [each.folder for each in cls.servers.all]
        pids = [each.pid for each in cls.servers.all]
        cls.stack.close()
        assert not any(os.path.exists(path) for path in folders), "a server's folder is left"
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids), "a server is left running"

    @classmethod
    def databases(cls, folder):
        for name, row in (("health", "INSERT INTO death_cert VALUES ('D1', ?, '2026-01-01', 1, 'I21', 'H1')"),
                          ("disabled-federation",
                           "INSERT INTO card VALUES ('c', ?, '4', '1', '2020-01-01', NULL, NULL)")):
            with contextlib.closing(sqlite3.connect(os.path.join(folder, name + ".db"))) as database:
                with open(os.path.join(_HERE, "..", "demo", "schema", name + ".sql"), encoding="utf-8") as file:
                    database.executescript(file.read().replace("\n--\n", "\n"))
                database.execute(row, (cls.ID_NO,))
                database.execute("INSERT INTO data_as_of VALUES ('2026-02-02')")
                database.commit()

    def test_the_answer_and_its_audit(self):
        before = [each.audited() for each in self.servers.all]
        self.assertEqual(self.load.answer(0), {
            ("health", "deceased"): ("1", "2026-02-02"), ("disabled-federation", "severe"): ("1", "2026-02-02"),
            ("disabled-federation", "unfit"): ("1", "2026-02-02")})
        self.assertEqual([each.audited() - was for each, was in zip(self.servers.all, before)], [1, 1, 1])

    def test_tuning_is_set_and_taken_back(self):
        self.servers.option({"async_capable": "true", "fetch_size": "1000"})
        self.assertIn("Async Foreign Scan", self.load.plan())
        self.servers.option({"parallel_commit": "true"})
        self.assertNotIn("Async Foreign Scan", self.load.plan())
        self.servers.option({})

    def test_nobody_comes_in_without_the_right_certificate(self):
        front, department = self.servers.front, self.servers.clusters["health"]
        right = (f"host=127.0.0.1 port={department.port} dbname=postgres user=front sslmode=verify-full "
                 f"sslrootcert={front.tls('ca.pem')} ")
        own = f"sslcert={front.tls('front.pem')} sslkey={front.tls('front.key')}"
        self.assertEqual(self.ask(right + own, "SELECT value FROM given.facts;"), "1\n")
        for location in (right + "sslcert=/none sslkey=/none",                              # no certificate
                         right + own.replace("front.pem", "counter.pem").replace("front.key", "counter.key"),
                         right.replace("user=front", "user=postgres") + own,                # somebody else's name
                         right.replace("verify-full", "disable") + own,                     # no TLS
                         right.replace("host=127.0.0.1", "host=localhost") + own):          # another server's name
            with self.subTest(location), self.assertRaises(AssertionError):
                self.ask(location, "SELECT 1;")

    def test_the_front_reads_the_masking_view_and_nothing_else(self):
        front, department = self.servers.front, self.servers.clusters["health"]
        location = (f"host=127.0.0.1 port={department.port} dbname=postgres user=front sslmode=verify-full sslrootcert="
                    f"{front.tls('ca.pem')} sslcert={front.tls('front.pem')} sslkey={front.tls('front.key')}")
        for statement in ("SELECT * FROM death_cert;", "SELECT * FROM form.kept;", "SELECT * FROM form.known;",
                          "SELECT * FROM form.facts_of('x');", "INSERT INTO given.facts VALUES ('a', 'b', 'c', 'd');"):
            with self.subTest(statement), self.assertRaises(AssertionError):
                self.ask(location, statement)

    def ask(self, location, statement):
        return self.servers.front.run(pgfdw_servers.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", location,
                                      given=statement)


if __name__ == "__main__":
    unittest.main()
