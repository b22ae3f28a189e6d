"""Gift cards and vouchers as payment companies: the token of a tender is a code.

An order keeps a digest of the code alone, and that is what comes here as its token.
"""

from __future__ import annotations

from typing import Final

from activities.extension import Extension, NoSettings
from activities.payments.provider import PaymentReceipt
from activities.providers.own_money import OwnMoney
from domain.money import Money
from domain.payments.vouchers import ToIssue
from store.payments import vouchers


class GiftCards(OwnMoney):
    """Gift cards, which are sold elsewhere."""

    kind = "gift_card"
    noun = "gift card"
    money = "money on the gift card"


class Vouchers(OwnMoney):
    """Vouchers, which it can also give."""

    kind = "voucher"
    noun = "voucher"
    money = "money on the voucher"

    async def issue(
        self, *, key: str, customer_id: str, amount: Money, order_id: str, who: str, why: str
    ) -> PaymentReceipt:
        """Give a voucher, as a refund of money that was paid in another way.

        It has no code until somebody draws one, and is for whoever has that: the customer's id is
        not kept. Returns the receipt of a refund, whose authorization is the voucher's id. The
        caller books it.
        """
        del customer_id
        self.check(amount)
        wanted = ToIssue(kind="voucher", amount=amount, order_id=order_id)
        async with self.connection("issue") as conn:
            call = await vouchers.issue(conn, key, wanted, who=who, why=why)
        return self.answer(wanted.request, call)


GIFT_CARD: Final = Extension(
    name=GiftCards.kind,
    settings=NoSettings,
    payment=lambda _, tools: GiftCards(tools.pool),
)
VOUCHER: Final = Extension(
    name=Vouchers.kind,
    settings=NoSettings,
    payment=lambda _, tools: Vouchers(tools.pool),
)
