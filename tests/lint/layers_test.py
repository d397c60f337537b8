"""Bazel itself refuses what the layers forbid: scratch packages laid over the checkout."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BAZEL_ROOT = os.environ.get("LIANBAN_BAZEL_ROOT", os.path.join(ROOT, ".build", "bazel"))
PROBE = """
load("//bazel:defs.bzl", probe_library = "lb_library")

probe_library(
    name = "probe",
    srcs = ["probe.c"],
    deps = [%s],
)
"""


class Layers(unittest.TestCase):
    def setUp(self):
        self.over = tempfile.mkdtemp(prefix="lianban-layers-")
        self.addCleanup(shutil.rmtree, self.over)

    def lay(self, package, deps, code=""):
        """A package of the checkout (or a new one) with one more library, which is returned."""
        build = os.path.join(ROOT, package, "BUILD")
        text = ""
        if os.path.exists(build):
            with open(build, encoding="utf-8") as file:
                text = file.read()
        folder = os.path.join(self.over, package)
        os.makedirs(folder)
        with open(os.path.join(folder, "BUILD"), "w", encoding="utf-8") as file:
            file.write(text + PROBE % ", ".join('"%s"' % dep for dep in deps))
        with open(os.path.join(folder, "probe.c"), "w", encoding="utf-8") as file:
            file.write(code)
        return "//%s:probe" % package

    def bazel(self, *arguments):
        """The exit code and the output of a build with the scratch packages first."""
        command = ["/usr/bin/bazel", "--nohome_rc", "--output_user_root=" + BAZEL_ROOT,
                   "--max_idle_secs=900", "build", "--color=no", "--noshow_progress",
                   "--package_path=%s:%%workspace%%" % self.over, *arguments]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.returncode, done.stdout

    def analyse(self, package, *deps):
        return self.bazel("--nobuild", self.lay(package, deps))

    def assert_refused(self, package, dep):
        code, said = self.analyse(package, dep)
        self.assertNotEqual(code, 0, said)
        self.assertIn("is not visible from target", said)

    def test_what_stands_left_may_be_used(self):
        code, said = self.analyse("gateway/token", "//gateway/base", "//gateway/crypto")
        self.assertEqual(code, 0, said)

    def test_what_stands_right_may_not(self):
        self.assert_refused("gateway/base", "//gateway/crypto")

    def test_a_judgement_may_not_use_a_use_case(self):
        self.assert_refused("policy/engine", "//gateway/exchange")

    def test_siblings_do_not_see_each_other(self):
        self.assert_refused("gateway/crypto", "//gateway/store")

    def test_a_foreign_library_has_one_folder(self):
        self.assert_refused("gateway/token", "//:openssl")

    def test_a_package_in_no_layer_sees_nothing(self):
        self.assert_refused("gateway/nowhere", "//gateway/base")

    def test_a_header_is_not_reached_through_another_dependency(self):
        code = '#include "gateway/crypto/hash.h"\n'
        through = self.lay("tests/through", ["//gateway/base", "//gateway/note"], code)
        direct = self.lay("tests/direct", ["//gateway/base", "//gateway/crypto"], code)
        exit_code, said = self.bazel("--config=layers", direct)
        self.assertEqual(exit_code, 0, said)
        exit_code, said = self.bazel("--config=layers", through)
        self.assertNotEqual(exit_code, 0, said)
        self.assertIn("does not depend on a module exporting 'gateway/crypto/hash.h'", said)


if __name__ == "__main__":
    unittest.main()
