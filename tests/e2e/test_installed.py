"""Orderloom installed from its wheel, in an environment without the checkout and a network.

At the end the example of a carrier is installed beside it: found, tested by the kit, and worked
with. A worker without that one's settings does not start from there on.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import site
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio.client import Client

from store.database import Pool
from tests.e2e.stack import ROOT
from tests.support.builders import QUICK, an_order
from tests.support.printed import barcodes, pages
from tests.support.shop import Shop

PATIENCE_S: Final = 60.0
EXAMPLE: Final = ROOT / "examples" / "carrier_bike"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's programs, Orderloom's among them.

    The libraries are those of the tests' environment: reached by a path that is not a site folder,
    so that its link to the checkout counts for nothing.
    """
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(folder)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", symlinks=True)
    programs = folder / "env" / "bin"
    install = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps"]
    subprocess.run(
        [*install, "--python", str(programs / "python"), str(wheel)],
        check=True,
        capture_output=True,
    )
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    libraries = "\n".join(site.getsitepackages())
    (packages / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return programs


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **more}


def ended(
    program: Path, folder: Path, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in a folder that is not the checkout."""
    return subprocess.run(
        [str(program), *arguments],
        env=environment(folder, more),
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def test_what_is_imported_is_what_was_installed(programs: Path, tmp_path: Path) -> None:
    told = ended(programs / "python", tmp_path, "-c", "import worker; print(worker.__file__)")
    assert Path(told.stdout.strip()).is_relative_to(programs.parent), told


def test_the_commands_are_there(programs: Path, tmp_path: Path) -> None:
    told = ended(programs / "orderloom", tmp_path, "--help")
    assert told.returncode == 0, told.stderr
    assert "place" in told.stdout


def test_the_worker_refuses_bad_settings_as_it_does_in_a_checkout(
    programs: Path, tmp_path: Path
) -> None:
    program = programs / "orderloom-worker"
    bad = ended(program, tmp_path, ORDERLOOM_DATABASE_POOL_SIZE="lots")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("worker: environment: ORDERLOOM_DATABASE_POOL_SIZE")
    unnamed = ended(program, tmp_path)
    assert unnamed.returncode == 3
    assert unnamed.stderr.startswith("worker: DATABASE_URL is not set")


async def test_the_worker_works_until_it_is_told_to_stop(
    programs: Path,
    tmp_path: Path,
    pool: Pool,
    temporal_client: Client,
    database_url: str,
    temporal_address: str,
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("TEA", 1)
    process = await asyncio.create_subprocess_exec(
        str(programs / "orderloom-worker"),
        env=environment(
            tmp_path,
            {
                "TEMPORAL_ADDRESS": temporal_address,
                "DATABASE_URL": database_url,
                "ORDERLOOM_TASK_QUEUE": shop.task_queue,
            },
        ),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)
        assert b"ready" in line
        parcel = await shop.placed(an_order(("TEA", 1)))
        await shop.drive(parcel, "labelled")  # its relay brings each report to the order
        process.terminate()
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 0, log.decode()
        assert b'"stopped"' in log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# The example of a carrier -------------------------------------------------------------------------


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
