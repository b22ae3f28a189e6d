"""A purchase order as ANSI ASC X12 850, version 004010: the document that suppliers' EDI reads.

The interchange is ISA … IEA with one group (GS … GE) and one transaction set (ST … SE). Elements
are separated by `*`, and segments end with `~`. Characters that look like a delimiter become a
space, and letters beyond ASCII their nearest ones. No element but the fixed ones of ISA begins with
a space.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from domain.letters import nearest_ascii
from domain.money import to_decimal
from domain.purchasing.purchase_orders import PurchaseDocument, part_number

ELEMENT: Final = "*"
SEGMENT: Final = "~"
COMPONENT: Final = ">"
_DELIMITERS: Final = frozenset((ELEMENT, SEGMENT, COMPONENT, "^"))

_CONTROL_NUMBERS: Final = 10**9
"""Control numbers have nine digits, and begin again after the last."""

_LINE_MAX: Final = 55
_CITY_MAX: Final = 30
_REGION_LETTERS: Final = 2
"""What N3 and N4 take. A region of more letters is no code, and is left out."""


SENDER: Final = "ORDERLOOM"
"""The id of the sender."""


def purchase_order_850(order: PurchaseDocument, *, at: datetime, sender: str = SENDER) -> str:
    """The whole interchange, one segment a line.

    `at` (with a time zone) is the time of its making.
    """
    control = order.number % _CONTROL_NUMBERS
    body = list(_transaction_set(order, control))
    segments = [
        _interchange_header(sender, order.supplier, control, at),
        _segment(
            "GS",
            "PO",
            _code(sender),
            _code(order.supplier),
            f"{at:%Y%m%d}",
            f"{at:%H%M}",
            control,
            "X",
            _4010,
        ),
        *body,
        _segment("GE", 1, control),
        _segment("IEA", 1, f"{control:09}"),
    ]
    return "".join(f"{segment}{SEGMENT}\n" for segment in segments)


_4010: Final = "004010"


def _transaction_set(order: PurchaseDocument, control: int) -> list[str]:
    number = f"{control:04}"
    segments = [
        _segment("ST", "850", number),
        # An original, stand-alone order.
        _segment("BEG", "00", "SA", order.po_id, "", _day(order.ordered_on)),
        _segment("CUR", "BY", order.currency),
        _segment("N1", "SU", _name(order.supplier_name) or order.supplier, "92", order.supplier),
        *_ship_to(order),
    ]
    for position, line in enumerate(order.lines, start=1):
        price = format(line.unit_price, "f")
        segments += [
            _segment("PO1", position, line.quantity, "EA", price, "", "BP", part_number(line.sku)),
            _segment("DTM", "002", _day(line.due_on)),  # The requested day of delivery.
        ]
    total = to_decimal(order.worth.minor, order.currency)
    segments += [
        _segment("CTT", len(order.lines), sum(line.quantity for line in order.lines)),
        _segment("AMT", "TT", format(total, "f")),
    ]
    # The count includes the first and the last segment of the set.
    return [*segments, _segment("SE", len(segments) + 1, number)]


def _ship_to(order: PurchaseDocument) -> list[str]:
    """Where it goes: a location of ours, or the customer's address."""
    to = order.ship_to
    if to is None:
        return [_segment("N1", "ST", _name(order.deliver_to), "92", order.deliver_to)]
    region = to.region if to.region and len(to.region) == _REGION_LETTERS else ""
    return [
        _segment("N1", "ST", _name(to.name)),
        _segment("N3", _cut(to.line1, _LINE_MAX), _cut(to.line2 or "", _LINE_MAX)),
        _segment("N4", _cut(to.city, _CITY_MAX), region, to.postal_code or "", to.country),
    ]


def _interchange_header(sender: str, receiver: str, control: int, at: datetime) -> str:
    """The one segment whose elements are of fixed width: readers find the delimiters by it."""
    return ELEMENT.join(
        (
            *("ISA", "00", " " * 10, "00", " " * 10),
            *("ZZ", f"{_cut(sender, 15):<15}", "ZZ", f"{_cut(receiver, 15):<15}"),
            *(f"{at:%y%m%d}", f"{at:%H%M}", "U", "00401", f"{control:09}", "0", "P", COMPONENT),
        )
    )


def _segment(name: str, *elements: str | int) -> str:
    """A segment without the empty elements at its end."""
    texts = [name, *(_plain(str(element)) for element in elements)]
    while not texts[-1]:
        del texts[-1]
    return ELEMENT.join(texts)


def _code(text: str) -> str:
    """A party's code in the group's header, of 2 to 15 characters."""
    return _cut(text, 15).zfill(2)


def _name(text: str) -> str:
    """A party's name; empty if no letter of it can be told."""
    name = _cut(nearest_ascii(text), 60)
    return name if any(letter.isalnum() for letter in name) else ""


def _cut(text: str, length: int) -> str:
    return _plain(text)[:length].rstrip()


def _plain(text: str) -> str:
    ascii_only = nearest_ascii(text, ideographs=True)
    return " ".join(
        "".join(
            letter if " " <= letter <= "~" and letter not in _DELIMITERS else " "
            for letter in ascii_only
        ).split()
    )


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
