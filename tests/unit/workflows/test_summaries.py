"""Summaries of steps, which the server refuses when they are too long."""

from __future__ import annotations

from workflows.engine.summaries import in_a_line

SERVER_BYTES_MAX = 400


def test_what_fits_is_told_as_it_is() -> None:
    assert in_a_line("Held: the bank declined the card") == "Held: the bank declined the card"


def test_no_reason_from_outside_is_longer_than_the_server_takes() -> None:
    for reason in ("the bank is away " * 50, "銀行は不在です" * 50, "\N{BANK} " * 300, "x" * 1000):
        told = in_a_line(f"Needs attention: charge_payment web-1:1: {reason}")
        assert told.startswith("Needs attention: charge_payment web-1:1:")
        assert told.endswith("…")
        assert len(f'"{told}"'.encode()) <= SERVER_BYTES_MAX


def test_a_reason_of_many_lines_is_told_in_one() -> None:
    assert in_a_line("refused:\n  no such address\n") == "refused: no such address"
