"""Links by the command line, and what docs/tracking.md shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from runtime.settings import Settings
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli

PAGE = (Path(__file__).parents[2] / "docs/tracking.md").read_text(encoding="utf-8")
URL = "https://track.example.com"


def consoles() -> list[tuple[list[str], str]]:
    """Each command of the page, with what it prints."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, _, printed = part.partition("\n")
            found.append((command.split()[1:], printed))
    return found


async def test_the_commands_of_the_page_do_what_it_shows(cli: Cli, pool: Pool) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1), channel_order_id="1001"))
    unset = await cli("tracking", "link", "web-1001")
    assert (unset.code, "ORDERLOOM_PAGES_URL: is not set" in unset.err) == (2, True)
    cli.environment["ORDERLOOM_PAGES_URL"] = URL
    commands = consoles()
    assert [command[1] for command, _ in commands] == ["link", "rotate-key", "rotate-key"]
    for ended, (command, printed) in zip(
        await cli.many(*(tuple(command) for command, _ in commands)), commands, strict=True
    ):
        assert ended.code == 0, ended.err
        # A link is another one each time: as long, and of the same signs.
        shape = re.compile(r"/o/[\w-]{36}\n")
        assert shape.sub("/o/…", ended.out) == shape.sub("/o/…", printed), command
    gone = await cli("tracking", "link", "web-9999")
    assert (gone.code, "there is no order" in gone.err) == (1, True)


async def test_the_looks_of_the_page_are_taken(cli: Cli, tmp_path: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "sellers.json"
    file.write_text(block, encoding="utf-8")
    taken, listed = await cli.many(("sellers", "import", str(file)), ("sellers", "list", "--json"))
    assert taken.code == 0, taken.err
    assert listed.json["sellers"][0]["looks"] == json.loads(block)["sellers"][0]["looks"]


def test_the_settings_of_the_page_are_taken() -> None:
    told = dict(re.findall(r"^(ORDERLOOM_\w+)=(.+)$", PAGE, re.MULTILINE))
    settings = Settings(
        pages_url=told["ORDERLOOM_PAGES_URL"],
        tracking_urls=json.loads(told["ORDERLOOM_TRACKING_URLS"]),
    )
    assert settings.pages_url == URL
    assert settings.tracking_urls["dhl_de"].endswith("{number}")
