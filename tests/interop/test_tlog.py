"""Our logs in the hands of Go's own golang.org/x/mod/sumdb/tlog and note, and a log of theirs in ours.

The Go program (tlog/main.go) knows C2SP's names of files and nothing else of us."""

import base64
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
_BIN = os.environ.get("LIANBAN_BIN", os.path.join(_ROOT, ".build", "bin"))
_TOOLS = os.environ.get("LIANBAN_INTEROP_BIN", os.path.join(_ROOT, ".build", "interop-bin"))
# Debian's Go, and nothing from the network.
_GO = {"PATH": "/usr/bin:/bin", "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
       "GOPROXY": "off", "CGO_ENABLED": "0", "GOCACHE": os.path.join(_ROOT, ".build", "go-cache"),
       "HOME": os.path.join(_ROOT, ".build")}
SMALL, LARGE = 600, 70123


def setUpModule():
    global work, vkey  # pylint: disable=global-statement
    # In memory where that is possible: nothing here is about disks.
    work = tempfile.mkdtemp(prefix="lianban-tlog-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    unittest.addModuleCleanup(shutil.rmtree, work)
    subprocess.run(["go", "build", "-o", _at("tlog"), "."], cwd=os.path.join(_HERE, "tlog"), env=_GO,
                   check=True, timeout=120)
    vkey = _make(SMALL, _at("log"))
    _export("small", _at("log"))
    _export("exported", _at("log"))
    shutil.copy(_at("small", "checkpoint"), _at("older"))
    _make(LARGE, _at("log"))
    _export("exported", _at("log"))  # goes on with what it has


def _at(*names):
    return os.path.join(work, *names)


def _make(size, log):
    made = subprocess.run([os.path.join(_TOOLS, "make_log"), log, str(size)], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=120)
    return made.stdout.strip()


def _ours(*words):
    return subprocess.run([os.path.join(_BIN, "lianban"), "log", *words], text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def _export(name, log):
    done = _ours("export", log, "--out", _at(name), "--vkey", vkey)
    if done.returncode != 0:
        raise AssertionError(done.stderr)


def _go(*words):
    done = subprocess.run([_at("tlog"), *words], text=True, timeout=120, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


class OurLog(unittest.TestCase):
    """An exported log of ours, read in Go."""

    def test_every_entry_and_tile_and_proofs_of_many_sizes(self):
        read = _go("read", _at("exported"), vkey, _at("older"))
        self.assertEqual(read["size"], LARGE)
        self.assertGreaterEqual(read["inclusion"], 20)
        self.assertGreaterEqual(read["consistency"], 20)
        # Every file there should be; the partial tiles of the first export are full by now, and gone.
        self.assertEqual(read["files"], 1 + 2 * 274 + 3)
        self.assertEqual(read["surplus"], [])

    def test_cosignatures_under_a_checkpoint(self):
        """As C2SP's cosignature/v1 says it: passed over in Go, verified by ours."""
        folder, policy = _at("cosigned"), _at("policy")
        shutil.copytree(_at("small"), folder)
        key = Ed25519PrivateKey.generate()
        public = b"\x04" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        name, now = "example/witness", int(time.time())
        key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        with open(policy, "w", encoding="utf-8") as file:
            file.write(f"witness w {name}+{key_id.hex()}+{base64.b64encode(public).decode()}\nquorum w\n")
        by = ("verify", "--tiles", folder, "--vkey", vkey, "--witnesses", policy)
        self.assertEqual(_ours(*by).returncode, 1)
        with open(os.path.join(folder, "checkpoint"), "r+", encoding="utf-8") as file:
            text = file.read().split("\n\n", maxsplit=1)[0] + "\n"
            signature = key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
            line = base64.b64encode(key_id + now.to_bytes(8, "big") + signature).decode()
            file.write(f"\u2014 {name} {line}\n")
        done = _ours(*by)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("600 (w)", done.stdout)
        self.assertEqual(_go("read", folder, vkey, _at("older"))["size"], SMALL)

    def test_every_resource_with_a_bit_changed_is_refused(self):
        self.assertEqual(_go("tampered", _at("small"), vkey), {"refused": 1 + 2 * 3 + 1})

    def test_another_key_is_refused(self):
        _go("write", _at("other"), "3")
        other = vkey.split("+")[0] + "+" + _go("write", _at("other"), "3")["vkey"].split("+", 1)[1]
        self.assertIsInstance(_go("read", _at("small"), other), str)

    def test_an_older_tree_of_another_history_is_refused(self):
        with open(_at("older"), encoding="utf-8") as file:
            text = file.read()
        with open(_at("forged"), "w", encoding="utf-8") as file:
            file.write(text.replace("\n600\n", "\n599\n"))
        self.assertIn("invalid signature", _go("read", _at("exported"), vkey, _at("forged")))

    def test_proof_files(self):
        for index in (0, 255, 256, 65535, 65536, LARGE - 1):
            made = _ours("prove", _at("log"), str(index), "--out", _at("proof"), "--vkey", vkey)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertEqual(_go("proof", _at("proof"), vkey), {"index": index, "size": LARGE})
        with open(_at("proof"), encoding="utf-8") as file:
            text = file.read()
        with open(_at("proof"), "w", encoding="utf-8") as file:
            file.write(text.replace("index %d" % (LARGE - 1), "index %d" % (LARGE - 2)))
        self.assertIsInstance(_go("proof", _at("proof"), vkey), str)


class Killed(unittest.TestCase):
    """An export that is killed on its way leaves whole files and no checkpoint, and goes on later."""

    def test_at_any_file(self):
        log, whole = _at("other-log"), _at("whole")
        _make(6000, log)
        _export("whole", log)
        # On a disk, where each file takes its time.
        into = os.path.join(tempfile.mkdtemp(prefix="lianban-tlog-"), "killed")
        self.addCleanup(shutil.rmtree, os.path.dirname(into))
        for wanted in (1, 10, 25, 40):
            export = subprocess.Popen([os.path.join(_BIN, "lianban"), "log", "export", log, "--out", into,
                                       "--vkey", vkey], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while export.poll() is None and len(_files(into)) < wanted:
                time.sleep(0.001)
            export.kill()
            export.wait()
            written = set(_files(into)) - {".unfinished"}
            for name in written:
                self.assertTrue(filecmp.cmp(os.path.join(into, name), os.path.join(whole, name), False), name)
            verdict = _ours("verify", "--tiles", into, "--vkey", vkey).returncode
            self.assertEqual(verdict, 0 if "checkpoint" in written else 1)
        self.assertEqual(_ours("export", log, "--out", into, "--vkey", vkey).returncode, 0)
        self.assertEqual(sorted(_files(into)), sorted(_files(whole)))
        self.assertEqual(_ours("verify", "--tiles", into, "--vkey", vkey).returncode, 0)


def _files(path):
    return [os.path.relpath(os.path.join(folder, name), path)
            for folder, _, names in os.walk(path) for name in names]


class TheirLog(unittest.TestCase):
    """A log made in Go, verified by ours."""

    def test_sizes_around_the_edges(self):
        for size in (1, 255, 256, 257, 700):
            path = _at("by-go-%d" % size)
            made = _go("write", path, str(size))
            done = _ours("verify", "--tiles", path, "--vkey", made["vkey"], "--json")
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(json.loads(done.stdout)["logs"][0]["size"], size)

    def test_a_changed_tile_is_refused(self):
        made = _go("write", _at("changed"), "300")
        with open(_at("changed", "tile", "0", "000"), "r+b") as file:
            file.seek(4000)
            byte = file.read(1)[0]
            file.seek(4000)
            file.write(bytes([byte ^ 1]))
        done = _ours("verify", "--tiles", _at("changed"), "--vkey", made["vkey"], "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("tile/0/000 was changed", done.stdout)


if __name__ == "__main__":
    unittest.main()
