"""What is written down about a customer, that two are one, and that one is erased: forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.customers.care import ConsentWord, NewNote
from domain.errors import Refused
from domain.fields import Document, Reason
from starter.service.customers import Part
from starter.service.service import Records
from starter.web.desk.customers import part_of, show
from starter.web.screens.forms import NotAsked, Said, met
from starter.web.screens.once import once
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Writes = Annotated[Visit, may("customers:read", "customers:write")]
_LISTED: Final = 50


class _Why(Document):
    reason: Reason


@router.post("/app/customers/{customer_id}/notes")
async def note(visit: Writes, customer_id: str) -> Response:
    """Write a note about them."""

    async def work(here: Records) -> None:
        fields = {name: visit.field(name) for name in ("note", "contact")}
        about = {"order_id": visit.field("order_id")} if visit.field("order_id") else {}
        new = NewNote.model_validate({**fields, **about})
        await here.customer_care.note(customer_id, new, who=visit.person.who)

    return await _met(visit, customer_id, "customer_noted", work)


@router.post("/app/customers/{customer_id}/consent")
async def consent(visit: Writes, customer_id: str) -> Response:
    """Keep what they wish to be told."""

    async def work(here: Records) -> None:
        word = ConsentWord.model_validate(
            {
                "kind": visit.field("kind"),
                "given": visit.field("given") == "yes",
                "how": visit.field("how"),
            }
        )
        await here.customer_care.say(customer_id, word, who=visit.person.who)

    return await _met(visit, customer_id, "customer_said", work)


@router.post("/app/customers/{customer_id}/merge")
async def merge(visit: Writes, customer_id: str) -> Response:
    """Say that another customer is the same person: that one is shown here from now on."""

    async def work(here: Records) -> None:
        why = _Why(reason=visit.field("reason")).reason
        other = visit.field("other")
        await here.customer_pages.check_seen(other)
        await here.customer_care.merge(other, customer_id, who=visit.person.who, why=why)

    return await _met(visit, customer_id, "customer_merged", work)


@router.post("/app/customers/{customer_id}/unmerge")
async def unmerge(visit: Writes, customer_id: str) -> Response:
    """Say that they are two, as before."""

    async def work(here: Records) -> None:
        why = _Why(reason=visit.field("reason")).reason
        await here.customer_care.unmerge(visit.field("other"), who=visit.person.who, why=why)

    return await _met(visit, customer_id, "customer_parted", work)


@router.get("/app/customers/{customer_id}/erase")
async def erase_page(visit: Writes, customer_id: str) -> Response:
    """What would be erased, and what stays."""
    return await _erase(visit, customer_id)


@router.post("/app/customers/{customer_id}/erase")
async def erase(visit: Writes, customer_id: str) -> Response:
    """Erase them. Asked for again, it says the same of what is left."""
    part = part_of(visit)
    await visit.here.customer_pages.check_seen(customer_id, part=part)
    if visit.field("sure") != customer_id:
        told = [visit.words("not_sure", customer=customer_id)]
        return await _erase(visit, customer_id, status=422, trouble=told)
    try:
        why = _Why(reason=visit.field("reason")).reason
    except ValueError as wrong:
        return await _erase(visit, customer_id, status=422, trouble=in_words(visit.words, wrong))
    try:
        done = await visit.here.customers.erase(
            customer_id, who=visit.person.who, why=why, part=part
        )
    except Refused as no:
        return await _erase(visit, customer_id, status=409, trouble=in_words(visit.words, no))
    return visit.show("desk/customer_erased", customer_id=customer_id, done=done)


async def _erase(
    visit: Visit, customer_id: str, *, status: int = 200, trouble: Sequence[str] = ()
) -> Response:
    part = part_of(visit)
    await visit.here.customer_pages.check_seen(customer_id, part=part)
    orders = await visit.here.customers.orders_of(customer_id, part=part, at_most=_LISTED + 1)
    return visit.show(
        "desk/customer_erase",
        status=status,
        trouble=trouble,
        customer_id=customer_id,
        orders=orders[:_LISTED],
        are_more=len(orders) > _LISTED,
        is_whole=part.is_all,
        said=Said.of(visit.sent),
    )


async def _met(
    visit: Visit, customer_id: str, done: str, work: Callable[[Records], Awaitable[Any]]
) -> Response:
    """Meet a form about a person as a whole. Raises NotFound for one who is not theirs."""
    part = part_of(visit)
    await visit.here.customer_pages.check_seen(customer_id, part=part)

    async def told(records: Records) -> str:
        await work(records)
        return done

    async def act() -> str:
        if part != Part():
            raise NotAsked("only_a_part")
        return await once(visit, told)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await show(visit, customer_id, status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, f"app/customers/{quote(customer_id)}", again)
