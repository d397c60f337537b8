"""What this machine is, and what its processes take: cores, disk, memory, processor time."""

import os
import platform
import statistics
import threading
import time

_TICK = os.sysconf("SC_CLK_TCK")
_BLOCK = b"\0" * 4096
_SAMPLE_SECONDS = 0.05


def describe(folder):
    """The machine in a few figures; the disk is the one under `folder`."""
    return {"cores": os.cpu_count(), "processor": _processor(), "kernel": platform.release(),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "load_before": round(os.getloadavg()[0], 2), "fdatasync_p50_us": _fdatasync(folder)}


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _fdatasync(folder, num=100):
    """The median of appending a block and making it durable, in microseconds."""
    path, took = os.path.join(folder, "fdatasync"), []
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(num):
            began = time.monotonic()
            os.write(file, _BLOCK)
            os.fdatasync(file)
            took.append(time.monotonic() - began)
    finally:
        os.close(file)
        os.unlink(path)
    return round(statistics.median(took) * 1e6)


def rss_anon_kib(pid):
    """Memory of a process that no file backs, in KiB."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    """Processor time of a process so far, in user and kernel."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


class Peak(threading.Thread):
    """Looks at the memory of some processes again and again while it is used as a context."""

    def __init__(self, pids):
        super().__init__()
        self.kib = dict.fromkeys(pids, 0)
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        while not self._over.wait(_SAMPLE_SECONDS):
            for pid, kib in self.kib.items():
                self.kib[pid] = max(kib, rss_anon_kib(pid))
