"""Orders that templates are tried with: one of which all is known, and one of which nothing is."""

from __future__ import annotations

from domain.messages.facts import Facts, ToldItem, ToldShop
from domain.orders.lines import LINES_MAX
from domain.sellers import Language

_ODD = 'Ève <b>&amp;</b> "Söhne", 김'
_NUMBERS = range(1, LINES_MAX + 1)
_TEXTS = [name for name, field in Facts.model_fields.items() if field.annotation is str]


def the_richest(language: Language) -> Facts:
    """Everything is known, as many lines were ordered as can be, and all texts are odd."""
    return Facts.model_validate(
        {
            **dict.fromkeys(_TEXTS, _ODD),
            "language": language,
            "shop": ToldShop(
                name=_ODD, support_email="help@x.example", support_phone="112", has_logo=True
            ),
            "link": "https://track.example/o/abc",
            "items": tuple(ToldItem(name=f"{_ODD} {n}", quantity=n) for n in _NUMBERS),
            "address": (_ODD, _ODD, _ODD),
        }
    )


def the_poorest(language: Language) -> Facts:
    """Nothing is known but the order's number and the shop's code."""
    return Facts.model_validate(
        {
            **dict.fromkeys(_TEXTS, ""),
            "language": language,
            "shop": ToldShop(name="x"),
            "number": "1001",
            "items": (),
            "address": (),
        }
    )
