"""JSON Schemas of exactly what the service accepts.

The schemas in the OpenAPI document are plainer, because client generators cannot use patterns.
Generated requests are checked against these schemas instead, and are also sent as forms."""

import copy

# Content of regular expression classes: the characters that are trimmed, and the characters
# that are not allowed after trimming.
SPACE = r"\t\n\x0b\x0c\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
# Superscripts are digits too. There are too many digits of other scripts to list them.
DIGIT = r"0-9\xb2\xb3\xb9\u2070\u2074-\u2079\u2080-\u2089"

OUTER = f"[^{SPACE}{CONTROL}<>]"
INNER = f"[^{CONTROL}<>]"
OUTER_LETTER = f"[^{SPACE}{CONTROL}<>{DIGIT}]"
INNER_LETTER = f"[^{CONTROL}<>{DIGIT}]"
LABEL = f"{OUTER}{INNER}*{OUTER}"
# Contains at least one character that is not a digit.
NAME = (
    f"(?:{OUTER_LETTER}{INNER}*{OUTER}|{OUTER}{INNER}*{OUTER_LETTER}"
    f"|{OUTER}{INNER}*{INNER_LETTER}{INNER}*{OUTER})"
)
PHONE = r"\+?[0-9]{7,15}"
TEXT = f"[^{CONTROL}]*"
AMOUNT = r"(?:0*[0-9]{1,8}(?:\.[0-9]{1,2})?|-0+(?:\.0{1,2})?)"
YES_AND_NO = ["true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"]


def trimmed(pattern, **more):
    return {"type": "string", "pattern": f"^[{SPACE}]*{pattern}[{SPACE}]*$", **more}


def in_any_case(word):
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word)


NULL = {"type": "null"}
BLANK = trimmed("")
EMAIL = {"type": "string", "format": "email", "maxLength": 254}
# The service accepts a number as its text. A number of one digit is too short for a label, and
# an integer is not a valid name.
FRACTION = {"type": "number", "not": {"type": "integer"}}
BELOW_ZERO = {"type": "number", "exclusiveMaximum": 0}
LONG_NUMBER = [FRACTION, BELOW_ZERO, {"type": "number", "minimum": 10}]
# Fractions of numbers cannot be limited to two decimals exactly, so generated ones are whole.
CHARGE = [trimmed(AMOUNT), {"type": "integer", "minimum": 0, "maximum": 99_999_999}, BLANK, NULL]
PHONE_DIGITS = {"type": "integer", "minimum": 1_000_000, "maximum": 999_999_999_999_999}

# For each field, the schemas of which its value must match one.
FIELDS = {
    "full_name": [trimmed(NAME, maxLength=255), FRACTION, BELOW_ZERO],
    "position": [trimmed(LABEL, maxLength=255), *LONG_NUMBER],
    "company_name": [trimmed(f"(?:{LABEL})?", maxLength=255), *LONG_NUMBER, NULL],
    "phone_number": [trimmed(PHONE), BLANK, PHONE_DIGITS, NULL],
    "notes": [trimmed(TEXT, maxLength=5000), {"type": "number"}, NULL],
    # Which leads exist, and which of them are clients, a schema cannot know.
    "lead": [BLANK, NULL],
    "monthly_charge": CHARGE,
    "one_time_charge": CHARGE,
    "short_description": [trimmed(TEXT, maxLength=5000), {"type": "number"}],
    "is_subscribed": [
        {"type": "boolean"},
        {"type": "string", "pattern": f"^(?:{'|'.join(map(in_any_case, YES_AND_NO))})$"},
        {"type": "integer", "enum": [0, 1]},
    ],
}
EMAILS = {"Lead": [EMAIL, BLANK, NULL], "Subscriber": [EMAIL]}
NOT_BLANK = {"not": {"anyOf": [NULL, BLANK]}}


def texts(plain):
    """The exact schemas of a field that is an ordinary text; those of other fields are exact."""
    kinds = plain.get("type")
    is_nullable = isinstance(kinds, list) and "null" in kinds
    if "enum" in plain or "format" in plain or "maxLength" not in plain:
        return [plain]
    text = f"[^{SPACE}{CONTROL}](?:[^{CONTROL}]*[^{SPACE}{CONTROL}])?"
    exact = [trimmed(text, maxLength=plain["maxLength"]), {"type": "number"}]
    return exact + [BLANK, NULL] if is_nullable else exact


def accepted(name, schema):
    """The exact schema of a JSON body, made from the plain one in the document."""
    schema = copy.deepcopy(schema)
    for field, plain in schema["properties"].items():
        resource = name.removesuffix("Create").removesuffix("Update")
        schemas = EMAILS[resource] if field == "email" else FIELDS.get(field) or texts(plain)
        schema["properties"][field] = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    if name == "LeadCreate":
        # At least one of the two is required and not blank.
        schema["anyOf"] = [
            {"required": [field], "properties": {field: NOT_BLANK}}
            for field in ("email", "phone_number")
        ]
    return schema


def form(schema):
    """The same schema for a form: all values are texts, and an empty choice counts as missing."""
    schema = copy.deepcopy(schema)
    for field, value in schema["properties"].items():
        texts = [text for text in value.get("anyOf", [value]) if text.get("type") == "string"]
        if field == "is_subscribed":
            texts.append({"type": "string", "maxLength": 0})
        for text in texts:
            if "enum" in text:
                text["enum"].append("")
        schema["properties"][field] = texts[0] if len(texts) == 1 else {"anyOf": texts}
    return schema


# A time in a query; an empty one does not filter.
TIME = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "maxLength": 0},
    ]
}


def describe(document):
    """Replaces the schemas in a document by the exact ones, and adds forms in addition to JSON."""
    schemas = document["components"]["schemas"]
    for name in [name for name in schemas if name.endswith(("Create", "Update"))]:
        schemas[name] = accepted(name, schemas[name])
        schemas[f"{name}Form"] = form(schemas[name])
    operations = (operation for item in document["paths"].values() for operation in item.values())
    for operation in operations:
        for parameter in operation.get("parameters", []):
            if parameter["name"] in ("created_after", "created_before"):
                parameter["schema"] = TIME
        content = operation.get("requestBody", {}).get("content", {})
        # An upload is a form only.
        if "application/json" in content:
            reference = content["application/json"]["schema"]["$ref"] + "Form"
            for media_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
                content[media_type] = {"schema": {"$ref": reference}}
