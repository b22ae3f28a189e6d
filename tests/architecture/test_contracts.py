"""The contracts of the grid hold, and `lint-imports` fails where one of them is broken."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT, Source, imports, product

PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER: Final = PROJECT["tool"]["importlinter"]

# For each contract a line that breaks it, and the module that it is added to.
PLANTED: Final = {
    "layers": ("store/orders/orders.py", "import activities.failures"),
    "starter": ("starter/service/orders.py", "import activities.failures"),
    "workflows": ("workflows/engine/saga.py", "import store.locks"),
    "domain": ("domain/orders/amounts.py", "import domain.stock.items"),
    "store": ("store/orders/events.py", "import store.payments.refunds"),
    "activities": ("activities/relay.py", "import activities.orders.stuck"),
    "doors": ("starter/service/stock.py", "import starter.channels.documents"),
    "textbook": ("benchmarks/goods.py", "import store.locks"),
    "circles": ("store/orders/answers.py", "def late():\n    import store.orders.orders"),
}
# The grid, left to right. Everything else is the kernel.
CAPABILITIES: Final = (
    *("access", "orders", "accounting", "fulfilment", "aftersales", "payments", "stock"),
    *("purchasing", "warehouse", "customers", "views", "notifications", "messages", "shops"),
    *("edi", "jobs", "days", "sandbox", "extension", "companies", "providers", "steps", "duties"),
)
GRID_LAYERS: Final = ("domain", "store", "activities")
# One module tells the order in which locks are taken, those of stock included.
SEES_MORE: Final = ("store.locks",)


def check(folder: Path) -> str:
    """What `lint-imports` prints about a copy of the project."""
    command = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's modules, to be spoilt."""
    for source in product():
        file = tmp_path / source.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source.text, encoding="utf-8")
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    return tmp_path


def test_every_contract_is_kept(copy: Path) -> None:
    assert check(copy).startswith("exit code 0\n")


def test_a_planted_import_breaks_each_contract(copy: Path) -> None:
    names = {contract["id"]: contract["name"] for contract in LINTER["contracts"]}
    assert PLANTED.keys() == names.keys()
    for path, line in PLANTED.values():
        with (copy / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    told = check(copy)
    assert told.startswith("exit code 1\n")
    kept = [name for name in names.values() if not re.search(re.escape(name) + r" BROKEN", told)]
    assert kept == []


def test_a_room_without_a_place_in_the_grid_breaks_its_contract(copy: Path) -> None:
    (copy / "store" / "gifts").mkdir()
    (copy / "store" / "gifts" / "__init__.py").write_text('"""New."""\n', encoding="utf-8")
    told = check(copy)
    assert told.startswith("exit code 1\n")
    assert "gifts" in told


# Across layers ------------------------------------------------------------------------------------


def place(module: str) -> int:
    """How far right a module stands in the grid; 0 is the kernel."""
    _, _, inside = module.partition(".")
    room = inside.split(".", maxsplit=1)[0]
    return CAPABILITIES.index(room) + 1 if room in CAPABILITIES else 0


def arrows_to_the_right(source: Source) -> list[str]:
    """Imports of a layer below that stand further right than the file itself, one sentence each.

    import-linter holds the order inside a layer; this is the same order between layers.
    """
    if source.module.split(".", maxsplit=1)[0] not in GRID_LAYERS or source.module in SEES_MORE:
        return []
    return [
        f"{source.path}:{item.line} imports {item.name}, which stands right of it"
        for item in imports(source)
        if item.name.split(".", maxsplit=1)[0] in GRID_LAYERS
        and item.name.split(".", maxsplit=1)[0] != source.module.split(".", maxsplit=1)[0]
        and place(item.name) > place(source.module)
    ]


def test_a_capability_uses_only_what_stands_left_of_it_in_the_layers_below() -> None:
    assert [line for source in product() for line in arrows_to_the_right(source)] == []


def test_a_planted_arrow_to_the_right_is_found() -> None:
    planted = Source("store/payments/refunds.py", "from domain.stock.items import Item\n")
    assert arrows_to_the_right(planted) == [
        "store/payments/refunds.py:1 imports domain.stock.items.Item, which stands right of it"
    ]
