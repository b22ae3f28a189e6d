"""The command line. `orderloom --help` lists the commands; each is a module of its own here."""

from starter.cli.program import main

__all__ = ["main"]
