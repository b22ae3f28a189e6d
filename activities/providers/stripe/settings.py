"""How Stripe is reached, from ORDERLOOM_STRIPE__… in the environment. docs/stripe.md"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr


def _check_key(key: SecretStr | None) -> SecretStr | None:
    if key is not None and not re.fullmatch(r"[sr]k_[A-Za-z0-9_]+", key.get_secret_value()):
        raise ValueError("must be a secret key of Stripe's, sk_…, or a restricted one, rk_…")
    return key


def _check_address(address: str | None) -> str | None:
    if address is None:
        return None
    if re.fullmatch(
        r"https://[^\s/@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", address
    ):
        return address
    raise ValueError("must be https://host, or http:// of this machine, without a path")


class StripeSettings(BaseModel):
    """How Stripe is reached: ORDERLOOM_STRIPE__API_KEY and the like. docs/stripe.md"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Annotated[SecretStr | None, AfterValidator(_check_key)] = None
    """A secret key, sk_…, or a restricted one, rk_…. None: orders cannot be paid by Stripe."""

    api_base: Annotated[str | None, AfterValidator(_check_address)] = None
    """Where the API is, for a stand-in. None: Stripe's own."""

    multicapture: bool = False
    """The account may capture a payment several times."""
