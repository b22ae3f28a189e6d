"""The reports of docs/service-tools.md: each example is sent as a command and over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.stock.items import Item
from tests.support.api import Api
from tests.support.builders import a_policy, an_order
from tests.support.command_line import commands_for
from tests.support.shop import Shop

PAGE: Final = Path(__file__).parents[2] / "docs" / "service-tools.md"
CODE: Final = "7KQ4MXN"

PATIENT: Final = a_policy(return_window=600)


class Report(NamedTuple):
    """One kind of report, as the page shows it. `story`: what its order is told with it."""

    name: str
    path: str
    standing: str
    story: str
    command: str
    message: dict[str, Any]
    answer: dict[str, Any]


def reports() -> list[Report]:
    found = []
    for text in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        rows = dict(re.findall(r"^\| ([\w ]+?) \| (.+?) \|$", text, re.MULTILINE))
        if "the story says" not in rows:
            continue
        command = re.search(r"^```console\n\$ orderloom (.+?)\n```", text, re.MULTILINE)
        assert command is not None, f"{text[:40]!r} lacks its command"
        shown = [
            json.loads(each)
            for each in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        ]
        path = re.search(r"POST (\S+)`", rows["HTTP"])
        assert path is not None, f"{text[:40]!r} lacks its path"
        found.append(
            Report(
                *(text.split("\n")[0], path[1], rows["the order is"]),
                *(rows["the story says"].strip("`"), command[1]),
                *(shown[0], shown[1] if len(shown) > 1 else {}),
            )
        )
    return found


async def ready_to_be_collected(shop: Shop, number: str) -> str:
    order = an_order(("TEA", 1), channel_order_id=number, shipping={"service": "collect"})
    await shop.drive(await shop.placed(order, PATIENT), "labelled")
    ((ready,),) = ((await shop.codes.of_order(order.order_id)).to_collect,)
    return ready.code


async def ready_for_its_appointment(shop: Shop, number: str) -> str:
    order = an_order(("FITTING", 1), channel_order_id=number)
    await shop.placed(order, PATIENT)
    await shop.told(order.order_id, "ready for its appointment")
    return CODE


async def waited_for(shop: Shop, number: str) -> str:
    code = await ready_for_its_appointment(shop, number)
    await shop.pool.execute(
        "insert into appointment (order_no, fulfilment_id, begins_at) "
        "values (order_no_of($1), $1, now() - interval '1 hour')",
        f"web-{number}:1",
    )
    return code


async def in_the_hand(shop: Shop, number: str) -> str:
    del shop, number  # nothing is on record before it is sold
    return CODE


STANDINGS: Final[Mapping[str, Callable[[Shop, str], Awaitable[str]]]] = {
    "ready to be collected": ready_to_be_collected,
    "in the customer's hand": in_the_hand,
    "ready for its appointment": ready_for_its_appointment,
    "waited for, and its appointment is over": waited_for,
}
"""How an order comes to be as a section says; each gives the code of its goods."""


async def test_each_report_of_the_page_does_the_same_as_a_command_and_over_http(
    shop: Shop, database_url: str, temporal_address: str, tmp_path: Path
) -> None:
    await shop.catalogue.set_items([Item(sku="FITTING", handling="service")])
    for sku in ("TEA", "FITTING"):
        await shop.stocked(sku, 20)
    caller = await Api(shop).caller()
    cli = commands_for(
        shop, database_url=database_url, temporal_address=temporal_address, home=tmp_path
    )
    found = reports()
    assert len(found) == 5, [each.name for each in found]

    async def send(report: Report, way: str, number: str) -> None:
        code = await STANDINGS[report.standing](shop, number)

        def own(text: str) -> str:
            return text.replace("1001", number).replace(CODE, code)

        message = json.loads(own(json.dumps(report.message)))
        if way == "command":
            stdin = json.dumps(message["order"]) if " - " in report.command else ""
            await cli.done(*shlex.split(own(report.command)), stdin=stdin)
        else:
            answer = await caller.send_once(own(report.path), message)
            assert answer.status_code in (200, 204), (report.name, answer.text)
            shown = json.loads(own(json.dumps(report.answer)))
            said = answer.json() if answer.content else {}
            assert shown.items() <= said.items(), (report.name, said)
        channel = "pos" if "order" in report.message else "web"
        await shop.told(f"{channel}-{number}", report.story)

    await asyncio.gather(
        *(
            send(report, way, f"{turn}-{way}")
            for turn, report in enumerate(found)
            for way in ("command", "http")
        )
    )
