"""Measures the cost of telemetry: logs, traces, metrics, error reports."""

import http.server
import threading

from measure import idle_mib
from postgres import free_port
from turns import creates_in_turns

OFF = {"LOG_LEVEL": "ERROR", "METRICS_BIND": "off"}


class Collector(http.server.BaseHTTPRequestHandler):
    """Accepts everything it is sent."""

    protocol_version = "HTTP/1.1"
    paths = set()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Collector.paths.add(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Logs nothing."""


def everything(collector, directory, metrics):
    """Settings with all telemetry on."""
    return {
        "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "LOG_DIR": str(directory / "logs"),
        "METRICS_BIND": f"127.0.0.1:{metrics}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "SENTRY_DSN": f"http://key@127.0.0.1:{collector}/1",
    }


def measure_telemetry(run, rounds=10):
    """Creates without telemetry and with all of it; idle memory with all of it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run.stack.callback(server.shutdown)
    metrics = free_port()
    plain = run.exit3("exit3_telemetry", True, run.options.leads)
    all_on = everything(server.server_port, plain.directory, metrics)
    kinds = {"everything": all_on}
    if run.options.parts:
        kinds["logs"] = {**OFF, **{name: all_on[name] for name in ("LOG_FORMAT", "LOG_LEVEL", "LOG_DIR")}}
        kinds["traces"] = {**OFF, "OTEL_EXPORTER_OTLP_ENDPOINT": all_on["OTEL_EXPORTER_OTLP_ENDPOINT"]}
        kinds["traces of all requests"] = {**kinds["traces"], "OTEL_TRACES_SAMPLER": "always_on"}
        kinds["metrics"] = {**OFF, "METRICS_BIND": all_on["METRICS_BIND"]}
        kinds["reports"] = {**OFF, "SENTRY_DSN": all_on["SENTRY_DSN"]}
    others = {}
    for name, environment in kinds.items():
        others[name] = run.node(plain, name.replace(" ", "_"))
        others[name].environment |= environment
    plain.environment |= OFF
    plain.name = "no telemetry"
    pairs = creates_in_turns(run, plain, others, rounds)
    if missing := {"/v1/traces", "/v1/metrics"} - Collector.paths:
        raise SystemExit(f"the collector received nothing at {missing}")
    run.goals.at_most("CPU per create, all telemetry / none", pairs["everything"].ratio()[0], 1.1)
    run.goals.nothing_failed([load for pair in pairs.values() for load in pair.loads()])
    run.goals.at_most("idle memory (MiB), all telemetry", idle_mib(others["everything"]), 40)
