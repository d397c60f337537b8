"""Tests of the lint: each rule fires on what it forbids, and only on that."""

import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import lint  # noqa: E402

with open(os.path.join(os.path.dirname(os.path.dirname(HERE)), "BUILD"), encoding="utf-8") as _file:
    ROOT_BUILD = _file.read()

LIBRARY = """
package(default_visibility = ["//:%s"])

lb_library(
    name = "%s",
    srcs = [%s],
    hdrs = [%s],
)
"""
HEADER = """#ifndef {guard}
#define {guard}

{text}
#endif
"""
DOCUMENTED = "/* lb_x does x. */\nvoid lb_x(void);\n"


def header(path, text=DOCUMENTED):
    guard = path.upper().replace("/", "_").replace(".", "_")
    return HEADER.format(guard=guard, text=text)


class Lint(unittest.TestCase):
    """A small checkout with the real layers, which the tests then spoil."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="lianban-lint-")
        self.addCleanup(shutil.rmtree, self.root)
        self.write("BUILD", ROOT_BUILD)
        self.package("gateway/base", "above_base", ["a.c"], ["a.h"])
        self.package("gateway/crypto", "above_foreign", ["c.c", "inner.h"], ["c.h"])
        self.package("gateway/token", "above_judgements", ["t.c"], ["t.h"])
        self.package("gateway/seal", "above_judgements", ["s.c"], ["s.h"])
        self.package("gateway/exchange", "above_use_cases", ["x.c"], ["x.h"])
        self.write("gateway/token/t.c", '#include "gateway/token/t.h"\n#include <string.h>\n')

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def package(self, folder, group, sources, headers):
        name = os.path.basename(folder)
        self.write(folder + "/BUILD", LIBRARY % (
            group, name, ", ".join('"%s"' % s for s in sources),
            ", ".join('"%s"' % h for h in headers)))
        for path in sources + headers:
            path = folder + "/" + path
            self.write(path, header(path) if path.endswith(".h") else "")

    def found(self):
        """What was found: a list of `rule path:line`, but for the rules that deps_test.py is about."""
        return ["%s %s:%d" % (finding.rule, finding.path, finding.line)
                for finding in lint.check(self.root)[1] if finding.rule not in ("direct-dep", "include", "target")]

    def assert_found(self, *expected):
        self.assertEqual(sorted(self.found()), sorted(expected))

    def include(self, path, name):
        self.write(path, "#include %s\n" % name)

    def test_the_small_checkout_is_clean(self):
        self.assert_found()

    # ---- layers

    def test_a_foreign_header_stays_in_its_folder(self):
        for name in ("openssl/evp.h", "sodium.h", "sqlite3.h", "yaml.h", "jansson.h", "grpc/grpc.h",
                     "protobuf-c/protobuf-c.h"):
            self.include("gateway/token/t.c", "<%s>" % name)
            self.assert_found("foreign-header gateway/token/t.c:1")
        for name in ("jwt.h", "zlib.h"):
            self.include("gateway/token/t.c", "<%s>" % name)
            self.assert_found()
        self.include("gateway/crypto/c.c", "<openssl/evp.h>")
        self.assert_found()

    def test_quotes_do_not_hide_a_foreign_header(self):
        self.include("gateway/token/t.c", '"openssl/evp.h"')
        self.assertIn("foreign-header gateway/token/t.c:1", self.found())

    def test_a_library_nobody_knows_is_refused(self):
        self.include("gateway/token/t.c", "<curl/curl.h>")
        self.assert_found("foreign-header gateway/token/t.c:1")

    def test_cmocka_is_for_tests(self):
        self.include("gateway/token/t.c", "<cmocka.h>")
        self.include("gateway/token/t_test.c", "<cmocka.h>")
        self.assert_found("foreign-header gateway/token/t.c:1")

    def test_an_upward_include_is_refused(self):
        self.include("gateway/base/a.c", '"gateway/crypto/c.h"')
        self.include("gateway/crypto/c.c", '"gateway/token/t.h"')
        self.assert_found("layer gateway/base/a.c:1", "layer gateway/crypto/c.c:1")

    def test_a_sibling_is_refused(self):
        self.include("gateway/token/t.c", '"gateway/seal/s.h"')
        self.assert_found("layer gateway/token/t.c:1")

    def test_what_stands_left_is_allowed(self):
        self.include("gateway/exchange/x.c", '"gateway/token/t.h"')
        self.include("gateway/token/t.c", '"gateway/base/a.h"')
        self.assert_found()

    def test_a_private_header_is_refused(self):
        self.include("gateway/token/t.c", '"gateway/crypto/inner.h"')
        self.assert_found("layer gateway/token/t.c:1")

    def test_a_source_or_a_missing_header_is_refused(self):
        self.include("gateway/token/t_test.c", '"gateway/token/t.c"')
        self.include("gateway/seal/s.c", '"s.h"')
        self.assert_found("layer gateway/token/t_test.c:1", "layer gateway/seal/s.c:1")

    def test_a_folder_in_no_layer_is_refused(self):
        self.write("gateway/other/o.c", "")
        self.assert_found("layer gateway/other/o.c:1")

    def test_base_does_not_know_the_wire(self):
        self.include("gateway/base/a.c", '"lianban/v1/read.pb-c.h"')
        self.include("gateway/token/t.c", '"lianban/v1/read.pb-c.h"')
        self.assert_found("layer gateway/base/a.c:1")

    def test_a_package_is_not_visible_to_its_siblings(self):
        self.package("gateway/seal", "above_note", ["s.c"], ["s.h"])
        self.assert_found("visibility gateway/seal/BUILD:5")

    def test_a_fixture_is_for_the_tests_of_all(self):
        self.write("tests/support/BUILD",
                   'lb_library(name = "f", testonly = True, srcs = ["f.c"], hdrs = ["f.h"],'
                   ' visibility = ["//visibility:public"])\n')
        self.write("tests/support/f.c", "")
        self.write("tests/support/f.h", header("tests/support/f.h"))
        self.include("gateway/seal/s_test.c", '"tests/support/f.h"')
        self.assert_found()
        self.include("gateway/seal/s.c", '"tests/support/f.h"')
        self.assert_found("layer gateway/seal/s.c:1")

    def test_an_exception_is_written_down_with_its_reason(self):
        self.package("gateway/seal", "above_note", ["s.c"], ["s.h"])
        self.write(lint.ALLOW, "visibility gateway/seal/BUILD seal -- others seal too\n")
        self.include("gateway/token/t.c", '"gateway/seal/s.h"')
        self.assert_found()

    def test_an_exception_nobody_needs_is_refused(self):
        self.write(lint.ALLOW, "# why\n\nbanned-call gateway/seal/s.c system -- old\n")
        self.assert_found("allow-list tests/lint/allow.txt:3")

    def test_an_exception_without_a_reason_is_refused(self):
        self.write(lint.ALLOW, "banned-call gateway/seal/s.c system\n")
        with self.assertRaises(SystemExit):
            self.found()

    # ---- text

    def test_banned_calls(self):
        for call in ("strcpy(a, b)", "sprintf (a, b)", "x = atoi(b)", "system(a)", "rand()"):
            self.write("gateway/seal/s.c", "void f(void)\n{\n    %s;\n}\n" % call)
            self.assert_found("banned-call gateway/seal/s.c:3")

    def test_names_comments_and_strings_are_no_calls(self):
        self.write("gateway/seal/s.c",
                   '/* strcpy(a, b) */\n// system(a)\nconst char *s = "gets(\\"a\\")";\n'
                   "int lb_x_system(int file_system);\nint y = snprintf(a) + s->random(1);\n")
        self.assert_found()

    def test_secrets_are_not_compared_by_memcmp(self):
        for call in ("memcmp(a, key, 32)", "memcmp(&x->mac, b, 16)", "memcmp(s.salt.ptr, b, 16)",
                     "lb_span_eq(secret, b)", "strcmp(password, b)",
                     "memcmp(\n    entry[0].commitment.bytes, b, 32)"):
            self.write("gateway/seal/s.c", "int x = %s;\n" % call)
            self.assert_found("secret-compare gateway/seal/s.c:1")

    def test_public_bytes_are_compared_freely(self):
        self.write("gateway/seal/s.c", "int x = memcmp(public_key, key->public_key, 32) +\n"
                   "    memcmp(monkey, keyring_hash, 32) + lb_span_eq(key, name) +\n"
                   "    lb_crypto_equal(mac, b);\n")
        self.assert_found()

    def function(self, lines):
        return "static int f(int a)\n{\n%s}\n" % ("    a++;\n" * (lines - 3))

    def test_function_size(self):
        self.write("gateway/seal/s.c", "\n" + self.function(61))
        self.assert_found("function-size gateway/seal/s.c:2")
        self.write("gateway/seal/s.c", "\n" + self.function(60) + self.function(60))
        self.assert_found()
        self.assertEqual([size for size, _, _ in
                          lint.rules_text.long_functions(lint.Tree(self.root))], [60, 60])

    def test_file_size(self):
        self.write("gateway/seal/s.c", "int x;\n" * 401)
        self.assert_found("file-size gateway/seal/s.c:1")
        self.write("gateway/seal/s.c", "int x;\n" * 400)
        self.assert_found()

    def test_line_width_counts_characters(self):
        self.write("gateway/seal/s.c", "/* %s */\n" % ("办" * 94))
        self.assert_found()
        self.write("gateway/seal/s.c", "/* %s */\n" % ("办" * 95))
        self.assert_found("line-width gateway/seal/s.c:1")

    def test_tabs_and_blanks_at_the_end(self):
        self.write("gateway/seal/s.c", "\tint x;\nint y; \n")
        self.assert_found("line-width gateway/seal/s.c:1", "line-width gateway/seal/s.c:2")

    def test_leftovers(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" * 3):
            self.write("demo/x.py", "# %s: later\n" % word)
            self.assert_found("leftover demo/x.py:1")
        self.write("demo/x.py", "path = 'lianban-XXXXXX'\n")
        self.assert_found()

    def test_paths_of_one_machine(self):
        for folder in ("home/me", "root/x", "work/x"):
            self.write("docs/X.md", "run it from /%s\n" % folder)
            self.assert_found("machine-path docs/X.md:1")
        self.write("docs/X.md", "look in D/home/x and https://example.org/home/x\n")
        self.assert_found()

    # ---- headers

    def test_header_guard(self):
        text = header("gateway/seal/s.h")
        for bad in (text.replace("SEAL", "SEEL"), text.replace("#endif\n", "#endif\nint lb_y;\n"),
                    text.replace("#define GATEWAY_SEAL_S_H", "")):
            self.write("gateway/seal/s.h", bad)
            self.assertIn("header-guard gateway/seal/s.h:1", self.found())

    def head(self, text):
        self.write("gateway/seal/s.h", header("gateway/seal/s.h", text))
        return self.found()

    def test_a_function_has_a_comment(self):
        for text in ("void lb_y(void);\n", "LB_MUST lb_status lb_y(int a,\n    int b);\n",
                     "struct lb_y { int a; };\nstatic inline int lb_y_of(int a)\n{\n    return a;\n}\n",
                     "/* About this folder. */\n\nvoid lb_y(void);\n"):
            line = 5 if text.startswith(("struct", "LB", "void")) else 6
            line = 4 if text.startswith(("void", "LB")) else line
            self.assertEqual(self.head(text), ["header-comment gateway/seal/s.h:%d" % line])

    def test_a_comment_covers_the_lines_that_follow(self):
        self.assertEqual(self.head("/* lb_y and lb_z pair up. */\nvoid lb_y(void);\n"
                                   "void lb_z(void);\nLB_MUST lb_status lb_w(void);\n"), [])
        self.assertEqual(self.head("/* lb_y does y. */\nvoid lb_y(void);\n\nvoid lb_z(void);\n"),
                         ["header-comment gateway/seal/s.h:7"])
        self.assertEqual(self.head("/* lb_y and lb_z pair up. */\nvoid lb_y(void);\n\n"
                                   "void lb_z(void);  /* for LB_DEFER */\n"), [])

    def test_names_of_a_header_carry_the_prefix(self):
        for text in ("#define LIMIT 5\n", "struct y;\n", "enum lb_y { LB_A, B };\n",
                     "typedef int y;\n", "struct y { int lb_a; };\n", "extern const int y[];\n",
                     "typedef void (*y)(int);\n", "/* y does y. */\nvoid y(void);\n"):
            line = 5 if text.startswith("/*") else 4
            self.assertEqual(self.head(text), ["header-name gateway/seal/s.h:%d" % line], text)
        self.assertEqual(self.head("#define LB_LIMIT(a) \\\n    (a)\nstruct lb_y { int b; };\n"
                                   "enum lb_z { LB_Z_A = 1, LB_Z_B };\ntypedef void (*lb_f)(int);\n"
                                   "extern const int lb_v[3];\n"), [])

    def test_types_of_a_private_header_may_have_short_names(self):
        path = "gateway/crypto/inner.h"
        self.write(path, header(path, "#define LIMIT 5\nstruct y { int z; };\n"))
        self.assert_found()
        self.write(path, header(path, "/* y does y. */\nvoid y(void);\n"))
        self.assert_found("header-name gateway/crypto/inner.h:5")

    def test_every_code_is_documented(self):
        codes = "#define LB_CODES(X) \\\n    X(BUSY, A, OUTER, \"b\") \\\n    X(REPLAY, A, OUTER, \"r\")\n"
        self.write("gateway/base/codes.h", header("gateway/base/codes.h", codes))
        self.write("gateway/base/BUILD", LIBRARY % ("above_base", "base", '"a.c"',
                                                    '"a.h", "codes.h"'))
        self.assert_found("error-code docs/PROTOCOL.md:1")
        self.write("docs/PROTOCOL.md", "`BUSY` come again.\n")
        self.assert_found("error-code gateway/base/codes.h:6")
        self.write("docs/PROTOCOL.md", "`BUSY` come again. `REPLAY` do not.\n")
        self.assert_found()


if __name__ == "__main__":
    unittest.main()
