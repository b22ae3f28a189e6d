"""Files of a parcel's label: what a printer is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

FILE_BYTES_MAX: Final = 1_000_000
"""A label takes some 10 to 100 kB. The table `label_file` holds the same limit."""

FORMATS: Final = {"application/pdf": "pdf", "application/zpl": "zpl", "image/png": "png"}
"""Media types that have a short name; others go by their subtype."""


class LabelFile(BaseModel):
    """A label in one format, such as `application/pdf` or `application/zpl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=100)]
    content: Annotated[bytes, Field(min_length=1)]

    @property
    def format(self) -> str:
        """The short name of its format: pdf, zpl, png."""
        return FORMATS.get(self.media_type, self.media_type.partition("/")[2])


class KeptFile(LabelFile):
    """A label's file as it was kept. `digest`: SHA-256 of its content."""

    digest: str
    kept_at: datetime


def to_keep(files: Iterable[LabelFile]) -> tuple[list[LabelFile], list[str]]:
    """One file of each format, and why others are left out. The label counts without them."""
    kept: dict[str, LabelFile] = {}
    left_out = []
    for file in files:
        if len(file.content) > FILE_BYTES_MAX:
            size = f"{len(file.content):,} bytes"
            left_out.append(f"{file.format} file not kept: {size}, at most {FILE_BYTES_MAX:,}")
        else:
            kept.setdefault(file.media_type, file)
    return list(kept.values()), left_out
