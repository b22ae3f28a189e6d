"""What a person does about a task, in their language, and the page on which it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from domain.access.keys import Scope
from domain.staff.people import Person, Staff
from domain.staff.roles import MAY, ROLES
from starter.service.attention import way_on_of
from starter.web.screens.to_do import TO_DO
from starter.web.screens.visits import Visit
from store.views.attention import AttentionTask, For, Kind


class Page(NamedTuple):
    """Where tasks of a kind are dealt with: an address with {subject}, {name} or {channel}.

    `scope`: to see it. What it takes to deal with them there: `TO_DO`.
    """

    path: str
    scope: Scope


class Way(NamedTuple):
    """What to do. `path`: of the page for it, or ""; `command`: where there is no page.

    `roles`: who may do it, where the reader may not; "": they may.
    """

    do: str
    path: str
    command: str
    roles: str


_ORDER: Final = Page("app/orders/{subject}", "orders:read")
_PURCHASE: Final = Page("app/purchases/{subject}", "purchasing:read")
_SHOP: Final = Page("app/setup/shops/{name}", "sellers:read")
_PAGES: Final[Mapping[Kind, Page]] = {
    "approval": _PURCHASE,
    "purchase_order": _PURCHASE,
    "purchase_answer": _PURCHASE,
    "purchase_document": _PURCHASE,
    "carrier_claim": Page("app/money/claims?order={subject}", "carriers:read"),
    "difference": Page("app/money/differences/{name}", "reconciliation:read"),
    "dispute": Page("app/money/disputes", "payments:read"),
    "provider_event": Page("app/money/open/events", "payments:read"),
    "subscription": Page("app/setup/events/{name}", "events:read"),
    "shop": _SHOP,
    "shop_levels": _SHOP,
    "shop_message": Page("app/setup/shops/{channel}", "sellers:read"),
}
"""Kind → its page; where it is about an order, that order's page comes first."""
_NOT_ORDERS: Final[frozenset[Kind]] = frozenset(
    {
        *("approval", "purchase_order", "purchase_answer", "purchase_document"),
        *("carrier_claim", "edi", "difference"),
    }
)
"""Their subject is no order, or the task is not dealt with on its page."""


def way_of(visit: Visit, task: AttentionTask) -> Way:
    """What to do about a task."""
    words, told = visit.words, way_on_of(task)
    key = f"do_{task.kind}"
    if task.kind == "order" and not task.allowed:
        key = f"ends_{task.name.partition(' ')[0]}"
        if not words.has(key):
            key = "ends_by_itself"
    page = _page(task)
    path = "" if page is None else _path(visit, task, page)
    roles = _roles(visit, task)
    do = words(key) if words.has(key) else told.do
    return Way(do, path, "" if path or roles else told.command, roles)


def theirs(person: Person) -> For | None:
    """What somebody can do; None: all that there is."""
    kinds = frozenset(kind for kind, scopes in TO_DO.items() if person.allows(*scopes))
    return None if len(kinds) == len(TO_DO) else For(kinds, person.login)


def can_do(one: Staff, task: AttentionTask) -> bool:
    """Whether somebody sees a task, and may deal with it."""
    is_there = task.location is None or one.locations is None or task.location in one.locations
    return is_there and {"orders:read", "operations:read", *TO_DO[task.kind]} <= {*one.scopes}


def _page(task: AttentionTask) -> Page | None:
    if task.subject and task.kind not in _NOT_ORDERS:
        return _ORDER
    return _PAGES.get(task.kind)


def _roles(visit: Visit, task: AttentionTask) -> str:
    """Who may deal with it, where the reader may not: admins only if nobody else."""
    needs = TO_DO[task.kind]
    if visit.person.allows(*needs):
        return ""
    able = [role for role in ROLES if MAY[role].issuperset(needs)]
    named = [role for role in able if role != "admin"] or able
    return ", ".join(visit.words(f"role_{role}") for role in named)


def _path(visit: Visit, task: AttentionTask, page: Page) -> str:
    if not visit.person.allows(page.scope):
        return ""
    channel = task.name.partition(" ")[0]
    return page.path.format(
        subject=quote(task.subject, safe=""),
        name=quote(task.name, safe=""),
        channel=quote(channel, safe=""),
    )
