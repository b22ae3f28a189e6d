"""docs/screens.md says of each command about orders on which screen it is done."""

from __future__ import annotations

import re
from typing import Final

from starter.cli.commands import COMMANDS
from starter.web.desk.possible import OFFERS
from tests.architecture.source import ROOT

ROOMS: Final = ("orders.", "aftersales.", "payments.")


def rows() -> list[tuple[str, str]]:
    """The table's first two columns."""
    section = (
        (ROOT / "docs/screens.md")
        .read_text("utf-8")
        .partition("## What is done with an order\n")[2]
    )
    table = section.partition("| command |")[2].partition("\n\n")[0]
    found = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    return [(commands, pages) for commands, pages in found]


def test_every_command_about_orders_has_its_screen_or_a_reason() -> None:
    told = re.findall(r"`([^`]+)`", " ".join(commands for commands, _ in rows()))
    about_orders = [name for name, entry in COMMANDS.items() if entry.module.startswith(ROOMS)]
    about_orders += ["appointments", "codes"]  # they are of goods, and of an order at once
    assert sorted(told) == sorted(about_orders)


def test_every_act_of_the_desk_is_told() -> None:
    told = re.findall(r"`/([^`]+)`", " ".join(pages for _, pages in rows()))
    assert sorted(told) == sorted({*OFFERS, "codes"})
