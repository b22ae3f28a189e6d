"""The journeys of docs/arazzo.yaml, run by Redocly against a real `orderloom up`.

`tests/e2e/test_arazzo.py` runs them by a runner of ours; this shows that others read them so, too.
"""

from __future__ import annotations

from tests.clients.node import Node
from tests.e2e.stack import fresh_shell
from tests.e2e.test_arazzo import DOCUMENT, HERE
from tests.support.arazzo import workflows_in
from tests.support.receiver import Reply, receiving_beside


def main() -> None:
    """Raises CalledProcessError where a step is not answered as its criteria say."""
    node = Node("linters")
    with fresh_shell() as shell, receiving_beside(lambda _number, _got: Reply()) as receiver:
        shell.environment |= HERE
        with shell.up():
            shell.orderloom("stock", "receive", "CUP", "20", "--new-location")
            made = shell.orderloom(
                *("api-keys", "make", "journeys"), *("--scope", "all:read", "--scope", "all:write")
            )
            for number, name in enumerate(workflows_in(DOCUMENT)):
                inputs = {
                    "key": made["secret_text"],
                    "channel": "web",
                    "sku": "CUP",
                    "location": "main",
                    "url": receiver.url,
                    "number": f"redocly-{number}",
                }
                node.run(
                    *("redocly", "respect", str(DOCUMENT), "--workflow", name),
                    *("--server", f"orderloom={shell.info().http_url}"),
                    *(part for one in inputs.items() for part in ("--input", "=".join(one))),
                )


if __name__ == "__main__":
    main()
