"""Messages of shops for tests: those that their pages show, and changes of them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[2] / "docs"


def examples(page: str) -> list[Any]:
    """The JSON of a page's examples, in their sequence."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def shopify(**changes: Any) -> dict[str, Any]:
    """The message of the page about Shopify, with changes."""
    return {**copy.deepcopy(examples("shopify.md")[0]), **changes}


def woocommerce(**changes: Any) -> dict[str, Any]:
    """The message of the page about WooCommerce, with changes."""
    return {**copy.deepcopy(examples("woocommerce.md")[0]), **changes}
