"""`make simulate`: many lives in several processes. Exits 1 where one of them has a fault."""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

from tests.simulation.lives import Lived, live
from tests.simulation.planted import PLANTS, planted
from tests.simulation.shrinking import keep, shrunk

_UNTIL_THE_END = ExitStack()

AT_ONCE = 20
FAULTS_MAX = 5
"""After so many failing lives the rest is not lived."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--plant", choices=PLANTS, help="put a fault into the workflow first")
    parser.add_argument("--story", action="store_true", help="tell the life of the first seed")
    options = parser.parse_args()
    if options.story:
        return _tell(options.first, options.plant)
    began = time.perf_counter()
    outcomes: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    failed: list[Lived] = []
    done = tasks = 0
    for lived in _lives(options):
        done += 1
        tasks += lived.tasks
        outcomes[lived.outcome or "no end"] += 1
        seen += lived.seen
        if lived.fault:
            failed.append(lived)
            print(f"\rseed {lived.seed}: {lived.fault[:500]}")
            if len(failed) >= FAULTS_MAX:
                print(f"stopped after {FAULTS_MAX} lives with a fault")
                break
        _progress(done, options.seeds, len(failed), time.perf_counter() - began)
    took = time.perf_counter() - began
    print(
        f"\n{done} lives in {took:.1f} s, {done / took:.0f} a second, {tasks / done:.0f} tasks each"
    )
    print("ended: " + _counts(outcomes))
    print("in them: " + _counts(seen))
    if failed:
        _explain(min(failed, key=lambda lived: lived.seed), options.plant)
        return 1
    print("no fault")
    return 0


def _lives(options: argparse.Namespace) -> Iterator[Lived]:
    seeds = range(options.first, options.first + options.seeds)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(options.processes, _begin, (options.plant,)) as pool:
        yield from pool.imap(live, seeds, chunksize=AT_ONCE)
        pool.close()


def _begin(plant: str | None) -> None:
    logging.disable(logging.CRITICAL)  # workflows log what operators would read
    _UNTIL_THE_END.enter_context(planted(plant))
    gc.freeze()


def _progress(done: int, of: int, faults: int, seconds: float) -> None:
    if sys.stderr.isatty():
        if done % 10 == 0 or done == of:
            line = (
                f"\r{done:,} of {of:,} lives, {done / seconds:.0f} a second, {faults} with a fault"
            )
            print(line, end="", file=sys.stderr, flush=True)
    elif done % 1000 == 0:
        print(f"{done:,} of {of:,} lives, {faults} with a fault", file=sys.stderr, flush=True)


def _explain(failed: Lived, plant: str | None) -> None:
    logging.disable(logging.CRITICAL)
    with planted(plant):
        smallest, without = shrunk(failed)
    print(f"\nseed {failed.seed}, without {len(without)} things that do not matter:")
    print("\n".join(smallest.story[-60:]))
    print(f"happened: {', '.join(smallest.happened)}")
    print(f"fault: {smallest.fault}")
    if plant is None:
        print(f"kept in {keep(smallest)}: a test lives it from now on")


def _tell(seed: int, plant: str | None) -> int:
    logging.disable(logging.CRITICAL)
    with planted(plant):
        lived = live(seed)
    print("\n".join(lived.story))
    print(f"happened: {', '.join(lived.happened)}")
    print(f"fault: {lived.fault}" if lived.fault else "no fault")
    return 1 if lived.fault else 0


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main())
