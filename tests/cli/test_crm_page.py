"""docs/crm.md: each command is run, in the sequence of the page, and says what stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.command_line import Cli

PAGE = Path(__file__).parents[2] / "docs" / "crm.md"

KIM = {
    "id": "KD-7",
    "name": "Kim Minji",
    "email": "kim@example.com",
    "locale": "ko-KR",
    "phone": "+82 2 555 0199",
}


def shown() -> Iterator[tuple[str, str]]:
    """Each command of the page with what it says there."""
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, says = part.partition("\n")
            yield command, says


def looks_like(says: str, out: str) -> bool:
    """Whether it is what stands on the page, where `…` is anything on one line.

    However wide the columns of a table are.
    """
    there, here = (re.sub(r"(?m) +$", "", re.sub(r"[ \r]+", " ", x.strip())) for x in (says, out))
    return re.fullmatch(".*".join(map(re.escape, there.split("…"))), here) is not None


async def test_the_page_says_what_commands_say(
    database_url: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(pool)
    await bench.take_in(an_order(("TEA", 2), customer=KIM, channel_order_id="1001"))
    guest = {"name": "Minji", "email": "minji@example.com"}
    there = {**shipping("5.00"), "address": {**shipping("5.00")["address"], "name": "Minji"}}
    other = an_order(("TEA", 1), customer=guest, channel_order_id="1002", shipping=there)
    await bench.take_in(other)
    monkeypatch.chdir(PAGE.parents[1])
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    run = 0
    for command, says in shown():
        program, *arguments = shlex.split(command)
        assert program == "orderloom"
        out = (await cli.done(*arguments)).out
        assert looks_like(says, out), f"{command} says:\n{out}"
        run += 1
    assert run == 18


def test_what_does_not_stand_on_the_page_is_noticed() -> None:
    assert looks_like("a …, b\n", "a 1, b\n")
    assert not looks_like("a …, b\n", "a 1, c\n")
    assert not looks_like("a\n", "a\nb\n")
