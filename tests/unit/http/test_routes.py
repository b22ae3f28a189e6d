"""What answers a request runs in the server's one loop, and not in a thread for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from starter.http import health, pages, v1
from starter.web import customer


def _called(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for needed in dependant.dependencies:
        yield from _called(needed)


def test_no_route_needs_a_thread() -> None:
    """For each request, the framework would run a plain function in a thread of its own.

    What a class makes is the framework's own, such as the scheme that reads an API key.
    """
    routes = [
        route
        for router in (health.router, pages.router, *customer.ROUTERS, *v1.ROUTERS)
        for route in router.routes
        if isinstance(route, APIRoute)
    ]
    called = {call for route in routes for call in _called(route.dependant)}
    functions = {call for call in called if inspect.isfunction(call)}
    assert len(routes) > 100
    assert len(functions) > len(routes) / 2
    plain = {call.__qualname__ for call in functions if not inspect.iscoroutinefunction(call)}
    assert not plain
