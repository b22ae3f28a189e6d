"""docs/edi.md: each command is run, in the sequence of the page, and says what stands there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from store.database import Pool
from tests.cli import test_crm_page as pages
from tests.support.bench import Bench
from tests.support.command_line import Cli
from tests.support.trading import Trade

ROOT = Path(__file__).parents[2]


async def test_the_page_says_what_commands_say(
    database_url: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = Trade(pool)
    await Bench(pool).stocked("TEA-100", 100)
    await trade.with_buyer()
    await pool.execute("delete from edi_partner")
    monkeypatch.setattr(pages, "PAGE", ROOT / "docs" / "edi.md")
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    run = 0
    for command, says in pages.shown():
        program, *arguments = shlex.split(command)
        assert program == "orderloom"
        arguments = [str(ROOT / one) if "/" in one else one for one in arguments]
        out = (await cli.done(*arguments)).out
        assert pages.looks_like(says, out), f"{command} says:\n{out}"
        await trade.inbox.work_through()
        run += 1
    assert run > 6
    lines = await pool.fetch("select sku, ordered from order_line")
    assert [tuple(one) for one in lines] == [("TEA-100", 24)]
