"""All stories, side by side, and what each of them tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import Client

from domain.errors import OrderloomError
from domain.orders.order import Payment
from starter.demo.stories import aftersales, exchanges, goods, kinds, traded
from starter.demo.stories.stage import Stage, WentWrong
from starter.service.service import Service

Story = Callable[[Stage], Awaitable[str]]

STORIES: Final[Mapping[str, Story]] = {
    "hold": aftersales.held,
    "another address": aftersales.another_address,
    "edit, up and down": aftersales.up_and_down,
    "cancelled in part": aftersales.taken_out,
    "return": aftersales.returned,
    "exchange, even": exchanges.even,
    "exchange, uneven": exchanges.uneven,
    "exchange, in advance": exchanges.in_advance,
    "claim": aftersales.claimed,
    "lost, and found": aftersales.lost_and_found,
    "gift card": aftersales.paid_with_a_gift_card,
    "price match, goodwill": aftersales.appeased,
    "counter sale": kinds.at_the_counter,
    "digital": kinds.digital,
    "pick-up": kinds.collected,
    "pre-order": kinds.pre_ordered,
    "drop-ship": kinds.drop_shipped,
    "made to order": kinds.made_to_order,
    "by EDI": traded.by_edi,
}


@dataclass(frozen=True)
class ToldStory:
    """How a story went. `wrong`: not as it is told."""

    name: str
    text: str
    wrong: bool = False


async def play(
    service: Service, temporal: Client, paid: Payment, home: Path
) -> Sequence[ToldStory]:
    """Play all of them at once, to the end of their orders. `home`: the demo's folder."""
    await goods.stock(service)
    stage = Stage(service, temporal, paid, home)
    return await asyncio.gather(*(_play(name, story, stage) for name, story in STORIES.items()))


async def _play(name: str, story: Story, stage: Stage) -> ToldStory:
    try:
        return ToldStory(name, await story(stage))
    except (WentWrong, OrderloomError) as fault:
        return ToldStory(name, str(fault), wrong=True)
