"""Lives a workflow's life in virtual time: tells what happened, does what it wants, breaks things.

A life is one seed. The world answers each activity; chance decides how long that takes, and which
attempts fail before their effect, lose their answer after it, run twice, or take too long: the next
attempt then begins while they still go on. Workers die, and the server refuses a task that has not
seen all that came. Temporal may lose a run with all that it has heard; a person begins the next.
"""

from __future__ import annotations

import heapq
import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, Protocol, get_type_hints

from temporalio.exceptions import ApplicationError

from tests.simulation import machine
from tests.simulation.chance import Chance
from tests.simulation.machine import (
    ActivityCancelled,
    ActivityScheduled,
    Continued,
    Ended,
    Job,
    Machine,
    TimerCancelled,
    TimerStarted,
    UpdateAnswered,
    Wish,
)
from tests.simulation.world.memory import Pending

BEGAN: Final = datetime(2026, 11, 28, 9, tzinfo=UTC)
A_MINUTE: Final = timedelta(minutes=1)
DAYS_MAX: Final = timedelta(days=400)
TASKS_MAX: Final = 3_000
"""Of a life, before it counts as one that never ends."""
EVENTS_MAX: Final = 4_000
"""Of one run: a history that grows beyond this grows without bound."""

REPLAYED: Final = 0.25
"""Of the lives, the share that is replayed whole in the end."""

HANGS_MAX: Final = timedelta(minutes=20)
"""So long, at most, an attempt goes on that the server has given up: the effect comes that late."""

LOST: Final = "Temporal lost the run"
LOST_MAX: Final = 3
"""So often, at most, in one life."""
LOST_AFTER: Final = (0.0, 0.0, 0.004, 0.1, 5.0, 4_000.0, 90_000.0)
"""Seconds after a task until its run is lost: before its steps begin, while they run, or wait."""
GONE_FOR: Final = tuple(timedelta(hours=hours) for hours in (1 / 60, 1, 20, 96))
"""So long, about, nobody notices."""

Fake = Callable[[Any], Any]

MISHAPS: Final = (
    *("fails before", "timed out", "loses its answer", "runs twice", "refused", "fails for long"),
)
"""What may befall an attempt. Each is a kind of chance, with the step's name and number."""

DIRECTED: Final = 0.95
"""How probable a mishap is at the step that a life is led to, for each of its first attempts."""
DIRECTED_ATTEMPTS: Final = 3


class Broken(AssertionError):
    """What must hold did not."""


@dataclass(frozen=True)
class Mishaps:
    """How probable each mishap is, for every attempt of an activity or task of the workflow."""

    before: float = 0.04
    after: float = 0.04
    twice: float = 0.03
    stubborn: float = 0.015
    refused: float = 0.01
    late: float = 0.02
    death: float = 0.01
    overtaken: float = 0.3
    lost: float = 0.002

    @property
    def odds(self) -> dict[str, float]:
        """By the mishap's name."""
        chances = (self.before, self.late, self.after, self.twice, self.refused, self.stubborn)
        return dict(zip(MISHAPS, chances, strict=True))


CALM: Final = Mishaps(0, 0, 0, 0, 0, 0, 0, 0, 0)


class Keeper(Protocol):
    """Who takes up again what Temporal has lost."""

    def begin_again(self) -> Any:
        """The input of the next run."""

    def ended_as(self) -> str:
        """How it has ended by its rows; empty while it goes on."""

    def lost(self) -> None:
        """Its run is lost in this moment."""

    def ended(self) -> None:
        """Its workflow has ended: another run may begin late."""

    def unanswered(self, update_id: str) -> None:
        """The caller of an update gets no answer."""


@dataclass(frozen=True)
class Direction:
    """Leads a life to a step that few lives meet, and its mishaps to that step, one by one."""

    step: str
    first: int
    """The number of the mishap that the first attempt meets; the next attempt meets the next."""

    def mishap(self, name: str, number: int, attempt: int) -> str:
        """What is to befall an attempt of the n-th activity of a step; empty for nothing."""
        if name != self.step or attempt > DIRECTED_ATTEMPTS:
            return ""
        return MISHAPS[(self.first + number + attempt) % len(MISHAPS)]


@dataclass
class _Activity:
    """One that was scheduled and has not ended."""

    wish: ActivityScheduled
    name: str
    deadline: datetime | None
    number: int
    """Among the activities of its step."""
    attempts: int = 0
    given_up: int = 0
    """Of its attempts, the last one that took too long."""
    waits: bool = False
    stubborn: int = 0


class Life:
    """One workflow from its first run to its end."""

    def __init__(
        self,
        kind: type,
        workflow_id: str,
        argument: Any,
        chance: Chance,
        mishaps: Mishaps,
        direction: Direction | None = None,
    ) -> None:
        self.chance = chance
        self.now = BEGAN
        self.result: Any = None
        self.failure = ""
        self.answers: dict[str, list[UpdateAnswered]] = {}
        self.unanswered: set[str] = set()
        """Updates whose run was lost before they were answered."""
        self.ended_in_rows = False
        """Its run was lost when its rows had ended, so nothing was left to take up."""
        self.story: list[str] = []
        self.runs = 0
        self.tasks = 0
        self._losses = 0
        self._is_lost = False
        self._cancelled_run = 0
        self._told = 0
        self._kind = kind
        self._workflow_id = workflow_id
        self._mishaps = mishaps
        self._odds = mishaps.odds
        self._directions = [] if direction is None else [direction]
        self._keeper: Keeper | None = None
        self._fakes: dict[str, tuple[Fake, Any]] = {}
        self._unrefusable: frozenset[str] = frozenset()
        self._afterwards: Callable[[], None] = lambda: None
        self._agenda: list[tuple[datetime, float, int, Callable[[], object]]] = []
        self._sequence = itertools.count()
        self._activities: dict[int, _Activity] = {}
        self._timers: set[tuple[int, int]] = set()
        """By run and number."""
        self._inbox: list[Job] = []
        self._busy = False
        self._hanging: dict[int, tuple[datetime, Callable[[], None]]] = {}
        self._scheduled: Counter[str] = Counter()
        self._of_step: Counter[str] = Counter()
        self._short_waits: Counter[str] = Counter()
        self._machine = self._run(machine.payloads_of(argument))

    def serve(
        self,
        fakes: Mapping[str, Fake],
        *,
        unrefusable: frozenset[str],
        afterwards: Callable[[], None],
        keeper: Keeper | None = None,
    ) -> None:
        """These fakes answer the activities. `unrefusable`: those that no rule ever refuses;
        `afterwards`: called after each, as it may have given people something to do. Without a
        `keeper`, no run is lost.
        """
        self._keeper = keeper
        for name, fake in fakes.items():
            typed = inspect.unwrap(fake)  # whatever stands around it, the input is the same
            self._fakes[name] = (fake, _input_of(getattr(typed, "__func__", typed)))
        self._unrefusable = unrefusable
        self._afterwards = afterwards

    # What the outside does ------------------------------------------------------------------------

    def later(self, after: timedelta, do: Callable[[], object]) -> None:
        """Have something happen."""
        at = self.now + after
        number = next(self._sequence)
        heapq.heappush(self._agenda, (at, self.chance.of(f"tie {number}").random(), number, do))

    def reported(self, activity_id: str) -> None:
        """The relay brings a report to the step that waits for it, a moment later."""
        self.later(timedelta(milliseconds=50), lambda: self._deliver(activity_id))

    @property
    def waiting(self) -> frozenset[str]:
        """The ids of the activities that somebody outside completes."""
        return frozenset(x.wish.activity_id for x in self._activities.values() if x.waits)

    def complete(self, activity_id: str, result: Any) -> bool:
        """Complete an activity that waits, by its id. False: none does under this id."""
        for activity in list(self._activities.values()):
            if activity.wish.activity_id == activity_id and activity.waits:
                self._end(activity, machine.completed(activity.wish, result))
                return True
        return False

    def fail(self, activity_id: str, error: ApplicationError) -> bool:
        """Fail an activity that waits, by its id, so that it is tried again. False: none does."""
        for activity in self._activities.values():
            if activity.wish.activity_id == activity_id and activity.waits:
                activity.waits = False
                self._retry(activity, error)
                return True
        return False

    def told(self, activity_id: str, outcome: Any) -> None:
        """The relay completes the step that waits with this, a moment later; or twice, by mishap.

        The second time another wait may have begun under the same id.
        """
        self.later(timedelta(milliseconds=50), partial(self.complete, activity_id, outcome))
        self._told += 1
        name = f"{activity_id} {self._told}"
        if self.chance.happens("told twice", name, self._mishaps.twice):
            seconds = self.chance.of(f"again {name}").choice((0.05, 0.3, 4, 200, 9000))
            self.later(timedelta(seconds=seconds), partial(self.complete, activity_id, outcome))

    def run_again(self, activity_id: str) -> None:
        """The relay has the step's waiting attempt fail, a moment later, so that it runs again."""
        packed = ApplicationError(
            "the parcel is packed", type="packed", next_retry_delay=timedelta(milliseconds=1)
        )
        self.later(timedelta(milliseconds=50), partial(self.fail, activity_id, packed))

    def lead_also(self, direction: Direction) -> None:
        """Have mishaps befall another step, too."""
        self._directions.append(direction)

    def signal(self, name: str, argument: Any) -> None:
        """Send a signal. An order that has ended, or that is lost, does not hear it."""
        if not self.over and not self._is_lost:
            self.story.append(f"{self.now:%d %H:%M:%S} signal {name}")
            self._post(machine.signalled(name, argument))

    def update(self, update_id: str, name: str, argument: Any) -> None:
        """Send an update; its answers are kept. An order that has ended answers nothing."""
        if self._is_lost:
            self._no_answer(update_id)
        elif not self.over:
            self.story.append(f"{self.now:%d %H:%M:%S} update {update_id}: {name}")
            self.answers[update_id] = []
            self._post(machine.updated(update_id, name, argument))

    def cancel(self) -> None:
        """Cancel the workflow in Temporal's own pages. The server takes it once for each run."""
        if not self.over and not self._is_lost and self._cancelled_run < self.runs:
            self._cancelled_run = self.runs
            self.story.append(f"{self.now:%d %H:%M:%S} cancelled in Temporal")
            self._post(machine.cancellation_requested())

    def forget(self) -> None:
        """Nothing is asked of this life any more."""
        self._machine.forget()

    @property
    def over(self) -> bool:
        return self.result is not None or bool(self.failure)

    @property
    def hears(self) -> bool:
        """Whether a message reaches it now."""
        return not self.over and not self._is_lost

    @property
    def workflow(self) -> Any:
        """The workflow object of the present run."""
        return self._machine.workflow

    @property
    def left_open(self) -> list[str]:
        """Activities that have not ended."""
        return [each.name for each in self._activities.values()]

    def live(self) -> None:
        """To the end. Raises Broken where there is none."""
        self._begin_run()
        while not self.over:
            if not self._agenda or self._agenda[0][0] - BEGAN > DAYS_MAX:
                raise Broken(f"nothing happens any more; waits for {self.left_open}")
            self.now, _, _, do = heapq.heappop(self._agenda)
            do()
        for at, work in sorted(self._hanging.values(), key=lambda each: each[0]):
            self.now = at
            work()  # what still goes on after the end
        if self.chance.of("replayed at the end").random() < REPLAYED:
            self.chance.seen["replayed at the end"] += 1
            self._machine.die()

    # Tasks of the workflow ------------------------------------------------------------------------

    def _run(self, arguments: Sequence[Any]) -> Machine:
        self.runs += 1
        return Machine(self._kind, self._workflow_id, self.runs, arguments)

    def _begin_run(self) -> None:
        self._take(self._machine.begin(self.now))
        self._may_be_lost(f"run {self.runs}", self._mishaps.lost * 3)

    def _post(self, job: Job) -> None:
        """Something happened: the next task tells the workflow, with all that came till then."""
        self._inbox.append(job)
        if not self._busy:
            self._busy = True
            delay = self.chance.pick(f"task {self.tasks}", (0, 0, 0, 5, 40))
            self.later(timedelta(milliseconds=delay), self._task)

    def _task(self) -> None:
        self._busy = False
        jobs, self._inbox = self._inbox, []
        if self.over or self._is_lost or not jobs:
            return
        self.tasks += 1
        if self.tasks > TASKS_MAX:
            raise Broken(f"it never ends: {self.tasks} tasks; {self._scheduled.most_common(3)}")
        if self._machine.events > EVENTS_MAX:
            raise Broken(f"the history grows without bound: {self._scheduled.most_common(3)}")
        if self.chance.happens("worker dies", str(self.tasks), self._mishaps.death):
            self._machine.die()
        wishes = self._machine.tell(self.now, jobs)
        closes = bool(wishes) and isinstance(wishes[-1], Continued | Ended)
        if closes and self._overtaken(jobs):
            return
        self._take(wishes)
        self._may_be_lost(f"task {self.tasks}", self._mishaps.lost)

    def _overtaken(self, jobs: list[Job]) -> bool:
        """The server refuses to close a run when something came that it has not seen."""
        if not self._agenda or self._agenda[0][0] - self.now > timedelta(milliseconds=500):
            return False
        if not self.chance.happens("overtaken", str(self.tasks), self._mishaps.overtaken):
            return False
        self._busy = True  # nothing is told before the task is tried again
        self.now, _, _, do = heapq.heappop(self._agenda)
        do()
        if self._is_lost or self.over:  # it was lost in this moment
            return True
        self._machine.take_back()
        self._inbox = [*jobs, *self._inbox]
        self.later(timedelta(0), self._task)
        return True

    def _take(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            match wish:
                case ActivityScheduled():
                    self._begin(wish)
                case ActivityCancelled(seq):
                    if seq in self._activities:
                        self._post(machine.cancelled(self._activities.pop(seq).wish))
                case TimerStarted(seq, after):
                    self._timers.add((self.runs, seq))
                    self.later(after, partial(self._fire, self.runs, seq))
                case TimerCancelled(seq):
                    self._timers.discard((self.runs, seq))
                case UpdateAnswered():
                    self.answers[wish.update_id].append(wish)
                case Continued(arguments):
                    self._continue(arguments)
                case Ended():
                    self.result, self.failure = wish.result, wish.failure
                    end = wish.result or wish.failure
                    self.story.append(f"{self.now:%d %H:%M:%S} ended: {end}")
                    if self._keeper is not None and not self.failure:
                        self._keeper.ended()

    def _continue(self, arguments: Sequence[Any]) -> None:
        self.story.append(f"{self.now:%d %H:%M:%S} continues as new")
        self.chance.seen["continued as new"] += 1
        self._clear()  # at most the ends of activities that the old run cancelled
        self._machine.forget()
        self._machine = self._run(arguments)
        self._begin_run()

    def begin_late(self, argument: Any) -> None:
        """It had ended. What somebody asks for now begins another run, in its first task."""
        self.result = None
        self._clear()
        self._machine.forget()
        self._machine = self._run(machine.payloads_of(argument))
        self._begin_run()
        self._busy = True
        self.later(timedelta(0), self._task)

    def _clear(self) -> None:
        """A run is over, and nothing of it is left."""
        self._inbox.clear()
        self._activities.clear()
        self._timers.clear()
        self._short_waits.clear()

    def _fire(self, run: int, seq: int) -> None:
        if (run, seq) in self._timers:
            self._timers.discard((run, seq))
            self._post(machine.fired(seq))

    # Temporal loses a run -------------------------------------------------------------------------

    def _may_be_lost(self, name: str, probability: float) -> None:
        """Perhaps Temporal loses the run soon: some moment between this task and a later one."""
        if (
            self._keeper is not None
            and not self.over
            and self.chance.happens(LOST, name, probability)
        ):
            seconds = self.chance.pick(f"lost after {name}", LOST_AFTER)
            self.later(timedelta(seconds=seconds), partial(self.lose, self.runs))

    def lose(self, run: int | None = None) -> None:
        """Temporal loses this run, or the present one, with its timers and with all it has heard.

        What workers have begun for it goes on. It begins anew from its rows, later, if those have
        not ended.
        """
        over = self.over or self._is_lost or self._keeper is None
        if over or run not in (None, self.runs) or self._losses >= LOST_MAX:
            return
        assert self._keeper is not None
        self._losses += 1
        self.story.append(f"{self.now:%d %H:%M:%S} {LOST}")
        self.chance.seen["lost"] += 1
        self._keeper.lost()
        under_way = [each for each in self._activities.values() if not each.waits]
        asked = [x for x, answers in self.answers.items() if all(y.accepted for y in answers)]
        self._clear()
        self._is_lost, self._busy = True, False
        for activity in under_way:
            self._goes_on(activity)
        for update_id in asked:
            if update_id not in self.unanswered:
                self._no_answer(update_id)
        if self._keeper.ended_as() and not self._hanging:
            self._is_over_in_rows()
        else:
            about = self.chance.pick(f"gone for {self._losses}", GONE_FOR)
            gone = about * self.chance.between(f"gone longer {self._losses}", 0.5, 1.5)
            self.later(gone, self._take_up)

    def _goes_on(self, activity: _Activity) -> None:
        """A worker may be at it. It does not know that nobody waits for it any more."""
        name = f"{activity.name} of run {self.runs}"
        if self.chance.happens("goes on though its run is lost", name, 0.5):
            limit = min(activity.wish.start_to_close or HANGS_MAX, HANGS_MAX)
            after = limit * self.chance.pick(f"goes on so long {name}", (0, 0.01, 0.5, 3, 40))
            number = next(self._sequence)
            work = partial(self._work_unheard, activity, name)
            self._hanging[number] = (self.now + min(after, HANGS_MAX), work)
            self.later(min(after, HANGS_MAX), partial(self._wake, number))

    def _no_answer(self, update_id: str) -> None:
        assert self._keeper is not None
        self.unanswered.add(update_id)
        self._keeper.unanswered(update_id)

    def _is_over_in_rows(self) -> None:
        """There is nothing to take up: what had to be recorded is recorded."""
        assert self._keeper is not None
        self.ended_in_rows = True
        self.result = {"outcome": self._keeper.ended_as()}
        self.story.append(f"{self.now:%d %H:%M:%S} ended, by its rows: {self.result['outcome']}")

    def _take_up(self) -> None:
        """Somebody runs `orderloom resume`."""
        assert self._keeper is not None
        if self._keeper.ended_as():  # by an attempt that went on
            if not self._hanging:
                return self._is_over_in_rows()
            # One may open it yet. The audit tells that, and it is taken up then.
            return self.later(HANGS_MAX, self._take_up)
        self._is_lost = False
        self.story.append(f"{self.now:%d %H:%M:%S} taken up again")
        self._machine.forget()
        self._machine = self._run(machine.payloads_of(self._keeper.begin_again()))
        return self._begin_run()

    # Activities -----------------------------------------------------------------------------------

    def _begin(self, wish: ActivityScheduled) -> None:
        if wish.name not in self._fakes:
            raise Broken(f"there is no fake for the activity {wish.name!r}")
        limit = wish.schedule_to_close
        name = wish.activity_id if ":" in wish.activity_id else wish.name
        self._scheduled[name] += 1
        self._of_step[wish.name] += 1
        activity = _Activity(
            wish,
            f"{name}#{self._scheduled[name]}",
            None if limit is None else self.now + limit,
            self._of_step[wish.name],
        )
        self._activities[wish.seq] = activity
        if limit is not None:
            self.later(limit, lambda: self._time_out(activity))
        self._try_soon(activity)

    def _try_soon(self, activity: _Activity) -> None:
        rng = self.chance.of(f"time of {activity.name} {activity.attempts}")
        delay = rng.choice((1, 3, 20, 200)) if rng.random() < 0.97 else rng.uniform(1000, 9000)
        self.later(timedelta(milliseconds=delay), lambda: self._attempt(activity))

    def _open(self, activity: _Activity) -> bool:
        return self._activities.get(activity.wish.seq) is activity

    def _attempt(self, activity: _Activity) -> None:
        """One more try. Before anything else it is decided whether it gets to its work in time."""
        if not self._open(activity):
            return None
        activity.attempts += 1
        name = f"{activity.name} {activity.attempts}"
        if activity.attempts == 1 and self._befalls("fails for long", activity, activity.name):
            activity.stubborn = self.chance.of(f"stubborn {activity.name}").randint(8, 60)
        if activity.attempts <= activity.stubborn:
            return self._retry(activity, _away())
        if self._befalls("timed out", activity, name):
            return self._hang(activity, activity.attempts, name)
        return self._work(activity, name)

    def _befalls(self, mishap: str, activity: _Activity, name: str) -> bool:
        """Whether this happens to the attempt."""
        wish, probability = activity.wish, self._odds[mishap]
        if mishap == "refused" and wish.name in self._unrefusable:
            return False
        directed = {
            x.mishap(wish.name, activity.number, activity.attempts) for x in self._directions
        }
        probability = DIRECTED if mishap in directed else probability
        return self.chance.happens(mishap, name, probability)

    def _hang(self, activity: _Activity, attempt: int, name: str) -> None:
        """It comes to its work late: in its time, during the next attempt, or long after that.

        The server gives an attempt up after its time, and does not hear of it any more.
        """
        limit = min(activity.wish.start_to_close or HANGS_MAX, HANGS_MAX)
        rng = self.chance.of(f"late {name}")
        factor = rng.choice((rng.uniform(0.9, 1.1), rng.uniform(1, 3), rng.uniform(1, 40)))
        after = min(limit * factor, HANGS_MAX)

        def work() -> None:
            heard = activity.given_up < attempt == activity.attempts
            if heard and self._open(activity) and not self.over:
                self._work(activity, name)
            else:
                self._work_unheard(activity, name)

        number = next(self._sequence)
        self._hanging[number] = (self.now + after, work)
        self.later(after, partial(self._wake, number))
        if activity.wish.start_to_close is not None:
            self.later(activity.wish.start_to_close, lambda: self._give_up(activity, attempt))

    def _wake(self, number: int) -> None:
        _, work = self._hanging.pop(number)
        work()

    def _give_up(self, activity: _Activity, attempt: int) -> None:
        """An attempt took too long: the next one begins, whatever becomes of this one."""
        if self._open(activity) and activity.attempts == attempt and not activity.waits:
            activity.given_up = attempt
            self._retry(activity, None)

    def _work_unheard(self, activity: _Activity, name: str) -> None:
        """An attempt that was given up has its effect all the same."""
        fake, kind = self._fakes[activity.wish.name]
        self.story.append(f"{self.now:%d %H:%M:%S} {name} happens after its time")
        self.chance.seen["effect after its time"] += 1
        self.later(timedelta(0), self._afterwards)
        with suppress(Pending, ApplicationError):
            fake(activity.wish.ask(kind))

    def _work(self, activity: _Activity, name: str) -> None:
        """The effect and the answer."""
        fake, kind = self._fakes[activity.wish.name]
        self.later(timedelta(0), self._afterwards)
        if self._befalls("refused", activity, name):
            return self._end(activity, machine.failed(activity.wish, _refused()))
        if self._befalls("fails before", activity, name):
            return self._retry(activity, _away())
        try:
            if self._befalls("runs twice", activity, name):
                with suppress(Pending):
                    fake(activity.wish.ask(kind))
            result = fake(activity.wish.ask(kind))
        except Pending:
            activity.waits = True
            return None
        except ApplicationError as error:
            if self._befalls("loses its answer", activity, name):
                return self._retry(activity, _away())
            if error.non_retryable:
                return self._end(activity, machine.failed(activity.wish, error))
            return self._retry(activity, error)
        if self._befalls("loses its answer", activity, name):
            return self._retry(activity, _away())
        return self._end(activity, machine.completed(activity.wish, result))

    def _retry(self, activity: _Activity, error: ApplicationError | None) -> None:
        """Try again, if there is time for it. `error`: none where the attempt took too long."""
        retry = activity.wish.retry
        if error is None:
            last = machine.timed_out(activity.wish, "StartToClose")
        else:
            last = machine.failed(activity.wish, error)
        if retry.maximum_attempts and activity.attempts >= retry.maximum_attempts:
            return self._end(activity, last)
        longest = retry.maximum_interval or timedelta(minutes=1)
        factor = retry.backoff_coefficient ** min(activity.attempts - 1, 20)
        pause = min(retry.initial_interval * factor, longest)
        if error is not None and error.next_retry_delay is not None:
            pause = error.next_retry_delay
        if activity.deadline is not None and self.now + pause >= activity.deadline:
            # The server tells the last error, or that time is up; of a local one always that.
            if not activity.wish.local and self.chance.of(f"ends {activity.name}").random() < 0.5:
                return self._end(activity, last)
            return None
        self.later(pause, lambda: self._attempt(activity))
        return None

    def waits_anew(self) -> None:
        """A person has a step tried again: that its wait looks once more at once is no circle."""
        self._short_waits.clear()

    def _time_out(self, activity: _Activity) -> None:
        if not self._open(activity):
            return
        wish = activity.wish
        if activity.waits and (wish.schedule_to_close or A_MINUTE) < A_MINUTE:
            self._short_waits[wish.activity_id] += 1
            if self._short_waits[wish.activity_id] > 3:
                raise Broken(f"{wish.activity_id} ends early again and again")
        self.story.append(f"{self.now:%d %H:%M:%S} {activity.name} is not done in time")
        self.chance.seen["not in time"] += 1
        self._end(activity, machine.timed_out(activity.wish))

    def _end(self, activity: _Activity, job: Job) -> None:
        del self._activities[activity.wish.seq]
        self._post(job)

    def _deliver(self, activity_id: str) -> None:
        for activity in list(self._activities.values()):
            if activity.wish.activity_id == activity_id and activity.waits:
                activity.waits = False
                self._attempt(activity)


@cache
def _input_of(fake: Fake) -> Any:
    """The type of the activity's input."""
    hints = get_type_hints(fake)
    for other in ("self", "return"):
        hints.pop(other, None)
    (kind,) = hints.values()
    return kind


def _away() -> ApplicationError:
    return ApplicationError("the database is away", type="unreachable")


def _refused() -> ApplicationError:
    return ApplicationError("a rule says no", type="refused", non_retryable=True)
