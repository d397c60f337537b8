"""Tests of the rules about dependencies: a header that Bazel lets pass and nobody named is found."""

import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import rules_deps  # noqa: E402
from targets import Build  # noqa: E402
from tree import Tree  # noqa: E402

BUILD = """
lb_library(
    name = "base",
    srcs = ["a.c", "inner.h"],
    hdrs = ["a.h"],
)

lb_library(
    name = "hash",
    hdrs = ["hash.h"],
    deps = [":base"],
)

lb_library(
    name = "note",
    srcs = ["n.c"],
    hdrs = ["n.h"],
    deps = [":hash", "//proto:read"],
)

[lb_test(
    name = name,
    srcs = [name + ".c"],
    deps = [":note"] + more,
) for name, more in [
    ("first_test", []),
    ("second_test", ["//m:hash"]),
]]

lb_fuzz(
    name = "targets",
    srcs = ["note_fuzz.c"],
    targets = ["note"],
    deps = [":note"],
)
"""
PROTO = """
lb_proto(name = "leaf", src = "v1/leaf.proto")
lb_proto(name = "read", src = "v1/read.proto", deps = [%s])
"""
FUZZ = 'lb_library(name = "fuzz", srcs = ["fuzz.c"], hdrs = ["fuzz.h"])\n'
FILES = {
    "m/BUILD": BUILD, "m/a.c": '#include "m/a.h"\n#include "m/inner.h"\n#include <stdint.h>\n', "m/a.h": "",
    "m/inner.h": "", "m/hash.h": '#include "m/a.h"\n', "m/n.c": '#include "m/n.h"\n',
    "m/n.h": '#include "v1/read.pb-c.h"\n', "m/first_test.c": '#include "m/n.h"\n',
    "m/second_test.c": '#include "m/hash.h"\n', "m/note_fuzz.c": '#include "tests/fuzz/fuzz.h"\n',
    "proto/BUILD": PROTO % '":leaf"', "proto/v1/leaf.proto": "",
    "proto/v1/read.proto": 'import "v1/leaf.proto";\n',
    "tests/fuzz/BUILD": FUZZ, "tests/fuzz/fuzz.c": "", "tests/fuzz/fuzz.h": "",
}


class Deps(unittest.TestCase):
    """A small checkout in which every include is of a direct dependency; the tests spoil it."""

    maxDiff = None

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="lianban-lint-")
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def found(self, rule):
        tree = Tree(self.root)
        return [f"{path}:{line}: {why}" for path, line, why in rule(tree, Build(tree))]

    def assert_refused(self, where, header, target):
        found = self.found(rules_deps.direct)
        self.assertEqual([line.split(": ")[0] for line in found], [where])
        self.assertIn(f" {header} is ", " " + found[0].split(": ", 1)[1])
        self.assertTrue(found[0].endswith("not among the deps of " + target), found)

    def test_direct_dependencies_are_enough(self):
        for rule in (rules_deps.direct, rules_deps.plain_includes, rules_deps.targets):
            self.assertEqual(self.found(rule), [])

    def test_a_dependency_of_a_dependency_is_not(self):
        self.write("m/n.c", '#include "m/n.h"\n#include "m/a.h"\n')
        self.assert_refused("m/n.c:2", "m/a.h", "//m:note")

    def test_nor_in_a_test(self):
        self.write("m/first_test.c", '#include "m/n.h"\n\n#  include "m/hash.h"\n')
        self.assert_refused("m/first_test.c:3", "m/hash.h", "//m:first_test")

    def test_nor_in_a_public_header(self):
        self.write("m/n.h", '#include "m/a.h"\n')
        self.assert_refused("m/n.h:1", "m/a.h", "//m:note")

    def test_nor_under_a_condition(self):
        self.write("m/n.c", '#ifdef NEVER\n#include "m/a.h"\n#endif\n')
        self.assert_refused("m/n.c:2", "m/a.h", "//m:note")

    def test_nor_in_angle_brackets(self):
        self.write("m/n.c", "#include <m/a.h>\n")
        self.assert_refused("m/n.c:1", "m/a.h", "//m:note")

    def test_nor_generated(self):
        self.write("m/n.h", "")
        self.write("m/n.c", '#include "v1/leaf.pb-c.h"\n')
        self.assert_refused("m/n.c:1", "v1/leaf.pb-c.h", "//m:note")
        self.write("m/n.c", "")
        self.write("proto/BUILD", PROTO % "")
        self.assert_refused("proto/v1/read.proto:1", "v1/leaf.pb-c.h", "//proto:read")

    def test_nor_what_the_macro_does_not_add(self):
        self.write("m/note_fuzz.c", '#include "m/n.h"\n#include "m/hash.h"\n')
        self.assert_refused("m/note_fuzz.c:2", "m/hash.h", "//m:targets")

    def test_a_private_header_is_for_its_own_target(self):
        self.write("m/hash.h", '#include "m/inner.h"\n')
        self.assert_refused("m/hash.h:1", "m/inner.h", "//m:hash")

    def test_a_file_of_two_targets_needs_both_to_depend(self):
        self.write("m/BUILD", BUILD.replace('srcs = [name + ".c"]', 'srcs = [name + ".c", "both.c", "both.h"]'))
        self.write("m/both.h", '#include "m/hash.h"\n')
        self.write("m/both.c", "")
        self.assertEqual(self.found(rules_deps.direct), [])  # it stands in one of them rightly
        self.write("m/both.c", '#include "m/hash.h"\n')
        self.assert_refused("m/both.c:1", "m/hash.h", "//m:first_test")

    def test_an_include_that_cannot_be_read_is_refused(self):
        for text in ("#define X <a.h>\n#include X\n", "#inc\\\nlude \"m/a.h\"\n", "%:include \"m/a.h\"\n",
                     "#include_next <string.h>\n", "#import \"m/a.h\"\n", "/* x */ #include \"m/a.h\"\n",
                     "#include /* x */ \"m/a.h\"\n"):
            self.write("m/n.c", text)
            self.assertEqual([line.split(":")[0] for line in self.found(rules_deps.plain_includes)], ["m/n.c"], text)
        self.write("m/n.c", '/*\n#include "m/a.h"\n*/\n// #include X\nconst char *s = "#include";\n')
        self.assertEqual(self.found(rules_deps.plain_includes), [])

    def test_a_file_belongs_to_a_target(self):
        self.write("m/lost.c", "")
        self.assertEqual(self.found(rules_deps.targets), ["m/lost.c:1: no target names it"])

    def test_no_target_bends_an_include(self):
        for more in ('includes = ["x"]', 'strip_include_prefix = "x"', 'copts = ["-Im"]',
                     'copts = ["-include", "m/a.h"]', 'textual_hdrs = ["a.h"]', 'copts = ["-iquote", "m"]',
                     'copts = ["--include=m/a.h"]'):
            self.write("m/BUILD", BUILD.replace('srcs = ["n.c"],', f'srcs = ["n.c"], {more},'))
            self.assertEqual(len(self.found(rules_deps.targets)), 1, more)
        self.write("m/BUILD", BUILD.replace('srcs = ["n.c"],', 'srcs = ["n.c"], copts = ["-O1", "-std=c11"],'))
        self.assertEqual(self.found(rules_deps.targets), [])


if __name__ == "__main__":
    unittest.main()
