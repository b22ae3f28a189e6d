"""How `orderloom vouchers` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from domain.payments.vouchers import Voucher
from starter.cli.terminal.output import Output, local, money, wire
from store.payments.credit_accounts import CreditOperation
from store.payments.vouchers import Coded

_SENTENCES: Final = {
    "issue": "issued",
    "authorize": "authorized",
    "capture": "spent",
    "void": "set free",
    "refund": "put back",
    "expire": "expired",
    "extend": "owed again, valid longer",
    "block": "blocked",
    "unblock": "unblocked",
    "code": "a code was drawn",
}


def show_coded(made: Coded, request_id: str, *, as_json: bool) -> None:
    """One with its code, if that is not told yet."""
    out = Output(as_json=as_json)
    if as_json:
        out.document({"request_id": request_id, "code": made.code, **document(made.voucher)})
        return
    if made.code is None:
        out.say(f"{request_id} has issued it before, and its code was told then")
    else:
        out.say(f"its code, which is shown once: {made.code}")
    table(out, [made.voucher])


def show_changed(voucher: Voucher, request_id: str, *, as_json: bool) -> None:
    """One as it is by now."""
    out = Output(as_json=as_json)
    if as_json:
        out.document({"request_id": request_id, **document(voucher)})
    else:
        table(out, [voucher])


def document(voucher: Voucher) -> Any:
    """One as JSON."""
    return wire({**voucher.model_dump(mode="json"), "available_minor": voucher.available_minor})


def story_of(one: CreditOperation) -> dict[str, Any]:
    """An operation; what it changes follows from its kind."""
    return one.model_dump(
        mode="json", exclude={"operation_id", "balance_change", "authorized_change"}
    )


def table(out: Output, found: Sequence[Voucher]) -> None:
    """A row for each."""
    out.table(
        [
            "voucher",
            "state",
            "code ends",
            "with",
            ">balance",
            ">authorized",
            ">available",
            "through",
        ],
        [
            (
                one.voucher_id,
                one.state,
                one.code_end or "",
                one.seller,
                money(one.balance_minor, one.currency),
                money(one.authorized_minor, one.currency),
                money(one.available_minor, one.currency),
                "" if one.valid_through is None else one.valid_through.isoformat(),
            )
            for one in found
        ],
    )


def sentence(one: CreditOperation) -> str:
    """A line of its story."""
    amount = f"{money(one.amount_minor, one.currency or '')} " if one.amount_minor else ""
    refused = f" refused ({one.code})" if one.code else ""
    of = f" for {one.order_id}" if one.order_id else ""
    why = f": {one.why}" if one.why else ""
    return f"{local(one.at)}  {amount}{_SENTENCES[one.kind]}{of}{refused}, by {one.who}{why}"
