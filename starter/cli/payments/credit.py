"""`orderloom credit`: money that the shop owes to customers, and that they can pay with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

import typer
from pydantic import model_validator

from domain import fields
from domain.errors import InvalidInput
from domain.fields import Amount, Currency, Document, Id, Printable, inconsistent
from domain.money import Money, to_minor
from domain.orders.order import TOTAL_MINOR_MAX
from starter.cli.aftersales.request_options import RequestId
from starter.cli.terminal.options import (
    NEGATIVE,
    Json,
    Limit,
    OneSeller,
    Who,
    fresh_id,
    read_model,
    reporter,
)
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records
from starter.service.service import Records
from store.payments.credit_accounts import CreditAccount, CreditOperation

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

CustomerArgument = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)
]

_SENTENCES: Final = {
    "issue": "given",
    "authorize": "authorized",
    "capture": "spent",
    "void": "set free",
    "refund": "put back",
}


@app.callback()
def credit() -> None:
    """Store credit: money that the shop owes to customers, and that they can pay with."""


class _Grant(Document):
    """Credit as it was typed."""

    customer: Printable
    amount: Amount
    currency: Currency
    reason: fields.Reason
    request_id: Id

    @property
    def money(self) -> Money:
        return Money(minor=to_minor(self.amount, self.currency), currency=self.currency)

    @model_validator(mode="after")
    def _can_be_given(self) -> Self:
        try:
            minor = self.money.minor
        except InvalidInput as error:
            raise inconsistent("amount", str(error)) from None
        if not 0 < minor <= TOTAL_MINOR_MAX:
            largest = money(TOTAL_MINOR_MAX, self.currency)
            raise inconsistent("amount", f"must be more than zero, and at most {largest}")
        return self


@app.command(context_settings=NEGATIVE)
def grant(
    customer: CustomerArgument,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Such as 25.00.", show_default=False)
    ],
    currency: Annotated[
        str, typer.Argument(metavar="CURRENCY", help="Such as EUR.", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the books.")],
    seller: OneSeller = None,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Give a customer store credit as a gift; it is booked at once.

    The customer's next order with this seller gives the account's id as its payment token. For an
    order's refund use `orderloom refund --to store_credit`.

    Example: `orderloom credit grant ALFKI 25.00 EUR --reason "parcel came late"`
    """
    who = reporter(by)
    content = {
        "customer": customer,
        "amount": amount,
        "currency": currency,
        "reason": reason,
        "request_id": request_id or fresh_id("cli"),
    }
    wanted = read_model(_Grant, content, where="credit")

    async def work(here: Records) -> CreditAccount:
        return await here.credit.grant(
            wanted.request_id,
            wanted.customer,
            wanted.money,
            seller=seller,
            who=who,
            why=wanted.reason,
        )

    account = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"request_id": wanted.request_id, **_document(account)})
    else:
        out.say(f"{wanted.money} given to {account.customer_id}")
        _accounts_table(out, [account])


@app.command()
def show(customer: CustomerArgument, limit: Limit = 1000, as_json: Json = False) -> None:
    """Show a customer's credit, the amount that orders have authorized, and every operation.

    Example: `orderloom credit show ALFKI`
    """

    async def work(here: Records) -> list[tuple[CreditAccount, Sequence[CreditOperation]]]:
        return [
            (account, await here.credit.history(account.account_id, at_most=limit))
            for account in await here.credit.accounts(customer)
        ]

    found = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        accounts = [
            {**_document(account), "operations": [wire(_told(one)) for one in operations]}
            for account, operations in found
        ]
        out.document({"customer_id": customer, "accounts": accounts})
        return
    if not found:
        out.say(f"{customer} never had store credit; `orderloom credit grant` gives it")
        return
    _accounts_table(out, [account for account, _ in found])
    for account, operations in found:
        out.say()
        out.say(account.account_id)
        for one in operations:
            out.say(_sentence(one))


def _document(account: CreditAccount) -> Any:
    return wire({**account.model_dump(), "available_minor": account.available_minor})


def _told(one: CreditOperation) -> dict[str, Any]:
    """An operation; what it changes follows from its kind."""
    return one.model_dump(
        mode="json", exclude={"operation_id", "balance_change", "authorized_change"}
    )


def _accounts_table(out: Output, accounts: Sequence[CreditAccount]) -> None:
    out.table(
        ["account", "with", ">balance", ">authorized", ">available"],
        [
            (
                one.account_id,
                one.seller,
                money(one.balance_minor, one.currency),
                money(one.authorized_minor, one.currency),
                money(one.available_minor, one.currency),
            )
            for one in accounts
        ],
    )


def _sentence(one: CreditOperation) -> str:
    amount = "" if one.amount_minor is None else f"{money(one.amount_minor, one.currency or '')} "
    refused = f" refused ({one.code})" if one.code else ""
    of = f" for {one.order_id}" if one.order_id else ""
    why = f": {one.why}" if one.why else ""
    return f"{local(one.at)}  {amount}{_SENTENCES[one.kind]}{of}{refused}, by {one.who}{why}"
