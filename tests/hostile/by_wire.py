"""Attacks below the protocol: odd calls, strangers at the door, connections that never come to anything."""

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
import time

import paths  # noqa: F401  (first)
import grpc
from attack import Attack, cut, denied, refused
from ground import BIN, Seen
from ground import refused as seen_of
from stubs import Refused, plain_channel, secure_channel

def send_raw(ground, channel, path, raw=b""):
    """Bytes to a method, whatever its kind; what came of it."""
    call = channel.stream_stream(path)(iter([raw]), timeout=10)
    try:
        for _ in call:
            pass
    except grpc.RpcError as error:
        return seen_of(ground.contract.refused(error))
    return Seen("event", "OK")


def _call(server, caller, method, message, **fields):
    def send(ground):
        try:
            ground.contract.call(ground.channel(server, caller), method, ground.new(message, **fields))
        except Refused as error:
            return seen_of(error)
        return Seen("event", "OK")
    return send


def _raw(server, caller, path, raw=b""):
    return lambda ground: send_raw(ground, ground.channel(server, caller), path, raw)


ODD = [
    refused("a method that does not exist", "NO_METHOD", _raw("broker", "window", "/lianban.v1.Broker/Destroy")),
    refused("a service that does not exist", "NO_METHOD", _raw("tax", "broker", "/lianban.v1.Root/Shell")),
    refused("a path of 5,000 characters", "NO_METHOD", _raw("consent", "desk", "/" + "x" * 5000 + "/y")),
    refused("another node's service", "NO_METHOD", _raw("broker", "broker", "/lianban.v1.Adapter/Read")),
    refused("proof of what is not there", "MALFORMED",
            _call("tax", "window", "Evidence/GetProof", "GetProofRequest", index=2 ** 63, size=2 ** 64 - 1,
                  leaf_hash=bytes(32))),
    denied("an entry by its number alone", "ROLE_NOT_ALLOWED", "tax",
           _call("tax", "window", "Evidence/GetProof", "GetProofRequest", index=0)),
    refused("a log longer than it is", "LOG_BEHIND",
            _call("tax", "window", "Evidence/GetCheckpoint", "GetCheckpointRequest", from_size=2 ** 62)),
    refused("a form that is not offered", "FORM_UNKNOWN",
            _call("broker", "window", "Broker/GetForm", "GetFormRequest", form="../../etc/passwd")),
    refused("the agent's case that is not there", "CASE_UNKNOWN",
            _call("window", None, "Window/GetCase", "CaseRequest", case_id="' OR 1=1 --")),
    refused("a case of a form that is not there", "FORM_UNKNOWN",
            _call("window", None, "Window/OpenCase", "OpenCaseRequest", form="tax-audit", operator_badge="1",
                  operator_unit="u")),
    cut("a message of 4 MiB to the agent", ["RESOURCE_EXHAUSTED"],
        _raw("window", None, "/lianban.v1.Window/OpenCase", bytes(4 << 20))),
    cut("a message of 4 MiB to the consent office", ["RESOURCE_EXHAUSTED"],
        _raw("consent", "window", "/lianban.v1.ConsentOffice/RequestGrant", bytes(4 << 20))),
    cut("a message of 4 MiB to an adapter", ["RESOURCE_EXHAUSTED"],
        _raw("tax", "broker", "/lianban.v1.Adapter/Read", bytes(4 << 20))),
]


# --- strangers ---

def _certificate(ground, pki, spiffe):
    """A certificate by the authority in `pki` (made if it is not there); its folder."""
    if not os.path.exists(os.path.join(pki, "ca.pem")):
        ground.running.material.lianban("pki", "init", "--dir", pki)
    out = tempfile.mkdtemp(dir=ground.running.root)
    ground.running.material.lianban("pki", "issue", "--dir", pki, "--id", spiffe, "--out", out,
                                    "--name", "127.0.0.1")
    return out


def _try(ground, node, folder=None):
    """ListForms or a checkpoint of a node, with the certificate in a folder or none."""
    parts = [os.path.join(folder, name) for name in ("cert.pem", "key.pem")] if folder else []
    with contextlib.closing(secure_channel(ground.running.members[node].address, ground.world.ca,
                                           *parts)) as channel:
        try:
            ground.contract.call(channel, "Evidence/GetCheckpoint", ground.new("GetCheckpointRequest"), 10)
        except Refused as error:
            return seen_of(error)
    return Seen("event", "OK")


def _with_certificate(node, spiffe, own_pki=True):
    def send(ground):
        pki = os.path.join(ground.running.root, "other-pki") if own_pki else ground.running.material.pki
        return _try(ground, node, _certificate(ground, pki, spiffe(ground)))
    return send


def _plaintext(node):
    def send(ground):
        with contextlib.closing(plain_channel(ground.running.members[node].address)) as channel:
            return send_raw(ground, channel, "/lianban.v1.Evidence/GetCheckpoint", b"")
    return send


def _revoked(ground):
    """A second certificate of the window works, is revoked, and no longer does, connected or not."""
    folder = _certificate(ground, ground.running.material.pki, ground.me.profile.spiffe)
    parts = [os.path.join(folder, name) for name in ("cert.pem", "key.pem")]
    if _try(ground, "broker", folder) != Seen("event", "OK"):
        raise AssertionError("a good certificate was refused")
    with contextlib.closing(secure_channel(ground.running.members["broker"].address, ground.world.ca,
                                           *parts)) as channel:
        request = ground.new("GetCheckpointRequest")
        ground.contract.call(channel, "Evidence/GetCheckpoint", request)
        ground.running.material.lianban("pki", "revoke", "--dir", ground.running.material.pki, "--cert", parts[0])
        time.sleep(2.5)
        try:
            ground.contract.call(channel, "Evidence/GetCheckpoint", request)
            raise AssertionError("a revoked member is still connected")
        except Refused:
            return _try(ground, "broker", folder)


def _stranger(name, send, node="broker", code=None):
    """Gets nowhere; one of our own CA is named in the evidence, maybe in more than one second."""
    logs = {node: [("DENY", code)] if code else []}
    return Attack(name, "cut", ("UNAVAILABLE",), send, logs, repeats=True)


_SAME_NAME = (lambda g: g.me.profile.spiffe)
STRANGERS = [
    _stranger("plaintext to the broker", _plaintext("broker")),
    _stranger("plaintext to an adapter", _plaintext("tax"), "tax"),
    _stranger("no certificate at the broker", lambda g: _try(g, "broker")),
    _stranger("no certificate at an adapter", lambda g: _try(g, "tax"), "tax"),
    _stranger("no certificate at the consent office", lambda g: _try(g, "consent"), "consent"),
    _stranger("the window's name by another authority", _with_certificate("broker", _SAME_NAME)),
    _stranger("the broker's name by another authority",
              _with_certificate("tax", lambda g: g.world.spiffe("broker")), "tax"),
    _stranger("a member of another federation",
              _with_certificate("broker", lambda g: "spiffe://other.city/window/street-office")),
    _stranger("our authority, but not in the directory",
              _with_certificate("broker", lambda g: "spiffe://demo.lianban/window/stranger", False),
              code="PEER_UNLISTED"),
    _stranger("our authority, a second broker",
              _with_certificate("tax", lambda g: "spiffe://demo.lianban/broker/shadow", False), "tax",
              code="PEER_UNLISTED"),
    _stranger("a revoked certificate", _revoked, code="PEER_REVOKED"),
]


# --- connections ---

def _address(ground, node):
    host, port = ground.running.members[node].address.rsplit(":", 1)
    return host, int(port)


def _tls(ground, node, change=None):
    """A TLS connection with the window's certificate, for bytes of our own making."""
    own = ground.world.nodes["window"]
    context = ssl.create_default_context(cafile=ground.world.ca)
    context.check_hostname = False
    context.load_cert_chain(own["cert"], own["key"])
    context.set_alpn_protocols(["h2"])
    if change:
        change(context)
    raw = socket.create_connection(_address(ground, node), 5)
    try:
        return context.wrap_socket(raw)
    except (ssl.SSLError, OSError):
        raw.close()
        raise


def _weak_tls(change):
    def send(ground):
        try:
            with _tls(ground, "broker", change) as connection:
                return Seen("event", connection.version())
        except (ssl.SSLError, OSError):
            return Seen("cut", "UNAVAILABLE")
    return send


def _old_version(context):
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


def _no_aead(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:AES128-SHA")


def _while_open(open_many):
    """A good read while an attacker holds connections or streams open; what came of the read."""
    def send(ground):
        with contextlib.ExitStack() as held:
            open_many(ground, held)
            began = time.monotonic()
            seen = ground.ask(ground.read())
            if time.monotonic() - began > 5:
                raise AssertionError("the good read took longer than five seconds")
            return seen
    return send


def _silent(num, hello=b""):
    def open_many(ground, held):
        for node in ("broker", "tax"):
            for _ in range(num):
                connection = held.enter_context(socket.create_connection(_address(ground, node), 5))
                connection.sendall(hello)
    return open_many


def _http2_garbage(ground, held):
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(5000),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x01\x04\0\0\0\1" + bytes(20000)):
        for node in ("broker", "tax"):
            for _ in range(5):
                connection = held.enter_context(_tls(ground, node))
                with contextlib.suppress(OSError):
                    connection.sendall(raw)


def _endless(server, caller, path, num):
    """Streams that are opened and left: nothing is sent, nothing is taken."""
    def open_many(ground, held):
        channel = held.enter_context(contextlib.closing(_own_channel(ground, server, caller)))
        for _ in range(num):
            waiting = _Never()
            held.callback(waiting.stop)
            call = channel.stream_stream(path)(waiting, timeout=60)
            held.callback(call.cancel)
        time.sleep(0.5)
    return open_many


def _own_channel(ground, server, caller):
    own = ground.world.nodes[caller]
    return secure_channel(ground.running.members[server].address, ground.world.ca, own["cert"], own["key"])


class _Never:
    """An iterator that has nothing to say until it is told to stop."""

    def __init__(self):
        self._stopped = False

    def __iter__(self):
        return self

    def __next__(self):
        while not self._stopped:
            time.sleep(0.1)
        raise StopIteration

    def stop(self):
        self._stopped = True


def _calls_dropped(ground, held):
    """A hundred collects whose callers are gone at once."""
    del held
    channel = ground.world.channel("broker", "window")
    me = ground.me
    for _ in range(100):
        request = ground.new("CollectRequest", form=me.form.id, form_version=me.form.version,
                             form_sha256=me.form.sha256, reads=[ground.read().request])
        call = channel.unary_stream("/lianban.v1.Broker/Collect",
                                    request_serializer=lambda m: m.SerializeToString())(
            request, metadata=(("lianban-operator", me.operator_token()),))
        call.cancel()


def _half_closed(ground):
    """A collect that ends before it said anything."""
    channel = ground.world.channel("broker", "window")
    call = channel.stream_stream("/lianban.v1.Broker/Collect")(iter([]), timeout=10)
    try:
        list(call)
    except grpc.RpcError as error:
        return seen_of(ground.contract.refused(error))
    return Seen("event", "OK")


def _two_requests(ground):
    """Two messages where one is expected."""
    good = ground.new("CollectRequest", form="x").SerializeToString()
    channel = ground.world.channel("broker", "window")
    call = channel.stream_stream("/lianban.v1.Broker/Collect")(iter([good, good]), timeout=10)
    try:
        list(call)
    except grpc.RpcError as error:
        return seen_of(ground.contract.refused(error))
    return Seen("event", "OK")


def _survives(name, open_many):
    return Attack(name, "inner", ("OK",), _while_open(open_many), {})


CONNECTIONS = [
    _stranger("TLS 1.1", _weak_tls(_old_version)),
    _stranger("TLS without authenticated encryption", _weak_tls(_no_aead)),
    _survives("200 connections that say nothing", _silent(100)),
    _survives("200 handshakes half made", _silent(100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
    _survives("garbage where HTTP/2 should be", _http2_garbage),
    _survives("100 collects that never ask", _endless("broker", "window", "/lianban.v1.Broker/Collect", 100)),
    _survives("50 links that never greet", _endless("tax", "broker", "/lianban.v1.Adapter/Link", 50)),
    _survives("100 collects whose callers are gone", _calls_dropped),
    refused("a collect without a request", "MALFORMED", _half_closed),
    Attack("a collect with two requests", "refused", ("MALFORMED", "OPERATOR_TOKEN_INVALID"), _two_requests, {}),
]


def _second_process(node):
    """A second process on the same state; it must say so in a sentence and end."""
    def send(ground):
        process = ground.running.processes[node]
        program = os.path.join(BIN, {"consent": "lianban-consent"}.get(node, "lianban-" + (
            node if node in ("broker", "window") else "adapter")))
        run = subprocess.run([program, "--config", ground.running.members[node].config], capture_output=True,
                             text=True, timeout=30, check=False)
        said = [line for line in run.stderr.splitlines() if not line.startswith("{")]  # behind the log's lines
        if run.returncode == 0 or not process.is_running or not 1 <= len(said) <= 3:
            raise AssertionError(f"a second process: {run.returncode} {run.stderr}")
        return Seen("refused", said[-1].split(": ")[1])
    return send


PROCESSES = [refused("a second process on the state of " + node, "STATE_LOCKED", _second_process(node))
             for node in ("broker", "consent", "window", "tax")]

ATTACKS = ODD + STRANGERS + CONNECTIONS + PROCESSES
