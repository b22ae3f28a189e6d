"""What an order costs beside its goods and its shipping: gift wrap, a small-order surcharge."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from domain.fields import Amount, Printable
from domain.optional_fields import CUT, LenientDocument
from domain.orders.lines import OneKind
from domain.orders.price_fields import Rate, TaxCategory

FEES_MAX: Final = 20


class Fee(LenientDocument):
    """An amount that is owed once for the order, for no goods: nothing is picked or sent for it.

    The customer reads `name` on documents. `amount` is of the same kind as all prices of the order.
    Where `tax_rate`, in percent, is given and no `tax`, the tax is computed.
    """

    _of_one_kind = OneKind

    name: Printable
    amount: Amount
    tax: Amount | None = None
    tax_rate: Rate | None = None
    tax_category: Annotated[TaxCategory | None, CUT] = None


Fees = Annotated[tuple[Fee, ...], Field(max_length=FEES_MAX)]
