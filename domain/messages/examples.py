"""Orders that templates are tried with: one of which all is known, and one of which nothing is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from domain.messages.facts import Facts, ToldItem, ToldShop
from domain.messages.words import amount_text, country_text, day_text
from domain.orders.lines import LINES_MAX
from domain.sellers import Language

_ODD = 'Ève <b>&amp;</b> "Söhne", 김'
_DAY: Final = date(2026, 12, 1)
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
            "cancelled": tuple(ToldItem(name=f"{_ODD} {n}", quantity=n) for n in _NUMBERS),
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


def the_usual(language: Language, shop: ToldShop) -> Facts:
    """As many are: to be looked at. It was never placed."""
    return Facts(
        language=language,
        shop=shop,
        number="1001",
        name="Kim Minji",
        placed_on=day_text(_DAY, language),
        total=amount_text(2990, "EUR", language),
        items=(ToldItem(name="Assam 250 g", quantity=2), ToldItem(name="Cup", quantity=1)),
        address=("Kim Minji", "Hafenstr. 3", "28195 Bremen", country_text("DE", language)),
        carrier="DHL",
        tracking_number="JD014600003SE",
        day=day_text(_DAY + timedelta(days=3), language),
        earlier_day=day_text(_DAY + timedelta(days=2), language),
        amount=amount_text(990, "EUR", language),
        code="4711",
        return_id="web-1001:R1",
        decision="refund",
        link="https://track.example/o/example",
    )


def what_can_be_inserted(facts: Facts) -> list[tuple[str, str]]:
    """What a template can have, as it is written there, and what that is for these facts.

    "": a part, such as a table, that the preview shows.
    """
    texts = [(name, getattr(facts, name)) for name in _TEXTS]
    shop = ("name", "support_email", "support_phone")
    texts += [(f"shop.{name}", getattr(facts.shop, name)) for name in shop]
    return [
        *((f"{{{{ {name} }}}}", value) for name, value in texts),
        *((part, "") for part in _PARTS),
    ]


_PARTS: Final = (
    "{% call p() %}\n…\n{% endcall %}",
    "{% if day %}…{% endif %}",
    "{{ items(goods) }}",
    "{{ rows([('…', carrier), ('…', tracking_number)]) }}",
    "{{ address('…', goes_to) }}",
    "{{ button('…') }}",
)
