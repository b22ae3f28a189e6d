"""Documents with trading partners in X12: partners, and interchanges that came and went."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.edi.partners import Partner, Partners
from domain.fields import Document, Id, Printable, Reason
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.edi import FaultInFile, Shown
from starter.service.service import Records
from store.edi.documents import Document as EdiDocument
from store.edi.interchanges import Interchange

router = APIRouter(prefix="/v1/edi", tags=["edi"], route_class=StrictRoute)

_LARGEST: Final = 2**53 - 1
_PARTNER: Final[dict[str, Any]] = {
    "partner": "acme",
    "name": "Acme Distribution Inc",
    "role": "customer",
    "channel": "web",
    "ours": {"id": "ORDERLOOM"},
    "theirs": {"id": "ACME"},
    "provider": "stripe",
    "token": "cus_acme",
}

Number = Annotated[int, Path(ge=1, le=_LARGEST, examples=[17])]


class Received(Document):
    """`content`: one interchange, or several; `name`: of the file, or what you call it."""

    name: Printable = "by HTTP"
    content: Annotated[str, Field(min_length=1, max_length=5_000_000)]


class Kept(BaseModel):
    """The numbers of the interchanges that are kept. A worker reads them in a moment."""

    model_config = ConfigDict(frozen=True)

    interchanges: tuple[int, ...]


class Checked(BaseModel):
    """What is wrong, fault by fault; empty: nothing is."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[FaultInFile, ...]


class InterchangeShown(Interchange):
    """An interchange with its documents. `raw`: as it came or goes, while it is kept."""

    documents: tuple[EdiDocument, ...]
    raw: str | None = None


class SeenTo(Document):
    """`note`: how a person has seen to it."""

    note: Reason


@router.get("/partners", operation_id="listTradingPartners", summary="List the trading partners")
async def list_partners(
    caller: Annotated[Caller, may("operations:read")], paged: Paged
) -> Page[Partner]:
    """By their names, with all that is agreed with each."""
    place = paged.after({})
    found = [
        one
        for one in await caller.here.edi.partners()
        if place is None or one.partner > str(place[0])
    ]
    return paged.page({}, found, place=lambda one: [one.partner], show=lambda one: one)


@router.put(
    "/partners", operation_id="setTradingPartners", summary="Set what is agreed with partners"
)
async def set_partners(
    content: Annotated[
        Partners, Body(openapi_examples={"a customer": {"value": {"partners": [_PARTNER]}}})
    ],
    caller: Annotated[Caller, may("operations:write")],
) -> Partners:
    """All there is to know about these partners; the others stay as they are."""
    await caller.here.edi.save(content.partners, by=caller.who())
    return content


@router.get(
    "/interchanges", operation_id="listInterchanges", summary="List what came and what went"
)
async def list_interchanges(
    caller: Annotated[Caller, may("operations:read")],
    paged: Paged,
    partner: Annotated[Id | None, Query(description="Only with this one.")] = None,
    failed: Annotated[bool, Query(description="Only what needs a person.")] = False,
) -> Page[InterchangeShown]:
    """The newest first, each with its documents and without its bytes."""
    asked = {"partner": partner, "failed": failed}
    place = paged.after(asked)
    found = await caller.here.edi.list(
        partner=partner,
        failed=failed,
        before=None if place is None else int(place[0]),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: [one.interchange.interchange_no], show=_shown)


@router.get("/interchanges/{number}", operation_id="getInterchange", summary="Read an interchange")
async def get_interchange(
    number: Number, caller: Annotated[Caller, may("operations:read")]
) -> InterchangeShown:
    """With its bytes, as long as they are kept."""
    return _shown(await caller.here.edi.show(number))


@router.post(
    "/interchanges",
    operation_id="receiveInterchange",
    summary="Hand in an interchange",
    response_model=Kept,
)
async def receive(
    content: Annotated[Received, example({"name": "order.edi", "content": "ISA*00*…"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """It is kept, whatever it says, and read in a moment. What cannot be read becomes a task."""

    async def kept(here: Records) -> Kept:
        numbers = await here.edi.receive(content.name, content.content.encode())
        return Kept(interchanges=tuple(numbers))

    return await once.in_database(kept)


@router.post(
    "/check",
    operation_id="checkInterchange",
    summary="See what is wrong with an interchange",
    response_model=Checked,
)
async def check(
    content: Annotated[Received, example({"name": "order.edi", "content": "ISA*00*…"})],
    caller: Annotated[Caller, may("operations:read")],
    once: Keyed,
) -> Response:
    """By the rules of X12, and by what is agreed with its partner. Nothing is kept or done."""

    async def checked() -> Checked:
        return Checked(findings=tuple(await caller.here.edi.check(content.content.encode())))

    return await once.safe_to_repeat(checked)


@router.post(
    "/interchanges/{number}/send-again",
    operation_id="sendInterchangeAgain",
    summary="Send the same bytes once more",
    status_code=204,
)
async def send_again(
    number: Number, caller: Annotated[Caller, may("operations:write")], once: Keyed
) -> Response:
    """With the same control number. 404 for one that we have not written."""
    return await once.in_database(lambda here: here.edi.send_again(number))


@router.post(
    "/interchanges/{number}/settle",
    operation_id="settleInterchange",
    summary="Say that an interchange was dealt with",
    status_code=204,
)
async def settle(
    number: Number,
    content: Annotated[SeenTo, example({"note": "they send it again"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """404 for one that needs nobody."""
    return await once.in_database(lambda here: here.edi.settle(number, content.note))


@router.post(
    "/documents/{number}/settle",
    operation_id="settleEdiDocument",
    summary="Say that a document was dealt with",
    status_code=204,
)
async def settle_document(
    number: Number,
    content: Annotated[SeenTo, example({"note": "called them: they pay the old price"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """404 for one that needs nobody."""
    return await once.in_database(lambda here: here.edi.settle(number, content.note, document=True))


def _shown(one: Shown) -> InterchangeShown:
    raw = None if one.raw is None else one.raw.decode("utf-8", "replace")
    return InterchangeShown(**one.interchange.model_dump(), documents=tuple(one.documents), raw=raw)
