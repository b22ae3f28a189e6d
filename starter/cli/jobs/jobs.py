"""`orderloom jobs`: long work, how far it is, and what came of each item."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import typer

from domain.errors import Refused
from domain.jobs.jobs import Job, JobItem, Kind, State
from domain.words import count_of
from starter.cli.jobs import starting
from starter.cli.terminal.files import STANDARD_OUTPUT, whole_file
from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.pages import page_of
from starter.service.connection import from_records
from starter.service.service import Records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="JOB", show_default=False)]

LOOK_EVERY_S = 0.5


@app.callback()
def jobs() -> None:
    """Long work: files that are taken in or written, and many orders at once.

    `orderloom serve` does it. A job goes on whatever becomes of the program that made it.
    """


@app.command("list")
def list_jobs(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Only in this state.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List jobs, newest first.

    Example: `orderloom jobs list --state running`
    """
    found = from_records(lambda here: here.jobs.list(kind=kind, state=state, at_most=limit + 1))
    out = Output(as_json=as_json)
    if as_json:
        shown = [job.model_dump(mode="json") for job in found[:limit]]
        out.document({"jobs": shown, "more": len(found) > limit})
        return
    if not found:
        out.say("no jobs")
        return
    out.table(
        ["job", "kind", "state", ">done", ">refused", ">of", "made", "by"],
        [
            (
                *(job.job_id, job.kind.replace("_", " "), state_of(job), job.done, job.refused),
                *("" if job.total is None else job.total, local(job.made_at), job.made_by),
            )
            for job in found[:limit]
        ],
    )
    if len(found) > limit:
        out.say(f"… and more: --limit shows more than {limit}")


@app.command("show")
def show_job(
    job: Named,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
    as_json: Json = False,
) -> None:
    """Show how far a job is. Exit code 1: it failed, or some of its items were refused.

    Example: `orderloom jobs show job_4aqqb4bhubpz3uh6tagb --wait`
    """

    async def work(here: Records) -> Job:
        while True:
            found = await here.jobs.get(job)
            if found.has_ended or not wait:
                return found
            await asyncio.sleep(LOOK_EVERY_S)

    found = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document(found.model_dump(mode="json"))
    else:
        for line in sentences(found):
            out.say(line)
    if found.failure is not None:
        raise Refused(f"{job} failed: {found.failure.detail}")
    if found.has_ended and found.refused:
        raise Refused(
            f"{count_of(found.refused, 'item')} of {job} refused: "
            f"`orderloom jobs items {job} --outcome refused` says why"
        )


@app.command("items")
def list_items(
    job: Named,
    outcome: Annotated[
        Literal["waiting", "done", "refused", "skipped"] | None,
        typer.Option("--outcome", help="Only with this outcome."),
    ] = None,
    limit: Limit = 100,
    after: Annotated[
        int, typer.Option("--after", metavar="NUMBER", min=0, help="Begin behind this item.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """List what became of each item of a job, in the sequence of its file.

    Example: `orderloom jobs items job_4aqqb4bhubpz3uh6tagb --outcome refused`
    """

    async def work(here: Records) -> list[JobItem]:
        await here.jobs.get(job)
        return await here.jobs.items(job, outcome=outcome, after=after, at_most=limit + 1)

    page = page_of(from_records(work), limit, lambda item: str(item.number))
    out = Output(as_json=as_json)
    if as_json:
        items = [item.model_dump(mode="json") for item in page.rows]
        out.document({"items": items, **page.told})
    elif not page.rows:
        out.say("no items")
    else:
        out.table(
            [">item", ">line", "what", "outcome", "answer", "why"],
            [
                (
                    *(item.number, item.line or "", item.reference or "", item.outcome),
                    *(item.answer or "", item.detail or ""),
                )
                for item in page.rows
            ],
        )
        page.tell(out)


@app.command("result")
def write_result(
    job: Named,
    to_file: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE|-", help="Where to; - is standard output.")
    ],
    as_json: Json = False,
) -> None:
    """Write the file that a job has made.

    Example: `orderloom jobs result job_4aqqb4bhubpz3uh6tagb --out orders.jsonl`
    """

    async def work(here: Records) -> Job:
        found, parts = await here.jobs.result(job)
        await _write(parts, to_file)
        return found

    found = from_records(work)
    if to_file == STANDARD_OUTPUT:
        return
    assert found.result is not None
    out = Output(as_json=as_json)
    if as_json:
        out.document({**found.result.model_dump(mode="json"), "written": to_file})
    else:
        out.say(f"{found.result.bytes:,} bytes written to {to_file} ({found.result.media_type})")


async def _write(parts: AsyncIterator[bytes], to_file: str) -> None:
    if to_file == STANDARD_OUTPUT:
        out = Output(as_json=False)
        async for part in parts:
            out.raw(part)
        return
    with whole_file(to_file) as file:
        async for part in parts:
            file.write(part)


@app.command("cancel")
def cancel_job(job: Named, as_json: Json = False) -> None:
    """Cancel a job: what has begun is finished, and the rest is skipped.

    Example: `orderloom jobs cancel job_4aqqb4bhubpz3uh6tagb`
    """
    found = from_records(lambda here: here.jobs.cancel(job))
    out = Output(as_json=as_json)
    if as_json:
        out.document(found.model_dump(mode="json"))
    else:
        out.say(f"{job} is {state_of(found)}")


def state_of(job: Job) -> str:
    """The state, for people."""
    return "being cancelled" if job.cancel_asked and not job.has_ended else job.state


def sentences(job: Job) -> list[str]:
    """How far a job is, for people."""
    counts = [f"{job.done} done", f"{job.refused} refused", f"{job.skipped} skipped"]
    of = "" if job.total is None else f" of {job.total}"
    said = [
        f"{job.job_id}  {job.kind.replace('_', ' ')}: {state_of(job)}",
        f"{', '.join(counts)}{of}; made {local(job.made_at)} by {job.made_by}",
    ]
    if job.state == "waiting":
        said.append("it begins by itself while a worker and `orderloom serve` run")
    if job.result is not None:
        said.append(f"its file: `orderloom jobs result {job.job_id} --out {job.result.name}`")
    return said


for _command in starting.COMMANDS:
    app.command(_command.name)(_command.run)
