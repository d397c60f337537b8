"""What must hold after a restart, read from the files and not from who wrote them."""

import hashlib
import os
import sqlite3

from ground import ADAPTER, receipts


def _node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A log's leaves as they were first read, and roots over them (RFC 6962), leaf by leaf."""

    def __init__(self):
        self.hashes = []
        self.answered = 0  # reads that count as a use
        self._peaks = []   # (height, hash)

    def add(self, raw):
        hash_ = receipts.leaf_hash(raw)
        self.hashes.append(hash_)
        leaf = receipts.read_leaf(raw)
        self.answered += leaf.type == "READ" and leaf.code == "ANSWERED" and not leaf.retry
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            hash_ = _node(self._peaks.pop()[1], hash_)
            height += 1
        self._peaks.append((height, hash_))

    def root(self):
        if not self._peaks:
            return hashlib.sha256().digest()
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = _node(peak, root)
        return root


class Checks:
    """Every log's tree as far as it was read; each check goes on from there."""

    def __init__(self, ground):
        self._ground = ground
        self._trees = {name: Tree() for name in ground.nodes}
        self.entries = self.roots = 0

    def log(self, name):
        """The log verifies, holds what anybody was shown, and goes back behind no checkpoint."""
        kept = self._ground.kept
        with kept.lock:
            wrong, kept.wrong = kept.wrong, []
            entries = {index: hash_ for (node, index), hash_ in kept.entries.items() if node == name}
            roots = {size: root for (node, size), root in kept.roots.items() if node == name}
            kept.entries = {key: hash_ for key, hash_ in kept.entries.items() if key[0] != name}
            kept.roots = {key: root for key, root in kept.roots.items() if key[0] != name}
        wrong += self._read(name, roots)
        wrong += [f"{name}: entry {index} is not what was shown" for index, hash_ in entries.items()
                  if index >= len(self._trees[name].hashes) or self._trees[name].hashes[index] != hash_]
        self.entries += len(entries)
        self.roots += len(roots)
        verdict = self._ground.federation.verify_logs(name)
        if not verdict["verified"]:
            wrong += [f"{name}: {log['code']}: {log['place']}" for log in verdict["logs"]]
        return wrong

    def _read(self, name, roots):
        path = os.path.join(self._ground.federation.members[name].state, "evidence.db")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            connection.execute("BEGIN")
            return self._compare(name, connection, roots)
        finally:
            connection.close()

    def _compare(self, name, connection, roots):
        tree, wrong = self._trees[name], []
        size, root = connection.execute("SELECT size, root FROM checkpoint").fetchone()
        roots = {**roots, size: root}
        if max(roots) > size or len(tree.hashes) > size:
            wrong.append(f"{name}: the log has {size} entries, and more were signed")
        wrong += self._settle(name, tree, roots)
        for index, raw in connection.execute("SELECT idx, bytes FROM leaf WHERE idx >= ? ORDER BY idx",
                                             (len(tree.hashes),)):
            if index != len(tree.hashes):
                return wrong + [f"{name}: entry {len(tree.hashes)} is missing"]
            tree.add(raw)
            wrong += self._settle(name, tree, roots)
        if name == ADAPTER:
            wrong += self._uses(connection, tree)
        return wrong

    @staticmethod
    def _settle(name, tree, roots):
        root = roots.pop(len(tree.hashes), None)
        return [] if root in (None, tree.root()) else [f"{name}: another root at {len(tree.hashes)}"]

    @staticmethod
    def _uses(connection, tree):
        """Every grant was made for one request, however often that was repeated."""
        grants, most, total = connection.execute(
            "SELECT count(*), coalesce(max(used), 0), coalesce(sum(used), 0) FROM use").fetchone()
        if most > 1 or total != grants or grants != tree.answered:
            return [f"{ADAPTER}: {grants} grants, {total} uses, {tree.answered} answers, one used {most} times"]
        return []
