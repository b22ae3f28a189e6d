"""The label of a parcel, to be printed, and printed again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from starter.http.callers import Caller, may
from starter.http.label_files import LABEL_RESPONSES, LabelFormat, label_file
from starter.http.reading import StrictRoute
from starter.http.reports import PartId

router = APIRouter(prefix="/v1/fulfilments", tags=["warehouse"], route_class=StrictRoute)

Reads = Annotated[Caller, may("warehouse:read")]


class ListedFile(BaseModel):
    """A label in one format. `digest`: SHA-256 of its content."""

    model_config = ConfigDict(frozen=True)

    format: str
    media_type: str
    bytes: int
    digest: str
    kept_at: datetime


class ListedLabel(BaseModel):
    """A parcel's label. `requested`: the carrier has not answered yet. `why_none`: to print."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    state: Literal["requested", "bought", "refused", "voided"]
    sold_by: str
    carrier: str | None
    tracking_number: str | None
    refusal: str | None
    files: tuple[ListedFile, ...]
    why_none: str | None


@router.get(
    "/{fulfilment_id}/label", operation_id="getLabel", summary="Read about a parcel's label"
)
async def get_label(fulfilment_id: PartId, caller: Reads) -> ListedLabel:
    """Its tracking number, and in which formats it can be printed. Refused before it is packed."""
    await caller.check_part(fulfilment_id)
    found = await caller.here.labels.of(fulfilment_id)
    why_none = None if found.files else found.why_none
    return ListedLabel.model_validate({**found.told(), "why_none": why_none})


@router.get(
    "/{fulfilment_id}/label/file",
    operation_id="downloadLabel",
    summary="Download a parcel's label",
    response_class=Response,
    responses=LABEL_RESPONSES,
)
async def download_label(
    fulfilment_id: PartId,
    caller: Reads,
    form: LabelFormat = None,
) -> Response:
    """It names who gets the parcel.

    Refused (409) where there is none to print, with the reason: it was given back to the carrier,
    is not bought yet, or was deleted after the parcel had left.
    """
    await caller.check_part(fulfilment_id)
    found = await caller.here.labels.of(fulfilment_id)
    return label_file(found, fulfilment_id, form)
