"""Exchanges: quoted, agreed, and settled when it is known what comes back.

The caller of everything that writes holds the lock of the order of the return.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from domain import ids
from domain.errors import Conflict
from domain.orders.exchange_messages import ExchangeMode
from domain.orders.hold_messages import AWAITING_RETURN
from store.database import Connection, Record, load_queries
from store.orders import holds, intake
from store.payments.exchange_quotes import Quote

_sql = load_queries(__file__)

NUMBERS_MAX: Final = 1000
"""So many numbers are tried for an exchange order, of which others may have taken some."""


class Standing(NamedTuple):
    """An exchange as it stands. `pays`: of its exchange order at most, in minor units.

    `authorized`: of that, what is authorized there and neither released nor paid back; `room`: of
    that, what is not charged.
    """

    order_id: str
    return_id: str
    exchange_order_id: str
    mode: ExchangeMode
    exchange_decision: str
    settled: bool
    pays: int
    authorized: int
    room: int
    currency: str

    @property
    def has_begun(self) -> bool:
        """Its order has authorized its part, or never will."""
        return self.authorized > 0 or self.pays == 0 or self.exchange_decision != "received"


async def agree(
    conn: Connection, return_id: str, quoted: Quote, mode: ExchangeMode, *, waits: bool
) -> str:
    """Write down the exchange of a return, and the exchange order. Returns that order's id.

    `waits`: a person decides about the return first. The return is on record.
    """
    # It goes by the same policy, but is charged as its parcels leave: what comes back pays for it.
    # And nobody stands at the till when its goods may go: they lie ready to be collected.
    policy = quoted.policy.model_copy(update={"charge": "at_shipment", "over_the_counter": False})
    order = quoted.exchanged.order
    first = order.channel_order_id
    for number in range(NUMBERS_MAX):
        name = f"{first}{f'-{number + 1}' if number else ''}"
        order = order.model_copy(update={"channel_order_id": name})
        received = intake.Received(order, policy, seller=quoted.seller, keeps_codes=True)
        if (await intake.take_in(conn, [received]))[0]:
            break
    else:
        raise Conflict(f"no number of an order is free that begins with {first}")
    exchange_order_id = order.order_id
    await _sql.agree(
        conn,
        return_id=return_id,
        exchange_order_id=exchange_order_id,
        mode=mode,
        tender_minor=quoted.exchanged.tender.minor,
        currency=order.currency,
    )
    await _sql.start_now(conn, order_id=exchange_order_id)
    if waits or mode == "standard":
        await holds.place(
            conn,
            exchange_order_id,
            reason=AWAITING_RETURN,
            note=f"{return_id} is to come back first",
            owner="customer service",
            who=ids.WHO,
        )
    return exchange_order_id


async def of_order(conn: Connection, exchange_order_id: str) -> Standing | None:
    """The exchange that pays for an order; None where none does."""
    return _standing(await _sql.of_order(conn, exchange_order_id=exchange_order_id))


async def of_return(conn: Connection, return_id: str) -> Standing | None:
    """The exchange that a return pays for; None: it is a return alone."""
    return _standing(await _sql.of_return(conn, return_id=return_id))


async def charged(conn: Connection, exchange_order_id: str) -> int:
    """What is or may be charged of an order to its exchange, in minor units."""
    found: int = await _sql.charged(conn, exchange_order_id=exchange_order_id)
    return found


async def settle(conn: Connection, return_id: str, came: int, *, is_back: bool) -> int:
    """Tell the exchange order what comes back, once. Returns the minor units that go there."""
    goes: int = await _sql.settle(conn, return_id=return_id, came=came, is_back=is_back)
    return goes


async def not_needed(conn: Connection, return_id: str) -> int:
    """What is with an exchange order and not needed there any more, in minor units."""
    found: int | None = await _sql.not_needed(conn, return_id=return_id)
    return found or 0


async def to_settle(conn: Connection, batch: int) -> list[Record]:
    """Exchanges whose returns have ended without money, or were approved by a person.

    Columns: order_id, return_id, exchange_order_id, ended, is_back.
    """
    return [row async for row in _sql.to_settle(conn, batch=batch)]


async def given(conn: Connection, return_id: str) -> Record | None:
    """The payment by which a return's refund went to its exchange order; None: nothing is there.

    Columns: payment_key, amount_minor, number.
    """
    row: Record | None = await _sql.given(conn, return_id=return_id)
    return row


async def payback(conn: Connection, return_id: str, key: str) -> Record | None:
    """What an exchange order has given back under this key, or None.

    Columns: payment_key, return_id, returned_key, amount_minor, currency, ended_at.
    """
    row: Record | None = await _sql.payback(conn, return_id=return_id, payment_key=key)
    return row


async def begin_payback(
    conn: Connection, key: str, return_id: str, returned_key: str, amount: int
) -> None:
    """Keep that an exchange order gives money back, which its original is to pay."""
    await _sql.begin_payback(
        conn, payment_key=key, return_id=return_id, returned_key=returned_key, amount_minor=amount
    )


async def end_payback(conn: Connection, return_id: str, key: str) -> None:
    """It is paid, or a person is asked."""
    await _sql.end_payback(conn, return_id=return_id, payment_key=key)


def _standing(row: Record | None) -> Standing | None:
    if row is None:
        return None
    found: dict[str, Any] = {
        name: row[name]
        for name in ("order_id", "return_id", "exchange_order_id", "mode", "exchange_decision")
    }
    return Standing(
        **found,
        settled=row["settled_at"] is not None,
        pays=row["pays_minor"],
        authorized=row["authorized_minor"],
        room=row["room_minor"],
        currency=row["currency"],
    )
