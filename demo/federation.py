"""A whole federation under one folder: made, started, stopped. For the demo and for the tests.

    departments/<id>.db    the ten databases        broker/ consent/ window/ adapters/<id>/   the nodes
    pki/                   CA, directory, officers  endpoints.json   addresses and certificate paths
    audit/                 an audit office's node, where the members witness each other
"""

import json
import os
import shutil
import tempfile

import grpc

import departments
import population
import truth
from desk import Desk
from material import Material
from members import DIALS_OUT, members_of, num_ports
from processes import Process, free_ports, stop_all, wait_until
from stubs import Contract, Refused, secure_channel
from window import Window
from witnesses import POLICY

_PROGRAMS = {"broker": "lianban-broker", "consent": "lianban-consent", "window": "lianban-window",
             "adapter": "lianban-adapter", "auditor": "lianban-adapter"}
_MAX_SOCKET_PATH = 100
_READY_SECONDS = 20
_CONNECT_SECONDS = 1
_PAGE = 5000


class Federation:
    """Thirteen processes and what they stand on. `share_runs` is how often the departments add up one
    person's income within 30 days. With `witnessed` the members cosign each other's logs, and so does an
    audit office with a node of its own. With several `brokers` every member knows all of them; the
    departments `attached` open no port and dial them; the `windows` are agents of one office; departments
    `watching` have one each that runs triggers."""

    def __init__(self, root, binaries, port_base=None, share_runs=4, witnessed=False, brokers=1,
                 attached=(DIALS_OUT,), windows=1, watching=()):
        self.root, self.binaries = os.path.abspath(root), os.path.abspath(binaries)
        num = num_ports(brokers, windows)
        ports = free_ports(num) if port_base is None else list(range(port_base, port_base + num))
        self._socket_folder = None
        self.members = members_of(self.root, ports, self.socket, witnessed, brokers, attached, windows,
                                  watching)
        self.brokers = [name for name, member in self.members.items() if member.kind == "broker"]
        self.material = Material(self.root, self.binaries, self.members, share_runs)
        self.contract = Contract()
        self.people, self.households = None, []   # the truth, in memory only
        self.processes = {}
        self._channels, self._windows = {}, {}
        self._desk = None

    # --- making ---

    def populate(self, seed, people, today):
        """Writes the ten databases; returns how many people there are."""
        everybody = population.generate(seed, people, today)
        departments.write_all(everybody, os.path.join(self.root, "departments"))
        self.people = everybody
        self.households = [truth.describe(household) for household in everybody.households[:everybody.num_own]]
        return everybody.num_people

    def make(self):
        """Keys, certificates, directory, configurations, endpoints.json."""
        self.material.make()
        for member in self.members.values():
            if member.name != "desk":
                self.add_process(member)
        with open(os.path.join(self.root, "endpoints.json"), "w", encoding="utf-8") as file:
            json.dump(self.endpoints(), file, ensure_ascii=False, indent=1)

    def add_process(self, member):
        """A member's program, not started."""
        program = os.path.join(self.binaries, _PROGRAMS[member.kind])
        self.processes[member.name] = Process(member.name, program, member.config)

    def write_applications(self):
        """What the story's citizens bring to the counter, for who tries a window of their own."""
        folder = os.path.join(self.root, "applications")
        os.makedirs(folder, exist_ok=True)
        for household in self.households:
            if "story" in household:
                members = [{key: member[key] for key in ("role", "id_no", "name")}
                           for member in household["members"]]
                with open(os.path.join(folder, household["story"]["key"] + ".json"), "w",
                          encoding="utf-8") as file:
                    json.dump({"members": members}, file, ensure_ascii=False, indent=1)

    def endpoints(self):
        """Where everything is, for people and for other programs."""
        nodes = {}
        for member in self.members.values():
            nodes[member.name] = entry = {
                "spiffe": member.spiffe, "address": member.address, "cert": member.path("cert.pem"),
                "key": member.path("key.pem"), "config": member.config}
            if member.keeps_log:
                entry.update(state=member.state, log_vkey=self.material.vkeys[member.name],
                             officer_key=self.material.officer(member.name))
        return {"ca": self.material.ca, "crl": self.material.crl, "directory": self.material.directory,
                "directory_vkey": self.material.directory_vkey, "agent": self.members["window"].address,
                "agent_http": self.members["window"].http, "agent_grpc": self.members["window"].grpc,
                "agent_secret": self.members["window"].path("local.key"), "nodes": nodes}

    # --- running ---

    def start(self):
        """Starts everything and waits until every department answers."""
        for process in self.processes.values():
            process.start()
        self.wait_ready()

    def stop(self):
        """Stops everything; returns the names of those that did not end cleanly."""
        for channel in (*self._channels.values(), *self._windows.values(), self._desk):
            if channel is not None:
                channel.close()
        self._channels, self._windows, self._desk = {}, {}, None
        unclean = stop_all(self.processes.values())
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        return unclean

    def wait_ready(self):
        """Every server answers its health check, and every adapter has linked and has the status list."""
        for name in self.processes:
            if self.members[name].address:
                self.wait_answering(name)
        wait_until(lambda: not self.unlinked(), _READY_SECONDS, "a link to every adapter")

    def wait_answering(self, name):
        """One server answers its health check."""
        wait_until(lambda: self._answers(name, self.processes[name]), _READY_SECONDS, name)

    def wait_directory(self, version):
        """Every program that runs has taken up this version of the directory."""
        running = [process for process in self.processes.values() if process.is_running]
        wait_until(lambda: all(process.has_said("directory_accepted", version=version) for process in running),
                   _READY_SECONDS, f"directory {version}")

    def restart(self, name):
        """Starts one adapter or broker again and waits until it is linked."""
        self.processes[name].start()
        wait_until(lambda: self.is_back(name), _READY_SECONDS, name)

    def unlinked(self):
        """Adapters that have not acknowledged the current status list to every broker that runs."""
        running = [name for name in self.brokers if self.processes[name].is_running]
        missing = {name for broker in running for name in self.unlinked_at(broker)}
        return [name for name in self.material.views if name in missing]

    def unlinked_at(self, broker):
        """Adapters that have not acknowledged the current status list to this broker."""
        try:
            request = self.contract.new("RelayStatusRequest", token=self.desk.status_list())
            reply = self.call(broker, "Broker/RelayStatus", request)
        except Refused as refused:
            if refused.canonical != "UNAVAILABLE":
                raise
            return list(self.material.views)
        acknowledged = {receipt.adapter for receipt in reply.receipts if receipt.code == "OK"}
        return [name for name in self.material.views if self.members[name].spiffe not in acknowledged]

    # --- reaching it ---

    @property
    def desk(self):
        """The consent hall's desk."""
        if self._desk is None:
            own = self.members["desk"]
            self._desk = Desk(self.contract, self.members["consent"].address, self.material.ca,
                              own.path("cert.pem"), own.path("key.pem"))
        return self._desk

    @property
    def window(self):
        """The window system beside the first agent."""
        return self.window_at("window")

    def window_at(self, name):
        """The window system beside an agent."""
        if name not in self._windows:
            self._windows[name] = Window(self.contract, self.members[name].address, self.desk)
        return self._windows[name]

    def channel(self, name, caller="desk"):
        """A channel to a member with another member's certificate."""
        if (name, caller) not in self._channels:
            own = self.members[caller]
            self._channels[name, caller] = secure_channel(
                self.members[name].address, self.material.ca, own.path("cert.pem"), own.path("key.pem"))
        return self._channels[name, caller]

    def call(self, name, method, request, caller="desk"):
        """A unary call to a member; `method` as "Broker/ListForms"."""
        return self.contract.call(self.channel(name, caller), method, request)

    def verify_logs(self, *names, directory=None):
        """`lianban log verify` over the named nodes' logs (all by default), by the keys of this directory or an
        older one; its JSON."""
        states = [m.state for m in self.members.values() if m.keeps_log and (not names or m.name in names)]
        return self.material.lianban("log", "verify", *states, "--directory", directory or self.material.directory,
                                     "--signer", self.material.directory_vkey, may_fail=True)

    def verify_witnessed(self, name):
        """The same of one log, with the cosignatures its witness policy demands; its only verdict."""
        member = self.members[name]
        return self.material.lianban(
            "log", "verify", member.state, "--directory", self.material.directory, "--signer",
            self.material.directory_vkey, "--witnesses", member.path(POLICY), may_fail=True)["logs"][0]

    def entries(self, name, *filters, details=False):
        """A node's log by `lianban log list`; with details as its own officer reads them."""
        key = ["--officer-key", self.material.officer(name)] if details else []
        found, start = [], 0
        while True:
            page = self.material.lianban("log", "list", self.members[name].state, *key, "--from", str(start),
                                         "--limit", str(_PAGE), *filters)
            found += page["entries"]
            start = page["next"]
            if start >= page["size"]:
                return found

    def _answers(self, name, process):
        process.check()
        channel = self.window_at(name).channel if self.members[name].kind == "window" else self.channel(name)
        request = self.contract.new("grpc.health.v1.HealthCheckRequest")
        try:
            grpc.channel_ready_future(channel).result(_CONNECT_SECONDS)
            return self.contract.call(channel, "grpc.health.v1.Health/Check", request).status == 1
        except (grpc.FutureTimeoutError, Refused):
            return False

    def is_back(self, name):
        self.processes[name].check()
        return not self.unlinked_at(name) if name in self.brokers else name not in self.unlinked()

    def socket(self, name):
        """A Unix socket of the federation, whose path is short enough."""
        folder = "window" if name == "agent" else name if name.startswith("window-") else f"adapters/{name}"
        path = os.path.join(self.root, folder, name + ".sock")
        if len(path) < _MAX_SOCKET_PATH:
            return "unix:" + path
        if self._socket_folder is None:
            self._socket_folder = tempfile.mkdtemp(prefix="lianban-")
        return "unix:" + os.path.join(self._socket_folder, name + ".sock")
