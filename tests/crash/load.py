"""A window hall under load: so many cases a second, each from the counter to its class, whatever happens to
the programs meanwhile. What is asked of a program that is being started anew is asked again, as any window
system has to (docs/INTEGRATION.md).

For `crash.py --brokers` and `--changes`, and for tests/e2e.
"""

import collections
import dataclasses
import itertools
import queue
import threading
import time

from stubs import Refused

AGAIN_SECONDS = 20
_PAUSE_SECONDS = 0.1


def again(call, *arguments):
    """A call to the agent or the office; asked again for a while when nobody is there."""
    until = time.monotonic() + AGAIN_SECONDS
    while True:
        try:
            return call(*arguments)
        except Refused as refused:
            if refused.canonical not in ("UNAVAILABLE", "CANCELLED") or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_SECONDS)


@dataclasses.dataclass
class Case:
    """One household's case, agreed to and ready to be collected."""

    id: str
    expected: str


def opened(federation, household, form="social-assistance"):
    """A case whose members have all agreed."""
    window, members = federation.window, household["members"]
    case_id = again(window.open, members, form)
    tickets = [(ticket.member, ticket.request_id) for ticket in again(window.ask, case_id)]
    again(window.confirm, case_id, members, tickets)
    return Case(case_id, household["class"])


def collected(federation, case):
    """Collects a case and closes it; returns the outcome and what is wrong with it, in sentences."""
    outcome = again(federation.window.collect, case.id)
    result, wrong = outcome.result, []
    if outcome.class_id != case.expected:
        missing = {f"{fact.department} {fact.state} {fact.code}" for fact in result.missing}
        wrong.append(f"{case.id}: {outcome.class_id}, expected {case.expected}; {sorted(missing)}")
    if result.receipts_failed:
        wrong.append(f"{case.id}: {result.receipts_failed} receipts do not hold")
    try:
        again(federation.window.discard, case.id)
    except Refused as refused:
        if refused.code != "CASE_UNKNOWN":  # the answer to the first attempt was lost
            raise
    return outcome, wrong


class Load:
    """Starts `rate` cases a second, of the forms that `mix` names in turn, until told to stop. `mix` is a list
    of (form, households), and may be replaced while cases run."""

    def __init__(self, federation, rate, mix, workers=48):
        self._federation, self._rate, self.mix = federation, rate, mix
        self._jobs, self._over = queue.Queue(), threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(workers)]
        self._threads.append(threading.Thread(target=self._start_cases))
        self._lock = threading.Lock()
        self.started, self.ended, self.right = 0, collections.Counter(), 0
        self.wrong, self.seconds, self.slowest = [], 0.0, (0.0, "")
        self.starting_seconds = 0.0
        self.phase = ""
        self.open = {}           # the form of each case that has been started and has not ended

    def __enter__(self):
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.starting_seconds = time.monotonic() - self._began
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self._began

    @property
    def behind(self):
        """Cases that were to be started and still wait for a hand."""
        return self._jobs.qsize()

    def go_on(self, cases, seconds=60):
        """Waits for so many cases to be started and ended from now on."""
        least, until = self.started + cases, time.monotonic() + seconds
        while self.right + len(self.wrong) < least and not self.wrong:
            if time.monotonic() > until:
                raise TimeoutError(f"{cases} cases did not end within {seconds} s")
            time.sleep(0.05)

    def report(self):
        return {"started": self.started, "right": self.right, "failed": len(self.wrong),
                "forms": dict(self.ended), "seconds": round(self.seconds, 1),
                "start_rate": round(self.started / self.starting_seconds, 1) if self.seconds else 0,
                "rate": round(self.right / self.seconds, 1) if self.seconds else 0,
                "slowest_seconds": round(self.slowest[0], 2), "slowest_during": self.slowest[1],
                "wrong": self.wrong[:20]}

    def _start_cases(self):
        numbers = itertools.count()
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            number = next(numbers)
            mix = self.mix
            form, households = mix[number % len(mix)]
            self.open[number] = form
            self._jobs.put((number, form, households[number // len(mix) % len(households)]))
            self.started += 1
            due += 1 / self._rate
        for _ in self._threads[1:]:
            self._jobs.put(None)

    def _work(self):
        while (job := self._jobs.get()) is not None:
            (number, form, household), began, phase = job, time.monotonic(), self.phase
            try:
                _, wrong = collected(self._federation, opened(self._federation, household, form))
            except Exception as error:  # pylint: disable=broad-except
                wrong = [f"{form}: {error!r}"]
            took = time.monotonic() - began
            with self._lock:
                self.wrong += [f"{phase}: {sentence}" for sentence in wrong]
                self.right += 0 if wrong else 1
                self.ended[form] += 1
                del self.open[number]
                self.slowest = max(self.slowest, (took, phase))
