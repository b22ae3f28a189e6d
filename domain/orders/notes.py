"""A note that somebody writes on an order, for those who work with it next."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from domain.fields import Document, Flag, Note, Who


class NewOrderNote(Document):
    """What is written down. `pinned`: it stands on top of the order's page."""

    note: Annotated[Note, StringConstraints(min_length=1)]
    pinned: Flag = False
    by: Who | None = None
