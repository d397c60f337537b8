"""The arithmetic of the report: medians, ratios round by round, targets, what the nodes count, the page."""

import json
import os
import sys
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_HERE)
sys.path[:0] = [_HERE, os.path.join(_ROOT, "demo"), os.path.join(_ROOT, "tests", "interop")]

import metrics  # noqa: E402
import page  # noqa: E402
import payload  # noqa: E402
import report  # noqa: E402
import spread  # noqa: E402
import targets  # noqa: E402

MACHINE = {"cores": 2, "processor": "a <machine>", "kernel": "6.1", "memory_mib": 1024, "fdatasync_p50_us": 200,
           "load_before": 0.0}


def one(per_second, p50, failed=0):
    return {"per_second": per_second, "p50_ms": p50, "p99_ms": 2 * p50, "n": 10, "failed": failed,
            "steps": {"open": {"p50_ms": 1.0}}, "cpu_ms": {"adapter": 4.0, "load": 1.0}}


def level(in_flight):
    return report.level(in_flight, [one(100, 1), one(50, 2), one(80, 1)], [one(1000, 1)] * 3,
                        [one(150, 3), one(60, 3), one(40, 3)], [one(200, 1)] * 3)


MEMORY = {"idle": {"adapter": 4096, "broker": 1024}, "loaded": {"adapter": 32768, "broker": 1024},
          "crowd": {"adapter": 4096, "broker": 65537}, "crowd_cases": 1024, "failed": 0,
          "kib_per_case": {"adapter": 0, "broker": 63}}


class Arithmetic(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds_own(self):
        # 1.5, 1.2 and 0.5; the ratio of the medians would be 0.75.
        found = level(64)["ratio"]["forms_per_second"]
        self.assertEqual((found["median"], found["min"], found["max"]), (1.2, 0.5, 1.5))

    def test_a_side_that_did_nothing_has_no_ratio(self):
        self.assertEqual(spread.ratio([one(1, 1)], [one(0, 0)], "per_second")["median"], 0)

    def test_every_failure_counts(self):
        bad = level(8)
        bad["streams"]["failed"] = 2
        self.assertEqual(report.num_failed({"levels": [level(1), bad], "memory_kib": MEMORY,
                                            "single": {"levels": [{"fresh": {"failed": 3}}]},
                                            "growth": {"failed": 0, "crowd": {"failed": 7}}}), 5)

    def test_stages_between_two_looks(self):
        text = ('lianban_stage_seconds_bucket{stage="verify",le="+Inf"} 9\n'
                'lianban_stage_seconds_sum{stage="verify"} 0.5\nlianban_stage_seconds_count{stage="verify"} 100\n')
        before = metrics.read(text)
        after = {"verify": (0.6, 300), "query": (0.0, 0)}
        self.assertEqual(before, {"verify": (0.5, 100)})
        self.assertEqual(metrics.between("adapter", before, after), {"verify": 500.0})


class Targets(unittest.TestCase):
    def test_met_and_missed(self):
        found = targets.judge({"levels": [level(1), level(64)], "memory_kib": MEMORY,
                               "start": {"adapter": {"median": 200}, "broker": {"median": 200.1}}})
        self.assertEqual({name: entry["met"] for name, entry in found.items()}, {
            "cases_64_unary": True, "cases_64_streams": False, "case_p50_1": False, "single_fresh_64": False,
            "single_cached_64": False, "adapter_idle_mib": True, "adapter_loaded_mib": True,
            "broker_crowd_mib": False, "adapter_start_ms": True, "broker_start_ms": False})
        self.assertEqual(found["cases_64_unary"]["measured"], 1.2)
        self.assertIsNone(found["single_fresh_64"]["measured"])

    def test_fewer_cases_say_nothing_of_a_thousand(self):
        found = targets.judge({"memory_kib": dict(MEMORY, crowd_cases=16)})
        self.assertIsNone(found["broker_crowd_mib"]["measured"])
        self.assertFalse(found["broker_crowd_mib"]["met"])
        found = targets.judge({"memory_kib": dict(MEMORY, failed=1)})
        self.assertIsNone(found["broker_crowd_mib"]["measured"])

    def test_parts_say_their_own(self):
        own = {"id": "x", "name": "a figure", "relation": ">=", "required": 4, "measured": 3.9}
        self.assertFalse(targets.judge({}, [own])["x"]["met"])
        self.assertTrue(targets.judge({}, [dict(own, measured=4)])["x"]["met"])

    def test_each_is_of_a_part(self):
        parts = {name: targets.part_of(name) for name in targets.judge({})}
        self.assertEqual(parts["broker_start_ms"], "start")
        self.assertEqual(parts["broker_crowd_mib"], "memory")
        self.assertNotIn(None, parts.values())


class Mix(unittest.TestCase):
    def test_it_is_a_thousand_and_what_is_cut_stays_a_thousand(self):
        self.assertEqual(sum(share for _, share in payload.MIX), 1000)
        cut = payload.cut(payload.MIX, payload.OUR_MOST_BYTES)
        self.assertEqual(cut, ((2048, 300), (10240, 601), (32768, 99)))
        self.assertAlmostEqual(payload.mean(cut), 10012.7, 1)

    def test_our_most_is_what_the_product_allows(self):
        with open(os.path.join(_ROOT, "gateway", "base", "limits.h"), encoding="utf-8") as file:
            self.assertIn(f"#define LB_MAX_ANSWER_BYTES ({payload.OUR_MOST_BYTES // 1024} * 1024)", file.read())


class Page(unittest.TestCase):
    def test_it_has_all_charts_and_trusts_no_text(self):
        curve = {"title": "a </script> curve", "x_label": "x", "y_label": "y", "log_x": True,
                 "series": [{"label": "ours", "points": [[1, 2], [10, 3]]}]}
        document = {"machine": MACHINE, "levels": [level(1), level(64)], "memory_kib": MEMORY,
                    "growth": {"curves": [curve]}, "targets": targets.judge({})}
        made = page.make(document, "a <text>", "library();")
        self.assertEqual(made.count("<canvas"), len(page.charts(document)))
        self.assertEqual(made.count("</script>"), 2)
        self.assertIn("a &lt;machine&gt;", made)
        self.assertIn("a &lt;text&gt;", made)
        json.loads(json.dumps(page.charts(document)))


if __name__ == "__main__":
    unittest.main()
