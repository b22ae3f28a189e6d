"""Everything that is set from outside, read from the environment once, at the program's start.

The connection to Temporal is not here: `temporalio.envconfig` reads its TEMPORAL_* variables.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import InvalidInput
from domain.faults import faults
from domain.fields import Id
from domain.fulfilment.outside_work import Workshop
from domain.orders.policy import Policy
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.sellers import Seller
from runtime.mail_settings import MailSettings, TextSettings
from runtime.openid_settings import OpenIdSettings

PREFIX: Final = "ORDERLOOM_"


def _check_address(address: str | None) -> str | None:
    if address is not None and not re.fullmatch(r"\S+:\d{1,5}", address):
        raise ValueError("must be host:port, such as 127.0.0.1:9464")
    return address


def _check_pages(url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError("must be an address such as https://track.example.com")
    return None if url is None else url.rstrip("/")


def _check_tracking(urls: dict[str, str]) -> dict[str, str]:
    for carrier, url in urls.items():
        if not url.startswith("https://") or "{number}" not in url:
            raise ValueError(f"{carrier}: must begin with https:// and hold {{number}}")
    return urls


def _by_comma(names: Any) -> Any:
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else names


def _as_list(secrets: Any) -> Any:
    return [secrets] if isinstance(secrets, str) else secrets


Secrets = dict[
    str,
    Annotated[
        tuple[Annotated[SecretStr, Field(min_length=16)], ...],
        BeforeValidator(_as_list),
        Field(min_length=1),
    ],
]
"""Company → what it may sign with, one or several."""


class Settings(BaseSettings):
    """Values of ORDERLOOM_* variables, and of DATABASE_URL. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_nested_delimiter="__",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Path(".orderloom")
    """The folder that holds the embedded stack's state."""

    database_url: Annotated[str | None, Field(validation_alias="DATABASE_URL")] = None
    """postgresql://user:password@host:port/database"""

    database_pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    """Connections one worker process opens at most."""

    reservations_together: Annotated[int, Field(ge=1, le=1000)] = 100
    """Order lines that one worker process reserves stock for in one transaction at most."""

    effects_kept: Annotated[timedelta, Field(ge=timedelta(days=1))] = timedelta(days=30)
    """For how long after its end an order remembers what its steps have done. A late attempt of a
    step finds it there; docs/architecture.md."""

    provider_events_kept: Annotated[timedelta, Field(ge=timedelta(days=1))] = timedelta(days=90)
    """For how long a payment company's event is kept after it was processed."""

    label_files_kept: Annotated[timedelta, Field(ge=timedelta(days=1))] = timedelta(days=30)
    """For how long after its parcel has left a label can be printed again."""

    request_keys_kept: Annotated[timedelta, Field(ge=timedelta(days=1))] = timedelta(days=7)
    """For how long a request over HTTP is known by its Idempotency-Key."""

    events_kept: Annotated[timedelta, Field(ge=timedelta(days=7))] = timedelta(days=30)
    """For how long an event can be read and delivered once more, and for how long it is known what
    came of each attempt to deliver it; docs/events.md."""

    jobs_kept: Annotated[timedelta, Field(ge=timedelta(days=1))] = timedelta(days=30)
    """For how long after its end a job is known, with what came of each item and its file."""

    personal_data_kept: Annotated[timedelta | None, Field(ge=timedelta(days=1))] = None
    """For how long after an order's end it is known whose it was; not set: until somebody asks to
    erase it (`orderloom customers erase`)."""

    documents_kept_years: Annotated[int, Field(ge=0, le=100)] = 10
    """For how many years after the year of its issue an invoice keeps its buyer's name and address,
    though the person was erased. The law of the seller's country says how many."""

    workflow_sandbox: bool = False
    """Run workflows in the sandbox, which catches what would not replay. Tests and replays do; in
    production it costs about as much as everything else that a worker does for an order."""

    orders_in_memory: Annotated[int, Field(ge=1)] = 1000
    """Orders whose workflows one worker process keeps in memory; others are replayed when they go
    on. An idle order takes about 0.14 MB; docs/performance.md."""

    codec_keys: Path | None = None
    """The file of keys that encrypt what enters Temporal, and its failures; docs/encryption.md.
    None: nothing is encrypted."""

    codec_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What `orderloom codec-server` asks for before it decrypts anything."""

    task_queue: Annotated[str, Field(min_length=1, max_length=200)] = "orderloom"
    """Temporal task queue that clients and workers meet on."""

    build_id: str | None = None
    """Names the deployed version, and turns Temporal's worker versioning on. None: off."""

    policy: Policy = Policy()
    """Defaults for orders, as ORDERLOOM_POLICY__RETURN_WINDOW=P14D and the like."""

    purchasing: PurchasingPolicy = PurchasingPolicy()
    """How buying goes, as ORDERLOOM_PURCHASING__OVER_DELIVERY_PERCENT=10 and the like."""

    seller: Seller = Seller()
    """Who sells, for a new database: ORDERLOOM_SELLER__NAME, …__TIME_ZONE and the like. Once it is
    known there, `orderloom sellers import` changes it, and this is not read any more."""

    pages_url: Annotated[str | None, AfterValidator(_check_pages)] = None
    """Where customers reach `orderloom serve`, such as https://track.example.com: links to their
    pages begin with it. None: no mail has a link; docs/tracking.md."""

    temporal_ui: Annotated[str | None, AfterValidator(_check_pages)] = None
    """Where the Temporal UI shows the namespace, such as
    https://temporal.example.com/namespaces/shop: an order's page leads to its workflow there."""

    tracking_urls: Annotated[dict[str, str], AfterValidator(_check_tracking)] = Field(
        default_factory=dict
    )
    """Where customers can follow a carrier's parcels: {"dhl_de": "https://…?id={number}"}."""

    mail: MailSettings = MailSettings()
    """How customers are told what happens, as ORDERLOOM_MAIL__URL=smtps://mail.example and
    ORDERLOOM_MAIL__SENDER=orders@shop.example; docs/messages.md. Without a url nobody is told."""

    texts: TextSettings = TextSettings()
    """What goes to the phone in the place of a mail, and by which extension."""

    openid: OpenIdSettings = OpenIdSettings()
    """Who else says who people are, as ORDERLOOM_OPENID__ISSUER=https://…; docs/screens.md."""

    edi_authorization: dict[str, SecretStr] = Field(default_factory=dict)
    """What trading partners want to read in the Authorization header of what is posted to them:
    {"acme": "Bearer …"}; docs/edi.md."""

    webhook_secrets: Secrets = Field(default_factory=dict)
    """What payment companies sign with what they send here, as ORDERLOOM_WEBHOOK_SECRETS__STRIPE or
    ORDERLOOM_WEBHOOK_SECRETS={"stripe": ["new", "old"], "stripe:uk": ["its own"]}: several while
    one replaces the other."""

    carrier_webhook_secrets: Secrets = Field(default_factory=dict)
    """What carriers sign with what they send here, in the same way; docs/carriers.md."""

    webhook_targets_allow: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_by_comma)
    ] = ()
    """Networks of ours that events may be sent to, though they are none of the world outside:
    10.1.0.0/16,fd12::/64. docs/events.md"""

    webhook_targets_http: bool = False
    """Events may be sent without TLS, too: to a receiver on this machine, for a test."""

    carrier: Id = "sandbox"
    """The extension whose carrier takes the parcels."""

    carriers: dict[str, Id] = Field(default_factory=dict)
    """The extension for a service that another carrier takes: {"express": "acme"}."""

    workshops: dict[Id, Workshop] = Field(default_factory=dict)
    """What works on goods before they leave, by the name after `x:` in an item's handling:
    {"engraving": {"workflow": "Engrave", "task_queue": "engraving"}}; docs/handlings.md."""

    supplier: Id = "sandbox"
    """The extension by which purchase orders reach suppliers."""

    address_check: Id = "postal"
    """The extension that checks addresses, of orders that a rule names. Where it is missing, those
    are held for a person."""

    tax: Id | None = None
    """The extension that knows the rates for orders that come without a word of tax."""

    without_extensions: Annotated[tuple[Id, ...], NoDecode, BeforeValidator(_by_comma)] = ()
    """Extensions that a worker may start without where they cannot be used: acme,other."""

    metrics_address: Annotated[str | None, AfterValidator(_check_address)] = None
    """host:port for Prometheus metrics; None: none are offered."""

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def kept(
        self,
    ) -> tuple[
        timedelta, timedelta, timedelta, timedelta, timedelta | None, int, timedelta, timedelta
    ]:
        """How long what is kept, in the sequence of `activities.retention.Kept`."""
        ended = (self.effects_kept, self.provider_events_kept, self.label_files_kept)
        persons = (self.personal_data_kept, self.documents_kept_years)
        return (*ended, self.request_keys_kept, *persons, self.events_kept, self.jobs_kept)


def load_settings() -> Settings:
    """The settings of this process. Raises `InvalidInput` that names each variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        # Only the first part of the place is a setting; the value may be a secret and stays out.
        told = [f"{_variable(place)}: {reason}" for place, _, reason in faults(error)]
        raise InvalidInput("; ".join(told), where="environment") from None


def _variable(place: tuple[Any, ...]) -> str:
    name = str(place[0])
    return name if name.isupper() else f"{PREFIX}{name.upper()}"
