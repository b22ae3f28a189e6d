"""The demo, on a small scale: what `make demo` runs, as a program."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from runtime.discovery import read_stack
from starter.demo import company, folder
from starter.demo.stories import telling
from starter.stack.program import HOME_MARK
from tests.support.command_line import COPIER
from tests.support.servers import temporary_folder

PATIENCE_S = 270.0
"""It takes 40 s alone, and several times as long beside all other tests on a slow machine."""


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_folder() as place:
        yield place / "demo"


@asynccontextmanager
async def demo(home: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The running program; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "starter.demo", "--home", str(home), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if "TEMPORAL" not in name},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: asyncio.subprocess.Process, until: str = "") -> str:
    """What the program prints, to its end or until a line has this text."""
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for line in process.stdout:
                lines.append(line.decode())
                if until and until in lines[-1]:
                    return "".join(lines)
            await process.wait()
    except TimeoutError:
        pytest.fail(f"it takes too long; it has said:\n{''.join(lines)}")
    return "".join(lines)


async def checked_by_beancount(home: Path, seller: str) -> str:
    """What the real `bean-check` has to say of a seller's books, exported by the command."""
    books = home.parent / f"{seller}.beancount"
    export = ("ledger", "export", "--format", "beancount", "--out", str(books), "--seller", seller)
    environment = {**os.environ, "ORDERLOOM_HOME": str(home)}
    exported = await asyncio.to_thread(COPIER.run, environment, export, b"")
    assert exported.code == 0, exported
    assert "cost_of_goods_sold" in books.read_text(
        encoding="utf-8"
    ) or "CostOfGoodsSold" in books.read_text(encoding="utf-8")
    checking = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("bean-check"),
        str(books),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    found, _ = await checking.communicate()
    assert checking.returncode == 0, found.decode()
    return found.decode()


def left_behind(home: Path) -> list[str]:
    """The programs of this folder's stack that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_MARK) == str(home.resolve()):
                found.append(f"{process.pid} {process.name()}")
        except (psutil.Error, OSError):
            continue
    return found


def told_as_they_should_be(text: str) -> None:
    """Every story of what comes after the sale is in the summary, and none went wrong."""
    _, _, rest = text.partition("After the sale, and kinds of goods")
    stories, _, _ = rest.partition("Mails to customers")
    assert "WENT WRONG" not in stories, stories
    for name in telling.STORIES:
        assert re.search(rf"^{re.escape(name)} +\S", stories, re.MULTILINE), stories
    _, _, rest = text.partition("Mails to customers")
    mails, _, rest = rest.partition("Customers, and what the CRM is told")
    customers, _, _ = rest.partition("Warehouse and carriers")
    assert "WENT WRONG" not in customers, customers
    for done in (
        "known",
        "segment regulars",
        "the page of C",
        "and that undone",
        "files for a CRM",
    ):
        assert done in customers, customers
    for kind in ("received", "confirmed", "shipped", "delivered", "refund", "claim_decided"):
        assert re.search(rf"^{kind}( +\d+)+ *$", mails, re.MULTILINE), mails


async def test_orders_are_placed_cancelled_returned_and_closed_and_the_books_are_clean(
    home: Path,
) -> None:
    """In a folder that an earlier demo left; the stack is kept up, until Ctrl-C."""
    await folder.empty(home)
    (home / "postgres").mkdir()
    (home / "postgres" / "of the earlier demo").touch()
    async with demo(home, "--orders", "30", "--keep") as process:
        text = await said(process, until="stays up until Ctrl-C")
        stack = read_stack(home)
        assert stack is not None, text
        assert stack.temporal_ui_url in text
        # A newcomer can begin: the screens with a login, and a parcel to look for.
        assert f"{stack.http_url}/app" in text
        assert re.search(r"sign in as +admin, password \S+$", text, re.MULTILINE), text
        assert re.search(r"where parcel \S+:1 is; which order lost money today", text), text
        for seller in (company.US, company.DE):
            assert await checked_by_beancount(home, seller) == ""
        process.send_signal(signal.SIGINT)
        await said(process)
    assert process.returncode == 0, text
    assert left_behind(home) == []
    assert not (home / "postgres" / "of the earlier demo").exists()
    assert "placed: 30 of 30" in text
    assert "ended: 30 of 30" in text
    for heading in ("Orders by state", "Cancellations", "Returns", "Money", "Steps"):
        assert heading in text
    assert re.search(r"^closed +2\d$", text, re.MULTILINE), text
    # More is wanted than Northwind has: it is bought, and what is discontinued is not waited for.
    assert re.search(r"^of those ordered, at first backordered +[1-9]\d*$", text, re.MULTILINE)
    assert re.search(r"^cancelled for any other reason +0$", text, re.MULTILINE), text
    assert re.search(r"^orders closed +[1-9]\d*$", text, re.MULTILINE), text
    assert re.search(r"by the promised day +[1-9]\d*$", text, re.MULTILINE), text
    assert re.search(r"^parcels that came later +0$", text, re.MULTILINE), text
    # Too late for what has left; what of the order still waits is cancelled all the same.
    assert re.search(r"^handed over +(1 +0 +0|0 +1 +0|0 +0 +1)$", text, re.MULTILINE), text
    assert re.search(r"^asked for, approved +[1-3]$", text, re.MULTILINE), text
    assert re.search(r"^slowest step: [a-z ]+, \d", text, re.MULTILINE), text
    assert re.search(r"^Temporal UI: http://127\.0\.0\.1:\d+/", text, re.MULTILINE), text
    assert re.search(r"^cost_of_goods_sold +[1-9][\d.]* +USD +$", text, re.MULTILINE), text
    # One seller is paid in USD; the other in EUR, and owes the first for its goods in USD.
    assert re.findall(r"^sum: 0\.00 (\S+)$", text, re.MULTILINE) == ["USD", "EUR", "USD"]
    assert re.search(r"^intercompany +[\d.]+ +USD +$", text, re.MULTILINE), text
    taxes = [
        r"not stated +[\d.]+ +0\.00 +[\d.]+ +USD",
        r"19 % +[\d.]+ +[\d.]+ +[\d.]+ +EUR",
        r"7 % +[\d.]+ +[\d.]+ +[\d.]+ +EUR",
    ]
    assert [one for one in taxes if not re.search(rf"^{one} *$", text, re.MULTILINE)] == []
    booked = re.findall(r"^sum: net .*, tax (\S+ EUR), .*as tax: (\S+ EUR)$", text, re.MULTILINE)
    assert [tax == other for tax, other in booked] == [True]
    assert re.search(
        r"^sandbox lists (\d+) effects of \S+ \1 are as recorded here, 0 are not$",
        text,
        re.MULTILINE,
    ), text
    assert re.search(r"^provider_fees +[1-9]", text, re.MULTILINE), text
    told_as_they_should_be(text)
    assert "\naudit: clean\n" in text


async def test_a_day_over_http_by_programs_that_know_the_openapi_document_alone(
    home: Path,
) -> None:
    # As `make demo HTTP=1` names it: from where it was started.
    beside = Path(os.path.relpath(home))
    async with demo(beside, "--orders", "12", "--http") as process:
        text = await said(process)
    assert process.returncode == 0, text
    assert "ended: 12 of 12" in text
    for channel in ("web", "webde"):  # one is of Shopify, the other of WooCommerce
        assert re.search(rf"^messages of the shop of {channel} +[1-9]\d*$", text, re.MULTILINE)
    assert re.search(r"^… that it sent twice, under one id +1$", text, re.MULTILINE), text
    assert re.search(r"^… that it failed at: .* +[1-9]\d*$", text, re.MULTILINE), text
    assert "\nevents: each was delivered once, in the sequence of its order\n" in text
    assert re.search(r"^asked for, approved +[1-9]$", text, re.MULTILINE), text
    assert re.search(r"^cancelled by customers +[1-9]\d*$", text, re.MULTILINE), text
    told_as_they_should_be(text)
    assert "\naudit: clean\n" in text
    assert left_behind(home) == []


async def test_a_folder_that_is_not_a_demo_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("do not lose me", encoding="utf-8")
    async with demo(tmp_path) as process:
        text = await said(process)
    assert process.returncode == 2
    assert "name a new folder with --home" in text
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "do not lose me"
