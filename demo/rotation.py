"""Replaces the keys of a running federation, as its members would: with the product's own commands."""

import base64
import json
import os
import time

from cryptography.hazmat.primitives import serialization

from material import DIRECTORY_SIGNER


class Rotation:
    """What is made here is published with `publish`; nodes read it within a second."""

    def __init__(self, federation):
        self._federation, self._material = federation, federation.material
        self._version = 1
        self._signer = self._next = None

    @property
    def version(self):
        """Of the directory published last."""
        return self._version

    def publish(self):
        """The next version of the directory."""
        self._version += 1
        self._material.publish_directory(self._version, signer=self._signer)

    def seal(self, name):
        """A member's next sealing key, beside the old one; returns its id."""
        member = self._federation.members[name]
        entry = self._material.lianban("keys", "rotate", "--folder", member.path("seal"), "--id", member.spiffe,
                                       "--log-key", member.path("log.pem"))
        self._material.seals[name].append(member.path("seal", entry["id"] + ".json"))
        return entry["id"]

    def retire_seal(self, name):
        """Signs the entry of a member's oldest sealing key anew, with an end that is long over: the node
        destroys the key when it reads the next directory."""
        member = self._federation.members[name]
        entry_file = self._material.seals[name][0]
        with open(entry_file, encoding="utf-8") as file:
            entry = json.load(file)
        entry["not_after"] = int(time.time()) - 3600
        text = (f"lianban sealing key v1\n{member.spiffe}\n{entry['id']}\n{entry['key']}\n"
                f"{entry['not_after']}\n")
        with open(member.path("log.pem"), "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        entry["signature"] = base64.urlsafe_b64encode(key.sign(text.encode())).decode().rstrip("=")
        with open(entry_file, "w", encoding="utf-8") as file:
            json.dump(entry, file)

    def share(self, name, after):
        """A department's next share key, for sums that are begun so many seconds from now on."""
        member = self._federation.members[name]
        entry = self._material.lianban("keys", "rotate", "--kind", "share", "--after", str(after), "--folder",
                                       member.path("share"), "--id", member.spiffe, "--log-key",
                                       member.path("log.pem"))
        self._material.shares[name].append(member.path("share", entry["id"] + ".json"))
        return entry["id"]

    def pseudonym(self, name, key):
        """A department's next pseudonym key; the old ones stay."""
        self._material.lianban("keys", "secret", "--out",
                               self._federation.members[name].path("pseudonyms", key + ".key"))

    def officer(self, name):
        """A member's next security officer; returns the private key, which is not on the node."""
        member = self._federation.members[name]
        private = self._material.officer(name).removesuffix(".key") + "-next.key"
        public = member.path("officer-2.pub")
        self._material.lianban("keys", "officer", "--out", private, "--public", public)
        os.replace(public, member.path("officer.pub"))
        return private

    def issuer(self, name, kid):
        """A consent office's or window's next issuer key, handed over by the old; both are listed then."""
        member = self._federation.members[name]
        os.makedirs(member.path("issuer"), 0o700, exist_ok=True)
        private, public, proof = (member.path("issuer", kid + end) for end in (".pem", ".json", "-before.json"))
        old = next(i for i in self._material.listed_issuers if i["organization"] == member.organization)
        self._material.lianban("keys", "issuer", "--out", private, "--public", public)
        self._material.lianban(
            "keys", "handover", "--kind", "issuer", "--from", member.path("issuer.pem"), "--from-name",
            f"{member.organization}/{old['kid']}", "--to", private, "--to-name",
            f"{member.organization}/{kid}", "--out", proof)
        self._material.listed_issuers.append({**old, "kinds": list(old["kinds"]), "kid": kid, "key": public,
                                              "before": [proof]})

    def use(self, name, kid):
        """From now on this key signs, once the node sees it in the directory."""
        self._material.lianban("keys", "use", "--folder", self._federation.members[name].path("issuer"),
                               "--kid", kid)

    def log_key(self, name):
        """A member's next log key: the node signs with both from now on. Its own keys are signed anew."""
        member = self._federation.members[name]
        old, new, proof = (member.path(file) for file in ("log.pem", "log-2.pem", "log-before.json"))
        self._material.lianban("keys", "log", "--out", new, "--name", member.spiffe, "--public",
                               member.path("log-2.vkey"))
        self._material.lianban("keys", "handover", "--kind", "log", "--from", old, "--from-name", member.spiffe,
                               "--to", new, "--to-name", member.spiffe, "--out", proof)
        self._material.logs[name] = {"log_key": member.path("log-2.vkey"), "log_before": [proof]}
        for kind, entries in (("seal", self._material.seals), ("share", self._material.shares)):
            if name in entries:
                entries[name] = [entry for entry in entries[name]
                                 if os.path.exists(entry.removesuffix(".json") + ".key")]
            for entry in entries.get(name, ()):
                self._material.lianban("directory", kind + "-key", "--id", member.spiffe, "--log-key", new,
                                       f"--{kind}-key", entry.removesuffix(".json") + ".key", "--like", entry,
                                       "--out", entry)

    def certificate(self, name):
        """A new certificate for the member, in place of the old."""
        self._material.lianban("pki", "renew", "--dir", self._material.pki, "--out",
                               self._federation.members[name].folder)

    def announce_signer(self):
        """The next key that signs directories is named under the old one; call publish, then `sign_anew`."""
        pki = self._material.pki
        self._next = os.path.join(pki, "directory-2.pem")
        self._material.lianban("keys", "log", "--out", self._next, "--name", DIRECTORY_SIGNER, "--public",
                               self._next + ".vkey")
        self._material.signers = [os.path.join(pki, "directory.pem.vkey"), self._next + ".vkey"]

    def sign_anew(self):
        """From now on the new key signs, and the old one may not."""
        self._signer = self._next
        self._believe(self._next + ".vkey")
        self._material.signers = [self._next + ".vkey"]

    def sign_as_before(self):
        """The old key signs again; nobody should take what it signs."""
        self._signer = None
        self._believe(os.path.join(self._material.pki, "directory.pem.vkey"))

    def _believe(self, file):
        """Who comes from now on is configured with this key."""
        with open(file, encoding="ascii") as vkey:
            self._material.directory_vkey = vkey.read().strip()
