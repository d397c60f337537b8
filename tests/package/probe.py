"""Tries what a unit's sandbox must forbid, and what it must leave; prints {attempt: outcome} as JSON.

Run by the service manager with the service's own settings. An outcome is "done" or the name of an error.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import subprocess
import sys

STATE = sys.argv[1]
_LIBC = ctypes.CDLL(None, use_errno=True)
# x86-64 and arm64 have different numbers for these.
_NUMBERS = {
    "x86_64": {"mount": 165, "reboot": 169, "init_module": 175, "ptrace": 101, "bpf": 321, "keyctl": 250,
               "perf_event_open": 298, "swapon": 167, "settimeofday": 164, "sethostname": 170, "kexec_load": 246,
               "add_key": 248, "chroot": 161, "mlock": 149, "personality": 135, "userfaultfd": 323},
    "aarch64": {"mount": 40, "reboot": 142, "init_module": 105, "ptrace": 117, "bpf": 280, "keyctl": 219,
                "perf_event_open": 241, "swapon": 224, "settimeofday": 170, "sethostname": 161,
                "kexec_load": 104, "add_key": 217, "chroot": 51, "mlock": 228, "personality": 92,
                "userfaultfd": 282},
}[os.uname().machine]


def call(name, *args):
    """A system call that must not even be looked at by the kernel: any result but EPERM tells."""
    ctypes.set_errno(0)
    if _LIBC.syscall(_NUMBERS[name], *args) < 0:
        raise OSError(ctypes.get_errno(), name)


def write(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("x")


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def look_into(folder):
    if not os.listdir(folder):
        raise OSError(errno.ENOENT, "empty")


def map_writable_code():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def make_code():
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if _LIBC.mprotect(ctypes.c_void_p(address), 4096, 5) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def run_own_program():
    path = os.path.join(STATE, "program")
    with open("/usr/bin/true", "rb") as source, open(path, "wb") as file:
        file.write(source.read())
    os.chmod(path, 0o700)
    try:
        subprocess.run([path], check=True)
    finally:
        os.unlink(path)


def code_in_memory():
    file = os.memfd_create("code")
    os.ftruncate(file, 4096)
    mmap.mmap(file, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def set_uid_program():
    path = os.path.join(STATE, "setuid")
    write(path)
    try:
        os.chmod(path, 0o4755)
    finally:
        os.unlink(path)


def new_namespace():
    if _LIBC.unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def raise_core_limit():
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    except ValueError as refused:
        raise OSError(errno.EPERM, "setrlimit") from refused


def listen():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()


def state_file():
    path = os.path.join(STATE, "written")
    write(path)
    os.unlink(path)


ATTEMPTS = {
    "write /etc": lambda: write("/etc/lianban/adapter/x"),
    "write /usr": lambda: write("/usr/lib/x"),
    "write its own keys": lambda: write("/etc/lianban/adapter/key.pem"),
    "write another role's state": lambda: write("/var/lib/lianban/broker/x"),
    "write /var": lambda: write("/var/lib/x"),
    "write a kernel setting": lambda: write("/proc/sys/kernel/core_pattern"),
    "read another role's keys": lambda: read("/etc/lianban/broker/key.pem"),
    "see homes": lambda: look_into("/home"),
    "see root's home": lambda: look_into("/root"),
    "see others' temporary files": lambda: read("/tmp/of-somebody-else"),
    "see the first process": lambda: read("/proc/1/status"),
    "read a disk": lambda: read("/dev/vda"),
    "read memory": lambda: read("/dev/mem"),
    "writable code": map_writable_code,
    "memory made code": make_code,
    "code written to memory": code_in_memory,
    "run what it wrote": run_own_program,
    "write shared memory": lambda: write("/dev/shm/x"),
    "run a shell": lambda: subprocess.run(["/usr/bin/dash", "-c", "true"], check=True),
    "run a program among the libraries": lambda: subprocess.run(["/usr/lib/systemd/systemd", "--version"],
                                                                stdout=subprocess.DEVNULL, check=True),
    "set-user-id file": set_uid_program,
    "become root": lambda: os.setuid(0),
    "give a file away": lambda: os.chown(STATE, 0, 0),
    "raise priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -10),
    "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10)),
    "new user namespace": new_namespace,
    "raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "raw internet packets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "kernel crypto socket": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close(),
    "low port": lambda: socket.create_server(("127.0.0.1", 80)).close(),
    "core files": raise_core_limit,
    **{"call " + name: lambda name=name: call(name, 0, 0, 0, 0, 0) for name in sorted(_NUMBERS)
       if name != "personality"},
    "call personality": lambda: call("personality", 0x0400000),
}
ALLOWED = {
    "write its state": state_file,
    "read its configuration": lambda: read("/etc/lianban/adapter/node.yaml"),
    "read its key": lambda: read("/etc/lianban/adapter/key.pem"),
    "listen": listen,
    "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
}


def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done"


def main():
    found = {kind: {name: outcome(attempt) for name, attempt in attempts.items()}
             for kind, attempts in (("forbidden", ATTEMPTS), ("allowed", ALLOWED))}
    with open("/proc/self/status", encoding="ascii") as file:
        found["status"] = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
