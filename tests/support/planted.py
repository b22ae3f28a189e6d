"""A person whose every word can be found again: nobody and nothing else is called like this."""

from __future__ import annotations

from typing import Any, Final

CUSTOMER: Final = {
    "id": "kd-zwirbelhuber",
    "name": "Xaverine Zwirbelhuber",
    "email": "xaverine@zwirbelhuber.example",
    "phone": "+49 89 7766554",
    "company": "Quastenhof Seifensiederei",
    "tax_number": "DE998877665",
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
    *("Oberkrautgau", "82488", "Federkiel", "Tintenfassallee", "Pergamentheim"),
    *("Grummelpott", "Wilhelmtrude", "Stempelkarte", "Quakfrosch"),
)
"""One of each of the texts above."""


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
