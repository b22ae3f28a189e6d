"""Which servers a command talks to: those of the environment, or those of the running stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import InvalidInput, Refused, Unreachable
from runtime.discovery import (
    STACK_FILE,
    StackInfo,
    connect_settings,
    read_stack,
    remove_stack,
    stack_lock,
    write_stack,
)

STACK = StackInfo(
    temporal_address="127.0.0.1:7250",
    temporal_namespace="default",
    temporal_ui_url="http://127.0.0.1:8250",
    database_url="postgresql://orderloom@/orderloom?host=/run/stack&port=5432",
    logs=Path("logs"),
    supervisor_pid=os.getpid(),
    pids={},
)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No variable and no profile file of this machine's user plays a part."""
    for name in os.environ:
        if name.startswith(("TEMPORAL_", "ORDERLOOM_", "DATABASE_URL", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("ORDERLOOM_HOME", str(tmp_path / "home"))
    return monkeypatch


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def running(home: Path) -> Iterator[Path]:
    with stack_lock(home):
        write_stack(home, STACK)
        yield home


@pytest.mark.usefixtures("running")
def test_the_running_stack_is_found_through_the_folder() -> None:
    found = connect_settings()
    assert found.temporal == {"target_host": "127.0.0.1:7250", "namespace": "default"}
    assert found.database_url == STACK.database_url
    assert found.temporal_ui_url == STACK.temporal_ui_url


@pytest.mark.usefixtures("running")
def test_the_environment_wins_over_the_running_stack(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_ADDRESS", "cloud:7233")
    environment.setenv("TEMPORAL_NAMESPACE", "shop")
    environment.setenv("DATABASE_URL", "postgresql://db/orders")
    found = connect_settings()
    assert found.temporal == {"target_host": "cloud:7233", "namespace": "shop"}
    assert found.database_url == "postgresql://db/orders"
    assert found.temporal_ui_url is None


@pytest.mark.usefixtures("running")
def test_each_of_the_two_can_be_set_alone(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "postgresql://db/orders")
    assert connect_settings().temporal["target_host"] == STACK.temporal_address
    assert connect_settings().database_url == "postgresql://db/orders"
    environment.delenv("DATABASE_URL")
    environment.setenv("TEMPORAL_ADDRESS", "cloud:7233")
    assert connect_settings().temporal == {"target_host": "cloud:7233"}
    assert connect_settings().database_url == STACK.database_url


def test_the_keys_of_the_running_stack_are_used_unless_others_are_named(
    running: Path, environment: pytest.MonkeyPatch
) -> None:
    assert connect_settings().codec_keys is None
    write_stack(running, STACK.model_copy(update={"codec_keys": Path("of-the-stack")}))
    assert connect_settings().codec_keys == Path("of-the-stack")
    environment.setenv("ORDERLOOM_CODEC_KEYS", "ours")
    assert connect_settings().codec_keys == Path("ours")
    environment.delenv("ORDERLOOM_CODEC_KEYS")
    environment.setenv("TEMPORAL_ADDRESS", "another:7233")
    assert connect_settings().codec_keys is None


@pytest.mark.usefixtures("running")
def test_an_empty_variable_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_ADDRESS", "")
    environment.setenv("DATABASE_URL", "")
    assert connect_settings().temporal["target_host"] == STACK.temporal_address
    assert connect_settings().database_url == STACK.database_url


def test_a_profile_that_is_named_wins_and_one_that_only_lies_there_comes_last(
    running: Path, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "temporal.toml"
    profile.write_text('[profile.default]\naddress = "profile:7233"\n', encoding="utf-8")
    environment.setenv("TEMPORAL_CONFIG_FILE", str(profile))
    assert connect_settings().temporal["target_host"] == "profile:7233"

    environment.delenv("TEMPORAL_CONFIG_FILE")
    usual = tmp_path / "user" / ".config" / "temporalio" / "temporal.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text(profile.read_text(encoding="utf-8"), encoding="utf-8")
    assert connect_settings().temporal["target_host"] == STACK.temporal_address
    remove_stack(running)
    environment.setenv("DATABASE_URL", "postgresql://db/orders")
    assert connect_settings().temporal["target_host"] == "profile:7233"


def test_without_stack_and_environment_the_message_says_what_to_do(
    home: Path, environment: pytest.MonkeyPatch
) -> None:
    advice = "run `orderloom up` or set TEMPORAL_ADDRESS and DATABASE_URL"
    with pytest.raises(Unreachable, match=advice):
        connect_settings()
    environment.setenv("TEMPORAL_ADDRESS", "cloud:7233")
    with pytest.raises(Unreachable, match=advice):
        connect_settings(home)


def test_the_file_of_a_stack_that_is_gone_is_not_believed(home: Path) -> None:
    with stack_lock(home):
        write_stack(home, STACK)
        assert read_stack(home) == STACK
    assert (home / STACK_FILE).exists()
    assert read_stack(home) is None


def test_looking_for_the_stack_does_not_keep_it_from_starting(home: Path) -> None:
    for _ in range(50):
        with stack_lock(home):
            assert read_stack(home) is None
        assert read_stack(home) is None


def test_one_folder_takes_one_stack(running: Path) -> None:
    with pytest.raises(Refused, match="already running"), stack_lock(running):
        pass


def test_a_file_of_another_version_is_named(running: Path) -> None:
    (running / STACK_FILE).write_text('{"version": 99}', encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"stack\.json: was written by another version"):
        read_stack(running)


def test_a_folder_that_cannot_be_used_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InvalidInput, match="ORDERLOOM_HOME"), stack_lock(file / "home"):
        pass


def test_a_profile_that_does_not_exist_is_bad_input(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_PROFILE", "absent")
    with pytest.raises(InvalidInput, match="absent"):
        connect_settings()
