"""The project's files as the architecture tests read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "runtime", "store", "activities", "workflows", "starter", "benchmarks")


@dataclass(frozen=True)
class Source:
    """A Python file: its path from the project's root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """`store/views/reads.py` → `store.views.reads`, `store/__init__.py` → `store`."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The lines on which a docstring begins."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                match node.body:
                    case [ast.Expr(value=ast.Constant(value=str()) as text), *_]:
                        found.add(text.lineno)
        return frozenset(found)


@lru_cache(maxsize=1)
def product() -> tuple[Source, ...]:
    """The Python files of the product and its benchmark, without the tests."""
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    files.append(ROOT / "worker.py")
    return tuple(
        Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for file in sorted(files)
    )


def sources(*places: str) -> list[Source]:
    """The product's files under these folders, or with these names."""
    return [source for source in product() if source.path.startswith(places)]


def kept_files() -> Iterator[Path]:
    """Every file that belongs to the project: all but what .gitignore leaves out."""
    return _kept(ROOT)


def kept_entries() -> set[str]:
    """What lies at the top of the project."""
    return {entry.name for entry in ROOT.iterdir() if not _ignored(entry)}


def _kept(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if _ignored(entry):
            continue
        if entry.is_dir():
            yield from _kept(entry)
        elif entry.is_file():
            yield entry


@lru_cache(maxsize=1)
def _ignore_patterns() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip("/") for line in lines if line and not line.startswith("#"))


def _ignored(entry: Path) -> bool:
    if entry.name == ".git" or any(fnmatch(entry.name, name) for name in _ignore_patterns()):
        return True
    # Tools mark the folders that they may be told to forget.
    return entry.is_dir() and (entry / "CACHEDIR.TAG").exists()


@dataclass(frozen=True)
class Import:
    """An imported module, or name of a module, and whether it is passed through the sandbox."""

    name: str
    line: int
    passed_through: bool


def imports(source: Source) -> Iterator[Import]:
    """Every import of a file, at its top or anywhere else."""
    return _imports(source.tree.body, passed_through=False)


def _imports(nodes: Sequence[ast.AST], *, passed_through: bool) -> Iterator[Import]:
    for node in nodes:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Import(alias.name, node.lineno, passed_through)
            case ast.ImportFrom():
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    yield Import(f"{module}.{alias.name}", node.lineno, passed_through)
            case ast.With() if _passes_through(node):
                yield from _imports(node.body, passed_through=True)
            case _:
                yield from _imports(list(ast.iter_child_nodes(node)), passed_through=passed_through)


def _passes_through(node: ast.With) -> bool:
    return ast.unparse(node.items[0].context_expr) == "workflow.unsafe.imports_passed_through()"
