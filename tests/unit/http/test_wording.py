"""What doors say is said in HTTP's words to who asks over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import InvalidInput, NotFound
from starter.http.problems import problem_of
from starter.http.wording import OPERATIONS, OPERATOR_S, in_http, operation_of

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"`orderloom ((?:[a-z-]+ ?)+)")


def commands() -> Iterator[str]:
    """The commands that messages of the doors, and of what lies behind them, name."""
    for place in ("domain", "store", "starter/service", "activities"):
        for kind in ("*.py", "*.sql"):
            for file in sorted((ROOT / place).rglob(kind)):
                if "migrations" not in file.parts:
                    yield from _NAMED.findall(file.read_text(encoding="utf-8"))


def test_each_command_that_a_message_names_has_its_operation_or_is_the_operator_s() -> None:
    found = set(commands())
    assert {"orders", "locations reopen", "warehouse tasks"} <= {one.strip() for one in found}
    unknown = {
        command
        for command in found
        if operation_of(command) is None and command.split()[0] not in OPERATOR_S
    }
    assert unknown == set()


def test_each_operation_is_one_of_the_api() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    known = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(OPERATIONS.values()) <= known


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "there is no order web-1; `orderloom orders` lists what is there",
            "there is no order web-1; `GET /v1/orders` lists what is there",
        ),
        (
            "main is retired: `orderloom locations reopen main` opens it",
            "main is retired: `POST /v1/locations/{location}/reopen` opens it",
        ),
        ("run `orderloom setup --sandbox`", "run the operator's command line"),
        (
            "must be https://; ORDERLOOM_WEBHOOK_TARGETS_HTTP=true allows http",
            "must be https://; a setting of the operator's allows http",
        ),
        ("but for a late return (--late)", "but for a late return"),
        ("orderloom is kept, and so is a `b`", "orderloom is kept, and so is a `b`"),
    ],
)
def test_it_is_said_in_other_words(said: str, told: str) -> None:
    assert in_http(said) == told
    assert problem_of(NotFound(said), instance="/", request_id="r").detail == told
    problem = problem_of(InvalidInput(said, where="x"), instance="/", request_id="r")
    assert problem.errors[0].detail == told
