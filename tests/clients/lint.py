"""`make lint-api`: Redocly's linter and Spectral, with OWASP's rules, find nothing.

Redocly's knows OpenAPI and Arazzo; Spectral's rules are about OpenAPI.
"""

from __future__ import annotations

from tests.clients.node import Node
from tests.e2e.stack import ROOT


def main() -> None:
    """Raises CalledProcessError where something is found."""
    node = Node("linters")
    document, workflows = ROOT / "docs" / "openapi.json", ROOT / "docs" / "arazzo.yaml"
    node.run("redocly", "lint", str(document), str(workflows), "--max-problems", "20")
    node.run(
        "spectral", "lint", str(document), "--fail-severity", "hint", "--ruleset", "spectral.yaml"
    )


if __name__ == "__main__":
    main()
