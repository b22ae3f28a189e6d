"""Pick, pack and ship a fulfilment, and undo each; the steps wait for warehouse and carrier."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.fulfilment.carrier import Carrier, Label
from activities.provider_errors import DeclineCode, Declined
from activities.waiting import say_that_it_waits, wait_for_report
from domain.fulfilment.fulfilments import FulfilmentState
from domain.ids import WHO
from domain.orders.order import Shipping
from domain.orders.quantities import LineUnits
from store.database import Pool
from store.fulfilment import fulfilments, shipments
from store.orders import events, orders


class Part(BaseModel):
    """Names one fulfilment."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str


class Picked(BaseModel):
    """The picker's count: the units found, and those not found.

    `refused` gives the reason when the location will send none of it. `backordered` are units that
    became backordered before anybody picked them, because a count found too few.
    """

    model_config = ConfigDict(frozen=True)

    picked: LineUnits
    missing: LineUnits = {}
    backordered: LineUnits = {}
    refused: str = ""


class Packed(BaseModel):
    """The warehouse has closed the parcel."""

    model_config = ConfigDict(frozen=True)


class Ship(BaseModel):
    """Buy a parcel's label, and wait for its hand-over.

    `charged`: the customer is charged when the parcel leaves, so the parcel waits until that is
    possible. A parcel that is already paid, or replaces a lost one, does not wait. The address is
    read from the order's row: nothing personal enters Temporal.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    charged: bool = True


class Shipped(BaseModel):
    """`shipped`: the carrier has the parcel. `recalled`: it was stopped before the hand-over."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["shipped", "recalled"]
    units: LineUnits = {}


class Recalled(BaseModel):
    """The state in which the fulfilment was stopped; None when it had already left.

    `units` are those that are claimed for it, without the units that were not found.
    """

    model_config = ConfigDict(frozen=True)

    caught: FulfilmentState | None
    units: LineUnits = {}


class Fulfilments:
    """Activities for fulfilments, with the database pool and the carrier injected."""

    def __init__(self, pool: Pool, carrier: Carrier) -> None:
        self._pool = pool
        self._carrier = carrier

    @activity.defn
    async def pick(self, part: Part) -> Picked:
        """Wait until the warehouse reports the pick."""
        await wait_for_report(self._pool, "pick", part.fulfilment_id)

    @activity.defn
    async def pack(self, part: Part) -> Packed:
        """Wait until the warehouse reports that the parcel is packed."""
        await wait_for_report(self._pool, "pack", part.fulfilment_id)

    @activity.defn
    async def ship(self, ask: Ship) -> Shipped:
        """Buy the label, once, then wait for the hand-over to the carrier.

        Fails for good, with type `declined`, when the carrier refuses the address.
        """
        fulfilment_id = ask.fulfilment_id
        await say_that_it_waits(self._pool, "ship", fulfilment_id)
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            if row["recalled_from"] is not None:
                return Shipped(outcome="recalled")
            to_buy = row["state"] == "packed"
            if to_buy:
                shipping = await orders.shipping(conn, row["order_id"])
                wanted = await shipments.want_label(
                    conn,
                    fulfilment_id,
                    row["order_id"],
                    label_key=f"{fulfilment_id}:label",
                    service=shipping.service,
                    charged=ask.charged,
                )
        if to_buy:
            if wanted and wanted.label == "refused":
                raise Declined(DeclineCode.NOT_SERVICEABLE, str(wanted.refusal))
            label = await self._buy(fulfilment_id, shipping, new=not wanted)
            if await self._record(fulfilment_id, label) == "recalled":
                return Shipped(outcome="recalled")
        return activity.raise_complete_async()

    @activity.defn
    async def recall(self, part: Part) -> Recalled:
        """Stop the fulfilment unless it was handed over.

        This decides whether cancel or ship wins.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            caught = await fulfilments.recall(conn, part.fulfilment_id)
            lines = await fulfilments.lines(conn, part.fulfilment_id)
        return Recalled(caught=caught, units={line.line_id: line.reserved for line in lines})

    @activity.defn
    async def put_back(self, part: Part) -> None:
        """Undo pick and pack: the picked units of a recalled fulfilment go back to the shelf."""
        fulfilment_id = part.fulfilment_id
        effect = f"put_back:{fulfilment_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            order_id = row["order_id"]
            if await events.find(conn, order_id, effect) is not None:
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
                "put back",
                who=WHO,
                why=f"{fulfilment_id} was recalled",
                data={"fulfilment_id": fulfilment_id, "units": units},
            )

    @activity.defn
    async def void_label(self, part: Part) -> None:
        """Undo the label. A label that was never bought, or is voided already, needs nothing."""
        fulfilment_id = part.fulfilment_id
        parcel = await self._pool_find(fulfilment_id)
        if parcel is None or parcel.label in ("refused", "voided"):
            return
        tracking_number = parcel.tracking_number
        if parcel.label == "requested":
            tracking_number = await self._number_bought(parcel.label_key)
        if tracking_number is not None:
            await self._give_back(fulfilment_id, tracking_number)
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            await shipments.label_voided(conn, fulfilment_id)
            await events.tell(
                conn,
                row["order_id"],
                f"void_label:{fulfilment_id}",
                "label voided",
                who=WHO,
                why=f"{fulfilment_id} was recalled",
                data={"fulfilment_id": fulfilment_id, "tracking_number": tracking_number},
            )

    async def _buy(self, fulfilment_id: str, shipping: Shipping, *, new: bool) -> Label:
        key = f"{fulfilment_id}:label"
        try:
            label = None if new else await self._carrier.lookup(key=key)
            return label or await self._carrier.buy_label(
                key=key,
                fulfilment_id=fulfilment_id,
                service=shipping.service,
                country=shipping.address.country,
                postal_code=shipping.address.postal_code,
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
                    who=WHO,
                    why=error.message,
                    data={"fulfilment_id": fulfilment_id},
                )
            raise

    async def _record(self, fulfilment_id: str, label: Label) -> Literal["labelled", "recalled"]:
        """Record the bought label.

        `recalled`: the fulfilment was recalled meanwhile, so void it.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            parcel = await shipments.find(conn, fulfilment_id)
            late = parcel is not None and parcel.label == "voided"
            if not late:
                await shipments.label_bought(
                    conn,
                    fulfilment_id,
                    carrier=label.carrier,
                    tracking_number=label.tracking_number,
                )
            if row["state"] == "packed":
                await fulfilments.set_state(conn, fulfilment_id, "labelled")
                await events.tell(
                    conn,
                    row["order_id"],
                    f"label:{fulfilment_id}",
                    "label bought",
                    who=WHO,
                    data={
                        "fulfilment_id": fulfilment_id,
                        "carrier": label.carrier,
                        "tracking_number": label.tracking_number,
                    },
                )
        if late and not label.voided:
            # The purchase counted as never made, but the carrier's answer arrived after all.
            await self._give_back(fulfilment_id, label.tracking_number)
        return "recalled" if row["recalled_from"] is not None else "labelled"

    async def _number_bought(self, label_key: str) -> str | None:
        """The tracking number of a purchase whose outcome is unknown; None: nothing was bought."""
        try:
            label = await self._carrier.lookup(key=label_key)
        except Declined:
            return None  # The carrier refused it, and its answer was lost.
        return None if label is None else label.tracking_number

    async def _give_back(self, fulfilment_id: str, tracking_number: str) -> None:
        try:
            await self._carrier.void_label(
                key=f"{fulfilment_id}:void_label", tracking_number=tracking_number
            )
        except Declined as error:
            if error.code != DeclineCode.ALREADY_VOIDED:
                raise

    async def _pool_find(self, fulfilment_id: str) -> shipments.Parcel | None:
        async with self._pool.acquire() as conn:
            return await shipments.find(conn, fulfilment_id)
