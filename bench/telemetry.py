"""What it costs to tell of everything: logs, traces, metrics, reports of errors."""

import http.server
import statistics
import threading
import urllib.request

from measure import idle_mib, wrk
from postgres import free_port
from report import table

OFF = {"LOG_LEVEL": "ERROR", "METRICS_BIND": "off"}


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes whatever it is sent."""

    protocol_version = "HTTP/1.1"
    bodies = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Collector.bodies += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


def everything(collector, directory, metrics):
    """Settings that tell of everything."""
    return {
        "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "LOG_DIR": str(directory / "logs"),
        "METRICS_BIND": f"127.0.0.1:{metrics}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "SENTRY_DSN": f"http://key@127.0.0.1:{collector}/1",
    }


def measure_telemetry(run, rounds=6):
    """Creates with nothing told and with everything told, in turns; memory at rest with everything told."""
    options, postgres = run.options, run.postgres()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run.stack.callback(server.shutdown)
    metrics = free_port()
    service = run.exit3("exit3_telemetry", True, options.leads)
    plain = dict(service.environment)
    told = everything(server.server_port, service.directory, metrics)
    kinds = {"nothing": OFF, "everything": told}
    if options.parts:
        kinds["logs"] = {**OFF, **{name: told[name] for name in ("LOG_FORMAT", "LOG_LEVEL", "LOG_DIR")}}
        kinds["traces"] = {**OFF, "OTEL_EXPORTER_OTLP_ENDPOINT": told["OTEL_EXPORTER_OTLP_ENDPOINT"]}
        kinds["traces of all requests"] = {**kinds["traces"], "OTEL_TRACES_SAMPLER": "always_on"}
        kinds["metrics"] = {**OFF, "METRICS_BIND": told["METRICS_BIND"]}
        kinds["reports"] = {**OFF, "SENTRY_DSN": told["SENTRY_DSN"]}
    found = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, environment in kinds.items():
            service.environment = plain | environment
            service.start()
            found[name].append(wrk(service, postgres, options.connections, options.seconds, "create.lua"))
            if name == "everything":
                text = urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics").read().decode()
                if "exit3_leads_total{outcome=\"created\"}" not in text:
                    raise SystemExit(f"{service.name}: creates are not counted: {text[:500]}")
            service.stop()
    if not Collector.bodies:
        raise SystemExit(f"{service.name}: no traces have come")
    cpu = {name: statistics.mean(load.cpu for load in loads) for name, loads in found.items()}
    rate = {name: statistics.mean(load.rate for load in loads) for name, loads in found.items()}
    table(f"Creates, PostgreSQL, {rounds} runs each, in turns", ["told", "requests/s", "CPU ms/request"], [
        [name, f"{rate[name]:,.0f}", f"{cpu[name]:.4f}"] for name in kinds
    ])
    run.goals.at_most("CPU a create, everything told / nothing", cpu["everything"] / cpu["nothing"], 1.1)
    run.goals.nothing_failed([load for loads in found.values() for load in loads])
    service.environment = plain | told
    run.goals.at_most("idle memory (MiB), everything told", idle_mib(service), 40)
