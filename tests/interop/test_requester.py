"""The requester's own parts against published vectors and forgeries; no federation is needed."""

import base64
import hashlib
import os
import struct
import time
import unittest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import hpke
import receipts
import requester
import sdjwt
import share
from directory import split_operator
from stubs import Contract

INFO, PLAIN = b"Ode on a Grecian Urn", b"Beauty is truth, truth beauty"


class Rfc9180(unittest.TestCase):
    """RFC 9180 A.1.3: Auth mode, X25519, HKDF-SHA256, AES-128-GCM."""

    EPHEMERAL = bytes.fromhex("ff4442ef24fbc3c1ff86375b0be1e77e88a0de1e79b30896d73411c5ff4c3518")
    ENC = "23fb952571a14a25e3d678140cd0e5eb47a0961bb18afcf85896e5453c312e76"
    RECIPIENT = bytes.fromhex("fdea67cf831f1ca98d8e27b1f6abeb5b7745e9d35348b80fa407ff6958f9137e")
    SENDER = bytes.fromhex("dc4a146313cce60a278a5323d321f051c5707e9c45ba21a3479fecdf76fc69dd")
    SEALED = {
        0: "5fd92cc9d46dbf8943e72a07e42f363ed5f721212cd90bcfd072bfd9f44e06b80fd17824947496e21b680c141b",
        4: "dae12318660cf963c7bcbef0f39d64de3bf178cf9e585e756654043cc5059873bc8af190b72afc43d1e0135ada",
        256: "42fa248a0e67ccca688f2b1d13ba4ba84755acf764bd797c8f7ba3b9b1dc3330326f8d172fef6003c79ec72319",
    }
    EXPORTS = {
        b"": "28c70088017d70c896a8420f04702c5a321d9cbf0279fba899b59e51bac72c85",
        b"\0": "25dfc004b0892be1888c3914977aa9c9bbaf2c7471708a49e1195af48a6f29ce",
        b"TestContext": "5a0131813abc9a522cad678eb6bafaabc43389934adb8097d23c5ff68059eb64",
    }

    def setUp(self):
        self.enc, self.sender = hpke.setup_auth_sender(
            hpke.public_of(self.RECIPIENT), INFO, self.SENDER, self.EPHEMERAL)
        self.recipient = hpke.setup_auth_recipient(
            self.enc, self.RECIPIENT, INFO, hpke.public_of(self.SENDER))

    def test_schedule(self):
        self.assertEqual(self.enc.hex(), self.ENC)
        self.assertEqual(self.sender.key.hex(), "b062cb2c4dd4bca0ad7c7a12bbc341e6")
        self.assertEqual(self.sender.base_nonce.hex(), "a1bc314c1942ade7051ffed0")

    def test_messages_in_any_order(self):
        for seq in (256, 0, 4):
            sealed = self.sender.seal(seq, b"Count-%d" % seq, PLAIN)
            self.assertEqual(sealed.hex(), self.SEALED[seq])
            self.assertEqual(self.recipient.open(seq, b"Count-%d" % seq, sealed), PLAIN)

    def test_exports(self):
        for context, value in self.EXPORTS.items():
            self.assertEqual(self.recipient.export(context, 32).hex(), value)

    def test_nothing_else_opens(self):
        sealed = self.sender.seal(0, b"Count-0", PLAIN)
        other = hpke.setup_auth_recipient(self.enc, self.RECIPIENT, INFO,
                                          hpke.public_of(hpke.generate()))
        for context, seq, aad, text in ((self.recipient, 1, b"Count-0", sealed),
                                        (self.recipient, 0, b"Count-1", sealed),
                                        (self.recipient, 0, b"Count-0", sealed[:-1]),
                                        (other, 0, b"Count-0", sealed)):
            with self.assertRaises(hpke.SealBroken):
                context.open(seq, aad, text)

    def test_small_order_is_refused(self):
        with self.assertRaises(hpke.SealBroken):
            hpke.setup_auth_sender(bytes(32), INFO, self.SENDER)


class Tokens(unittest.TestCase):
    """JWS, disclosures and grants."""

    def setUp(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.now = int(time.time())

    def grant(self, num=1, **claims):
        self.disclosures = [sdjwt.disclose({"provider": str(i)}) for i in range(num)]
        claims = {"iat": self.now, "nbf": self.now, "exp": self.now + 60, **claims}
        return sdjwt.make_grant(claims, self.disclosures, "k1", self.key)

    def test_rfc_7515_a_3(self):
        key = sdjwt.public_key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                               "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
        raw = sdjwt.unb64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                          "pmWQxfKTUJqPP3-Kg6NU1Q")
        der = sdjwt.encode_dss_signature(int.from_bytes(raw[:32], "big"),
                                         int.from_bytes(raw[32:], "big"))
        key.verify(der, b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6"
                        b"Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ", ec.ECDSA(sdjwt.hashes.SHA256()))

    def test_rfc_9901_digest(self):
        self.assertEqual(sdjwt.b64(sdjwt.digest("WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImVtYWlsIiwgImpvaG5kb2VA"
                                                "ZXhhbXBsZS5jb20iXQ")),
                         "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE")

    def test_a_grant_and_its_sections(self):
        jwt = self.grant(16)
        joined, disclosures = sdjwt.split(sdjwt.join(jwt, self.disclosures))
        payload = sdjwt.check_grant(joined, self.key.public_key(), self.now)
        self.assertEqual(len(payload["_sd"]), 32)
        self.assertEqual([sdjwt.section_of(payload, d)["provider"] for d in disclosures],
                         [str(i) for i in range(16)])
        with self.assertRaises(sdjwt.BadToken):
            sdjwt.section_of(payload, sdjwt.disclose({"provider": "0"}))

    def test_bad_grants(self):
        jwt = self.grant()
        cases = [(jwt[:-4] + "AAAA", self.key, self.now), (self.grant(exp=self.now), self.key, self.now),
                 (self.grant(nbf=self.now + 61), self.key, self.now),
                 (self.grant(suite="lianban-2"), self.key, self.now),
                 (self.grant(_sd=["AAAA"]), self.key, self.now),
                 (jwt, ec.generate_private_key(ec.SECP256R1()), self.now)]
        for token, key, now in cases:
            with self.assertRaises(sdjwt.BadToken):
                sdjwt.check_grant(token, key.public_key(), now)
        for text in (jwt, jwt + "~a", jwt + "~a~a~", jwt + "~~"):
            with self.assertRaises(sdjwt.BadToken):
                sdjwt.split(text)

    def test_status_list(self):
        token = sdjwt.make_status_list("hall", "u", 3, [0, 1, 2, 0, 1], "h", self.key, self.now)
        states = [sdjwt.status_at(token, self.key.public_key(), i, self.now) for i in range(5)]
        self.assertEqual(states, [0, 1, 2, 0, 1])
        with self.assertRaises(sdjwt.BadToken):
            sdjwt.status_at(token, self.key.public_key(), 0, self.now + 900)


class Evidence(unittest.TestCase):
    """The reference tree of RFC 6962 implementations, C2SP examples, leaves."""

    INPUTS = [bytes.fromhex(text) for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f")]
    ROOTS = {0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
             1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
             8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}
    SIX_TO_EIGHT = ("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")
    SIXTH_OF_EIGHT = ("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")
    TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    TESSERA_15 = ("example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n"
                  "— example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53"
                  "MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n")

    def setUp(self):
        self.leaves = [receipts.leaf_hash(raw) for raw in self.INPUTS]

    def test_published_tree(self):
        for size, root in self.ROOTS.items():
            self.assertEqual(receipts.root_of(self.leaves[:size]).hex(), root)
        self.assertEqual([p.hex() for p in receipts.path_of(self.leaves, 5)], list(self.SIXTH_OF_EIGHT))
        self.assertEqual([p.hex() for p in receipts.consistency_of(self.leaves, 6)],
                         list(self.SIX_TO_EIGHT))

    def test_every_proof_of_small_trees_and_no_other(self):
        for size in range(1, 9):
            tree = self.leaves[:size]
            root = receipts.root_of(tree)
            for index in range(size):
                path = receipts.path_of(tree, index)
                receipts.check_inclusion(tree[index], index, size, path, root)
                for bad in (path[:-1], path + [root], path[:-1] + [bytes(32)]):
                    if bad != path:
                        with self.assertRaises(receipts.BadEvidence):
                            receipts.check_inclusion(tree[index], index, size, bad, root)
            for old in range(1, size + 1):
                proof = receipts.consistency_of(tree, old)
                receipts.check_consistency(old, receipts.root_of(tree[:old]), size, root, proof)
                with self.assertRaises(receipts.BadEvidence):
                    receipts.check_consistency(old, bytes(32), size, root, proof)

    def test_published_note_and_checkpoint(self):
        size, root = receipts.open_checkpoint(self.TESSERA_15, self.TESSERA)
        self.assertEqual((size, base64.b64encode(root)),
                         (15, b"rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="))
        for bad in (self.TESSERA_15.replace("15", "16", 1), self.TESSERA_15.replace("—", "-", 1),
                    self.TESSERA_15.partition("\n\n")[0] + "\n"):
            with self.assertRaises(receipts.BadEvidence):
                receipts.open_checkpoint(bad, self.TESSERA)

    def test_own_note(self):
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        vkey = f"a/b+{receipts.key_id('a/b', public).hex()}+{base64.b64encode(bytes([1]) + public).decode()}"
        note = receipts.make_note(receipts.checkpoint_text("a/b", self.leaves), "a/b", key)
        self.assertEqual(receipts.open_checkpoint(note, vkey), (8, receipts.root_of(self.leaves)))

    def test_leaf(self):
        raw = (b"\1\1" + struct.pack(">Q", 7) + bytes(range(16)) + b"\0\10ANSWERED" + b"\0\3a,b"
               + b"".join(bytes([i]) * 32 for i in range(6)) + b"\0\0\0\2\1")
        leaf = receipts.read_leaf(raw)
        self.assertEqual((leaf.type, leaf.code, leaf.views, leaf.count, leaf.retry),
                         ("READ", "ANSWERED", "a,b", 2, True))
        self.assertEqual((leaf.policy_hash, leaf.peer_leaf), (bytes(32), b"\5" * 32))
        for bad in (raw + b"\0", raw[:-1], b"\2" + raw[1:], raw[:1] + b"\xff" + raw[2:],
                    raw[:-5] + bytes(4) + b"\1"):
            with self.assertRaises(receipts.BadEvidence):
                receipts.read_leaf(bad)


class Bytes(unittest.TestCase):
    """The layouts of section 3."""

    def test_padding(self):
        self.assertEqual(len(requester.pad(bytes(1020))), 1024)
        self.assertEqual(len(requester.pad(bytes(1021))), 2048)
        self.assertEqual(requester.unpad(requester.pad(b"x")), b"x")
        with self.assertRaises(receipts.BadEvidence):
            requester.unpad(b"\0\0\0\1xy")

    def test_info_and_aad(self):
        self.assertEqual(requester.info_of("r", "a", "k"), b"lianban read v1\0\1r\0\1a\0\1k")
        contract = Contract()
        request = contract.new("ReadRequest", txn=b"t" * 16, grant="g", views=["v", "w"],
                               deadline_unix_ms=1, answer_bytes=2)
        plain = (b"lianban aad v1\0\0\0\1g\0\x10" + b"t" * 16 + b"\0\2\0\1v\0\1w" + bytes(7) + b"\1"
                 + b"\0\0\0\2")
        self.assertEqual(requester.aad_of(request), hashlib.sha256(plain).digest())

    def test_operators(self):
        self.assertEqual(split_operator("CMP(<,area.mean)"), ("CMP", ["<", "area.mean"]))
        self.assertEqual(split_operator("EXISTS"), ("EXISTS", []))

    def test_every_method_is_known(self):
        methods = Contract().methods()
        self.assertEqual(methods["Broker/Collect"], (False, True))
        self.assertEqual(methods["Adapter/Link"], (True, True))
        self.assertEqual(methods["Window/Watch"], (False, True))
        self.assertGreaterEqual(len(methods), 60)

    def test_an_answer_opens_for_its_request_only(self):
        private, adapter = hpke.generate(), hpke.generate()
        enc, sender = hpke.setup_auth_sender(hpke.public_of(adapter), b"i", private)
        recipient = hpke.setup_auth_recipient(enc, adapter, b"i", hpke.public_of(private))
        context = b"lianban answer" + struct.pack(">Q", 3) + hashlib.sha256(os.urandom(9)).digest()
        self.assertEqual(sender.export(context, 16), recipient.export(context, 16))
        self.assertNotEqual(sender.export(context, 16), sender.export(context[:-1] + b"x", 16))


class Shares(unittest.TestCase):
    """The blind household sum: the bytes that the adapters' own tests have, and what they add up to."""

    KEYS = (bytes([1] * 32), bytes([2] * 32), bytes([1] * 32))
    MASKS = ("171e7d6bb16dd120", "922afc85b46b54cb", "2ff43229b004979c",
             "9e1f7b5f3a4bc33f", "d60999695ae8b31c", "b2993f1c54edcc1e")

    def setUp(self):
        names = (("tax", "m1", "tax.wage", "income"), ("finance", "m7", "finance.payout", "paid"),
                 ("tax", "m1", "tax.other", "income"))
        self.parts = [share.Part("spiffe://test.gov/adapter/" + adapter, key_id, hpke.public_of(key),
                                 view, field, 12)
                      for (adapter, key_id, view, field), key in zip(names, self.KEYS)]
        self.run_ = share.Run("income12", [hashlib.sha256(name).digest() for name in (b"one", b"two")],
                              bytes(range(16)), 1800000000)
        self.set = share.set_digest("social-assistance", 2, hashlib.sha256(b"the form").digest(),
                                    "income12", self.parts, self.run_.persons)
        self.masks = [share.mask(self.run_, self.set, self.parts, person, part, self.KEYS[part])
                      for person in range(2) for part in range(3)]

    def test_the_bytes(self):
        self.assertEqual(self.set.hex(), "582b218ace616332aa3ff6bfa5654b076bd41c78f22d04dffb123f381c371e3e")
        self.assertEqual(tuple(f"{mask:016x}" for mask in self.masks), self.MASKS)

    def test_all_masks_cancel_and_no_fewer(self):
        self.assertEqual(sum(self.masks) % share.MODULUS, 0)
        for subset in range(1, 2 ** 6 - 1):
            some = [mask for i, mask in enumerate(self.masks) if subset >> i & 1]
            self.assertNotEqual(sum(some) % share.MODULUS, 0)

    def test_totals_have_bounds(self):
        amounts = [1200000, 0, 5, 7, 100, 0]
        shares = [(amount + mask) % share.MODULUS for amount, mask in zip(amounts, self.masks)]
        self.assertEqual(share.total_of(shares), sum(amounts))
        self.assertEqual(share.total_of([share.MAX_TOTAL]), share.MAX_TOTAL)
        for wrong in ([share.MAX_TOTAL, 1], [share.MODULUS - 1]):
            self.assertIsNone(share.total_of(wrong))


if __name__ == "__main__":
    unittest.main()
