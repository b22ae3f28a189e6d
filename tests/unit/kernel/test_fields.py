"""What holds for every document from outside."""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import pytest

import domain
import starter.channels
from domain.fields import Document


def documents(kind: type[Document] = Document) -> Iterator[type[Document]]:
    """Every kind of document that any module declares."""
    for inner in kind.__subclasses__():
        yield inner
        yield from documents(inner)


@pytest.fixture(scope="module", autouse=True)
def _all_modules() -> None:
    for package in (domain, starter.channels):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _unions(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _unions(get_args(kind)[0])
        return
    if get_origin(kind) in (Union, types.UnionType):
        yield tuple(part for part in get_args(kind) if part is not types.NoneType)
    for part in get_args(kind):
        yield from _unions(part)


def test_no_field_is_one_of_two_kinds() -> None:
    # The library names each kind that it tried as if it were a field, with its validators' names.
    found = list(documents())
    assert len(found) > 20
    for model in found:
        for name, field in model.model_fields.items():
            for kinds in _unions(field.annotation):
                assert len(kinds) == 1, f"{model.__name__}.{name} is one of {kinds}"
