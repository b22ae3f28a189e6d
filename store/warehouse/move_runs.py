"""Moves on the floor, and transfers that are sent from there: what is read and recorded."""

from __future__ import annotations

from dataclasses import replace

from domain.errors import NotFound, Refused
from domain.warehouse import moving, sending
from domain.warehouse.moving import Moving
from domain.warehouse.scans import Fact, Read, Turn
from domain.warehouse.sending import Free, Sending
from store.database import Connection
from store.stock import corrections, locations, stock, transfers
from store.warehouse import bins
from store.warehouse.runs import Run


async def read(conn: Connection, location: str, code: str) -> Read:
    """What a code is, with the name of goods."""
    found = await bins.read_code(conn, location, code)
    if found.sku is None:
        return found
    return replace(found, found=(await bins.names_of(conn, [found.sku])).get(found.sku))


async def record(conn: Connection, run: Run, _state: Moving, fact: Fact) -> None:
    """Goods lie elsewhere; or are taken off or put onto the stock."""
    sku, place, said = fact.part, run.location, fact.said
    if fact.what == "move":
        source = str(said["from"]) if said["is_all"] else ""
        await bins.move(conn, place, sku, source, str(said["to"]))
        return
    key, n, why = f"run-{run.run_no}-{said['number']}", int(said["n"]), str(said["why"])
    if fact.what == "write_off":
        await corrections.write_off(conn, key, sku, place, n, who=run.who, why=why)
    else:
        await corrections.adjust(conn, key, sku, place, n, who=run.who, why=why)


async def not_recorded(_conn: Connection, state: Moving, fact: Fact, why: str) -> Turn[Moving]:
    """What the rules did not take."""
    return moving.refused(state, fact, why)


async def begin_to_send(conn: Connection, location: str, part: str, to: str) -> Sending:
    """A transfer, as it begins. Raises NotFound for a place that is not open, Refused for this."""
    if (await locations.names(conn)).get(to, True):
        raise NotFound(f"there is no open location {to}", reason="no_location")
    if to == location:
        raise Refused("a transfer leads elsewhere", reason="sends_to_itself")
    return Sending(part=part, to=to)


async def read_to_send(conn: Connection, location: str, code: str) -> Read:
    """What a code is, with how many units may leave."""
    found = await bins.read_code(conn, location, code)
    level = None if found.sku is None else await stock.level(conn, found.sku, location)
    if level is None:
        return found
    free = max(0, level.on_hand - level.allocated - level.soft_reserved)
    name = (await bins.names_of(conn, [level.sku])).get(level.sku)
    return replace(found, found=Free(units=free, name=name))


async def record_sent(conn: Connection, run: Run, _state: Sending, fact: Fact) -> None:
    """The goods are under way."""
    await transfers.send(
        conn,
        fact.part,
        run.location,
        str(fact.said["to"]),
        fact.counted or {},
        who=run.who,
        why=str(fact.said["why"]),
    )


async def not_sent(_conn: Connection, state: Sending, _fact: Fact, why: str) -> Turn[Sending]:
    """What becomes of a transfer that the rules did not take."""
    return sending.refused(state, why)
