"""What a person does about a task, in their language, and the page on which it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from domain.access.keys import Scope
from starter.service.attention import way_on_of
from starter.web.screens.visits import Visit
from store.views.attention import AttentionTask, Kind


class Page(NamedTuple):
    """Where tasks of a kind are dealt with: an address with {subject}, {name} or {channel}."""

    path: str
    scope: Scope


class Way(NamedTuple):
    """What to do. `path`: of the page for it, or ""; `command`: where there is no page."""

    do: str
    path: str
    command: str


_ORDER: Final = Page("app/orders/{subject}", "orders:read")
_PURCHASE: Final = Page("app/purchases/{subject}", "purchasing:read")
_SHOP: Final = Page("app/setup/shops/{name}", "sellers:read")
_PAGES: Final[Mapping[Kind, Page]] = {
    "approval": _PURCHASE,
    "purchase_order": _PURCHASE,
    "difference": Page("app/money/differences/{name}", "reconciliation:read"),
    "dispute": Page("app/money/disputes", "payments:read"),
    "provider_event": Page("app/money/open/events", "payments:read"),
    "subscription": Page("app/setup/events/{name}", "events:read"),
    "shop": _SHOP,
    "shop_levels": _SHOP,
    "shop_message": Page("app/setup/shops/{channel}", "sellers:read"),
}
"""Kind → its page; where it is about an order, that order's page comes first."""
_NOT_ORDERS: Final[frozenset[Kind]] = frozenset({"approval", "purchase_order", "edi", "difference"})
"""Their subject is no order, or the task is not dealt with on its page."""


def way_of(visit: Visit, task: AttentionTask) -> Way:
    """What to do about a task."""
    words, told = visit.words, way_on_of(task)
    key = f"do_{task.kind}"
    if task.kind == "order" and not task.allowed:
        key = f"ends_{task.name.partition(' ')[0]}"
        if not words.has(key):
            key = "ends_by_itself"
    path = _path(visit, task)
    return Way(words(key) if words.has(key) else told.do, path, "" if path else told.command)


def _path(visit: Visit, task: AttentionTask) -> str:
    page = _PAGES.get(task.kind)
    if task.subject and task.kind not in _NOT_ORDERS:
        page = _ORDER
    if page is None or not visit.person.allows(page.scope):
        return ""
    channel = task.name.partition(" ")[0]
    return page.path.format(
        subject=quote(task.subject, safe=""),
        name=quote(task.name, safe=""),
        channel=quote(channel, safe=""),
    )
