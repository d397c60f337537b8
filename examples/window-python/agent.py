"""The window agent's HTTP+JSON interface, with nothing but Python's standard library.

    agent = Agent("127.0.0.1:7412", "/etc/lianban/local.key")
    case = agent.call("OpenCase", {"form": "social-assistance", "members": [...], ...})
    for event in agent.events("Collect", case):
        ...

docs/INTEGRATION.md describes every method. Identity numbers travel in bodies only, never in an address.
"""

import http.client
import json
import os

SERVICE = "/lianban.v1.Window/"
CALL_SECONDS = 40       # the agent itself asks the consent office
SILENCE_SECONDS = 60    # a stream shows a sign of life every 10 s


class Refused(Exception):
    """The agent refused a call. `code` is what a program acts on, the texts are for people; after `wait_seconds`
    another try is worth it, if that was said."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['text_en']}")
        self.code, self.canonical = error["code"], error["canonical"]
        self.text_zh, self.text_en = error["text_zh"], error["text_en"]
        self.wait_seconds = error.get("retry_after_ms", 0) / 1000


class Unreachable(Exception):
    """The agent did not answer, or not as it should: is it running, is the address right?"""


class Agent:
    """One window agent. Calls may come from several threads; each has a connection of its own."""

    def __init__(self, address, secret_file):
        self._address, self._secret = address, _read_secret(secret_file)

    def call(self, method, request):
        """A method with one answer; raises Refused or Unreachable."""
        with self._post(method, request, CALL_SECONDS) as response:
            return _object(response.read())

    def events(self, method, request):
        """Collect or Watch: yields {"fact": ...} and {"result": ...} as they come."""
        with self._post(method, request, SILENCE_SECONDS) as response:
            for line in _lines(response):
                event = _object(line)
                if "error" in event:
                    raise Refused(event["error"])
                yield event

    def _post(self, method, request, seconds):
        connection = http.client.HTTPConnection(self._address, timeout=seconds)
        headers = {"Authorization": "Bearer " + self._secret, "Content-Type": "application/json"}
        try:
            connection.request("POST", SERVICE + method, json.dumps(request).encode(), headers)
            response = connection.getresponse()
            if response.status == 200:
                return response
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self._address}: {error}") from None
        error = _object(answer)
        if "code" not in error:
            raise Unreachable(f"{self._address} answered {response.status}; is it the agent?")
        raise Refused(error)


def _read_secret(path):
    """The file must be the window system's alone: who can read it can ask as this window."""
    with open(path, encoding="ascii") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise PermissionError(f"{path} is open to others; chmod 600 it")
        return file.read().strip()


def _lines(response):
    """The lines of a stream; empty ones only show that the agent is alive."""
    try:
        for line in response:
            if line.strip():
                yield line
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"the stream broke off: {error}") from None


def _object(text):
    try:
        return json.loads(text)
    except ValueError:
        raise Unreachable("the answer is not JSON; is it the agent?") from None
