"""The embedded stack as a whole: what `orderloom up` promises, tried on the real thing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from temporalio.client import Client

from domain.errors import Unreachable
from runtime.discovery import StackInfo, connect_settings, read_stack
from starter.stack.postgres import embedded_postgres
from starter.stack.program import HOME_MARK
from tests.support.other_version import make_tables_of_yesterday
from tests.support.servers import FAST_POSTGRES, temporary_folder

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("stack_program.py")
SECONDS_MAX = 60.0


class Up:
    """A supervisor in a process of its own."""

    def __init__(self, home: Path, worker_code: str, settings: Mapping[str, str]) -> None:
        self.events: list[dict[str, Any]] = []
        # No HOME, no TEMPORAL_*: what a service manager or a bare container gives.
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(home), worker_code],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def wait_for(self, key: str, text: str = "") -> Any:
        """The value of the next event with this key and this text in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if key in event and text in str(event[key]):
                return event[key]
        raise AssertionError(f"ended without {key} {text!r}: {self.events}")

    def ready(self) -> StackInfo:
        return StackInfo.model_validate(self.wait_for("ready"))

    def reports(self) -> str:
        return "\n".join(event["report"] for event in self.events if "report" in event)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.exit_code()

    def exit_code(self) -> int:
        assert self.process.stdout is not None
        self.events += [json.loads(line) for line in self.process.stdout]
        return self.process.wait(SECONDS_MAX)

    def kill(self) -> None:
        """The supervisor alone, with no chance to tidy up."""
        self.process.kill()
        self.process.wait(SECONDS_MAX)

    def dispose(self) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        self.exit_code()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder / "home"
        for process in marked(folder / "home"):
            process.kill()


@contextmanager
def up(
    home: Path, worker_code: str = "import time; time.sleep(600)", **settings: str
) -> Iterator[Up]:
    """`settings`: environment variables."""
    stack = Up(home, worker_code, settings)
    try:
        yield stack
    finally:
        stack.dispose()


def marked(home: Path) -> list[psutil.Process]:
    """All living programs of the stack in this folder, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE:
                environment = process.environ()
                if environment.get(HOME_MARK) == str(home.resolve()):
                    found.append(process)
    return found


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def write_note(database_url: str, text: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        await connection.execute("INSERT INTO note VALUES ($1)", text)
    finally:
        await connection.close()


async def read_notes(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row["text"] for row in await connection.fetch("SELECT text FROM note")]
    finally:
        await connection.close()


async def start_workflow(info: StackInfo, workflow_id: str) -> None:
    client = await Client.connect(info.temporal_address)
    await client.start_workflow("Nobody", id=workflow_id, task_queue="nobody")


async def workflow_ids(info: StackInfo) -> list[str]:
    client = await Client.connect(info.temporal_address)
    return [execution.id async for execution in client.list_workflows()]


async def test_a_folder_that_another_version_has_made_is_refused_and_left_as_it_is(
    home: Path,
) -> None:
    home.mkdir()
    async with embedded_postgres(home, settings=FAST_POSTGRES) as server:
        url = await server.create_database()
        await make_tables_of_yesterday(url)
        await write_note(url, "kept")
    with up(home) as refused:
        assert refused.exit_code() == 2
        says = refused.events[-1]["error"]
        assert "made by another version of Orderloom" in says
        assert f"or remove {home} if its orders are not needed" in says
        assert "\n" not in says
    assert marked(home) == []
    async with embedded_postgres(home, settings=FAST_POSTGRES) as server:
        assert await read_notes(server.url()) == ["kept"]


async def test_a_stack_is_alone_in_its_folder_keeps_its_data_and_leaves_no_process_behind(
    home: Path,
) -> None:
    with up(home) as first:
        info = first.ready()
        assert set(info.pids) == {"postgres", "temporal", "worker-1", "worker-2"}
        assert read_stack(home) == info
        await write_note(info.database_url, "kept")
        await start_workflow(info, "kept")
        with up(home) as refused:
            assert refused.exit_code() == 1
            assert "already running" in refused.events[-1]["error"]
        assert read_stack(home) == info
        assert all(lives(pid) for pid in info.pids.values())
        assert first.end() == 0
    assert not any(lives(pid) for pid in info.pids.values())
    assert read_stack(home) is None
    assert not (home / "stack.json").exists()

    with up(home) as second:
        info = second.ready()
        assert await read_notes(info.database_url) == ["kept"]
        handle = (await Client.connect(info.temporal_address)).get_workflow_handle("kept")
        assert (await handle.describe()).id == "kept"
        assert second.end() == 0


def test_stacks_in_two_folders_run_side_by_side_though_the_usual_ports_are_busy(home: Path) -> None:
    with ExitStack() as busy:
        held = set()
        for port in (7233, 8233):
            blocker = busy.enter_context(socket.socket())
            blocker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):  # somebody else has it, and may give it back at any moment
                blocker.bind(("127.0.0.1", port))
                blocker.listen()
                held.add(port)
        with up(home) as one, up(home.with_name("other")) as other:
            infos = [one.ready(), other.ready()]
    grpc_ports = {int(info.temporal_address.rpartition(":")[2]) for info in infos}
    ui_ports = {int(info.temporal_ui_url.rpartition(":")[2]) for info in infos}
    assert len(grpc_ports) == len(ui_ports) == 2
    assert grpc_ports <= set(range(7233, 7333)) - held
    assert ui_ports <= set(range(8233, 8333)) - held
    assert len({info.database_url for info in infos}) == 2


async def test_whatever_is_killed_comes_back_at_its_address_with_its_data(home: Path) -> None:
    with up(home, WITH_HTTP="yes") as stack:
        before = stack.ready()
        assert "serve" in before.pids
        await write_note(before.database_url, "before the kill")
        await start_workflow(before, "before-the-kill")
        for name, pid in before.pids.items():
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(stack.wait_for, "report", f"{name} was started again")
        after = read_stack(home)
        assert after is not None
        assert after.temporal_address == before.temporal_address
        assert after.database_url == before.database_url
        assert after.http_url == before.http_url
        async with httpx.AsyncClient() as client:
            ready = (await client.get(f"{after.http_url}/readyz")).json()
        assert ready["status"] == "ready", ready
        assert not set(after.pids.values()) & set(before.pids.values())
        assert await read_notes(after.database_url) == ["before the kill"]
        handle = (await Client.connect(after.temporal_address)).get_workflow_handle(
            "before-the-kill"
        )
        assert (await handle.describe()).id == "before-the-kill"
        assert stack.end() == 0
    assert marked(home) == []


async def test_nobody_gets_the_port_of_a_killed_http_door_and_the_next_one_answers_who_asked(
    home: Path,
) -> None:
    with up(home, WITH_HTTP="yes") as stack:
        info = stack.ready()
        assert info.http_url is not None
        port, pid = int(info.http_url.rpartition(":")[2]), info.pids["serve"]
        os.kill(pid, signal.SIGKILL)
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))
        async with httpx.AsyncClient(timeout=SECONDS_MAX) as client:
            assert (await client.get(f"{info.http_url}/livez")).status_code == 200


async def test_a_stack_that_starts_while_the_temporal_of_another_is_away_takes_other_ports(
    home: Path,
) -> None:
    with up(home) as one:
        info = one.ready()
        with ExitStack() as stopped:
            # It is started again in the moment in which it ends: so it is kept from ending.
            os.kill(one.process.pid, signal.SIGSTOP)
            stopped.callback(os.kill, one.process.pid, signal.SIGCONT)
            os.kill(info.pids["temporal"], signal.SIGKILL)
            with up(home.with_name("other")) as other:
                other_info = other.ready()
                assert other_info.temporal_address != info.temporal_address
                assert other_info.temporal_ui_url != info.temporal_ui_url
        await asyncio.to_thread(one.wait_for, "report", "temporal was started again")


async def test_a_stack_whose_supervisor_was_killed_is_gone_for_others_and_replaced_by_the_next(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TEMPORAL_ADDRESS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with up(home) as first:
        info = first.ready()
        await write_note(info.database_url, "kept")
        first.kill()
        assert (home / "stack.json").exists()
        assert read_stack(home) is None
        with pytest.raises(Unreachable, match="orderloom up"):
            connect_settings(home)
        assert len(marked(home)) >= 4, "nothing was orphaned, so nothing is tested"

        with up(home) as second:
            new = second.ready()
            assert "left by a stack that was killed" in second.reports()
            assert not any(lives(pid) for pid in info.pids.values())
            assert await read_notes(new.database_url) == ["kept"]
            assert second.end() == 0
    assert marked(home) == []


def test_a_stop_in_the_middle_of_the_start_is_clean_and_the_next_start_works(home: Path) -> None:
    for seconds in (0.4, 0.9, 1.4):  # in the making of the data, of the tables, of Temporal's
        with up(home) as stack:
            # The signal's handler is set before the lock is taken.
            while not (home / "up.lock").exists():
                time.sleep(0.01)
            time.sleep(seconds)
            assert stack.end() == 0
        assert marked(home) == []
        (home / "up.lock").unlink()
    with up(home) as stack:
        stack.ready()


def test_a_worker_that_cannot_start_is_reported_with_its_last_words(home: Path) -> None:
    with up(home, "raise SystemExit('the kettle is empty')") as stack:
        stack.ready()
        report = stack.wait_for("report", "worker-1 ended")
    assert "exit code 1" in report
    assert "the kettle is empty" in report
