"""The policy: what happens with orders of which nothing else is said. Read alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from domain.words import span
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/setup/policy")
async def policy(visit: Annotated[Visit, may("sellers:read")]) -> Response:
    """What this program was started with, beside what is usual; and which channels differ."""
    usual = visit.here.channels.usual_policy
    channels = await visit.here.channels.list()
    return show(
        visit,
        "policy",
        rows=rows_of(usual),
        channels=[
            (one.channel, differing)
            for one in channels
            if (differing := rows_of(one.policy, only_set=True))
        ],
    )


def rows_of(
    policy: BaseModel, *, only_set: bool = False, before: str = ""
) -> list[tuple[str, str]]:
    """Each setting by its name, such as claims.within, and its value. `only_set`: what was said."""
    rows: list[tuple[str, str]] = []
    for name in type(policy).model_fields:
        if only_set and name not in policy.model_fields_set:
            continue
        value = getattr(policy, name)
        if isinstance(value, BaseModel):
            rows += rows_of(value, only_set=only_set, before=f"{before}{name}.")
        else:
            rows.append((f"{before}{name}", _told(value)))
    return rows


def _told(value: Any) -> str:
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_told(each)}" for name, each in value.items()) or "–"
    if isinstance(value, BaseModel):
        return ", ".join(f"{name} {text}" for name, text in rows_of(value))
    if isinstance(value, list | tuple):
        return ", ".join(_told(one) for one in value) or "–"
    return "–" if value is None else str(value)
