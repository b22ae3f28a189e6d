"""Vouchers and gift cards: listed, issued, extended, blocked, and given another code."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, get_args
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import InvalidInput, NotFound, Refused, Unreachable
from domain.fields import Day, Document, Reason
from domain.payments.value_requests import IssueRequest
from domain.payments.vouchers import CodeKind, ToIssue, Voucher, VoucherState
from starter.web.money.parts import (
    check_known,
    chosen_of,
    names_of,
    own_sellers,
    sellers_of,
    show,
)
from starter.web.screens.addresses import PAGE, onward, place_in
from starter.web.screens.forms import by_field, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may
from store.payments.vouchers import Coded

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("payments:read")]
Writes = Annotated[Visit, may("payments:read", "payments:write")]
_AT: Final = "app/money/vouchers"
_KINDS: Final[tuple[CodeKind, ...]] = get_args(CodeKind)
_STATES: Final[tuple[VoucherState, ...]] = get_args(VoucherState)
_CUSTOMER_MAX: Final = 200
_FIELDS: Final = ("kind", "amount", "currency", "reason", "seller", "customer", "valid_through")


class _Change(Document):
    reason: Reason


class _Extension(_Change):
    valid_through: Day


@router.get("/app/money/vouchers")
async def vouchers(
    visit: Reads, kind: str = "", state: str = "", customer: str = "", after: str = ""
) -> Response:
    """The newest first. They are a seller's: who is for some channels alone sees none."""
    chosen: CodeKind | None = next((one for one in _KINDS if one == kind), None)
    wanted: VoucherState | None = next((one for one in _STATES if one == state), None)
    of = customer.strip()[:_CUSTOMER_MAX] if visit.person.allows("customers:read") else ""
    place = place_in(after, datetime, str)
    found = await visit.here.vouchers.list(
        kind=chosen,
        state=wanted,
        customer_id=of or None,
        sellers=_sellers(visit),
        after=None if place is None else (place[0], place[1]),
        at_most=PAGE + 1,
    )
    filters = {"kind": chosen or "", "state": wanted or "", "customer": of}
    rows, more = onward(found, filters, lambda one: (one.issued_at, one.voucher_id))
    return show(
        visit,
        "vouchers",
        vouchers=rows,
        more=more,
        filters=filters,
        kinds=[(one, visit.words(f"voucher_{one}")) for one in _KINDS],
        states=[(one, visit.words(f"voucher_{one}")) for one in _STATES],
        may_write=visit.person.allows("payments:write"),
    )


@router.get("/app/money/vouchers/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _form(visit)


@router.post("/app/money/vouchers/new")
async def issue(visit: Writes) -> Response:
    """Issue it. Its code is shown on the page that answers, and nowhere else."""
    said: dict[str, Any] = {name: visit.field(name) for name in _FIELDS if visit.field(name)}
    try:
        if "amount" in said:
            said["amount"] = visit.amount("amount")
        asked = IssueRequest.model_validate({**said, "single_use": bool(visit.field("single_use"))})
        if visit.person.grant.channels is not None:
            raise Refused("a voucher is of no channel", reason="of_all_channels")
        known = await sellers_of(visit)
        whose = chosen_of(known, asked.seller or "") or (known[0] if len(known) == 1 else None)
        if whose is None:
            raise InvalidInput(visit.words("say_seller"), where="seller")
        if asked.customer is not None:
            await check_known(visit, asked.customer)
        wanted = ToIssue(
            kind=asked.kind,
            amount=asked.money,
            seller=whose.seller,
            customer_id=asked.customer,
            valid_through=asked.valid_through,
            single_use=asked.single_use,
        )
        made = await visit.here.vouchers.issue(
            visit.field("request_id"),
            wanted,
            sellers=own_sellers(visit),
            who=visit.person.who,
            why=asked.reason,
        )
    except (ValidationError, InvalidInput) as wrong:
        visit.faults = by_field(visit.words, wrong)
        return await _form(visit, status=422, trouble=in_words(visit.words, wrong))
    except (Refused, NotFound) as no:
        return await _form(visit, status=409, trouble=in_words(visit.words, no))
    except Unreachable:  # It may be issued: the form that is sent again is the same request.
        return await _form(visit, status=503, trouble=[visit.words("not_known")])
    return _once(visit, made)


@router.get("/app/money/vouchers/{voucher_id}")
async def voucher(visit: Reads, voucher_id: str, done: str = "") -> Response:
    """All but its code, and what happened to it."""
    return await _one(visit, voucher_id, told=told_by(visit, done))


@router.post("/app/money/vouchers/{voucher_id}/extend")
async def extend(visit: Writes, voucher_id: str) -> Response:
    """Make it valid through another day: what has expired of it is owed again."""

    async def act() -> str:
        said = {name: visit.field(name) for name in ("reason", "valid_through")}
        asked = _Extension.model_validate(said)
        await visit.here.vouchers.extend(
            *(visit.field("request_id"), voucher_id, asked.valid_through),
            who=visit.person.who,
            why=asked.reason,
        )
        return "voucher_extended"

    return await _met(visit, voucher_id, act)


@router.post("/app/money/vouchers/{voucher_id}/block")
async def block(visit: Writes, voucher_id: str) -> Response:
    """Let no further order spend any of it, or let them again."""
    on = visit.field("on") == "1"

    async def act() -> str:
        asked = _Change.model_validate({"reason": visit.field("reason")})
        await visit.here.vouchers.block(
            *(visit.field("request_id"), voucher_id), on=on, who=visit.person.who, why=asked.reason
        )
        return "voucher_blocked" if on else "voucher_unblocked"

    return await _met(visit, voucher_id, act)


@router.post("/app/money/vouchers/{voucher_id}/code")
async def draw_code(visit: Writes, voucher_id: str) -> Response:
    """Give it another code, which ends the one before."""
    await _mine(visit, voucher_id)
    try:
        asked = _Change.model_validate({"reason": visit.field("reason")})
        made = await visit.here.vouchers.new_code(
            visit.field("request_id"), voucher_id, who=visit.person.who, why=asked.reason
        )
    except ValidationError as wrong:
        visit.faults = by_field(visit.words, wrong)
        return await _one(visit, voucher_id, status=422, trouble=in_words(visit.words, wrong))
    except Refused as no:
        return await _one(visit, voucher_id, status=409, trouble=in_words(visit.words, no))
    return _once(visit, made)


async def _met(visit: Visit, voucher_id: str, act: Callable[[], Awaitable[str]]) -> Response:
    await _mine(visit, voucher_id)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _one(visit, voucher_id, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}/{quote(voucher_id)}", again)


def _sellers(visit: Visit) -> list[str] | None:
    return own_sellers(visit) if visit.person.grant.channels is None else []


async def _mine(visit: Visit, voucher_id: str) -> Voucher:
    """Raises NotFound, alike for one of another seller's."""
    found = await visit.here.vouchers.get(voucher_id)
    if not visit.person.grant.sees(None, found.seller):
        raise NotFound(f"there is no voucher or gift card {voucher_id}")
    return found


async def _one(
    visit: Visit,
    voucher_id: str,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    found = await _mine(visit, voucher_id)
    return show(
        visit,
        "voucher",
        status=status,
        told=told,
        trouble=trouble,
        one=found,
        story=(await visit.here.vouchers.history(voucher_id, at_most=PAGE))[::-1],
        with_person=visit.person.allows("customers:read"),
        may_write=visit.person.allows("payments:write"),
        said={name: visit.field(name) for name in ("reason", "valid_through")},
        request_id=f"screen-{uuid.uuid4().hex}",
    )


async def _form(visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()) -> Response:
    known = await sellers_of(visit)
    return show(
        visit,
        "new_voucher",
        status=status,
        trouble=trouble,
        said={name: visit.field(name) for name in (*_FIELDS, "single_use")},
        kinds=[(one, visit.words(f"voucher_{one}")) for one in _KINDS],
        sellers=names_of(known),
        request_id=visit.field("request_id") or f"screen-{uuid.uuid4().hex}",
    )


def _once(visit: Visit, made: Coded) -> Response:
    """The page with its code; a form that is sent twice is told that the code was told."""
    if made.code is None:
        return visit.lead(f"{_AT}/{quote(made.voucher.voucher_id)}?done=code_told")
    return show(visit, "code_once", one=made.voucher, code=made.code)
