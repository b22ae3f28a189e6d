"""Exchanges: agree on one, and wait until it is known how much the return pays back."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.aftersales.returns import Approved, ApproveReturn, approve
from activities.waiting import wait_for_report
from domain.errors import InvalidInput, Refused
from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.messages import Units
from domain.orders.return_messages import ReturnRefusal
from store.database import Pool
from store.locks import lock_order
from store.orders import effects, events
from store.payments import exchange_quotes, exchanges


class AgreeExchange(BaseModel):
    """The return of an exchange, and what the customer gets for it."""

    model_config = ConfigDict(frozen=True)

    back: ApproveReturn
    request: ExchangeRequest


class Agreed(Approved):
    """The return that was approved, or about which a person is asked, and the answer to it all."""

    outcome: ExchangeOutcome | None = None


class ExchangeOrder(BaseModel):
    """Names an exchange order."""

    model_config = ConfigDict(frozen=True)

    order_id: str


class Exchanges:
    """Activities for exchanges, with the database pool and the providers' names injected."""

    def __init__(self, pool: Pool, providers: Collection[str]) -> None:
        self._pool = pool
        self._providers = providers

    @activity.defn
    async def agree_exchange(self, ask: AgreeExchange) -> Agreed:
        """Approve the return by its rules, and place the exchange order: both, or neither."""
        back, request = ask.back, ask.request
        order_id, effect = back.order_id, f"exchange:{back.request_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            done = await effects.settled(conn, order_id, effect, back.turn)
            if done is not None:
                return Agreed.model_validate(done)
            try:
                quoted = await exchange_quotes.quote(
                    conn, order_id, request, back.units, providers=self._providers
                )
            except (Refused, InvalidInput) as no:
                approved = Approved(refusal=ReturnRefusal.of(no))
            else:
                approved = await approve(conn, back)
            if approved.refusal is not None:
                refused = Agreed(refusal=approved.refusal)
                await effects.keep_nothing(conn, order_id, effect, back.turn, refused)
                return refused
            exchange_order_id = await exchanges.agree(
                conn, approved.return_id, quoted, request.mode, waits=bool(approved.asks)
            )
            agreed = Agreed(
                return_id=approved.return_id,
                asks=approved.asks,
                outcome=ExchangeOutcome(
                    request_id=back.request_id,
                    outcome="requested" if approved.asks else "approved",
                    return_id=approved.return_id,
                    exchange_order_id=exchange_order_id,
                    mode=request.mode,
                    lines=tuple(Units(line_id=k, quantity=n) for k, n in back.units.items()),
                    worth=quoted.exchanged.worth,
                    asks=approved.asks,
                    message=_message(approved, exchange_order_id, request),
                ),
            )
            data = {"return_id": approved.return_id, "mode": request.mode, "units": back.units}
            await events.tell(
                conn,
                order_id,
                effect,
                "exchanged",
                who=back.who,
                why=back.reason,
                data={
                    **data,
                    "exchange_order_id": exchange_order_id,
                    "worth": quoted.exchanged.worth.model_dump(mode="json"),
                },
                answer=agreed.model_dump(mode="json"),
            )
            await events.tell(
                conn,
                exchange_order_id,
                "exchange",
                "placed as an exchange",
                who=back.who,
                why=back.reason,
                data={**data, "order_id": order_id},
            )
            return agreed

    @activity.defn
    async def await_exchange(self, part: ExchangeOrder) -> None:
        """Wait until it is known what comes back for an exchange order."""
        await wait_for_report(self._pool, "await_exchange", part.order_id)


def _message(approved: Approved, exchange_order_id: str, request: ExchangeRequest) -> str:
    if approved.asks:
        return f"a person decides about {approved.return_id} first: {', '.join(approved.asks)}"
    sent = "is sent at once" if request.mode == "advance" else "is sent when that is received"
    return f"write {approved.return_id} on the parcel; {exchange_order_id} {sent}"
