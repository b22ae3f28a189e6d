"""The names and numbers of our accounts in other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.accounting.accounts import Account


class Root(StrEnum):
    """The type of an account, in Beancount's words."""

    ASSETS = "Assets"
    LIABILITIES = "Liabilities"
    EQUITY = "Equity"
    INCOME = "Income"
    EXPENSES = "Expenses"


@dataclass(frozen=True)
class Named:
    """An account's type, its name for people, and its number."""

    root: Root
    name: str
    code: str


CHART: Final[Mapping[Account, Named]] = {
    Account.CASH_IN_TRANSIT: Named(Root.ASSETS, "Cash in transit", "1010"),
    Account.RECEIVABLES: Named(Root.ASSETS, "Receivables", "1100"),
    Account.TRADE_RECEIVABLES: Named(Root.ASSETS, "Trade receivables", "1110"),
    Account.CARRIER_CLAIMS: Named(Root.ASSETS, "Carrier claims", "1160"),
    Account.DISPUTES: Named(Root.ASSETS, "Disputes", "1150"),
    Account.INVENTORY: Named(Root.ASSETS, "Inventory", "1200"),
    Account.INTERCOMPANY: Named(Root.ASSETS, "Intercompany", "1300"),
    Account.PURCHASES: Named(Root.LIABILITIES, "Purchases", "2000"),
    Account.CARRIER_PAYABLES: Named(Root.LIABILITIES, "Carrier payables", "2050"),
    Account.TAX_PAYABLE: Named(Root.LIABILITIES, "Tax payable", "2100"),
    Account.DEFERRED_REVENUE: Named(Root.LIABILITIES, "Deferred revenue", "2200"),
    Account.REFUNDS_PAYABLE: Named(Root.LIABILITIES, "Refunds payable", "2300"),
    Account.STORE_CREDIT: Named(Root.LIABILITIES, "Store credit liability", "2400"),
    Account.GIFT_CARDS: Named(Root.LIABILITIES, "Gift card liability", "2410"),
    Account.VOUCHERS: Named(Root.LIABILITIES, "Voucher liability", "2420"),
    Account.EXCHANGE_CLEARING: Named(Root.LIABILITIES, "Exchange clearing", "2430"),
    Account.OPENING: Named(Root.EQUITY, "Opening balances", "3000"),
    Account.REVENUE: Named(Root.INCOME, "Revenue", "4000"),
    Account.SHIPPING_INCOME: Named(Root.INCOME, "Shipping income", "4100"),
    Account.ROUNDING: Named(Root.INCOME, "Rounding", "4200"),
    Account.BREAKAGE: Named(Root.INCOME, "Breakage", "4300"),
    Account.CARRIER_COMPENSATION: Named(Root.INCOME, "Carrier compensation", "4310"),
    Account.REFUNDS: Named(Root.INCOME, "Refunds", "4900"),
    Account.COST_OF_GOODS_SOLD: Named(Root.EXPENSES, "Cost of goods sold", "5000"),
    Account.PROVIDER_FEES: Named(Root.EXPENSES, "Provider fees", "6000"),
    Account.CARRIER_FEES: Named(Root.EXPENSES, "Carrier fees", "6050"),
    Account.WRITE_OFFS: Named(Root.EXPENSES, "Write-offs", "6100"),
}


def beancount_name(account: Account) -> str:
    """The account's name in Beancount, such as Assets:CashInTransit."""
    words = account.value.split("_")
    return f"{CHART[account].root}:{''.join(word.capitalize() for word in words)}"
