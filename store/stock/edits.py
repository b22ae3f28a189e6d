"""Changes of placed orders: looked at, and applied in one transaction.

Stock, amounts and the document change together, under the order's lock and that of the stock: so an
edit is whole or not at all, and the warehouse, a cancellation and another edit come before it or
after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import OrderloomError, Refused
from domain.ids import WHO
from domain.orders.edit_lines import EditedLines, Taken, as_units, choose, moving
from domain.orders.edit_messages import EditOutcome, PersonChange
from domain.orders.edited import Edited, total_of
from domain.orders.edits import edited
from domain.orders.handling import SHIPPED, Handlings, carried
from domain.orders.quantities import LineUnits
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer, Refusal
from domain.stock.sourcing import Demand
from store.database import Connection, load_queries
from store.fulfilment import fulfilments
from store.locks import lock_order
from store.orders import effects, events, orders, versions
from store.payments import cover
from store.stock import allocations, backorders, items, kits, promises, skus
from store.stock.catalogue import Catalogue
from store.stock.edit_standing import Standing, standing
from store.stock.sourcing import Sourced, Wanted, lock_shelves

_sql = load_queries(__file__)


async def apply(conn: Connection, ask: ApplyEdit, catalogue: Catalogue) -> EditAnswer:
    """Change an order, refuse that, or say that more has to be authorized first.

    Once for each request: a repeat gets the same answer. Call it in a transaction.
    """
    await lock_order(conn, ask.order_id)
    done = await effects.find(conn, ask.order_id, ask.effect)
    if done is not None:
        return EditAnswer(applied=Applied.model_validate(done))
    try:
        return await _Edit(conn, ask, await standing(conn, ask.order_id, ask.request_id)).apply(
            catalogue
        )
    except OrderloomError as error:
        no = Refusal(
            kind=error.kind, message=str(error), reason=error.reason, instead=error.instead
        )
        return EditAnswer(refused=no)


class _Edit:
    """One edit: everything is looked at before anything is written."""

    def __init__(self, conn: Connection, ask: ApplyEdit, found: Standing) -> None:
        self._conn = conn
        self._ask = ask
        self._found = found
        self._edited = self._decided()
        self._lines = EditedLines(found.present, self._edited, found.skus)
        self._taken = Taken()
        self._handlings: Handlings = {}

    def _decided(self) -> Edited:
        found, ask = self._found, self._ask
        if found.decision != "confirmed":
            waits = found.decision == "received"
            raise Refused(
                f"order {ask.order_id} is not confirmed yet: change it when it is"
                if waits
                else f"order {ask.order_id} is {found.decision}; nothing can be changed",
                reason="not_confirmed" if waits else f"order_{found.decision}",
                instead=("pay_order", "cancel_order") if waits else (),
            )
        if ask.request.personal and found.person is None:
            raise Refused(
                f"what request {ask.request_id} changes of the person is not kept any more: ask "
                "again",
                reason="not_kept",
                instead=("edit_order",),
            )
        return edited(found.present, ask.request, found.person or PersonChange())

    async def apply(self, catalogue: Catalogue) -> EditAnswer:
        """Look, and then write. Raises Refused and InvalidInput."""
        ask, done = self._ask, self._edited
        present = self._found.present.version
        if ask.request.version is not None:
            await versions.check_unchanged(self._conn, ask.order_id, ask.request.version, present)
        done.check()
        if not done.changes:
            terms = (await orders.on_record(self._conn, [ask.order_id]))[ask.order_id].terms
            return EditAnswer(applied=Applied(outcome=self._outcome(present), terms=terms))
        self._check_heard()
        self._taken = choose(done.taken, self._found.waiting, self._found.parts)
        sourced = await self._source(catalogue)
        if done.order.total_minor > self._found.present.order.total_minor:
            proposal = self._lines.proposal(self._taken)
            paying = (await cover.paying(self._conn, ask.order_id)).proposing(proposal)
            policy = self._found.policy
            if not cover.holds(
                paying, ahead=policy.charge != "at_shipment", spare=policy.renew_before
            ):
                return EditAnswer(to_authorize=proposal)
        emptied = await self._take_away()
        rows = self._lines.rows(self._handlings) if done.is_money else []
        number = await versions.edited(
            self._conn, done.order, rows, done.changes, ask.request, ask.request_id
        )
        await self._promise_anew()
        return await self._finish(number, sourced, emptied)

    # Units that are taken away --------------------------------------------------------------------

    def _check_heard(self) -> None:
        """Raise Refused where the workflow has not heard yet what has happened to units."""
        found, ask = self._found, self._ask
        for line_id in self._edited.taken:
            here = {part: units.get(line_id, 0) for part, units in found.parts.items()}
            heard = {part: ask.fulfilments.get(part, {}).get(line_id, 0) for part in here}
            waits = found.waiting.get(line_id, 0), ask.waiting.get(line_id, 0)
            if here != heard or waits[0] != waits[1]:
                raise moving(line_id)

    async def _take_away(self) -> tuple[str, ...]:
        """Give them back, and count them as cancelled until the lines are written anew.

        Returns the fulfilments that have nothing left to send.
        """
        conn, ask = self._conn, self._ask
        await backorders.give_up(conn, ask.order_id, self._taken.waited_for)
        emptied = []
        for part, units in self._taken.parts.items():
            effect = f"{ask.effect}:{part}"
            await allocations.release(
                conn, part, effect, units, who=ask.request.by, why=ask.request.reason
            )
            if self._found.parts[part] == units:
                await fulfilments.recall(conn, part)
                emptied.append(part)
            else:
                await fulfilments.make_smaller(conn, part, units, keeps_label=True)
        return tuple(emptied)

    # Units that are added -------------------------------------------------------------------------

    async def _source(self, catalogue: Catalogue) -> Sourced | None:
        """Lock the stock of all lines that change, and choose where the added units come from.

        None: no unit is added. Raises Refused for units that are nowhere, and cannot be waited for.
        """
        conn, done, ask, sku_of = self._conn, self._edited, self._ask, self._lines.skus
        if not done.added and not done.taken:
            return None
        parts: dict[str, Mapping[str, int]] = dict(await kits.claimed(conn, ask.order_id))
        defined = await kits.find(conn, {sku_of[line_id] for line_id in done.added})
        for line_id in done.added:
            kit = defined.get(sku_of[line_id])
            if line_id not in parts and kit is not None:
                parts[line_id] = kit.parts
        await skus.know(conn, {sku_of[line_id] for line_id in done.new})
        await self._handle()

        def demands(units: LineUnits) -> list[Demand]:
            return [
                Demand(
                    line_id=k,
                    sku=sku_of[k],
                    quantity=n,
                    parts=dict(parts.get(k, {})),
                    handling=self._handlings.get(k, SHIPPED),
                )
                for k, n in units.items()
            ]

        shipping, rules = done.order.shipping, self._found.policy.sourcing
        wanted = Wanted(
            demands(done.added), shipping, rules, backorder=self._found.policy.backorder
        )
        # The stock of what is taken away is locked with it, and nothing is planned for that.
        shelves = await lock_shelves(
            conn, [wanted, Wanted(demands(done.taken), shipping, rules)], catalogue
        )
        if not done.added:
            return None
        sourced = shelves.plan(0, wanted)
        if sourced.missing:
            lacks = ", ".join(f"{n} of {sku_of[k]}" for k, n in sourced.missing.items())
            raise Refused(
                f"not available: {lacks}", reason="not_available", instead=("edit_order",)
            )
        return sourced

    async def _handle(self) -> None:
        """How the units of each line come to the customer: new ones as if they had been placed."""
        done, sku_of = self._edited, self._lines.skus
        self._handlings = await orders.handlings(self._conn, self._ask.order_id)
        known = await items.find(self._conn, [sku_of[line_id] for line_id in done.new])
        usual = carried(
            done.order.shipping.service, over_the_counter=self._found.policy.over_the_counter
        )
        for line_id in done.new:
            item = known.get(sku_of[line_id])
            own = item.handling if item else SHIPPED
            self._handlings[line_id] = usual if own == SHIPPED else own

    # The new version ------------------------------------------------------------------------------

    async def _promise_anew(self) -> None:
        """Where it goes somewhere else now, its parcels arrive on another day.

        They are sent from where they are.
        """
        before, after = self._found.present.order.shipping, self._edited.order.shipping
        if (before.service, before.address) == (after.service, after.address):
            return
        here = self._found.here
        told = await promises.by_location(self._conn, sorted(set(here.values())), after)
        days = [told.get(location) for location in here.values()]
        await _sql.promise_anew(
            self._conn,
            order_id=self._ask.order_id,
            fulfilment_ids=list(here),
            leaves=[None if day is None else day.leaves_on for day in days],
            arrivals=[None if day is None else day.arrives_on for day in days],
        )

    async def _finish(
        self, number: int, sourced: Sourced | None, emptied: tuple[str, ...]
    ) -> EditAnswer:
        """Claim the stock of what is added, and tell it."""
        conn, ask = self._conn, self._ask
        planned: tuple[Any, ...] = ()
        waits: LineUnits = {}
        if sourced is not None:
            claim = allocations.Claim(
                ask.order_id,
                ask.effect,
                sourced.plan.takes,
                first_number=await fulfilments.next_number(conn, ask.order_id),
                promises=sourced.promises,
            )
            (planned,) = await allocations.allocate(
                conn, [claim], state="picking", who=WHO, why=ask.request.reason
            )
            waits = dict(sourced.waits)
            await backorders.wait(
                conn,
                ask.order_id,
                waits,
                self._lines.skus,
                round=ask.round,
                promises={},
            )
        record = (await orders.on_record(conn, [ask.order_id]))[ask.order_id]
        applied = Applied(
            outcome=self._outcome(number, waits),
            terms=record.terms,
            fulfilments=planned,
            backordered=waits,
            waited_for=self._taken.waited_for,
            taken=self._taken.parts,
            emptied=emptied,
        )
        told = applied.outcome.model_dump(mode="json", exclude={"request_id", "outcome"})
        await events.tell(
            conn,
            ask.order_id,
            ask.effect,
            "edited",
            who=ask.request.by,
            why=ask.request.reason,
            data=told,
            answer=applied.model_dump(mode="json"),
        )
        return EditAnswer(applied=applied)

    def _outcome(self, version: int, waits: LineUnits | None = None) -> EditOutcome:
        done = self._edited
        return EditOutcome(
            request_id=self._ask.request_id,
            outcome="edited" if done.changes else "unchanged",
            version=version,
            changes=done.changes,
            total_before=total_of(self._found.present.order),
            total=total_of(done.order),
            added=as_units(done.added),
            taken_away=as_units(done.taken),
            backordered=as_units(waits or {}),
        )
