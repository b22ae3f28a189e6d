"""The chart of accounts, and the entry for each event in an order's money.

Double entry: debits are positive, credits negative, and the postings of each entry add up to zero.
A charge at shipment goes through receivables: the invoice claims it, the capture settles it. An
earlier charge goes through deferred revenue: the capture records the debt of goods, the invoice
settles it. A refund is owed when it is granted and settled when it is issued.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.orders.amounts import Worth


class Account(StrEnum):
    """Names as in the journal."""

    CASH_IN_TRANSIT = "cash_in_transit"  # At payment companies, or on its way from them.
    RECEIVABLES = "receivables"
    TRADE_RECEIVABLES = "trade_receivables"  # Owed by customers who pay by invoice.
    INVENTORY = "inventory"
    INTERCOMPANY = "intercompany"  # Goods that one seller owes to another, at their cost.
    CARRIER_CLAIMS = "carrier_claims"  # What carriers have agreed to pay for parcels.
    DISPUTES = "disputes"  # Taken back by a bank, and not decided yet.
    DEFERRED_REVENUE = "deferred_revenue"  # Paid for, and not sent yet.
    REFUNDS_PAYABLE = "refunds_payable"  # Granted, and not issued yet.
    STORE_CREDIT = "store_credit_liability"
    GIFT_CARDS = "gift_card_liability"
    VOUCHERS = "voucher_liability"
    EXCHANGE_CLEARING = "exchange_clearing"  # From what comes back to what is sent for it.
    TAX_PAYABLE = "tax_payable"
    CARRIER_PAYABLES = "carrier_payables"  # To be paid on carriers' invoices.
    PURCHASES = "purchases"  # Received from suppliers, and to be paid on their invoices.
    OPENING = "opening_balances"
    REVENUE = "revenue"
    SHIPPING_INCOME = "shipping_income"
    ROUNDING = "rounding"  # What tills add or take off, so that a total can be paid in cash.
    CARRIER_COMPENSATION = "carrier_compensation"  # Carriers pay for what they lost or broke.
    REFUNDS = "refunds"  # Lowers revenue: goods and shipping that were paid back.
    COST_OF_GOODS_SOLD = "cost_of_goods_sold"
    PROVIDER_FEES = "provider_fees"
    CARRIER_FEES = "carrier_fees"  # For parcels that carriers stopped on their way.
    BREAKAGE = "breakage"  # Vouchers and gift cards that expired.
    WRITE_OFFS = "write_offs"


SOLD: Final = (Account.REVENUE, Account.SHIPPING_INCOME, Account.ROUNDING)
"""What goods and shipping brought in, without tax."""

OF_THE_RESULT: Final = (
    *(*SOLD, Account.CARRIER_COMPENSATION, Account.REFUNDS, Account.COST_OF_GOODS_SOLD),
    *(Account.PROVIDER_FEES, Account.CARRIER_FEES, Account.BREAKAGE, Account.WRITE_OFFS),
)
"""Accounts that say what was earned or lost; all others say what somebody has or owes."""

Postings = Mapping[Account, int]

_ACCOUNTS: Final = {
    "store_credit": Account.STORE_CREDIT,
    "gift_card": Account.GIFT_CARDS,
    "voucher": Account.VOUCHERS,
    "exchange": Account.EXCHANGE_CLEARING,
    "on_account": Account.TRADE_RECEIVABLES,
}


def money_at(provider: str) -> Account:
    """Where the money of a payment is: at a company, or a debt between the customer and us."""
    return _ACCOUNTS.get(provider, Account.CASH_IN_TRANSIT)


def invoiced(worth: Worth, *, due: int, rounding: int = 0) -> Postings:
    """Goods went out: this is revenue. The customer owes `due` of it, and has paid the rest.

    `rounding`: the part of the goods' worth that only rounds the total to cash.
    """
    return {
        Account.RECEIVABLES: due,
        Account.DEFERRED_REVENUE: worth.total - due,
        Account.REVENUE: rounding - worth.goods,
        Account.ROUNDING: -rounding,
        Account.SHIPPING_INCOME: -worth.shipping,
        Account.TAX_PAYABLE: -(worth.tax + worth.shipping_tax),
    }


def captured(amount: int, *, prepaid: bool, way: Account = Account.CASH_IN_TRANSIT) -> Postings:
    """The customer was charged, before the goods went out (`prepaid`) or for an invoice.

    `way`: as `money_at` says.
    """
    return {
        way: amount,
        Account.DEFERRED_REVENUE if prepaid else Account.RECEIVABLES: -amount,
    }


def refund_granted(worth: Worth, credited: Worth) -> Postings:
    """The customer is owed a refund: the invoiced part is `credited`, the rest was only charged."""
    return {
        Account.REFUNDS: credited.goods + credited.shipping,
        Account.TAX_PAYABLE: credited.tax + credited.shipping_tax,
        Account.DEFERRED_REVENUE: worth.total - credited.total,
        Account.REFUNDS_PAYABLE: -worth.total,
    }


def refund_issued(
    amount: int, *, way: Account = Account.CASH_IN_TRANSIT, by_bank: int = 0
) -> Postings:
    """A refund that was owed has been issued, or given as store credit or as a voucher.

    `way`: as `money_at` says. `by_bank`: the part that the customer got by a lost dispute. Its
    write-off then is no loss.
    """
    return {
        Account.REFUNDS_PAYABLE: amount,
        Account.WRITE_OFFS: -by_bank,
        way: by_bank - amount,
    }


def refund_came_back(amount: int, *, way: Account = Account.CASH_IN_TRANSIT) -> Postings:
    """A bank sent a refund back, or an exchange order did: it is with us, and owed again.

    `way`: as `money_at` says.
    """
    return {way: amount, Account.REFUNDS_PAYABLE: -amount}


def paid_beyond(amount: int) -> Postings:
    """A company paid back more than the customer was charged: like a gift, it lowers revenue."""
    return {Account.REFUNDS: amount, Account.CASH_IN_TRANSIT: -amount}


def beyond_came_back(amount: int) -> Postings:
    """What was paid back beyond the charge came back, and stays with us."""
    return {Account.CASH_IN_TRANSIT: amount, Account.REFUNDS: -amount}


def credit_given(amount: int) -> Postings:
    """Store credit as a gift, for no order: it lowers revenue."""
    return {Account.REFUNDS: amount, Account.STORE_CREDIT: -amount}


def voucher_issued(kind: str, amount: int) -> Postings:
    """A gift card was sold: the money came elsewhere. Or a voucher was given: it lowers revenue."""
    against = Account.CASH_IN_TRANSIT if kind == "gift_card" else Account.REFUNDS
    return {against: amount, money_at(kind): -amount}


def voucher_expired(kind: str, amount: int) -> Postings:
    """What is left of it is owed no more. Negative: it is owed again, because it was extended."""
    return {money_at(kind): amount, Account.BREAKAGE: -amount}


def provider_fee(amount: int) -> Postings:
    """A payment company's fee for a charge, by its list of the day."""
    return {Account.PROVIDER_FEES: amount, Account.CASH_IN_TRANSIT: -amount}


def carrier_charges(amount: int) -> Postings:
    """A carrier has stopped a parcel on its way, and charges for that."""
    return {Account.CARRIER_FEES: amount, Account.CARRIER_PAYABLES: -amount}


def carrier_pays(amount: int) -> Postings:
    """A carrier has agreed to pay for a parcel. What it lost is in the cost of goods sold."""
    return {Account.CARRIER_CLAIMS: amount, Account.CARRIER_COMPENSATION: -amount}


def carrier_paid_back(amount: int) -> Postings:
    """The parcel turned up after all, and the carrier gets back what it paid for it."""
    return {Account.CARRIER_COMPENSATION: amount, Account.CARRIER_CLAIMS: -amount}


def disputed(amount: int) -> Postings:
    """A customer's bank took a payment back, and has not decided."""
    return {Account.DISPUTES: amount, Account.CASH_IN_TRANSIT: -amount}


def dispute_lost(amount: int) -> Postings:
    """The whole entry of a lost dispute. A dispute that was won books nothing."""
    return {Account.WRITE_OFFS: amount, Account.CASH_IN_TRANSIT: -amount}


def dispute_fee(fee: int) -> Postings:
    """The payment company's fee for a dispute, however it ends."""
    return {Account.PROVIDER_FEES: fee, Account.CASH_IN_TRANSIT: -fee}


def moved(before: Postings, after: Postings) -> Postings:
    """The postings that change the books from `before` to `after`."""
    return {
        account: after.get(account, 0) - before.get(account, 0)
        for account in Account
        if account in before or account in after
    }
