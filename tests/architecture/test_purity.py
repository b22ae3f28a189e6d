"""Decisions depend on what they are given: no clock, no chance and no I/O in domain and workflows.

Imports are bounded by the table of rooms; here it is what can be reached without one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, sources

# Call → what to do instead.
BANNED = {
    **dict.fromkeys(
        ("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        "the time is passed in; a workflow asks workflow.now()",
    ),
    **dict.fromkeys(("open", "print", "input"), "no input or output here"),
    **dict.fromkeys(("eval", "exec", "compile", "__import__"), "no code at run time"),
    **dict.fromkeys(("hash", "id"), "differs from process to process; use hashlib or a key"),
    **dict.fromkeys(
        ("asyncio.wait", "asyncio.as_completed"), "no fixed order; gather, or await in order"
    ),
    **dict.fromkeys(
        ("asyncio.to_thread", "asyncio.run", "asyncio.new_event_loop"),
        "one loop, which Temporal replays",
    ),
    "asyncio.sleep": "use workflow.sleep, which has a summary in the UI",
}


def impurities(source: Source) -> list[str]:
    """What in a file depends on more than its arguments, one sentence each."""
    return [f"{source.path}:{line} {what}" for line, what in _impurities(source)]


def last_words(source: Source) -> list[str]:
    """Each `await` in a `finally`: a workflow that is thrown away cannot take a step any more.

    Its coroutines are closed where they wait (GeneratorExit), outside of the workflow's loop.
    """
    return [
        f"{source.path}:{node.lineno} awaits in a finally: a workflow that is thrown away cannot"
        for attempt in ast.walk(source.tree)
        if isinstance(attempt, ast.Try)
        for statement in attempt.finalbody
        for node in ast.walk(statement)
        if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor)
    ]


def _impurities(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                if (name := _banned(ast.unparse(node))) is not None:
                    yield node.lineno, f"uses {name}: {BANNED[name]}"
            case ast.For(iter=over) | ast.AsyncFor(iter=over) | ast.comprehension(iter=over):
                if _is_set(over):
                    yield over.lineno, "loops over a set: its order differs; sort it"


def _banned(name: str) -> str | None:
    """The banned name that this is, also as `datetime.datetime.now`; `parcel.open` is none."""
    if "." in name:
        name = ".".join(name.split(".")[-2:])
    return name if name in BANNED else None


def _is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
    return False


def test_domain_and_workflows_have_no_clock_no_chance_and_no_io() -> None:
    pure = sources("domain/", "workflows/")
    assert len(pure) > 15
    assert [line for source in pure for line in impurities(source)] == []


def test_no_workflow_awaits_in_a_finally() -> None:
    assert [line for source in sources("workflows/") for line in last_words(source)] == []


def test_a_planted_await_in_a_finally_is_found() -> None:
    text = "async def f():\n    try:\n        await pay()\n    finally:\n        await release()\n"
    (line,) = last_words(Source("workflows/order.py", text))
    assert line.startswith("workflows/order.py:5 awaits in a finally")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at = datetime.now(UTC)", "uses datetime.now: the time is passed in"),
        ("at = datetime.datetime.now()", "uses datetime.now"),
        ("make = dataclasses.field(default_factory=datetime.utcnow)", "uses datetime.utcnow"),
        ("day = date.today()", "uses date.today"),
        ("print('hello')", "uses print: no input or output"),
        ("text = open('prices').read()", "uses open"),
        ("key = hash(order)", "uses hash: differs from process to process"),
        ("await asyncio.sleep(1)", "uses asyncio.sleep: use workflow.sleep"),
        ("await asyncio.wait(tasks)", "uses asyncio.wait: no fixed order"),
        ("for sku in {line.sku for line in lines}: f(sku)", "loops over a set"),
        ("skus = [sku for sku in set(skus)]", "loops over a set"),
    ],
)
def test_a_planted_impurity_is_found(text: str, found: str) -> None:
    function = f"async def f():\n    {text}\n"
    (line,) = impurities(Source("domain/orders/order.py", function))
    assert line.startswith("domain/orders/order.py:2 ")
    assert found in line


@pytest.mark.parametrize(
    "text",
    [
        "at = workflow.now()",
        "for sku in sorted({line.sku for line in lines}): f(sku)",
        "opened = parcel.open",
        "line.open(2)",
        "found = sku in {'TEA', 'CUP'}",
        "await asyncio.wait_for(placing, 1)",
    ],
)
def test_what_depends_on_its_arguments_alone_is_left_alone(text: str) -> None:
    assert impurities(Source("domain/orders/order.py", f"async def f():\n    {text}\n")) == []
