#!/usr/bin/python3
"""The decision tables of the published forms, as `lianban form table` prints them.

    tests/snapshots/form_tables.py           prints how the forms differ from their tables; 1 if they do
    tests/snapshots/form_tables.py --renew   builds the programs and writes the tables anew

A table says which class follows from which answers, at every boundary, and stands in
policy/forms/tables. Renew them when a rule was meant to change, and let the diff be reviewed with
it. LIANBAN_BIN names a folder of programs that are built already.
"""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FORMS = os.path.join(ROOT, "policy", "forms")
TABLES = os.path.join(FORMS, "tables")
RULES = os.path.join(ROOT, "policy", "rules", "beijing-reference.yaml")
BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
SECONDS = 60


def forms():
    return sorted(name[:-len(".yaml")] for name in os.listdir(FORMS) if name.endswith(".yaml"))


def tables():
    return sorted(name[:-len(".txt")] for name in os.listdir(TABLES))


def path_of(form):
    return os.path.join(TABLES, form + ".txt")


def run(form, *more, path=None):
    """`lianban form table` of a form; a file in its place when a path is given."""
    command = [os.path.join(BIN, "lianban"), "form", "table", path or os.path.join(FORMS, form + ".yaml"),
               "--rules", RULES, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def difference(form, path=None):
    """The lines that are gone and those that are new; empty when form and table agree."""
    done = run(form, "--against", path_of(form), path=path)
    if done.returncode not in (0, 1) or done.stderr:
        raise RuntimeError(f"{form}: {done.stderr.strip()}")
    return done.stdout


def renew():
    if "LIANBAN_BIN" not in os.environ:
        subprocess.run([os.path.join(ROOT, "run"), "build"], check=True)
    os.makedirs(TABLES, exist_ok=True)
    for form in forms():
        done = run(form)
        if done.returncode != 0:
            raise RuntimeError(f"{form}: {done.stderr.strip()}")
        with open(path_of(form), "w", encoding="utf-8") as file:
            file.write(done.stdout)
    for form in tables():
        if form not in forms():
            os.unlink(path_of(form))


def main():
    if sys.argv[1:] == ["--renew"]:
        renew()
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    differences = [difference(form) for form in forms()]
    print("".join(differences), end="")
    return 1 if any(differences) else 0


if __name__ == "__main__":
    sys.exit(main())
