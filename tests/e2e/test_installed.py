"""Orderloom installed from its wheel, in an environment without the checkout."""

from __future__ import annotations

import asyncio
import os
import site
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from temporalio.client import Client

from store.database import Pool
from tests.e2e.stack import ROOT
from tests.support.builders import QUICK, an_order
from tests.support.shop import Shop

PATIENCE_S: Final = 60.0


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
