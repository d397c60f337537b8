#!/usr/bin/python3
"""The decision tables of the demo's departments, as `lianban view check --table` prints them.

    tests/snapshots/views.py           prints how the views differ from the snapshots; 1 if they do
    tests/snapshots/views.py --renew   builds the programs and writes the snapshots anew

A snapshot says, line by line, who gets which field, how and why. Renew them when a department's
rule was meant to change, and let the diff be reviewed with it. LIANBAN_BIN names a folder of
programs that are built already.
"""

import difflib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPARTMENTS = os.path.join(ROOT, "demo", "departments")
RULES = os.path.join(ROOT, "policy", "rules", "beijing-reference.yaml")
SNAPSHOTS = os.path.join(ROOT, "tests", "snapshots", "views")
BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
SECONDS = 60


def departments():
    return sorted(os.listdir(DEPARTMENTS))


def table(department, folder=DEPARTMENTS):
    """The decision table of every view of a department, as text."""
    views = os.path.join(folder, department, "views")
    files = [os.path.join(views, name) for name in sorted(os.listdir(views))]
    command = [os.path.join(BIN, "lianban"), "view", "check", "--rules", RULES, "--table", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{department}: {done.stderr.strip()}")
    return done.stdout


def path_of(department):
    return os.path.join(SNAPSHOTS, department + ".txt")


def snapshot(department):
    """What was agreed to; empty when there is none yet."""
    if not os.path.exists(path_of(department)):
        return ""
    with open(path_of(department), encoding="utf-8") as file:
        return file.read()


def difference(department, folder=DEPARTMENTS):
    """A unified diff from the snapshot to the views; empty when they agree."""
    return "".join(difflib.unified_diff(
        snapshot(department).splitlines(keepends=True),
        table(department, folder).splitlines(keepends=True),
        f"tests/snapshots/views/{department}.txt", f"demo/departments/{department}/views", n=0))


def renew():
    if "LIANBAN_BIN" not in os.environ:
        subprocess.run([os.path.join(ROOT, "run"), "build"], check=True)
    os.makedirs(SNAPSHOTS, exist_ok=True)
    for department in departments():
        with open(path_of(department), "w", encoding="utf-8") as file:
            file.write(table(department))
    for name in os.listdir(SNAPSHOTS):
        if name[:-len(".txt")] not in departments():
            os.unlink(os.path.join(SNAPSHOTS, name))


def main():
    if sys.argv[1:] == ["--renew"]:
        renew()
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    differences = [difference(department) for department in departments()]
    print("".join(differences), end="")
    return 1 if any(differences) else 0


if __name__ == "__main__":
    sys.exit(main())
