"""Nothing of any person is at the broker, on its disk or in its memory (acceptance 2)."""

import os
import signal
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
import material  # noqa: E402
from blind import identities, released  # noqa: E402
from cases import find_story  # noqa: E402
from images import image  # noqa: E402
from search import find, needles  # noqa: E402

HELD_BACK = "finance"
TRIES = 3


def setUpModule():
    global federation, wanted, images  # pylint: disable=global-statement
    images = fixture.folder()
    unittest.addModuleCleanup(setattr, material, "DEADLINE_MS", material.DEADLINE_MS)
    material.DEADLINE_MS = 60000  # the images take their time
    federation = fixture.running(200)
    wanted = needles(identities(os.path.join(federation.root, "departments")) |
                     released(federation.people))


def memory_of(name, label):
    """A running program's memory, in a file."""
    try:
        return image(federation.processes[name], os.path.join(images, f"{name}-{label}"))
    except PermissionError as error:
        raise unittest.SkipTest("nobody may look at another process here") from error


def found(*places):
    return {text for _, _, text in find(wanted, *places, limit=None)}


class Searching(unittest.TestCase):
    """The search itself can find: the departments' files and the agent's memory are full of people."""

    def test_the_departments_have_them(self):
        for name in ("tax", "public-security"):
            self.assertTrue(found(os.path.join(federation.root, "departments", name + ".db")))


class Memory(unittest.TestCase):
    def setUp(self):
        self.before = memory_of("broker", "before")
        self.members = find_story(federation, "dibao-twelve")["members"]

    def try_mid_case(self):
        """Images of broker and agent while one department is held back and the others have answered, the
        outcome, and whether the case was over before the images were taken."""
        case_id = federation.window.open(self.members)
        federation.window.agree(case_id, self.members)
        adapter, answered, done = federation.processes[HELD_BACK], threading.Event(), []
        adapter.signal(signal.SIGSTOP)
        try:
            thread = threading.Thread(target=lambda: done.append(
                federation.window.collect(case_id, lambda _: answered.set())))
            thread.start()
            self.assertTrue(answered.wait(60), "no department has answered")
            with ThreadPoolExecutor() as pool:  # at once, before the link of who is held back is given up
                pictures = list(pool.map(memory_of, ("broker", "window"), ("during", "during")))
            over = len(done) > 0
        finally:
            adapter.signal(signal.SIGCONT)
        thread.join()
        return (*pictures, done[0], over)

    def in_mid_case(self):
        """On a busy machine an image may take longer than the link of who is held back lasts."""
        for _ in range(TRIES):
            broker, window, outcome, over = self.try_mid_case()
            if not over:
                return broker, window, outcome
        self.fail("the case was over before the image was taken, each time")
        return None

    def test_the_broker_in_mid_case(self):
        broker, window, outcome = self.in_mid_case()
        self.assertEqual(found(broker) - found(self.before), set())
        own = {member["id_no"] for member in self.members}
        self.assertTrue(own & found(window), "not even the agent has them: the search is blind")
        self.assertEqual(outcome.class_id, "DIBAO")


class Files(unittest.TestCase):
    def test_everything_the_broker_wrote(self):
        for household in federation.households[:42]:
            federation.window.apply(household["members"])
        self.assertEqual(found(federation.members["broker"].folder), set())

    def test_nothing_in_any_operators_log(self):
        logs = [process.log for process in federation.processes.values()]
        self.assertEqual(found(*logs), set())


if __name__ == "__main__":
    unittest.main()
