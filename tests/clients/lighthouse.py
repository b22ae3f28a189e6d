"""`make lighthouse`: grades of the screens, for a desktop and a phone, by Lighthouse from npm.

Exit code 1 where one has fewer points than the aim for performance or accessibility.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple, cast

from starter.service.service import Records, Service
from starter.web.screens.cookies import SESSION
from starter.web.screens.rooms import PLACES
from store.database import open_pool
from tests.clients.node import Node
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import listening, running_browser
from tests.support.builders import an_order
from tests.support.desk import Desk
from tests.support.servers import Databases, running_postgres

AIM: Final = 95
_KINDS: Final = ("performance", "accessibility")
_HOW: Final = {"desktop": ("--preset=desktop",), "phone": ()}


class Grade(NamedTuple):
    """Of one page: points of 100."""

    path: str
    how: str
    points: tuple[int, ...]


async def main() -> int:
    """Grade every place of the navigation, and an order's page."""
    grades: list[Grade] = []
    async with running_postgres() as server:
        databases = Databases(server)
        await databases.prepare()
        async with databases.fresh() as url:
            pool = await open_pool(url)
            try:
                order = an_order(("TEA", 2, "10.00"), ("POT", 1, "30.00"))
                bench = Bench(pool)
                for sku in ("TEA", "POT"):
                    await bench.stocked(sku, 9)
                await bench.at(order, "packed")
                desk = await Desk(pool).signed_in("anna")
                app = Api(cast("Service", Records(pool))).app
                paths = (*(place.path for place in PLACES), f"app/orders/{order.order_id}")
                async with listening(app) as site:
                    grades = await _graded(site, paths, desk.cookies[SESSION])
            finally:
                pool.terminate()
    for one in grades:
        points = ", ".join(f"{kind} {n}" for kind, n in zip(_KINDS, one.points, strict=True))
        print(f"{one.path}, {one.how}: {points}")
    return int(any(n < AIM for one in grades for n in one.points))


async def _graded(site: str, paths: tuple[str, ...], token: str) -> list[Grade]:
    node = Node("lighthouse")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        async with running_browser(f"--remote-debugging-port={port}") as browser:
            # Kept in the browser and not sent as a header: what the scripts ask for has it, too.
            same = await browser.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}")
            (context,) = same.contexts
            kept_at = site.replace("http:", "https:")  # A cookie of the host alone is a secure one.
            await context.add_cookies([{"name": SESSION, "value": token, "url": kept_at}])
            for path in paths:
                for how, options in _HOW.items():
                    await asyncio.to_thread(
                        node.run,
                        *("lighthouse", f"{site}/{path}", f"--port={port}", *options),
                        *("--quiet", "--output=json", f"--output-path={file}"),
                        *(f"--only-categories={','.join(_KINDS)}", "--disable-storage-reset"),
                    )
                    report = json.loads(file.read_text(encoding="utf-8"))
                    assert report["finalDisplayedUrl"].endswith(path), report["finalDisplayedUrl"]
                    said = report["categories"]
                    points = tuple(round(100 * said[kind]["score"]) for kind in _KINDS)
                    found.append(Grade(path, how, points))
    return found


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
