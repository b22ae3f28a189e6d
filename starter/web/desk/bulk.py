"""The same for many orders: those that were ticked, or all that match. A job does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response

from domain.jobs.jobs import NEEDS, OF_STAFF, Maker
from domain.jobs.options import ITEMS_MAX, OPTIONS, PRINTED_MAX, Print
from domain.views.order_filters import OrderFilters
from starter.web.desk.listing import Asked
from starter.web.desk.many import ACTS, HOLD_REASONS, Act
from starter.web.desk.order_list import asked_of, filter_told, not_applied
from starter.web.screens.forms import NotAsked, met
from starter.web.screens.visits import Elsewhere, ScreenRoute, Visit, apart, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_JOB_ID: Final = re.compile(r"job_[a-z0-9]{20}")
_LOOKS_MAX: Final = 5
_NAMED_MAX: Final = 1_000
_SHOWN_MAX: Final = 20


class Chosen(NamedTuple):
    """What was chosen in a list. `order_ids`: None is all that match. `is_more`: than `found`."""

    asked: Asked
    order_ids: Sequence[str] | None
    found: int
    is_more: bool


@router.get("/app/orders/bulk")
async def confirm(visit: Annotated[Visit, may("orders:read")]) -> Response:
    """How many and what, before anything is done."""
    query = visit.request.query_params
    act = _act(visit, query.get("act", ""))
    if query.get("all") != "1" and not any(query.getlist("order")):
        asked = await asked_of(visit, query)
        return visit.lead(f"app/orders?{asked.query(done='none_ticked')}")
    return await _page(visit, act, query, visit.here.jobs.new_id())


@router.post("/app/orders/bulk")
async def begin(visit: Annotated[Visit, may("orders:read")]) -> Response:
    """Make the job; the form has its id, so a form that is sent twice makes one."""
    act = _act(visit, visit.field("act"))
    query = QueryParams(visit.field("chosen"))
    job_id = visit.field("job_id")

    async def made() -> str:
        chosen = await _chosen(visit, query)
        if _JOB_ID.fullmatch(job_id) is None or chosen.asked.wrong:
            raise NotAsked("bad_form")
        if chosen.order_ids is not None and not chosen.order_ids:
            raise NotAsked("many_none")
        options = _options(visit, ACTS[act], chosen)
        await visit.here.jobs.make(job_id, ACTS[act].kind, options, maker_of(visit))
        return "job_made"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, act, query, job_id, status=status, trouble=trouble)

    return await met(visit, made, f"app/jobs/{job_id}", again)


def maker_of(visit: Visit) -> Maker:
    """Who makes a job, and what they see."""
    person = visit.person
    limits = {
        "channels": person.grant.channels,
        "sellers": person.grant.sellers,
        "locations": person.locations,
    }
    return Maker(
        person.who,
        f"{OF_STAFF}{person.login}",
        **{name: None if some is None else tuple(sorted(some)) for name, some in limits.items()},
    )


def _act(visit: Visit, name: str) -> str:
    """Raises Elsewhere for what is none, or is not theirs to do."""
    if name not in ACTS:
        raise Elsewhere(apart(visit.request, 422, visit.words("many_what")))
    lacking = NEEDS[ACTS[name].kind] - visit.person.grant.scopes
    if lacking:
        why = visit.words("may_not", scopes=", ".join(sorted(lacking)))
        raise Elsewhere(apart(visit.request, 403, why))
    return name


async def _chosen(visit: Visit, query: QueryParams) -> Chosen:
    asked = await asked_of(visit, query)
    if query.get("all") != "1":
        named = [one for one in dict.fromkeys(query.getlist("order")) if 0 < len(one) <= 200]
        return Chosen(asked, named[:_NAMED_MAX], len(named), is_more=len(named) > _NAMED_MAX)
    found, start = 0, None
    for _ in range(_LOOKS_MAX):
        page = await visit.here.orders.listed(
            asked.filters, **asked.whose, start=start, at_most=_NAMED_MAX + 1 - found
        )
        found += len(page.orders)
        if page.looked_until is None or found > _NAMED_MAX:
            break
        start = page.looked_until.order_id
    else:
        return Chosen(asked, None, found, is_more=True)
    return Chosen(asked, None, min(found, _NAMED_MAX), is_more=found > _NAMED_MAX)


def _options(visit: Visit, act: Act, chosen: Chosen) -> Any:
    said: dict[str, Any] = {name: visit.field(name) for name in act.asks}
    if chosen.order_ids is not None:
        return OPTIONS[act.kind].model_validate({**said, "order_ids": chosen.order_ids})
    if chosen.asked.is_of_all:
        raise NotAsked("many_of_all")
    where: OrderFilters = chosen.asked.filters
    told = where.model_dump(mode="json", exclude_none=True)
    return OPTIONS[act.kind].model_validate({**said, "where": told})


async def _page(
    visit: Visit,
    act: str,
    query: QueryParams,
    job_id: str,
    *,
    status: int = 200,
    trouble: Sequence[str] = (),
) -> Response:
    chosen = await _chosen(visit, query)
    is_print = OPTIONS[ACTS[act].kind] is Print
    told = [*trouble, *not_applied(visit, chosen.asked)]
    if chosen.order_ids is None and chosen.asked.is_of_all and not trouble:
        told.append(visit.words("many_of_all"))
    return visit.show(
        "desk/bulk",
        status=status,
        trouble=told,
        act=act,
        asks=ACTS[act].asks,
        reasons=[(one, visit.words(f"hold_{one}")) for one in HOLD_REASONS],
        chosen=chosen,
        named=list(chosen.order_ids or ())[:_SHOWN_MAX],
        filters=filter_told(visit, chosen.asked),
        at_most=PRINTED_MAX if is_print else ITEMS_MAX,
        query=str(query),
        job_id=job_id,
        said={name: visit.field(name) for name in ("reason", "note")},
        may_begin=not chosen.asked.wrong
        and bool(chosen.found)
        and not (chosen.order_ids is None and chosen.asked.is_of_all),
    )
