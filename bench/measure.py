"""Measures requests per second with wrk, CPU time and memory from /proc, and the latency of single requests."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass

from services import LEADS, LIVE

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Load:
    """The results of a run of wrk. Latencies in milliseconds, CPU in milliseconds per request."""

    requests: int
    rate: float
    failed: int
    median: float
    p99: float
    cpu: float
    database_cpu: float


def stat(pid):
    """(parent, CPU seconds of a process and of its ended children), None if the process has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(int(value) for value in fields[11:15]) / TICK


def cpu_seconds(root):
    """CPU time of a process and all its descendants."""
    known = {int(entry): found for entry in os.listdir("/proc") if entry.isdigit() and (found := stat(entry))}
    total, below = 0.0, [root]
    while below:
        pid = below.pop()
        total += known.get(pid, (0, 0.0))[1]
        below += [child for child, (parent, _) in known.items() if parent == pid]
    return total


def resident_mib(root):
    """Resident memory (VmRSS) of one process."""
    for line in pathlib.Path(f"/proc/{root}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_of(service, postgres):
    """CPU seconds so far: (service, database)."""
    return cpu_seconds(service.process.pid), cpu_seconds(postgres.process.pid) if postgres else 0.0


def wrk(service, postgres, connections, seconds, script=None, warm=True):
    """Loads the service with lists, or with the requests of the script. `warm` adds a warm-up of a fifth of the time."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed")
    command = ["wrk", "-t", "1", "-c", str(connections), "--timeout", "30s", "-s", str(HERE / (script or "list.lua"))]
    for name, value in service.headers().items():
        command += ["-H", f"{name}: {value}"]
    url = f"http://127.0.0.1:{service.port}{LEADS}"
    if warm:
        subprocess.run([*command, "-d", f"{max(1, seconds // 5)}s", url], check=True, capture_output=True, cwd=HERE)
    before = cpu_of(service, postgres)
    result = subprocess.run([*command, "-d", f"{seconds}s", url], check=True, capture_output=True, text=True, cwd=HERE)
    after = cpu_of(service, postgres)
    found = json.loads(next(line for line in result.stdout.splitlines() if line.startswith("{")))
    done = max(found["requests"], 1)
    return Load(
        requests=found["requests"],
        rate=found["requests"] / (found["microseconds"] / 1e6),
        failed=found["failed"],
        median=found["median"] / 1e3,
        p99=found["p99"] / 1e3,
        cpu=(after[0] - before[0]) / done * 1e3,
        database_cpu=(after[1] - before[1]) / done * 1e3,
    )


def cold_start_ms(service, times=5):
    """Milliseconds from the start of the process to its first response, median of `times`."""
    found = []
    for _ in range(times):
        begin = time.monotonic()
        service.spawn()
        service.wait(LIVE)
        found.append((time.monotonic() - begin) * 1e3)
        service.stop()
    return statistics.median(found)


def idle_mib(service):
    """Resident memory of a service, two seconds after its first response."""
    service.start()
    service.get(LEADS)
    time.sleep(2)
    found = resident_mib(service.process.pid)
    service.stop()
    return found


class Steps:
    """Latency and CPU of single requests, sent one after another."""

    def __init__(self):
        self.milliseconds, self.cpu, self.count = [], 0.0, 0

    def median(self):
        """The median latency, in milliseconds."""
        return statistics.median(self.milliseconds)

    def cost(self):
        """CPU of service and database together, in milliseconds per request."""
        return self.cpu / max(self.count, 1) * 1e3

    def run(self, service, postgres, paths, before=None):
        """Requests every path that `paths` yields, and sends it each response. Calls `before`, untimed, before each request."""
        connection = service.connect()
        if before is None:
            start = cpu_of(service, postgres)
        path = next(paths, None)
        while path:
            if before:
                before(connection)
            begin = time.perf_counter()
            status, page = service.get(path, connection)
            self.milliseconds.append((time.perf_counter() - begin) * 1e3)
            if status != 200:
                raise SystemExit(f"{service.name}: {path} answers {status}: {str(page)[:300]}")
            self.count += 1
            try:
                path = paths.send(page)
            except StopIteration:
                path = None
        if before is None:
            after = cpu_of(service, postgres)
            self.cpu += sum(after) - sum(start)
        connection.close()
