"""The way of one parcel: pick, pack, ship, charge, deliver; and the ways on when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow

from workflows.book import OrderBook
from workflows.continuing import broken
from workflows.parcel import Parcel
from workflows.paying import Paying
from workflows.saga import Step, undos
from workflows.steps import ByHand, GivenUp, StepRefused, Steps

with workflow.unsafe.imports_passed_through():
    from activities.backorders import AwaitStock, Backorders
    from activities.delivery import Delivered, Delivery
    from activities.fulfilment import Fulfilment, Part, Recalled, Ship, Shipped
    from activities.inventory import Inventory, Reassign, ReleaseStock, ReserveAgain
    from activities.returns import ApproveReturn, ReturnPart, Returns
    from domain.fulfilments import Planned
    from domain.policy import Policy
    from domain.reservations import Reserved


class Fulfilling:
    """Runs the parcels of one order side by side, and starts new ones for what goes missing."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        paying: Paying,
        policy: Policy,
        saga: tuple[Step, ...],
        next_return_id: Callable[[], str],
    ) -> None:
        self._steps = steps
        self._book = book
        self._paying = paying
        self._policy = policy
        self._saga = saga
        self._next_return_id = next_return_id
        self._order_id = book.order.order_id
        # New fulfilments get their numbers one reservation at a time.
        self.numbering = asyncio.Lock()

    def start(self, parcel: Parcel) -> None:
        """Set a parcel on its way."""
        parcel.task = asyncio.create_task(self._run(parcel))

    @property
    def at_rest(self) -> bool:
        """Every parcel has ended, or waits for the outside; what was to be done about it is."""
        return all(
            not broken(parcel.task) if parcel.ended else self._awaited(parcel)
            for parcel in self._book.parcels.values()
        )

    def _awaited(self, parcel: Parcel) -> bool:
        if parcel.return_id:
            return self._steps.waits_for(Returns.receive_return.__name__, parcel.return_id)
        return self._steps.waits_for(parcel.stage, parcel.id)

    async def all_ended(self) -> None:
        """Wait until no parcel is on its way any more, those included that start meanwhile."""
        parcels = self._book.parcels
        await workflow.wait_condition(
            lambda: (
                all(parcel.ended for parcel in parcels.values())
                or any(broken(parcel.task) for parcel in parcels.values())
            )
        )
        for parcel in parcels.values():
            if parcel.task is not None and parcel.task.done():
                parcel.task.result()  # a fault of ours comes to light here, and can be mended

    async def recall(self, parcel: Parcel) -> bool:
        """Stop a parcel before its hand-over, and undo what was done. False: it was too late."""
        stopped = await self._stop(parcel)
        if stopped is None:
            # Handed over, not found, or given up by an operator: it goes its way without us.
            if parcel.task is None:
                self.start(parcel)
            await workflow.wait_condition(lambda: parcel.ended or parcel.stage == "await_delivery")
            return False
        if parcel.task is not None:
            await workflow.wait_condition(lambda: parcel.ended)
        await self._unwind(parcel, stopped)
        parcel.stage, parcel.outcome = "ended", "recalled"
        return True

    async def carry_on(self, parcel: Parcel, units: Mapping[str, int]) -> None:
        """What stays wanted of a recalled parcel starts again in a new one."""
        async with self.numbering:
            to = self._book.next_fulfilment_id()
            planned = await self._steps.record(
                Inventory.reassign,
                Reassign(fulfilment_id=parcel.id, to=to, units=dict(units)),
                to,
                f"Start again as {to}",
            )
            again = self._book.reassigned(planned)
        self.start(again)

    async def _run(self, parcel: Parcel) -> None:
        try:
            while not await self._went_its_way(parcel):
                pass
        finally:
            parcel.stage = "ended"

    async def _went_its_way(self, parcel: Parcel) -> bool:
        """From the stage it is in, also as an earlier run left it, to its end.

        False: it was to be given up, but what it waited for has happened; the same stage once more
        finds the report.
        """
        try:
            if parcel.stage in ("planned", "pick"):
                await self._pick(parcel)
            if parcel.units:
                if parcel.stage in ("pick", "pack"):
                    await self._pack(parcel)
                if parcel.stage != "await_delivery":
                    if not parcel.too_late:
                        await self._paying.secure(parcel)
                    await self._ship(parcel)
                    await asyncio.gather(self._charge(parcel), self._deliver(parcel))
                elif parcel.return_id:  # an earlier run has charged for it, and heard of it
                    await self._take_back(parcel)
                else:
                    await self._deliver(parcel)
        except GivenUp:
            return parcel.recalled or await self._abandon(parcel, "given up by an operator")
        except StepRefused as refusal:
            return parcel.recalled or await self._abandon(parcel, refusal.message)
        return True

    async def _pick(self, parcel: Parcel) -> None:
        picked = await self._wait(
            parcel,
            Fulfilment.pick,
            Part(fulfilment_id=parcel.id),
            f"Pick {_units(parcel)} at {parcel.location}",
            self._policy.pick_within,
        )
        if picked.backordered:
            await self._fell_back(parcel, picked.backordered)
        if picked.missing:
            await self._replace_not_found(parcel, picked.missing, picked.refused)
        if not parcel.units:
            parcel.outcome = "refused" if picked.refused else "nothing was found"
            if picked.backordered:
                parcel.outcome = "fell back to backorder"

    async def _pack(self, parcel: Parcel) -> None:
        await self._wait(
            parcel,
            Fulfilment.pack,
            Part(fulfilment_id=parcel.id),
            f"Pack {_units(parcel)} at {parcel.location}",
            self._policy.pack_within,
        )

    async def _ship(self, parcel: Parcel) -> None:
        shipping = self._book.order.shipping
        shipped: Shipped = await self._wait(
            parcel,
            Fulfilment.ship,
            Ship(
                fulfilment_id=parcel.id,
                service=shipping.service,
                country=shipping.address.country,
                postal_code=shipping.address.postal_code,
            ),
            f"Buy the label and hand over {_units(parcel)}",
            self._policy.hand_over_within,
        )
        if shipped.outcome == "recalled":
            raise GivenUp(parcel.id)

    async def _charge(self, parcel: Parcel) -> None:
        due = self._book.shipped(parcel)
        await self._paying.charge(parcel, due)

    async def _deliver(self, parcel: Parcel) -> None:
        parcel.stage = "await_delivery"
        parcel.begun.append("await_delivery")
        delivered: Delivered = await self._steps.wait(
            Delivery.await_delivery,
            Part(fulfilment_id=parcel.id),
            parcel.id,
            f"Delivery of {_units(parcel)}",
            within=self._policy.scan_within,
            overdue=lambda: self._quiet_since(parcel),
        )
        parcel.outcome = delivered.outcome
        match delivered.outcome:
            case "delivered":
                self._book.delivered(parcel, delivered.at)
            case "lost":
                await self._replace_lost(parcel)
            case "undeliverable":
                await self._take_back(parcel)

    async def _quiet_since(self, parcel: Parcel) -> str | None:
        """Why a parcel without news needs a person, unless the carrier scanned it lately."""
        scan = await self._steps.record(
            Delivery.last_scan,
            Part(fulfilment_id=parcel.id),
            parcel.id,
            f"Last scan of {parcel.id}",
        )
        if scan.at is not None and workflow.now() - scan.at < self._policy.scan_within:
            return None
        return f"the carrier has not scanned {parcel.id} for {self._policy.scan_within}; lost?"

    async def _replace_not_found(
        self, parcel: Parcel, missing: Mapping[str, int], refused: str = ""
    ) -> None:
        self._book.not_found(parcel, missing)
        why = f"{parcel.location} refused: {refused}" if refused else "not found by the picker"
        async with self.numbering:
            reserved = await self._reserve_again(
                parcel, missing, "open", why, avoid=parcel.location, refused=bool(refused)
            )
            owed = self._book.cancelled(reserved.missing, allocated=False)
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
        refund_id, why = f"{parcel.id}:not_found", "paid for, and there is none left to send"
        await self._paying.refund(refund_id, owed, why, kind="cancelled")

    async def _fell_back(self, parcel: Parcel, units: Mapping[str, int]) -> None:
        """Fewer are there than orders had claimed: these wait again, in their turn."""
        self._book.not_found(parcel, units)
        self._book.backordered(units)
        async with self.numbering:
            await self._steps.record(
                Backorders.join_backorders,
                AwaitStock(order_id=self._order_id, round=self._book.round),
                parcel.id,
                f"Wait for the units of {parcel.id}",
            )

    async def _replace_lost(self, parcel: Parcel) -> None:
        parcel.replacing = True
        async with self.numbering:
            reserved = await self._reserve_again(
                parcel, parcel.units, "shipped", "lost by the carrier"
            )
            given_up = reserved.missing
            owed = self._book.lost(
                {k: units - given_up.get(k, 0) for k, units in parcel.units.items()}, given_up
            )
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
            parcel.replacing = False
        why = f"{parcel.id} was lost by the carrier"
        await self._paying.refund(f"{parcel.id}:lost", owed, why, kind="lost")

    async def _reserve_again(
        self,
        parcel: Parcel,
        units: Mapping[str, int],
        source: Literal["open", "shipped"],
        reason: str,
        avoid: str | None = None,
        refused: bool = False,
    ) -> Reserved:
        return await self._steps.record(
            Inventory.reserve_again,
            ReserveAgain(
                order_id=self._order_id,
                effect=f"reserve_again:{parcel.id}:{source}",
                units=dict(units),
                source=source,
                replace=self._policy.replace_missing,
                backorder=self._policy.backorder,
                round=self._book.round,
                first_number=self._book.next_number,
                avoid=avoid,
                refused=refused,
                sourcing=self._policy.sourcing,
                reason=reason,
            ),
            parcel.id,
            f"Replace what is missing of {parcel.id}",
        )

    async def _take_back(self, parcel: Parcel) -> None:
        """Return to sender: wait for it, and give everything back."""
        reason = f"{parcel.id} could not be delivered"
        if not parcel.return_id:
            parcel.return_id = self._next_return_id()
            await self._steps.record(
                Returns.approve_return,
                ApproveReturn(
                    return_id=parcel.return_id,
                    kind="undeliverable",
                    fulfilment_id=parcel.id,
                    units=parcel.units,
                    reason=reason,
                    who="orderloom",
                ),
                parcel.return_id,
                f"Expect {parcel.id} back",
            )
        return_id = parcel.return_id
        await self.await_return(return_id)
        owed = self._book.came_back(parcel)
        await self._paying.refund(return_id, owed, reason, kind="return", return_id=return_id)

    async def await_return(self, return_id: str) -> dict[str, int]:
        """Wait for a return parcel. Returns what came of each line (line id → units)."""

        async def overdue() -> str:
            return f"{return_id} has not arrived within {self._policy.return_within}"

        received = await self._steps.wait(
            Returns.receive_return,
            ReturnPart(return_id=return_id),
            return_id,
            f"Return parcel {return_id}",
            within=self._policy.return_within,
            overdue=overdue,
        )
        return received.received

    async def _abandon(self, parcel: Parcel, why: str) -> bool:
        """A parcel that cannot go on: undo it and cancel its units. Nothing was charged for it.

        False: somebody else stopped it, or it is too late.
        """
        stopped = await self._stop(parcel)
        if stopped is None:
            parcel.too_late = True
            return False
        await self._unwind(parcel, stopped)
        await self.cancel_units(parcel, parcel.units, f"cancel:{parcel.id}", why, "orderloom")
        parcel.outcome = why
        return True

    async def _stop(self, parcel: Parcel) -> Recalled | None:
        """Stop a parcel for good, or None. Only one who asks is told that it was stopped.

        The database row decides, so what was reported a moment ago is not overlooked.
        """
        async with parcel.recalling:
            if parcel.recalled:
                return None
            stopped = await self._steps.record(
                Fulfilment.recall, Part(fulfilment_id=parcel.id), parcel.id, f"Stop {parcel.id}"
            )
            if stopped.caught is None:
                return None
            parcel.recalled = True
            parcel.buying = parcel.stage == "ship" and stopped.caught == "packed"
            return stopped

    async def cancel_units(
        self, parcel: Parcel, units: Mapping[str, int], effect: str, why: str, who: str
    ) -> None:
        """Release and cancel units of a recalled parcel."""
        await self._steps.record(
            Inventory.release_stock,
            ReleaseStock(
                order_id=self._order_id,
                effect=effect,
                units={parcel.id: dict(units)},
                what="cancelled",
                why=why,
                who=who,
            ),
            parcel.id,
            f"Release stock of {parcel.id}",
        )
        owed = self._book.cancelled(units, allocated=True)
        await self._paying.refund(effect, owed, why, kind="cancelled", who=who)

    async def _unwind(self, parcel: Parcel, stopped: Recalled) -> None:
        """Undo what was done for a stopped parcel, also what was reported and not heard here."""
        if stopped.caught in ("picked", "packed", "labelled"):
            parcel.begun.append("pick")
        found = stopped.units
        missing = {k: n - found[k] for k, n in parcel.units.items() if n > found[k]}
        if missing:
            await self._replace_not_found(parcel, missing)
        part = Part(fulfilment_id=parcel.id)
        for undo in undos(self._saga, parcel.begun):
            summary = f"Undo: {undo.__name__.replace('_', ' ')} {parcel.id}"
            # A label can be given back by hand, at the carrier's; our own counts only here.
            by_hand = undo is Fulfilment.void_label
            with suppress(ByHand):  # recorded with its note when the attention was resolved
                await self._steps.call(
                    undo,
                    lambda _: part,
                    parcel.id,
                    summary,
                    allowed=("retry", "done") if by_hand else ("retry",),
                )

    async def _wait(
        self, parcel: Parcel, do: Any, ask: Any, summary: str, allowed: timedelta
    ) -> Any:
        parcel.stage = do.__name__
        parcel.begun.append(do.__name__)

        within, due = allowed, workflow.now() + allowed
        if do is Fulfilment.ship:  # what is set aside for it may end while it waits
            within = min(within, self._paying.authorizing.time_left)

        async def overdue() -> str | None:
            if do is Fulfilment.ship:
                await self._paying.secure(parcel, surely=workflow.now() >= due)
            if workflow.now() < due:
                return None
            return f"{do.__name__} of {parcel.id} is not done within {allowed}"

        return await self._steps.wait(
            do,
            ask,
            parcel.id,
            summary,
            within=within,
            overdue=overdue,
            stopped=lambda: parcel.recalled,
            cut_short=lambda: parcel.recalled and not parcel.buying,
            allowed=("retry", "cancel"),
            refusable=("declined",),  # the carrier will not take it there
        )

    def _start_all(self, planned: tuple[Planned, ...]) -> None:
        for item in planned:
            self.start(self._book.allocated(item))


def _units(parcel: Parcel) -> str:
    return f"{sum(parcel.units.values())} units of {parcel.id}"
