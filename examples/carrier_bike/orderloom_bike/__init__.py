"""Bicycle couriers as an extension of Orderloom, set by ORDERLOOM_BIKE__FOLDER and others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from activities.extension import Extension
from orderloom_bike.carrier import BikeCarrier


class BikeSettings(BaseModel):
    """`folder`: where the couriers' register is. `countries`: where they ride."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    countries: Annotated[tuple[str, ...], Field(min_length=1)] = ("DE",)


EXTENSION: Final = Extension(
    name="bike",
    settings=BikeSettings,
    carrier=lambda settings, _: BikeCarrier(settings.folder, settings.countries),
)
