"""Sellers' own templates of messages, in the place of those that come with Orderloom."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.messages.kinds import MessageKind
from domain.sellers import Language
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class OwnTemplate(BaseModel):
    """A seller's own template: who has set it, and when."""

    model_config = ConfigDict(frozen=True)

    seller: str
    kind: MessageKind
    language: Language
    characters: int
    set_at: datetime
    set_by: str


async def source_of(
    conn: Connection, seller: str, kind: MessageKind, language: Language
) -> str | None:
    """A seller's own template; None where it has none."""
    found: str | None = await _sql.source_of(conn, seller=seller, kind=kind, language=language)
    return found


async def find(conn: Connection, seller: str | None = None) -> list[OwnTemplate]:
    """All own templates, or those of a seller."""
    return [OwnTemplate(**row) async for row in _sql.find(conn, seller=seller)]


async def save(
    conn: Connection, seller: str, kind: MessageKind, language: Language, source: str, *, who: str
) -> None:
    """Set a template. The caller has tried it."""
    await _sql.save(conn, seller=seller, kind=kind, language=language, source=source, who=who)


async def remove(conn: Connection, seller: str, kind: MessageKind, language: Language) -> bool:
    """Forget a template. False: there was none."""
    status = await _sql.remove(conn, seller=seller, kind=kind, language=language)
    return bool(status == "DELETE 1")
