"""The sentences that programs write as reasons, notes and memos, found in their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
WRITERS: Final = ("domain", "store", "activities", "workflows", "starter/service")
GIVEN_AS: Final = frozenset({"why", "reason", "note", "memo"})
"""What a sentence is passed as, by the name of the argument."""

HOLE: Final = "\0"
"""What is filled in, in a sentence that is."""

_DEPTH_MAX: Final = 6
_WORDS: Final = re.compile("[a-z]{2} |[a-z] [a-z]")


@dataclass(frozen=True)
class Written:
    """A sentence, with HOLEs, and the line that passes it."""

    text: str
    place: str


@dataclass
class _Module:
    path: str
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)


class Sources:
    """All programs that write. `trees`: others, by their paths."""

    def __init__(self, trees: Mapping[str, ast.Module] | None = None) -> None:
        found = _trees() if trees is None else trees
        self._modules = [_Module(path, tree) for path, tree in sorted(found.items())]
        for module in self._modules:
            module.constants = dict(_constants(module.tree.body))

    @cached_property
    def _functions(self) -> Mapping[str, list[tuple[_Module, ast.AST]]]:
        found: dict[str, list[tuple[_Module, ast.AST]]] = {}
        for module in self._modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.setdefault(node.name, []).append((module, node))
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[_Module, ast.expr]]]:
        found: dict[str, list[tuple[_Module, ast.expr]]] = {}
        for module in self._modules:
            for name, value in module.constants.items():
                found.setdefault(name, []).append((module, value))
        return found

    def written(self) -> Iterator[Written]:
        """Each sentence of two words or more, wherever it is passed on."""
        for module in self._modules:
            for scope in _scopes(module.tree):
                for call in _calls(scope):
                    if _name_of(call) in _ERRORS:
                        continue
                    for one in call.keywords:
                        if one.arg in GIVEN_AS:
                            place = f"{module.path}:{one.value.lineno}"
                            for text in set(self._texts(module, scope, one.value)):
                                if _WORDS.search(text.replace(HOLE, "")):
                                    yield Written(text, place)

    def _texts(
        self, module: _Module, scope: ast.AST, value: ast.AST, depth: int = 0
    ) -> Iterator[str]:
        """What an expression may be."""
        if depth > _DEPTH_MAX:
            return
        follow = depth + 1
        match value:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield from self._joined(module, scope, parts, follow)
            case ast.IfExp(body=yes, orelse=no):
                yield from self._texts(module, scope, yes, follow)
                yield from self._texts(module, scope, no, follow)
            case ast.BoolOp(values=values):
                for one in values:
                    yield from self._texts(module, scope, one, follow)
            case ast.Dict(values=values):
                for one in values:
                    yield from self._texts(module, scope, one, follow)
            case ast.Subscript(value=inner) | ast.Await(value=inner):
                yield from self._texts(module, scope, inner, follow)
            case ast.Name(id=name):
                yield from self._named(module, scope, name, follow)
            case ast.Attribute(attr=name):
                yield from self._returned(name, follow, only_properties=True)
            case ast.Call(func=ast.Attribute(value=inner, attr="format")):
                for text in self._texts(module, scope, inner, follow):
                    yield re.sub(r"\{\w*\}", HOLE, text)
            case ast.Call(func=ast.Name(id=name)):
                yield from self._returned(name, follow, within=module)

    def _joined(
        self, module: _Module, scope: ast.AST, parts: list[ast.expr], depth: int
    ) -> Iterator[str]:
        """An f-string: a constant in it is said as it is, and what else it holds is a HOLE."""
        found = [""]
        for part in parts:
            texts = [HOLE]
            if isinstance(part, ast.Constant):
                texts = [str(part.value)]
            elif isinstance(part, ast.FormattedValue) and isinstance(
                part.value, ast.Name | ast.IfExp
            ):
                texts = [x or HOLE for x in self._texts(module, scope, part.value, depth)] or [HOLE]
            found = [begun + text for begun in found for text in texts][:40]
        yield from found

    def _named(self, module: _Module, scope: ast.AST, name: str, depth: int) -> Iterator[str]:
        is_local = False
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and target.id == name:
                        is_local = True
                        yield from self._texts(module, scope, node.value, depth)
        if is_local:
            return
        if name in module.constants:
            yield from self._texts(module, module.tree, module.constants[name], depth)
        elif name.isupper():
            for other, value in self._by_name.get(name, ()):
                yield from self._texts(other, other.tree, value, depth)

    def _returned(
        self, name: str, depth: int, *, within: _Module | None = None, only_properties: bool = False
    ) -> Iterator[str]:
        """What functions of this name return."""
        for module, function in self._functions.get(name, ()):
            assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            if only_properties and not function.decorator_list:
                continue
            if within is not None and module is not within and not _imports(within, name):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from self._texts(module, function, node.value, depth)


def _trees() -> dict[str, ast.Module]:
    files = (file for place in WRITERS for file in (ROOT / place).rglob("*.py"))
    return {
        str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files
    }


def _constants(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    """Functions, and what stands outside of them."""
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """The calls in a scope, without those of functions in it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def _imports(module: _Module, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(one.name == name for one in node.names)
        for node in module.tree.body
    )


def _name_of(call: ast.Call) -> str:
    """What a call calls."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


_ERRORS: Final = frozenset(
    {
        *("InvalidInput", "Refused", "Conflict", "NotFound", "Ending", "IllegalTransition"),
        *("NotAuthorized", "Unreachable", "refused", "KeyReused"),
    }
)
