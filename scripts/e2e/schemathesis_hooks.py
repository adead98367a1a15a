"""Adjusts generated requests to rules that a schema cannot express, so that every check can
stay on."""

import itertools
import os
import re
import sys
from pathlib import Path

import schemathesis

sys.path.insert(0, str(Path(__file__).parent))
import accepted

# Different in every run, so that a database can be used several times.
UNIQUE = (f"u{os.getpid()}x{number}." for number in itertools.count())


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Replaces the plain request schemas by the exact ones."""
    # No schema says which bytes are a pdf, or which names a file may have.
    raw_schema["paths"].pop("/backend/api/v1/clients/{id}/contract/")
    for name, schema in raw_schema["components"]["schemas"].items():
        if name.endswith("Create"):
            for field, description in schema["properties"].items():
                if "maxLength" in description and field != "email":
                    LONGEST[field] = description["maxLength"]
    for path, item in raw_schema["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content")
        if content:
            name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            schema = raw_schema["components"]["schemas"][name]
            REQUIRED[path] = [
                field
                for field in schema.get("required", [])
                if schema["properties"][field].get("type") == "string" and field in LONGEST
            ]
    accepted.describe(raw_schema)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes a request before it is sent."""
    replace_forged_cursor(case)
    replace_unknown_versions(case)
    make_key_unique(case)
    if isinstance(case.body, dict):
        if case.media_type == "multipart/form-data":
            remove_names_unfit_for_headers(case.body)
        fill_texts_that_are_too_long(case.body)
        make_whole_numbers_integers(case.body)
        make_wrong_values_of_clients_wrong(case)
        make_address_unique(case)
        make_required_texts_unique(case)
        keep_last_contact(case)


def make_key_unique(case):
    """The same key with another request is 422. A text that is meant to be wrong stays. Other wrong
    texts come from generators that do not know the pattern."""
    if (case.headers or {}).get("Idempotency-Key") and case.meta.generation.mode.is_positive:
        case.headers["Idempotency-Key"] = f'"{next(UNIQUE)}"'


def replace_forged_cursor(case):
    """A cursor is encrypted: the service rejects every cursor that it did not create. A text that
    does not even look like a cursor stays; the service must reject it."""
    cursor = (case.query or {}).get("cursor")
    if isinstance(cursor, str) and re.fullmatch("[A-Za-z0-9_-]*", cursor):
        case.query["cursor"] = ""


LIST = r'\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*'


def replace_unknown_versions(case):
    """A change of a version that the row does not have is 412, and a version that the client has is
    not sent again. A text that is no list of tags stays where it is meant to be wrong; the service
    must reject it. Other wrong texts come from generators that do not know the pattern."""
    headers = case.headers or {}
    versions = headers.get("If-Match")
    is_list = isinstance(versions, str) and re.fullmatch(LIST, versions)
    if versions is not None and (is_list or case.meta.generation.mode.is_positive):
        headers["If-Match"] = "*"
    others = headers.get("If-None-Match")
    is_wrong = isinstance(others, str) and not re.fullmatch(LIST, others)
    if str(others).strip() == "*" or (is_wrong and case.meta.generation.mode.is_positive):
        headers["If-None-Match"] = '"other"'


def remove_names_unfit_for_headers(body):
    """A multipart body quotes names in a header, which may contain no control character and no
    backslash. Names in a JSON object may."""
    for name in [name for name in body if "\\" in name or not name.isprintable()]:
        del body[name]


# The longest text of each field, except addresses, in which every character counts.
LONGEST = {}
# The required texts of each resource, by the path at which it is created.
REQUIRED = {}


def fill_texts_that_are_too_long(body):
    """The service measures a text after trimming it; a schema measures it before."""
    for name, length in LONGEST.items():
        if isinstance(body.get(name), str) and len(body[name]) > length:
            body[name] = "x" * len(body[name])


def make_whole_numbers_integers(body):
    """The service reads 1.0 as the text "1.0", which contains more than digits; for JSON Schema
    it is the integer 1. The value is limited so that its text is not too long."""
    for name, value in body.items():
        if isinstance(value, float) and value.is_integer():
            body[name] = int(max(-1e15, min(value, 1e15)))


def make_wrong_values_of_clients_wrong(case):
    """The schemas of clients allow no lead and no fractions of numbers, because they cannot say which
    are right. So a lead that exists, or a fraction with two decimals, is not wrong after all."""
    if "/clients/" not in case.operation.path:
        return
    lead = str(case.body.get("lead", ""))
    if re.fullmatch(r"\s*[0-9]+\s*", lead):
        case.body["lead"] = 0
    for name in ("monthly_charge", "one_time_charge"):
        if isinstance(case.body.get(name), float):
            case.body[name] = 0.005


def make_address_unique(case):
    """A second subscription of an address is 400, and a schema cannot know that there is a first
    one."""
    email = case.body.get("email")
    if "/newsletter/" in case.operation.path and isinstance(email, str) and "@" in email:
        local, at, domain = email.rpartition("@")
        case.body["email"] = next(UNIQUE) + local[-30:].lstrip(".") + at + domain


def make_required_texts_unique(case):
    """A required text, such as the name of a tag, may have to be unique. Those of leads are not."""
    for path, fields in REQUIRED.items():
        if case.operation.path.startswith(path) and "/leads/" not in path:
            for field in fields:
                value = case.body.get(field)
                is_text = isinstance(value, (str, int, float)) and not isinstance(value, bool)
                if is_text and str(value).strip() and len(str(value)) <= LONGEST[field]:
                    case.body[field] = next(UNIQUE) + str(value)[-20:]


def keep_last_contact(case):
    """Whether a change removes the last contact of a lead depends on the lead, so no change
    removes one."""
    if "/leads/{" in case.operation.path and case.method == "PATCH":
        for name in ("email", "phone_number"):
            value = case.body.get(name, "kept")
            if value is None or isinstance(value, str) and not value.strip():
                del case.body[name]
