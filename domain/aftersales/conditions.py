"""In which condition goods come back, and what may become of them."""

from __future__ import annotations

from typing import Literal

Condition = Literal["new", "opened", "used", "damaged"]

Disposition = Literal["restock", "refurbish", "scrap", "supplier"]
"""restock: sold again. refurbish: put where nothing is sold, until it is sent on. scrap: written
off. supplier: it leaves for the supplier."""
