#!/usr/bin/env python3
"""Makes the demo world: ten department databases, and apart from them the truth for tests."""

import argparse
import datetime
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import departments  # noqa: E402
import population  # noqa: E402
import truth  # noqa: E402

DEFAULT_SEED = 20260701
DEFAULT_PEOPLE = 2000
MAX_PEOPLE = 2000000


def _arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR", help="where the ten databases go")
    parser.add_argument("--truth", metavar="FILE", help="where the expected classes go; none if absent")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE)
    parser.add_argument("--today", default=None, metavar="YYYY-MM-DD", help="default: the current date")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.people <= MAX_PEOPLE:
        parser.error(f"--people must be from 1 to {MAX_PEOPLE}")
    try:
        arguments.today = datetime.date.fromisoformat(arguments.today or
                                                      datetime.date.today().isoformat())
    except ValueError:
        parser.error("--today must be a date, YYYY-MM-DD")
    return arguments


def _truth_document(people, arguments):
    entries = [truth.describe(household) for household in people.households]
    return {
        "seed": arguments.seed,
        "today": arguments.today.isoformat(),
        "people": people.num_people,
        "stories": [entry for entry in entries if "story" in entry],
        "households": entries,
    }


def main(argv=None):
    arguments = _arguments(argv)
    people = population.generate(arguments.seed, arguments.people, arguments.today)
    try:
        departments.write_all(people, arguments.out)
        if arguments.truth:
            with open(arguments.truth, "w", encoding="utf-8") as file:
                json.dump(_truth_document(people, arguments), file, ensure_ascii=False, indent=1)
    except OSError as error:
        print(f"generate: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except sqlite3.Error as error:
        print(f"generate: a database in {arguments.out} cannot be written: {error}", file=sys.stderr)
        return 1
    print(f"{people.num_people} people in {len(people.households)} households, "
          f"ten databases in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
