"""Changes everything there is to change in a running federation while cases go on: every kind of key, who is a
member, which forms there are, the version of every program. No case may fail, and none be done twice.

For `crash.py --changes` and, in short, for tests/e2e. The order of the steps is that of docs/OPERATIONS.md.
"""

import os
import shutil
import subprocess
import sys
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "..", "demo"), os.path.join(_HERE, "..", "interop")]

from aftermath import wrong_logs, wrong_uses  # noqa: E402
from brokers import BACK_SECONDS, edit, said  # noqa: E402
from guest import Guest  # noqa: E402
from load import Load  # noqa: E402
from material import SHARING  # noqa: E402
from processes import wait_until  # noqa: E402
from rotation import Rotation  # noqa: E402

FORM = "social-assistance"
SETTLED_SECONDS = 1.5  # nodes look once a second
SHARE_LEAD_SECONDS = 6
NOTICED_SECONDS = 15
ISSUERS = (("consent", "hall-2"), ("window", "office-2"))


class Changes:
    """A federation, which is not made yet when this begins: one department beside the ten is there from the
    start and will leave, another will come."""

    def __init__(self, federation):
        self.federation, self.material = federation, federation.material
        self.rotation = Rotation(federation)
        self.leaves = Guest(federation, "notary", "公证处", "Notary")
        self.comes = Guest(federation, "archives", "档案馆", "Archives")
        self.leaves.come()

    def mix(self, *guests):
        """Of every four cases one is the ten departments', the others the guests'; without any, all."""
        alone = [h for h in self.federation.households if len(h["members"]) <= 2]
        others = [(guest.form, guest.households()) for guest in guests]
        return [(FORM, alone)] + [others[i % len(others)] for i in range(3 if others else 0)]

    # --- keys ---

    def certificates(self):
        for name in self.federation.processes:
            self.rotation.certificate(name)

    def sealing_keys(self):
        names = [*self.material.views, "window"]
        for name in names:
            self.rotation.seal(name)
        self._publish()
        for name in self.material.views:
            self.rotation.retire_seal(name)
        self._publish()
        for name in self.material.views:
            first = self.federation.members[name].path("seal.key")
            wait_until(lambda file=first: not os.path.exists(file), NOTICED_SECONDS, f"the end of {first}")

    def share_keys(self):
        for name in SHARING:
            self.rotation.share(name, SHARE_LEAD_SECONDS)
        self._publish()
        time.sleep(SHARE_LEAD_SECONDS)

    def pseudonym_keys(self):
        for name in self.material.views:
            self.rotation.pseudonym(name, "2027")
        self._noticed(self.material.views, "pseudonym_key_changed")

    def officer_keys(self):
        names = list(self.federation.processes)
        for name in names:
            self.rotation.officer(name)
        self._noticed(names, "officer_key_changed")

    def issuers(self):
        for name, kid in ISSUERS:
            self.rotation.issuer(name, kid)
            self.rotation.use(name, kid)
        self._publish()
        self._noticed([name for name, _ in ISSUERS], "issuer_key_changed")

    def log_keys(self):
        names = list(self.federation.processes)
        for name in names:
            self.rotation.log_key(name)
        self._noticed(names, "log_key_added")
        self._publish()

    def directory_key(self):
        self.rotation.announce_signer()
        self._publish()
        self.rotation.sign_anew()
        self._publish()

    # --- members and forms ---

    def join(self):
        """The directory first, then the department itself; then whoever needs its form, windows last."""
        federation, guest = self.federation, self.comes
        guest.come()
        self.material.join(federation.members[guest.name])
        federation.add_process(federation.members[guest.name])
        self._publish()
        federation.processes[guest.name].start()
        wait_until(lambda: not federation.unlinked(), BACK_SECONDS, f"{guest.name}'s links")
        for name in (*federation.brokers, "consent", "window"):
            self._offer_forms(name)
            self.restart(name)

    def leave(self, load):
        """The windows first; when no case of its form is open, the others, and the directory last."""
        federation, guest = self.federation, self.leaves
        load.mix = self.mix(self.comes)
        wait_until(lambda: guest.form not in list(load.open.values()), BACK_SECONDS, "the last case of its form")
        guest.end_form()
        for name in ("window", "consent", *federation.brokers):
            self._offer_forms(name)
            self.restart(name)
        shutil.copy(self.material.directory, self._path("directory-before.note"))
        process = guest.go()
        self._publish()
        status, _ = process.stop()
        if status != 0:
            load.wrong.append(f"{guest.name} ended with {status}")

    def _offer_forms(self, name):
        member = self.federation.members[name]
        edit(member.config, **self.material.configuration_of_forms(member))

    # --- versions ---

    def install(self, binaries):
        """Whoever is started from now on is of these programs."""
        for process in self.federation.processes.values():
            process.program = os.path.join(binaries, os.path.basename(process.program))

    def upgrade(self):
        """Every node, one after the other: brokers, consent office, departments, windows."""
        for name in (*self.federation.brokers, "consent", *self.material.views, "window"):
            self.restart(name)

    def log_keys_in_place(self):
        """At this start the newer log key alone signs."""
        for name in self.federation.processes:
            if os.path.exists(self.federation.members[name].path("log-2.pem")):
                edit(self.federation.members[name].config, log_key="log-2.pem", next_log_key="log-3.pem")

    def restart(self, name):
        """Asks a node to stop, starts it again, and waits until it is linked and answers."""
        federation, process = self.federation, self.federation.processes[name]
        status, _ = process.stop()
        if status != 0:
            raise RuntimeError(f"{name} ended with {status}: {process.last_line()}")
        process.start()
        if federation.members[name].kind in ("adapter", "broker"):
            wait_until(lambda: federation.is_back(name), BACK_SECONDS, f"{name}, linked again")
        else:
            federation.wait_answering(name)

    def aftermath(self):
        """What is wrong in the logs of all, that of the department that has left with them; and how many answers of
        a department were given once more."""
        gone = None if self.leaves.name in self.federation.members else self.leaves.member
        wrong, most = wrong_logs(self.federation, gone, self._path("directory-before.note")), 0
        for name in self.material.views:
            more, again = wrong_uses(self.federation, name)
            wrong, most = wrong + more, max(most, again)
        return wrong, most

    def _path(self, name):
        return os.path.join(self.federation.root, name)

    # --- steps of both ---

    def _publish(self):
        self.rotation.publish()
        time.sleep(SETTLED_SECONDS)

    def _noticed(self, names, event):
        for name in names:
            wait_until(lambda n=name: said(self.federation, n, event) > 0, NOTICED_SECONDS, f"{event} of {name}")


def another_version(binaries, folder, old="0.1.0", new="0.1.1"):
    """The same programs under another version's name: nothing else in them differs. Returns the folder."""
    os.makedirs(folder)
    for name in os.listdir(binaries):
        if not name.startswith("lianban"):
            continue
        path = os.path.join(folder, name)
        shutil.copy(os.path.join(binaries, name), path)
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content.replace(old.encode() + b"\0", new.encode() + b"\0"))
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        if new not in told:
            raise RuntimeError(f"{name} still calls itself {told.splitlines()[0]}")
    return folder


def campaign(changes, rate, binaries, tell):
    """All of it against a federation that is up; returns the report."""
    federation, rotation_steps = changes.federation, (
        changes.certificates, changes.sealing_keys, changes.share_keys, changes.pseudonym_keys,
        changes.officer_keys, changes.issuers, changes.log_keys, changes.directory_key)
    newer = another_version(binaries, os.path.join(federation.root, "newer"))
    with Load(federation, rate, changes.mix(changes.leaves)) as load:
        def step(name, action, *arguments):
            load.phase = name
            if load.wrong:
                return
            try:
                action(*arguments)
                load.go_on(rate)
            except Exception as error:  # pylint: disable=broad-except
                load.wrong.append(f"{name}: {error!r}")
            tell(name, load)

        step("nothing", lambda: None)
        for action in rotation_steps:
            step(action.__name__, action)
        step("join", changes.join)
        load.mix = changes.mix(changes.leaves, changes.comes)
        step("leave", changes.leave, load)
        changes.log_keys_in_place()
        changes.install(newer)
        step("upgrade", changes.upgrade)
    wrong, reanswers = changes.aftermath()
    return {**load.report(), "wanted_rate": rate, "reanswers": reanswers, "wrong": load.wrong + wrong}


def tell_report(report):
    print(f"\n{report['started']} cases, {report['start_rate']} started a second (wanted: {report['wanted_rate']}); "
          f"all had ended after {report['seconds']} s, {report['rate']} a second; {report['right']} right, "
          f"{report['failed']} failed")
    for name, num in sorted(report["forms"].items()):
        print(f"  {num:5}  {name}")
    print(f"the slowest took {report['slowest_seconds']} s, during: {report['slowest_during']}")
    print(f"at most {report['reanswers']} answers of a department were given once more, none was a second use")
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")
