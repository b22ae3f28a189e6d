"""Returns on the floor: whose a parcel is, what is expected of it, and what is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.aftersales.return_counts import Found, FoundGoods, disposed
from domain.aftersales.return_rules import ReturnTerms
from domain.errors import Refused
from domain.warehouse import returning as decisions
from domain.warehouse.codes import forms
from domain.warehouse.returned import CONDITIONS, BackLine, Expected, Parcel, Returning
from domain.warehouse.scans import Fact, Read, Turn
from store.aftersales import return_rules, unannounced
from store.database import Connection, Record, load_queries
from store.warehouse import bins, returning
from store.warehouse.runs import Run

_sql = load_queries(__file__)


async def begun(
    conn: Connection,
    code: str,
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
) -> Returning:
    """A run, with the parcel that this code is on; "": it is scanned first.

    Raises Refused where nobody knows the code.
    """
    if not code:
        return Returning()
    parcel = await _parcel(conn, code, channels, sellers)
    if parcel is None:
        raise Refused(f"nothing begins with {code}", reason="nothing_begins_so")
    return decisions.opened(Returning(), Read(code, found=parcel)).state


async def read(
    conn: Connection,
    location: str,
    state: Returning,
    code: str,
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
) -> Read:
    """What a code is: of a parcel, as long as none is open; then of goods, with their name."""
    found = await bins.read_code(conn, location, code)
    if found.command is not None:
        return found
    if not state.part and not state.is_unannounced:
        return replace(found, found=await _parcel(conn, found.code, channels, sellers))
    if found.sku is None:
        return found
    return replace(found, found=(await bins.names_of(conn, [found.sku])).get(found.sku))


async def order_of(
    conn: Connection,
    code: str,
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
) -> str | None:
    """The order that a code stands for, as on a parcel; None: nobody knows it."""
    parcel = await _parcel(conn, code, channels, sellers)
    return None if parcel is None else parcel.order_id


async def _parcel(
    conn: Connection,
    code: str,
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
) -> Parcel | None:
    """Of orders of these channels and sellers alone; None: of all."""
    row = await _sql.parcel(
        conn,
        forms=forms(code),
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
    )
    if row is None:
        return None
    # What names a return that is not expected is of none of the others.
    returns = [] if row["is_named"] else row["returns"] or []
    named = [one for one in returns if one["is_named"]] or returns
    terms = await return_rules.terms_of(conn, row["order_id"]) if named else {}
    skus = sorted({line["sku"] for one in named for line in one["lines"]})
    return Parcel(
        order_id=row["order_id"],
        returns=tuple(_expected(one, terms) for one in named),
        other_id=row["other_id"] or "",
        is_requested=bool(row["is_requested"]),
        names=await bins.names_of(conn, skus),
    )


def _expected(row: Record, terms: dict[str, ReturnTerms]) -> Expected:
    lines = tuple(
        BackLine(
            **line,
            goes={
                condition: disposed(
                    Found(quantity=1, condition=condition),
                    terms.get(line["line_id"], returning.NO_TERMS),
                )
                for condition in CONDITIONS
            },
        )
        for line in row["lines"]
    )
    return Expected(return_id=row["return_id"], lines=lines)


async def record(conn: Connection, run: Run, state: Returning, fact: Fact) -> None:
    """The parcel is counted; or lies at the dock, because nobody announced it.

    Raises Refused, and InvalidInput where no rule says what becomes of goods in that condition.
    """
    extra = [
        FoundGoods(sku=x.sku, quantity=x.units, condition=x.condition, photo=x.photo or None)
        for x in state.came()
    ]
    if fact.what == "unannounced":
        await unannounced.receive(
            conn,
            f"run-{run.run_no}",
            extra,
            location=run.location,
            order_id=state.order_id or None,
            why=_why(state),
            who=run.who,
        )
        return
    counted = {
        line.line_id: [
            Found(quantity=x.units, condition=x.condition, photo=x.photo or None)
            for x in state.came(line.line_id)
        ]
        for line in state.lines
    }
    await returning.receive_return(
        conn, fact.part, counted, extra=extra, location=run.location, who=run.who
    )


def _why(state: Returning) -> str:
    if not state.order_id:
        return "nobody knows whose it is"
    if not state.other_id:
        return "make a return of it"
    if state.is_requested:
        return f"approve {state.other_id} and count it, or refuse it: its parcel is here"
    return f"{state.other_id} was counted before this parcel came: make another return of it"


async def not_recorded(
    _conn: Connection, state: Returning, _fact: Fact, why: str
) -> Turn[Returning]:
    """What becomes of a parcel that the rules did not take."""
    return decisions.refused(state, why)
