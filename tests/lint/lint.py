#!/usr/bin/python3
"""The rules the source code keeps, beyond what the compiler and Bazel check.

    python3 tests/lint/lint.py [--json] [ROOT]

Prints `file:line: rule: message` for each finding; the exit code is 1 when there is one.
"""

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import rules_deps  # noqa: E402
import rules_headers  # noqa: E402
import rules_layers  # noqa: E402
import rules_text  # noqa: E402
from targets import Build  # noqa: E402
from tree import Tree  # noqa: E402

RULES = {
    "foreign-header": rules_layers.foreign_headers,
    "layer": rules_layers.layers,
    "visibility": rules_layers.visibility,
    "direct-dep": rules_deps.direct,
    "include": rules_deps.plain_includes,
    "target": rules_deps.targets,
    "banned-call": rules_text.banned_calls,
    "secret-compare": rules_text.secret_comparisons,
    "function-size": rules_text.function_sizes,
    "file-size": rules_text.file_sizes,
    "line-width": rules_text.line_widths,
    "leftover": rules_text.leftovers,
    "machine-path": rules_text.machine_paths,
    "header-guard": rules_headers.guards,
    "header-comment": rules_headers.comments,
    "header-name": rules_headers.names,
    "error-code": rules_headers.error_codes,
}
ALLOW = "tests/lint/allow.txt"


class Finding:
    """One place where a rule is broken."""

    def __init__(self, rule, path, line, message):
        self.rule, self.path, self.line, self.message = rule, path, line, message

    def __str__(self):
        return "%s:%d: %s: %s" % (self.path, self.line, self.rule, self.message)


def read_allowed(root):
    """The exceptions: lines `RULE PATH WORD -- reason`; a finding with that word is let pass."""
    path = os.path.join(root, ALLOW)
    if not os.path.exists(path):
        return []
    allowed = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            entry, _, reason = line.partition(" -- ")
            fields = entry.split()
            if len(fields) != 3 or not reason.strip():
                raise SystemExit("%s:%d: write RULE PATH WORD -- reason" % (ALLOW, number))
            allowed.append((number, *fields))
    return allowed


def check(root):
    """All findings in a tree, exceptions taken out."""
    tree = Tree(root)
    build = Build(tree)
    found = [Finding(rule, *where)
             for rule, judge in RULES.items() for where in judge(tree, build)]
    kept, used = [], set()
    allowed = read_allowed(root)
    for finding in found:
        entries = [number for number, rule, path, word in allowed
                   if (rule, path) == (finding.rule, finding.path) and word in finding.message]
        used.update(entries)
        if not entries:
            kept.append(finding)
    kept += [Finding("allow-list", ALLOW, number, "nothing needs this exception for %s" % path)
             for number, _, path, _ in allowed if number not in used]
    return tree, kept


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", nargs="?", default=os.path.dirname(os.path.dirname(HERE)))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--tally", action="store_true",
                        help="print how many rules hold and fail; findings go to stderr")
    options = parser.parse_args(arguments)
    tree, findings = check(options.root)
    out = sys.stderr if options.tally else sys.stdout
    if options.json:
        print(json.dumps([vars(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            print(finding, file=out)
    broken = {finding.rule for finding in findings}
    if options.tally:
        print(len(RULES) + 1 - len(broken), len(broken), 0)
    elif not options.json:
        long = rules_text.long_functions(tree)
        print("%d files, %d rules; %d findings; %d functions over %d lines (at most %d)"
              % (len(tree.sources), len(RULES), len(findings), len(long),
                 rules_text.GOOD_FUNCTION_LINES, rules_text.MAX_FUNCTION_LINES))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
