"""The window agent's loopback ports as they are served: who gets in, and what is told to whom."""

import http.client
import json
import os
import sys
import threading
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [os.path.join(_ROOT, "tests", "e2e"), os.path.join(_ROOT, "examples", "window-python")]

import fixture  # noqa: E402
from agent import Agent, Refused  # noqa: E402
from cases import find_story  # noqa: E402
from stubs import Refused as RefusedByGrpc, plain_channel  # noqa: E402

CASE = {"case_id": "c-" + "0" * 32}


def setUpModule():
    global federation, agent, secret  # pylint: disable=global-statement
    federation = fixture.running(people=100, share_runs=16)
    own = federation.members["window"]
    agent = Agent(own.http, own.path("local.key"))
    with open(own.path("local.key"), encoding="ascii") as file:
        secret = file.read().strip()


def opened(story="tekun-home"):
    """A case whose citizens have agreed."""
    members = find_story(federation, story)["members"]
    case = agent.call("OpenCase", {
        "form": "social-assistance", "operator_badge": "W-1", "operator_unit": "u-1",
        "members": [{key: member[key] for key in ("role", "id_no", "name")} for member in members]})
    tickets = agent.call("RequestGrants", case)["tickets"]
    federation.window.confirm(case["case_id"], members, [(t["member"], t["request_id"]) for t in tickets])
    return case


class Http(unittest.TestCase):
    def refused(self, method, request):
        with self.assertRaises(Refused) as caught:
            list(agent.events(method, request)) if method in ("Collect", "Watch") else agent.call(method, request)
        self.assertTrue(caught.exception.text_zh and caught.exception.text_en)
        return caught.exception.code

    def test_refusals_have_their_codes(self):
        for method in ("GetCase", "RequestGrants", "Collect", "Watch", "CloseCase"):
            with self.subTest(method):
                self.assertEqual(self.refused(method, CASE), "CASE_UNKNOWN")
                self.assertEqual(self.refused(method, {"case_id": "'; DROP TABLE cases; --"}), "CASE_UNKNOWN")
                self.assertEqual(self.refused(method, {"caseId": "c"}), "MALFORMED")
                self.assertEqual(self.refused(method, [CASE]), "MALFORMED")
        self.assertEqual(self.refused("OpenCase", {"form": "no-such"}), "FORM_UNKNOWN")
        self.assertEqual(self.refused("OpenCase", {
            "form": "social-assistance", "operator_badge": "W-1", "operator_unit": "u-1",
            "members": [{"role": "applicant", "id_no": "990105198811195934", "name": "x"}]}), "MALFORMED")
        self.assertEqual(self.refused("Steal", {}), "NO_METHOD")

    def raw(self, headers, body=b'{"case_id":"c"}', path="/lianban.v1.Window/GetCase"):
        connection = http.client.HTTPConnection(federation.members["window"].http, timeout=10)
        self.addCleanup(connection.close)
        connection.putrequest("POST", path, skip_host="Host" in headers)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)),
                            "Authorization": "Bearer " + secret, **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def test_who_may_not_ask(self):
        for headers, status, code in (
                ({}, 404, "CASE_UNKNOWN"),
                ({"Authorization": "Bearer " + "0" * 64}, 401, "AGENT_SECRET_WRONG"),
                ({"Origin": "https://evil.example"}, 403, "BROWSER_REFUSED"),
                ({"Host": "evil.example"}, 403, "BROWSER_REFUSED"),
                ({"Content-Type": "text/plain"}, 415, "MALFORMED")):
            with self.subTest(headers):
                got, text = self.raw(headers)
                self.assertEqual(got, status)
                self.assertIn(f'"code":"{code}"', text)
        self.assertEqual(self.raw({}, path="/lianban.v1.Window/../lianban.v1.Window/GetCase")[0], 404)
        self.assertEqual(self.raw({}, body=b'{"case_id":"c","case_id":"c"}')[0], 400)
        self.assertEqual(self.raw({}, body=b"[" * 5000)[0], 400)

    def test_watch_is_told_what_collect_is(self):
        case, seen = opened(), []
        watcher = threading.Thread(target=lambda: seen.extend(agent.events("Watch", case)))
        watcher.start()
        both = [[], []]
        other = threading.Thread(target=lambda: both[1].extend(agent.events("Collect", case)))
        other.start()
        both[0].extend(agent.events("Collect", case))
        other.join(30)
        result = both[0][-1]["result"]
        self.assertEqual((result["class_id"], result["state"]), ("TEKUN", "DECIDED"))
        self.assertEqual(agent.call("GetCase", case)["class_id"], "TEKUN")
        self.assertEqual(both[1][-1]["result"]["class_id"], "TEKUN")
        agent.call("CloseCase", case)
        watcher.join(30)
        self.assertFalse(watcher.is_alive())
        self.assertTrue(all(event in seen for event in both[0]))
        self.assertEqual(self.refused("GetCase", case), "CASE_UNKNOWN")

    def test_collect_before_consent_is_pending(self):
        members = find_story(federation, "none-car")["members"]
        case = agent.call("OpenCase", {
            "form": "social-assistance", "operator_badge": "W-1", "operator_unit": "u-1",
            "members": [{key: member[key] for key in ("role", "id_no", "name")} for member in members]})
        agent.call("RequestGrants", case)
        self.assertEqual(self.refused("Collect", case), "GRANT_PENDING")
        agent.call("CloseCase", case)

    def test_the_agents_log_names_nobody(self):
        agent.call("CloseCase", opened())
        with open(federation.processes["window"].log, encoding="utf-8") as file:
            said = file.read()
        for member in find_story(federation, "tekun-home")["members"]:
            self.assertNotIn(member["id_no"], said)
        self.assertNotIn(secret, said)


class Policies(unittest.TestCase):
    """The policy calculator: what it answers, and that nothing of what is entered is left anywhere."""

    ENTERED = {"birth_date": "1941-07-23", "beijing_hukou": "yes", "household_income_month": "87654.32",
               "members": "1", "benefit_class": "none", "disability": "vision-4"}
    TRACES = (b"1941-07-23", b"19410723", b"87654.32", b"8765432", b"vision-4", b"household_income_month",
              b"1841-07-23")

    def answers(self, **others):
        return {"answers": [{"question": key, "answer": value} for key, value in {**self.ENTERED, **others}.items()],
                "day": "2026-11-22"}

    def test_policies_are_worked_out_over_http_and_grpc(self):
        first = agent.call("CalculatePolicies", {})
        self.assertEqual({policy["status"] for policy in first["policies"]}, {"need_more"})
        self.assertIn("birth_date", [question["question"] for question in first["missing"]])
        answer = agent.call("CalculatePolicies", self.answers())
        found = {policy["policy"]: policy for policy in answer["policies"]}
        self.assertEqual(found["advanced-age-allowance"]["status"], "matched")
        poor = found["minimum-living-allowance"]
        self.assertEqual((poor["status"], poor["missing"]), ("unmatched", []))
        self.assertEqual([(limit["name"], int(limit["value"]), limit["unit"]) for reason in poor["reasons"]
                          for limit in reason["thresholds"] if reason["condition"] in poor["changes"]],
                         [("std.dibao", 145000, "cents")])
        channel = plain_channel(federation.members["window"].grpc)
        self.addCleanup(channel.close)
        contract = federation.contract
        same = contract.call(channel, "Window/CalculatePolicies", contract.new(
            "CalculatePoliciesRequest", day="2026-11-22",
            answers=[contract.new("PolicyAnswer", question=key, answer=value) for key, value in self.ENTERED.items()]),
            metadata=(("authorization", "Bearer " + secret),))
        self.assertEqual({policy.policy: policy.status for policy in same.policies},
                         {name: policy["status"] for name, policy in found.items()})

    def test_nothing_that_was_entered_is_left(self):
        window = federation.members["window"]
        connection = http.client.HTTPConnection(window.http, timeout=10)
        self.addCleanup(connection.close)
        connection.request("POST", "/lianban.v1.Window/CalculatePolicies", json.dumps(self.answers()), {
            "Content-Type": "application/json", "Authorization": "Bearer " + secret,
            "traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"})
        self.assertEqual(connection.getresponse().status, 200)
        for wrong in ({"birth_date": "1841-07-23"}, {"members": "8765432"}, {"nobody": "vision-4"}):
            with self.assertRaises(Refused) as caught:
                agent.call("CalculatePolicies", self.answers(**wrong))
            self.assertEqual(caught.exception.code, "ANSWER_INVALID")
            for trace in self.TRACES:
                self.assertNotIn(trace.decode(), str(caught.exception))
        looked = [federation.processes["window"].log]
        for folder, _, names in os.walk(window.folder):
            looked += [os.path.join(folder, name) for name in names]
        self.assertGreater(len(looked), 5)
        for path in looked:
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            for trace in self.TRACES:
                self.assertNotIn(trace, content, path)


class Grpc(unittest.TestCase):
    def code(self, metadata):
        channel = plain_channel(federation.members["window"].grpc)
        self.addCleanup(channel.close)
        with self.assertRaises(RefusedByGrpc) as caught:
            federation.contract.call(channel, "Window/GetCase", federation.contract.new("CaseRequest", **CASE),
                                     metadata=metadata)
        return caught.exception.code

    def test_only_who_has_the_secret_is_answered(self):
        good = ("authorization", "Bearer " + secret)
        self.assertEqual(self.code((good,)), "CASE_UNKNOWN")
        for metadata in ((), (good, good), (("authorization", "Bearer " + "0" * 64),),
                         (("authorization", secret),), (("x-authorization", "Bearer " + secret),)):
            with self.subTest(len(metadata)):
                self.assertEqual(self.code(metadata), "AGENT_SECRET_WRONG")


if __name__ == "__main__":
    unittest.main()
