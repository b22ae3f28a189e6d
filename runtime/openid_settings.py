"""How OpenID Connect is set, ORDERLOOM_OPENID__ISSUER and the like; docs/screens.md."""

from __future__ import annotations

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


def _check_issuer(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    )
    if not is_safe or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address that begins with https://, without a query")
    return url.rstrip("/")


class OpenIdSettings(BaseModel):
    """Without an `issuer`, people sign in by passwords alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str | None, AfterValidator(_check_issuer)] = None
    """Such as https://accounts.example.com; what it offers is read from its
    /.well-known/openid-configuration."""

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")

    name: Annotated[str, Field(max_length=40)] = "OpenID Connect"
    """What the button says."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer is not None and not (self.client_id and self.client_secret):
            raise ValueError("needs client_id and client_secret, too")
        return self
