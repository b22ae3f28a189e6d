"""Buys labels of returns' parcels, and gives those back that are not used.

A carrier that does not answer never holds a return up: the label comes later, or a person is told.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final

from activities.fulfilment.carrier import Carrier, Label, SellsReturnLabels
from activities.fulfilment.carriers import Carriers
from activities.provider_errors import DeclineCode, Declined
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain import ids
from store.aftersales import return_labels
from store.aftersales.return_labels import ToDo
from store.database import Pool

logger = logging.getLogger(__name__)

WITHIN: Final = timedelta(seconds=60)
"""The carrier's calls of an attempt may take so long."""

AT_ONCE: Final = 5
TOGETHER: Final = 4 * AT_ONCE

LEASE: Final = timedelta(minutes=5)
"""Longer than all that are claimed together take; then another worker takes this one for dead, and
asks with the same keys.
"""


class ReturnLabels:
    """A duty of the relay, with the pool and the carriers injected."""

    def __init__(self, pool: Pool, carriers: Carriers) -> None:
        self._pool = pool
        self._carriers = carriers

    async def see_to(self) -> None:
        """Buy all labels that are wanted, and give back all that are not, several at once."""
        while True:
            async with self._pool.acquire() as conn:
                due = await return_labels.claim(conn, self._carriers.choice, LEASE, TOGETHER)
            for start in range(0, len(due), AT_ONCE):
                await asyncio.gather(*(self._one(each) for each in due[start : start + AT_ONCE]))
            if len(due) < TOGETHER:
                return

    async def _one(self, todo: ToDo) -> None:
        try:
            async with asyncio.timeout(WITHIN.total_seconds()):
                carrier = self._carriers.named(todo.sold_by)
                await (self._give_back if todo.unwanted else self._buy)(carrier, todo)
        except Exception as error:  # noqa: BLE001 - an extension may raise anything
            logger.warning(
                "the label of %s is seen to later: %s", todo.return_id, type(error).__name__
            )
            async with self._pool.acquire() as conn:
                await return_labels.unanswered(conn, todo, str(error) or type(error).__name__)

    async def _buy(self, carrier: Carrier, todo: ToDo) -> None:
        try:
            label = await self._bought(carrier, todo)
        except Declined as no:
            async with self._pool.acquire() as conn:
                await return_labels.refused(conn, todo.return_id, no.message)
        else:
            await self._record(todo, label)

    async def _bought(self, carrier: Carrier, todo: ToDo) -> Label:
        if not isinstance(carrier, SellsReturnLabels):
            raise Declined(DeclineCode.NOT_SERVICEABLE, f"{todo.sold_by} sells no return labels")
        label = await carrier.lookup(key=todo.label_key) if todo.tries > 1 else None
        return label or await carrier.buy_return_label(
            key=todo.label_key,
            return_id=todo.return_id,
            service=todo.service,
            country=todo.shipping.country,
            postal_code=todo.shipping.postal_code,
            location=todo.location,
        )

    async def _record(self, todo: ToDo, label: Label) -> None:
        async with self._pool.acquire() as conn:
            await return_labels.bought(
                conn,
                todo.return_id,
                carrier=label.carrier,
                tracking_number=label.tracking_number,
                made=label.files,
            )

    async def _give_back(self, carrier: Carrier, todo: ToDo) -> None:
        """What was asked for may have been bought, though nobody heard of it."""
        if todo.tracking_number is None:
            with suppress(Declined):  # its purchase was refused
                label = await carrier.lookup(key=todo.label_key)
                if label is not None and not label.voided:
                    return await self._record(todo, label)  # and it is given back next
                if label is None and todo.may_be_bought:
                    raise TimeoutError("an earlier attempt to buy it may be under way")
        else:
            try:
                key = ids.void_key(todo.label_key)
                await carrier.void_label(key=key, tracking_number=todo.tracking_number)
            except Declined as no:
                if no.code != DeclineCode.ALREADY_VOIDED:
                    async with self._pool.acquire() as conn:
                        return await return_labels.kept_by_carrier(conn, todo.return_id, no.message)
        async with self._pool.acquire() as conn:
            return await return_labels.voided(conn, todo.return_id)


class ReturnLabelFiles:
    """A duty of the relay. `kept`: for how long after a return has ended."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.label_files) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the files of labels that nobody prints any more."""
        while True:
            async with self._pool.acquire() as conn:
                gone = await return_labels.forget_files(conn, self._kept, BATCH)
            if gone < BATCH:
                return
