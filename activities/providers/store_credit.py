"""Store credit as a payment company: the token of a tender is the id of a credit account."""

from __future__ import annotations

from typing import Final

from activities.extension import Extension, NoSettings
from activities.payments.provider import PaymentReceipt
from activities.providers.own_money import OwnMoney
from domain.money import Money
from store.payments import credit


class StoreCredit(OwnMoney):
    """Store credit, which it can also give."""

    kind = "store_credit"
    noun = "store credit"
    money = "store credit"

    async def issue(
        self,
        *,
        key: str,
        customer_id: str,
        amount: Money,
        who: str,
        why: str,
        order_id: str | None = None,
    ) -> PaymentReceipt:
        """Give a customer new credit, as a refund of money that was paid in another way.

        Opens the customer's account if there is none. Returns the receipt of a refund, whose
        authorization is the account's id. The caller books it.
        """
        self.check(amount)
        async with self.connection("issue") as conn:
            call = await credit.issue(
                conn,
                key=key,
                customer_id=customer_id,
                amount=amount,
                who=who,
                why=why,
                order_id=order_id,
            )
        return self.answer(credit.issue_request(customer_id, order_id, amount), call)


EXTENSION: Final = Extension(
    name=StoreCredit.kind,
    settings=NoSettings,
    payment=lambda _, tools: StoreCredit(tools.pool),
)
