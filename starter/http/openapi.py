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
    "422": "A value cannot be used, or the Idempotency-Key was used with other content.",
    "429": "Too many requests in a minute: Retry-After says when to ask again.",
    "default": "Why it was not done.",
}
_WAIT: Final = {
    "Retry-After": {
        "description": "Seconds until the next try.",
        "schema": {"type": "integer", "minimum": 1},
    }
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


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the problems that each operation may answer with, and its headers."""
    schemas = document["components"]["schemas"]
    _, problem = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(problem["$defs"])
    for name in _OF_THE_FRAMEWORK:
        schemas.pop(name, None)
    for path, method, operation in operations(document):
        answers = operation["responses"]
        answers.pop("422", None)
        for status in _refusals(path, method, operation):
            answers[status] = {"description": _WHY[status], "content": _PROBLEM}
        for status, answer in answers.items():
            if status in ("412", "428"):
                answer["content"] = _PROBLEM
            if operation.get("security"):
                answer["headers"] = {**answer.get("headers", {}), **_RATE}
            if status == "429":
                answer["headers"] |= _WAIT
        operation["responses"] = dict(sorted(answers.items()))
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> list[str]:
    found = ["default"]
    if operation.get("security"):
        found += ["401", "403", "429"]
    if method == "post":
        found += ["400", "409"]
    if "{" in path or method == "post":
        found.append("404")
    if operation.get("parameters") or "requestBody" in operation:
        found.append("422")
    return found
