"""compose.py SCHEMA FILE...: checks Compose files and the files they refer to."""

import json
import re
import sys
from pathlib import Path

import jsonschema
import yaml

failures = []


def check(holds, sentence):
    if not holds:
        failures.append(sentence)


def resolve(service, directory):
    """A service, merged with the one that it extends."""
    extends = service.get("extends")
    if not extends:
        return service
    other = yaml.safe_load((directory / extends["file"]).read_text())["services"]
    return {**resolve(other[extends["service"]], directory), **service}


def check_file(path, schema):
    document = yaml.safe_load(path.read_text())
    # The schema does not know `name` yet.
    form = {key: value for key, value in document.items() if key != "name"}
    for error in jsonschema.Draft7Validator(schema).iter_errors(form):
        failures.append(f"{path}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    services = {
        name: resolve(service, path.parent) for name, service in document["services"].items()
    }
    for name, service in services.items():
        where = f"{path}: {name}"
        check(service.get("read_only"), f"{where}: its root file system is writable")
        check(service.get("cap_drop") == ["ALL"], f"{where}: it does not drop all capabilities")
        check("no-new-privileges:true" in service.get("security_opt", []), f"{where}: it lacks no-new-privileges")
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        limited = {"cpus", "memory"} <= limits.keys() and "pids_limit" in service
        check(limited, f"{where}: it lacks resource limits")
        check(service.get("restart") == "unless-stopped", f"{where}: its restart policy is not unless-stopped")
        check(not service["image"].endswith(":latest"), f"{where}: its image has no fixed version")
        for other, how in service.get("depends_on", {}).items():
            check(other in services, f"{where}: there is no {other}")
            # Our own image defines its health check in the Dockerfile.
            healthy = services[other].get("healthcheck") or "exit3" in services[other]["image"]
            check(how["condition"] == "service_healthy" and healthy, f"{where}: it does not wait until {other} is healthy")
        for network in service.get("networks", []):
            check(network in document["networks"], f"{where}: there is no network {network}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                # The operator provides the certificate.
                there = (path.parent / source).exists() or source == "./nginx/certs"
                check(there, f"{where}: there is no {source}")
                check(volume.endswith(":ro"), f"{where}: {source} is mounted writable")
            else:
                check(source in document["volumes"], f"{where}: there is no volume {source}")
        for port in service.get("ports", []):
            check(name == "nginx" or port.startswith("127.0.0.1:"), f"{where}: port {port} is reachable from outside")
    secrets = re.findall(r"^\s*(\w*(?:PASSWORD|SECRET_KEY|API_KEY)\w*): (\S+)", path.read_text(), re.M)
    check(secrets, f"{path}: found no secrets to check")
    for name, value in secrets:
        check(re.match(r"\$\{\w+(:\?|:-)\}", value), f"{path}: the value of {name} is in the file")
    for variables in (service.get("environment", {}) for service in services.values()):
        for name, value in variables.items():
            # In a URL, a password would have to be percent-encoded.
            torn = "://" in value and re.search(r"\$\{\w*(PASSWORD|KEY)", value)
            check(not torn, f"{path}: {name} contains a secret in a URL")
    print(f"{path}: {len(services)} services")


schema_path, *files = map(Path, sys.argv[1:])
for file in files:
    check_file(file, json.loads(schema_path.read_text()))
sys.exit("\n".join(failures) or 0)
