"""Somebody on the floor of a warehouse with a scanner, over HTTP, without a browser."""

from __future__ import annotations

from typing import Any

from domain.staff.people import Person
from tests.support.desk import Desk, text_of


class Scanner:
    """Somebody with a scanner in one run, who sends scans as the page's script does."""

    def __init__(self, desk: Desk, run_no: int) -> None:
        self.desk = desk
        self.run_no = run_no
        self.seq = 0

    async def send(self, code: str, *, seq: int, scan_id: str, **said: str) -> dict[str, Any]:
        """Send one scan under this number, and answer what became of it."""
        answer = await self.desk.post(
            f"/app/floor/runs/{self.run_no}",
            data={"seq": str(seq), "scan_id": scan_id, "code": code, **said},
            headers={"Accept": "application/json", "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def look(self) -> dict[str, Any]:
        """The screen as it is, as the page's script asks for it."""
        address = f"/app/floor/runs/{self.run_no}"
        answer = await self.desk.get(address, headers={"Accept": "application/json"})
        told: dict[str, Any] = answer.json()
        return told

    async def person(self) -> Person:
        """Whose scanner it is."""
        found = await self.desk.here.staff.person(self.desk.cookies["__Host-orderloom"])
        assert found is not None
        return found

    async def scan(self, *codes: str) -> dict[str, Any]:
        """Scan one after the other, and answer what the last one was told."""
        told: dict[str, Any] = {}
        for code in codes:
            told = await self.send(code, seq=self.seq + 1, scan_id=f"scan-{self.seq + 1}")
            assert told["how"] == "taken", told
            self.seq = told["seq"]
        return told


async def begun(desk: Desk, path: str = "app/floor/begin", **fields: str) -> Scanner:
    """Begin a run by the form of the floor's page, or of another one."""
    page = await desk.send_form(path, **fields)
    assert page.status_code == 200, text_of(page)
    return Scanner(desk, int(page.url.path.rpartition("/")[2]))
