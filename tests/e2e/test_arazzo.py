"""docs/arazzo.yaml is true: each step of each journey is sent to a running `orderloom serve`."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx

from tests.e2e.stack import ROOT, Shell, fresh_shell
from tests.support.arazzo import Journeys
from tests.support.receiver import Reply, receiving_beside

DOCUMENT: Final = ROOT / "docs" / "arazzo.yaml"
HERE: Final = {
    "ORDERLOOM_WEBHOOK_TARGETS_ALLOW": "127.0.0.0/8,::1/128",
    "ORDERLOOM_WEBHOOK_TARGETS_HTTP": "true",
}
"""The subscriber is on this machine."""


async def lived(shell: Shell, inputs: dict[str, Any]) -> list[str]:
    """Live all journeys, side by side. Returns their names."""
    url = shell.info().http_url
    assert url is not None
    async with httpx.AsyncClient(base_url=url, timeout=40) as client:
        journeys = Journeys(DOCUMENT, client)
        await asyncio.gather(
            *(
                journeys.run(name, {**inputs, "number": f"journey-{number}"})
                for number, name in enumerate(journeys.workflows)
            )
        )
        return list(journeys.workflows)


def test_each_journey_comes_to_its_end() -> None:
    with fresh_shell() as shell, receiving_beside(lambda _number, _got: Reply()) as receiver:
        shell.environment |= HERE
        with shell.up():
            shell.orderloom("stock", "receive", "CUP", "20", "--new-location")
            made = shell.orderloom(
                *("api-keys", "make", "journeys"), *("--scope", "all:read", "--scope", "all:write")
            )
            inputs = {"key": made["secret_text"], "channel": "web", "sku": "CUP"}
            where = {"location": "main", "url": receiver.url}
            names = asyncio.run(lived(shell, {**inputs, **where}))
            assert len(names) == 5
            assert receiver.types == ["test"]
            assert shell.orderloom("audit")["clean"]
