"""observability.py OUTPUT: checks the dashboard and the collector's settings. Run it in
deploy/observability. It writes the dashboard's queries as rules to OUTPUT, for promtool."""

import json
import re
import sys
from pathlib import Path

import yaml

HISTOGRAM = ["_bucket", "_count", "_sum"]
METRICS = {
    "http_server_request_duration_seconds": HISTOGRAM,
    "http_server_active_requests": [""],
    "db_client_connection_count": [""],
    "db_client_connection_wait_time_seconds": HISTOGRAM,
    "exit3_rate_limit_refusals_total": [""],
    "exit3_log_lines_dropped_total": [""],
    "exit3_leads_total": [""],
    "exit3_subscribers_total": [""],
    "exit3_silence_expected_leads": [""],
    "exit3_silence_alarm": [""],
    "exit3_build_info": [""],
    "exit3_disk_free_bytes": [""],
    "exit3_disk_size_bytes": [""],
    "exit3_tls_certificate_expiry_timestamp_seconds": [""],
    "exit3_tls_certificate_is_newest": [""],
    "exit3_canary_last_success_timestamp_seconds": [""],
    "exit3_canary_failures_total": [""],
    "exit3_jobs": [""],
    "exit3_job_oldest_due_age_seconds": [""],
    "exit3_job_duration_seconds": HISTOGRAM,
    "exit3_job_failures_total": [""],
    "exit3_spool_waiting": [""],
    "exit3_spool_problems": [""],
    "exit3_spool_oldest_timestamp_seconds": [""],
    "exit3_spool_reserved_ids": [""],
    "exit3_spool_has_room": [""],
    "exit3_spool_entries_total": [""],
    "exit3_backup_last_success_timestamp_seconds": [""],
    "exit3_backup_last_verified_timestamp_seconds": [""],
    "exit3_backup_last_verification_ok": [""],
}
known = {name + suffix for name, suffixes in METRICS.items() for suffix in suffixes}

rules = [rule for group in yaml.safe_load(Path("rules.yaml").read_text())["groups"] for rule in group["rules"]]
dashboard = json.loads(Path("grafana/exit3.json").read_text())
queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
for expression in queries + [rule["expr"] for rule in rules]:
    named = set(re.findall(r"\b(?:http_server|db_client|exit3)_\w+", expression))
    assert named <= known | {"http_route", "http_response_status_code"}, f"{named - known}: {expression}"
shown = " ".join(queries)
for name in METRICS:
    assert name in shown, f"the dashboard does not show {name}"
tested = "".join(path.read_text() for path in Path().glob("rules.*test.yaml"))
runbook = Path("../../docs/OPERATIONS.md").read_text()
for name in (rule["alert"] for rule in rules if "alert" in rule):
    assert re.search(rf"alertname: {name}\n(.*\n)*? +exp_alerts", tested), f"{name} is not tested"
    assert f"`{name}`" in runbook, f"the runbook does not say what to do about {name}"
boxes = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
assert len({(x, y) for x, y, _, _ in boxes}) == len(boxes), "panels overlap"
records = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(queries)]
Path(sys.argv[1]).write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))

collector = yaml.safe_load(Path("otel-collector.yaml").read_text())
service = collector["service"]
used = {("extensions", name) for name in service["extensions"]}
for pipeline in service["pipelines"].values():
    assert pipeline["receivers"] and pipeline["exporters"]
    used |= {(kind, name) for kind, names in pipeline.items() for name in names}
defined = {(kind, name) for kind in collector if kind != "service" for name in collector[kind]}
assert used == defined, f"the collector defines but does not use, or uses but does not define: {used ^ defined}"
print(f"{len(rules)} rules, {len(queries)} queries, {len(service['pipelines'])} pipelines")
