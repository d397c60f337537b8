#!/usr/bin/python3
"""Debian packages of the programs: build.py --bin FOLDER --out FOLDER

lianban is the command with forms, rule sets, manual pages and completion; lianban-adapter, -broker,
-consent and -window are a server each, with its account, its folders and its systemd units.
"""

import argparse
import datetime
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import pages

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
COMMAND = "lianban"
ROLES = {
    "adapter": ("department's adapter", "serves a department's consented, minimized views", """
 A department puts it in front of a database it does not change. It judges
 every sealed request by the department's own policy, releases field by field
 what that allows, and keeps evidence of every answer and refusal."""),
    "broker": ("broker", "relays sealed requests between windows and departments", """
 The federation's operator runs it. It can't read what it relays, and keeps
 evidence of every request and answer."""),
    "consent": ("consent office", "issues and withdraws citizens' grants", """
 A consent office runs it: it shows the notice, issues the grant, publishes
 who has withdrawn, and keeps the records."""),
    "window": ("window agent", "agent beside a one-stop window's own system", """
 A window's organization runs it: it seals, opens, checks receipts and judges
 by the form, for a window system in any language over a socket or HTTP on
 the loopback."""),
}
# Of a unit: what its role alone has.
SERVICE = {"window": "RuntimeDirectory=lianban\nRuntimeDirectoryMode=0755",
           "adapter": "RuntimeDirectory=lianban-adapter\nRuntimeDirectoryMode=0750"}
_MAINTAINER = "Lianban maintainers <maintainers@lianban.org>"
_COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Lianban

Files: *
Copyright: 2026 the Lianban authors
License: Apache-2.0
 On Debian systems the licence is in /usr/share/common-licenses/Apache-2.0.
"""


def version():
    with open(os.path.join(ROOT, "gateway", "mains", "version.h"), encoding="utf-8") as file:
        return re.search(r'LB_VERSION "([^"]+)"', file.read())[1]


def built_at():
    """Seconds: of the newest commit, so that the same sources make the same packages."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        done = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True,
                              check=False)
        told = done.stdout.strip() or int(os.path.getmtime(os.path.join(HERE, "build.py")))
    return int(told)


class Package:
    """The tree of one package while it is filled."""

    def __init__(self, name, folder):
        self.name, self.root = name, os.path.join(folder, name)
        self.conffiles, self.scripts = [], {}
        os.makedirs(self.root, mode=0o755)

    def path(self, name):
        full = os.path.join(self.root, name.lstrip("/"))
        os.makedirs(os.path.dirname(full), mode=0o755, exist_ok=True)
        return full

    def write(self, name, content, mode=0o644):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(self.path(name), mode)

    def copy(self, name, source, mode=0o644):
        with open(source, "rb") as file:
            self.write(name, file.read(), mode)

    def config(self, name, source):
        """A file that an upgrade never replaces once it was changed."""
        self.copy(name, source)
        self.conffiles.append(name)

    def program(self, name, source):
        """The program without its debugging symbols."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        subprocess.run(["strip", "--strip-unneeded", "--remove-section=.comment", "-o", self.path(name), source],
                       check=True)
        os.chmod(self.path(name), 0o755)


def template(name, role, **more):
    with open(os.path.join(HERE, "debian", name), encoding="utf-8") as file:
        text = file.read()
    for key, value in {"ROLE": role, "TITLE": ROLES[role][0], **more}.items():
        text = text.replace(f"@{key}@", value)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def units(role):
    """The service, and the one that begins its log, once: it refuses where there is a log, nothing
    starts it by itself, and starting the service ends it."""
    begun = f"ConditionPathExists=!/var/lib/lianban/{role}/state/evidence.db"
    triplet = subprocess.run(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"], capture_output=True, text=True,
                             check=True).stdout.strip()
    common = {"SERVICE": SERVICE.get(role, ""), "LIBRARIES": f"/usr/lib/{triplet}"}
    after_it = f"Conflicts=lianban-{role}-init.service\nAfter=lianban-{role}-init.service"
    service = template("service.in", role, UNIT=after_it, OPTIONS="", RESTART="on-failure",
                       INSTALL="\n[Install]\nWantedBy=multi-user.target", **common)
    first = template("service.in", role, UNIT=begun, OPTIONS=" --init",
                     RESTART="no", INSTALL="", **common)
    first = first.replace(f"Description=Lianban {ROLES[role][0]}",
                          f"Description=Lianban {ROLES[role][0]}, very first start", 1)
    return {f"lianban-{role}.service": service, f"lianban-{role}-init.service": first}


def fill_command(package, programs, date):
    program = os.path.join(programs, COMMAND)
    package.program("/usr/bin/lianban", program)
    pages.write_command_pages(program, package.path("/usr/share/man/x")[:-2], date)
    package.write("/usr/share/bash-completion/completions/lianban", pages.completion(program))
    for kind in ("forms", "rules", "review", "catalogue"):
        folder = os.path.join(ROOT, "policy", kind)
        for name in sorted(os.listdir(folder)):
            if name.endswith(".yaml"):
                package.copy(f"/usr/share/lianban/{kind}/{name}", os.path.join(folder, name))
    folder = os.path.join(HERE, "conformance")
    for name in sorted(os.listdir(folder)):
        package.copy(f"/usr/share/lianban/conformance/{name}", os.path.join(folder, name),
                     0o755 if name.endswith(".sh") else 0o644)
    for name in sorted(os.listdir(os.path.join(ROOT, "docs"))):
        package.copy(f"/usr/share/doc/lianban/{name}", os.path.join(ROOT, "docs", name))
    package.copy("/usr/share/doc/lianban/README.md", os.path.join(ROOT, "README.md"))


def fill_server(package, role, programs, date):
    program = os.path.join(programs, "lianban-" + role)
    samples, etc = os.path.join(HERE, "samples"), f"/etc/lianban/{role}/"
    package.program(f"/usr/sbin/lianban-{role}", program)
    pages.write_server_pages(role, program, os.path.join(samples, role + ".yaml"),
                             package.path("/usr/share/man/x")[:-2], date)
    package.config(etc + "node.yaml", os.path.join(samples, role + ".yaml"))
    if role == "adapter":
        package.config(etc + "policy.yaml", os.path.join(samples, "policy.yaml"))
        package.config(etc + "views/example.yaml", os.path.join(samples, "view.yaml"))
        package.config(etc + "rules/beijing-reference.yaml",
                       os.path.join(ROOT, "policy", "rules", "beijing-reference.yaml"))
    for name, text in units(role).items():
        package.write("/lib/systemd/system/" + name, text)
    package.write(f"/usr/lib/sysusers.d/lianban-{role}.conf", template("sysusers.in", role))
    for script in ("postinst", "prerm", "postrm"):
        package.scripts[script] = template(script + ".in", role)


def add_documents(package, date):
    """What every package has beside what it is for."""
    stamp = datetime.datetime.fromtimestamp(date, datetime.timezone.utc)
    changes = (f"{COMMAND} ({version()}) unstable; urgency=medium\n\n"
               f"  * See /usr/share/doc/lianban/ and the project's CHANGELOG.md.\n\n"
               f" -- {_MAINTAINER}  {stamp.strftime('%a, %d %b %Y %H:%M:%S +0000')}\n")
    folder = f"/usr/share/doc/{package.name}/"
    package.write(folder + "copyright", _COPYRIGHT)
    package.write(folder + "changelog.gz", gzip.compress(changes.encode(), 9, mtime=0))


def depends_of(package, folder):
    """The libraries' packages, as dpkg-shlibdeps finds them, and what the scripts call."""
    work = os.path.join(folder, "shlibdeps", package.name)
    os.makedirs(os.path.join(work, "debian"))
    with open(os.path.join(work, "debian", "control"), "w", encoding="utf-8") as file:
        file.write("Source: lianban\n\nPackage: x\nArchitecture: any\n")
    binaries = [os.path.join(package.root, place, name) for place in ("usr/bin", "usr/sbin")
                for name in (os.listdir(os.path.join(package.root, place))
                             if os.path.isdir(os.path.join(package.root, place)) else ())]
    done = subprocess.run(["dpkg-shlibdeps", "-O", *(f"-e{path}" for path in binaries)], cwd=work, check=True,
                          capture_output=True, text=True)
    found = done.stdout.strip().split("shlibs:Depends=", 1)[1]
    if package.name != COMMAND:
        found += f", {COMMAND} (= {version()}), systemd | systemd-standalone-sysusers"
    return found


def write_control(package, folder, architecture):
    if package.name == COMMAND:
        short, text = "command of Lianban, forms filled from many departments", """
 One command for everybody in a federation: keys, certificates, directory,
 applications and cases, the consent desk, evidence, checks of policies and
 forms. With its forms, rule sets, manual pages and documentation."""
    else:
        _, short, text = ROLES[package.name.split("-", 1)[1]]
    size = sum(os.path.getsize(os.path.join(base, name)) for base, _, names in os.walk(package.root)
               for name in names)
    control = (f"Package: {package.name}\nSource: lianban\nVersion: {version()}\nArchitecture: {architecture}\n"
               f"Maintainer: {_MAINTAINER}\nInstalled-Size: {size // 1024 + 1}\n"
               f"Depends: {depends_of(package, folder)}\nSection: net\nPriority: optional\n"
               f"Description: {short}{text}\n")
    sums = []
    for base, _, names in sorted(os.walk(package.root)):
        for name in sorted(names):
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                digest = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
            sums.append(f"{digest}  {os.path.relpath(path, package.root)}\n")
    package.write("/DEBIAN/control", control)
    package.write("/DEBIAN/md5sums", "".join(sums))
    if package.conffiles:
        package.write("/DEBIAN/conffiles", "".join(name + "\n" for name in package.conffiles))
    for name, text in package.scripts.items():
        package.write("/DEBIAN/" + name, text, 0o755)


def finish(package, folder, architecture, date, out):
    add_documents(package, date)
    write_control(package, folder, architecture)
    for base, folders, names in os.walk(package.root):
        for name in folders + names:
            os.utime(os.path.join(base, name), (date, date))
        os.chmod(base, 0o755)
    target = os.path.join(out, f"{package.name}_{version()}_{architecture}.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", package.root, target], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(date)})
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="where the programs are")
    parser.add_argument("--out", required=True, help="where the packages go; what was there is removed")
    given = parser.parse_args()
    os.umask(0o022)
    shutil.rmtree(given.out, ignore_errors=True)
    os.makedirs(given.out)
    date = built_at()
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                                  check=True).stdout.strip()
    page_date = datetime.datetime.fromtimestamp(date, datetime.timezone.utc).strftime("%Y-%m-%d")
    with tempfile.TemporaryDirectory(prefix="lianban-packages-") as folder:
        packages = [Package(COMMAND, folder)] + [Package("lianban-" + role, folder) for role in ROLES]
        fill_command(packages[0], given.bin, page_date)
        for package, role in zip(packages[1:], ROLES):
            fill_server(package, role, given.bin, page_date)
        for package in packages:
            print(finish(package, folder, architecture, date, given.out))


if __name__ == "__main__":
    main()
