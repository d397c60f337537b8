"""A short run of `./run bench --json` has every figure, and no case in it failed; not how fast."""

import json
import os
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 300  # the baseline may have to be built first
LEVELS = [1, 8, 64]
PARTS = "fanout,stages,payload,memory,start,single,evidence"
ROLES = {"adapter", "broker", "consent", "window"}
STAGES = {"open", "grants", "confirm", "collect", "close"}


def command():
    """LIANBAN_BENCH_BIN names a folder with all programs; otherwise they are built."""
    built = os.environ.get("LIANBAN_BENCH_BIN")
    if built is None:
        return [os.path.join(ROOT, "run"), "bench", "--quick", "--json", "--only", PARTS]
    return ["/usr/bin/python3", os.path.join(ROOT, "bench", "run.py"), "--bin", built, "--quick",
            "--json", "--only", PARTS]


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run = subprocess.run(command(), capture_output=True, text=True, timeout=SECONDS,
                             check=False)
        if run.returncode != 0:
            raise AssertionError(f"exit status {run.returncode}\n{run.stdout}\n{run.stderr}")
        # Building says what it does before the document begins.
        cls.report = json.loads(run.stdout[run.stdout.index("{\n"):])

    def positive(self, spread, what):
        self.assertLessEqual(spread["min"], spread["median"], what)
        self.assertLessEqual(spread["median"], spread["max"], what)
        self.assertGreater(spread["min"], 0, what)

    def test_no_case_failed(self):
        self.assertEqual(self.report["failed"], 0)
        self.assertEqual([entry["failures"] for entry in self.report["levels"]], [[], [], []])
        self.assertTrue(self.report["stopped_cleanly"])

    def test_every_level_has_every_figure(self):
        self.assertEqual([entry["in_flight"] for entry in self.report["levels"]], LEVELS)
        for entry in self.report["levels"]:
            for side in ("ours", "baseline", "streams", "collect_alone"):
                self.assertGreater(entry[side]["n"], 0)
                for figure in ("per_second", "p50_ms", "p99_ms"):
                    self.positive(entry[side][figure], (entry["in_flight"], side, figure))
            for ratio in ("ratio", "streams_ratio", "collect_ratio"):
                for figure in ("forms_per_second", "p50", "p99"):
                    self.positive(entry[ratio][figure], (entry["in_flight"], ratio, figure))

    def test_stages_and_processor_time(self):
        for entry in self.report["levels"]:
            self.assertEqual(set(entry["stages_p50_ms"]), STAGES)
            for stage, spread in entry["stages_p50_ms"].items():
                self.positive(spread, (entry["in_flight"], stage))
            self.assertEqual(set(entry["cpu_ms_per_form"]["ours"]), ROLES | {"load"})
            for side in ("baseline", "streams"):
                self.assertEqual(set(entry["cpu_ms_per_form"][side]), {"baseline", "load"})

    def test_what_the_nodes_count_of_a_read(self):
        for entry in self.report["stages"]:
            self.assertEqual(set(entry["adapter_us"]),
                             {"verify", "open", "judge", "query", "shape", "record", "seal"})
            self.assertEqual(set(entry["broker_us"]), {"route", "fan_out", "deliver"})
            for role in ("adapter_us", "broker_us"):
                self.assertGreater(min(entry[role].values()), 0)
            self.assertLess(entry["adapter_us"]["seal"], entry["adapter_us"]["record"])

    def test_targets_stand_beside_what_was_measured(self):
        found = self.report["targets"]
        for name, entry in found.items():
            self.assertEqual(set(entry), {"name", "relation", "required", "measured", "met"}, name)
            self.assertIsInstance(entry["met"], bool)
        # Sixteen cases at once say nothing of a thousand.
        self.assertEqual([name for name, entry in found.items() if entry["measured"] is None],
                         ["broker_crowd_mib"])
        self.assertLess(found["cases_64_unary"]["measured"], 1000)

    def test_a_quick_run_is_not_judged_by_floors(self):
        self.assertEqual(self.report["floors_broken"], [])

    def test_single_reads_beside_an_echo_of_as_many_bytes(self):
        single = self.report["single"]
        self.assertEqual(single["failures"], [])
        for level in single["levels"]:
            for side in ("fresh", "cached", "echo"):
                self.positive(level[side]["per_second"], (level["in_flight"], side))
                self.assertGreater(level[side]["cpu_ms"]["load"], 0)
            for kind in ("fresh", "cached"):
                self.positive(level["ratio"][kind]["per_second"], kind)
        # A grant alone has more than a kilobyte; what is padded comes back whole.
        self.assertGreater(single["bytes"]["read"], 2000)
        self.assertGreater(single["bytes"]["answer"], 1024)

    def test_the_mix_of_sizes(self):
        payload = self.report["payload"]
        self.assertEqual(payload["failures"], [])
        self.assertEqual(sum(share for _, share in payload["mix"]), 1000)
        for level in payload["levels"]:
            for side in ("ours", "bare_cut", "bare"):
                self.positive(level[side]["per_second"], (level["in_flight"], side))

    def test_starts(self):
        for role in ("adapter", "broker"):
            self.positive(self.report["start"][role], role)

    def test_memory_and_machine(self):
        for when in ("idle", "loaded", "crowd"):
            self.assertEqual(set(self.report["memory_kib"][when]), ROLES)
            self.assertGreater(min(self.report["memory_kib"][when].values()), 0)
        for figure in ("cores", "processor", "kernel", "memory_mib", "fdatasync_p50_us"):
            self.assertTrue(self.report["machine"][figure], figure)

    def test_the_evidence_log_by_itself(self):
        found = self.report["evidence"]
        for side in ("ours", "raw", "idle", "idle_raw", "new_subjects"):
            for figure in ("n", "per_second", "p50_ms", "p99_ms"):
                self.assertGreater(found[side][figure], 0, (side, figure))
        self.assertGreater(found["ratio"], 0)
        self.assertGreater(found["open_ms"], 0)
        self.assertGreater(found["bytes_per_entry"], 100)
        self.assertGreater(found["verify"]["per_second_per_core"], 0)
        self.assertGreaterEqual(found["verify"]["leaves"], found["entries"])
        self.assertTrue(found["cost"])

    def test_the_baseline_carries_as_much(self):
        sizes = self.report["bytes_per_hop"]
        self.assertEqual(set(sizes["ours"]), {"case_request", "case_answer", "department_request",
                                              "department_answer"})
        for hop, size in sizes["baseline"].items():
            self.assertAlmostEqual(size / sizes["ours"][hop], 1, delta=0.1, msg=hop)


if __name__ == "__main__":
    unittest.main()
