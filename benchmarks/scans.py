"""What a scan costs on the floor of a warehouse: many pickers at once, each with parcels."""

from __future__ import annotations

import argparse
import asyncio
import random
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from rich.console import Console

from benchmarks import meters
from benchmarks.figures import percentile
from benchmarks.goods import an_order
from benchmarks.http import connected, fill_shelves
from benchmarks.venue import temporary_folder
from benchmarks.wire import Wire
from domain.staff.people import Person, StaffRequest
from starter.service.service import Service
from starter.service.staff import Browser
from starter.stack.supervisor import embedded_stack

AIM_MS: Final = 80.0
_PASSWORD: Final = "seven blue lamps under a bridge"
_AT_ONCE: Final = 8
_WRONG: Final = 0.1
"""So many scans are of nothing that anybody knows."""


class Picker:
    """Somebody who picks one parcel after the other, over a connection of their own."""

    def __init__(self, here: Service, person: Person, wire: Wire, pause_s: float) -> None:
        self._here = here
        self._person = person
        self._wire = wire
        self._pause_s = pause_s
        self._chance = random.Random(id(wire))
        self.took_s: list[float] = []

    async def pick(self, parcels: int) -> None:
        """Pick so many parcels, each scan after a pause, as people do."""
        for _ in range(parcels):
            run_no = await self._here.floor.begin(self._person, "main", "pick", {})
            shown = await self._here.floor.show(self._person, run_no)
            stops = shown.state.model_dump()["stops"]
            units = [stop["sku"] for stop in stops for _ in range(sum(stop["wanted"].values()))]
            seq = 0
            while units:
                is_wrong = self._chance.random() < _WRONG
                seq += 1
                told = await self._scan(run_no, seq, "nobody" if is_wrong else units[0])
                assert told["good"] is not is_wrong, told
                if not is_wrong:
                    units.pop(0)
            assert told["over"], told

    async def _scan(self, run_no: int, seq: int, code: str) -> dict[str, Any]:
        await asyncio.sleep(self._pause_s * (0.5 + self._chance.random()))
        clock = asyncio.get_running_loop().time
        began = clock()
        body = urlencode({"seq": seq, "scan_id": f"s{seq}", "code": code}).encode()
        answer = await self._wire.ask("POST", f"/app/floor/runs/{run_no}", body)
        self.took_s.append(clock() - began)
        assert answer.status == 200, answer
        told: dict[str, Any] = answer.json()
        return told


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--pickers", type=int, default=50)
    parser.add_argument("--parcels", type=int, default=6, help="that each of them picks")
    parser.add_argument("--pause", type=float, default=1.5, help="between two scans, in seconds")


async def measure(console: Console, args: argparse.Namespace) -> None:
    """Place the orders, and let all pick at once, on a stack of its own."""
    with temporary_folder() as home:
        async with (
            embedded_stack(home, report=console.print, http=True) as stack,
            connected(stack.info) as (here, _),
        ):
            await fill_shelves(here)
            token, person = await _signed_in(here)
            await _to_pick(here, person, args.pickers * args.parcels)
            url = urlsplit(stack.info.http_url or "")
            headers = {
                "Cookie": f"__Host-orderloom={token}",
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            }
            pickers = [
                Picker(here, person, Wire(url.hostname or "", url.port or 0, headers), args.pause)
                for _ in range(args.pickers)
            ]
            groups = {"serve": [stack.info.pids["serve"]]}
            before = await meters.read(groups, None)
            await asyncio.gather(*(picker.pick(args.parcels) for picker in pickers))
            after = await meters.read(groups, None)
            took = [1000 * one for picker in pickers for one in picker.took_s]
            cpu = 1000 * (after.cpu_s["serve"] - before.cpu_s["serve"]) / len(took)
            console.print(
                f"{len(took):,} scans of {args.pickers} pickers: p50 {percentile(took, 0.5):.1f}, "
                f"p99 {percentile(took, 0.99):.1f} ms (aim {AIM_MS:.0f}); CPU of serve for one: "
                f"{cpu:.1f} ms"
            )


async def _to_pick(here: Service, person: Person, parcels: int) -> None:
    """So many parcels that wait for their pickers."""
    numbers = iter(range(parcels))

    async def place() -> None:
        for number in numbers:
            await here.orders.place(an_order("scans", number))

    await asyncio.gather(*(place() for _ in range(_AT_ONCE)))
    while True:
        (pick, *_) = await here.floor.waiting(person, "main")
        if pick.waiting >= parcels:
            return
        await asyncio.sleep(0.5)


async def _signed_in(here: Service) -> tuple[str, Person]:
    wanted = StaffRequest.model_validate({"login": "bench", "name": "Bench", "roles": ("admin",)})
    made = await here.staff.make(wanted, who="benchmark")
    first = made.password.get_secret_value()
    browser = Browser("benchmark", "127.0.0.1")
    token = await here.staff.sign_in("bench", first, browser)
    person = await here.staff.person(token)
    assert person is not None
    await here.staff.change_password(person, first, _PASSWORD)
    token = await here.staff.sign_in("bench", _PASSWORD, browser)
    person = await here.staff.person(token)
    assert person is not None
    return token, person
