"""`make simulate`: many lives in several processes. Exits 1 where one of them has a fault."""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from tests.simulation.lives import ON_POSTGRES, Kind, Lived, live
from tests.simulation.on_postgres.ground import databases, ground_on
from tests.simulation.planted import PLANTS, planted
from tests.simulation.shrinking import keep, shrunk
from tests.support.servers import learn_types_once

_UNTIL_THE_END = ExitStack()

AT_ONCE = 20
PROGRESS_EVERY = {1: 1000, 2: 50}
"""So often, in lives of each tier, a line is printed where nobody watches a terminal."""
FAULTS_MAX = 5
"""After so many failing lives the rest is not lived."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--tier",
        type=int,
        choices=(1, 2),
        default=1,
        help="1: a world in memory; 2: the real activities on a real PostgreSQL",
    )
    parser.add_argument("--plant", choices=PLANTS, help="put a fault into the workflow first")
    parser.add_argument("--story", action="store_true", help="tell the life of the first seed")
    options = parser.parse_args()
    if options.tier == 1:
        return _tell(options) if options.story else _simulate(options, ())
    learn_types_once()
    # Whoever is told to end takes the server with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with databases(1 + options.processes) as urls:
        return _tell(options, urls[:1]) if options.story else _simulate(options, urls)


def _simulate(options: argparse.Namespace, urls: Sequence[str]) -> int:
    """All lives, and a summary. `urls`: databases, one for each process and another."""
    began = time.perf_counter()
    outcomes: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    failed: list[Lived] = []
    done = tasks = 0
    for lived in _lives(options, urls):
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
        _progress(done, options, len(failed), time.perf_counter() - began)
    took = time.perf_counter() - began
    print(
        f"\n{done} lives in {took:.1f} s, {done / took:.0f} a second, {tasks / done:.0f} tasks each"
    )
    print("ended: " + _counts(outcomes))
    print("in them: " + _counts(seen))
    if failed:
        _explain(min(failed, key=lambda lived: lived.seed), options.plant, urls[:1])
        return 1
    print("no fault")
    return 0


def _lives(options: argparse.Namespace, urls: Sequence[str]) -> Iterator[Lived]:
    seeds = range(options.first, options.first + options.seeds)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    left = context.SimpleQueue()
    for url in urls[1:]:
        left.put(url)
    at_once = min(AT_ONCE, max(1, options.seeds // options.processes // 4))
    with context.Pool(options.processes, _begin, (options.plant, left)) as pool:
        yield from pool.imap(partial(live, kind=_kind(options)), seeds, chunksize=at_once)
        pool.close()


def _kind(options: argparse.Namespace) -> Kind | None:
    return ON_POSTGRES if options.tier == 2 else None  # None: as the seed has it


def _begin(plant: str | None, urls: Any) -> None:
    """In each process. `urls`: a queue, from which each takes its database."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.disable(logging.CRITICAL)  # workflows log what operators would read
    _UNTIL_THE_END.enter_context(planted(plant))
    if not urls.empty():
        learn_types_once()
        _UNTIL_THE_END.enter_context(ground_on(urls.get()))
    gc.freeze()


def _progress(done: int, options: argparse.Namespace, faults: int, seconds: float) -> None:
    of = options.seeds
    if sys.stderr.isatty():
        if done % 10 == 0 or done == of:
            line = (
                f"\r{done:,} of {of:,} lives, {done / seconds:.0f} a second, {faults} with a fault"
            )
            print(line, end="", file=sys.stderr, flush=True)
    elif done % PROGRESS_EVERY[options.tier] == 0:
        print(f"{done:,} of {of:,} lives, {faults} with a fault", file=sys.stderr, flush=True)


def _explain(failed: Lived, plant: str | None, urls: Sequence[str]) -> None:
    logging.disable(logging.CRITICAL)
    with planted(plant), _on_ground(urls):
        smallest, without = shrunk(failed)
    print(f"\nseed {failed.seed}, without {len(without)} things that do not matter:")
    print("\n".join(smallest.story[-60:]))
    print(f"happened: {', '.join(smallest.happened)}")
    print(f"fault: {smallest.fault}")
    if plant is None:
        print(f"kept in {keep(smallest)}: a test lives it from now on")


@contextmanager
def _on_ground(urls: Sequence[str]) -> Iterator[None]:
    """Inside, lives are lived on the first of these databases; none: in memory."""
    with ExitStack() as until_the_end:
        for url in urls[:1]:
            until_the_end.enter_context(ground_on(url))
        yield


def _tell(options: argparse.Namespace, urls: Sequence[str] = ()) -> int:
    logging.disable(logging.CRITICAL)
    with planted(options.plant), _on_ground(urls):
        lived = live(options.first, kind=_kind(options))
    print("\n".join(lived.story))
    print(f"happened: {', '.join(lived.happened)}")
    print(f"fault: {lived.fault}" if lived.fault else "no fault")
    return 1 if lived.fault else 0


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main())
