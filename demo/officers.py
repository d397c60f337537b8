"""Security officers of the demo federation: each reads the log of the own member alone."""

import os
import subprocess

import yaml

from members import FEDERATION

_PEERS = {"adapter": "adapter", "broker": "broker", "consent": "consent"}


class Officer:
    """One member's officer: a certificate, a profile and an index of the member's log."""

    def __init__(self, federation, name, person="li"):
        self._federation, self._name = federation, name
        self._member = federation.members[name]
        self.spiffe = f"spiffe://{FEDERATION}/officer/{self._member.organization}/{person}"
        self.folder = os.path.join(federation.root, "officers", f"{name}-{person}")
        self.index_folder = os.path.join(self.folder, "index")
        self.profile = os.path.join(self.folder, "officer.yaml")

    def certify(self):
        """A certificate from the federation's CA; the directory's next version has a line of it."""
        material = self._federation.material
        material.lianban("pki", "issue", "--dir", material.pki, "--id", self.spiffe, "--out", self.folder)
        material.officers.append(self.spiffe)
        self.write_profile(self._member)
        return self

    def enrol(self, version):
        """That, and the directory's next version."""
        self.certify()
        self._federation.material.publish_directory(version)
        return self

    def write_profile(self, member, address=None):
        """Whom the officer's queries are recorded at; `address` is that of an adapter without a port."""
        material = self._federation.material
        with open(self.profile, "w", encoding="utf-8") as file:
            yaml.safe_dump({
                "node": self.spiffe, "identity": {"cert": "cert.pem", "key": "key.pem", "ca": "ca.pem"},
                "crl": material.crl, "state": "state",
                "directory": {"file": material.directory, "signers": [material.directory_vkey]},
                _PEERS[member.kind]: member.spiffe, **({"address": address} if address else {})}, file)

    def index(self, *options, log=None, may_fail=False):
        """`lianban log index` over the member's log, as it stands."""
        material = self._federation.material
        return material.lianban(
            "log", "index", "--log", log or self._member.state, "--officer-key",
            material.officer(self._name), "--index", self.index_folder, "--directory",
            material.directory, "--signer", material.directory_vkey, *options, may_fail=may_fail)

    def ask(self, *words, given=None, may_fail=False):
        """One of the officer's commands, recorded at the own node first; its JSON."""
        return self._federation.material.lianban(
            *words, "--index", self.index_folder, "--officer", self.profile, given=given,
            may_fail=may_fail)

    def station(self):
        """`lianban access serve`: answers who looked, until it is stopped."""
        material = self._federation.material
        return Station([
            os.path.join(self._federation.binaries, "lianban"), "access", "serve", "--officer",
            self.profile, "--log", self._member.state, "--officer-key", material.officer(self._name),
            "--index", self.index_folder, "--directory", material.directory, "--signer",
            material.directory_vkey], os.path.join(self.folder, "station.log"))


class Station:
    """A running station of an officer's; what it says goes to its log."""

    def __init__(self, command, log):
        self._command, self.log, self._running = command, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self._running = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self._command],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def said(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        """It has nothing to tidy up."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None
