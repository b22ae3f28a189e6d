"""The OpenAPI document as it is committed; `make openapi` writes it to `docs/openapi.json`."""

from __future__ import annotations

import json
import sys

from starter.http.app import described


def document() -> str:
    """The document, with its keys in the sequence in which the framework writes them."""
    return json.dumps(described().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
