"""EDI over HTTP: partners, and what came and went."""

from __future__ import annotations

import json
from pathlib import Path

from domain.orders.channels import Channel
from tests.support.api import Api, problem
from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]


async def test_partners_and_interchanges_are_set_handed_in_and_read(shop: Shop) -> None:
    api = Api(shop)
    caller = await api.caller("operations:read", "operations:write")
    (partner,) = json.loads((ROOT / "examples" / "edi-partners.json").read_text(encoding="utf-8"))[
        "partners"
    ]
    partner = {**partner, "folders": None}
    await shop.channels.save([Channel(channel="b2b", kind="b2b", providers=("on_account",))])
    there = await caller.put("/v1/edi/partners", json={"partners": [partner]})
    assert there.status_code == 200, there.text
    listed = (await caller.get("/v1/edi/partners")).json()["items"]
    assert [one["partner"] for one in listed] == ["acme"]

    broken = (ROOT / "examples" / "order.edi").read_text(encoding="utf-8").replace("SE*8*", "SE*9*")
    checked = await caller.send_once("/v1/edi/check", {"content": broken})
    (fault,) = checked.json()["findings"]
    place = [fault[name] for name in ("document", "segment", "number", "element")]
    assert place == ["0001", "SE", 8, 1]
    kept = await caller.send_once("/v1/edi/interchanges", {"content": broken})
    (number,) = kept.json()["interchanges"]

    async def read() -> bool:
        one = (await caller.get(f"/v1/edi/interchanges/{number}")).json()
        return one["done_at"] is not None

    await shop.until(read, "the interchange is read")
    one = (await caller.get(f"/v1/edi/interchanges/{number}")).json()
    assert one["raw"] == broken
    assert one["documents"][0]["state"] == "rejected"
    assert "counts 9 segments, and there are 8" in one["documents"][0]["note"]
    (answer, came) = (await caller.get("/v1/edi/interchanges")).json()["items"]
    assert answer["documents"][0]["code"] == "997"
    assert came["interchange_no"] == number
    again = await caller.send_once(
        f"/v1/edi/interchanges/{answer['interchange_no']}/send-again", None
    )
    assert again.status_code == 204, again.text
    problem(
        await caller.send_once(f"/v1/edi/interchanges/{number}/settle", {"note": "x"}),
        404,
        "not_found",
    )
