"""The consent office on running processes: a part refused, minors, two officers for one paper, an
emergency, and a slip that withdraws."""

import hashlib
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from desk import documents  # noqa: E402
from members import HALL, Member  # noqa: E402
from processes import wait_until  # noqa: E402
from requester import Federation, Person, Profile, Requester  # noqa: E402
from stubs import Refused  # noqa: E402

LIANBAN = os.path.join(fixture.BIN, "lianban")
SECONDS = 30


def setUpModule():
    global federation, folder  # pylint: disable=global-statement
    federation = fixture.running(10)
    folder = fixture.folder()
    add_desk()


def add_desk():
    """A second desk of the hall, in the next directory."""
    root = os.path.dirname(federation.members["desk"].folder)
    federation.members["desk-2"] = Member("desk", "consent", HALL, os.path.join(root, "desk-2"), "", "desk-2")
    material = federation.material
    material._certify(federation.members["desk-2"])  # pylint: disable=protected-access
    material._configure(federation.members["desk-2"])  # pylint: disable=protected-access
    material.publish_directory(2)
    wait_until(lambda: consent("pending", desk="desk-2").returncode == 0, SECONDS, "the second desk")


def consent(*words, document=None, desk="desk"):
    """`lianban consent ...` at a desk; the number comes by a pipe."""
    options = ["--document", "-"] if document is not None else []
    return subprocess.run(
        [LIANBAN, "consent", words[0], "--desk", federation.members[desk].config, *words[1:], *options, "--json"],
        input=(document or "") + "\n", capture_output=True, text=True, timeout=SECONDS, check=False)


class Office(unittest.TestCase):
    def open(self, story):
        """(case, members, ticket by member's index) of a story household."""
        members = find_story(federation, story)["members"]
        case_id = federation.window.open(members)
        return case_id, members, {t.member: t.request_id for t in federation.window.ask(case_id)}

    def agree(self, case_id, members, tickets):
        federation.window.confirm(case_id, members, list(tickets.items()))

    def said(self, ended):
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def file(self, name, content):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def test_a_refused_part_is_for_a_person(self):
        case_id, members, tickets = self.open("dibao-couple")
        notice = federation.window.notice(case_id).sha256
        federation.desk.confirm(tickets.pop(0), members[0]["id_no"], notice,
                                refused_departments=["housing"], refused_facts=["major_disease"])
        self.agree(case_id, members, tickets)
        outcome = federation.window.collect(case_id)
        self.assertEqual(outcome.class_id, "MANUAL")
        refused = {f.fact for f in outcome.facts if f.member == 0 and f.code == "PART_REFUSED"}
        self.assertEqual(refused, {"homes", "premises", "small_home", "major_disease"})
        self.assertEqual({f.state for f in outcome.facts if f.code == "PART_REFUSED"}, {"denied"})
        others = {f.state for f in outcome.facts if f.code != "PART_REFUSED"}
        self.assertEqual(others, {"ok"})
        self.assertEqual(outcome.result.receipts_failed, 0)

    def test_what_was_refused_cannot_be_had(self):
        world = Federation(os.path.join(federation.root, "endpoints.json"))
        self.addCleanup(world.close)
        window = Requester(world, Profile.load(world, "window"))
        case_id, members, _ = self.open("dibao-couple")
        notice = federation.window.notice(case_id).sha256
        person = Person(members[0]["id_no"], members[0]["name"])
        grants = []
        for refused in ({}, {"refused_departments": ["housing"], "refused_facts": ["major_disease"]}):
            ticket = window.request_grant("applicant", person, "C-1")
            federation.desk.confirm(ticket.request_id, person.id_no, notice, **refused)
            grants.append(window.fetch_grant(ticket, person))
        whole, part = grants
        self.assertNotIn("housing", part.sections)
        for kept, lent in ((part.sections, whole.sections), (part.disclosures, whole.disclosures)):
            kept["housing"] = lent["housing"]
        events = window.collect([window.build_read(part, department, person)
                                 for department in ("housing", "medical-insurance")])
        self.assertEqual([event.code for event in events], ["SECTION_INVALID", "FIELD_NOT_GRANTED"])
        federation.window.discard(case_id)

    def test_a_mandate_cannot_be_refused(self):
        case_id, members, tickets = self.open("dibao-couple")
        with self.assertRaises(Refused) as refused:
            federation.desk.confirm(tickets[0], members[0]["id_no"],
                                    federation.window.notice(case_id).sha256, refused_departments=["tax"])
        self.assertEqual(refused.exception.code, "MALFORMED")

    def test_a_minor_and_the_guardian(self):
        case_id, members, tickets = self.open("dibao-lone-parent")
        notice = federation.window.notice(case_id).sha256
        child = next(i for i, m in enumerate(members) if m["role"] == "child")
        alone = members[child]["id_no"]
        stranger = find_story(federation, "none-deposits")["members"][0]["id_no"]
        for shown in (alone, stranger):
            with self.assertRaises(Refused) as refused:
                federation.desk.confirm(tickets[child], shown, notice)
            self.assertIn(refused.exception.code, ("MALFORMED", "PARTY_MISSING"))
        shown, also = documents(members, child)
        self.assertTrue(federation.desk.confirm(tickets[child], shown, notice, also_id_no=also))

    def test_an_agent_with_a_paper(self):
        """Where the department's own rule names agents the consent counts, elsewhere it does not."""
        world = Federation(os.path.join(federation.root, "endpoints.json"))
        self.addCleanup(world.close)
        window = Requester(world, Profile.load(world, "window"))
        case_id, members, _ = self.open("dibao-couple")
        notice = federation.window.notice(case_id).sha256
        person = Person(members[0]["id_no"], members[0]["name"])
        sent = find_story(federation, "none-deposits")["members"][0]
        paper = hashlib.sha256(b"the signed authorisation").digest()
        ticket = window.request_grant("applicant", person, "C-2", representative={
            "kind": "agent", "id_no": sent["id_no"], "name": sent["name"], "relation": "neighbour",
            "document_sha256": paper, "until": int(time.time()) + 86400,
            "departments": ["housing", "civil-affairs"]})
        for shown in ({}, {"paper_sha256": bytes(32)}):
            with self.assertRaises(Refused):
                federation.desk.confirm(ticket.request_id, sent["id_no"], notice, **shown)
        federation.desk.confirm(ticket.request_id, sent["id_no"], notice, paper_sha256=paper)
        grant = window.fetch_grant(ticket, person)
        self.assertEqual(set(grant.sections), {"housing", "civil-affairs"})
        self.assertEqual(grant.sections["housing"]["agent"]["document"], paper.hex())
        events = window.collect([window.build_read(grant, department, person)
                                 for department in ("housing", "civil-affairs")])
        self.assertEqual([event.code for event in events], ["ANSWERED", "GIVER_NOT_ALLOWED"])
        read = federation.entries("housing", "--type", "read", "--code", "ANSWERED", details=True)[-1]
        self.assertEqual(read["detail"]["agent"], "neighbour")
        federation.window.discard(case_id)

    def test_two_officers(self):
        case_id, members, tickets = self.open("dibao-couple")
        paper = self.file("paper.txt", "signed by hand")
        words = ("confirm", "--request", tickets[0], "--method", "paper2", "--level", "2", "--paper", paper)
        for _ in range(2):  # one officer, however often
            self.assertEqual(self.said(consent(*words, document=members[0]["id_no"]))["state"], "SECOND_OFFICER")
        listed = self.said(consent("pending"))["requests"]
        self.assertEqual([r["state"] for r in listed if r["request_id"] == tickets[0]], ["SECOND_OFFICER"])
        other = self.file("other.txt", "another paper")
        swapped = consent(*words[:-1], other, document=members[0]["id_no"], desk="desk-2")
        self.assertIn("CASE_STATE", swapped.stderr)
        granted = self.said(consent(*words, document=members[0]["id_no"], desk="desk-2"))
        self.assertEqual(granted["state"], "GRANTED")
        again = self.said(consent(*words, document=members[0]["id_no"], desk="desk-2"))
        self.assertEqual(again["grant_id"], granted["grant_id"])
        federation.window.discard(case_id)

    def test_an_emergency(self):
        story = find_story(federation, "none-deposits")
        case_id, members, tickets = self.open("none-deposits")
        given = self.said(consent("emergency", "--request", tickets.pop(0), "--reason", "health"))
        self.assertEqual(given["due"] - given["expires"], 9 * 86400)
        self.agree(case_id, members, tickets)
        outcome = federation.window.collect(case_id)
        self.assertEqual(outcome.class_id, "MANUAL")
        own = {f.fact: (f.state, f.code) for f in outcome.facts if f.member == 0}
        self.assertEqual(own["homes"], ("denied", "BASIS_NOT_ALLOWED"))
        self.assertEqual(own["aid_drawn"][0], "ok")  # the one department whose views accept it
        self.assertEqual(own["recognised"][0], "ok")
        self.assertEqual(own["wage12"][0], "ok")
        due = self.said(consent("due"))
        self.assertEqual([i["grant_id"] for i in due["items"]], [given["grant_id"]])
        self.assertEqual(due["overdue"], 0)
        report = self.file("report.txt", "could not be asked")
        self.said(consent("close", "--grant", given["grant_id"], "--outcome", "consented", "--paper", report,
                          document=story["members"][0]["id_no"]))
        self.assertEqual(self.said(consent("due"))["items"], [])

    def test_a_slip_withdraws_at_any_desk(self):
        case_id, members, tickets = self.open("dibao-couple")
        notice = federation.window.notice(case_id).sha256
        own = members[0]["id_no"]
        grant = federation.desk.confirm(tickets[0], own, notice)
        slip = self.said(consent("slip", "--grant", grant, "--language", "zh", document=own))
        self.assertIn(slip["code"], slip["text"])
        for secret in (own, members[0]["name"], grant):
            self.assertNotIn(secret, slip["text"])
        shown = self.said(consent("show", "--code", slip["code"].lower(), document=own, desk="desk-2"))
        self.assertEqual((shown["state"], shown["grant_id"]), ("VALID", grant))
        wrong = consent("show", "--code", slip["code"], document=members[1]["id_no"], desk="desk-2")
        self.assertIn("GRANT_UNKNOWN", wrong.stderr)
        ended = self.said(consent("withdraw", "--code", slip["code"], document=own, desk="desk-2"))
        self.assertGreaterEqual(ended["stopped"], 1)
        self.assertEqual(self.said(consent("show", "--code", slip["code"], document=own))["state"], "WITHDRAWN")
        with self.assertRaises(Refused) as refused:
            federation.window.collect(case_id)
        self.assertIn(refused.exception.code, ("GRANT_REVOKED", "GRANT_PENDING"))
        records = self.said(consent("record", "--grant", grant))
        self.assertEqual([r["event"]["event_state"] for r in records], ["given", "withdrawn"])
        self.assertNotIn(own, json.dumps(records))

    def test_the_notice_is_what_the_form_says(self):
        printed = subprocess.run(
            [LIANBAN, "form", "notice", os.path.join(fixture.ROOT, "policy/forms/social-assistance.yaml"),
             "--requester-name", "街道办事处", "--language", "zh", "--variant", "large"],
            capture_output=True, timeout=SECONDS, check=True).stdout
        case_id, members, tickets = self.open("dibao-couple")
        self.assertTrue(federation.desk.confirm(tickets[0], members[0]["id_no"],
                                                hashlib.sha256(printed).digest()))
        federation.window.discard(case_id)

    def test_every_decision_is_in_the_evidence(self):
        case_id, members, tickets = self.open("dibao-couple")
        federation.desk.confirm(tickets[0], members[0]["id_no"], federation.window.notice(case_id).sha256,
                                refused_departments=["health"])
        details = [entry for entry in federation.entries("consent", details=True)
                   if tickets[0] in json.dumps(entry)]
        self.assertEqual(len(details), 1)
        self.assertIn("health", json.dumps(details))
        self.assertNotIn(members[0]["id_no"], json.dumps(details))

    def test_nobody_is_named_in_what_the_office_keeps(self):
        case_id, members, tickets = self.open("dibao-couple")
        self.agree(case_id, members, tickets)
        secrets = [text.encode() for m in members for text in (m["id_no"], m["name"])]
        kept = 0
        for root, _, files in os.walk(federation.members["consent"].folder):
            for name in files:
                with open(os.path.join(root, name), "rb") as file:
                    content = file.read()
                kept += len(content)
                for secret in secrets:
                    self.assertNotIn(secret, content, name)
        self.assertGreater(kept, 100000)


if __name__ == "__main__":
    unittest.main()
