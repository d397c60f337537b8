"""Evidence: leaves, RFC 6962 proofs, C2SP signed notes and checkpoints, and what makes a receipt."""

import base64
import dataclasses
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TYPES = {1: "READ", 2: "ROUTE", 3: "DELIVER", 4: "FAILURE", 5: "DENY", 6: "ADMIN", 7: "POLICY",
         8: "CONSENT", 9: "CANARY", 10: "ERASURE", 11: "SHARD", 12: "RECOVERY", 13: "REVIEW",
         14: "PARCEL"}
_HASHES = ("policy_hash", "fields_hash", "detail_hash", "request_hash", "answer_hash", "peer_leaf")
_SIGNATURE = "— "


class BadEvidence(Exception):
    """A note, proof, leaf or receipt that does not hold; the text says why."""


def need(condition, why):
    if not condition:
        raise BadEvidence(why)


# --- leaves ---

@dataclasses.dataclass(frozen=True)
class Leaf:
    """One entry's permanent half."""

    type: str
    time_ms: int
    txn: bytes
    code: str
    views: str
    policy_hash: bytes
    fields_hash: bytes
    detail_hash: bytes
    request_hash: bytes
    answer_hash: bytes
    peer_leaf: bytes
    count: int
    retry: bool


def read_leaf(raw):
    """Decodes exactly one leaf (docs/PROTOCOL.md section 6)."""
    need(len(raw) >= 26 and raw[0] == 1 and raw[1] in TYPES, "not a leaf of version 1")
    time_ms, txn, at = struct.unpack(">Q", raw[2:10])[0], raw[10:26], 26
    texts = []
    for _ in range(2):
        (length,) = struct.unpack(">H", raw[at:at + 2])
        texts.append(raw[at + 2:at + 2 + length].decode())
        at += 2 + length
    need(len(raw) == at + 32 * len(_HASHES) + 5, "leaf has another length")
    hashes = [raw[at + 32 * i:at + 32 * (i + 1)] for i in range(len(_HASHES))]
    count, retry = struct.unpack(">IB", raw[-5:])
    need(count >= 1 and retry in (0, 1), "leaf has an impossible count")
    return Leaf(TYPES[raw[1]], time_ms, txn, texts[0], texts[1], *hashes, count, bool(retry))


def leaf_hash(raw):
    return hashlib.sha256(b"\0" + raw).digest()


# --- RFC 6962 ---

def _node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    """The root over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return _node(root_of(leaves[:half]), root_of(leaves[half:]))


def path_of(leaves, index):
    """The inclusion path, leaf's sibling first."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return path_of(leaves[:half], index) + [root_of(leaves[half:])]
    return path_of(leaves[half:], index - half) + [root_of(leaves[:half])]


def consistency_of(leaves, old):
    """The consistency proof from the first `old` leaves to all."""
    def part(leaves, old, whole):
        if old == len(leaves):
            return [] if whole else [root_of(leaves)]
        half = 1 << (len(leaves) - 1).bit_length() - 1
        if old <= half:
            return part(leaves[:half], old, whole) + [root_of(leaves[half:])]
        return part(leaves[half:], old - half, False) + [root_of(leaves[:half])]
    return part(leaves, old, True) if 0 < old < len(leaves) else []


def check_inclusion(hash_, index, size, path, root):
    """RFC 9162 section 2.1.3.2."""
    need(index < size, "index beyond the tree")
    fn, sn, value = index, size - 1, hash_
    for step in path:
        need(sn > 0, "path is too long")
        if fn & 1 or fn == sn:
            value = _node(step, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = _node(value, step)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and value == root, "entry is not in the tree")


def check_consistency(old, old_root, size, root, path):
    """RFC 9162 section 2.1.4.2."""
    need(0 < old <= size, "the older tree is larger")
    if old == size:
        need(not path and old_root == root, "one size with two roots")
        return
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    need(path, "no proof")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for step in path[1:]:
        need(sn > 0, "path is too long")
        if fn & 1 or fn == sn:
            fr, sr = _node(step, fr), _node(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, step)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == root, "the tree is no extension")


# --- notes ---

def key_id(name, raw_public):
    return hashlib.sha256(name.encode() + b"\n\1" + raw_public).digest()[:4]


def parse_vkey(vkey):
    """(name, 32 raw bytes) of `<name>+<hex id>+<base64>`."""
    name, id_, key = vkey.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    need(len(raw) == 33 and raw[0] == 1, "not an Ed25519 verifier key")
    need(key_id(name, raw[1:]).hex() == id_, "verifier key has another id")
    return name, raw[1:]


def open_note(note, vkey):
    """The text of a note (str) signed by this verifier."""
    name, public = parse_vkey(vkey)
    text, _, lines = note.rpartition("\n\n")
    need(text and lines.endswith("\n"), "not a signed note")
    text += "\n"
    for line in lines.splitlines():
        need(line.startswith(_SIGNATURE), "not a signature line")
        signer, raw = line[len(_SIGNATURE):].split(" ")
        raw = base64.b64decode(raw, validate=True)
        if signer != name or raw[:4] != key_id(name, public):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
            return text
        except InvalidSignature:
            raise BadEvidence("note is signed wrongly") from None
    raise BadEvidence("note is not signed by " + name)


def make_note(text, name, key):
    """Signs a text that ends in a line feed; `key` is an Ed25519 private key."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = base64.b64encode(key_id(name, public) + key.sign(text.encode())).decode()
    return f"{text}\n{_SIGNATURE}{name} {signature}\n"


def open_checkpoint(note, vkey):
    """(size, root) of a log's checkpoint; its origin is the verifier's name."""
    lines = open_note(note.decode() if isinstance(note, bytes) else note, vkey).split("\n")
    need(len(lines) == 4 and lines[3] == "", "checkpoint has other lines")
    need(lines[0] == parse_vkey(vkey)[0], "checkpoint of another log")
    need(lines[1].isdigit() and str(int(lines[1])) == lines[1], "checkpoint's size is not a number")
    root = base64.b64decode(lines[2], validate=True)
    need(len(root) == 32, "root is not 32 bytes")
    return int(lines[1]), root


def checkpoint_text(origin, leaves):
    """The text of a checkpoint over leaf hashes."""
    root = base64.b64encode(root_of(leaves)).decode()
    return f"{origin}\n{len(leaves)}\n{root}\n"


# --- receipts ---

def open_proof(proof, progress, vkey):
    """A proved entry: (Leaf, its hash), against the signed checkpoint that came with it."""
    size, root = open_checkpoint(progress.checkpoint, vkey)
    hash_ = leaf_hash(proof.leaf)
    check_inclusion(hash_, proof.index, size, list(proof.path), root)
    return read_leaf(proof.leaf), hash_


def check_receipt(request, event, adapter_vkey, broker_vkey):
    """Both sides' entries about one request and its outcome; BadEvidence. Returns the adapter's Leaf."""
    request_hash = hashlib.sha256(request.sealed.ciphertext).digest()
    answer_hash = hashlib.sha256(event.sealed).digest() if event.sealed else bytes(32)
    route, route_hash = open_proof(event.route, event.broker_log, broker_vkey)
    read, read_hash = open_proof(event.adapter_entry, event.adapter_log, adapter_vkey)
    deliver, _ = open_proof(event.deliver, event.broker_log, broker_vkey)
    need((route.type, read.type, deliver.type) == ("ROUTE", "READ", "DELIVER"), "kinds of entries")
    for leaf in (route, read, deliver):
        need(leaf.txn == request.txn and leaf.request_hash == request_hash, "another request")
        need(leaf.views == ",".join(request.views), "other views")
    need(read.code == deliver.code == event.code and route.code == "ROUTED", "another outcome")
    need(read.answer_hash == deliver.answer_hash == answer_hash, "another answer")
    need(read.peer_leaf == route_hash and deliver.peer_leaf == read_hash, "entries are not linked")
    return read
