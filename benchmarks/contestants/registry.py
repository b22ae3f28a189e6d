"""All contestants, in the order in which they run."""

from __future__ import annotations

from benchmarks.contestants.bare import Floor, Null
from benchmarks.contestants.orderloom import Orderloom
from benchmarks.contestants.protocol import Contestant
from benchmarks.contestants.textbook import Textbook

ALL: tuple[Contestant, ...] = (Null(), Floor(), Textbook(), Orderloom())
BY_NAME = {contestant.name: contestant for contestant in ALL}
