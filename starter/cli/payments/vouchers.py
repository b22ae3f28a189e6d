"""`orderloom vouchers`: vouchers and gift cards, which whoever has the code can spend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

import typer
from pydantic import model_validator

from domain import fields
from domain.errors import InvalidInput
from domain.fields import Amount, Currency, CustomerId, Day, Document, Id, inconsistent
from domain.money import Money, to_minor
from domain.payments.vouchers import CodeKind, ToIssue, Voucher, VoucherState
from starter.cli.aftersales.request_options import RequestId
from starter.cli.payments.shown_vouchers import (
    document,
    sentence,
    show_changed,
    show_coded,
    story_of,
    table,
)
from starter.cli.terminal.options import (
    NEGATIVE,
    Json,
    Limit,
    OneSeller,
    Who,
    fresh_id,
    read_model,
    read_reason,
    reporter,
)
from starter.cli.terminal.output import Output, wire
from starter.service.connection import from_records
from starter.service.service import Records
from store.payments.credit_accounts import CreditOperation
from store.payments.vouchers import Coded

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

VoucherArgument = Annotated[
    str, typer.Argument(metavar="VOUCHER", help="The voucher's id.", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in its story.")]


@app.callback()
def vouchers() -> None:
    """Vouchers and gift cards, which whoever has the code can spend."""


class _Issue(Document):
    """A voucher as it was typed."""

    kind: CodeKind
    amount: Amount
    currency: Currency
    reason: fields.Reason
    customer: CustomerId | None
    valid_through: Day | None
    single_use: bool
    request_id: Id

    @property
    def money(self) -> Money:
        return Money(minor=to_minor(self.amount, self.currency), currency=self.currency)

    @model_validator(mode="after")
    def _can_be_issued(self) -> Self:
        try:
            _ = self.money
        except InvalidInput as error:
            raise inconsistent("amount", str(error)) from None
        return self


class _LastDay(Document):
    through: Day


@app.command(context_settings=NEGATIVE)
def issue(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="gift_card or voucher.", show_default=False)
    ],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Such as 25.00.", show_default=False)
    ],
    currency: Annotated[
        str, typer.Argument(metavar="CURRENCY", help="Such as EUR.", show_default=False)
    ],
    reason: Reason,
    seller: OneSeller = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="ID", help="The only one who may spend it."),
    ] = None,
    valid_through: Annotated[
        str | None,
        typer.Option("--valid-through", metavar="DAY", help="Its last day; left out: for ever."),
    ] = None,
    single_use: Annotated[
        bool, typer.Option("--single-use", help="For one order; what that leaves expires.")
    ] = False,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Issue a gift card that was sold elsewhere, or a voucher that is given; it is booked at once.

    The code is shown once. For an order's refund use `orderloom refund --to voucher`.

    Example: `orderloom vouchers issue gift_card 50.00 EUR --reason "sold at the till"`
    """
    who = reporter(by)
    content = {
        "kind": kind,
        "amount": amount,
        "currency": currency,
        "reason": reason,
        "customer": customer,
        "valid_through": valid_through,
        "single_use": single_use,
        "request_id": request_id or fresh_id("cli"),
    }
    read = read_model(_Issue, content, where="voucher")
    wanted = ToIssue(
        kind=read.kind,
        amount=read.money,
        seller=seller,
        customer_id=read.customer,
        valid_through=read.valid_through,
        single_use=read.single_use,
    )

    async def work(here: Records) -> Coded:
        return await here.vouchers.issue(read.request_id, wanted, who=who, why=read.reason)

    show_coded(from_records(work), read.request_id, as_json=as_json)


@app.command()
def code(
    voucher: VoucherArgument,
    reason: Reason,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Draw a code for it and show it once; the one before ends.

    Example: `orderloom vouchers code voucher_3f9c1be0a4d2 --reason "lost it"`
    """
    who, why, key = reporter(by), read_reason(reason), request_id or fresh_id("cli")

    async def work(here: Records) -> Coded:
        return await here.vouchers.new_code(key, voucher, who=who, why=why)

    show_coded(from_records(work), key, as_json=as_json)


@app.command()
def extend(
    voucher: VoucherArgument,
    day: Annotated[str, typer.Argument(metavar="DAY", help="Its new last day.")],
    reason: Reason,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Make it valid through a day. What has expired of it is owed again.

    Example: `orderloom vouchers extend gift_card_3f9c1be0a4d2 2030-12-31 --reason "asked for it"`
    """
    who, why, key = reporter(by), read_reason(reason), request_id or fresh_id("cli")
    through: date = read_model(_LastDay, {"through": day}, where="extend").through

    async def work(here: Records) -> Voucher:
        return await here.vouchers.extend(key, voucher, through, who=who, why=why)

    show_changed(from_records(work), key, as_json=as_json)


@app.command()
def block(
    voucher: VoucherArgument,
    reason: Reason,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Let no further order spend any of it. What is authorized can still be charged.

    Example: `orderloom vouchers block gift_card_3f9c1be0a4d2 --reason "stolen"`
    """
    _block(voucher, reason, request_id, by, on=True, as_json=as_json)


@app.command()
def unblock(
    voucher: VoucherArgument,
    reason: Reason,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Let orders spend it again.

    Example: `orderloom vouchers unblock gift_card_3f9c1be0a4d2 --reason "found again"`
    """
    _block(voucher, reason, request_id, by, on=False, as_json=as_json)


@app.command(name="list")
def list_(
    kind: Annotated[CodeKind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    state: Annotated[
        VoucherState | None, typer.Option("--state", help="Only in this state.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Only for this customer.")
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="ORDER", help="Only refunds of this order.")
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List vouchers and gift cards, the newest first.

    Example: `orderloom vouchers list --order web-1001`
    """

    async def work(here: Records) -> Sequence[Voucher]:
        return await here.vouchers.list(
            kind=kind, state=state, customer_id=customer, order_id=order, at_most=limit
        )

    found = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"vouchers": [document(one) for one in found]})
    elif not found:
        out.say("no voucher and no gift card; `orderloom vouchers issue` makes one")
    else:
        table(out, found)


@app.command()
def show(voucher: VoucherArgument, limit: Limit = 1000, as_json: Json = False) -> None:
    """Show one with all that happened to it.

    Example: `orderloom vouchers show gift_card_3f9c1be0a4d2`
    """

    async def work(here: Records) -> tuple[Voucher, Sequence[CreditOperation]]:
        found = await here.vouchers.get(voucher)
        return found, await here.vouchers.history(voucher, at_most=limit)

    found, operations = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        told = [wire(story_of(one)) for one in operations]
        out.document({**document(found), "operations": told})
        return
    table(out, [found])
    out.say()
    for one in operations:
        out.say(sentence(one))


def _block(
    voucher: str, reason: str, request_id: str | None, by: str, *, on: bool, as_json: bool
) -> None:
    who, why, key = reporter(by), read_reason(reason), request_id or fresh_id("cli")

    async def work(here: Records) -> Voucher:
        return await here.vouchers.block(key, voucher, on=on, who=who, why=why)

    show_changed(from_records(work), key, as_json=as_json)
