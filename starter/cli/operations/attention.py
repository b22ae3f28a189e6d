"""`orderloom attention`: all that waits for a person, in one list, from PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from domain.words import count_of, span
from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.attention import way_on_of, whose_of
from starter.service.connection import from_records
from store.views.attention import AttentionTask

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def attention(
    seller: Annotated[
        str | None, typer.Option("--seller", metavar="CODE", help="Only of this seller's orders.")
    ] = None,
    mine: Annotated[
        str | None,
        typer.Option("--mine", metavar="LOGIN", help="Only what this person sees to; or nobody."),
    ] = None,
    snoozed: Annotated[
        bool, typer.Option("--snoozed", help="What nobody has to look at yet, and why.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what waits for a person, with what to do and the command for it. Money comes first.

    Steps of orders that need a decision, payments without a known outcome, refunds that are owed,
    disputes, differences with companies' books, messages that could not be read, purchase orders,
    and subscriptions to events that were disabled.

    Example: `orderloom attention`
    """
    found = from_records(
        lambda here: here.needs_attention.tasks(
            seller=seller, whose=whose_of(mine), snoozed=snoozed, at_most=limit + 1
        )
    )
    out, now, shown = Output(as_json=as_json), datetime.now(UTC), found[:limit]
    if as_json:
        out.document({"tasks": [_wire(task, now) for task in shown], "more": len(found) > limit})
        return
    if not found:
        out.say("nothing waits for a person")
        return
    for task in shown:
        way = way_on_of(task)
        out.say(f"{_headline(task)}: {task.reason}")
        out.say(f"  {_facts(task, now)}")
        out.say(f"  {way.do}: {way.command}")
    more = " and more: --limit shows them" if len(found) > limit else ""
    out.say(f"{count_of(len(shown), 'task')}{more}")


def _headline(task: AttentionTask) -> str:
    subject = "" if task.subject == task.name else task.subject
    kind = "" if task.kind == "order" else task.kind.replace("_", " ")
    return " ".join(part for part in (subject, kind, task.name) if part)


def _facts(task: AttentionTask, now: datetime) -> str:
    parts = [f"for {_age(task, now)}"]
    if task.amount_minor is not None and task.currency is not None:
        parts.append(f"{money(task.amount_minor, task.currency)} at stake")
    if task.assigned_to is not None:
        parts.append(f"{task.assigned_to} sees to it")
    if task.snoozed_until is not None:
        parts.append(f"put off until {local(task.snoozed_until)}: {task.snoozed_note}")
    if task.due is not None:
        parts.append(f"by {local(task.due)}")
    return ", ".join(parts)


def _age(task: AttentionTask, now: datetime) -> str:
    age = now - task.since
    age -= age % (timedelta(hours=1) if age > timedelta(days=1) else timedelta(minutes=1))
    return span(age) if age > timedelta(0) else "less than a minute"


def _wire(task: AttentionTask, now: datetime) -> Any:
    way = way_on_of(task)
    return {
        **wire(task, task.currency),
        "money_at_stake": task.amount_minor is not None,
        "age_seconds": round((now - task.since).total_seconds()),
        "do": way.do,
        "command": way.command,
    }
