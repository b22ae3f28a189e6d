"""`make clients`: a TypeScript client of the document places an order, and deliveries are read.

The client is what openapi-typescript makes of docs/openapi.json. It is compiled as strictly as can
be and asks a real `orderloom up`. What that delivers is verified and read in JavaScript and in
Python, by the libraries of Standard Webhooks and of CloudEvents.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook

from tests.clients.node import Node
from tests.e2e.stack import ROOT, Shell, fresh_shell, until
from tests.support.receiver import Receiver, Reply, receiving_beside

SCOPES: Final = ("orders:read", "orders:write", "aftersales:write")
EVENTS_MIN: Final = 3
"""Of an order that is confirmed and cancelled."""


def main() -> None:
    """Raises AssertionError or CalledProcessError where something is not as it should be."""
    node = Node("typescript")
    node.run(
        "openapi-typescript",
        str(ROOT / "docs" / "openapi.json"),
        *("--default-non-nullable=false", "--output", "schema.ts"),
    )
    node.run("tsc", "--project", "tsconfig.json")
    print("a client was made of docs/openapi.json, and compiles under --strict")
    with fresh_shell() as shell, receiving_beside(lambda _number, _got: Reply()) as receiver:
        shell.environment |= {
            "ORDERLOOM_WEBHOOK_TARGETS_ALLOW": "127.0.0.0/8,::1/128",
            "ORDERLOOM_WEBHOOK_TARGETS_HTTP": "true",
        }
        with shell.up():
            secret = subscribed(shell, receiver)
            node.script("order.ts", API=str(shell.info().http_url), KEY=key(shell))
            until(lambda: "order.cancelled" in receiver.types, "its events are delivered")
            recorded = shell.folder / "deliveries.json"
            write(recorded, secret, receiver)
            node.script("deliveries.ts", str(recorded))
            read_in_python(json.loads(recorded.read_text(encoding="utf-8")))


def key(shell: Shell) -> str:
    shell.orderloom("stock", "receive", "TEA", "10", "--new-location")
    named = [part for scope in SCOPES for part in ("--scope", scope)]
    return str(shell.orderloom("api-keys", "make", "typescript", *named)["secret_text"])


def subscribed(shell: Shell, receiver: Receiver) -> str:
    return str(shell.orderloom("webhooks", "add", receiver.url)["secret"])


def write(file: Path, secret: str, receiver: Receiver) -> None:
    told = [{"headers": dict(got.headers), "body": got.body.decode()} for got in receiver.taken]
    assert len(told) >= EVENTS_MIN
    file.write_text(json.dumps({"secret": secret, "deliveries": told}), encoding="utf-8")


def read_in_python(recorded: dict[str, Any]) -> None:
    for told in recorded["deliveries"]:
        Webhook(recorded["secret"]).verify(told["body"], told["headers"])
        message = HTTPMessage(told["headers"], told["body"].encode())
        event = from_structured_event(message)
        assert event.get_id() == told["headers"]["webhook-id"]
        assert event.get_subject() == json.loads(told["body"])["data"]["order"]["order_id"]
    print(f"{len(recorded['deliveries'])} deliveries were verified and read in Python, too")


if __name__ == "__main__":
    main()
