"""Withdrawal while a hundred cases are in hand: after an adapter's acknowledgement nothing leaves, the
printed bound holds, what is away is told when it comes back, and without news everybody stops by themselves."""

import datetime
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from desk import documents  # noqa: E402
import sdjwt  # noqa: E402
import yaml  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from material import DIRECTORY_SIGNER  # noqa: E402
from members import DEPARTMENTS, DIALS_OUT  # noqa: E402
from processes import free_ports, wait_until  # noqa: E402
from stubs import Refused  # noqa: E402

sys.path.append(os.path.join(fixture.ROOT, "tests", "hostile"))

import paths  # noqa: E402,F401
from ground import Ground  # noqa: E402
from rogue import Log, leaf  # noqa: E402

CASES = 100
LIST_SECONDS = 10    # how long a status list of this office is good for
NOBODYS_INDEX = 4000  # in the list, and far behind what is given away
AWAY = "tax"         # is away while a grant is withdrawn
CUT_OFF = "housing"  # asked by a broker that passes on nothing


def setUpModule():
    global federation, in_house  # pylint: disable=global-statement
    federation = fixture.made(120, share_runs=100)
    in_house = f"127.0.0.1:{free_ports(1)[0]}"
    for name, settings in (("consent", {"status_life_s": LIST_SECONDS}), (DIALS_OUT, {"listen": in_house})):
        with open(federation.members[name].config, encoding="utf-8") as file:
            settings = {**yaml.load(file, yaml.CSafeLoader), **settings}
        with open(federation.members[name].config, "w", encoding="utf-8") as file:
            yaml.safe_dump(settings, file)
    unittest.addModuleCleanup(federation.stop)
    federation.start()


class Case:
    """One household with its grants, ready to be collected."""

    def __init__(self, household):
        self.members, self.class_id = household["members"], household["class"]
        window = federation.window
        self.id = window.open(self.members)
        notice = window.notice(self.id).sha256
        self.documents, self.grants = [], []
        for ticket in window.ask(self.id):
            shown, also = documents(self.members, ticket.member)
            self.documents.append(shown)
            self.grants.append(federation.desk.confirm(ticket.request_id, shown, notice, also_id_no=also))


class Withdrawal:
    """The applicant's grant is withdrawn; what the desk was told, and when it asked."""

    def __init__(self, case):
        self.grant, self.began = case.grants[0], time.time()
        self.reply = federation.desk.revoke(self.grant, case.documents[0])
        self.ended = time.time()

    def receipt(self, department):
        name = federation.members[department].spiffe
        return next(r for r in self.reply.receipts if r.adapter == name)


def collect(case, on_fact=None):
    """The Outcome, or the code when a grant is not there any more."""
    try:
        return federation.window.collect(case.id, on_fact)
    except Refused as refused:
        if refused.code not in ("GRANT_REVOKED", "GRANT_PENDING"):
            raise
        return refused.code


def releases(department):
    """[(index, seconds, grant)] of what a department's log says has left."""
    entries = federation.entries(department, "--type", "READ", details=True)
    return [(e["index"], seconds_of(e), e["detail"]["grant"]) for e in entries if e["code"] == "ANSWERED"]


def seconds_of(entry):
    return datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()


class UnderLoad(unittest.TestCase):
    def test_after_the_acknowledgement_nothing_leaves(self):
        with ThreadPoolExecutor(CASES) as pool:
            few = sorted(federation.households, key=lambda h: len(h["members"]))[:CASES // 4]
            cases = list(pool.map(Case, few * 4))
            self.assertEqual(len(cases), CASES)
            underway = threading.Semaphore(0)
            outcomes = [pool.submit(collect, case, lambda _: underway.release()) for case in cases]
            for _ in range(CASES):     # facts have come; many more are on their way
                self.assertTrue(underway.acquire(timeout=20))
            with ThreadPoolExecutor(8) as desks:
                withdrawals = list(desks.map(Withdrawal, cases[1::2]))
            outcomes = [outcome.result(30) for outcome in outcomes]
        self.check_outcomes(cases, outcomes)
        left = {department: releases(department) for department in DEPARTMENTS}
        for withdrawal in withdrawals:
            self.check(withdrawal, left)
        self.assertTrue(any(isinstance(outcome, str) or outcome.class_id == "MANUAL"
                            for outcome in outcomes[1::2]), "no withdrawal came in time to stop anything")
        # And later: nobody gets anything under any of them.
        before = {department: len(entries) for department, entries in left.items()}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(collect, cases[1:20:2]))
        for department, grants in ((d, {w.grant for w in withdrawals}) for d in DEPARTMENTS):
            late = [entry for entry in releases(department)[before[department]:] if entry[2] in grants]
            self.assertEqual(late, [], department)

    def check_outcomes(self, cases, outcomes):
        """Whose grants stand gets what it should, if need be in a second collect: on a slow machine a list
        may have run out, or the time."""
        for case, outcome in list(zip(cases, outcomes))[::2]:
            self.assertEqual(outcome.result.receipts_failed, 0)
            if outcome.class_id != case.class_id:
                self.assertEqual(outcome.class_id, "MANUAL")
                wait_until(lambda c=case: collect(c).class_id == c.class_id, 30, "the class of " + case.id)

    def check(self, withdrawal, left):
        reply = withdrawal.reply
        self.assertEqual({receipt.code for receipt in reply.receipts}, {"OK"})
        self.assertEqual(len(reply.receipts), len(DEPARTMENTS))
        slowest = max(receipt.millis for receipt in reply.receipts) / 1000
        self.assertLessEqual(slowest, withdrawal.ended - withdrawal.began + 0.002)
        for department in DEPARTMENTS:
            entry = withdrawal.receipt(department).entry
            for index, seconds, grant in left[department]:
                if grant != withdrawal.grant:
                    continue
                self.assertLess(index, entry, f"{department} released behind its acknowledgement")
                # What is told to the citizen, in seconds from when the desk asked.
                self.assertLessEqual(seconds, withdrawal.ended + 0.002)


class Away(unittest.TestCase):
    def test_an_adapter_that_was_away_is_told_by_an_office_that_was_killed(self):
        case = Case(federation.households[0])
        federation.window.collect(case.id)
        federation.processes[AWAY].kill()
        wait_until(lambda: AWAY in federation.unlinked(), 5, "the adapter is missed")
        printed = self.withdraw_by_command(case)
        federation.processes["consent"].kill()
        spiffe = federation.members[AWAY].spiffe
        self.assertEqual((printed["stopped"], printed["not_answered"]), (len(DEPARTMENTS) - 1, [spiffe]))
        self.assertLessEqual(printed["stops_by"], time.time() + LIST_SECONDS)
        federation.processes["consent"].start()
        federation.processes[AWAY].start()
        wait_until(lambda: spiffe in self.acknowledged(printed["grant_id"]), 15, "its acknowledgement")
        self.assertEqual(releases_under(AWAY, printed["grant_id"], since=time.time() - 1), [])

    def withdraw_by_command(self, case):
        folder = fixture.folder()
        with open(os.path.join(folder, "id.txt"), "w", encoding="utf-8") as file:
            file.write(case.documents[0])
        run = subprocess.run(
            [os.path.join(federation.binaries, "lianban"), "consent", "revoke", "--json", "--desk",
             federation.members["desk"].config, "--grant", case.grants[0], "--document", file.name],
            capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    def acknowledged(self, _grant):
        """Adapters that the office's own log has had a proof of since the last withdrawal."""
        entries = federation.entries("consent", details=True)
        last = max(e["index"] for e in entries if e["code"] == "REVOKED")
        return {told["adapter"] for e in entries if e["code"] == "ACKNOWLEDGED" and e["index"] > last
                for told in e["detail"]["adapters"]}


def releases_under(department, grant, since):
    return [entry for entry in releases(department) if entry[2] == grant and entry[1] >= since]


class WithoutOffice(unittest.TestCase):
    """The citizen's own key, and the department's own officer."""

    def test_the_citizens_own_key_is_enough(self):
        key, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        household = federation.households[1]
        window, members = federation.window, household["members"]
        case_id = window.open(members)
        tickets = window.ask(case_id)
        request = federation.contract.new(
            "ConfirmRequest", request_id=tickets[0].request_id, agreed=True, method="face", level=3,
            id_no=members[0]["id_no"], notice_sha256=window.notice(case_id).sha256,
            subject_key=commitment(key, salt))
        grant_id = federation.call("consent", "ConsentOffice/Confirm", request).grant_id
        got = federation.call("consent", "ConsentOffice/GetGrant", federation.contract.new(
            "GetGrantRequest", request_id=tickets[0].request_id), caller="window")
        grant = got.sd_jwt.split("~")[0]
        for stranger in (ec.generate_private_key(ec.SECP256R1()), None):
            with self.assertRaises(Refused) as caught:
                self.relay(grant, withdrawal(grant_id, stranger or key, salt if stranger else bytes(16)))
            self.assertEqual(caught.exception.code, "SIGNATURE_INVALID")
        receipts = self.relay(grant, withdrawal(grant_id, key, salt)).receipts
        self.assertEqual({receipt.code for receipt in receipts}, {"OK"})
        self.assertEqual(len({receipt.adapter for receipt in receipts}), len(DEPARTMENTS))
        self.assertIn(federation.members[DIALS_OUT].spiffe, {receipt.adapter for receipt in receipts})
        for receipt in receipts:
            self.assertIn(b"GRANT_WITHDRAWN", receipt.entry.leaf)
        self.assertTrue(federation.verify_logs()["verified"])

    def test_an_officer_stops_a_grant_at_the_own_adapter_only(self):
        case = Case(federation.households[2])
        folder, spiffe = self.hire("li")
        wait_until(lambda: self.stop(folder, spiffe, CUT_OFF, case.grants[0]).returncode == 0, 10, "the stop")
        wait_until(lambda: self.is_not_theirs(folder, spiffe, case.grants[0]), 10, "the other adapter's refusal")
        facts = federation.window.collect(case.id).facts
        self.assertEqual({f.code for f in facts if f.department == CUT_OFF}, {"GRANT_REVOKED"})
        self.assertIn("ok", {f.state for f in facts if f.department != CUT_OFF})
        (entry,) = [e for e in federation.entries(CUT_OFF, details=True) if e["code"] == "GRANT_STOPPED"]
        self.assertEqual((entry["detail"]["by"], entry["detail"]["grant"]), (spiffe, case.grants[0]))

    def test_an_officer_stops_a_grant_at_an_adapter_that_only_dials_out(self):
        case = Case(federation.households[4])
        folder, spiffe = self.hire("sun", DIALS_OUT)
        wait_until(lambda: self.stop(folder, spiffe, DIALS_OUT, case.grants[0], address=in_house).returncode == 0,
                   10, "the stop")
        refused = self.stop(folder, spiffe, DIALS_OUT, case.grants[0])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("address: host:port", refused.stderr)
        # Somebody else answers there: his certificate is not the adapter's.
        other = self.stop(folder, spiffe, DIALS_OUT, case.grants[0], address=federation.members[AWAY].address)
        self.assertEqual(other.returncode, 1)
        facts = federation.window.collect(case.id).facts
        self.assertIn("GRANT_REVOKED", {f.code for f in facts if f.department == DIALS_OUT})
        self.assertTrue([e for e in federation.entries(DIALS_OUT) if e["code"] == "GRANT_STOPPED"])

    def test_two_officers_erase_what_is_kept_about_a_person(self):
        household = federation.households[3]
        members = household["members"]
        case = Case(household)
        federation.window.collect(case.id)
        before = self.readable()
        first, second = self.hire("zhou"), self.hire("wu")
        wait_until(lambda: self.erase(*first, members[0], "court_order").returncode == 0, 10, "the request")
        self.assertEqual(self.readable(), before)
        self.assertIn("RETENTION_RUNS", self.erase(*first, members[0], "unlawful").stderr)
        self.assertIn("ERASURE_NOT_ASKED", self.erase(*first, members[0], "court_order", "--approve").stderr)
        wait_until(lambda: self.erase(*second, members[0], "court_order", "--approve").returncode == 0, 10,
                   "the approval")
        self.assertLess(self.readable(), before)
        (erased,) = federation.entries(CUT_OFF, "--type", "erasure", details=True)
        self.assertEqual(erased["detail"]["by"], second[1])
        self.assertTrue(federation.verify_logs()["verified"])

    def readable(self):
        """How many reads of the department its own officer can still open."""
        return sum("detail" in entry for entry in federation.entries(CUT_OFF, "--type", "read", details=True))

    def hire(self, name, department=CUT_OFF):
        """An officer of a department: a folder with a certificate, and the id in the directory."""
        folder = os.path.join(federation.root, "clients", "officer-" + name)
        spiffe = f"spiffe://demo.lianban/officer/{department}/{name}"
        federation.material.lianban("pki", "issue", "--dir", federation.material.pki, "--id", spiffe,
                                    "--out", folder)
        list_member(spiffe)
        return folder, spiffe

    def is_not_theirs(self, folder, spiffe, grant):
        """Another department's adapter refuses the officer, once it has read the directory as well."""
        refused = self.stop(folder, spiffe, AWAY, grant)
        self.assertEqual(refused.returncode, 1)
        return "ROLE_NOT_ALLOWED" in refused.stderr

    def stop(self, folder, spiffe, department, grant, **profile):
        """`lianban grant stop` as the officer types it."""
        return self.officer(folder, spiffe, department, "grant", "stop", "--issuer",
                            federation.members["consent"].organization, "--grant", grant, "--reason", "complaint 17",
                            **profile)

    def erase(self, folder, spiffe, member, basis, *more):
        """`lianban log erase` as the officer types it, the number read from a document."""
        return self.officer(folder, spiffe, CUT_OFF, "log", "erase", "--document", "-", "--basis", basis,
                            "--reason", "judgement 5", *more, typed=member["id_no"])

    def officer(self, folder, spiffe, department, command, word, *more, typed="", **known):
        profile = os.path.join(folder, department + ".yaml")
        with open(profile, "w", encoding="utf-8") as file:
            yaml.safe_dump({
                "node": spiffe, "identity": {"cert": "cert.pem", "key": "key.pem", "ca": "ca.pem"},
                "crl": federation.material.crl, "state": "state",
                "directory": {"file": federation.material.directory,
                              "signers": [federation.material.directory_vkey]},
                "adapter": federation.members[department].spiffe, **known}, file)
        return subprocess.run(
            [os.path.join(federation.binaries, "lianban"), command, word, "--officer", profile, *more],
            input=typed, capture_output=True, text=True, check=False)

    def relay(self, grant, token):
        request = federation.contract.new("RelayRevocationRequest", grant=grant, token=token)
        return federation.call("broker", "Broker/RelayRevocation", request, caller="window")


def list_member(spiffe):
    """One more member in the directory, by the federation's own signer."""
    pki = federation.material.pki
    source, text = (os.path.join(pki, "directory" + end) for end in (".yaml", ".json"))
    with open(source, encoding="utf-8") as file:
        directory = yaml.load(file, yaml.CSafeLoader)
    directory["version"] += 1
    directory["nodes"].append({"spiffe": spiffe})
    with open(source, "w", encoding="utf-8") as file:
        yaml.dump(directory, file, yaml.CSafeDumper, allow_unicode=True)
    federation.material.lianban("directory", "build", "--from", source, "--out", text)
    federation.material.lianban("directory", "sign", "--text", text, "--key", os.path.join(pki, "directory.pem"),
                                "--name", DIRECTORY_SIGNER, "--out", federation.material.directory)


def commitment(key, salt):
    thumbprint = hashlib.sha256(json.dumps(jwk_of(key), separators=(",", ":"), sort_keys=True).encode()).digest()
    return hashlib.sha256(b"lianban subject key v1" + salt + thumbprint).digest()


def jwk_of(key):
    numbers = key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": sdjwt.b64(numbers.x.to_bytes(32, "big")),
            "y": sdjwt.b64(numbers.y.to_bytes(32, "big"))}


def withdrawal(grant_id, key, salt):
    """A citizen's token, made from docs/PROTOCOL.md."""
    jwk = jwk_of(key)
    thumbprint = hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest()
    return sdjwt.sign(sdjwt.header_of("lianban-revoke+jwt", sdjwt.b64(thumbprint)), {
        "iss": federation.members["consent"].organization, "jti": grant_id, "iat": int(time.time()),
        "salt": sdjwt.b64(salt), "jwk": jwk}, key)


class Silence(unittest.TestCase):
    """A broker with its real keys, and its log key, that passes on reads and no lists."""

    def setUp(self):
        self.ground = Ground(federation)
        self.addCleanup(self.ground.close)

    def ask(self):
        status = {"status_list": {"idx": NOBODYS_INDEX, "uri": self.ground.status_uri}}
        grant = self.ground.office_grant(CUT_OFF, claims={"status": status})
        read = self.ground.read(grant, CUT_OFF)
        log = Log(self.ground, "broker", [leaf("ROUTE", "ROUTED", read.request, views="")])
        message = self.ground.new("RoutedReadRequest", log=log.progress(), read=self.ground.new(
            "RoutedRead", request=read.request, route=log.proof(0)))
        return self.ground.world.call(CUT_OFF, "broker", "Adapter/Read", message).answer.code

    def test_release_stops_when_the_list_expires(self):
        wait_until(lambda: not federation.unlinked(), 15, "the current list everywhere")
        federation.processes["broker"].kill()
        before = len(federation.entries(CUT_OFF, "--type", "READ"))
        # Nobody can pass on a newer one than this any more.
        expires = sdjwt.peek(federation.desk.status_list(), sdjwt.STATUS_TYP)[1]["exp"]
        self.assertEqual(self.ask(), "ANSWERED")
        wait_until(lambda: self.ask() == "STATUS_STALE", 2 * LIST_SECONDS, "an end without news")
        # By itself, by the list's own time, and for good: not one release behind the first refusal.
        entries = federation.entries(CUT_OFF, "--type", "READ")[before:]
        codes = [entry["code"] for entry in entries]
        last = max(seconds_of(entry) for entry in entries if entry["code"] == "ANSWERED")
        self.assertLess(last, expires)
        self.assertNotIn("ANSWERED", codes[codes.index("STATUS_STALE"):])
        federation.processes["broker"].start()
        federation.wait_ready()
        self.assertEqual(self.ask(), "ANSWERED")


if __name__ == "__main__":
    unittest.main()
