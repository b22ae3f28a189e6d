"""Pages for somebody who is for another place: no list, count or box shows what is not theirs."""

from __future__ import annotations

from typing import Any, Final

import pytest

from domain.staff.roles import ROLES
from store.database import Pool
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of
from tests.support.whole_shop import whole_shop

PLANTED: Final = " of these orders"
OF_ORDERS: Final = ("web-seen", f"Minji{PLANTED}", f"it came late{PLANTED}", "CRN-2026", "INV-2026")
OF_GOODS: Final = ("PO-1", "T-1", "for Christmas")


@pytest.mark.parametrize(
    ("limits", "marks"),
    [
        ({"channels": ["pos"]}, OF_ORDERS),
        ({"sellers": ["uk"]}, OF_ORDERS),
        ({"locations": ["annex"]}, OF_GOODS),
    ],
    ids=["channel", "seller", "location"],
)
async def test_no_page_shows_what_is_of_another_place(
    pool: Pool, limits: dict[str, Any], marks: tuple[str, ...]
) -> None:
    bench, desk = Bench(pool), await Desk(pool).signed_in("anna")
    pages = await whole_shop(bench, desk, PLANTED)
    await pool.execute("insert into location (location) values ('annex')")
    ben = await Desk(pool, desk.app).signed_in("ben", *ROLES, **limits)
    shown = []
    for path in pages:
        page = await ben.get(f"/{path}")
        told = text_of(page) if page.status_code == 200 else ""
        # What somebody has typed into the address is said again.
        shown += [(path, mark) for mark in marks if mark in told and mark not in path]
    assert shown == []
    assert {mark for mark in marks if mark in await _all_told(desk, pages)} == {*marks}


async def _all_told(desk: Desk, pages: tuple[str, ...]) -> str:
    """What the same pages show to who is for everything."""
    return " ".join([text_of(await desk.get(f"/{path}")) for path in pages])
