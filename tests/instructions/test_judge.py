"""That the count can fail: what is read from callgrind's files, and what is said of it."""

import copy
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import instructions  # noqa: E402
import judge  # noqa: E402
from callgrind import NotCounted  # noqa: E402
from ground import NoCase  # noqa: E402
from profile import Malformed, Profile  # noqa: E402

# Two functions of ours, one part of the first split off by the compiler, and one of a library.
FILE = """# callgrind format
version: 1
events: Ir

ob=(1) /bin/program
fl=(1) a.c
fn=(1) read_it
10 100
cob=(2) /lib/library.so
cfi=(2) ???
cfn=(2) verify
calls=2 5
11 600
cfn=(3) lb_open.part.0
calls=1 20
+1 50

fn=(3)
20 50

ob=(2)
fn=(2)
5 600
totals: 750
"""
PLAN = {"by_clock": ["sweep"],
        "stages": [{"name": "verify", "of": ["read_it>verify"]},
                   {"name": "read", "of": ["read_it"], "without": ["read_it>verify"]}]}


def profile(text):
    with tempfile.NamedTemporaryFile("w", suffix=".out", encoding="ascii") as file:
        file.write(text)
        file.flush()
        return Profile.read(file.name)


def clock(cost):
    """A thread that works by the clock."""
    return profile(f"fn=(1) sweep\n1 {cost}\n")


class Files(unittest.TestCase):
    def test_costs_calls_and_objects(self):
        found = profile(FILE)
        self.assertEqual(found.total, 750)
        self.assertEqual(found.inclusive["read_it"], 750)
        self.assertEqual(found.inclusive["lb_open"], 50)
        self.assertEqual(found.count_of("verify"), 2)
        self.assertEqual(found.under["read_it", "verify"], 600)
        self.assertEqual(found.objects, {"program": 150, "library.so": 600})

    def test_a_recursion_counts_once(self):
        found = profile("fn=(1) again\n1 10\ncfn=(1)\ncalls=3 1\n2 90\n")
        self.assertEqual(found.inclusive["again"], 10)

    def test_a_file_without_instructions_is_refused(self):
        for text in ("events: Ir\n", "", "fn=(1) a\njump=1 3\n"):
            with self.assertRaises(Malformed):
                profile(text)


class Stages(unittest.TestCase):
    def test_stages_rest_and_clock(self):
        other = profile("fn=(1) elsewhere\n1 1000\n")
        found = judge.measure("broker", PLAN, [profile(FILE), other, clock(400)], num=2, seconds=4)
        self.assertEqual(found, {"stages": {"verify": 300, "read": 75}, "sum": 375, "rest": 500,
                                 "by_clock_a_second": 100})

    def test_what_a_stage_is_without_is_of_its_own_threads(self):
        # The same two functions in a thread that has nothing to do with the stage.
        other = profile("fn=(1) wait\n1 5\ncfn=(2) verify\ncalls=9 5\n2 900\n\nfn=(2)\n5 900\n")
        plan = {"by_clock": [], "stages": [{"name": "read", "of": ["read_it"], "without": ["verify"]}]}
        found = judge.measure("broker", plan, [profile(FILE), other], num=1, seconds=1)
        self.assertEqual((found["stages"], found["rest"]), ({"read": 150}, 600 + 905))

    def test_what_any_thread_does_by_the_clock(self):
        plan = {"by_clock": [], "by_clock_anywhere": ["verify"], "stages": [{"name": "open", "of": ["lb_open"]}]}
        found = judge.measure("broker", plan, [profile(FILE)], num=1, seconds=2)
        self.assertEqual((found["sum"], found["rest"], found["by_clock_a_second"]), (50, 100, 300))

    def test_a_stage_by_the_calls_of_it(self):
        plan = {"by_clock": [], "stages": [{"name": "verify", "of": ["verify"], "each": True}]}
        self.assertEqual(judge.measure("broker", plan, [profile(FILE)], 7, 1)["stages"], {"verify": 300})

    def test_a_function_with_another_name_is_an_error(self):
        plan = copy.deepcopy(PLAN)
        plan["stages"][0]["of"] = ["read_it>verify_it"]
        with self.assertRaisesRegex(judge.Unknown, 'broker: stage "verify": read_it>verify_it was not executed'):
            judge.measure("broker", plan, [profile(FILE)], 1, 1)

    def test_the_plan_is_of_every_program(self):
        plan = judge.read_stages()
        self.assertEqual(set(plan), set(instructions.UNITS))
        for part in plan.values():
            names = [stage["name"] for stage in part["stages"]]
            self.assertEqual(len(names), len(set(names)))


class Bands(unittest.TestCase):
    KEPT = {"stages": {"check": 1000000, "seal": 200000, "small": 3000}, "sum": 1203000, "rest": 300000,
            "by_clock_a_second": 100000}

    def said(self, **changes):
        found = copy.deepcopy(self.KEPT)
        for name, value in changes.items():
            if name in found["stages"]:
                found["sum"] += value - found["stages"][name]
                found["stages"][name] = value
            else:
                found[name] = value
        return list(judge.compare("adapter", "a read", found, self.KEPT))

    def test_the_same_is_well(self):
        self.assertEqual(self.said(), [])
        self.assertEqual(self.said(check=1090000, seal=210000), [])

    def test_a_loss_is_said_with_program_and_stage(self):
        (said,) = self.said(seal=222000)
        self.assertEqual(said, 'adapter, stage "seal", a read: 222,000 instructions, 11.0% more than the 200,000 kept '
                               "(tests/instructions/kept.json)")

    def test_a_gain_has_to_be_kept(self):
        (said,) = self.said(seal=170000)
        self.assertIn("15.0% less", said)

    def test_a_small_stage_may_not_grow_by_much_either(self):
        self.assertEqual(self.said(small=9000), [])
        self.assertEqual(len(self.said(small=16000)), 1)

    def test_many_small_losses_are_one(self):
        found = {"stages": {str(number): 109 for number in range(99)} | {"99": 320}, "sum": 11111, "rest": 0,
                 "by_clock_a_second": 0}
        kept = {"stages": {str(number): 100 for number in range(100)}, "sum": 10000, "rest": 0, "by_clock_a_second": 0}
        said = list(judge.compare("window", "a case", found, kept))
        self.assertIn("window, all stages, a case: 11,111 instructions, 11.1% more", said[-1])

    def test_work_that_was_moved_out_is_found(self):
        self.assertEqual(self.said(rest=400000), [])
        (said,) = self.said(rest=470000)
        self.assertIn("adapter, outside of every stage, a read", said)
        self.assertEqual(self.said(by_clock_a_second=2900000), [])
        (said,) = self.said(by_clock_a_second=3100000)
        self.assertIn("adapter, by the clock, a second: 3,100,000 instructions; 3,000,000 is the most", said)
        self.assertEqual(self.said(rest=0, by_clock_a_second=0), [])

    def test_another_stage_is_no_stage(self):
        found = copy.deepcopy(self.KEPT)
        found["stages"]["new"] = found["stages"].pop("small")
        said = list(judge.compare("adapter", "a read", found, self.KEPT))
        self.assertEqual([sentence.split('"')[1] for sentence in said], ["new", "small"])

    def test_the_table(self):
        text = "\n".join(judge.table({"adapter": self.KEPT}, {}))
        self.assertIn("new", text)
        text = "\n".join(judge.table({"adapter": self.KEPT}, {"adapter": dict(self.KEPT, rest=200000)}))
        self.assertIn("+50.0%", text)


class Whole(unittest.TestCase):
    def whole(self, **more):
        return {"architecture": "x86_64", "libraries": {"crypto": "1"},
                "programs": {"broker": copy.deepcopy(Bands.KEPT)}, **more}

    def test_nothing_kept_and_another_machine_fail(self):
        self.assertIn("broker: nothing is kept of it", instructions.wrong(self.whole(), self.whole(programs={}))[0])
        self.assertIn("this is aarch64", instructions.wrong(self.whole(architecture="aarch64"), self.whole())[0])

    def test_other_libraries_are_said_where_something_is_wrong(self):
        other = self.whole(libraries={"crypto": "2"})
        self.assertEqual(instructions.wrong(other, self.whole()), [])
        other["programs"]["broker"]["sum"] *= 2
        self.assertIn("the libraries are others too", instructions.wrong(other, self.whole())[-1])


class Broken:
    """A program whose cases fail so often."""

    def __init__(self, fails):
        self.fails = fails

    def count(self, work):
        self.fails -= 1
        if self.fails >= 0:
            raise NoCase("a case failed")
        work()
        return [profile(FILE)]


class Failing(unittest.TestCase):
    class Ground:
        cases = settled = 0

        def settle(self):
            self.settled += 1

        def case(self):
            self.cases += 1

    def test_a_failed_case_is_not_counted(self):
        ground = self.Ground()
        found = instructions._counts("broker", PLAN, Broken(2), ground, 2)
        self.assertEqual((found["stages"]["verify"], ground.cases, ground.settled), (300, 2, 2))

    def test_cases_that_always_fail_fail(self):
        with self.assertRaises(NoCase):
            instructions._counts("broker", PLAN, Broken(3), self.Ground(), 2)

    def test_silence_fails(self):
        class Silent:
            def count(self, _):
                raise NotCounted("nothing")
        with self.assertRaises(NotCounted):
            instructions._counts("broker", PLAN, Silent(), self.Ground(), 1)


if __name__ == "__main__":
    unittest.main()
