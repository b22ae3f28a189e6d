"""Which errors of PostgreSQL mean that it cannot do something now, and which are about settings."""

from __future__ import annotations

import asyncpg
import pytest

from domain.errors import InvalidInput, OrderloomError, Unreachable
from store import migrate
from store.faults import NotPrepared, explained

UNABLE = {
    "08006": "connection_failure",
    "25006": "read_only_sql_transaction",
    "40P01": "deadlock_detected",
    "53100": "disk_full",
    "53200": "out_of_memory",
    "53300": "too_many_connections",
    "54000": "program_limit_exceeded",
    "55P03": "lock_not_available",
    "57P01": "admin_shutdown",
    "57P03": "cannot_connect_now",
    "58030": "io_error",
    "58P01": "undefined_file",
    "F0000": "config_file_error",
    "XX001": "data_corrupted",
}
SETTINGS = {
    "28000": "invalid_authorization_specification",
    "28P01": "invalid_password",
    "3D000": "invalid_catalog_name",
    "22023": "invalid_parameter_value",
    "42704": "undefined_object",
}
NOT_PREPARED = {"42P01": "undefined_table", "42703": "undefined_column", "3F000": "no_schema"}
URL = "postgresql://a:secret@db.example/orders"


def fault(code: str, message: str = "no") -> asyncpg.PostgresError:
    made: asyncpg.PostgresError = asyncpg.PostgresError.new({"C": code, "M": message})
    return made


async def refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> OrderloomError:
    """What a person is told where a new connection ends so."""

    async def connect(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncpg, "connect", connect)
    with pytest.raises(OrderloomError) as told:
        await migrate.wait_for_database(URL, timeout_seconds=0)
    return told.value


@pytest.mark.parametrize("code", UNABLE)
async def test_a_server_that_cannot_work_now_is_unreachable_and_the_url_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    message = "could not write init file: No space left on device"
    for told in (
        explained(fault(code, message)),
        await refused(monkeypatch, fault(code, message)),
    ):
        assert isinstance(told, Unreachable), told
        assert told.exit_code == 3
        assert message in str(told)
        assert "DATABASE_URL" not in str(told)


async def test_it_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    full = asyncpg.PostgresError.new(
        {"C": "53100", "M": "could not extend file", "D": "no room", "H": "Check free disk space."}
    )
    for told in (explained(full), await refused(monkeypatch, full)):
        assert "could not extend file" in str(told)
        assert "\n" not in str(told)
        assert "HINT" not in str(told)


@pytest.mark.parametrize("code", SETTINGS)
async def test_what_a_setting_can_mend_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    told = await refused(monkeypatch, fault(code, "not secret"))
    assert isinstance(told, InvalidInput)
    assert told.exit_code == 2
    assert "correct DATABASE_URL" in str(told)
    assert "secret" not in str(told)


@pytest.mark.parametrize("code", NOT_PREPARED)
def test_what_is_missing_asks_for_the_setup(code: str) -> None:
    told = explained(fault(code))
    assert isinstance(told, NotPrepared)
    assert "orderloom setup" in str(told)


def test_a_right_that_is_missing_asks_for_another_account() -> None:
    told = explained(fault("42501", "permission denied for table stock"))
    assert isinstance(told, InvalidInput)
    assert "use an account that may" in str(told)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("lost"),
    ],
)
def test_a_connection_that_is_lost_is_unreachable(error: Exception) -> None:
    told = explained(error)
    assert isinstance(told, Unreachable)
    assert "does not answer" in str(told)
