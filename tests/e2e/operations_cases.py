"""Metrics and traces of running nodes, for test_operations: what is counted, and what goes through all hops."""

import json
import os
import re
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402,F401  (finds the demo's modules)
import exposition  # noqa: E402
from cases import find_story  # noqa: E402
from processes import wait_until  # noqa: E402

SECONDS = 60
HOUR = 3600
MEASURED = ("broker", "tax", "disabled-federation", "window", "consent")


class Metrics:
    def url(self, name):
        with open(self.federation.processes[name].log, encoding="utf-8") as file:
            ports = [line["port"] for line in map(json.loads, (x for x in file if x.startswith("{")))
                     if line["event"] == "metrics"]
        return f"http://127.0.0.1:{ports[-1]}/metrics"

    def text(self, name):
        with urllib.request.urlopen(self.url(name), timeout=SECONDS) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            return answer.read().decode("utf-8")

    def scrape(self, name):
        return exposition.read(self.text(name))

    def test_each_role_counts_its_own_work(self):
        self.federation.window.apply(find_story(self.federation, "dibao-couple")["members"])
        shown = {name: self.scrape(name) for name in MEASURED}
        broker, tax = shown["broker"], shown["tax"]
        self.assertGreater(tax["lianban_outcomes_total", (("code", "ANSWERED"), ("kind", "read"))], 0)
        self.assertGreater(broker["lianban_outcomes_total", (("code", "ANSWERED"), ("kind", "routed"))], 0)
        for stage in ("verify", "open", "judge", "query", "shape", "record", "seal"):
            self.assertGreater(tax["lianban_stage_seconds_count", (("stage", stage),)], 0, stage)
        for stage in ("route", "fan_out", "deliver"):
            self.assertGreater(broker["lianban_stage_seconds_count", (("stage", stage),)], 0, stage)
        for name in MEASURED:
            self.assertGreater(shown[name]["lianban_certificate_left_seconds", ()], 80 * 24 * HOUR)
            self.assertEqual(shown[name]["lianban_log_healthy", ()], 1)
            self.assertGreater(shown[name]["lianban_log_entries", ()], 0)
            self.assertGreater(shown[name]["process_resident_memory_bytes", ()], 1 << 20)
        link = (("peer", self.federation.members["broker"].spiffe),)
        self.assertEqual(shown["disabled-federation"]["lianban_link_up", link], 1)
        self.assertEqual(broker["lianban_link_up", (("peer", self.federation.members["tax"].spiffe),)], 1)
        ages = [v for (name, _), v in tax.items() if name == "lianban_status_list_age_seconds"]
        self.assertEqual(len(ages), 1)

    def test_labels_name_no_person_and_nothing_that_a_peer_chose(self):
        texts = "".join(self.text(name) for name in MEASURED)
        self.assertIsNone(re.search(r"[0-9]{17}[0-9X]", texts))
        labels = set(re.findall(r'([a-z]+)="', texts))
        self.assertEqual(labels - {"le", "stage", "kind", "code", "method", "queue", "state", "version", "node",
                                   "issuer", "list", "peer"}, set())
        for story in ("dibao-couple",):
            for member in find_story(self.federation, story)["members"]:
                self.assertNotIn(member["name"], texts)

    def test_what_is_no_scrape_is_refused(self):
        for path, method, status in (("/metrics", "POST", 405), ("/", "GET", 404), ("/metrics/x", "GET", 404)):
            request = urllib.request.Request(self.url("tax").replace("/metrics", path), method=method)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=SECONDS)
            refused.exception.close()
            self.assertEqual(refused.exception.code, status)
        origin = urllib.request.Request(self.url("tax"), headers={"Origin": "http://example.com"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(origin, timeout=SECONDS)
        refused.exception.close()



class Traces:
    """A trace goes through all hops beside the seal; each writes a line about it when its caller asked."""

    ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

    def ready_case(self):
        members = find_story(self.federation, "dibao-couple")["members"]
        case_id = self.federation.window.open(members)
        self.addCleanup(self.federation.window.discard, case_id)
        self.federation.window.agree(case_id, members)
        return case_id

    def collect(self, *metadata):
        request = self.federation.contract.new("CaseRequest", case_id=self.ready_case())
        return list(self.federation.contract.stream(self.federation.window.channel, "Window/Collect", request,
                                               metadata=metadata))

    def lines(self, name, event):
        with open(self.federation.processes[name].log, encoding="utf-8") as file:
            found = [json.loads(line) for line in file if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def about(self, name, event):
        return [line for line in self.lines(name, event) if line["trace"] == self.ID]

    def assert_seen_everywhere(self):
        wait_until(lambda: self.about("window", "collect_ended"), SECONDS, "the agent's line")
        routed = {line["span"] for line in self.about("broker", "read_routed")}
        for name in ("tax", "public-security", "disabled-federation"):
            wait_until(lambda n=name: self.about(n, "read_answered"), SECONDS, name)
            for line in self.about(name, "read_answered"):
                self.assertIn(line["parent"], routed)
                self.assertEqual(line["code"], "ANSWERED")

    def test_one_that_the_window_system_brings(self):
        self.collect(("traceparent", f"00-{self.ID}-{self.SPAN}-01"))
        self.assert_seen_everywhere()

    def test_over_http_too(self):
        ID = Traces.ID[::-1]
        self.ID = ID  # pylint: disable=invalid-name
        with open(self.federation.members["window"].path("local.key"), encoding="ascii") as file:
            secret = file.read().strip()
        request = urllib.request.Request(
            f"http://{self.federation.members['window'].http}/lianban.v1.Window/Collect",
            data=json.dumps({"case_id": self.ready_case()}).encode(),
            headers={"Authorization": "Bearer " + secret, "Content-Type": "application/json",
                     "Traceparent": f"00-{ID}-{self.SPAN}-01"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            self.assertIn(b"result", answer.read())
        self.assert_seen_everywhere()

    def test_none_or_a_bad_one_is_not_passed_on(self):
        before = {name: len(self.lines(name, event)) for name, event in self.EVENTS}
        number = find_story(self.federation, "dibao-couple")["members"][0]["id_no"].lower().replace("x", "0")
        bad = f"00-{number:0>32}-{self.SPAN}-01"
        for metadata in ((), (("traceparent", bad),), (("traceparent", bad[:-1]),), (("traceparent", "x" * 500),),
                         (("traceparent", f"00-{self.ID}-{self.SPAN}-01"),) * 2):
            self.assertTrue(self.collect(*metadata))
        self.assertEqual({name: len(self.lines(name, event)) for name, event in self.EVENTS}, before)
        for name in self.federation.processes:
            with open(self.federation.processes[name].log, encoding="utf-8") as file:
                self.assertNotIn(number, file.read())

    EVENTS = (("window", "collect_ended"), ("broker", "read_routed"), ("tax", "read_answered"))
