"""The Debian packages: what is in them, and what becomes of them in a clean root with its own systemd.

LIANBAN_PACKAGES names the folder of the packages, LIANBAN_BIN that of the programs.
"""

import datetime
import glob
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE] + [os.path.join(ROOT, *path) for path in (
    ("packaging",), ("demo",), ("tests", "interop"))]

import pages  # noqa: E402
from clean_root import CleanRoot, Unbootable  # noqa: E402
from federation import Federation  # noqa: E402

BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
PACKAGES = os.environ.get("LIANBAN_PACKAGES", os.path.join(ROOT, ".build", "packages"))
ROLES = ("adapter", "broker", "consent", "window")
# Which member of the demo stands for a role, and where the samples would listen.
MEMBERS = {"adapter": "tax", "broker": "broker", "consent": "consent", "window": "window"}
SAMPLE_PORTS = {"adapter": "127.0.0.1:7443", "broker": "127.0.0.1:7440", "consent": "127.0.0.1:7441"}
# Of 10: less is tighter.
EXPOSURE = 1.5
WATCHDOG_SECONDS = 10
_LOGGED = "[Service]\nStandardError=append:/run/%N.err\n"  # there is no journal


def package(name):
    found, = glob.glob(os.path.join(PACKAGES, name + "_*.deb"))
    return found


class Contents(unittest.TestCase):
    """What the packages hold, without installing them."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="lianban-packages-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        for name in ("lianban", *("lianban-" + role for role in ROLES)):
            subprocess.run(["dpkg-deb", "-x", package(name), os.path.join(cls.folder, name)], check=True)
        cls.units = sorted(glob.glob(os.path.join(cls.folder, "*", "lib", "systemd", "system", "*.service")))

    def page(self, owner, name):
        path = os.path.join(self.folder, owner, "usr", "share", "man", "man" + name[-1], name + ".gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read().replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")

    def test_units_are_understood_and_tight(self):
        self.assertEqual(len(self.units), 2 * len(ROLES))
        for unit in self.units:
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes",
                                   f"--threshold={int(EXPOSURE * 10)}", "--no-pager", unit],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(unit, encoding="utf-8") as file:
                for line in ("Type=notify", "WatchdogSec=60", "LimitCORE=0", "CapabilityBoundingSet=",
                             "MemoryDenyWriteExecute=yes", "ProtectSystem=strict"):
                    self.assertIn("\n" + line + "\n", "\n" + file.read().replace("\r", "") + "\n")
                    file.seek(0)

    def test_every_option_is_in_the_manual(self):
        pages_seen = 0
        for command in pages.commands_of(os.path.join(BIN, "lianban")):
            page = self.page("lianban", f"lianban-{command.name}.1")
            for word, text in command.words.items():
                for line in text.splitlines():
                    self.assertIn(line, page, f"lianban {command.name} {word}")
                pages_seen += 1
        self.assertGreater(pages_seen, 40)
        for role in ROLES:
            text = subprocess.run([os.path.join(BIN, "lianban-" + role), "--help"], capture_output=True, text=True,
                                  check=True).stdout
            manual = (self.page("lianban-" + role, f"lianban-{role}.8")
                      + self.page("lianban-" + role, f"lianban-{role}.yaml.5"))
            self.assertEqual({"--config", "--init", "--check", "--version", "--help"}, set(pages.options_of(text)))
            for line in re.findall(r"^  \S.*$", text, re.MULTILINE):
                self.assertIn(line, manual)

    def test_completion_knows_commands_words_and_options(self):
        script = os.path.join(self.folder, "lianban", "usr", "share", "bash-completion", "completions", "lianban")

        def complete(*words):
            done = subprocess.run(
                ["bash", "-c", f'. {script}; shift 0; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lianban; '
                 'printf "%s\\n" "${COMPREPLY[@]}"', "-", *words], capture_output=True, text=True, check=True)
            return done.stdout.split()

        self.assertEqual(complete("lianban", "direc"), ["directory"])
        self.assertIn("log", complete("lianban", ""))
        self.assertEqual(complete("lianban", "log", "verif"), ["verify"])
        self.assertIn("--directory", complete("lianban", "log", "verify", "--d"))
        self.assertIn("--agent", complete("lianban", "apply", "--"))

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_finds_nothing(self):
        done = subprocess.run(["lintian", "--allow-root", *glob.glob(os.path.join(PACKAGES, "*.deb"))],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout.strip(), "", done.stderr)


@unittest.skipUnless(os.geteuid() == 0, "a root of our own takes root")
class Installed(unittest.TestCase):
    """In a clean root, under its own systemd; the tests go by their names' order."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.root = CleanRoot()
        except Unbootable as why:
            raise unittest.SkipTest(f"systemd can't run in namespaces here: {why}") from why
        cls.addClassCleanup(cls.root.stop)
        folder = tempfile.mkdtemp(prefix="lianban-federation-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.federation = Federation(folder, BIN)
        cls.federation.populate(1, 20, datetime.date.today())
        cls.federation.make()
        os.makedirs(cls.root.path("/packages"))
        for path in glob.glob(os.path.join(PACKAGES, "*.deb")):
            shutil.copy(path, cls.root.path("/packages"))
        cls.said = cls.root.run("dpkg", "--install", *[f"/packages/{os.path.basename(path)}" for path in
                                                       sorted(glob.glob(os.path.join(PACKAGES, "*.deb")))])

    def test_a_accounts_and_folders(self):
        passwd = self.root.read("/etc/passwd")
        for role in ROLES:
            self.assertRegex(passwd, f"(?m)^lianban-{role}:.*:/usr/sbin/nologin$")
            listed = self.root.run("stat", "-c", "%U:%G %a", f"/var/lib/lianban/{role}", f"/etc/lianban/{role}")
            self.assertEqual(listed.split("\n")[:2], [f"lianban-{role}:lianban-{role} 700",
                                                      f"root:lianban-{role} 750"])
            self.assertIn(f"/etc/lianban/{role}/node.yaml",
                          self.root.run("dpkg-query", "-W", "-f", "${Conffiles}", f"lianban-{role}"))

    def test_b_units_verify(self):
        units = [f"lianban-{role}{kind}.service" for role in ROLES for kind in ("", "-init")]
        self.assertEqual(self.root.run("systemd-analyze", "verify", "--man=no", *units).strip(), "")

    def test_c_unconfigured_services_do_not_start(self):
        self.root.run("systemctl", "start", "lianban-adapter.service")
        self.assertEqual(self.root.show("lianban-adapter.service", "ActiveState"), "inactive")
        self.assertEqual(self.root.show("lianban-adapter.service", "ConditionResult"), "no")

    def test_d_samples_pass_the_check(self):
        self._configure()
        for role in ROLES:
            said = self.root.run("setpriv", f"--reuid=lianban-{role}", f"--regid=lianban-{role}",
                                 "--clear-groups", "--", f"/usr/sbin/lianban-{role}", "--config",
                                 f"/etc/lianban/{role}/node.yaml", "--check")
            self.assertIn("configuration is valid", said)

    def test_e_first_start_then_service(self):
        for role in ROLES:
            first, unit = f"lianban-{role}-init.service", f"lianban-{role}.service"
            self.root.run("systemctl", "start", unit, check=False)  # there is no log yet
            self.assertNotEqual(self.root.show(unit, "ActiveState"), "active")
            self.root.run("systemctl", "stop", unit)
            self._start(first)  # returns with READY=1 only
            self.assertEqual(self.root.show(first, "StatusText"), "serving")
            self.root.run("systemctl", "enable", unit)
            self._start(unit)
            self.assertEqual(self.root.show(unit, "ActiveState"), "active")
            self.assertEqual(self.root.show(unit, "StatusText"), "serving")
            self.assertEqual(self.root.show(first, "ActiveState"), "inactive")
            self.assertEqual(self.root.show(first, "Result"), "success")

    def test_f_a_log_is_begun_once(self):
        self.root.run("systemctl", "stop", "lianban-broker.service")
        self.root.run("systemctl", "start", "lianban-broker-init.service")
        self.assertEqual(self.root.show("lianban-broker-init.service", "ActiveState"), "inactive")
        self.root.run("systemctl", "start", "lianban-broker.service")
        self.assertEqual(self.root.show("lianban-broker.service", "ActiveState"), "active")

    def test_g_services_are_confined(self):
        shutil.copy(os.path.join(HERE, "probe.py"), self.root.path("/usr/lib/probe.py"))
        self.root.write("/tmp/of-somebody-else", "x")
        for home in ("/home", "/root"):
            self.root.write(home + "/file", "x")
        unit = self.root.read("/lib/systemd/system/lianban-adapter.service")
        unit = unit.replace("Type=notify", "Type=oneshot").replace("WatchdogSec=60", "")
        unit = re.sub("Restart=.*|Conflicts=.*|WantedBy=.*", "", unit)
        unit = re.sub("ExecStart=.*", "ExecStart=/usr/bin/python3 /usr/lib/probe.py /var/lib/lianban/adapter\n"
                      "StandardOutput=file:/run/probe.json\nStandardError=file:/run/probe.err", unit)
        # The program is another, so that one may be run, with its modules; no shell, though.
        python = f"/usr/bin/python3 {os.path.realpath('/usr/bin/python3')} {os.path.dirname(os.__file__)}"
        unit = unit.replace("ExecPaths=/usr/sbin/lianban-adapter", "ExecPaths=" + python)
        self.root.write("/run/systemd/system/probe.service", unit)
        self.root.run("systemctl", "daemon-reload")
        self.root.run("systemctl", "start", "probe.service", check=False)
        text = self.root.read("/run/probe.json")
        self.assertTrue(text, self.root.read("/run/probe.err"))
        found = json.loads(text)
        refusals = {"EPERM", "EACCES", "EROFS", "ENOENT", "EAFNOSUPPORT", "ENOSYS"}
        for name, outcome in found["forbidden"].items():
            with self.subTest(name):
                self.assertIn(outcome, {"EPERM"} if name.startswith("call ") else refusals)
        self.assertEqual(set(found["allowed"].values()), {"done"}, found["allowed"])
        self.assertGreater(len(found["forbidden"]), 40)
        status = found["status"]
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)

    def test_h_the_programs_themselves_are_confined(self):
        for role in ROLES:
            pid = self.root.show(f"lianban-{role}.service", "MainPID")
            status = self.root.read(f"/proc/{pid}/status")
            for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"):
                self.assertIn(line, status)
            self.assertRegex(self.root.read(f"/proc/{pid}/limits"), r"Max core file size +0 +0 ")
            owner = os.stat(self.root.path(f"/var/lib/lianban/{role}/state/evidence.db"))
            self.assertEqual(owner.st_mode & 0o777, 0o600)
            self.assertNotEqual(owner.st_uid, 0)

    def test_i_conformance(self):
        """The service's own unit, with a rehearsal's configuration in place of the sample's."""
        state, etc = "/var/lib/lianban/adapter/", "/etc/lianban/rehearsal"
        self.root.run("env", "RULES=/etc/lianban/adapter/rules/beijing-reference.yaml", "sh",
                      "/usr/share/lianban/conformance/prepare.sh", etc, "tax", "127.0.0.1:7999",
                      "{plugin: sqlite, location: " + state + "department.db}")
        config = self.root.read(etc + "/adapter/node.yaml")
        self.root.write(etc + "/adapter/node.yaml", config.replace("state: state", f"state: {state}rehearsal"))
        self.root.run("chown", "-R", "lianban-adapter:", etc)
        unit = self.root.read("/lib/systemd/system/lianban-adapter-init.service")
        unit = unit.replace("/etc/lianban/adapter/node.yaml", etc + "/adapter/node.yaml")
        self.root.write("/run/systemd/system/rehearsal.service",
                        unit.replace(state + "state/evidence.db", state + "rehearsal/evidence.db")
                        + _LOGGED.split("\n")[1] + "\n")
        self.root.run("systemctl", "daemon-reload")
        self._start("rehearsal.service")
        said = self.root.run("setpriv", "--reuid=lianban-adapter", "--regid=lianban-adapter", "--clear-groups", "--",
                             "lianban", "conformance", "127.0.0.1:7999", "--kit", etc, "--json")
        self.root.run("systemctl", "stop", "rehearsal.service")
        found = json.loads(said)
        self.assertEqual((found["failed"], found["passed"] > 100), (0, True))

    def test_j_an_upgrade_keeps_keys_evidence_and_changes(self):
        kept = ["/etc/lianban/adapter/" + name for name in ("node.yaml", "key.pem", "log.pem", "seal.key")]
        before = [self.root.read(path) for path in kept]
        entries = self._entries()
        pid = self.root.show("lianban-adapter.service", "MainPID")
        self.root.run("dpkg", "--install", "/packages/" + os.path.basename(package("lianban-adapter")))
        self.assertEqual([self.root.read(path) for path in kept], before)
        self.assertEqual(self.root.show("lianban-adapter.service", "ActiveState"), "active")
        self.assertNotEqual(self.root.show("lianban-adapter.service", "MainPID"), pid)
        after = self._entries()
        self.assertEqual(after[:len(entries)], entries)
        # The sample's policy names no broker, so that ours is refused meanwhile.
        self.assertIn("STOPPED", [entry["code"] for entry in after[len(entries):]])

    def test_k_what_hangs_is_started_anew(self):
        unit = "lianban-adapter.service"
        self.root.write(f"/run/systemd/system/{unit}.d/quick.conf",
                        f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\nRestartSec=0\n")
        self.root.run("systemctl", "daemon-reload")
        self.root.run("systemctl", "restart", unit)
        time.sleep(1.5 * WATCHDOG_SECONDS)
        self.assertEqual(self.root.show(unit, "NRestarts"), "0")  # it has been fed
        pid = self.root.show(unit, "MainPID")
        self.root.run("kill", "-STOP", pid)
        end = time.monotonic() + 60
        while self.root.show(unit, "NRestarts") == "0" or self.root.show(unit, "ActiveState") != "active":
            self.assertLess(time.monotonic(), end, "nobody noticed")
            time.sleep(0.2)
        self.assertNotEqual(self.root.show(unit, "MainPID"), pid)

    def test_l_a_purge_keeps_keys_and_evidence(self):
        self.root.run("dpkg", "--purge", "lianban-adapter")
        self.assertFalse(os.path.exists(self.root.path("/usr/sbin/lianban-adapter")))
        self.assertFalse(os.path.exists(self.root.path("/etc/lianban/adapter/node.yaml")))
        wanted = "/etc/systemd/system/multi-user.target.wants/lianban-adapter.service"
        self.assertFalse(os.path.lexists(self.root.path(wanted)))
        for path in ("/etc/lianban/adapter/log.pem", "/var/lib/lianban/adapter/state/evidence.db"):
            self.assertTrue(os.path.exists(self.root.path(path)), path)

    # --- helpers ---

    def _configure(self):
        """What an administrator does: copies keys and certificates, and puts names into the samples."""
        endpoints = self.federation.endpoints()
        for name in ("crl", "directory"):
            shutil.copy(endpoints[name], self.root.path("/etc/lianban/" + os.path.basename(endpoints[name])))
        for role in ROLES:
            member = self.federation.members[MEMBERS[role]]
            for name in os.listdir(member.folder):
                path = os.path.join(member.folder, name)
                if name.endswith((".pem", ".key", ".pub")):
                    shutil.copy(path, self.root.path(f"/etc/lianban/{role}/{name}"))
            for name in ("seal", "pseudonyms", "issuer"):
                os.makedirs(self.root.path(f"/etc/lianban/{role}/{name}"), mode=0o700, exist_ok=True)
            config = f"/etc/lianban/{role}/node.yaml"
            text = self.root.read(config).replace("SIGNER", endpoints["directory_vkey"])
            text = text.replace("county.example", "demo.lianban")
            if role in SAMPLE_PORTS:
                text = text.replace(SAMPLE_PORTS[role], member.address)
            self.root.write(config, text)
            owned = [path for path in os.listdir(self.root.path(f"/etc/lianban/{role}"))
                     if path.endswith((".pem", ".key", ".pub")) or path in ("seal", "pseudonyms", "issuer")]
            self.root.run("chown", f"lianban-{role}:", *[f"/etc/lianban/{role}/{name}" for name in owned])
            self.root.write(f"/run/systemd/system/lianban-{role}.service.d/log.conf", _LOGGED)
            self.root.write(f"/run/systemd/system/lianban-{role}-init.service.d/log.conf", _LOGGED)
        database = self.root.path("/var/lib/lianban/adapter/department.db")
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "department.db")
            connection = sqlite3.connect(made)
            connection.execute("CREATE TABLE person (id_no TEXT PRIMARY KEY)")
            connection.commit()
            connection.close()
            shutil.copy(made, database)
        self.root.run("chown", "lianban-adapter:", "/var/lib/lianban/adapter/department.db")
        shutil.copytree(self.federation.members["window"].path("operators"),
                        self.root.path("/var/lib/lianban/window/operators"))
        self.root.run("chown", "-R", "lianban-window:", "/var/lib/lianban/window/operators")
        self.root.run("systemctl", "daemon-reload")

    def _start(self, unit):
        self.root.run("systemctl", "start", unit, check=False)
        if self.root.show(unit, "ActiveState") != "active":
            self.fail(self.root.read(f"/run/{unit.split('.')[0]}.err"))

    def _entries(self):
        said = self.root.run("lianban", "log", "list", "/var/lib/lianban/adapter/state", "--json")
        return json.loads(said)["entries"]


if __name__ == "__main__":
    unittest.main()
