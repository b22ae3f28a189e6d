"""Commands in the locales that people have: whatever the terminal's encoding, no name ends one.

Of each test one command is a program of its own; the others are copies of a process that has loaded
the program in that locale.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.builders import a_document
from tests.support.command_line import EXAMPLES, PROGRAM, ROOT, SECONDS_MAX, Cli, Copier, Ended
from tests.support.shop import Shop

NAME = "김하늘 × Zoë → 名"
"""Of these letters EUC-KR has all but ë, and ASCII has none."""


@dataclass(frozen=True)
class Locale:
    """A locale: what a program of it is told, and the encoding of its terminal."""

    environment: dict[str, str]
    encoding: str
    copier: Copier


@pytest.fixture(scope="module", params=["C", "ko_KR.EUC-KR"])
def locale(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Locale]:
    """Python takes both of them as they are, which it does not do with C by itself."""
    if request.param == "C":
        forced, encoding = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"
    else:
        path = with_korean(tmp_path_factory.mktemp("locales"))
        forced = {"LC_ALL": "ko_KR.eucKR", "LOCPATH": str(path), "PYTHONUTF8": "0"}
        encoding = "euc_kr"
    copier = Copier(forced, encoding=encoding)
    yield Locale(forced, encoding, copier)
    copier.end()


def with_korean(folder: Path) -> Path:
    """The folder, with a Korean locale that writes in EUC-KR."""
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("no localedef to make the locale with")
    made = subprocess.run(
        [localedef, "-i", "ko_KR", "-f", "EUC-KR", str(folder / "ko_KR.eucKR")],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"localedef makes no Korean locale: {made.stderr!r}")
    return folder


async def spoken(cli: Cli, locale: Locale, *arguments: str | bytes, stdin: bytes = b"") -> Ended:
    """A command from the start of Python on, whose output is in the locale's encoding alone."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        env={**cli.environment, **locale.environment},
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin), SECONDS_MAX)
    assert process.returncode is not None
    assert b"Traceback" not in err, err
    return Ended(process.returncode, out.decode(locale.encoding), err.decode(locale.encoding))


async def copied(cli: Cli, locale: Locale, *arguments: str, stdin: bytes = b"") -> Ended:
    """The same in a copy of a process of that locale."""
    there = Cli({**cli.environment, **locale.environment})
    return await there(*arguments, stdin=stdin, copier=locale.copier)


async def test_commands_read_and_answer_in_every_locale(
    cli: Cli, shop: Shop, locale: Locale, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5)
    document = a_document(("TEA", 2))
    document["customer"]["name"] = NAME
    placed = await spoken(cli, locale, "place", "-", stdin=json.dumps(document).encode())
    assert (placed.code, placed.err) == (0, ""), placed
    order_id = placed.out.split()[0]
    items = tmp_path / "items.csv"
    items.write_text(f"sku,name,backorder\nTEA,{NAME},yes\n", encoding="utf-8")
    for arguments in (
        ("--help",),
        ("show", order_id),
        ("items", "import", str(items)),
        ("stock", "import", str(EXAMPLES / "stock.csv"), "--new-location", "outlet"),
        ("stock", "list"),
    ):
        ended = await copied(cli, locale, *arguments)
        assert (ended.code, ended.err) == (0, ""), (arguments, ended)
    kept = (await cli.done("show", order_id, "--json")).json
    assert kept["document"]["customer"]["name"] == NAME


async def test_what_is_read_by_programs_has_no_locale(cli: Cli, shop: Shop, locale: Locale) -> None:
    """JSON with a letter escaped in Python's way is no JSON, and a file is always UTF-8."""
    await shop.stocked("TEA", 5)
    document = a_document(("TEA", 2))
    document["customer"]["name"] = NAME
    placed = await cli.done("place", "-", stdin=json.dumps(document))
    order_id = placed.out.split()[0]
    shown = await spoken(cli, locale, "show", order_id, "--json")
    assert shown.json["document"]["customer"]["name"] == NAME
    wrong = json.dumps({**document, NAME: 1}).encode()
    told = await copied(cli, locale, "place", "-", "--json", stdin=wrong)
    assert told.json["problems"][0]["field"] == NAME


async def test_a_letter_that_the_terminal_lacks_is_written_in_another_way(
    cli: Cli, shop: Shop, locale: Locale
) -> None:
    await shop.stocked("TEA", 5)
    rows = f"sku,name\nTEA,{NAME}\n".encode()
    assert (await cli("items", "import", "-", stdin=rows)).code == 0
    listed = (await spoken(cli, locale, "items", "list")).out
    if locale.encoding == "ascii":
        assert r"\uae40\ud558\ub298 x Zo\xeb -> \u540d" in listed
    else:
        assert r"김하늘 × Zo\xeb → 名" in listed


async def test_an_argument_is_read_as_the_terminal_writes_it(
    cli: Cli, shop: Shop, locale: Locale
) -> None:
    await shop.stocked("TEA", 5)
    document = a_document(("TEA", 2))
    order_id = (await cli.done("place", "-", stdin=json.dumps(document))).out.split()[0]
    cancel = ("cancel", order_id, "--line", "1=1", "--reason")
    strange = await spoken(cli, locale, *cancel, "마음 →".encode())
    assert strange.code == 2
    assert f"is not valid {locale.encoding.upper()}, the encoding of this locale" in strange.err
    assert "set LC_ALL" in strange.err
    if locale.encoding == "ascii":
        return
    done = await spoken(cli, locale, *cancel, "마음이 바뀜".encode(locale.encoding))
    assert (done.code, done.err) == (0, ""), done
    assert "마음이 바뀜" in (await cli.done("events", order_id)).out


async def test_the_demo_says_what_is_wrong_in_every_locale(cli: Cli, locale: Locale) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starter.demo", "--home", "/" + "dev/null/" + "é"),
        env={**cli.environment, **locale.environment},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    assert process.returncode == 2, out
    assert b"Traceback" not in out, out
