"""What a customer is sent: 855 and 865 in answer, and 856 with goods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.edi.asked import AskedEdit, AskedLine, AskedOrder
from domain.edi.partners import Partner
from domain.edi.written import Written, cut
from domain.orders.people import Address

_REASON_MAX: Final = 80
_DELIVERY: Final = "067"
"""DTM's word for the day on which we now plan to deliver."""


@dataclass(frozen=True)
class Standing:
    """How an order line stands: units of ours. `promised_on`: when those not in stock arrive."""

    wanted: int
    waiting: int = 0
    promised_on: date | None = None

    def differs(self, told: Standing) -> bool:
        """Whether a customer who was told that has to hear of this. Goods that came are no news."""
        is_moved = self.waiting > 0 and self.promised_on != told.promised_on
        return self.wanted != told.wanted or self.waiting > told.waiting or is_moved


def confirmation(
    partner: Partner,
    asked: AskedOrder,
    stands: Mapping[str, Standing],
    *,
    our_number: str,
    today: date,
    refused: str = "",
) -> list[Written]:
    """The 855. `stands`: by line id, of each that was taken. `refused`: why none is sent.

    A line that waits for goods is answered twice: what is there (IA), and what comes (IB).
    """
    refusal = refused or asked.refused
    lines = list(_answered(partner, asked, stands, refusal))
    if refusal:
        verdict = "RD"
    elif all(line[0] == "ACK" and line[1] == "IA" for line in lines if line[0] == "ACK"):
        verdict = "AD"
    else:
        verdict = "AC"
    number = asked.number
    begin: Written = ("BAK", "00", verdict, number, asked.ordered_on, "", "", "", our_number[:30])
    body: list[Written] = [begin]
    if asked.currency:
        body.append(("CUR", "SE", asked.currency))
    if refusal:
        body.append(("REF", "ZZ", "", cut(refusal, _REASON_MAX)))
    body.append(("DTM", "097", today))
    return [*body, *lines, ("CTT", len(asked.lines))]


def _answered(
    partner: Partner, asked: AskedOrder, stands: Mapping[str, Standing], refusal: str
) -> Iterator[Written]:
    for line in asked.lines:
        yield ("PO1", *_described(line))
        why = refusal or line.refused
        found = stands.get(line.line_id)
        if why or found is None or not found.wanted:
            yield ("REF", "ZZ", "", cut(why or "cancelled", _REASON_MAX))
            yield ("ACK", "IR", 0, line.unit)
        else:
            yield from _acked(partner, line, found)


def _acked(partner: Partner, line: AskedLine, stands: Standing) -> Iterator[Written]:
    """What becomes of a line: now, and later."""
    now = stands.wanted - stands.waiting
    asked_units = line.quantity * partner.units.get(line.unit, 1)
    if now:
        code = "IA" if stands.waiting == 0 and stands.wanted == asked_units else "IQ"
        yield ("ACK", code, *counted(partner, line, now))
    if stands.waiting:
        day = (_DELIVERY, stands.promised_on) if stands.promised_on else ()
        yield ("ACK", "IB", *counted(partner, line, stands.waiting), *day)


def counted(partner: Partner, line: AskedLine, units: int) -> tuple[Decimal, str]:
    """Units of ours in the customer's unit of measure; where they do not fill it, one by one."""
    per = partner.units.get(line.unit)
    fits = per is not None and units % per == 0
    return (Decimal(units // per), line.unit) if per and fits else (Decimal(units), "EA")


def _described(line: AskedLine) -> Written:
    """Line, quantity, unit, price, and numbers as the customer wrote them."""
    numbers = [part for pair in line.numbers for part in pair]
    price = "" if line.price is None else line.price
    return (line.told, line.quantity, line.unit, price, "", *(numbers or ("VP", "UNKNOWN")))


def our_change(
    partner: Partner,
    asked: AskedOrder,
    told: Mapping[str, Standing],
    differing: Mapping[str, Standing],
    *,
    today: date,
    why: str,
) -> list[Written]:
    """The 865 that nobody has asked for: what of an order is not as its customer was `told`.

    `differing`: those lines as they stand now. `why`: of those of which nothing comes.
    """
    is_over = not any(found.wanted for found in {**told, **differing}.values())
    release, purpose = "", "01" if is_over else "04"
    begin: Written = ("BCA", purpose, "AC", asked.number, release, "", asked.ordered_on)
    body: list[Written] = [(*begin, "", "", "", today)]
    if asked.currency:
        body.append(("CUR", "SE", asked.currency))
    for line in asked.lines:
        found = differing.get(line.line_id)
        if found is None:
            continue
        before = told.get(line.line_id, Standing(0)).wanted
        code = "QD" if found.wanted < before else "QI" if found.wanted > before else "CA"
        number, _, _, *rest = _described(line)
        count, unit = counted(partner, line, found.wanted)
        body.append(("POC", number, code if found.wanted else "DI", count, "", unit, *rest))
        if found.wanted:
            body += _acked(partner, line, found)
        else:
            body.append(("REF", "ZZ", "", cut(why, _REASON_MAX)))
            body.append(("ACK", "IR", 0, unit))
    return [*body, ("CTT", len(differing))]


def change_answer(
    edit: AskedEdit,
    stands: Mapping[str, tuple[Decimal, str]],
    *,
    ordered_on: date,
    today: date,
    currency: str,
    refused: str = "",
    remark: str = "",
) -> list[Written]:
    """The 865: what of a change was done. `refused`: why nothing of it was.

    BCA02 says whether it was (AC), or whether the order stays as it was (RD). Then each line has
    the reason, IR for what was asked, and IA for what stands: nobody can take the refusal of a
    change for the refusal of the line. `stands`: by the customer's number of a line, how much of it
    is wanted until now. `remark`: what else the customer should know.
    """
    verdict = "RD" if refused else "AC"
    purpose = "01" if edit.cancels else "04"
    release = edit.release
    begin: Written = (
        "BCA",
        purpose,
        verdict,
        edit.number,
        release,
        "",
        ordered_on,
        "",
        "",
        "",
        today,
    )
    body: list[Written] = [begin]
    if currency:
        body.append(("CUR", "SE", currency))
    if refused or remark:
        body.append(("REF", "ZZ", "", cut(refused or remark, _REASON_MAX)))
    for line in edit.lines:
        asked = line.asked
        numbers = [part for pair in asked.numbers for part in pair]
        price = "" if asked.price is None else asked.price
        body.append(
            (*("POC", line.line_id, line.code, asked.quantity, "", asked.unit, price, ""), *numbers)
        )
        why = refused or asked.refused
        if why:
            body.append(("REF", "ZZ", "", cut(why, _REASON_MAX)))
            body.append(("ACK", "IR", 0, asked.unit))
            if line.line_id in stands:
                body.append(("ACK", "IA", *stands[line.line_id]))
        else:
            body.append(("ACK", "IA" if asked.quantity else "ID", asked.quantity, asked.unit))
    return [*body, ("CTT", len(edit.lines))]


@dataclass(frozen=True)
class Parcel:
    """A parcel that has left. `units`: line id → units of ours."""

    shipment_id: str
    left_at: datetime
    carrier: str
    tracking_number: str
    units: Mapping[str, int]
    location: str
    to: Address | None = None


def shipping_notice(
    partner: Partner, asked: AskedOrder, parcel: Parcel, *, skus: Mapping[str, str], our_number: str
) -> list[Written]:
    """The 856 of a parcel: shipment, order, pack, items. `skus`: line id → SKU.

    A parcel of ours is one pack. It is told by its tracking number.
    """
    body: list[Written] = [
        (
            "BSN",
            "00",
            parcel.shipment_id[-30:],
            parcel.left_at.date(),
            f"{parcel.left_at:%H%M}",
            "0001",
        ),
        ("HL", 1, "", "S", 1),
        ("TD1", "CTN25", 1),
        ("TD5", "", "", "", "M", cut(parcel.carrier, 35)),
        ("REF", "CN", parcel.tracking_number[:30]),
        ("DTM", "011", parcel.left_at.date()),
        ("N1", "SF", cut(parcel.location, 60), "92", cut(parcel.location, 80).zfill(2)),
        *_ship_to(parcel.to),
        ("HL", 2, 1, "O", 1),
        ("PRF", asked.number, "", "", asked.ordered_on),
        ("REF", "VN", our_number[:30]),
        ("HL", 3, 2, "P", 1),
        ("REF", "CN", parcel.tracking_number[:30]),
    ]
    node = 3
    for line_id, units in sorted(parcel.units.items(), key=lambda one: _in_order(one[0])):
        line = asked.line(line_id)
        node += 1
        numbers: Sequence[str] = partner.numbers_of(skus[line_id])
        body.append(("HL", node, 3, "I", 0))
        if line is None:
            body.append(("LIN", line_id, *numbers))
            body.append(("SN1", line_id, units, "EA"))
            continue
        body.append(("LIN", line.told, *(part for pair in line.numbers for part in pair)))
        count, unit = counted(partner, line, units)
        body.append(("SN1", line.told, count, unit, "", line.quantity, line.unit))
    return [*body, ("CTT", node)]


def _ship_to(to: Address | None) -> Iterator[Written]:
    if to is None:
        return
    region = to.region if to.region and len(to.region) == 2 else ""
    yield ("N1", "ST", cut(to.name, 60) or "RECEIVER")
    yield ("N3", cut(to.line1, 55), cut(to.line2 or "", 55))
    postal = (to.postal_code or "").strip()
    yield ("N4", cut(to.city, 30), region, postal[:15] if len(postal) > 2 else "", to.country)


def _in_order(line_id: str) -> tuple[int, str]:
    return (int(line_id) if line_id.isdecimal() else 10**9, line_id)
