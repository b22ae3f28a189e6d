"""Invoices, the books, taxes, differences and disputes."""

from starter.web.money import (
    balance,
    carrier_claims,
    closing,
    credit,
    differences,
    disputes,
    documents,
    ledger,
    open_payments,
    overview,
    taxes,
    vouchers,
)

ROUTERS = (
    overview.router,
    documents.router,
    ledger.router,
    balance.router,
    closing.router,
    taxes.router,
    differences.router,
    disputes.router,
    open_payments.router,
    vouchers.router,
    credit.router,
    carrier_claims.router,
)
