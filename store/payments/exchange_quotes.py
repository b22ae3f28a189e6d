"""What an exchange or a return comes to, before anybody has agreed on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from domain import ids
from domain.aftersales.return_labels import wanted_label
from domain.aftersales.return_rules import UNITS_OF_A_RECORD, Asked, decide, is_paid_at_once
from domain.errors import NotFound, Refused
from domain.money import Money
from domain.orders.amounts import Worth
from domain.orders.exchange_messages import ExchangePreview, ExchangeRequest
from domain.orders.exchanged import ComesBack, Exchange, Exchanged, exchanged
from domain.orders.handling import NEVER_BACK
from domain.orders.line_requests import requested_units
from domain.orders.messages import Units
from domain.orders.order import Order, Payment
from domain.orders.policy import Policy
from domain.orders.providers import ELSEWHERE, EXCHANGE
from domain.orders.quantities import LineId, LineUnits
from domain.orders.return_messages import ReturnPreview, ReturnRequest, reason_codes
from domain.stored import stored
from store import clock
from store.aftersales import return_rules, returns
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import channels, orders
from store.payments import exchanges_before, return_worth

_sql = load_queries(__file__)

NUMBER_KEEPS: Final = 85
"""So much of the order's number is in that of its exchange order: numbers have 100 signs."""


@dataclass(frozen=True)
class Quote:
    """An exchange as it can be agreed on by now. `units`: that come back, by line, for `back`."""

    units: LineUnits
    exchanged: Exchanged
    policy: Policy
    seller: str
    asked: Asked
    back: Worth


async def quote(
    conn: Connection,
    order_id: str,
    request: ExchangeRequest,
    units: LineUnits | None = None,
    *,
    providers: Collection[str] | None = None,
) -> Quote:
    """What an exchange comes to. `units`: that come back; None: those that the request names.

    `providers`: those that are there; None: nobody here knows. Raises NotFound, and Refused where a
    rule says no.
    """
    row = await _basis(conn, order_id)
    policy = Policy.model_validate_json(row["policy"])
    await _check(conn, order_id, row, request, policy, providers)
    if units is None:
        if not row["delivered"]:
            raise Refused(
                "nothing has been delivered yet; cancel what is not wanted",
                reason="not_delivered",
                instead=("cancel_order",),
            )
        units = await _units(conn, order_id, request, row["returnable"])
    original = stored(Order, row["document"])
    asked = await return_rules.asked(
        conn, order_id, units, reason_codes(request, units), late=request.late
    )
    expected = await return_worth.expected(conn, order_id, asked)
    lines = {line.line_id: line for line in original.lines}
    number = await returns.next_number(conn, order_id)
    exchange = Exchange(
        original=original,
        lines=[
            ComesBack(lines[k], n, expected.by_line[k], expected.paid_back[k])
            for k, n in units.items()
        ],
        pays_back=expected.worth,
        request=request,
        return_id=ids.return_id(order_id, number),
        number=f"{original.channel_order_id[:NUMBER_KEEPS]}-X{row['exchanges'] + 1}",
        main=stored(Payment, row["main"]),
    )
    return Quote(
        units, exchanged(exchange, clock.now()), policy, row["seller"], asked, expected.worth
    )


async def preview(conn: Connection, order_id: str, request: ExchangeRequest) -> ExchangePreview:
    """What an exchange would come to; nothing is written. Raises as `quote` does."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        quoted = await quote(conn, order_id, request)
    order = quoted.exchanged.order

    def money(minor: int) -> Money:
        return Money(minor=minor, currency=order.currency)

    return ExchangePreview(
        order_id=order_id,
        mode=request.mode,
        lines=tuple(Units(line_id=k, quantity=n) for k, n in quoted.units.items()),
        shipping=money(sum(part.total for part in order.prices.beside_goods)),
        shipping_back=money(quoted.back.only_shipping.total),
        asks=decide(quoted.asked).asks,
        **dict(quoted.exchanged.worth),
    )


async def preview_return(conn: Connection, order_id: str, request: ReturnRequest) -> ReturnPreview:
    """What a return would pay back, and whether a person decides; nothing is written.

    Raises NotFound, and Refused where a rule says no.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        row = await _basis(conn, order_id)
        units = await _units(conn, order_id, request, row["returnable"])
        asked = await return_rules.asked(
            conn, order_id, units, reason_codes(request, units), late=request.late
        )
        asks = decide(asked).asks
        expected = await return_worth.expected(conn, order_id, asked)
        label = wanted_label(asked)

    def money(minor: int) -> Money:
        return Money(minor=minor, currency=asked.currency)

    return ReturnPreview(
        order_id=order_id,
        lines=tuple(Units(line_id=k, quantity=n) for k, n in units.items()),
        comes_back=money(expected.worth.total),
        kept=money(expected.kept.total),
        asks=asks,
        label_fee=None if label is None else money(label.fee_minor),
        is_at_once=is_paid_at_once(asked, expected.worth.total),
    )


async def _basis(conn: Connection, order_id: str) -> Record:
    row: Record | None = await _sql.basis(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    return row


async def _check(
    conn: Connection,
    order_id: str,
    row: Record,
    request: ExchangeRequest,
    policy: Policy,
    providers: Collection[str] | None,
) -> None:
    """Raises Refused for orders that cannot be exchanged."""
    if row["main"]["provider"] == ELSEWHERE:
        raise Refused(
            f"the shop that sent {order_id} has its money, so it cannot pay for other goods: take "
            "the units back, and let the customer order anew",
            reason="paid_elsewhere",
            instead=("return_items",),
        )
    if row["customer_id"].startswith("erased-"):
        raise Refused(
            f"the customer of {order_id} is erased, so nobody knows where to send other goods",
            reason="customer_erased",
            instead=("return_items",),
        )
    disputed = await exchanges_before.why_no_refund(conn, order_id)
    if disputed:
        raise Refused(disputed, reason="payment_disputed")
    if request.payment is not None:
        channel, provider = await channels.get(conn, row["channel"]), request.payment.provider
        unfit = channel.why_not_later_by(provider) or _why_not_there(provider, providers)
        if unfit:
            raise Refused(unfit, reason="provider_not_taken", instead=("exchange_items",))
    if request.mode == "advance":
        await _check_advance(conn, order_id, policy)


def _why_not_there(provider: str, providers: Collection[str] | None) -> str:
    if provider == EXCHANGE:
        return f"{EXCHANGE} is what comes back, which pays its part anyway: name who pays the rest"
    if providers is None or provider in providers:
        return ""
    known = ", ".join(sorted({*providers} - {EXCHANGE}))
    return f"there is no payment provider {provider!r} here; there is {known}"


async def _check_advance(conn: Connection, order_id: str, policy: Policy) -> None:
    rules = policy.exchanges
    if rules.advance == "asked":
        return
    if rules.advance == "trusted":
        found = await _sql.record_of(conn, order_id=order_id)
        knows = found["delivered"] >= UNITS_OF_A_RECORD
        if knows and found["returned"] * 100 <= rules.trusted_share_percent * found["delivered"]:
            return
    raise Refused(
        "the replacement is sent when the return is received, and not before: ask for a standard "
        "exchange",
        reason="no_advance",
        instead=("exchange_items",),
    )


async def _units(
    conn: Connection, order_id: str, request: ReturnRequest, returnable: Mapping[LineId, int]
) -> LineUnits:
    handlings = await orders.handlings(conn, order_id)
    kept = {k: NEVER_BACK[how] for k, how in handlings.items() if how in NEVER_BACK}

    def check(_: int, line_id: LineId, quantity: int) -> None:
        if line_id in kept:
            reason, what = kept[line_id]
            raise Refused(
                f"line {line_id} {what}: it cannot come back",
                reason=reason,
                instead=("refund_order",),
            )
        if not 0 < quantity <= returnable[line_id]:
            raise Refused(
                f"line {line_id}: {quantity} cannot be returned; {returnable[line_id]} can",
                reason="more_than_delivered",
            )

    asked = requested_units(request.lines, returnable, check=check)
    units = {k: n for k, n in asked.items() if k not in kept}
    if not units:
        raise Refused("there is nothing left to return", reason="nothing_left")
    return units
