"""The example of a carrier, installed beside Orderloom: found, tested by the kit, and worked with.

Both are installed from wheels, in an environment without the checkout and without a network.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from store.database import Pool
from tests.e2e.stack import ROOT
from tests.e2e.test_installed import PATIENCE_S, ended, environment, programs
from tests.support.builders import QUICK, an_order
from tests.support.printed import barcodes, pages
from tests.support.shop import Shop

__all__ = ["programs"]

EXAMPLE = ROOT / "examples" / "carrier_bike"


@pytest.fixture(scope="module")
def with_bike(programs: Path) -> Path:
    """The same programs, with the example installed as its README says."""
    install = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps"]
    subprocess.run(
        [*install, "--no-build-isolation", "--python", str(programs / "python"), str(EXAMPLE)],
        check=True,
        capture_output=True,
    )
    return programs


def extensions(program: Path, folder: Path, **more: str) -> tuple[int, dict[str, Any]]:
    told = ended(program, folder, "extensions", "--json", **more)
    return told.returncode, {one["name"]: one for one in json.loads(told.stdout)["extensions"]}


def test_it_is_listed_beside_orderlooms_own_and_says_what_it_lacks(
    with_bike: Path, tmp_path: Path
) -> None:
    program = with_bike / "orderloom"
    code, found = extensions(program, tmp_path, ORDERLOOM_BIKE__FOLDER=str(tmp_path))
    assert code == 0
    assert found["bike"]["distribution"] == "orderloom-bike"
    assert found["bike"]["brings"] == ["carrier"]
    assert {"sandbox", "store_credit", "stripe"} <= found.keys()
    code, found = extensions(program, tmp_path)
    assert (code, "ORDERLOOM_BIKE__FOLDER" in found["bike"]["fault"]) == (1, True)


def test_it_passes_the_kit(with_bike: Path, tmp_path: Path) -> None:
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    for what in ((str(EXAMPLE / "tests"),), ("--pyargs", "orderloom_conformance")):
        run = ended(
            with_bike / "python", tmp_path, *command, *what, ORDERLOOM_BIKE__FOLDER=str(tmp_path)
        )
        assert run.returncode == 0, run.stdout
        assert re.search(r"[1-9]\d* passed", run.stdout)


def test_a_worker_does_not_start_with_one_that_fails_unless_it_may_go_without(
    with_bike: Path, tmp_path: Path
) -> None:
    addresses = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    bad = ended(with_bike / "orderloom-worker", tmp_path, **addresses)
    assert bad.returncode == 2
    *_, line = bad.stderr.splitlines()
    assert line.startswith("worker: extensions: bike (orderloom-bike 0.1.0): environment: ")
    assert "ORDERLOOM_BIKE__FOLDER: is missing" in line
    assert "ORDERLOOM_WITHOUT_EXTENSIONS=bike" in line

    may = {"ORDERLOOM_WITHOUT_EXTENSIONS": "bike", **environment(tmp_path, addresses)}
    with subprocess.Popen(
        [str(with_bike / "orderloom-worker")],
        env=may,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.terminate()
    assert "extension bike (orderloom-bike 0.1.0) is left out: " in said


async def test_its_labels_are_bought_printed_in_both_formats_and_given_back(
    with_bike: Path,
    tmp_path: Path,
    pool: Pool,
    temporal_client: Client,
    database_url: str,
    temporal_address: str,
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("TEA", 2)
    settings = {
        "TEMPORAL_ADDRESS": temporal_address,
        "DATABASE_URL": database_url,
        "ORDERLOOM_TASK_QUEUE": shop.task_queue,
        "ORDERLOOM_CARRIER": "bike",
        "ORDERLOOM_BIKE__FOLDER": str(tmp_path / "bike"),
        "ORDERLOOM_BIKE__COUNTRIES": '["KR", "DE"]',
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return ended(with_bike / "orderloom", tmp_path, *arguments, **settings)

    process = await asyncio.create_subprocess_exec(
        str(with_bike / "orderloom-worker"),
        env=environment(tmp_path, settings),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)
        assert b"ready" in line, line
        order = an_order(("TEA", 1))
        parcel = await shop.placed(order)
        await shop.drive(parcel, "labelled")
        for form in ("pdf", "zpl"):
            asked = ("warehouse", "label", parcel, "-o", f"label.{form}")
            told = await asyncio.to_thread(run, *asked)
            assert told.returncode == 0, told.stderr
        printed = (tmp_path / "label.pdf").read_bytes()
        assert barcodes(printed) == ["BIKE00000001"]
        assert parcel in pages(printed)[0]
        assert b"^FDBIKE00000001^FS" in (tmp_path / "label.zpl").read_bytes()

        cancelled = await asyncio.to_thread(run, "cancel", order.order_id, "--reason", "rain")
        assert cancelled.returncode == 0, cancelled.stderr
        await shop.settled()
        label = await shop.labels.of(parcel)
        assert (label.state, label.sold_by, label.carrier) == ("voided", "bike", "bike")
    finally:
        process.terminate()
        await process.communicate()
