"""Vouchers and gift cards: issued, looked up, extended and blocked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import CustomerId
from domain.payments.vouchers import CodeKind, ToIssue, Voucher, VoucherState
from starter.http.callers import Caller, Limiter, may
from starter.http.once import Keyed, Once
from starter.http.paging import Page, Paged
from starter.http.problems import ProblemError
from starter.http.reading import StrictRoute
from starter.http.shown_money import ShownOperation, operation_of
from starter.http.shown_vouchers import (
    CHANGE_EXAMPLES,
    EXTENSION_EXAMPLES,
    ISSUE_EXAMPLES,
    LOOK_UP_EXAMPLES,
    CodeLookUp,
    ShownVoucher,
    ToldVoucher,
    VoucherChange,
    VoucherExtension,
    VoucherIssue,
    told_of,
    voucher_of,
)
from starter.service.service import Records

router = APIRouter(prefix="/v1/vouchers", tags=["payments"], route_class=StrictRoute)

WRONG_CODES_A_MINUTE: Final = 10
"""So many codes that nobody has may be looked up with one key: nobody tries them out."""


@router.get("", operation_id="listVouchers", summary="List vouchers and gift cards, newest first")
async def list_vouchers(
    caller: Annotated[Caller, may("payments:read")],
    paged: Paged,
    kind: CodeKind | None = None,
    state: VoucherState | None = None,
    customer: Annotated[CustomerId | None, Query(examples=["ALFKI"])] = None,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
) -> Page[ShownVoucher]:
    """They are a seller's: a key for channels sees none."""
    sellers = _sellers(caller)
    asked: dict[str, Any] = {
        "kind": kind,
        "state": state,
        "customer": customer,
        "order_id": order_id,
        "sellers": sellers,
    }
    place = paged.after(asked)
    found = await caller.here.vouchers.list(
        kind=kind,
        state=state,
        customer_id=customer,
        order_id=order_id,
        sellers=sellers,
        after=None if place is None else (datetime.fromisoformat(place[0]), str(place[1])),
        at_most=paged.at_most,
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.issued_at.isoformat(), one.voucher_id),
        show=voucher_of,
    )


@router.get("/{voucher_id}", operation_id="getVoucher", summary="Read a voucher or a gift card")
async def get_voucher(
    voucher_id: str, caller: Annotated[Caller, may("payments:read")]
) -> ShownVoucher:
    """All but its code."""
    return voucher_of(await _visible(caller, voucher_id))


@router.get(
    "/{voucher_id}/operations",
    operation_id="listVoucherOperations",
    summary="List what happened to a voucher or a gift card, the latest first",
)
async def list_operations(
    voucher_id: str, caller: Annotated[Caller, may("payments:read")], paged: Paged
) -> Page[ShownOperation]:
    """Issued, authorized by an order, spent, set free, put back, expired, extended, blocked."""
    await _visible(caller, voucher_id)
    place = paged.after({})
    found = await caller.here.vouchers.history(
        voucher_id, before=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page({}, found[::-1], place=lambda one: [one.operation_id], show=operation_of)


@router.post(
    "",
    operation_id="issueVoucher",
    summary="Issue a voucher or a gift card",
    status_code=201,
    response_model=ToldVoucher,
)
async def issue_voucher(
    content: Annotated[VoucherIssue, Body(openapi_examples=ISSUE_EXAMPLES)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """Its code is in this answer, and nowhere else: a repeat is told its id (409).

    It is booked at once.
    """
    if caller.channels is not None:
        caller.check_sees_all("a voucher")
    seller = content.seller
    if seller is not None or caller.sellers is not None:
        seller = (await caller.seller(seller or "")).seller
    wanted = ToIssue(
        kind=content.kind,
        amount=content.money,
        seller=seller,
        customer_id=content.customer,
        valid_through=content.valid_through,
        single_use=content.single_use,
    )

    async def issued(here: Records) -> tuple[str, ToldVoucher]:
        return told_of(
            await here.vouchers.issue(
                once.request_id,
                wanted,
                sellers=caller.sellers,
                who=caller.who(content.by),
                why=content.reason,
            )
        )

    return await once.told_once(issued, status=201)


@router.post(
    "/{voucher_id}/code",
    operation_id="drawVoucherCode",
    summary="Draw a code, which ends the one before",
    response_model=ToldVoucher,
)
async def draw_code(
    voucher_id: str,
    content: Annotated[VoucherChange, Body(openapi_examples=CHANGE_EXAMPLES)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """For a refund that was paid as a voucher, and for a code that was lost. Told once (409)."""
    await _visible(caller, voucher_id)

    async def drawn(here: Records) -> tuple[str, ToldVoucher]:
        return told_of(
            await here.vouchers.new_code(
                once.request_id, voucher_id, who=caller.who(content.by), why=content.reason
            )
        )

    return await once.told_once(drawn)


@router.post(
    "/{voucher_id}/extend",
    operation_id="extendVoucher",
    summary="Make it valid through another day",
    response_model=ShownVoucher,
)
async def extend_voucher(
    voucher_id: str,
    content: Annotated[VoucherExtension, Body(openapi_examples=EXTENSION_EXAMPLES)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """What has expired of it is owed again."""
    await _visible(caller, voucher_id)

    async def extended(here: Records) -> ShownVoucher:
        return voucher_of(
            await here.vouchers.extend(
                *(once.request_id, voucher_id, content.valid_through),
                who=caller.who(content.by),
                why=content.reason,
            )
        )

    return await once.in_database(extended)


@router.post(
    "/{voucher_id}/block",
    operation_id="blockVoucher",
    summary="Let no further order spend any of it",
    response_model=ShownVoucher,
)
async def block_voucher(
    voucher_id: str,
    content: Annotated[VoucherChange, Body(openapi_examples=CHANGE_EXAMPLES)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """What an order has authorized can still be charged, and paid back."""
    return await _block(caller, once, voucher_id, content, on=True)


@router.post(
    "/{voucher_id}/unblock",
    operation_id="unblockVoucher",
    summary="Let orders spend it again",
    response_model=ShownVoucher,
)
async def unblock_voucher(
    voucher_id: str,
    content: Annotated[VoucherChange, Body(openapi_examples=CHANGE_EXAMPLES)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """One that is not blocked stays as it is."""
    return await _block(caller, once, voucher_id, content, on=False)


@router.post(
    "/look-up",
    operation_id="lookUpVoucher",
    summary="Find a voucher or a gift card by its code",
    response_model=ShownVoucher,
)
async def look_up(
    content: Annotated[CodeLookUp, Body(openapi_examples=LOOK_UP_EXAMPLES)],
    caller: Annotated[Caller, may("payments:read")],
    once: Keyed,
    request: Request,
) -> Response:
    """A code stands in no address, because addresses are logged; so it comes in a POST."""
    limiter: Limiter = request.app.state.limiter
    who = f"codes {caller.grant.key_id}"
    if limiter.is_full(who, WRONG_CODES_A_MINUTE):
        raise ProblemError(
            429,
            "too_many_requests",
            f"{WRONG_CODES_A_MINUTE} codes that nobody has were asked for in a minute: ask later",
            retryable=True,
            headers={"Retry-After": str(limiter.told(who, WRONG_CODES_A_MINUTE)[1])},
        )

    async def found(here: Records) -> ShownVoucher:
        voucher = await here.vouchers.by_code(content.code)
        _check_visible(caller, voucher, "this code")
        return voucher_of(voucher)

    try:
        return await once.in_database(found)
    except NotFound:
        limiter.takes(who, WRONG_CODES_A_MINUTE)
        raise


async def _block(
    caller: Caller, once: Once, voucher_id: str, content: VoucherChange, *, on: bool
) -> Response:
    await _visible(caller, voucher_id)

    async def changed(here: Records) -> ShownVoucher:
        return voucher_of(
            await here.vouchers.block(
                *(once.request_id, voucher_id),
                on=on,
                who=caller.who(content.by),
                why=content.reason,
            )
        )

    return await once.in_database(changed)


def _sellers(caller: Caller) -> list[str] | None:
    return caller.sellers if caller.channels is None else []


async def _visible(caller: Caller, voucher_id: str) -> Voucher:
    """Raises NotFound for one that is not there, or not the caller's: nobody can tell."""
    voucher = await caller.here.vouchers.get(voucher_id)
    _check_visible(caller, voucher, voucher_id)
    return voucher


def _check_visible(caller: Caller, voucher: Voucher, name: str) -> None:
    if not caller.grant.sees(None, voucher.seller):
        raise NotFound(f"there is no voucher or gift card {name}")
