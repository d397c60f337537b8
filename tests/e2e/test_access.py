"""A stock gRPC client gets in with a valid certificate, and nowhere with any other (acceptance 6)."""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from material import FORMS  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused, plain_channel, secure_channel  # noqa: E402

SERVERS = ("broker", "consent", "tax")
NOTICED_SECONDS = 8


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(60, share_runs=100)


class Access(unittest.TestCase):
    def setUp(self):
        self.own = federation.members["window"]

    def issue(self, label, spiffe, pki=None):
        """A certificate of this or another CA in a folder of its own."""
        out = os.path.join(federation.root, "clients", label)
        federation.material.lianban("pki", "issue", "--dir", pki or federation.material.pki, "--id", spiffe,
                                    "--out", out)
        return out

    def channel(self, server, folder):
        channel = secure_channel(federation.members[server].address, federation.material.ca,
                                 *(os.path.join(folder, name) for name in ("cert.pem", "key.pem")))
        self.addCleanup(channel.close)
        return channel

    def health(self, channel):
        return federation.contract.call(channel, "grpc.health.v1.Health/Check",
                                        federation.contract.new("grpc.health.v1.HealthCheckRequest"), 5)

    def forms(self, channel):
        return federation.contract.call(channel, "Broker/ListForms",
                                        federation.contract.new("ListFormsRequest"), 5)

    def assert_nowhere(self, channel, code=None):
        with self.assertRaises(Refused) as caught:
            self.health(channel)
        if code is not None:
            self.assertEqual(caught.exception.code or caught.exception.canonical, code)

    def is_refused(self, channel):
        try:
            self.health(channel)
            return False
        except Refused:
            return True

    def refused_everywhere(self, folder, code=None):
        for server in SERVERS:
            with self.subTest(server=server):
                self.assert_nowhere(self.channel(server, folder), code)


class Valid(Access):
    def test_health_and_forms(self):
        for server in SERVERS:
            self.assertEqual(self.health(self.channel(server, self.own.folder)).status, 1)
        forms = self.forms(self.channel("broker", self.own.folder)).forms
        self.assertEqual({(form.form, form.version) for form in forms},
                         {(form, 1) for form in FORMS})
        self.assertTrue(all(form.title_zh and form.title_en and len(form.sha256) == 32 for form in forms))

    def test_a_second_certificate_of_the_same_member(self):
        folder = self.issue("second", self.own.spiffe)
        self.assertEqual(self.health(self.channel("broker", folder)).status, 1)

    def test_a_member_of_another_kind_may_not_list_forms(self):
        with self.assertRaises(Refused) as caught:
            self.forms(self.channel("broker", federation.members["tax"].folder))
        self.assertEqual(caught.exception.code, "ROLE_NOT_ALLOWED")
        self.assertEqual(caught.exception.canonical, "PERMISSION_DENIED")

    def test_a_window_may_not_confirm(self):
        with self.assertRaises(Refused) as caught:
            federation.contract.call(self.channel("consent", self.own.folder), "ConsentOffice/Confirm",
                                     federation.contract.new("ConfirmRequest", request_id="r", agreed=True))
        self.assertEqual(caught.exception.code, "ROLE_NOT_ALLOWED")


class Invalid(Access):
    def test_without_tls(self):
        for server in SERVERS:
            channel = plain_channel(federation.members[server].address)
            self.addCleanup(channel.close)
            self.assert_nowhere(channel)

    def test_without_a_certificate(self):
        for server in SERVERS:
            channel = secure_channel(federation.members[server].address, federation.material.ca)
            self.addCleanup(channel.close)
            self.assert_nowhere(channel, "UNAVAILABLE")

    def test_of_another_ca(self):
        pki = os.path.join(federation.root, "clients", "other-ca")
        federation.material.lianban("pki", "init", "--dir", pki)
        self.refused_everywhere(self.issue("other", self.own.spiffe, pki))

    def test_expired(self):
        folder = self.issue("expired", self.own.spiffe)
        fixture.expire(federation, os.path.join(folder, "cert.pem"))
        self.refused_everywhere(folder)

    def test_unlisted(self):
        for label, spiffe in (("unlisted", "spiffe://demo.lianban/window/nobody"),
                              ("foreign", "spiffe://elsewhere/window/street-office"),
                              ("named", self.own.spiffe + "/other")):
            self.refused_everywhere(self.issue(label, spiffe))


class Revoked(Access):
    def setUp(self):
        super().setUp()
        self.folder = self.issue(self.id().rsplit(".", 1)[1], self.own.spiffe)

    def revoke(self):
        federation.material.lianban("pki", "revoke", "--dir", federation.material.pki, "--cert",
                                    os.path.join(self.folder, "cert.pem"))

    def test_while_connected(self):
        channels = {server: self.channel(server, self.folder) for server in SERVERS}
        for channel in channels.values():
            self.assertEqual(self.health(channel).status, 1)
        self.revoke()
        for server, channel in channels.items():
            wait_until(lambda c=channel: self.is_refused(c), NOTICED_SECONDS, f"refusal at {server}")
        self.refused_everywhere(self.folder)
        self.assertEqual(self.health(self.channel("broker", self.own.folder)).status, 1)

    def test_in_the_middle_of_a_stream(self):
        """An adapter's link that is open when its certificate is revoked ends by itself."""
        federation.processes["tax"].stop()
        self.addCleanup(federation.restart, "tax")
        folder = self.issue("revoked-link", federation.members["tax"].spiffe)
        ended = threading.Event()
        channel = self.channel("broker", folder)
        hello = federation.contract.new("Frame", hello=federation.contract.new(
            "Hello", version_min=1, version_max=1))

        def frames():
            yield hello
            ended.wait(30)

        stream = federation.contract.duplex(channel, "Broker/Attach", frames())
        self.assertEqual(next(stream).WhichOneof("body"), "hello")
        self.folder = folder
        began = time.monotonic()
        self.revoke()
        with self.assertRaises(Exception) as caught:
            for _ in stream:
                pass
        ended.set()
        self.assertLess(time.monotonic() - began, NOTICED_SECONDS)
        self.assertIn(federation.contract.refused(caught.exception).code, ("PEER_REVOKED", "CANCELLED"))


class NoRevocationList(Access):
    def setUp(self):
        super().setUp()
        aside = federation.material.crl + ".aside"
        os.rename(federation.material.crl, aside)
        self.addCleanup(federation.wait_ready)
        self.addCleanup(os.rename, aside, federation.material.crl)

    def test_nobody_can_be_checked_so_nobody_passes(self):
        for server in SERVERS:
            wait_until(lambda s=server: self.is_refused(self.channel(s, self.own.folder)), NOTICED_SECONDS,
                       f"refusal at {server} without a list")
        self.refused_everywhere(self.own.folder)

    def test_a_case_gets_nowhere_and_completes_when_the_list_is_back(self):
        household = find_story(federation, "tekun-home")
        wait_until(lambda: self.without_list(household["members"]), NOTICED_SECONDS, "a case that fails")
        self.doCleanups()
        # Each node looks at the file once a second, for itself; what was refused until then is asked again.
        wait_until(lambda: self.with_list(household), NOTICED_SECONDS, "a case that completes")

    def without_list(self, members):
        try:
            return federation.window.apply(members).class_id == "MANUAL"
        except Refused:
            return True

    def with_list(self, household):
        try:
            return federation.window.apply(household["members"]).class_id == household["class"]
        except Refused as refused:
            self.assertEqual(refused.code, "CRL_STALE")
            return False


if __name__ == "__main__":
    unittest.main()
