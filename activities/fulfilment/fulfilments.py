"""Pick, pack and ship a fulfilment: one step, which waits for the warehouse; and its undos."""

from __future__ import annotations

from typing import Literal

from temporalio import activity

from activities.fulfilment.carrier import Label
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.contracts import Look, Part, Recalled, Sending, Sent, Stage, Stages
from activities.fulfilment.counter import Till
from activities.fulfilment.cover import CoverOf
from activities.fulfilment.endings import has_ended
from activities.fulfilment.workshops import Workshops
from activities.provider_errors import DeclineCode, Declined
from domain import ids
from domain.orders.handling import AT_ONCE, is_outside, nobody_picks
from store import waits
from store.database import Connection, Pool
from store.fulfilment import appointments, fulfilments, shipments
from store.orders import effects, events, orders


class Fulfilments:
    """Activities for fulfilments, with the pool and those who take part in them injected."""

    def __init__(
        self,
        pool: Pool,
        carriers: Carriers,
        cover_of: CoverOf,
        till: Till,
        workshops: Workshops,
    ) -> None:
        self._pool = pool
        self._carriers = carriers
        self._till = till
        self._workshops = workshops
        self._cover_of = cover_of

    @activity.defn
    async def pick_pack_ship(self, ask: Sending) -> Sent:
        """Wait until it is handed over, or needs a decision; buy its label when it is packed.

        The relay ends the wait with a report. When the parcel is packed, it has the attempt fail,
        so that the next one buys the label, once, and waits on. Fails for good, with type
        `declined`, when the carrier refuses the address.
        """
        fulfilment_id = ask.fulfilment_id
        async with self._pool.acquire() as conn:
            found = await fulfilments.standing(conn, fulfilment_id)
            told = has_ended(found)
            unpicked = told is None and nobody_picks(found.handling)
            # The relay ends the wait, so that nothing is lost where this attempt dies.
            if told is not None or found.outcome is not None or found.waits_since is None:
                if told is None and found.label is None and (unpicked or found.state == "packed"):
                    # Before the relay learns that it waits, and has it run again for its label.
                    await fulfilments.woken(conn, fulfilment_id)
                await waits.begin_again(
                    conn,
                    ids.sending_id(fulfilment_id),
                    found.order_id,
                    seen=found.reported_at,
                    told=None if told is None else told.model_dump(mode="json"),
                )
        if unpicked and found.state in ("picking", "picked"):
            await self._till.picked_and_packed(fulfilment_id)
        if told is None and (unpicked or found.state in ("packed", "labelled")):
            sent = await self._label(ask, found.order_id)
            if sent is not None:
                return sent
        if unpicked and found.handling in AT_ONCE:
            await self._till.handed_over(fulfilment_id)
        elif unpicked and is_outside(found.handling):
            await self._workshops.begin(fulfilment_id, found.handling)
        return activity.raise_complete_async()

    async def _label(self, ask: Sending, order_id: str) -> Sent | None:
        """Buy the label of a packed parcel. Returns an answer only if the wait has to end now."""
        fulfilment_id = ask.fulfilment_id
        async with self._pool.acquire() as conn:
            wanted = await self._want(conn, ask, order_id)
            while wanted.answer == "changed":  # somebody was faster: look at the money again
                wanted = await self._want(conn, ask, order_id)
        match wanted.answer:
            case "recalled" | "unpaid":
                return Sent(outcome=wanted.answer)
            case "waits" | "held":
                return None
        if wanted.label == "refused":
            raise Declined(DeclineCode.NOT_SERVICEABLE, wanted.refusal)
        label = await self._buy(fulfilment_id, wanted)
        recalled = await self._record(fulfilment_id, wanted, label) == "recalled"
        return Sent(outcome="recalled") if recalled else None

    async def _want(self, conn: Connection, ask: Sending, order_id: str) -> shipments.Wanted:
        """Ask whether the parcel is paid for, and if so record that its label is to be bought."""
        cover = await self._cover_of(
            conn,
            order_id,
            ask.fulfilment_id,
            ahead=ask.ahead,
            lasting=ask.lasting,
            renew_before=ask.renew_before,
        )
        return await shipments.want_label(
            conn,
            ask.fulfilment_id,
            label_key=ids.label_key(ask.fulfilment_id),
            carriers=self._carriers.choice,
            holds=cover.holds,
            seen=cover.seen,
            to_charge_minor=cover.to_charge,
            renew_before=ask.renew_before,
        )

    @activity.defn
    async def stages(self, ask: Look) -> Stages:
        """The stage of each fulfilment. What happens next to one that is late will be told."""
        async with self._pool.acquire() as conn:
            found = await fulfilments.stages(conn, ask.fulfilment_ids)
            for stage in found:
                within = ask.within.get(stage.state)
                if within is not None and stage.lasted >= within:
                    await fulfilments.is_late(conn, stage.fulfilment_id, stage.state)
        return Stages(
            stages={
                stage.fulfilment_id: Stage(
                    state=stage.state, since=stage.since, lasted=stage.lasted
                )
                for stage in found
            }
        )

    @activity.defn
    async def recall(self, part: Part) -> Recalled:
        """Stop the fulfilment unless it was handed over.

        This decides whether cancel or ship wins.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            caught = await fulfilments.recall(conn, part.fulfilment_id)
            lines = await fulfilments.lines(conn, part.fulfilment_id)
            parcel = await shipments.find(conn, part.fulfilment_id)
            is_firm = caught is None and await appointments.is_firm(conn, part.fulfilment_id)
        return Recalled(
            caught=caught,
            kept_by="appointment_firm" if is_firm else "",
            labelled=parcel is not None and parcel.label != "refused",
            units={line.line_id: line.reserved for line in lines},
        )

    @activity.defn
    async def put_back(self, part: Part) -> None:
        """Undo picking and packing: a recalled fulfilment's units are free again.

        Whoever brings them to the shelf reports that later; the story calls that "put back".
        """
        fulfilment_id = part.fulfilment_id
        effect = f"put_back:{fulfilment_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            order_id = row["order_id"]
            if await effects.find(conn, order_id, effect) is not None:
                return
            lines = await fulfilments.lines(conn, fulfilment_id)
            units = {line.line_id: line.picked for line in lines if line.picked}
            if not units:
                return  # Nobody had picked anything before the recall.
            await orders.move_lines(conn, order_id, {k: {"picked": -n} for k, n in units.items()})
            await events.tell(
                conn,
                order_id,
                effect,
                "units freed",
                who=ids.WHO,
                why=f"{fulfilment_id} was recalled",
                data={"fulfilment_id": fulfilment_id, "units": units},
            )

    @activity.defn
    async def void_label(self, part: Part) -> None:
        """Undo the labels that are not used: of a recalled fulfilment, and of a parcel that was
        opened or goes elsewhere.

        A label that was never bought, or is voided already, needs nothing.
        """
        fulfilment_id = part.fulfilment_id
        async with self._pool.acquire() as conn:
            row = await fulfilments.find(conn, fulfilment_id)
            parcel = await shipments.find(conn, fulfilment_id)
            unused = await shipments.unused_labels(conn, fulfilment_id)
        for label in unused:
            key = ids.void_key(label.label_key)
            await self._give_back(key, label.sold_by, label.tracking_number)
            await self._voided(fulfilment_id, label.tracking_number, unused=label.label_key)
        is_recalled = row is not None and row["recalled_from"] is not None
        if parcel is None or not is_recalled or parcel.label in ("refused", "voided"):
            return
        tracking_number = parcel.tracking_number
        if parcel.label == "requested":
            tracking_number = await self._number_bought(parcel)
        if tracking_number is not None:
            key = ids.void_key(parcel.label_key)
            await self._give_back(key, parcel.sold_by, tracking_number)
        await self._voided(fulfilment_id, tracking_number)

    async def _voided(
        self, fulfilment_id: str, tracking_number: str | None, unused: str = ""
    ) -> None:
        """Record that a label is void: the fulfilment's present one, or one that it had before."""
        effect, why = f"void_label:{fulfilment_id}", f"{fulfilment_id} was recalled"
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            if unused:
                effect = f"void_label:{unused}"
                why = f"{fulfilment_id} does not go out with it"
                await shipments.unused_label_voided(conn, fulfilment_id, unused)
            else:
                await shipments.label_voided(conn, fulfilment_id)
            await events.tell(
                conn,
                row["order_id"],
                effect,
                "label voided",
                who=ids.WHO,
                why=why,
                data={"fulfilment_id": fulfilment_id, "tracking_number": tracking_number},
            )

    async def _buy(self, fulfilment_id: str, wanted: shipments.Wanted) -> Label:
        key, carrier = wanted.label_key, self._carriers.named(wanted.sold_by)
        shipping = wanted.shipping
        assert shipping is not None  # it is to be bought
        try:
            label = None if wanted.answer == "wanted" else await carrier.lookup(key=key)
            return label or await carrier.buy_label(
                key=key,
                fulfilment_id=fulfilment_id,
                service=shipping.service,
                country=shipping.country,
                postal_code=shipping.postal_code,
                packed=wanted.packed,
            )
        except Declined as error:
            async with self._pool.acquire() as conn, conn.transaction():
                row = await fulfilments.locked(conn, fulfilment_id)
                await shipments.label_refused(conn, fulfilment_id, error.message)
                await events.tell(
                    conn,
                    row["order_id"],
                    f"label_refused:{fulfilment_id}",
                    "label refused",
                    who=ids.WHO,
                    why=error.message,
                    data={"fulfilment_id": fulfilment_id},
                )
            raise

    async def _record(
        self, fulfilment_id: str, wanted: shipments.Wanted, label: Label
    ) -> Literal["labelled", "recalled"]:
        """Record the bought label with its files.

        `recalled`: the fulfilment was recalled meanwhile, so void it.
        """
        async with self._pool.acquire() as conn:
            found = await shipments.label_bought(
                conn,
                fulfilment_id,
                label_key=wanted.label_key,
                carrier=label.carrier,
                tracking_number=label.tracking_number,
                files=label.files,
            )
        if found["is_late"] and not label.voided:
            # The purchase counted as never made, but the carrier's answer arrived after all.
            key = ids.void_key(wanted.label_key)
            await self._give_back(key, wanted.sold_by, label.tracking_number)
        return "recalled" if found["is_recalled"] else "labelled"

    async def _number_bought(self, parcel: shipments.Parcel) -> str | None:
        """The tracking number of a purchase whose outcome is unknown; None: nothing was bought."""
        try:
            label = await self._carriers.named(parcel.sold_by).lookup(key=parcel.label_key)
        except Declined:
            return None  # The carrier refused it, and its answer was lost.
        return None if label is None else label.tracking_number

    async def _give_back(self, key: str, sold_by: str, tracking_number: str) -> None:
        try:
            await self._carriers.named(sold_by).void_label(key=key, tracking_number=tracking_number)
        except Declined as error:
            if error.code != DeclineCode.ALREADY_VOIDED:
                raise
