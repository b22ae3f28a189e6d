"""Orders, the newest first. All that a list shows is in its address, so Back and reload keep it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response

from starter.web.desk.columns import BY_NAME, Row, ask_more, columns_for
from starter.web.desk.listing import CHOICES, Asked, asked_by, day_of, heads_of, label, listed
from starter.web.desk.many import acts_for
from starter.web.screens.forms import told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.reads import OrderSummary

_NOTHING: Final = "none_ticked"
"""As an address says that nothing was done, because nothing was ticked."""
router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/orders")
async def orders(visit: Annotated[Visit, may("orders:read")], done: str = "") -> Response:
    """Those of one's channels and sellers that match every filter of the address."""
    asked = await asked_of(visit)
    found = await listed(visit, asked)
    rows = await rows_of(visit, asked, found.orders)
    return visit.show(
        "desk/orders",
        told="" if done == _NOTHING else told_by(visit, done),
        trouble=[*_nothing_done(visit, done), *not_applied(visit, asked)],
        views=await visit.here.saved_views.seen_by(visit.person.login),
        label=partial(label, visit.words),
        is_day=lambda text: not text or day_of(text) is not None,
        asked=asked,
        found=found,
        heads=heads_of(visit, asked),
        rows=[
            (row.order, [BY_NAME[x].shown(row, visit.words) for x in asked.columns]) for row in rows
        ],
        acts=[(name, visit.words(f"many_{name}")) for name in acts_for(visit)],
        **await _to_choose(visit, asked),
    )


def _nothing_done(visit: Visit, done: str) -> list[str]:
    return [told_by(visit, done)] if done == _NOTHING else []


async def asked_of(visit: Visit, query: QueryParams | None = None) -> Asked:
    """What an address asks a list for: that of this visit, or another one."""
    asked = visit.request.query_params if query is None else query
    return asked_by(visit, asked, await channels_of(visit))


def not_applied(visit: Visit, asked: Asked) -> list[str]:
    """Which filters of an address were not understood, a sentence each."""
    words = visit.words
    return [words("filter_is_wrong", filter=label(words, "filter", name)) for name in asked.wrong]


def filter_told(visit: Visit, asked: Asked) -> list[tuple[str, str]]:
    """Which filters are applied: what each is called, and what was chosen."""
    words = visit.words
    told = []
    for name, text in asked.said.items():
        key = f"{'order' if name == 'state' else name}_{text}"
        if text:
            value = "" if name in ("needs", "held") else text
            told.append((label(words, "filter", name), words(key) if name in CHOICES else value))
    return told


async def rows_of(visit: Visit, asked: Asked, found: Sequence[OrderSummary]) -> list[Row]:
    """Orders of a list with what their columns say."""
    more: Any = {}
    if ask_more(asked.columns) and found:
        more = await visit.here.orders.told_of([one.order_id for one in found])
    return [Row(one, more.get(one.order_id)) for one in found]


async def channels_of(visit: Visit) -> list[str]:
    """Those that somebody sees."""
    only = visit.person.grant.channels
    known = [one.channel for one in await visit.here.channels.list()]
    return [one for one in known if only is None or one in only]


async def _to_choose(visit: Visit, asked: Asked) -> dict[str, Any]:
    """What each filter can be, with its sentence, and which columns there are."""
    words, here, grant = visit.words, visit.here, visit.person.grant
    choices = {
        name: [(one, words(f"{'order' if name == 'state' else name}_{one}")) for one in all_]
        for name, all_ in CHOICES.items()
    }
    channels = [
        one
        for one in await here.channels.list()
        if grant.channels is None or one.channel in grant.channels
    ]
    sellers = [
        one
        for one in await here.sellers.list()
        if grant.sellers is None or one.seller in grant.sellers
    ]
    locations = [
        one.location
        for one in await here.locations.list()
        if visit.person.works_at(one.location)
        and (grant.sellers is None or one.seller in grant.sellers)
    ]
    # Where orders go that somebody does not see is not theirs to know.
    countries = words.countries() if grant.is_restricted else await here.orders.countries()
    codes = {
        "channel": [one.channel for one in channels],
        "seller": [one.seller for one in sellers],
        "location": _with(locations, asked.said["location"]),
    }
    by_name = sorted((words.country(x), x) for x in _with(countries, asked.said["country"].upper()))
    return {
        "choices": {
            **choices,
            **{name: [(x, x) for x in all_] for name, all_ in codes.items()},
            "country": [(code, name) for name, code in by_name],
        },
        "currencies": sorted(
            {
                *(x for one in channels for x in one.currencies or ()),
                *(one.currency for one in sellers if one.currency),
            }
        ),
        "columns": columns_for(visit.person),
    }


def _with(choices: Sequence[str], said: str) -> list[str]:
    """The choices, with what an address has chosen that is not there any more."""
    return [*choices, said] if said and said not in choices else list(choices)
