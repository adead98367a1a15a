#!/usr/bin/env python3
"""Sends recorded requests to a service, one after another, and compares the responses.

    replay.py http://127.0.0.1:8000 recorded.json [--key KEY] [--all] [--verbose]

The service must start from an empty database. The script compares the status and the
JSON. It ignores ids, times, the host in links, the order of rows in a list, the order
of fields, and the wording of `detail` for invalid JSON. If a path contains an id from a
recorded response, the script replaces it by the id that this service returned.

A recording has `name`, `method`, `path`, `headers`, `body` (null: none) or
`body_base64`, and `answer` with `status`, `json` (null: the response was not JSON; then
only the status is compared) and more. `override` gives the reason why a different
response is now correct: the request is sent, but its response is only compared with
--all. `ordered` marks a list whose rows must come in the recorded order.

Exit code: 0 all as recorded, 1 mismatches, 2 the service cannot be reached.
"""

import argparse
import base64
import gzip
import http.client
import json
import re
import sys
from urllib.parse import parse_qsl, urlsplit

RECORDED_KEY = "peer-key"
VARYING = ("id", "created_at", "updated_at")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")


def send(base, request, timeout=30):
    """Sends one request exactly as recorded, adding only the headers Host and Content-Length."""
    target = urlsplit(base)
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=timeout)
    body = request.get("body")
    body = body.encode() if body is not None else None
    if "body_base64" in request:
        body = base64.b64decode(request["body_base64"])
    try:
        connection.putrequest(request["method"], request["path"], skip_accept_encoding=True)
        for name, value in request["headers"].items():
            connection.putheader(name, value.encode())
        if body is not None or request["method"] in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    return response, content


def answer_of(response, content):
    """The response in the form of a recording."""
    kind = (response.getheader("Content-Type") or "").split(";")[0] or None
    try:
        value = json.loads(content) if content and kind and kind.endswith("json") else None
    except ValueError:
        value = None
    answer = {
        "status": response.status,
        "json": value,
        "type": kind,
        "location": response.getheader("Location"),
    }
    if response.status == 405 or response.getheader("Allow"):
        answer["allow"] = response.getheader("Allow")
    return answer


def plain(value, ordered=False):
    """The value with varying parts replaced. An invalid time or id stays visible."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for name, item in value.items():
        if name == "id" and isinstance(item, int):
            item = "<id>"
        elif name in VARYING and isinstance(item, str) and TIME.match(item):
            item = "<time>"
        elif name in ("next", "previous") and isinstance(item, str):
            link = urlsplit(item)
            item = [link.path, sorted(parse_qsl(link.query, keep_blank_values=True))]
        elif name == "detail" and isinstance(item, str) and item.startswith("JSON parse error - "):
            item = "JSON parse error - ..."
        elif name == "results" and isinstance(item, list) and not ordered:
            item = sorted((plain(row) for row in item), key=lambda row: json.dumps(row, sort_keys=True))
        else:
            item = plain(item)
        result[name] = item
    return result


def differences(expected, actual, ordered=False):
    """The differences from the recorded response, one per line; empty if there are none."""
    found = []
    if expected["status"] != actual["status"]:
        found.append(f"status: {expected['status']} expected, {actual['status']} got")
    wanted, got = plain(expected["json"], ordered), plain(actual["json"], ordered)
    if expected["json"] is not None and wanted != got:
        found.append(f"expected: {json.dumps(wanted, ensure_ascii=False)[:1500]}")
        found.append(f"     got: {json.dumps(got, ensure_ascii=False)[:1500]}")
    return found


class Ids:
    """Maps the ids in the recording to those that this service assigned."""

    def __init__(self):
        self.known = {}

    def learn(self, path, expected, actual):
        """Stores the pair of ids of a created row."""
        if expected["status"] == actual["status"] == 201:
            self.known[(self.resource(path), str(expected["json"]["id"]))] = str(actual["json"]["id"])

    def translate(self, path):
        """The path with the id of this service."""
        match = re.match(r"^(/backend/api/(?:v1/)?(\w+)/)(\d+)(.*)$", path)
        if not match:
            return path
        start, resource, number, rest = match.groups()
        return start + self.known.get((resource, number), number) + rest

    @staticmethod
    def resource(path):
        """`leads` or `newsletter`, for any version in the path."""
        match = re.match(r"^/backend/api/(?:v1/)?(\w+)", path)
        return match.group(1) if match else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="for example http://127.0.0.1:8000")
    parser.add_argument("recordings", help="a file of recorded requests and responses, .json or .json.gz")
    parser.add_argument("--key", default=RECORDED_KEY, help="the key of the service, if it differs from the recorded one")
    parser.add_argument("--all", action="store_true", help="also compare responses that have been overridden")
    parser.add_argument("--verbose", action="store_true", help="also print the requests of mismatches")
    options = parser.parse_args()

    opened = gzip.open if options.recordings.endswith(".gz") else open
    with opened(options.recordings, "rt", encoding="utf-8") as file:
        recordings = json.load(file)
    ids, failed, compared = Ids(), 0, 0
    for recording in recordings:
        request = dict(recording, path=ids.translate(recording["path"]))
        request["headers"] = {k: v.replace(RECORDED_KEY, options.key) for k, v in recording["headers"].items()}
        try:
            actual = answer_of(*send(options.base, request))
        except (OSError, http.client.HTTPException) as error:
            print(f"{recording['name']}: no response: {error!r}")
            sys.exit(2)
        ids.learn(recording["path"], recording["answer"], actual)
        if recording.get("override") and not options.all:
            continue
        compared += 1
        found = differences(recording["answer"], actual, recording.get("ordered", False))
        if found:
            failed += 1
            print(f"{recording['name']}: {recording['method']} {recording['path'][:200]}")
            if options.verbose:
                print(f"  headers: {recording['headers']}")
                print(f"  body: {(recording.get('body') or recording.get('body_base64') or '')[:500]}")
            for line in found:
                print(f"  {line}")
    print(f"{compared} compared, {failed} not as recorded, {len(recordings) - compared} overridden")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
