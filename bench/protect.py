"""What protection costs: keys and limits on a create, a crowd on everybody else."""

import json
import resource
import socket
import statistics
import subprocess
import time

from measure import wrk
from report import table
from services import KEY, LEADS

ENDLESS = "1000000000/second"
LIMITS = ("RATE_LIMIT_ANON", "RATE_LIMIT_USER", "RATE_LIMIT_LEAD_CREATE", "RATE_LIMIT_NEWSLETTER_CREATE", "RATE_LIMIT_FLOOD")


def named_key(service):
    """Makes a key that does what the benchmark does."""
    command = [service.binary, "api-key", "create", "--name", "bench", "--scope", "leads:create", "--scope", "leads:read"]
    said = subprocess.run(command, env=service.environment, cwd=service.directory, check=True, capture_output=True, text=True)
    return said.stdout.splitlines()[0].rpartition(": ")[2]


def measure_limits(run, rounds=4):
    """Creates with the one key and no limits, and with a named key and every limit, in turns."""
    options, postgres = run.options, run.postgres()
    service = run.exit3("exit3_limits", True, options.leads)
    off = dict(service.environment)
    key = named_key(service)
    on = {**off, **{name: ENDLESS for name in LIMITS}}
    found = {"off": [], "on": []}
    for _ in range(rounds):
        for name, environment, used in (("off", off, KEY), ("on", on, key)):
            service.environment, service.key = environment, used
            service.start()
            found[name].append(wrk(service, postgres, options.connections, options.seconds, "create.lua"))
            service.stop()
    cpu = {name: statistics.mean(load.cpu for load in loads) for name, loads in found.items()}
    rate = {name: statistics.mean(load.rate for load in loads) for name, loads in found.items()}
    table(f"Creates, PostgreSQL, {rounds} runs each, in turns", ["", "requests/s", "CPU ms/request"], [
        ["BASIC_API_KEY, limits off", f"{rate['off']:,.0f}", f"{cpu['off']:.4f}"],
        ["a named key, limits on", f"{rate['on']:,.0f}", f"{cpu['on']:.4f}"],
    ])
    run.goals.at_most("CPU a create, keys and limits on / off", cpu["on"] / cpu["off"], 1.05)
    run.goals.nothing_failed([load for loads in found.values() for load in loads])


def fresh_p99(service, times=1000):
    """The 99th percentile of a list over a connection of its own, in milliseconds."""
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
    """What a fresh client notices of a crowd that does nothing."""
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
    table(f"A fresh client beside {stalled:,} stalled bodies and {idle:,} idle connections", ["", "p99 ms"], [
        ["quiet", f"{quiet:.2f}"], ["crowded", f"{crowded:.2f}"],
    ])
    run.goals.at_most("p99 of a fresh client, crowded / quiet", crowded / quiet, 2)
