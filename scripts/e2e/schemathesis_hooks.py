"""What no schema can say: made-up requests are brought in line with it here, so
that every check stays on."""

import itertools
import os
import re
import sys
from pathlib import Path

import schemathesis

sys.path.insert(0, str(Path(__file__).parent))
import accepted

# Different in every run, so that a database that was used before serves again.
UNIQUE = (f"u{os.getpid()}x{number}." for number in itertools.count())


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Replaces the plain schemas of requests by those of what is accepted."""
    accepted.describe(raw_schema)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes a request before it is sent."""
    no_forged_cursor(case)
    if isinstance(case.body, dict):
        if case.media_type == "multipart/form-data":
            names_fit_into_headers(case.body)
        too_long_after_trimming(case.body)
        whole_numbers_are_integers(case.body)
        no_address_twice(case)
        no_lead_loses_its_last_contact(case)


def no_forged_cursor(case):
    """A cursor is signed: only the service makes one, and any other is refused.
    One that does not even look like a cursor stays, and has to be refused."""
    cursor = (case.query or {}).get("cursor")
    if isinstance(cursor, str) and re.fullmatch("[A-Za-z0-9_-]*", cursor):
        case.query["cursor"] = ""


def names_fit_into_headers(body):
    """In multipart a name is quoted in a header, where no control character and
    no backslash may be; a JSON object's names may have them."""
    for name in [name for name in body if "\\" in name or not name.isprintable()]:
        del body[name]


LONGEST = {"full_name": 255, "position": 255, "company_name": 255, "notes": 5000}


def too_long_after_trimming(body):
    """What surrounds a text is trimmed before it is measured; a schema measures
    it as it is sent."""
    for name, length in LONGEST.items():
        if isinstance(body.get(name), str) and len(body[name]) > length:
            body[name] = "x" * len(body[name])


def whole_numbers_are_integers(body):
    """1.0 is taken as the text "1.0", which is not only digits, but to JSON Schema
    it is the integer 1. The size is kept within what a text may have."""
    for name, value in body.items():
        if isinstance(value, float) and value.is_integer():
            body[name] = int(max(-1e15, min(value, 1e15)))


def no_address_twice(case):
    """A second subscription of an address is a 400, as the contract has it, and
    a schema knows nothing of the first."""
    email = case.body.get("email")
    if "/newsletter/" in case.operation.path and isinstance(email, str) and "@" in email:
        local, at, domain = email.rpartition("@")
        case.body["email"] = next(UNIQUE) + local[-30:].lstrip(".") + at + domain


def no_lead_loses_its_last_contact(case):
    """Whether a change takes a lead's last contact away depends on the lead."""
    if "/leads/{" in case.operation.path and case.method == "PATCH":
        for name in ("email", "phone_number"):
            value = case.body.get(name, "kept")
            if value is None or isinstance(value, str) and not value.strip():
                del case.body[name]
