"""The events that subscribers are sent, for the OpenAPI document: its `webhooks`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header
from pydantic import Field, create_model

from domain.notifications.catalogue import CATALOGUE, Kind, Message
from domain.notifications.customer_catalogue import CUSTOMER_CATALOGUE, CustomerKind


def _fields(event_type: str, kind: Kind | CustomerKind) -> dict[str, Any]:
    whole = "order" if isinstance(kind, Kind) else "customer"
    return {
        "type": (Literal[event_type], Field(description="What has happened.")),
        "data": (kind.data, Field(description=f"The {whole}, and what is special of this.")),
    }


def describe(app: FastAPI) -> None:
    """Describe each type of event as the request that its receiver gets."""
    kinds: dict[str, Kind | CustomerKind] = {str(name): kind for name, kind in CATALOGUE.items()}
    kinds |= {str(name): kind for name, kind in CUSTOMER_CATALOGUE.items()}
    for event_type, kind in kinds.items():
        name = "".join(part.capitalize() for part in event_type.replace("_", ".").split("."))
        message = create_model(
            name,
            __base__=Message,
            __doc__=kind.when,
            **_fields(event_type, kind),
        )

        # Nothing calls it: it describes what others answer.
        def told(
            content: Message,
            webhook_id: Annotated[str, Header(description="The same whenever it is sent.")],
            webhook_timestamp: Annotated[int, Header(description="The second of this try.")],
            webhook_signature: Annotated[
                str, Header(description="`v1,` and the signature, for each secret.")
            ],
        ) -> None: ...

        told.__doc__ = "Answer with any 2xx within 15 s; docs/events.md tells how to verify it."
        told.__annotations__["content"] = message
        app.webhooks.post(
            event_type, operation_id=name[0].lower() + name[1:], summary=kind.when, tags=["events"]
        )(told)
