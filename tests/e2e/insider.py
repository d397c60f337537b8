"""What somebody with root on one node can do to its evidence log, with the log's own key."""

import base64
import hashlib
import os
import shutil
import sqlite3
import struct

from cryptography.hazmat.primitives import serialization

import receipts

_TILE = 256
_SLOT = 1024
_HASHES = ("policy_hash", "fields_hash", "detail_hash", "request_hash", "answer_hash", "peer_leaf")


def copied(state, folder):
    """A copy of a node's log, as a backup would take it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    source = sqlite3.connect(f"file:{os.path.join(state, 'evidence.db')}?mode=ro", uri=True)
    target = sqlite3.connect(os.path.join(folder, "evidence.db"))
    source.backup(target)
    source.close()
    target.close()
    shutil.copy(os.path.join(state, "ratchet"), folder)
    return folder


def put_back(folder, state):
    """Replaces a stopped node's log by a copy."""
    for name in ("evidence.db", "evidence.db-wal", "evidence.db-shm"):
        if os.path.exists(os.path.join(state, name)):
            os.remove(os.path.join(state, name))
    for name in ("evidence.db", "ratchet"):
        shutil.copy(os.path.join(folder, name), os.path.join(state, name))


class Insider:
    """Changes a copied log; `sign` makes it one that its own key vouches for."""

    def __init__(self, folder, key_path, origin):
        self.folder, self.origin = folder, origin
        with open(key_path, "rb") as file:
            self._key = serialization.load_pem_private_key(file.read(), None)
        self._database = sqlite3.connect(os.path.join(folder, "evidence.db"))

    def close(self):
        self._database.commit()
        self._database.close()

    # --- looking ---

    def leaves(self):
        """All leaves as they are stored, by their index."""
        return [bytes(row[0]) for row in self._database.execute("SELECT bytes FROM leaf ORDER BY idx")]

    def indexes(self, kind, code=None):
        """Where the entries of a type, and a code, stand."""
        read = [receipts.read_leaf(raw) for raw in self.leaves()]
        return [i for i, leaf in enumerate(read) if leaf.type == kind and code in (None, leaf.code)]

    # --- changing ---

    def execute(self, sql, *values):
        return self._database.execute(sql, values).rowcount

    def write(self, index, raw):
        self.execute("UPDATE leaf SET bytes = ? WHERE idx = ?", raw, index)

    def flip(self, index, field):
        """Another value in one of a leaf's hashes."""
        raw = self.leaves()[index]
        at = len(raw) - 5 - 32 * (len(_HASHES) - _HASHES.index(field))
        self.write(index, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:])

    def say(self, index, code):
        """Another code in a leaf."""
        raw = self.leaves()[index]
        (length,) = struct.unpack(">H", raw[26:28])
        self.write(index, raw[:26] + struct.pack(">H", len(code)) + code.encode() + raw[28 + length:])

    def swap(self, one, other):
        """Two entries in each other's place, each with the time of its place."""
        leaves = self.leaves()
        for here, there in ((one, other), (other, one)):
            self.write(here, leaves[there][:2] + leaves[here][2:10] + leaves[there][10:])
        for old, new in ((one, -1), (other, one), (-1, other)):
            self.execute("UPDATE detail SET idx = ? WHERE idx = ?", new, old)

    def remove(self, index):
        """Takes an entry out; those behind it move up."""
        for table in ("leaf", "detail"):
            self.execute(f"DELETE FROM {table} WHERE idx = ?", index)
            self.execute(f"UPDATE {table} SET idx = -idx WHERE idx > ?", index)
            self.execute(f"UPDATE {table} SET idx = -idx - 1 WHERE idx < 0")
        self._drop_keys()

    def cut(self, size):
        """Cuts the log off."""
        for table in ("leaf", "detail"):
            self.execute(f"DELETE FROM {table} WHERE idx >= ?", size)
        self._drop_keys()

    def invent(self, model, txn=b"\x99" * 16):
        """One more entry at the end: like another one, but of a request that never was, and without detail."""
        leaves = self.leaves()
        raw = leaves[model]
        tail = raw[-5 - 32 * len(_HASHES):]
        self.execute("INSERT INTO leaf SELECT max(idx) + 1, ? FROM leaf",
                     raw[:2] + leaves[-1][2:10] + txn + raw[26:-len(tail)] + tail[:32] + bytes(64) + tail[96:])

    def _drop_keys(self):
        """Data keys that no entry uses any more, if they are the last ones."""
        self.execute("DELETE FROM detail_key WHERE kid > (SELECT coalesce(max(kid), 0) FROM detail)")

    # --- signing ---

    def sign(self):
        """Tiles, checkpoint and ratchet for what is there now."""
        hashes = [receipts.leaf_hash(raw) for raw in self.leaves()]
        self._write_tiles(hashes)
        root = receipts.root_of(hashes)
        text = f"{self.origin}\n{len(hashes)}\n{base64.b64encode(root).decode()}\n"
        note = receipts.make_note(text, self.origin, self._key)
        note = note if isinstance(note, bytes) else note.encode()
        self.execute("UPDATE checkpoint SET size = ?, root = ?, note = ?", len(hashes), root, note)
        body = b"LBRATCH1" + struct.pack(">H", len(note)) + note
        body += bytes(_SLOT - 32 - len(body))
        with open(os.path.join(self.folder, "ratchet"), "wb") as file:
            file.write(2 * (body + hashlib.sha256(body).digest()))

    def _write_tiles(self, hashes):
        self.execute("DELETE FROM tile")
        level, row = 0, hashes
        while len(row) >= _TILE:
            full = [row[i:i + _TILE] for i in range(0, len(row) - _TILE + 1, _TILE)]
            for number, tile in enumerate(full):
                self.execute("INSERT INTO tile(key, hashes) VALUES (?, ?)", level << 56 | number, b"".join(tile))
            level, row = level + 1, [receipts.root_of(tile) for tile in full]
