"""How much may be paid back as goodwill: of an order's charge, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Refused
from domain.fields import Amount, Currency, Id
from domain.money import Money, limit_minor


class GoodwillLimit(BaseModel):
    """What somebody in a role may give: for one order in all, and in all on a day.

    `percent_max`: of what was charged for the order. `per_order`, `per_day`: by currency; one that
    is not named has no such limit. A day is the seller's, and each person's alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    percent_max: Annotated[int, Field(ge=0, le=100)] = 100
    per_order: dict[Currency, Amount] = {}
    per_day: dict[Currency, Amount] = {}


GoodwillRoles = Annotated[dict[Id, GoodwillLimit], Field(max_length=20)]


def most_first(roles: Mapping[str, GoodwillLimit], currency: str) -> tuple[str, ...]:
    """The roles by what they may give in a currency for an order, then on a day."""

    def least(name: str) -> tuple[Decimal, ...]:
        limit, none = roles[name], Decimal("Infinity")
        sums = limit.per_order.get(currency, none), limit.per_day.get(currency, none)
        return (-sums[0], -sums[1], Decimal(-limit.percent_max))

    return tuple(sorted(roles, key=least))


@dataclass(frozen=True)
class Goodwill:
    """What decides about goodwill for an order.

    `percent_max`: the order's own limit. `roles`: those who may give any, where that is limited.
    `given_today`: minor units that the one who asks has given on this day, in this currency.
    """

    percent_max: int
    roles: Mapping[str, GoodwillLimit] = field(default_factory=dict)
    given_today: int = 0

    def check(
        self, amount: int, currency: str, role: str | None, *, charged: int, given: int
    ) -> None:
        """Raises Refused where it is more than the order or the role allows.

        `charged`, `given`: minor units of the order, by now. Amounts in minor units.
        """
        limit = self._limit(role)
        percent = min(self.percent_max, 100 if limit is None else limit.percent_max)
        most = charged * percent // 100
        if given + amount > most:
            raise self._refused(
                *(amount, currency, role),
                f"goodwill may come to: {_shown(most, currency)} ({percent} % of what was charged)"
                + (f", {_shown(given, currency)} of it given" if given else ""),
            )
        if limit is None:
            return
        if currency in limit.per_order:
            most = limit_minor(limit.per_order[currency], currency)
            if given + amount > most:
                raise self._refused(
                    *(amount, currency, role),
                    f"{role} may give for an order: {_shown(most, currency)}",
                )
        if currency in limit.per_day:
            most = limit_minor(limit.per_day[currency], currency)
            if self.given_today + amount > most:
                raise self._refused(
                    *(amount, currency, role),
                    f"{role} may give on a day: {_shown(most, currency)}, "
                    f"{_shown(self.given_today, currency)} of it given",
                )

    def _limit(self, role: str | None) -> GoodwillLimit | None:
        if not self.roles:
            return None
        if role is None or role not in self.roles:
            raise Refused(
                f"goodwill is given in a role: {', '.join(self.roles)}",
                reason="goodwill_role",
                instead=("refund_order",),
            )
        return self.roles[role]

    def _refused(self, amount: int, currency: str, role: str | None, than: str) -> Refused:
        others = [name for name in self.roles if name != role]
        ask = f"; ask {' or '.join(others)}" if others else ""
        return Refused(
            f"{_shown(amount, currency)} is more than {than}{ask}",
            reason="goodwill_limit",
            instead=("refund_order",) if others else (),
        )


def _shown(minor: int, currency: str) -> Money:
    return Money(minor=minor, currency=currency)
