"""How long a node takes from its start until it answers its health check with SERVING."""

import socket
import statistics
import time

from stubs import Refused, secure_channel

_ROLES = {"adapter": "tax", "broker": "broker"}
_GIVE_UP_SECONDS = 20
_SERVING = 1



def _connects(address):
    host, _, port = address.rpartition(":")
    with socket.socket() as trial:
        return trial.connect_ex((host, int(port))) == 0


def _serves(federation, name):
    """A handshake and a health check, which the figure contains."""
    caller = federation.members["desk"]
    channel = secure_channel(federation.members[name].address, federation.material.ca,
                             caller.path("cert.pem"), caller.path("key.pem"))
    try:
        request = federation.contract.new("grpc.health.v1.HealthCheckRequest")
        return federation.contract.call(channel, "grpc.health.v1.Health/Check", request).status == _SERVING
    except Refused:
        return False
    finally:
        channel.close()


def _start(federation, name):
    """Milliseconds from exec to SERVING."""
    process, address = federation.processes[name], federation.members[name].address
    began = time.monotonic()
    process.start()
    while not (_connects(address) and _serves(federation, name)):
        process.check()
        if time.monotonic() - began > _GIVE_UP_SECONDS:
            raise TimeoutError(f"{name} did not serve within {_GIVE_UP_SECONDS} s")
        time.sleep(0.001)
    return 1000 * (time.monotonic() - began)


def measure(federation, plan, say):
    """Stops and starts an adapter and the broker, with the logs and stores they have by now."""
    say("from start to serving")
    found = {}
    for role, name in _ROLES.items():
        took = []
        for _ in range(plan["starts"]):
            federation.processes[name].stop()
            took.append(_start(federation, name))
        found[role] = {"median": round(statistics.median(took), 1), "min": round(min(took), 1),
                       "max": round(max(took), 1)}
    federation.wait_ready()
    return found
