"""Floors: 80 % of what was reached, named when broken, renewed only by what a run measured."""

import json
import os
import tempfile
import unittest

import floors


def target(measured, relation=">="):
    return {"name": "a figure", "relation": relation, "required": 1, "measured": measured, "met": True}


class Floors(unittest.TestCase):
    def test_a_floor_is_eighty_percent_of_what_was_reached(self):
        self.assertEqual(floors.of(">=", 1.5), 1.2)
        self.assertEqual(floors.of("<=", 80), 100)

    def test_at_the_floor_holds_and_below_is_named(self):
        kept = floors.renewed({}, {"cases_64_unary": target(10.0), "broker_start_ms": target(100.0, "<=")})
        parts = ("fanout", "start")
        self.assertEqual(floors.broken(kept, {"cases_64_unary": target(8.0),
                                              "broker_start_ms": target(125.0, "<=")}, parts), [])
        self.assertEqual(floors.broken(kept, {"cases_64_unary": target(7.9),
                                              "broker_start_ms": target(126.0, "<=")}, parts),
                         ["cases_64_unary is 7.9, below its floor of 8 (reached before: 10)",
                          "broker_start_ms is 126, above its floor of 125 (reached before: 100)"])

    def test_a_guarded_figure_that_was_not_measured_is_broken(self):
        kept = floors.renewed({}, {"pgfdw_cases": target(10.0)})
        said = ["pgfdw_cases is guarded and was not measured"]
        self.assertEqual(floors.broken(kept, {"pgfdw_cases": target(None)}, ("pgfdw",)), said)
        self.assertEqual(floors.broken(kept, {}, ("pgfdw", "fanout")), said)

    def test_parts_that_were_not_asked_for_are_not_judged(self):
        kept = floors.renewed({}, {"cases_64_unary": target(10.0)})
        self.assertEqual(floors.broken(kept, {"cases_64_unary": target(0.1)}, ("memory",)), [])

    def test_renewing_keeps_what_was_not_measured(self):
        old = floors.renewed({}, {"one": target(10.0), "two": target(20.0)})
        new = floors.renewed(old, {"one": target(5.0), "two": target(None), "three": target(3.0)})
        self.assertEqual({name: floor["reached"] for name, floor in new.items()},
                         {"one": 5.0, "two": 20.0, "three": 3.0})

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "floors.json")
            self.assertEqual(floors.load(path), {})
            kept = floors.renewed({}, {"more": target(10.0)})
            floors.save(kept, path)
            self.assertEqual(floors.load(path), kept)
            for bad in ("no json", '{"more": 1}', '{"more": {"relation": "==", "floor": 1, "reached": 1}}',
                        json.dumps({"more": {"relation": ">=", "floor": "1", "reached": 1}})):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(bad)
                with self.assertRaises(floors.BadFloors):
                    floors.load(path)

    def test_the_floors_that_are_kept_can_be_read(self):
        floors.load()


if __name__ == "__main__":
    unittest.main()
