"""Looks through files for anything that names a person, however it is written.

grep does the work: it looks for tens of thousands of byte strings in one pass.
"""

import base64
import os
import re
import subprocess
import tempfile

MIN_BASE64_BYTES = 9
MIN_BYTES = 6
MAX_HITS = 100


def forms_of(value):
    """The ways bytes may be written: plain, hex, and what is sure of their base64 at three offsets."""
    forms = {value, value.hex().encode(), value.hex().upper().encode()}
    if len(value) < MIN_BASE64_BYTES:
        return forms
    for offset in range(3):
        # Characters that hold only bits of the value: whatever stands before and after it.
        first = (offset * 8 + 5) // 6
        last = (offset + len(value)) * 8 // 6
        text = base64.b64encode(bytes(offset) + value + bytes(3))[first:last]
        forms.update((text, text.replace(b"+", b"-").replace(b"/", b"_")))
    return forms


def needles(texts):
    """Byte string to the text it stands for; texts too short to mean anything are left out."""
    found = {}
    for text in texts:
        value = text.encode()
        if len(value) >= MIN_BYTES:
            found.update((form, text) for form in forms_of(value))
    return found


def find(wanted, *places, limit=MAX_HITS):
    """(file, offset, text) of every place where one of `wanted` (from needles) is, at most `limit`.

    A number inside a longer number is no hit.
    """
    with tempfile.NamedTemporaryFile() as patterns:
        patterns.write(b"".join(form + b"\n" for form in wanted))
        patterns.flush()
        run = subprocess.run(["grep", "-r", "-a", "-o", "-b", "-F", "-Z", "-H", "-f", patterns.name, *places],
                             stdout=subprocess.PIPE, check=False, env={**os.environ, "LC_ALL": "C"})
    if run.returncode > 1:
        raise RuntimeError("grep could not search " + " ".join(places))
    hits = []
    for path, offset, form in re.findall(rb"([^\0\n]+)\0(\d+):(.*)\n", run.stdout):
        if form in wanted and not _inside_number(path, int(offset), form):
            hits.append((path.decode(), int(offset), wanted[form]))
    return hits[:limit]


def count_bytes(*places):
    """How much there is to search: (files, bytes)."""
    files = size = 0
    for place in places:
        for folder, _, names in os.walk(place):
            for name in names:
                files += 1
                size += os.path.getsize(os.path.join(folder, name))
    return files, size


def _inside_number(path, offset, form):
    if not form.isdigit():
        return False
    with open(path, "rb") as file:
        file.seek(max(0, offset - 1))
        around = file.read(len(form) + 1 + min(1, offset))
    before = around[:1] if offset else b""
    after = around[len(before) + len(form):]
    return before.isdigit() or after.isdigit()
