"""Units that are taken out of a fulfilment in place, before its hand-over."""

from __future__ import annotations

from typing import Any

from temporalio import activity

from activities.stock.contracts import TakenOut, TakeOut
from domain.fulfilment.taking_out import possible
from store.database import Pool
from store.fulfilment import fulfilments, shipments
from store.locks import lock_stock
from store.orders import effects, events
from store.payments import billing, tallies
from store.stock import removals


class Removals:
    """The activity that takes units out of fulfilments, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def take_out(self, ask: TakeOut) -> TakenOut:
        """Take units out of a fulfilment, free their stock, and grant what was paid for them.

        Here cancel and ship meet, per unit: whoever has the order's lock first wins. The fulfilment
        keeps its number. What was picked is to be put back; a closed box is to be opened and packed
        again, and its label is kept or given back.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, ask.fulfilment_id)
            done = await effects.find(conn, ask.order_id, ask.effect)
            if done is not None:
                return TakenOut.model_validate(done)
            lines = {x.line_id: x for x in await fulfilments.lines(conn, ask.fulfilment_id)}
            parcel = await shipments.find(conn, ask.fulfilment_id)
            claimed = {line_id: line.reserved for line_id, line in lines.items()}
            label = None if parcel is None else parcel.label
            answer, units = possible(row["state"], row["handling"], label, claimed, ask.units)
            if answer != "take":
                return TakenOut(outcome=answer)
            await lock_stock(conn, [part for line_id in units for part in lines[line_id].parts])
            removed = await removals.take_out(
                conn,
                ask.fulfilment_id,
                units,
                f"{ask.effect}:release",
                keeps_label=ask.keeps_label,
                who=ask.who,
                why=ask.why,
            )
            found = await tallies.load(conn, ask.order_id)
            owed = found.charges.cancelled(dict.fromkeys(units, 0))
            grant = await billing.grant(
                conn, found, owed, ask.refund_id, kind="cancelled", why=ask.why, who=ask.who
            )
            taken = TakenOut(
                outcome="taken",
                units=units,
                refund=None if grant is None else grant.to_pay,
                label_unused=removed.label_unused,
            )
            told: dict[str, Any] = {"units": {ask.fulfilment_id: units}, "backordered": {}}
            if removed.put_back_id is not None:
                told["put_back_id"] = removed.put_back_id
            await events.tell(
                conn,
                ask.order_id,
                ask.effect,
                ask.what,
                who=ask.who,
                why=ask.why,
                data=told,
                answer=taken.model_dump(mode="json"),
            )
            await billing.credit(conn, grant)
            return taken
