"""Items are found by words of their SKU and name, in any script, whatever is typed around them."""

from __future__ import annotations

import unicodedata
from typing import Final

from store.database import Connection, Pool
from store.views import search

LONG: Final = "x" * 45 + "-end"
NAMES: Final = {
    "TEA-30": "Green tea, 30 bags",
    "PAPER": "A4용지 500매",
    "LAMP": "LED전구",
    "CUP": "Große Tasse, ÄHRENGELB",
    "HIN": "हिन्दी किताब",
    "THAI": "ชาเขียว",
    "TUR": "İstanbul",
    "GREEK": "ΔΡΟΜΟΣ",
    "GIFT": "🎁gift 100%_off",
    LONG: None,
    "NFD": unicodedata.normalize("NFD", "Café 한국차"),
}
TYPED: Final = {
    "green tea": "TEA-30",
    "tea 30": "TEA-30",
    "een": "TEA-30",
    "용지": "PAPER",
    "a4용지": "PAPER",
    "용": None,  # one letter, and no word begins with it
    "전구": "LAMP",
    "led전구": "LAMP",
    "grosse": None,
    "GROSSE TASSE": None,
    "GROẞE": "CUP",
    "ährengelb": "CUP",
    "हिन्दी": "HIN",
    "किताब": "HIN",
    "ชาเขียว": "THAI",
    "เขียว": "THAI",
    "İSTANBUL": "TUR",
    "istanbul": "TUR",
    "ΔΡΟΜΟΣ": "GREEK",
    "🎁 gift": "GIFT",
    "100%": "GIFT",
    "100%_off": "GIFT",
    "x" * 45: LONG,
    "x" * 3000: LONG,
    f"{LONG} {LONG}": LONG,
    "café": "NFD",
    "한국차": "NFD",
    unicodedata.normalize("NFD", "café"): "NFD",
    unicodedata.normalize("NFD", "한국차"): "NFD",
    unicodedata.normalize("NFD", "전구"): "LAMP",
    "'green' \\ \"tea\" :* & | !": "TEA-30",
    "gr\0een": "TEA-30",
    "\ud800green": "TEA-30",
    "🎁": None,
    "'": None,
    "%": None,
    "": None,
}


async def stocked(conn: Connection) -> None:
    await conn.executemany("insert into item (sku, name) values ($1, $2)", list(NAMES.items()))


async def test_items_are_found_by_what_is_typed(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await stocked(conn)
        found = {text: await search.goods(conn, text, at_most=5) for text in TYPED}
    first = {text: rows[0].id if rows else None for text, rows in found.items()}
    assert {k: (sku, TYPED[k]) for k, sku in first.items() if sku != TYPED[k]} == {}
