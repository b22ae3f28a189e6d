"""Channels: where orders come from, what is agreed about each, and its shop's address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from domain.errors import NotFound
from domain.orders.channels import Channel, ChannelKind
from starter.service.channels import Channels
from starter.web.screens.visits import Visit
from starter.web.setup.documents import Documents, router_of
from starter.web.setup.fields import Field
from starter.web.setup.policy_rules import RULES, is_set, told, value_at
from starter.web.setup.shops import webhook_of

_MESSAGES: Final = 10


class _Channels(Documents[Channel]):
    name = "channels"
    code = "channel"
    model = Channel
    reads = "sellers:read"
    writes = "sellers:write"
    page_name = "channel"
    fields = (
        Field("kind", "choice", required=True),
        Field("seller", "choice", required=True),
        Field("currencies", "lines"),
        Field("locations", "ticks"),
        Field("providers", "lines"),
    )

    def door(self, visit: Visit) -> Channels:
        return visit.here.channels

    async def all(self, visit: Visit) -> Sequence[Channel]:
        return await visit.here.channels.list()

    def is_theirs(self, visit: Visit, one: Channel) -> bool:
        return visit.person.grant.sees(one.channel, one.seller)

    def may_add(self, visit: Visit) -> bool:
        return not visit.person.grant.is_restricted

    async def retired(self, visit: Visit) -> set[str]:
        return {one.channel for one in await self.all(visit) if one.retired}

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "kind": [(one, visit.words(f"channel_{one}")) for one in get_args(ChannelKind)],
            "seller": [(one.seller, one.name) for one in await visit.here.sellers.list()],
            "locations": [
                (one.location, one.location) for one in await visit.here.locations.list()
            ],
        }

    async def besides(self, visit: Visit, one: Channel) -> dict[str, Any]:
        try:
            shop = await visit.here.shops.get(one.channel)
        except NotFound:
            shop = None
        messages = await visit.here.shops.messages(one.channel, at_most=_MESSAGES)
        return {
            "shop": shop,
            "webhook": webhook_of(visit, one.channel),
            "messages": messages,
            "differing": [
                (rule.key, told(visit.words, rule, value_at(one.policy, rule.path)))
                for rules in RULES.values()
                for rule in rules
                if is_set(one.policy, rule.path)
            ],
        }


CHANNELS: Final = _Channels()
router: Final = router_of(CHANNELS)
