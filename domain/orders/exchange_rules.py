"""Which customers may have the replacement before what they exchange is back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ExchangeRules(BaseModel):
    """Advance exchanges, in which the replacement ships first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    advance: Literal["never", "asked", "trusted"] = "asked"
    """never: none. asked: where somebody at the service desk asks for it. trusted: only customers
    who have received five units or more, and keep what they buy."""
    trusted_share_percent: Annotated[int, Field(ge=0, le=100)] = 20
    """Who has sent back a larger share of all units is not trusted."""

    def over(self, usual: ExchangeRules) -> ExchangeRules:
        """The usual rules, but for what was set in these."""
        return usual.model_copy(update={n: getattr(self, n) for n in self.model_fields_set})
