"""The day at a glance: orders, promises, money, stock, what waits for people and for workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from domain.days.figures import RUNS_OUT_WITHIN_DAYS, Wait
from starter.service.queues import SIZE_MAX, Look
from starter.web import charts
from starter.web.day import pictures
from starter.web.day.asked import asked, book_of, not_yet
from starter.web.day.tiles import MONEY, Board, Tile, fresh, sees_stock
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.words import Words
from store.views.attention import AttentionTask

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_LOSSES: Final = 5
_TASKS_MAX: Final = 1_000
_ROUND_TRIP_MS: Final = 20


class Kind(NamedTuple):
    """Tasks of one kind. `stake`: the money that is at stake, in words."""

    title: str
    number: str
    stake: str
    oldest: str


class Vital(NamedTuple):
    """How a server or queue is, in words; `is_bad`: somebody should look."""

    title: str
    said: str | Markup
    is_bad: bool


@router.get("/app/day")
async def day(visit: Annotated[Visit, may("orders:read")]) -> Response:
    """All of it, as far as it is theirs.

    Money is for those who may see payments or the books; tasks and servers for operations.
    """
    wanted = await asked(visit)
    book = await book_of(visit, wanted)
    currencies = book.currencies
    currency = wanted.currency if wanted.currency in currencies else (currencies or ["EUR"])[0]
    board = Board(visit, wanted, book, currency)
    now = datetime.now(UTC)
    told, is_old = fresh(visit.words, book.counted_at, now)
    sees_money = any(visit.person.allows(scope) for scope in MONEY)
    entries = await _entries(board) if visit.person.allows("accounting:read") else []
    values: dict[str, Any] = {
        "board": board,
        "fresh": told,
        "mark": now.isoformat(),
        "not_yet": not_yet(visit.words, wanted, book),
        "is_old": book.is_today and is_old,
        "choices": {
            "sellers": [(one, one) for one in wanted.sellers],
            "channels": [(one, one) for one in wanted.channels],
            "currencies": [(one, one) for one in currencies] if sees_money else [],
        },
        "orders": _orders(board, sees_money=sees_money),
        "open_by_state": _open_by_state(board) if book.is_today else [],
        "charts_orders": [pictures.by_hour(board), pictures.by_channel(board)],
        "by_channel": [
            (name, board.book.trend("orders", channel=name)) for name in book.channels("orders")
        ],
        "promises": _promises(board),
        "charts_promises": [
            pictures.kept(board, "shipped", "shipped_late"),
            pictures.kept(board, "delivered", "delivered_late"),
        ],
        "money": _money(board, entries) if sees_money else [],
        "charts_money": [pictures.money(board)] if sees_money else [],
        "losses": None,
        "in_currencies": False,
        "entries": entries,
        "losses_link": wanted.address("app/day/losses", currency=currency),
        "stock": _stock(board),
        "attention": None,
        "vitals": [],
        "chart_waits": "",
    }
    if visit.person.allows("accounting:read"):
        values["charts_money"].append(pictures.result(board))
        values["in_currencies"] = len(book.parts("result")) > 1
        values["losses"] = await visit.here.days.losses(
            book.day, **wanted.whose, currency=currency, at_most=_LOSSES
        )
        lost = book.trend("lost_orders", part=currency).now
        values["lost_orders"] = "–" if lost is None else visit.words.number(lost)
        values["lost_elsewhere"] = [
            (wanted.address("app/day", currency=one), one, lost)
            for one in currencies
            if one != currency and (lost := book.trend("lost_orders", part=one).now)
        ]
    if book.is_today and visit.person.allows("operations:read"):
        values["attention"] = await _attention(board)
        look = await visit.here.queues.look()
        waited = await visit.here.days.waits()
        values["vitals"] = _vitals(
            visit.words, look, lambda figure: pictures.most(waited, now, figure)
        )
        values["chart_waits"] = pictures.waits(board, waited, now)
    return visit.show("day/day", **{**IN_TEMPLATES, **values})


def _orders(board: Board, *, sees_money: bool) -> list[Tile]:
    found = [board.orders()]
    if sees_money:
        found += board.worth()
    return [*found, board.tile("open_orders")]


def _open_by_state(board: Board) -> list[tuple[str, str, str]]:
    """The list of each state, its name, and how many there are: a list is of one state."""
    found = []
    for state in board.book.parts("open_orders"):
        count = board.book.trend("open_orders", part=state).now
        if count:
            address = board.wanted.address("app/orders", day="", state=state)
            found.append((address, board.words(f"order_{state}"), board.words.number(count)))
    return found


def _promises(board: Board) -> list[Tile]:
    def listed(what: str) -> str:
        return board.wanted.address("app/day/parcels", what=what)

    found = [
        board.tile(figure, listed(figure))
        for figure in ("shipped", "shipped_late", "delivered", "delivered_late")
    ]
    standing = [
        board.tile(figure, listed(figure) if board.book.is_today else "")
        for figure in ("leave_today", "leave_late", "arrive_late")
    ]
    return found + standing


async def _entries(board: Board) -> list[tuple[str, str]]:
    """What the result was made of: each seller with the list of its entries."""
    day = board.book.day
    found = await board.visit.here.days.sellers_of_result(day, board.currency, **board.wanted.whose)
    whole = {"first": day.isoformat(), "last": day.isoformat(), "day": "", "channel": ""}
    return [
        (
            seller,
            board.wanted.address(
                "app/money/ledger", **whole, seller=seller, currency=board.currency
            ),
        )
        for seller in found
    ]


def _money(board: Board, entries: Sequence[tuple[str, str]]) -> list[Tile]:
    address = board.wanted.address
    found = [
        board.tile(
            figure,
            address("app/day/payments", what=figure, currency=board.currency),
            is_money=True,
        )
        for figure in ("authorized", "charged", "refunded")
    ]
    books = board.visit.person.allows("accounting:read")
    owed = "app/money/open/refunds" if board.visit.person.allows("payments:read") else ""
    found.append(board.tile("owed_back", owed, is_money=True))
    if books:
        found += [
            board.tile("result", entries[0][1] if entries else "", is_money=True),
            board.tile("lost", address("app/day/losses", currency=board.currency), is_money=True),
        ]
    return found


def _stock(board: Board) -> list[Tile]:
    if not sees_stock(board.visit):
        return []
    today = datetime.now(UTC).date()  # Stock lasts until a day of UTC.
    by = [(today + timedelta(days=days)).isoformat() for days in (0, RUNS_OUT_WITHIN_DAYS)]
    return [
        board.tile("stock_out", f"app/stock?out={by[0]}"),
        board.tile("runs_out", f"app/stock?out={by[1]}"),
        board.tile("stock_low", "app/stock?low=1"),
    ]


async def _attention(board: Board) -> dict[str, Any]:
    """Tasks by their kinds, those with money first; of one's sellers."""
    words, limits = board.words, board.wanted.whose["sellers"]
    door = board.visit.here.needs_attention
    found: list[AttentionTask] = []
    for seller in [None] if limits is None else limits:
        found += await door.tasks(
            seller=seller, locations=board.visit.person.locations, at_most=_TASKS_MAX
        )
    kinds: dict[str, list[AttentionTask]] = {}
    for task in found:
        kinds.setdefault(task.kind, []).append(task)
    more = "+" if len(found) >= _TASKS_MAX else ""
    number = f"{words.number(len(found))}{more}"
    return {
        "tile": board.tasks(number, "app/tasks?all=1") if limits is None else None,
        "number": number,
        "stake": _stake(words, found),
        "kinds": [
            Kind(
                words(f"task_{kind}"),
                words.number(len(tasks)),
                _stake(words, tasks),
                words.moment(min(task.since for task in tasks)),
            )
            for kind, tasks in sorted(kinds.items(), key=lambda item: -len(item[1]))
        ],
    }


def _stake(words: Words, tasks: list[AttentionTask]) -> str:
    sums: dict[str, int] = {}
    for task in tasks:
        if task.amount_minor is not None and task.currency is not None:
            sums[task.currency] = sums.get(task.currency, 0) + task.amount_minor
    return ", ".join(words.money(minor, currency) for currency, minor in sorted(sums.items()))


def _vitals(
    words: Words, look: Look, lately: Callable[[Wait], Sequence[int | None]]
) -> list[Vital]:
    """What each server told, or that it did not. `lately`: a wait in each of the last 24 hours."""
    found = []

    def add(key: str, said: str | Markup, *, is_bad: bool = False) -> None:
        found.append(Vital(words(f"vital_{key}"), said, is_bad))

    def add_wait(key: Wait, waited: int, most: int) -> None:
        line = charts.sparkline(
            words, words("of_a_day", what=words(f"vital_{key}")), lately(key), words.number
        )
        said = words("seconds", n=words.number(waited)) if waited else words("queue_is_empty")
        add(key, Markup("{} {}").format(said, line), is_bad=waited > most)

    if look.backlog is None:
        add("temporal", words("is_away"), is_bad=True)
    else:
        add("workers", words.number(look.backlog.workers), is_bad=not look.backlog.workers)
        add("backlog", words.number(look.backlog.tasks))
        add_wait("backlog_wait", look.backlog.wait_s, 60)
    if look.round_trip_us is None or look.waits is None or look.sizes is None:
        add("postgresql", words("is_away"), is_bad=True)
        return found
    add_wait("reports_wait", look.waits.reports_wait, 60)
    add_wait("starts_wait", look.waits.starts_wait, 60)
    add_wait("mails_wait", look.waits.mails_wait, 900)
    add_wait("events_wait", look.waits.events_wait, 900)
    for key, size in look.sizes._asdict().items():
        add(f"size_{key}", f"{words.number(size)}{'+' if size >= SIZE_MAX else ''}")
    took_ms = look.round_trip_us / 1000
    add(
        "round_trip",
        words("milliseconds", n=words.decimal(took_ms)),
        is_bad=took_ms > _ROUND_TRIP_MS,
    )
    used = charts.meter(words, words("vital_pool"), look.connections.used, look.connections.most)
    add("pool", used)
    return found
