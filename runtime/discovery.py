"""How the programs of another shell find the stack that `orderloom up` runs.

The stack holds a lock on its folder for as long as it lives, and writes its addresses beside it.
The system drops the lock when the process ends, however it ends: a file without its lock tells of a
stack that is gone. No process id is trusted, which may have been given to another program.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from domain.errors import InvalidInput, Refused, Unreachable
from runtime.settings import load_settings

STACK_FILE: Final = "stack.json"
LOCK_FILE: Final = "up.lock"

# A program that looks whether the stack lives holds the lock for some microseconds.
_LOCK_SECONDS_MAX: Final = 1.0
_LOCK_POLL_SECONDS: Final = 0.02


class StackInfo(BaseModel):
    """Where a running stack is found: the content of `stack.json`."""

    model_config = ConfigDict(frozen=True)

    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str
    database_url: str
    http_url: str | None = None
    """Where `orderloom serve` answers; None: it is not part of this stack."""
    codec_keys: Path | None = None
    """The file of keys that its workers encrypt with."""
    logs: Path
    supervisor_pid: int
    pids: dict[str, int]
    """Process id by name; a program that is being started again is missing."""


@dataclass(frozen=True)
class ConnectSettings:
    """A client's settings: the arguments of `Client.connect`, and the database."""

    temporal: ClientConnectConfig
    database_url: str
    temporal_ui_url: str | None
    """Known for the embedded stack alone."""
    codec_keys: Path | None
    """The file of keys; of the embedded stack, where the environment names none."""


@contextmanager
def stack_lock(home: Path) -> Iterator[None]:
    """Be the one stack of this folder. Raises `Refused` when there is one already.

    Raises `InvalidInput` when the folder cannot be made or used by this account.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(home, error) from error
    try:
        deadline = time.monotonic() + _LOCK_SECONDS_MAX
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Refused(
                    f"a stack is already running in {home}: use it, stop it with Ctrl-C in its "
                    "shell, or start another one in a folder named by ORDERLOOM_HOME"
                )
            time.sleep(_LOCK_POLL_SECONDS)  # a lock has no time limit of its own
        yield
    finally:
        os.close(descriptor)


def write_stack(home: Path, info: StackInfo) -> None:
    """Publish the addresses; readers see the old file or the new one, never half of one."""
    fresh = home / f"{STACK_FILE}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(info.model_dump_json(indent=2) + "\n")
    fresh.replace(home / STACK_FILE)


def remove_stack(home: Path) -> None:
    """Take the addresses back, at the end."""
    (home / STACK_FILE).unlink(missing_ok=True)


def read_stack(home: Path) -> StackInfo | None:
    """The stack that runs in this folder now; None when there is none.

    Raises `InvalidInput` when its file is not one that this version wrote.
    """
    if not _is_held(home / LOCK_FILE):
        return None
    file = home / STACK_FILE
    try:
        return StackInfo.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None  # on its way up or down
    except ValidationError:
        raise InvalidInput(
            "was written by another version: stop that stack and start it again", where=str(file)
        ) from None


def connect_settings(home: Path | None = None) -> ConnectSettings:
    """Where Temporal and the database are: by the environment, else by the running stack.

    Each of TEMPORAL_ADDRESS (or a profile named by TEMPORAL_PROFILE or TEMPORAL_CONFIG_FILE) and
    DATABASE_URL wins over the stack of `home`; a profile file in its usual place, which may be for
    other programs, comes last. Raises `Unreachable` when either cannot be found.
    """
    settings = load_settings()
    folder = settings.home if home is None else home
    temporal = _load_temporal() if _named_in_environment(os.environ) else None
    stack = None
    if temporal is None or settings.database_url is None:
        stack = read_stack(folder)
    if temporal is None and stack is not None:
        temporal = ClientConnectConfig(
            target_host=stack.temporal_address, namespace=stack.temporal_namespace
        )
    if temporal is None:
        temporal = _load_temporal()
    database_url = settings.database_url or (stack.database_url if stack is not None else None)
    if "target_host" not in temporal or database_url is None:
        raise Unreachable(
            f"no stack is running in {folder}: "
            "run `orderloom up` or set TEMPORAL_ADDRESS and DATABASE_URL"
        )
    embedded = stack is not None and temporal["target_host"] == stack.temporal_address
    return ConnectSettings(
        temporal=temporal,
        database_url=database_url,
        temporal_ui_url=stack.temporal_ui_url if stack is not None and embedded else None,
        codec_keys=settings.codec_keys
        or (stack.codec_keys if stack is not None and embedded else None),
    )


def _named_in_environment(environment: Mapping[str, str]) -> bool:
    names = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
    return any(environment.get(name) for name in names)


def _load_temporal() -> ClientConnectConfig:
    # An empty variable counts as not set, as it does for the other settings.
    environment = {name: value for name, value in os.environ.items() if value}
    try:
        return ClientConfig.load_client_connect_config(override_env_vars=environment)
    except (RuntimeError, ValueError, OSError) as error:
        raise InvalidInput(f"{error}: correct TEMPORAL_*", where="environment") from error


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unusable(lock.parent, error) from error
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unusable(home: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"the stack's folder cannot be used ({error.strerror}): "
        "use the account it belongs to, or name another folder with ORDERLOOM_HOME",
        where=str(home),
    )
