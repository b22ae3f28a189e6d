"""The couriers' register: each key has one answer, and one label at most, whoever asks when."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from activities.fulfilment.carrier import Label
from activities.provider_errors import DeclineCode, Declined, Unavailable
from domain.fulfilment.packed import Packed
from orderloom_bike.prints import Ride, label_files

Decision: TypeAlias = Callable[[sqlite3.Connection], tuple[int | None, DeclineCode | None]]
"""What a call leads to: the number of a label, or why there is none."""

TABLES = """
create table if not exists ride (
    number integer primary key autoincrement, fulfilment_id text, service text, country text,
    postal_code text, voided integer not null default 0
);
create table if not exists call (key text primary key, request text, number integer, code text);
"""
GRAMS_MAX = 20_000
TOO_HEAVY = "too heavy"
MESSAGES = {
    DeclineCode.NOT_SERVICEABLE: "no courier rides there",
    DeclineCode.ALREADY_VOIDED: "the label was voided before",
    DeclineCode.NOT_FOUND: "no label has this number",
    DeclineCode.IDEMPOTENCY_CONFLICT: "the key was used before for a call with other content",
}


class BikeCarrier:
    """A `Carrier`. All instances on one folder share the register."""

    def __init__(self, folder: Path, countries: Collection[str]) -> None:
        self._file = folder / "bike.sqlite3"
        self._countries = countries
        folder.mkdir(parents=True, exist_ok=True)

    async def buy_label(
        self,
        *,
        key: str,
        fulfilment_id: str,
        service: str,
        country: str,
        postal_code: str | None,
        packed: Packed,
    ) -> Label:
        """Take a parcel, if a courier rides to its country and can carry it.

        The answer to a key is kept.
        """
        grams = packed.grams or 0
        what = "buy" if grams <= GRAMS_MAX else TOO_HEAVY
        return await self._ride(key, what, fulfilment_id, service, country, postal_code)

    async def buy_return_label(
        self,
        *,
        key: str,
        return_id: str,
        service: str,
        country: str,
        postal_code: str | None,
        location: str,
    ) -> Label:
        """Fetch a parcel and ride it to a location, if a courier rides to its country."""
        fetch = f"fetch to {location}"
        return await self._ride(key, fetch, return_id, service, country, postal_code)

    async def _ride(
        self, key: str, what: str, part: str, service: str, country: str, postal_code: str | None
    ) -> Label:
        ride = (part, service, country, postal_code)

        def decide(register: sqlite3.Connection) -> tuple[int | None, DeclineCode | None]:
            if what == TOO_HEAVY or country not in self._countries:
                return None, DeclineCode.NOT_SERVICEABLE
            made = register.execute(
                "insert into ride (fulfilment_id, service, country, postal_code)"
                " values (?, ?, ?, ?)",
                ride,
            )
            return made.lastrowid, None

        return await asyncio.to_thread(self._answer, key, json.dumps([what, *ride]), decide)

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        """Give a label back, once."""
        number = int(tracking_number.removeprefix("BIKE")) if _ours(tracking_number) else 0

        def decide(register: sqlite3.Connection) -> tuple[int | None, DeclineCode | None]:
            found = register.execute("select voided from ride where number = ?", (number,))
            row = found.fetchone()
            if row is None:
                return None, DeclineCode.NOT_FOUND
            if row[0]:
                return None, DeclineCode.ALREADY_VOIDED
            register.execute("update ride set voided = 1 where number = ?", (number,))
            return number, None

        await asyncio.to_thread(self._answer, key, json.dumps(["void", tracking_number]), decide)

    async def lookup(self, *, key: str) -> Label | None:
        """The label of the call with this key, with its files; None: the key was never seen."""
        return await asyncio.to_thread(self._look, key)

    def _look(self, key: str) -> Label | None:
        with self._register() as register:
            kept = register.execute("select number, code from call where key = ?", (key,))
            row = kept.fetchone()
            return None if row is None else _label(register, *row)

    def _answer(self, key: str, request: str, decide: Decision) -> Label:
        with self._register() as register:
            kept = register.execute("select request, number, code from call where key = ?", (key,))
            row = kept.fetchone()
            if row is None:
                number, code = decide(register)
                register.execute(
                    "insert into call (key, request, number, code) values (?, ?, ?, ?)",
                    (key, request, number, code),
                )
            else:
                known, number, code = row
                if known != request:
                    raise _declined(DeclineCode.IDEMPOTENCY_CONFLICT)
            register.execute("commit")  # a refusal is an answer, too, and stays
            return _label(register, number, code)

    @contextmanager
    def _register(self) -> Iterator[sqlite3.Connection]:
        """The register, for one writer at a time. Raises Unavailable where it cannot be had."""
        try:
            with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as register:
                register.executescript(TABLES)
                register.execute("begin immediate")
                yield register
        except sqlite3.Error as error:
            raise Unavailable(f"the couriers' register cannot be had: {error}") from error


def _label(register: sqlite3.Connection, number: int | None, code: str | None) -> Label:
    if number is None:
        raise _declined(DeclineCode(code or DeclineCode.NOT_FOUND))
    found = register.execute(
        "select fulfilment_id, service, country, postal_code, voided from ride where number = ?",
        (number,),
    )
    fulfilment_id, service, country, postal_code, voided = found.fetchone()
    ride = Ride(f"BIKE{number:08}", fulfilment_id, service, country, postal_code or "")
    return Label(
        carrier="bike",
        tracking_number=ride.number,
        service=service,
        voided=bool(voided),
        files=label_files(ride),
    )


def _ours(tracking_number: str) -> bool:
    return tracking_number.startswith("BIKE") and tracking_number.removeprefix("BIKE").isdecimal()


def _declined(code: DeclineCode) -> Declined:
    return Declined(code, MESSAGES[code])
