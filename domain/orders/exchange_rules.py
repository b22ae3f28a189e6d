"""What customers may exchange by themselves, and who gets the replacement first."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.fields import Sku


class ExchangeRules(BaseModel):
    """Exchanges among SKUs of a group, and advance ones, in which the replacement ships first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    advance: Literal["never", "asked", "trusted"] = "asked"
    """never: none. asked: where somebody at the service desk asks for it. trusted: only customers
    who have received five units or more, and keep what they buy."""
    trusted_share_percent: Annotated[int, Field(ge=0, le=100)] = 20
    """Who has sent back a larger share of all units is not trusted."""

    groups: Annotated[
        tuple[Annotated[tuple[Sku, ...], Field(min_length=2, max_length=50)], ...],
        Field(max_length=200),
    ] = ()
    """SKUs that a customer may have for each other, such as the sizes of a shirt: for what was
    paid."""

    def replacements(self, sku: str) -> tuple[str, ...]:
        """What a customer may have for units of this SKU: others of its groups, and the same."""
        found = [one for group in self.groups if sku in group for one in group]
        return tuple(dict.fromkeys(found))

    def over(self, usual: ExchangeRules) -> ExchangeRules:
        """The usual rules, but for what was set in these."""
        return usual.model_copy(update={n: getattr(self, n) for n in self.model_fields_set})
