"""Templates of messages: those that come with Orderloom, and sellers' own in their place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Document
from domain.messages.kinds import MessageKind
from domain.messages.rendering import SOURCE_MAX
from domain.sellers import Code, Language
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.service.messages import Sample
from starter.service.service import Records
from store.messages.templates import OwnTemplate

router = APIRouter(prefix="/v1/message-templates", tags=["sellers"], route_class=StrictRoute)

_SOURCE: Final = """\
{% block subject %}Your order {{ number }} has left{% endblock %}
{% block preheader %}{% if day %}It comes by {{ day }}.{% endif %}{% endblock %}
{% block title %}It has left{% endblock %}
{% block body %}
{% call p() %}Your tea is on its way, {{ name }}.{% endcall %}
{{ items(goods) }}
{{ rows([('Carrier', carrier), ('Tracking number', tracking_number)]) }}
{{ button('See where it is') }}
{% endblock %}
"""


class OwnTemplates(BaseModel):
    """Sellers' own templates. All others are those that come with Orderloom."""

    model_config = ConfigDict(frozen=True)

    templates: tuple[OwnTemplate, ...]


class ShownTemplate(BaseModel):
    """A template as it is used. `is_own`: the seller's. `set_at`, `set_by`: since when, by whom.

    `sample`: what it makes of an order that was never placed.
    """

    model_config = ConfigDict(frozen=True)

    seller: str
    kind: MessageKind
    language: Language
    is_own: bool
    set_at: datetime | None
    set_by: str | None
    source: str
    sample: Sample


class TemplateSource(Document):
    """A template in Jinja, with the blocks `subject`, `preheader`, `title` and `body`."""

    source: Annotated[str, Field(min_length=1, max_length=SOURCE_MAX)]


SellerPath: TypeAlias = Annotated[Code, Path(examples=["main"])]
KindPath: TypeAlias = Annotated[MessageKind, Path(examples=["shipped"])]
LanguagePath: TypeAlias = Annotated[Language, Path(examples=["en"])]


@router.get("", operation_id="listMessageTemplates", summary="List sellers' own templates")
async def list_templates(
    caller: Annotated[Caller, may("sellers:read")],
    seller: Annotated[Code | None, Query()] = None,
) -> OwnTemplates:
    """Of a seller, or of all that the key sees; without their text."""
    sellers = {one.seller for one in await caller.sellers_named(seller)}
    found = await caller.here.messages.templates(seller)
    return OwnTemplates(templates=tuple(one for one in found if one.seller in sellers))


@router.get(
    "/{seller}/{kind}/{language}",
    operation_id="getMessageTemplate",
    summary="Read a template as it is used",
)
async def get_template(
    seller: SellerPath,
    kind: KindPath,
    language: LanguagePath,
    caller: Annotated[Caller, may("sellers:read")],
) -> ShownTemplate:
    """The seller's own one, or the one that comes with Orderloom: to be changed, and set."""
    await caller.seller(seller)
    return await _shown(caller, seller, kind, language)


@router.put(
    "/{seller}/{kind}/{language}",
    operation_id="saveMessageTemplate",
    summary="Use a template of the seller's own from now on",
)
async def save_template(
    seller: SellerPath,
    kind: KindPath,
    language: LanguagePath,
    content: Annotated[TemplateSource, example({"source": _SOURCE})],
    caller: Annotated[Caller, may("sellers:write")],
) -> ShownTemplate:
    """It is tried first, with an order of which all is known, and with one of which nothing is.

    One that cannot be filled in is refused: it names what is not there, is too long, loops in
    loops, or has what templates may not.
    """
    await caller.here.messages.set_template(
        seller, kind, language, content.source, by=caller.who(None)
    )
    return await _shown(caller, seller, kind, language)


@router.delete(
    "/{seller}/{kind}/{language}",
    operation_id="resetMessageTemplate",
    summary="Use the template that comes with Orderloom again",
    status_code=204,
)
async def reset_template(
    seller: SellerPath,
    kind: KindPath,
    language: LanguagePath,
    caller: Annotated[Caller, may("sellers:write")],
) -> Response:
    """Where it is used already, that is no fault."""
    await caller.seller(seller)
    try:
        await caller.here.messages.reset_template(seller, kind, language)
    except NotFound:
        return Response(status_code=204)
    return Response(status_code=204)


@router.post(
    "/{seller}/{kind}/{language}/preview",
    operation_id="previewMessageTemplate",
    summary="See what a template makes, before it is set",
    response_model=Sample,
)
async def preview_template(
    seller: SellerPath,
    kind: KindPath,
    language: LanguagePath,
    content: Annotated[TemplateSource, example({"source": _SOURCE})],
    caller: Annotated[Caller, may("sellers:read")],
    once: Keyed,
) -> Response:
    """Of an order that was never placed. Nothing is set; refused is what `PUT` would refuse."""
    await caller.seller(seller)

    async def made(here: Records) -> Sample:
        return await here.messages.sample(seller, kind, language, content.source)

    return await once.in_database(made)


async def _shown(
    caller: Caller, seller: str, kind: MessageKind, language: Language
) -> ShownTemplate:
    here = caller.here.messages
    own = [
        one for one in await here.templates(seller) if (one.kind, one.language) == (kind, language)
    ]
    return ShownTemplate(
        seller=seller,
        kind=kind,
        language=language,
        is_own=bool(own),
        set_at=own[0].set_at if own else None,
        set_by=own[0].set_by if own else None,
        source=await here.template(seller, kind, language),
        sample=await here.sample(seller, kind, language),
    )
