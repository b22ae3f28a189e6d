"""A person whose every word can be found again: nobody and nothing else is called like this."""

from __future__ import annotations

from typing import Any, Final

from store.database import Pool

CUSTOMER: Final = {
    "id": "kd-zwirbelhuber",
    "name": "Xaverine Zwirbelhuber",
    "email": "xaverine@zwirbelhuber.example",
    "phone": "+49 89 7766554",
    "company": "Quastenhof Seifensiederei",
    "tax_number": "DE998877665",
    "locale": "de-DE",
}
ADDRESS: Final = {
    "name": "Ottokar Plumperquatsch",
    "company": "Nebelhorn Lagerhaus",
    "line1": "Dudelsackgasse 17b",
    "line2": "Hinterhaus Kragenbaer",
    "city": "Unterammerwinkel",
    "region": "Oberkrautgau",
    "postal_code": "D-82488-Q",
    "country": "DE",
}
BILLING: Final = {
    "name": "Balduina Federkiel",
    "line1": "Tintenfassallee 3",
    "city": "Pergamentheim",
    "country": "DE",
}
FREE: Final = {
    "note": "please ring at Grummelpott",
    "gift_message": "for dear aunt Wilhelmtrude",
    "extra": {
        "loyalty": "Stempelkarte-4711",
        "from": {"page": "Quakfrosch"},
        # Words and numbers that programs use: nothing of theirs may be taken for a person's.
        "total": "3750",
        "web": "web",
        "status": "closed",
        "src": "orderloom",
        "kind": "refund",
    },
}
WORDS: Final = (
    *("zwirbelhuber", "Xaverine", "7766554", "Quastenhof", "DE998877665"),
    *("Plumperquatsch", "Nebelhorn", "Dudelsackgasse", "Kragenbaer", "Unterammerwinkel"),
    *("Oberkrautgau", "D-82488-Q", "Federkiel", "Tintenfassallee", "Pergamentheim"),
    *("Grummelpott", "Wilhelmtrude", "Stempelkarte", "Quakfrosch"),
)
"""One of each of the texts above."""

SAID: Final = ("Hinkelsteiner hates it", "Kuckucksuhr is broken", "sorry, dear Schneckenpost")
"""What people typed, each with a name that stands nowhere else."""
TYPED: Final = ("Hinkelsteiner", "Kuckucksuhr", "Schneckenpost")


def planted() -> dict[str, Any]:
    """The parts of an order's document that are about this person."""
    return {
        "customer": CUSTOMER,
        "shipping": {"service": "standard", "address": ADDRESS},
        "billing": BILLING,
        **FREE,
    }


def found_in(text: bytes | str, words: tuple[str, ...] = WORDS) -> list[str]:
    """Which of the words stand in it, however they are written."""
    there = (text if isinstance(text, str) else text.decode(errors="replace")).casefold()
    return [word for word in words if word.casefold() in there]


async def left_of_it(pool: Pool, words: tuple[str, ...] = (*WORDS, *TYPED)) -> dict[str, list[str]]:
    """Table → which of the words stand in any column of any of its rows, files read as letters.

    The sandbox's tables are not ours: a carrier that sold a label knows where the parcel goes.
    """
    async with pool.acquire() as conn:
        columns = await conn.fetch(
            """select table_name, column_name, data_type
               from information_schema.columns join information_schema.tables
                    using (table_schema, table_name)
               where table_type = 'BASE TABLE' and table_schema = 'public'"""
        )
        left: dict[str, set[str]] = {}
        for place, column, kind in columns:
            as_text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            rows = await conn.fetch(
                f"select {as_text} as it from {place} where {column} is not null"
            )
            found = found_in("\n".join(row["it"] for row in rows), words)
            if found:
                left.setdefault(place, set()).update(found)
    return {place: sorted(found) for place, found in sorted(left.items())}
