"""`orderloom resolve`: an operator's decision about a step that needs attention."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from domain.errors import InvalidInput, NotFound
from domain.orders.messages import AttentionAnswer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered
from store.views.reads import AttentionRow

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

Action = Literal["retry", "done", "cancel", "store_credit", "send_back", "charge"]


@app.command()
def resolve(
    order: OrderName,
    action: Annotated[
        Action,
        typer.Argument(
            help="retry: try the step again. done: it was done by hand. "
            "cancel: give it up; its units are cancelled and paid back. "
            "store_credit: what is owed is given so. "
            "send_back, charge: of a lost parcel that reached its customer, who sends it back, or "
            "keeps it and pays.",
            show_default=False,
        ),
    ],
    note: Annotated[str, typer.Option("--note", help="Why, and for done: how it was done.")],
    step: Annotated[
        str | None,
        typer.Option(
            "--step",
            help="The step, as `orderloom show` names it; needed where there are several.",
            show_default=False,
        ),
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Decide about a step that needs attention. `orderloom orders --attention` lists the orders.

    Example: `orderloom resolve web-1001 retry --note "the carrier is back"`
    """
    order = order_named(order)
    content = {"action": action, "note": note, "by": reporter(by)}
    chosen = asyncio.run(_resolve(order, content, step))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": order, **chosen.model_dump(mode="json")})
    else:
        out.say(f"{order}: {chosen.step}: {chosen.action}")


async def _resolve(order_id: str, content: dict[str, str], step: str | None) -> AttentionAnswer:
    async with service() as here:
        rows = (await here.orders.get(order_id)).attention
        content = {**content, "step": step or _only_step(order_id, rows)}
        answer = read_model(AttentionAnswer, content, where="resolve")
        await answered(
            here.resolve(order_id, answer),
            again=f"look with `orderloom show {order_id}` before deciding again",
        )
        return answer


def _only_step(order_id: str, rows: Sequence[AttentionRow]) -> str:
    steps = [row.step for row in rows]
    if not steps:
        raise NotFound(f"nothing about {order_id} needs attention; see `orderloom show {order_id}`")
    if len(steps) > 1:
        raise InvalidInput(f"several steps need attention: {', '.join(steps)}", where="--step")
    return steps[0]
