"""A node of a running federation loses its state, and comes back by the commands of docs/OPERATIONS.md alone, run as
they stand there."""

import os
import re
import shutil
import subprocess
import time

import fixture
from members import FEDERATION
from processes import wait_until

# The new log begins as if that had been a minute ago: else a test would wait out the minute for
# which grants are refused whose issuer's clock may have been ahead.
_EARLIER_S = 60
_HERE = os.path.dirname(os.path.abspath(__file__))


class Commands:
    """The section's blocks, and what they need to know of a federation."""

    def __init__(self, federation, folder):
        self.federation, self.material, self._folder = federation, federation.material, folder
        self._version = 1
        with open(os.path.join(fixture.ROOT, "docs", "OPERATIONS.md"), encoding="utf-8") as file:
            section = file.read().split("\n## Recovery\n")[1].split("\n## ")[0]
        self._blocks = dict(re.findall(r"```sh (\w+)\n(.*?)```", section, re.DOTALL))
        self.clock = os.path.join(folder, "clock.so")
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", self.clock,
                        os.path.join(_HERE, "late_clock.c")], check=True)

    def run(self, block, where, **variables):
        """One block, in a folder."""
        environment = {**os.environ, "PATH": fixture.BIN + ":" + os.environ["PATH"],
                       "DIRECTORY": self.material.directory, "SIGNER": self.material.directory_vkey, **variables}
        done = subprocess.run(["sh", "-e", "-c", self._blocks[block]], cwd=where, env=environment, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{block}: {done.returncode}: {done.stderr}{done.stdout}")

    def publish(self):
        """The directory's next version, which everybody who runs has read then."""
        self._version += 1
        self.material.publish_directory(self._version)
        running = [process for process in self.federation.processes.values() if process.is_running]
        wait_until(lambda: all(self._has_read(process) for process in running), 30, "the directory")

    def _has_read(self, process):
        with open(process.log, encoding="utf-8", errors="replace") as file:
            return re.search(rf'"directory_accepted".*"version":{self._version}\b', file.read()) is not None

    def officers(self, organization):
        return {name.upper(): f"spiffe://{FEDERATION}/officer/{organization}/{name}" for name in ("li", "wang")}

    def keys_of(self, organization):
        return os.path.join(self._folder, "officers-" + organization)

    def enrol(self, *organizations):
        """In quiet times: two officers each, with keys of their own, listed."""
        for organization in organizations:
            os.mkdir(self.keys_of(organization))
            self.run("officers", self.keys_of(organization), **self.officers(organization))
            for name, spiffe in self.officers(organization).items():
                self.material.officers.append(spiffe)
                self.material.logs[spiffe] = {
                    "log_key": os.path.join(self.keys_of(organization), name.lower() + ".vkey")}
        self.publish()


class Loss:
    """One node's way back. `peers` are the members that saw its log."""

    def __init__(self, commands, name, peers):
        self._commands, self._peers = commands, peers
        self._federation, self._material = commands.federation, commands.material
        self.member = self._federation.members[name]
        self._where = self.member.folder
        self._names = {"NODE": self.member.spiffe, "STATE": self.member.state,
                       **commands.officers(self.member.organization)}

    def _run(self, block, **variables):
        self._commands.run(block, self._where, **{**self._names, **variables})

    def destroy(self):
        self._federation.processes[self.member.name].kill()
        shutil.rmtree(self.member.state)
        os.mkdir(self.member.state, 0o700)

    def restore(self, backup):
        """All but the log, and what lay beside it."""
        self._run("restore", BACKUP=backup)

    def ask_peers(self):
        for peer in self._peers:
            self._run("seen", CONFIG=self._federation.members[peer].config, MEMBER=peer)

    def draft(self, kept=None):
        self._run("draft", SEEN=" ".join(f"--seen {peer}.seen" for peer in self._peers),
                  KEPT=f"--kept {kept}" if kept else "")

    def sign(self):
        for name in ("li.pem", "wang.pem"):
            shutil.copy(os.path.join(self._commands.keys_of(self.member.organization), name), self._where)
        self._run("sign")

    def begin(self):
        self._run("begin", LD_PRELOAD=self._commands.clock, LATE_CLOCK_SECONDS=str(-_EARLIER_S))

    def begin_killed(self, after_s):
        """Begins, and is killed on the way, or just behind it."""
        begun = subprocess.Popen(
            [os.path.join(fixture.BIN, "lianban"), "node", "recover", "begin", "--config", self.member.config,
             "--note", self.member.path("recovery.note")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "LD_PRELOAD": self._commands.clock, "LATE_CLOCK_SECONDS": str(-_EARLIER_S)})
        time.sleep(after_s)
        begun.kill()
        begun.wait()

    def begin_code(self):
        """What begin says that is refused."""
        return self._material.lianban("node", "recover", "begin", "--config", self.member.config, "--note",
                                      self.member.path("recovery.note"), may_fail=True)["error"]["code"]

    def publish(self):
        """Signed anew, confirmed by every member that remembers keys, and listed."""
        if self.member.kind == "adapter":
            self._run("keys", SEAL_ID="s1")
        for member in self._federation.members.values():
            if os.path.isdir(os.path.join(member.state, "trust")):
                self._run("accept", STATE=member.state)
        self._material.logs[self.member.name] = {"log_key": self.member.path("log-r1.vkey"),
                                                 "recovery": [self.member.path("recovery.note")]}
        self._commands.publish()

    def show(self):
        return self._material.lianban("node", "recover", "show", self.member.path("recovery.note"), "--directory",
                                      self._material.directory, "--signer", self._material.directory_vkey)

    def lost(self, **variables):
        """What the others know of the gap goes to lost.json."""
        self._run("lost", **variables)
        return self.member.path("lost.json")
