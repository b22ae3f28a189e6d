"""How a parcel was packed, as its carrier is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Packed(BaseModel):
    """The name of its box, and its weight in grams; None: nobody has said it."""

    model_config = ConfigDict(frozen=True)

    box: str | None = None
    grams: int | None = None
