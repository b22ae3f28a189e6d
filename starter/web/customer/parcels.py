"""Where each part of an order is, in plain words: parcels, what is collected, codes, services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from urllib.parse import quote

from starter.service.tracking import TrackedOrder
from starter.web.customer.expected import expected
from starter.web.words import Words
from store.views.reads import FulfilmentRow

Mood = Literal["waits", "moves", "done", "trouble"]
"""How a part is doing: shown by a sign and a colour, beside the words that say it."""

_STEPS: Final = ("step_received", "step_packed", "step_sent", "step_delivered")
_REACHED: Final[Mapping[str, int]] = {"packed": 1, "labelled": 1, "shipped": 2, "delivered": 3}
_SCANS_MAX: Final = 8
_CARRIED: Final = frozenset({"shipped", "made_to_order", "drop_ship"})
_ON_ITS_WAY: Final[Mapping[str, str]] = {
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "at_pickup_point",
    "return_to_sender": "coming_back",
    "failure": "lost",
}


@dataclass(frozen=True)
class Step:
    """A step of a parcel's way. `now`: it is the last one that was reached."""

    name: str
    reached: bool
    now: bool


@dataclass(frozen=True)
class Code:
    """A code that is the customer's secret: `revoked` ones are good no more."""

    of: str
    code: str
    revoked: bool


@dataclass(frozen=True)
class Part:
    """A part of an order as its customer reads about it. `lines`: more about where it is."""

    heading: str
    mood: Mood
    status: str
    lines: tuple[str, ...]
    goods: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    scans: tuple[tuple[str, str], ...] = ()
    codes: tuple[Code, ...] = ()
    link: str = ""


def is_carried(handling: str) -> bool:
    """Whether a carrier brings it."""
    return handling in _CARRIED or handling.startswith("x:")


def is_under_way(one: FulfilmentRow) -> bool:
    """Whether a carrier has it, and brings it."""
    turned = _ON_ITS_WAY.get(one.carrier_status or "") in ("coming_back", "lost")
    return one.state == "shipped" and is_carried(one.handling) and not turned


def parts(
    order: TrackedOrder, words: Words, *, whole: bool, now: datetime, urls: Mapping[str, str]
) -> list[Part]:
    """All parts of an order, as they were planned; what waits for stock, and what is not planned.

    `whole`: with its goods and its codes. `urls`: carrier → where its parcels can be followed, with
    `{number}`.
    """
    told = _Told(order, words, whole, now, urls)
    shown = [one for one in order.detail.fulfilments if one.state != "cancelled" and one.units]
    parcels = [one for one in shown if is_carried(one.handling)]
    return [
        *(told.part(one, parcels) for one in shown),
        *told.backorders(),
        *told.not_planned(),
    ]


class _Told:
    def __init__(
        self,
        order: TrackedOrder,
        words: Words,
        whole: bool,
        now: datetime,
        urls: Mapping[str, str],
    ) -> None:
        self._order = order
        self._words = words
        self._whole = whole
        self._today = words.day_of(now)
        self._urls = urls
        self._skus = {line.line_id: line.sku for line in order.detail.lines}

    def name(self, line_id: str) -> str:
        sku = self._skus[line_id]
        return self._order.facts.names.get(sku, sku)

    def goods(self, units: Mapping[str, int]) -> tuple[str, ...]:
        if not self._whole:
            return ()
        words = self._words
        return tuple(
            words("units", n=words.number(n), name=self.name(line_id))
            for line_id, n in units.items()
        )

    def part(self, one: FulfilmentRow, parcels: Sequence[FulfilmentRow]) -> Part:
        if one.handling == "pick_up":
            return self._pick_up(one)
        if one.handling == "digital":
            return self._digital(one)
        if one.handling == "service":
            return self._service(one)
        if one.handling == "counter":
            done = one.state in ("shipped", "delivered")
            status = "handed_over" if done else "preparing"
            return self._plain(one, "part_counter", status, "done" if done else "waits")
        return self._parcel(one, parcels)

    def _plain(
        self, one: FulfilmentRow, heading: str, status: str, mood: Mood, *lines: str
    ) -> Part:
        words = self._words
        return Part(words(heading), mood, words(status), lines, self.goods(one.units))

    def _parcel(self, one: FulfilmentRow, parcels: Sequence[FulfilmentRow]) -> Part:
        words = self._words
        status, mood = self._status(one)
        heading = (
            words("parcel_alone")
            if len(parcels) == 1
            else words("parcel", number=1 + list(parcels).index(one), count=len(parcels))
        )
        lines = [*self._day(one)]
        if one.state in ("shipped", "exception") and one.handed_over_at is not None:
            lines.append(words("sent_on", day=words.day(words.day_of(one.handed_over_at))))
        link = ""
        if one.tracking_number and one.state in ("shipped", "delivered", "exception"):
            lines.append(words("carrier", name=one.carrier))
            lines.append(words("tracking_number", number=one.tracking_number))
            number = quote(one.tracking_number, safe="")
            link = self._urls.get(one.carrier or "", "").replace("{number}", number)
        return Part(
            *(heading, mood, words(status), tuple(lines), self.goods(one.units)),
            steps=self._steps(one),
            scans=self._scans(one),
            link=link,
        )

    def _status(self, one: FulfilmentRow) -> tuple[str, Mood]:
        if one.state == "delivered":
            return "delivered", "done"
        if one.state == "exception":
            turned_back = one.carrier_status == "return_to_sender"
            return ("coming_back" if turned_back else self._lost(one)), "trouble"
        if one.state == "shipped":
            status = _ON_ITS_WAY.get(one.carrier_status or "", "on_its_way")
            return status, "trouble" if status in ("coming_back", "lost") else "moves"
        if one.handling == "drop_ship":
            return "by_supplier", "waits"
        if one.fulfilment_id in self._order.facts.in_workshops:
            return "in_workshop", "waits"
        return ("packed" if one.state in ("packed", "labelled") else self._preparing()), "waits"

    def _preparing(self) -> str:
        return "waits_for_payment" if self._order.facts.awaits_payment else "preparing"

    def _lost(self, one: FulfilmentRow) -> str:
        """What becomes of a lost parcel, where that is decided."""
        lines = one.units.keys()
        given_up = {line.line_id for line in self._order.detail.lines if line.lost}
        if lines & given_up:
            return "lost_paid_back"
        planned = self._order.detail.fulfilments
        later = planned[planned.index(one) + 1 :]
        again = {line_id for each in later if each.state != "cancelled" for line_id in each.units}
        again |= {each.line_id for each in self._order.facts.backorders}
        return "lost_again" if lines <= again else "lost"

    def _day(self, one: FulfilmentRow) -> list[str]:
        words = self._words
        if one.state == "delivered":
            return [words("delivered_on", day=words.day(words.day_of(one.changed_at)))]
        if one.state == "exception":
            return []
        return self._expected(one.promised_on, {"fulfilment_id": one.fulfilment_id})

    def _expected(self, day: date | None, whose: Mapping[str, str]) -> list[str]:
        return expected(self._order, self._words, self._today, day, whose)

    def _steps(self, one: FulfilmentRow) -> tuple[Step, ...]:
        if one.state == "exception":
            return ()
        reached = _REACHED.get(one.state, 0)
        return tuple(
            Step(self._words(name), number <= reached, number == reached)
            for number, name in enumerate(_STEPS)
        )

    def _scans(self, one: FulfilmentRow) -> tuple[tuple[str, str], ...]:
        words = self._words
        mine = [x for x in self._order.facts.scans if x.fulfilment_id == one.fulfilment_id]
        return tuple(
            (words.moment(scan.happened_at), words(f"scan_{scan.status}"))
            for scan in reversed(mine[-_SCANS_MAX:])
        )

    def _pick_up(self, one: FulfilmentRow) -> Part:
        words = self._words
        if one.state in ("shipped", "delivered"):
            return self._plain(one, "part_pick_up", "collected", "done")
        ready = next(
            (x for x in self._order.pick_ups if x.fulfilment_id == one.fulfilment_id), None
        )
        if ready is None:
            return self._plain(one, "part_pick_up", "preparing", "waits", *self._day(one))
        until = words.day_of(ready.ready_at + self._order.facts.policy.collect_within)
        lines = (
            words("pick_up_at", place=one.location),
            words("pick_up_until", day=words.day(until)),
        )
        code = Code(words("show_code"), words("pick_up_code", code=ready.code), revoked=False)
        return Part(
            *(words("part_pick_up"), "moves", words("ready_to_collect"), lines),
            self.goods(one.units),
            codes=(code,) if self._whole else (),
        )

    def _digital(self, one: FulfilmentRow) -> Part:
        mine = [x for x in self._order.codes if x.fulfilment_id == one.fulfilment_id]
        given = bool(mine) or one.state in ("shipped", "delivered")
        codes = tuple(
            Code(self.name(x.line_id), x.code, x.revoked_at is not None)
            for x in mine
            if self._whole
        )
        words = self._words
        return Part(
            *(words("part_digital"), "done" if given else "waits"),
            words("codes_given" if given else "codes_to_come"),
            *((), self.goods(one.units)),
            codes=codes,
        )

    def _service(self, one: FulfilmentRow) -> Part:
        words = self._words
        if one.state in ("shipped", "delivered"):
            return self._plain(one, "part_service", "service_done", "done")
        agreed = next(
            (x for x in self._order.facts.appointments if x.fulfilment_id == one.fulfilment_id),
            None,
        )
        if agreed is None or agreed.begins_at is None:
            missed = [words("missed_time")] if agreed is not None and agreed.missed else []
            return self._plain(one, "part_service", "no_time_yet", "waits", *missed)
        status = words("time_agreed", moment=words.moment(agreed.begins_at))
        return Part(words("part_service"), "moves", status, (), self.goods(one.units))

    def backorders(self) -> list[Part]:
        """What waits for stock: together, where the same is to be said of it."""
        words = self._words
        by_day: dict[tuple[str, ...], dict[str, int]] = {}
        for one in self._order.facts.backorders:
            told = tuple(self._expected(one.promised_on, {"line_id": one.line_id}))
            by_day.setdefault(told, {})[one.line_id] = one.quantity
        return [
            Part(
                *(words("waiting"), "waits", words("stock_to_come")),
                *(told, self.goods(units)),
            )
            for told, units in by_day.items()
        ]

    def not_planned(self) -> list[Part]:
        """Units that no location was chosen for: the order was just taken in, or is held."""
        if self._order.detail.summary.state not in ("received", "held", "confirmed"):
            return []
        units = {line.line_id: line.open for line in self._order.detail.lines if line.open > 0}
        if not units:
            return []
        words = self._words
        return [
            Part(words("not_planned"), "waits", words(self._preparing()), (), self.goods(units)),
        ]
