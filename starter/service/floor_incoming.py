"""Kinds of work on the floor beside what leaves: receiving, counting, moving. KINDS are all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from domain.warehouse import counting, moving, receiving, returning, sending
from domain.warehouse.counts import Counting
from domain.warehouse.moving import Moving
from domain.warehouse.receipts import Receiving
from domain.warehouse.returned import Returning
from domain.warehouse.scans import Read
from domain.warehouse.sending import Sending
from starter.service import floor_kinds
from starter.service.floor_kinds import Kind, Wish, empty
from store.database import Connection
from store.warehouse import count_runs, move_runs, receive_runs, return_runs


async def _begin_receive(conn: Connection, wish: Wish) -> Receiving:
    """`part`: a purchase order. `blind`: nobody is told how much is expected."""
    part, is_blind = wish.said.get("part", ""), bool(wish.said.get("blind"))
    return await receive_runs.of_purchase(conn, wish.location, part, is_blind=is_blind)


async def _begin_arrive(conn: Connection, wish: Wish) -> Receiving:
    """`part`: a transfer."""
    return await receive_runs.of_transfer(conn, wish.location, wish.said.get("part", ""))


async def _begin_returns(conn: Connection, wish: Wish) -> Returning:
    """`part`: what is on the parcel; "": it is scanned first."""
    return await return_runs.begun(conn, wish.said.get("part", ""), wish.channels, wish.sellers)


async def _read_returns(conn: Connection, wish: Wish, state: Returning, code: str) -> Read:
    return await return_runs.read(conn, wish.location, state, code, wish.channels, wish.sellers)


async def _begin_count(conn: Connection, wish: Wish) -> Counting:
    """`part`: a place or a SKU; "": it is scanned first."""
    return await count_runs.begun(conn, wish.location, wish.said.get("part", ""))


async def _read_count(conn: Connection, wish: Wish, state: Counting, code: str) -> Read:
    return await count_runs.read(conn, wish.location, state, code)


async def _read_move(conn: Connection, wish: Wish, _state: Moving, code: str) -> Read:
    return await move_runs.read(conn, wish.location, code)


async def _begin_send(conn: Connection, wish: Wish) -> Sending:
    """`part`: the location that they go to."""
    part = f"T-{uuid.uuid4().hex[:10]}"
    return await move_runs.begin_to_send(conn, wish.location, part, wish.said.get("part", ""))


async def _read_send(conn: Connection, wish: Wish, _state: Sending, code: str) -> Read:
    return await move_runs.read_to_send(conn, wish.location, code)


_RECEIVE: Final = Kind(
    state=Receiving,
    begin=_begin_receive,
    decide=receiving.decide,
    record=receive_runs.record,
    not_recorded=receive_runs.not_recorded,
    scopes=("purchasing:read", "stock:write"),
)
KINDS: Final[Mapping[str, Kind]] = {
    **floor_kinds.KINDS,
    "receive": _RECEIVE,
    "arrive": replace(_RECEIVE, begin=_begin_arrive, scopes=("stock:write",)),
    "returns": Kind(
        state=Returning,
        begin=_begin_returns,
        read=_read_returns,
        decide=returning.decide,
        record=return_runs.record,
        not_recorded=return_runs.not_recorded,
        scopes=("aftersales:write",),
    ),
    "send": Kind(
        state=Sending,
        begin=_begin_send,
        read=_read_send,
        decide=sending.decide,
        record=move_runs.record_sent,
        not_recorded=move_runs.not_sent,
        scopes=("stock:write",),
    ),
    "count": Kind(
        state=Counting,
        begin=_begin_count,
        read=_read_count,
        decide=counting.decide,
        record=count_runs.record,
        not_recorded=count_runs.not_recorded,
        scopes=("stock:write",),
    ),
    "move": Kind(
        state=Moving,
        begin=empty(Moving),
        read=_read_move,
        decide=moving.decide,
        record=move_runs.record,
        not_recorded=move_runs.not_recorded,
        scopes=("stock:write",),
    ),
}
