"""The file of a label, as it is downloaded: of a parcel that leaves, and of one that comes back."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import Response

from starter.service.labels import PrintedLabel

LABEL_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file, as the carrier made it.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    },
}

LabelFormat = Annotated[
    str | None,
    Query(
        alias="format",
        max_length=100,
        description="pdf, zpl, png or the like; left out: pdf, if there is one.",
    ),
]


def label_file(label: PrintedLabel, part_id: str, form: str | None) -> Response:
    """The file in this format, named after its parcel or return. Raises Refused, InvalidInput."""
    file = label.file(form, rather="pdf")
    name = f"label-{part_id.replace(':', '-')}.{file.format}"
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
