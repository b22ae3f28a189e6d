"""Changes of placed orders: looked at, and applied in one transaction.

Stock, amounts and the document change together, under the order's lock and that of the stock: so an
edit is whole or not at all, and the warehouse, a cancellation and another edit come before it or
after it.
"""

from __future__ import annotations

from typing import Any

from domain.errors import OrderloomError, Refused
from domain.ids import WHO
from domain.money import Money
from domain.orders.edit_lines import EditedLines, as_units
from domain.orders.edit_messages import EditOutcome, PersonChange
from domain.orders.edited import Edited, check_total, total_of
from domain.orders.edits import edited
from domain.orders.handling import BOUGHT, Handlings, nobody_picks
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer, Refusal
from domain.stock.taking_away import Taken, check_emptied, choose, moving
from store.database import Connection, load_queries
from store.fulfilment import fulfilments
from store.locks import lock_order
from store.orders import effects, events, orders, versions
from store.payments import billing, cover
from store.payments.billing import Grant
from store.stock import allocations, backorders, edit_money, edit_sourcing, promises, removals
from store.stock.catalogue import Catalogue
from store.stock.edit_standing import Standing, standing
from store.stock.sourcing import Sourced

_sql = load_queries(__file__)


async def apply(conn: Connection, ask: ApplyEdit, catalogue: Catalogue) -> EditAnswer:
    """Change an order, refuse that, or say what has to be done for it first.

    Once for each request: a repeat gets the same answer. Call it in a transaction.
    """
    await lock_order(conn, ask.order_id)
    done = await effects.settled(conn, ask.order_id, ask.effect, ask.turn)
    if done is not None:
        return EditAnswer.model_validate(done)
    try:
        async with conn.transaction():  # Of what is refused, nothing stays.
            answer = await _Edit(
                conn, ask, await standing(conn, ask.order_id, ask.request_id)
            ).apply(catalogue)
    except OrderloomError as error:
        no = Refusal(
            kind=error.kind, message=str(error), reason=error.reason, instead=error.instead
        )
        answer = EditAnswer(refused=no)
    if answer.applied is None or not answer.applied.outcome.changes:
        await effects.keep_nothing(conn, ask.order_id, ask.effect, ask.turn, answer)
    return answer


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
        self._emptied: list[str] = []
        self._labels_unused: list[str] = []

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
        check_total(self._found.present, done, ask.request)
        if not done.changes:
            terms = (await orders.on_record(self._conn, [ask.order_id]))[ask.order_id].terms
            return EditAnswer(applied=Applied(outcome=self._outcome(present), terms=terms))
        self._check_heard()
        self._taken = choose(done.taken, self._found.waiting, self._found.parts)
        check_emptied(self._taken, self._found.parts, ask.fulfilments)
        check_emptied(self._taken, self._found.parts, ask.fulfilments)
        sourced = await self._source(catalogue) if done.added or done.taken else None
        bought = {
            k: n
            for k, n in self._taken.waited_for.items()
            if self._handlings[k] in BOUGHT and k not in ask.called_back
        }
        if bought:
            return EditAnswer(to_call_back=bought)
        if done.order.total_minor > self._found.present.order.total_minor:
            proposal = self._lines.proposal(self._taken.parts)
            paying = (await cover.paying(self._conn, ask.order_id)).proposing(proposal)
            policy = self._found.policy
            if not cover.holds(
                paying, ahead=policy.charge != "at_shipment", spare=policy.renew_before
            ):
                return EditAnswer(to_authorize=proposal)
        await self._take_away()
        rows = self._lines.rows(self._handlings) if done.is_money else []
        number = await versions.edited(
            self._conn, done.order, rows, done.changes, ask.request, ask.request_id
        )
        if done.is_elsewhere:
            await self._send_elsewhere()
        return await self._finish(number, sourced)

    # Units ----------------------------------------------------------------------------------------

    async def _source(self, catalogue: Catalogue) -> Sourced | None:
        skus = self._lines.skus
        about = self._conn, self._found, self._edited, skus
        self._handlings = await edit_sourcing.handle(*about)
        return await edit_sourcing.source(*about, self._handlings, catalogue)

    def _check_heard(self) -> None:
        """Raise Refused where the workflow has not heard yet what has happened to units."""
        found, ask = self._found, self._ask
        for line_id in self._edited.taken:
            here = {part: x.claimed.get(line_id, 0) for part, x in found.parts.items()}
            heard = {part: ask.fulfilments.get(part, {}).get(line_id, 0) for part in here}
            waits = found.waiting.get(line_id, 0), ask.waiting.get(line_id, 0)
            if here != heard or waits[0] != waits[1]:
                raise moving(line_id)

    async def _take_away(self) -> None:
        """Give them back, and count them as cancelled."""
        conn, ask = self._conn, self._ask
        await backorders.give_up(conn, ask.order_id, self._taken.waited_for)
        said: dict[str, Any] = {"who": ask.request.by, "why": ask.request.reason}
        for part, units in self._taken.parts.items():
            effect = f"{ask.effect}:{part}"
            if self._found.parts[part].claimed == units:
                removed = await removals.empty(conn, part, units, effect, **said)
                self._emptied.append(part)
            else:
                keeps = self._found.policy.keeps_label
                removed = await removals.take_out(
                    conn, part, units, effect, keeps_label=keeps, **said
                )
            if removed.label_unused:
                self._labels_unused.append(part)

    # The new version ------------------------------------------------------------------------------

    async def _send_elsewhere(self) -> None:
        """Its parcels arrive on another day, and those that have a label get another one.

        They are sent from where they are.
        """
        here = {
            part: x.location for part, x in self._found.parts.items() if part not in self._emptied
        }
        told = await promises.by_location(
            self._conn, sorted(set(here.values())), self._edited.order.shipping
        )
        days = [told.get(location) for location in here.values()]
        await _sql.promise_anew(
            self._conn,
            order_id=self._ask.order_id,
            fulfilment_ids=list(here),
            leaves=[None if day is None else day.leaves_on for day in days],
            arrivals=[None if day is None else day.arrives_on for day in days],
        )
        for part in here:
            has_none = nobody_picks(self._found.parts[part].handling)
            if not has_none and await fulfilments.label_anew(self._conn, part):
                self._labels_unused.append(part)

    async def _finish(self, number: int, sourced: Sourced | None) -> EditAnswer:
        """Claim the stock of what is added, settle the money, and tell it."""
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
        grants = await self._settle()
        refunds = tuple(grant.to_pay for grant in grants if grant.to_pay is not None)
        record = (await orders.on_record(conn, [ask.order_id]))[ask.order_id]
        applied = Applied(
            outcome=self._outcome(number, waits, refunds),
            terms=record.terms,
            fulfilments=planned,
            backordered=waits,
            waited_for=self._taken.waited_for,
            taken=self._taken.parts,
            emptied=tuple(self._emptied),
            labels_unused=tuple(self._labels_unused),
            refunds=refunds,
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
            answer=EditAnswer(applied=applied).model_dump(mode="json"),
        )
        for grant in grants:
            await billing.credit(conn, grant)
        return EditAnswer(applied=applied)

    async def _settle(self) -> list[Grant]:
        """What was charged too much is owed back; parcels with a label are charged otherwise."""
        conn, done, ask = self._conn, self._edited, self._ask
        if done.is_money and done.keeps:
            return await edit_money.owe(conn, ask, done, self._found.present.order)
        if done.is_money:
            await edit_money.charge_otherwise(conn, ask.order_id, self._found)
        return []

    def _outcome(
        self, version: int, waits: LineUnits | None = None, refunds: tuple[Granted, ...] = ()
    ) -> EditOutcome:
        done = self._edited
        total = total_of(done.order)
        back = sum(granted.amount.minor for granted in refunds)
        return EditOutcome(
            request_id=self._ask.request_id,
            outcome="edited" if done.changes else "unchanged",
            version=version,
            changes=done.changes,
            total_before=total_of(self._found.present.order),
            total=total,
            to_pay_back=Money(minor=back, currency=total.currency),
            added=as_units(done.added),
            taken_away=as_units(done.taken),
            backordered=as_units(waits or {}),
        )
