"""The arithmetic of the capacity plan, by figures that can be worked out in one's head; and what it refuses."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capacity  # noqa: E402

ROLES = ("adapter", "broker", "consent", "window")
DOCUMENT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "PERFORMANCE.md")


def level(in_flight):
    figure = {"median": 100.0}
    return {"in_flight": in_flight, "ours": {"per_second": figure, "p50_ms": {"median": 500.0}, "p99_ms": figure},
            "baseline": {"per_second": figure},
            "cpu_ms_per_form": {"ours": {"adapter": 20.0, "broker": 10.0, "consent": 4.0, "window": 12.0, "load": 1.0}}}


def report():
    return {"machine": {"cores": 2, "processor": "some", "kernel": "6.1", "memory_mib": 1024, "fdatasync_p50_us": 200,
                        "load_before": 0.0},
            "levels": [level(1), level(64)],
            "targets": {"one": {"name": "a target", "relation": ">=", "required": 1, "measured": None, "met": False}},
            "bytes_per_hop": {"ours": {"case_request": 30000, "case_answer": 20000, "department_request": 4000,
                                       "department_answer": 1000}},
            "memory_kib": {"loaded": dict.fromkeys(ROLES, 10240), "crowd": {"broker": 51200}},
            "evidence": {"bytes_per_entry": 1000.0, "ours": {"per_second": 10000}}}


# 100 windows of one case a minute each, five times that online: 10 cases a second.
SMALL = ("windows=100", "minutes_per_case=1", "online_factor=5", "people=1e6", "cases_per_person_year=1",
         "windows_per_agent=50", "headroom=2", "cores_per_machine=1", "sites=2", "years=3", "copies=2")


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.plan = capacity.plan(capacity.measured(report()), capacity.assumptions(SMALL))

    def test_the_peak(self):
        peak = self.plan["peak"]
        self.assertAlmostEqual(peak["cases_per_second_at_windows"], 100 / 60)
        self.assertAlmostEqual(peak["cases_per_second"], 10)
        self.assertAlmostEqual(peak["in_flight"], 5)
        # 10 a second of 20 + 10 + 4 + 12 ms.
        self.assertAlmostEqual(peak["cores_for_all"], 0.46)

    def test_machines(self):
        roles = self.plan["roles"]
        # One department's adapter has a tenth of what all ten take: 2 ms of each case.
        self.assertAlmostEqual(roles["adapter"]["cores_at_peak"], 0.02)
        self.assertAlmostEqual(roles["broker"]["cores_bought"], 0.2)
        self.assertAlmostEqual(roles["window"]["cores_at_peak"], 0.06)
        self.assertEqual([roles[role]["machines"] for role in ROLES], [40, 2, 2, 2])
        self.assertEqual(roles["broker"]["memory_mib"], 50)

    def test_more_work_takes_more_machines(self):
        plan = capacity.plan(capacity.measured(report()), capacity.assumptions((*SMALL, "windows=10000")))
        # 1,000 cases a second of 10 ms: ten cores, twice that bought, at both sites.
        self.assertEqual(plan["roles"]["broker"]["machines"], 40)

    def test_logs_and_network(self):
        logs, network = self.plan["logs"], self.plan["network"]
        self.assertEqual(logs["broker"]["entries_per_year"], 20e6)
        self.assertEqual(logs["broker"]["bytes_per_year"], 20e9)
        self.assertEqual(logs["broker"]["bytes_kept"], 120e9)
        self.assertAlmostEqual(logs["broker"]["of_one_log"], 0.02)
        self.assertEqual(logs["adapter"]["entries_per_year"], 1e6)
        self.assertAlmostEqual(network["window_to_broker_bits"], 50000 * 8 * 10)
        self.assertAlmostEqual(network["broker_to_adapters_bits"], 10 * network["one_adapter_bits"])

    def test_without_an_evidence_part_the_assumption_counts(self):
        bare = report()
        del bare["evidence"]
        plan = capacity.plan(capacity.measured(bare), capacity.assumptions((*SMALL, "entry_bytes=500")))
        self.assertEqual(plan["logs"]["broker"]["bytes_per_year"], 10e9)
        lines = capacity.capacity_lines(capacity.measured(bare), capacity.assumptions())
        self.assertIn("not measured", "\n".join(lines))


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.report = os.path.join(folder.name, "report.json")
        self.document = os.path.join(folder.name, "page.md")
        with open(self.report, "w", encoding="utf-8") as file:
            file.write("bench: building\n" + json.dumps(report()))

    def run_it(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = capacity.main([self.report, *arguments])
        return status, out.getvalue(), err.getvalue()

    def test_what_cannot_be_is_refused(self):
        for change in ("nothing=1", "windows=0", "windows=-5", "windows=many", "windows=inf", "windows=nan"):
            self.assertEqual(self.run_it("--set", change)[0], 1, change)
        with open(self.report, "w", encoding="utf-8") as file:
            json.dump({"levels": []}, file)
        self.assertEqual(self.run_it()[0], 1)

    def test_the_document_is_written_twice_alike(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            before = file.read()
        with open(self.document, "w", encoding="utf-8") as file:
            file.write(before)
        self.assertEqual(self.run_it("--write", self.document)[0], 0)
        with open(self.document, encoding="utf-8") as file:
            once = file.read()
        self.assertIn("a target | >= 1 | not measured | not met", once)
        self.assertEqual(self.run_it("--write", self.document)[0], 0)
        with open(self.document, encoding="utf-8") as file:
            self.assertEqual(file.read(), once)

    def test_a_document_without_markers_is_refused(self):
        with open(self.document, "w", encoding="utf-8") as file:
            file.write("no marker\n")
        status, _, said = self.run_it("--write", self.document)
        self.assertEqual(status, 1)
        self.assertIn("no markers for assumptions, capacity, measured", said)


if __name__ == "__main__":
    unittest.main()
