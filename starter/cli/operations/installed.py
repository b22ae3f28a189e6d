"""Modules of an extra of the package, which a worker and most commands go without."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from domain.errors import InvalidInput


def installed(module: str) -> Any:
    """A module of the servers. Raises InvalidInput that says how to install what it needs."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"{error.name} is not installed: pip install 'orderloom[server]'"
        ) from error
