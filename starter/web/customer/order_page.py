"""The page of an order, put together."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from starter.web.customer import parcels, shown
from starter.web.customer.templates import page
from starter.web.customer.visits import Visit


def shown_order(
    request: Request, visit: Visit, *, depth: int, told: str = "", status: int = 200
) -> Response:
    """The page of an order. `told`: the key of what is said above it."""
    order, words, whole = visit.order, visit.words, visit.whole
    summary = order.detail.summary
    return page(
        *("order", request, words, order.seller),
        depth=depth,
        status=status,
        token=visit.token,
        version=order.version,
        number=summary.channel_order_id,
        ordered_on=words.day(words.day_of(summary.placed_at)),
        updated=words.moment(visit.now),
        state=shown.state(order, words),
        told=told,
        parts=parcels.parts(
            order, words, whole=whole, now=visit.now, urls=request.app.state.tracking_urls
        ),
        goods=[*shown.goods(order, words), *shown.besides(order, words)] if whole else (),
        has_more=len(order.detail.lines) > shown.GOODS_MAX,
        whole=whole,
        offers=visit.offers,
        money=shown.money(order, words) if whole else (),
        papers=shown.papers(order, words) if whole else (),
        address=shown.address(order, words) if whole else (),
        returns=shown.returns(order, words) if whole else (),
        claims=shown.claims(order, words) if whole else (),
        messages=shown.messages(order, words) if whole else (),
        story=shown.story(order, words) if whole else (),
    )
