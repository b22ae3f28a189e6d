"""Parcels that are stopped on their way, and sent anew when they come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.orders.interception_messages import Interception, ParcelAnew
from domain.views.possible import ParcelFacts
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen, reason


def _parcel(asking: Asking, which: Callable[[ParcelFacts], bool]) -> Field:
    """One of the order's parcels."""
    units = {row.fulfilment_id: row.units for row in asking.detail.fulfilments}
    options = [
        Option(
            each.fulfilment_id, f"{each.fulfilment_id}: {asking.counted(units[each.fulfilment_id])}"
        )
        for each in asking.facts.parcels
        if which(each) and each.fulfilment_id in units
    ]
    return Field("choice", "parcel", "which_parcel", options=options)


def _intercept_fields(asking: Asking) -> Sequence[Field]:
    ways = asking.options("way_of_parcel_", "return", "redirect")
    return (
        _parcel(asking, lambda each: each.is_on_its_way),
        Field("choice", "way", "where_to", options=ways),
        reason(),
        Field("address", "to", "redirect_to", about="redirect_to_about"),
    )


def _intercept(asking: Asking) -> Interception:
    said = {name: asking.field(name) for name in ("way", "reason")}
    address = asking.address("to") if said["way"] == "redirect" else None
    return Interception.model_validate(
        {**asking.named(), **said, "fulfilment_id": asking.field("parcel"), "address": address}
    )


async def _preview(asking: Asking, request: Interception) -> Seen:
    words = asking.visit.words
    rows = [
        (words("which_parcel"), request.fulfilment_id),
        (words("where_to"), words(f"way_of_parcel_{request.way}")),
    ]
    if request.address is not None:
        rows.append((words("redirect_to"), asking.address_told(request.address)))
    return Seen(rows, [words("carrier_is_asked")])


async def _do_intercept(here: Service, order_id: str, request: Interception) -> str:
    await here.interceptions.intercept(order_id, request)
    return "intercepted"


def _anew_fields(asking: Asking) -> Sequence[Field]:
    return (
        _parcel(asking, lambda each: each.comes_back),
        reason(),
        Field("address", "to", "anew_to", about="anew_to_about"),
    )


def _anew(asking: Asking) -> ParcelAnew:
    return ParcelAnew.model_validate(
        {
            **asking.named(),
            "fulfilment_id": asking.field("parcel"),
            "reason": asking.field("reason"),
            "address": asking.address("to"),
        }
    )


async def _preview_anew(asking: Asking, request: ParcelAnew) -> Seen:
    words = asking.visit.words
    row = next(
        (x for x in asking.detail.fulfilments if x.fulfilment_id == request.fulfilment_id), None
    )
    rows = [(words("which_parcel"), request.fulfilment_id)]
    if row is not None:
        rows.append((words("sent_again"), asking.counted(row.units)))
    if request.address is not None:
        rows.append((words("anew_to"), asking.address_told(request.address)))
    rows.append((words("pays_back"), words("nothing_paid_back")))
    return Seen(rows, [words("sent_when_counted")])


async def _do_anew(here: Service, order_id: str, request: ParcelAnew) -> str:
    await here.interceptions.send_anew(order_id, request)
    return "sent_anew"


INTERCEPT = Act("intercept", _intercept_fields, _intercept, _do_intercept, _preview)
SEND_ANEW = Act("send-anew", _anew_fields, _anew, _do_anew, _preview_anew)
