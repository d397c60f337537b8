"""Bazel itself refuses what the layers forbid: scratch targets laid over the checkout."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BAZEL_ROOT = os.environ.get("LIANBAN_BAZEL_ROOT", os.path.join(ROOT, ".build", "bazel"))
LOAD = 'load("//bazel:defs.bzl", probe_library = "lb_library")\n'
PROBE = 'probe_library(name = "%s", srcs = ["probe.c"], deps = [%s])\n'
# A name, the package it is laid into, and what it depends on.
PROBES = (
    ("left", "gateway/token", "//gateway/base", "//gateway/crypto"),
    ("right", "gateway/base", "//gateway/crypto"),
    ("use_case", "policy/engine", "//gateway/exchange"),
    ("sibling", "gateway/crypto", "//gateway/store"),
    ("foreign", "gateway/token", "//:openssl"),
    ("nowhere", "gateway/nowhere", "//gateway/base"),
)


def lay(over):
    """Packages of the checkout, and a new one, with more libraries; returns their labels."""
    for package in {package for _, package, *_ in PROBES}:
        build, text = os.path.join(ROOT, package, "BUILD"), ""
        if os.path.exists(build):
            with open(build, encoding="utf-8") as file:
                text = file.read()
        os.makedirs(os.path.join(over, package))
        with open(os.path.join(over, package, "BUILD"), "w", encoding="utf-8") as file:
            file.write(text + LOAD)
            for name, place, *deps in PROBES:
                if place == package:
                    file.write(PROBE % (name, ", ".join(f'"{dep}"' for dep in deps)))
    return [f"//{package}:{name}" for name, package, *_ in PROBES]


class Layers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        over = tempfile.mkdtemp(prefix="lianban-layers-")
        cls.addClassCleanup(shutil.rmtree, over)
        command = ["/usr/bin/bazel", "--nohome_rc", "--output_user_root=" + BAZEL_ROOT, "--max_idle_secs=900",
                   "build", "--nobuild", "--keep_going", "--color=no", "--noshow_progress",
                   f"--package_path={over}:%workspace%", *lay(over)]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, check=False)
        cls.said, cls.code = done.stdout, done.returncode

    def refusals(self, label):
        """What Bazel says against a target."""
        return [line for line in self.said.splitlines() if "ERROR: " in line and f" {label}:" in line]

    def assert_refused(self, label, dep):
        self.assertNotEqual(self.code, 0, self.said)
        self.assertEqual(len(self.refusals(label)), 1, self.said)
        self.assertIn(f"target '{dep}' is not visible from target '{label}'", self.said)

    def test_what_stands_left_may_be_used(self):
        self.assertNotIn("//gateway/token:left", self.said)

    def test_what_stands_right_may_not(self):
        self.assert_refused("//gateway/base:right", "//gateway/crypto:crypto")

    def test_a_judgement_may_not_use_a_use_case(self):
        self.assert_refused("//policy/engine:use_case", "//gateway/exchange:exchange")

    def test_siblings_do_not_see_each_other(self):
        self.assert_refused("//gateway/crypto:sibling", "//gateway/store:store")

    def test_a_foreign_library_has_one_folder(self):
        self.assert_refused("//gateway/token:foreign", "//:openssl")

    def test_a_package_in_no_layer_sees_nothing(self):
        self.assert_refused("//gateway/nowhere:nowhere", "//gateway/base:base")


if __name__ == "__main__":
    unittest.main()
