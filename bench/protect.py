"""Measures the cost of keys and limits per create, and the effect of many inactive connections."""

import json
import resource
import socket
import statistics
import subprocess
import time

from report import table
from services import KEY, LEADS
from turns import creates_in_turns

ENDLESS = "1000000000/second"
LIMITS = ("RATE_LIMIT_ANON", "RATE_LIMIT_USER", "RATE_LIMIT_LEAD_CREATE", "RATE_LIMIT_NEWSLETTER_CREATE", "RATE_LIMIT_FLOOD")


def named_key(service):
    """Creates a key with the scopes that the benchmark needs."""
    command = [service.binary, "api-key", "create", "--name", "bench", "--scope", "leads:create", "--scope", "leads:read"]
    said = subprocess.run(command, env=service.environment, cwd=service.directory, check=True, capture_output=True, text=True)
    return said.stdout.splitlines()[0].rpartition(": ")[2]


def measure_limits(run, rounds=10):
    """Creates with BASIC_API_KEY and no limits, and with a named key and every limit."""
    off = run.exit3("exit3_limits", True, run.options.leads)
    on = run.node(off, "limits")
    off.name, on.key = "BASIC_API_KEY and no limits", named_key(off)
    on.environment |= {name: ENDLESS for name in LIMITS}
    pair = creates_in_turns(run, off, {"a named key, every limit": on}, rounds)["a named key, every limit"]
    run.goals.at_most("CPU per create, keys and limits on / off", pair.ratio()[0], 1.05)
    run.goals.nothing_failed(pair.loads())


def fresh_p99(service, times=1000):
    """The 99th percentile of a list, each on a new connection, in milliseconds."""
    request = f"GET {LEADS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {KEY}\r\nConnection: close\r\n\r\n".encode()
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        found.append((time.perf_counter() - begin) * 1e3)
        if not answer.startswith(b"HTTP/1.1 200 ") or not json.loads(answer.partition(b"\r\n\r\n")[2])["results"]:
            raise SystemExit(f"{service.name}: not a list: {answer[:200]}")
    return statistics.quantiles(found, n=100)[98]


def measure_crowd(run, stalled=1_200, idle=10_000):
    """The latency of a new client beside many inactive connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    service = run.exit3("exit3_crowd", True, run.options.leads).start()
    fresh_p99(service)
    quiet = fresh_p99(service)
    begun = f"POST {LEADS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {KEY}\r\n" \
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    crowd = []
    for number in range(stalled + idle):
        connection = socket.create_connection(("127.0.0.1", service.port))
        if number < stalled:
            connection.sendall(begun.encode())
        crowd.append(connection)
    crowded = fresh_p99(service)
    for connection in crowd:
        connection.close()
    service.stop()
    table(f"A new client beside {stalled:,} stalled bodies and {idle:,} idle connections", ["", "p99 ms"], [
        ["quiet", f"{quiet:.2f}"], ["crowded", f"{crowded:.2f}"],
    ])
    run.goals.at_most("p99 of a new client, crowded / quiet", crowded / quiet, 2)
