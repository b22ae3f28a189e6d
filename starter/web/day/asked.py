"""What somebody asks of the day, in the page's address, within what is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.errors import NotFound
from starter.service.day_book import DayBook
from starter.web.desk.access import Whose, theirs
from starter.web.screens.addresses import day_in, query_of
from starter.web.screens.visits import Visit
from starter.web.words import Words


@dataclass(frozen=True)
class Asked:
    """Whose figures, and of which day; what is none of ours, or not theirs, is not there.

    `sellers`, `channels`: those that can be chosen. `whose`: the limits of what is read.
    """

    day: date | None
    seller: str
    channel: str
    currency: str
    sellers: tuple[str, ...]
    channels: tuple[str, ...]
    whose: Whose

    def filters(self, **fields: str) -> dict[str, str]:
        """The choice as an address has it, and `fields`."""
        day = "" if self.day is None else self.day.isoformat()
        return {"day": day, "seller": self.seller, "channel": self.channel, **fields}

    def address(self, path: str, **fields: str) -> str:
        """A page of the same choice."""
        query = query_of(self.filters(**fields))
        return f"{path}?{query}" if query else path


async def asked(visit: Visit) -> Asked:
    """What the address says. Raises NotFound for a seller or channel that is not theirs."""
    query = visit.request.query_params
    limits = theirs(visit)
    sellers = [one.seller for one in await visit.here.days.todays(limits["sellers"])]
    channels = [one.channel for one in await visit.here.channels.list()]
    if limits["channels"] is not None:
        channels = [one for one in channels if one in limits["channels"]]
    seller, channel = query.get("seller", ""), query.get("channel", "")
    currency = query.get("currency", "").upper()
    if (seller and seller not in sellers) or (channel and channel not in channels):
        raise NotFound("there is no such seller or channel", reason="not_theirs")
    return Asked(
        day=day_in(query.get("day", "")),
        seller=seller,
        channel=channel,
        currency=currency if len(currency) == 3 and currency.isalpha() else "",
        sellers=tuple(sellers),
        channels=tuple(channels),
        whose={
            "sellers": [seller] if seller else limits["sellers"],
            "channels": [channel] if channel else limits["channels"],
        },
    )


async def book_of(visit: Visit, wanted: Asked) -> DayBook:
    """The figures that are asked for. Raises NotFound where they may see no seller."""
    return await visit.here.days.look(wanted.day, **wanted.whose)


def not_yet(words: Words, wanted: Asked, book: DayBook) -> list[str]:
    """What a page of a day has not, a sentence each: a day to come, and sellers without a count."""
    found = []
    if wanted.day is not None and wanted.day > book.day:
        found.append(words("day_to_come", asked=words.day(wanted.day), day=words.day(book.day)))
    if book.not_counted and book.day in book.counted:
        found.append(words("sums_without", sellers=", ".join(book.not_counted)))
    return found
