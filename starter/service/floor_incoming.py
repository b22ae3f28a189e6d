"""Kinds of work on the floor beside what leaves: receiving, counting, moving. KINDS are all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.warehouse import receiving
from domain.warehouse.receipts import Receiving
from domain.warehouse.scans import Read
from starter.service import floor_kinds
from starter.service.floor_kinds import Kind, Wish
from store.database import Connection
from store.warehouse import bins, receive_runs


async def _read(conn: Connection, wish: Wish, _state: Any, code: str) -> Read:
    """A command, a place, or goods."""
    return await bins.read_code(conn, wish.location, code)


async def _begin_receive(conn: Connection, wish: Wish) -> Receiving:
    """`part`: a purchase order."""
    return await receive_runs.of_purchase(conn, wish.location, wish.said.get("part", ""))


async def _begin_arrive(conn: Connection, wish: Wish) -> Receiving:
    """`part`: a transfer."""
    return await receive_runs.of_transfer(conn, wish.location, wish.said.get("part", ""))


KINDS: Final[Mapping[str, Kind]] = {
    **floor_kinds.KINDS,
    "receive": Kind(
        state=Receiving,
        begin=_begin_receive,
        read=_read,
        decide=receiving.decide,
        record=receive_runs.record,
        not_recorded=receive_runs.not_recorded,
        scopes=("purchasing:write",),
    ),
    "arrive": Kind(
        state=Receiving,
        begin=_begin_arrive,
        read=_read,
        decide=receiving.decide,
        record=receive_runs.record,
        not_recorded=receive_runs.not_recorded,
        scopes=("stock:write",),
    ),
}
