"""Short texts by an HTTP API as an extension of Orderloom, set by ORDERLOOM_TEXTS_HTTP__URL."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from activities.extension import Extension
from orderloom_texts.sender import HttpTexts


class HttpTextsSettings(BaseModel):
    """`url`: where the API is. `sender`: the name or number that a phone shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+")]
    token: SecretStr
    sender: Annotated[str, Field(min_length=1, max_length=16)]


EXTENSION: Final = Extension(
    name="texts_http",
    settings=HttpTextsSettings,
    texts=lambda settings, _: HttpTexts(
        settings.url, settings.token.get_secret_value(), settings.sender
    ),
)
