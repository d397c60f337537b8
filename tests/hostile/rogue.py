"""A rogue broker or adapter: a member's own certificate (and, if wanted, its log key) in the hands of a
program that speaks the frames of link.proto as it likes."""

import hashlib
import queue
import struct

import paths  # noqa: F401  (first)
import grpc
import receipts
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from ground import Seen, refused

_TYPES = {name: number for number, name in receipts.TYPES.items()}
_WAIT_SECONDS = 8


def leaf(type_, code, request=None, peer=bytes(32), views=None, answer=b""):
    """The bytes of a leaf about a request, or about nothing; `answer` is the sealed one."""
    txn = request.txn if request is not None else bytes(16)
    names = (views if views is not None else ",".join(request.views) if request is not None else "").encode()
    digest = hashlib.sha256(request.sealed.ciphertext).digest() if request is not None else bytes(32)
    answered = hashlib.sha256(answer).digest() if answer else bytes(32)
    return (struct.pack(">BBQ", 1, _TYPES[type_], 1) + txn + struct.pack(">H", len(code)) + code.encode()
            + struct.pack(">H", len(names)) + names + bytes(96) + digest + answered + peer
            + struct.pack(">IB", 1, 0))


class Log:
    """A log of one's own making under a member's name."""

    def __init__(self, ground, node, leaves, key=None):
        self._ground, self.leaves = ground, list(leaves)
        self._name = ground.world.spiffe(node)[len("spiffe://"):]
        if key is None:
            with open(ground.running.members[node].path("log.pem"), "rb") as file:
                key = load_pem_private_key(file.read(), None)
        self._key = key

    def hashes(self):
        return [receipts.leaf_hash(raw) for raw in self.leaves]

    def progress(self, from_size=0, size=None):
        """A LogProgress over the first `size` leaves, with an honest proof as far as it goes."""
        hashes = self.hashes()[:size]
        note = receipts.make_note(receipts.checkpoint_text(self._name, hashes), self._name, self._key)
        proof = receipts.consistency_of(hashes, from_size)
        return self._ground.new("LogProgress", checkpoint=note.encode(), from_size=from_size, consistency=proof)

    def proof(self, index):
        return self._ground.new("EntryProof", leaf=self.leaves[index], index=index,
                                path=receipts.path_of(self.hashes(), index))


def real_leaves(ground, node):
    """The leaves a member's log really holds."""
    return [raw for _, raw in ground.rows(node)]


class Link:
    """One end of a link, by hand: frames go in by `send`, frames of the other side come out of `next`."""

    def __init__(self, ground, server, caller, method):
        self._ground, self._out = ground, queue.Queue()
        self.call = ground.contract.duplex(ground.world.channel(server, caller), method,
                                           iter(self._out.get, None), _WAIT_SECONDS)

    def send(self, **body):
        self._out.put(self._ground.new("Frame", **body))

    def send_bytes(self, raw):
        self._out.put(raw)

    def hello(self, low=1, high=1, seen=0):
        self.send(hello=self._ground.new("Hello", version_min=low, version_max=high, seen_size=seen))

    def next(self, body):
        """The next frame with this body from the other side."""
        for frame in self.call:
            if frame.WhichOneof("body") == body:
                return getattr(frame, body)
        raise AssertionError("the link ended without an error")

    def end(self):
        """Waits until the other side ends the link; what it said."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return refused(self._ground.contract.refused(error))
        finally:
            self.close()
        return Seen("event", "OK")

    def close(self):
        self._out.put(None)
        self.call.cancel()
