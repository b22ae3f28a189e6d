"""Summaries of steps, as the Temporal UI shows them in its timeline."""

from __future__ import annotations

from textwrap import shorten
from typing import Final

SUMMARY_MAX: Final = 90
"""Characters. The timeline shows 100 of them; the server takes 400 bytes, and a workflow that has
more to say stands still."""


def in_a_line(text: str) -> str:
    """The text in one line that is not too long, whatever somebody outside wrote in it."""
    return shorten(text, SUMMARY_MAX, placeholder=" …")
