"""The OpenAPI document: what the framework writes of the routes, and what all of them have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from starter.http import problems
from starter.http.problems import Problem

_REF: Final = "#/components/schemas/{model}"
_PROBLEM: Final = {problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
_OF_THE_FRAMEWORK: Final = ("HTTPValidationError", "ValidationError")

_WHY: Final[Mapping[str, str]] = {
    "400": "The Idempotency-Key is missing, or the body is no JSON.",
    "401": "There is no API key, or it is not valid.",
    "403": "The API key lacks a scope.",
    "404": "There is no such thing, or it is not the API key's.",
    "409": "A rule says no, or the same request is still being answered.",
    "412": "The order has changed since the version that If-Match names.",
    "422": "A value cannot be used, or the Idempotency-Key was used with other content.",
    "428": "If-Match is missing.",
    "429": "Too many requests in a minute: Retry-After says when to ask again.",
    "500": "A fault of Orderloom: its log says more under the request id.",
    "default": "Why it was not done.",
}
_KEY: Final = "api_key"
_CHANGED: Final = frozenset({"412", "428"})
_NEEDED: Final = ("Idempotency-Key", "If-Match")
_TAGS: Final[Mapping[str, str]] = {
    "orders": "Orders: placed, read, listed, and asked what became of a request.",
    "aftersales": "What a customer wants after the order: cancel, send back, be paid back.",
    "holds": "What keeps an order's goods here, until somebody has looked.",
    "payments": "Money: of one order, and what needs somebody.",
    "stock": "Units on hand, their changes, and when they could arrive.",
    "catalogue": "Items and kits: what is said of SKUs.",
    "locations": "Where stock lies, and what sending from there takes.",
    "baskets": "Units held for customers at checkout.",
    "purchasing": "Suppliers, and what is bought from them.",
    "warehouse": "What is to do in a warehouse, and what was done.",
    "carriers": "Parcels under way, and what carriers say of them.",
    "customers": "The persons behind orders: shown, handed out, erased.",
    "sellers": "Who sells, and the channels that orders come from.",
    "accounting": "Documents and books.",
    "reconciliation": "Days of payment companies, compared with what is recorded.",
    "jobs": "Long work, with progress and a result for each item.",
    "operations": "What waits for a person, the audit, and the search.",
    "events": "What happened, told to other systems.",
    "webhooks": "What companies and shops send here.",
    "edi": "Documents with trading partners, in X12.",
    "access": "API keys.",
}
_TEXT_MAX: Final = 8 * 2**20
"""No text is longer than a body may be."""

_WHOLE_MAX: Final = 2**53 - 1
"""Whole numbers are those that every reader of JSON reads exactly (RFC 8259, 6)."""

_MANY: Final = 100_000
_NO_ZERO_BYTE: Final = "^[^\\u0000]*$"
_WAIT: Final = {
    "Retry-After": {
        "description": "Seconds until the next try.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_ORIGIN: Final = {
    "Access-Control-Allow-Origin": {
        "description": "For pages of an origin that the door was told to allow.",
        "schema": {"type": "string"},
    },
}
_RATE: Final = {
    "RateLimit-Policy": {
        "description": "How many requests the API key may make in how many seconds.",
        "schema": {"type": "string"},
        "example": '"key";q=600;w=60',
    },
    "RateLimit": {
        "description": "How many are left, and in how many seconds there are more.",
        "schema": {"type": "string"},
        "example": '"key";r=599;t=60',
    },
}

_USUAL: Final = {**_RATE, **_ORIGIN}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the problems that each operation may answer with, and its headers."""
    _name_plainly(document)
    schemas = document["components"]["schemas"]
    _, problem = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(problem["$defs"])
    for name in _OF_THE_FRAMEWORK:
        schemas.pop(name, None)
    document["info"]["contact"] = {"name": "The people of Orderloom"}
    document["info"]["license"] = {"name": "Not released", "identifier": "LicenseRef-none"}
    document["servers"] = [
        {"url": "/", "description": "production: where this was asked for", "x-internal": False}
    ]
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}
    document["tags"] = [{"name": tag, "description": _TAGS[tag]} for tag in sorted(used)]
    for path, method, operation in operations(document):
        # OpenAPI has scopes for OAuth alone, and tools refuse them elsewhere.
        operation["x-scopes"] = sorted(
            {scope for need in operation.get("security", ()) for scope in need[_KEY]}
        )
        operation["security"] = [{_KEY: []}]
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _given(parameter["schema"])
            if parameter["name"] in _NEEDED:  # each missing one has an answer of its own
                parameter["required"] = True
        answers = operation["responses"]
        answers.pop("422", None)
        for answer in answers.values():
            answer["headers"] = {**answer.get("headers", {}), **_named(_USUAL)}
        for status in (*_refusals(path, method, operation), *(_CHANGED & answers.keys())):
            answers[status] = {"$ref": f"#/components/responses/{_name(status)}"}
        operation["responses"] = dict(sorted(answers.items()))
    document["components"]["headers"] = {**_USUAL, **_WAIT}
    document["components"]["responses"] = {
        _name(status): {
            "description": why,
            "content": _PROBLEM,
            "headers": _named({**_USUAL, **(_WAIT if status == "429" else {})}),
        }
        for status, why in _WHY.items()
    }
    for item in document.get("webhooks", {}).values():
        operation = item["post"]
        operation["security"] = []  # the signature shows who sent it
        (content,) = operation["requestBody"]["content"].values()
        operation["requestBody"]["content"] = {"application/cloudevents+json": content}
        operation["responses"] = {"2XX": {"description": "It is taken."}}
    _bound(document)
    return document


def _name_plainly(document: dict[str, Any]) -> None:
    """Give each schema the name that programs made from the document call it by.

    The framework's names of lists and of what is given and answered in two shapes are no words of
    any language, and generators make the same class of several of them.
    """
    schemas = document["components"]["schemas"]
    names = {old: _plain(old) for old in schemas}
    document["components"]["schemas"] = {names[old]: schema for old, schema in schemas.items()}
    for name, schema in document["components"]["schemas"].items():
        if "title" in schema:
            schema["title"] = name
    _rename(document, {_REF.format(model=old): _REF.format(model=names[old]) for old in names})


def _plain(name: str) -> str:
    if name.endswith("-Input"):
        return f"Given{name.removesuffix('-Input')}"
    if name.startswith("Page_"):
        return f"PageOf{name.removeprefix('Page_').removesuffix('_')}"
    return name.removesuffix("-Output")


def _rename(part: Any, references: Mapping[str, str]) -> None:
    if isinstance(part, list):
        for one in part:
            _rename(one, references)
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            part["$ref"] = references.get(part["$ref"], part["$ref"])
        if isinstance(mapping := part.get("mapping"), dict):
            part["mapping"] = {
                value: references.get(reference, reference) for value, reference in mapping.items()
            }
        for one in part.values():
            _rename(one, references)


def _name(status: str) -> str:
    return f"Problem{status.capitalize()}"


def _named(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that was given: one that may be left out is never null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**choices[0], **rest}


def _bound(part: Any) -> None:
    """Say of each text, number and list how large it can be, where its model does not say it."""
    if isinstance(part, list):
        for one in part:
            _bound(one)
    if not isinstance(part, dict):
        return
    for name, one in part.items():
        if name not in ("example", "examples", "default"):
            _bound(one)
    is_closed = "enum" in part or "const" in part
    match part.get("type"):
        case "string" if not is_closed:
            part.setdefault("maxLength", _TEXT_MAX)
            if part.get("format") == "time":  # of a day at some place: the standard's has a zone
                part["format"] = "time-of-day"
                part["pattern"] = "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"
            if "format" not in part:
                part.setdefault("pattern", _NO_ZERO_BYTE)
        case "integer" if not is_closed:
            part.setdefault("format", "int64")
            if "exclusiveMinimum" not in part:
                part.setdefault("minimum", -_WHOLE_MAX)
            if "exclusiveMaximum" not in part:
                part.setdefault("maximum", _WHOLE_MAX)
        case "array":
            part.setdefault("maxItems", _MANY)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> list[str]:
    found = ["default", "401", "403", "429", "500"]
    if method == "post":
        found += ["400", "409"]
    if "{" in path or method == "post":
        found.append("404")
    if operation.get("parameters") or "requestBody" in operation:
        found.append("422")
    return found
