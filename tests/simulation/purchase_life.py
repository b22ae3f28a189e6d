"""The life of one purchase order, its supplier, the dock, and the people who buy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from activities.purchasing.purchase_orders import PurchaseDecision
from domain.purchasing.purchase_orders import PurchaseStart, PurchaseState, PurchasingPolicy
from tests.simulation.chance import Chance
from tests.simulation.driver import BEGAN, CALM, Broken, Life, Mishaps
from tests.simulation.leading import direction
from tests.simulation.world.buying import Buying
from tests.simulation.world.memory import Memory
from workflows.purchase_order import PurchaseOrderWorkflow

PO_ID: Final = "PO-1"
ACTIVITIES: Final = (
    *("approve_purchase", "send_purchase", "await_acknowledgement", "await_goods"),
    *("chase_supplier", "cancel_purchase", "close_purchase", "note_purchase"),
)
NOT_REFUSED: Final = {
    "await_acknowledgement": "it reads a report",
    "await_goods": "it reads a report",
    "close_purchase": "it comes when nothing is outstanding",
    "note_purchase": "the list of what needs a person takes everything",
}
"""Steps that no rule refuses, and why not: a refusal would be a fault."""

LED_TO: Final = (*ACTIVITIES, "await_goods", "close_purchase")
LEADS: Final = {"approve_purchase": "approve", "cancel_purchase": "cancel"}
"""What people do several times in a life that is led to these steps."""

PATROL: Final = timedelta(days=9)
"""As often, somebody looks whether it still gets on, and cancels it where it does not."""


class PurchaseLife:
    """A purchase order, its world, and its people, as the seed has them."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        rng = self.chance.of("purchase")
        led = direction(chance, LED_TO, chance.seed // 5)
        step = led.step if led is not None else ""
        before = rng.random() < 0.1 and step in ("", "await_goods", "close_purchase")
        start = PurchaseStart(
            po_id=PO_ID,
            needs_approval=not before and (rng.random() < 0.5 or step == "approve_purchase"),
            sent=before,
            policy=PurchasingPolicy(
                give_up_after=timedelta(minutes=rng.choice((1, 10))),
                acknowledge_within=timedelta(days=rng.choice((0.2, 2))),
                chase_every=timedelta(days=rng.choice((0.5, 1))),
            ),
        )
        self.life = Life(
            PurchaseOrderWorkflow,
            f"purchase-order:{PO_ID}",
            start,
            self.chance,
            CALM if rng.random() < 0.4 and led is None else Mishaps(),
            led,
        )
        state: PurchaseState = "sent" if before else "approved"
        if start.needs_approval:
            state = "proposed"
        self.chase_every = start.policy.chase_every
        memory = Memory(self.life.reported)
        self.buying = Buying(memory, self.chance, PO_ID, rng.randint(1, 50), state)
        self._wanted = LEADS.get(step)
        if step == "note_purchase":
            self.buying.no_account = 0.9
        self._asked = 0
        self._expected = False
        self.life.serve(
            {name: getattr(self.buying, name) for name in ACTIVITIES},
            unrefusable=frozenset(NOT_REFUSED),
            afterwards=self._look,
        )

    def live(self) -> None:
        """From the proposal to the end."""
        rng = self.chance.of("plan")
        for number in range(rng.choice((0, 1, 1, 2, 4))):
            kinds = ("approve", "approve", "approve", "cancel", "nonsense", "cancel in Temporal")
            kind = rng.choice(kinds)
            when = timedelta(hours=rng.expovariate(1 / rng.choice((0.01, 1, 30, 200))))
            if self.chance.happens(f"{kind} a purchase", f"{number}", 1):
                self.life.later(when, partial(self._act, kind, f"{number}"))
        if self._wanted is not None:
            for number in range(4):
                if self.chance.happens(f"{self._wanted}, as the life is led", f"{number}", 0.9):
                    after = timedelta(hours=rng.expovariate(1 / 20))
                    self.life.later(after, partial(self._act, self._wanted, f"led {number}"))
        self.life.later(PATROL, self._patrol)
        self._look()
        self.life.live()

    def check(self) -> None:
        """Raises Broken with everything that does not hold."""
        found = list(self._faults())
        if found:
            raise Broken("; ".join(found))

    def _faults(self) -> Iterator[str]:
        life, buying = self.life, self.buying
        if life.failure:
            yield f"the workflow failed: {life.failure}"
            return
        if life.left_open:
            yield f"left open: {life.left_open}"
        if life.result["state"] != buying.state:
            yield f"the workflow ended {life.result['state']}, and its row says {buying.state}"
        if (buying.state == "closed") != (buying.received > 0):
            yield f"{buying.state}, and {buying.received} units came"
        if buying.outstanding:
            yield f"{buying.outstanding} units are outstanding still"
        if buying.attention is not None:
            yield f"still needs attention: {buying.attention}"
        if buying.sent_by_us > 1:
            yield f"it was sent {buying.sent_by_us} times"
        most = (life.now - BEGAN) / self.chase_every + 2
        if buying.chased > most:
            yield f"chased {buying.chased} times in {life.now - BEGAN}"
        for update_id, answers in life.answers.items():
            final = [each for each in answers if not each.accepted]
            if len(final) > 1 or (not final and answers):
                yield f"{update_id} was answered {len(final)} times"

    # People ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        """A supplier that has the order answers it and sends goods, sooner or later."""
        if not self.buying.at_supplier or self._expected:
            return
        self._expected = True
        rng = self.chance.of("supplier")
        if self.chance.happens("acknowledged", "", 0.8):
            cut = rng.choice((0, 0, 0, 1, 5, 100))
            answered = timedelta(hours=rng.expovariate(1 / 20))
            self.life.later(answered, lambda: self.buying.acknowledge(cut))
        for number in range(rng.choice((0, 1, 1, 2, 4))):
            if self.chance.happens("goods come", f"{number}", 1):
                units = max(1, self.buying.ordered // rng.choice((1, 1, 2, 3)))
                days = timedelta(days=rng.uniform(0, 20))
                self.life.later(days, partial(self.buying.receive, units))

    def _act(self, kind: str, name: str) -> None:
        ask = PurchaseDecision(po_id=PO_ID, by="test", reason=name)
        if kind == "cancel in Temporal":
            self.life.cancel()
        elif kind == "nonsense":
            self.life.signal("cancel", {"lines": 7})
        elif self.chance.of(f"way of {name}").random() < 0.3:
            self.life.signal(kind, ask)
        else:
            self.life.update(f"u{name}", kind, ask)

    def _patrol(self) -> None:
        """Nothing is left lying: it is approved, or cancelled until the supplier lets it go."""
        self._asked += 1
        if self.buying.state == "proposed" and self.chance.of(f"p{self._asked}").random() < 0.5:
            self._act("approve", f"patrol {self._asked}")
        elif self._asked > 2:
            self._act("cancel", f"patrol {self._asked}")
        self.life.later(PATROL, self._patrol)
