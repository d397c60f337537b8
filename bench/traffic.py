"""How many bytes went over each connection, asked of the kernel (netlink sock_diag)."""

import os
import socket
import struct
import threading

_SOCK_DIAG_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_REQUEST, _DUMP = 0x1, 0x300
_INFO = 2                       # INET_DIAG_INFO, and the bit that asks for it
_ESTABLISHED = 1 << 1
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBBHH" + "16s16s" + "I8s" + "IIIII")   # struct inet_diag_msg
_PORTS = struct.Struct(">HH")
_ACKED_AT = 120                 # tcpi_bytes_acked in struct tcp_info, then tcpi_bytes_received


def _sockets(family):
    """(local port, remote port, inode, bytes sent, bytes received) of every TCP connection."""
    query = struct.pack("=BBBBI48s", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, _ESTABLISHED,
                        bytes(48))
    header = _HEADER.pack(_HEADER.size + len(query), _SOCK_DIAG_BY_FAMILY, _REQUEST | _DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as link:
        link.send(header + query)
        while True:
            data = link.recv(1 << 20)
            while data:
                length, kind = _HEADER.unpack_from(data)[:2]
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError("the kernel does not tell about its sockets")
                yield from _connection(data[_HEADER.size:length])
                data = data[(length + 3) & ~3:]


def _connection(message):
    local, remote = _PORTS.unpack_from(message, 4)
    inode = _MESSAGE.unpack_from(message)[-1]
    at = _MESSAGE.size
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            return
        if kind == _INFO and length >= 4 + _ACKED_AT + 16:
            acked, received = struct.unpack_from("=QQ", message, at + 4 + _ACKED_AT)
            yield local, remote, inode, acked, received
        at += (length + 3) & ~3


def _inodes(pid):
    folder = f"/proc/{pid}/fd"
    found = set()
    for name in os.listdir(folder):
        try:
            target = os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found


def of(pid, local=None, remote=None):
    """(bytes sent, bytes received) over a process's connections with that local or remote port."""
    mine, sent, received = _inodes(pid), 0, 0
    for family in _FAMILIES:
        for own, other, inode, out, into in _sockets(family):
            if inode in mine and own == (local or own) and other == (remote or other):
                sent, received = sent + out, received + into
    return sent, received


class Watch:
    """Counts the bytes that come and go at a process's port while it is used as a context, over connections
    that are made meanwhile."""

    _LOOK_SECONDS = 0.02

    def __init__(self, pid, port):
        self._pid, self._port = pid, port
        self._most, self._over = {}, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._over.wait(self._LOOK_SECONDS):
            try:
                mine = _inodes(self._pid)
                for family in _FAMILIES:
                    for own, _, inode, out, into in _sockets(family):
                        if inode in mine and own == self._port:
                            self._most[inode] = (out, into)
            except OSError:
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def per(self, num):
        """(received, sent) for each of `num`, of the connection that carried most; None if the kernel does
        not tell."""
        if not self._most:
            return None
        sent, received = max(self._most.values())
        return round(received / num), round(sent / num)
