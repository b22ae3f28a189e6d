"""A placed order is changed: all that is asked for, or nothing.

The form shows the order as it is. What is as it was is not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from domain.errors import Refused
from domain.money import to_decimal
from domain.orders.edit_messages import EditPreview, Obstacle, OrderEdit
from starter.service.service import Service
from starter.web.desk.acts.acting import ADDRESS, AMOUNTS, Act, Asking, Field, Seen, reason
from starter.web.desk.reasons import change_told
from starter.web.screens.forms import NotAsked, whole

LINE: Final = "line:"
"""The names of fields of a line begin so; its id, a colon and what it is follow."""
PARTS: Final = ("unit_price", "discount", "tax_rate")
ADDS: Final = ("add1", "add2", "add3")
_NO_DISCOUNT: Final = "0"


_who = partial(Field, fold="edit_who")
_how = partial(Field, fold="edit_how")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _lines(asking: Asking) -> dict[str, dict[str, str]]:
    """Line id → what stands in the document, as a form has it. Lines that are cancelled are not."""
    gone = {line.line_id: line.cancelled for line in asking.detail.lines}
    return {
        line["line_id"]: {
            "quantity": _text(line["quantity"] - gone.get(line["line_id"], 0)),
            **{part: _text(line.get(part)) for part in PARTS},
        }
        for line in asking.detail.document.get("lines") or []
        if line["quantity"] > gone.get(line["line_id"], 0)
    }


def _now(asking: Asking) -> dict[str, str]:
    """What stands in the document of the order as a whole."""
    document = asking.detail.document
    shipping = document.get("shipping") or {}
    return {
        "service": _text(shipping.get("service")),
        "shipping_price": _text(shipping.get("price")),
        "shipping_tax": _text(shipping.get("tax_rate")),
        "discount": _text(document.get("discount")),
        "date": _text(document.get("requested_delivery_date")),
        "note": _text(document.get("note")),
    }


def _address(asking: Asking, which: str) -> dict[str, str]:
    document = asking.detail.document
    found = document.get("billing") if which == "billing" else _delivery(document)
    return {part: _text((found or {}).get(part)) for part in ADDRESS}


def _delivery(document: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (document.get("shipping") or {}).get("address")
    return found


def _fields(asking: Asking) -> Sequence[Field]:
    now, typed = _now(asking), asking.visit.words.typed
    may_see = asking.visit.person.allows("customers:read")
    lines = {
        f"{line_id}:{part}": typed(text) if part in AMOUNTS else text
        for line_id, parts in _lines(asking).items()
        for part, text in parts.items()
    }
    person: Sequence[Field] = ()
    if may_see:
        person = (
            _who("address", "address", "ship_to", values=_address(asking, "address")),
            _who("address", "billing", "bill_to", values=_address(asking, "billing")),
            _who("text", "note", "customer_note", value=now["note"]),
        )
    return (
        Field("lines", "line", "lines", about="edit_lines_about", values=lines),
        *(Field("item", name, "line_to_add", fold="lines_to_add") for name in ADDS),
        _how("text", "service", "shipping_service", value=now["service"]),
        _how("money", "shipping_price", "shipping_price", value=typed(now["shipping_price"])),
        _how("money", "shipping_tax", "shipping_tax", value=typed(now["shipping_tax"])),
        _how("money", "discount", "order_discount", value=typed(now["discount"])),
        _how("day", "date", "wished_day", value=now["date"]),
        *person,
        reason(),
    )


def _changed(asking: Asking, name: str, before: str) -> str | None:
    """What was typed, if it is not as it was."""
    text = asking.field(name)
    return text if text and text != before else None


def _other(asking: Asking, name: str, before: str, empty: str = "") -> str | None:
    """The same of an amount or a rate. `empty`: what it means to leave it empty."""
    if name not in asking.visit.sent:
        return None
    amount = asking.amount(name) or empty
    return amount if amount and amount != (before or empty) else None


def _read(asking: Asking) -> OrderEdit:
    now = _now(asking)
    content: dict[str, Any] = {
        **asking.named(),
        "reason": asking.field("reason"),
        "lines": line_changes(asking),
        "add": [item for name in ADDS if (item := asking.item(name)) is not None],
        "discount": _other(asking, "discount", now["discount"], _NO_DISCOUNT),
        "requested_delivery_date": _changed(asking, "date", now["date"]),
        "note": _changed(asking, "note", now["note"]),
        "forget": _forgotten(asking, now),
    }
    shipping = {
        "service": _changed(asking, "service", now["service"]),
        "price": _other(asking, "shipping_price", now["shipping_price"]),
        "tax_rate": _other(asking, "shipping_tax", now["shipping_tax"]),
    }
    content["shipping"] = shipping if any(shipping.values()) else None
    for which in ("address", "billing"):
        typed = asking.address(which)
        if typed != {k: v for k, v in _address(asking, which).items() if v}:
            content[which] = typed
    if version := whole(asking.field("edit_version")):
        content |= {"version": version, "total": asking.field("edit_total") or None}
    if not any(value for name, value in content.items() if name not in _NO_CHANGES):
        raise NotAsked("nothing_changed")
    return OrderEdit.model_validate(content)


_NO_CHANGES: Final = ("request_id", "by", "reason", "version", "total")


def line_changes(asking: Asking) -> list[dict[str, Any]]:
    """The lines that were changed in the form. Raises NotAsked for what is no number."""
    found = []
    for line_id, before in _lines(asking).items():
        change: dict[str, Any] = {}
        wanted = f"{LINE}{line_id}:quantity"
        if wanted in asking.visit.sent:
            text = asking.field(wanted)
            if not whole(text) and set(text) != {"0"}:
                raise NotAsked("no_number")
            if text != before["quantity"]:
                change["quantity"] = whole(text)
        for part in PARTS:
            empty = _NO_DISCOUNT if part == "discount" else ""
            other = _other(asking, f"{LINE}{line_id}:{part}", before[part], empty)
            if other is not None:
                change[part] = other
        if change:
            found.append({"line_id": line_id, **change})
    return found


def _forgotten(asking: Asking, now: dict[str, str]) -> list[str]:
    """What was there, and was made empty."""
    fields = {"note": ("note", now["note"]), "requested_delivery_date": ("date", now["date"])}
    gone = [
        name
        for name, (sent, before) in fields.items()
        if before and sent in asking.visit.sent and not asking.field(sent)
    ]
    had = any(_address(asking, "billing").values())
    if had and "billing-name" in asking.visit.sent and asking.address("billing") is None:
        gone.append("billing")
    return gone


async def _preview(asking: Asking, request: OrderEdit) -> Seen:
    words = asking.visit.words
    found = await asking.here.edits.preview(asking.order_id, request)
    rows = [
        (change_told(words, each.what), f"{each.before or '–'} → {each.after or '–'}")
        if each.before or each.after
        else (change_told(words, each.what), words("is_changed"))
        for each in found.changes
    ]
    before, after = asking.money(found.total_before), asking.money(found.total)
    rows.append((words("total"), before if before == after else f"{before} → {after}"))
    rows.append((words("of_it_tax"), asking.money(found.tax)))
    rows += _sums(asking, found)
    rows += [(words("promised"), _promise(asking, found, n)) for n in range(len(found.promised))]
    total = to_decimal(found.total.minor, found.total.currency)
    return Seen(
        rows,
        stops=[_obstacle(asking, each) for each in found.obstacles],
        carry={"edit_version": str(found.version), "edit_total": str(total)},
    )


def _sums(asking: Asking, found: EditPreview) -> list[tuple[str, str]]:
    words = asking.visit.words
    sums = {
        "authorized_more": found.to_authorize,
        "not_charged": found.released,
        "pays_back": found.to_pay_back,
    }
    rows = [(words(key), asking.money(amount)) for key, amount in sums.items() if amount.minor]
    return rows or [(words("pays_back"), words("nothing_paid_back"))]


def _promise(asking: Asking, found: EditPreview, number: int) -> str:
    words, each = asking.visit.words, found.promised[number]
    where = words("is_in_stock" if each.in_stock else "is_to_come")
    day = f", {words('promised_on', day=words.day(each.arrives_on))}" if each.arrives_on else ""
    return f"{words.number(each.quantity)} × {words('line_short', line=each.line_id)}: {where}{day}"


def _obstacle(asking: Asking, each: Obstacle) -> str:
    words, key = asking.visit.words, f"why_{each.reason}"
    return f"{change_told(words, each.what)}: {words(key) if words.has(key) else each.why}"


async def _do(here: Service, order_id: str, request: OrderEdit) -> str:
    outcome = await here.edits.edit(order_id, request)
    if outcome.outcome == "unchanged":
        raise Refused("nothing is changed", reason="nothing_changed")
    return "edited"


EDIT = Act("edit", _fields, _read, _do, _preview)
