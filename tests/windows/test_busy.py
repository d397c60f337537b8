"""Windows that are told BUSY come again when they were told to, and not before. The agents are doubles: a real one is
busy when it likes. The window in Node has no agent, and a test of its own (examples/window-node/test)."""

import concurrent.futures
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [os.path.join(_ROOT, "tests", "interop")]

import grpc  # noqa: E402
from stubs import Contract  # noqa: E402

JAVA = os.environ.get("LIANBAN_JAVA", ".build/window-java")
WAIT_MS = 1500
SLACK_S = 1.5  # of a busy machine; a window that does not listen is back after 0.2 s
TEXTS = ("业务繁忙", "too much at once")
STEPS = ("OpenCase", "GetNotice", "RequestGrants", "CloseCase")
ANSWERS = {"OpenCase": {"case_id": "c-1"}, "GetNotice": {"text": "notice"}, "RequestGrants": {"tickets": []},
           "CloseCase": {}}


class Busy:
    """When a Collect came, and how many are to be told BUSY."""

    def __init__(self, refusals):
        self.refusals, self.came = refusals, []

    def refuses(self):
        self.came.append(time.monotonic())
        return len(self.came) <= self.refusals

    def pauses(self):
        return [later - earlier for earlier, later in zip(self.came, self.came[1:])]


class HttpAgent:
    """A double over HTTP."""

    def __init__(self, busy):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers["Content-Length"]))
                method = self.path.rpartition("/")[2]
                if method != "Collect":
                    return self.answer(200, ANSWERS[method])
                if busy.refuses():
                    return self.answer(429, {"code": "BUSY", "canonical": "RESOURCE_EXHAUSTED",
                                             "retry_after_ms": WAIT_MS, "text_zh": TEXTS[0], "text_en": TEXTS[1]})
                return self.answer(200, {"result": {"class_id": "FULL", "class_zh": "", "class_en": "", "reasons": [],
                                                    "missing": [], "receipts_checked": 3, "receipts_failed": 0}})

            def answer(self, status, content):
                body = json.dumps(content).encode() + b"\n"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class GrpcAgent:
    """A double over gRPC."""

    def __init__(self, busy):
        contract = Contract()

        def collect(_, context):
            if busy.refuses():
                detail = contract.new("ErrorDetail", code="BUSY", text_zh=TEXTS[0], text_en=TEXTS[1],
                                      retry_after_ms=WAIT_MS)
                status = contract.type("google.rpc.Status")(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
                status.details.add(type_url="type.googleapis.com/lianban.v1.ErrorDetail",
                                   value=detail.SerializeToString())
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY")
            result = contract.new("CaseResult", case_id="c-1", class_id="FULL", receipts_checked=3)
            yield contract.new("CaseEvent", result=result).SerializeToString()

        handlers = {"Collect": grpc.unary_stream_rpc_method_handler(collect)}
        for step in STEPS:
            answer = contract.new(step + "Response", **ANSWERS[step]).SerializeToString()
            handlers[step] = grpc.unary_unary_rpc_method_handler(lambda _, __, answer=answer: answer)
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("lianban.v1.Window", handlers),))
        self.address = "127.0.0.1:%d" % self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self):
        self._server.stop(None).wait()


LANGUAGES = {"python": (HttpAgent, ["python3", "examples/window-python/window.py"]),
             "java": (GrpcAgent, [os.path.join(JAVA, "window")])}


class Waits(unittest.TestCase):
    """Each language against an agent that says BUSY."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lianban-busy-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.secret, self.household = (os.path.join(self.folder, name) for name in ("local.key", "household.json"))
        with open(self.secret, "w", encoding="ascii") as file:
            file.write("00" * 32)
        os.chmod(self.secret, 0o600)
        with open(self.household, "w", encoding="utf-8") as file:
            json.dump({"members": [{"role": "applicant", "id_no": "1", "name": "n"}]}, file)

    def run_window(self, language, refusals, patience):
        double, command = LANGUAGES[language]
        busy = Busy(refusals)
        agent = double(busy)
        self.addCleanup(agent.stop)
        done = subprocess.run(
            [*command, "--agent", agent.address, "--secret", self.secret, "--wait", str(patience), self.household],
            cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False)
        return busy, done

    def test_it_waits_as_long_as_it_was_told(self):
        for language in LANGUAGES:
            with self.subTest(language):
                busy, done = self.run_window(language, 2, 60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["class"], "FULL")
                self.assertEqual(len(busy.came), 3)
                for pause in busy.pauses():
                    self.assertGreaterEqual(pause, WAIT_MS / 1000)
                    self.assertLess(pause, WAIT_MS / 1000 * 1.5 + SLACK_S)
                self.assertIn(TEXTS[0], done.stderr)  # who waits at the counter sees why

    def test_it_does_not_wait_for_ever(self):
        for language in LANGUAGES:
            with self.subTest(language):
                busy, done = self.run_window(language, 99, 0)
                self.assertEqual(done.returncode, 1)
                self.assertIn("BUSY", done.stderr)
                self.assertLessEqual(len(busy.came), 2)


if __name__ == "__main__":
    unittest.main()
