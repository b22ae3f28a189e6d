"""What a return or an exchange comes to, shown before it is asked for. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from domain.money import Money
from domain.orders.exchange_messages import ExchangePreview
from domain.orders.messages import Units
from starter.web.customer import offers, requests, shown
from starter.web.customer.shown import Row
from starter.web.customer.templates import page
from starter.web.customer.visits import Visit, here
from starter.web.words import Words

_KEPT = ("request_id", "seen", "why", "comment")


async def shown_sums(
    request: Request, visit: Visit, ask: offers.Ask, sent: Mapping[str, str]
) -> Response:
    """The page on which the customer agrees. Raises as the request itself would be refused."""
    order, words = visit.order, visit.words
    order_id = order.detail.summary.order_id
    exchanges = here(request).exchanges
    rows: list[Row]
    gets: list[str] = []
    if ask == "exchange":
        wanted = requests.exchange_of(order, sent)
        preview = await exchanges.preview(order_id, wanted)
        lines, asks = preview.lines, preview.asks
        rows = _sums(preview, words)
        named = {one.sku: one.name or one.sku for one in order.replacements}
        gets = [_units(words, one.quantity, named[one.sku]) for one in wanted.wants]
    else:
        back = await exchanges.preview_return(order_id, requests.return_of(sent))
        lines, asks = back.lines, back.asks
        rows = [Row(words("sum_you_get_back"), _money(words, back.comes_back))]
    called = shown.names(order)
    return page(
        *("sums", request, words, order.seller),
        depth=2,
        token=visit.token,
        ask=ask,
        sends=[_units(words, one.quantity, called[one.line_id]) for one in lines],
        gets=gets,
        rows=rows,
        asks=bool(asks),
        sent=_sent(lines, sent),
    )


def _sums(worth: ExchangePreview, words: Words) -> list[Row]:
    rows = [
        Row(words("sum_comes_back"), _money(words, worth.comes_back)),
        Row(words("sum_replacement"), _money(words, worth.total)),
    ]
    if worth.paid_back.minor:
        return [*rows, Row(words("sum_you_get_back"), _money(words, worth.paid_back))]
    return [*rows, Row(words("sum_you_pay"), _money(words, worth.owed))]


def _sent(lines: tuple[Units, ...], sent: Mapping[str, str]) -> dict[str, str]:
    """What the form has said, to be sent once more with the customer's consent."""
    names = (*_KEPT, *(f"{kind}:{one.line_id}" for one in lines for kind in ("units", "want")))
    return {name: sent[name] for name in names if name in sent}


def _units(words: Words, n: int, name: str) -> str:
    return words("units", n=words.number(n), name=name)


def _money(words: Words, amount: Money) -> str:
    return words.money(amount.minor, amount.currency)
