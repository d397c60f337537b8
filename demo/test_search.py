"""Tests of the byte search: python3 -m unittest demo/test_search.py"""

import base64
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from search import count_bytes, find, forms_of, needles  # noqa: E402

ID_NO, NAME = "990105194912310027", "欧阳娜娜"


class Search(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def put(self, content, name="file"):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def found(self, *texts):
        return [(offset, text) for _, offset, text in find(needles(texts), self.folder)]

    def test_plain_and_hex(self):
        for text in (ID_NO, NAME):
            for written in (text.encode(), text.encode().hex().encode(), text.encode().hex().upper().encode()):
                self.put(b"\0\xff\n" + written + b"\0")
                self.assertEqual(self.found(ID_NO, NAME), [(3, text)])

    def test_base64_wherever_it_begins(self):
        for text in (ID_NO, NAME):
            for before in (b"", b"\xfb", b"\xfb\xff", b"abc"):
                for after in (b"", b"\xff", b"\xfe\xff"):
                    for encode in (base64.b64encode, base64.urlsafe_b64encode):
                        self.put(encode(before + text.encode() + after))
                        self.assertEqual([hit for _, hit in self.found(ID_NO, NAME)], [text])

    def test_nothing_where_nothing_is(self):
        self.put(os.urandom(1 << 20))
        self.assertEqual(self.found(ID_NO, NAME), [])

    def test_a_number_inside_a_longer_one_is_another_number(self):
        self.put(b"1123456789 1234567890")
        self.assertEqual(self.found("123456789"), [])
        self.put(b"(123456789)")
        self.assertEqual(self.found("123456789"), [(1, "123456789")])

    def test_what_is_too_short_means_nothing(self):
        self.assertEqual(needles(["王", "12345"]), {})
        self.assertEqual(len(forms_of("张三".encode())), 3)

    def test_several_files(self):
        self.put(b"x" + ID_NO.encode(), "a")
        self.put(NAME.encode(), "b")
        self.assertEqual(sorted(self.found(ID_NO, NAME)), [(0, NAME), (1, ID_NO)])
        self.assertEqual(count_bytes(self.folder), (2, 31))


if __name__ == "__main__":
    unittest.main()
