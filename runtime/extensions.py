"""The extensions that are installed: found by their entry points, loaded, and checked.

Orderloom's own ones are found in the same way as anybody's. What an extension is stands in
`activities.extension`; here is known only what the starter may know of it as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol, runtime_checkable

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import InvalidInput, OrderloomError
from domain.faults import faults
from domain.fulfilment.counter import COUNTER
from domain.orders.sourcing_rules import CRITERIA
from domain.orders.taxing import TaxRates
from domain.payments.pay_pages import PayPages
from domain.payments.payments import BY_HAND
from domain.sellers import Code
from runtime.settings import PREFIX, Settings

GROUP: Final = "orderloom.extensions"
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,30}")
_ACCOUNTS: Final = "_accounts"
TAKEN: Final = frozenset({COUNTER, BY_HAND, *CRITERIA})
"""Names that rows know in the place of an extension's."""


@runtime_checkable
class Described(Protocol):
    """An extension, as far as it is known here: `activities.extension.Extension` is one."""

    @property
    def name(self) -> str:
        """Its name, which orders, settings and rows know it by."""
        ...

    @property
    def settings(self) -> type[BaseModel]:
        """The model of its settings."""
        ...

    @property
    def tax(self) -> Callable[[Any], TaxRates | None] | None:
        """Makes what knows rates of tax, from the settings."""
        ...

    @property
    def pay_pages(self) -> Callable[[Any], PayPages | None] | None:
        """Makes what asks its company for pages on which customers pay, from the settings."""
        ...

    @property
    def brings(self) -> tuple[str, ...]:
        """The kinds of parts that it brings."""
        ...


@dataclass(frozen=True)
class Installed:
    """An entry point of the group. `fault`: why its extension cannot be used; else it is there."""

    name: str
    distribution: str
    version: str
    extension: Described | None = None
    settings: BaseModel | None = None
    accounts: Mapping[str, BaseModel] = field(default_factory=dict)
    """The settings of further accounts at its payment company, by their codes."""
    fault: str = ""

    @property
    def origin(self) -> str:
        """The distribution that it comes from, with its version."""
        return f"{self.distribution} {self.version}".strip()


def installed(name: str | None = None) -> list[Installed]:
    """Every extension, sorted by name. One that cannot be used is among them, with the reason.

    `name`: only those of this name.
    """
    rivals: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=GROUP):
        if name is None or point.name == name:
            rivals[point.name].append(point)
    return [
        _alone(points[0]) if len(points) == 1 else _refused(point, points)
        for _, points in sorted(rivals.items())
        for point in points
    ]


def tax_rates(name: str) -> TaxRates:
    """What the extension of that name knows of tax. No other extension is loaded.

    Raises InvalidInput where there is none, or it cannot be used.
    """
    for one in installed(name):
        if one.fault:
            usable([one], ())
        make = None if one.extension is None else one.extension.tax
        rates = None if make is None else make(one.settings)
        if rates is not None:
            return rates
    raise InvalidInput(
        f"no extension {name!r} knows rates of tax; see `orderloom extensions`",
        where=f"{PREFIX}TAX",
    )


def pay_pages() -> dict[str, PayPages]:
    """Payment companies that have pages for customers, by the names that orders know them by.

    An extension that cannot be used has none here: it keeps workers from starting, who say why.
    """
    found: dict[str, PayPages] = {}
    for one in installed():
        make = None if one.extension is None else one.extension.pay_pages
        if make is None or one.settings is None:
            continue
        accounts = {f"{one.name}:{code}": settings for code, settings in one.accounts.items()}
        for name, settings in {one.name: one.settings, **accounts}.items():
            pages = make(settings)
            if pages is not None:
                found[name] = pages
    return found


def usable(found: Sequence[Installed], without: Sequence[str]) -> list[Installed]:
    """Those that can be used. Raises InvalidInput where another is not among `without`."""
    if not found:
        raise InvalidInput(
            "none is installed, not even Orderloom's own: this environment was made before it had "
            "them, so install it again (`make` does in a checkout)",
            where="extensions",
        )
    missed = [one for one in found if one.fault and one.name not in without]
    if missed:
        told = "; ".join(f"{one.name} ({one.origin}): {one.fault}" for one in missed)
        names = ",".join(sorted({*without, *(one.name for one in missed)}))
        raise InvalidInput(
            f"{told}. Mend or uninstall what fails. A worker starts without it where it is told "
            f"so: {PREFIX}WITHOUT_EXTENSIONS={names}",
            where="extensions",
        )
    return [one for one in found if not one.fault]


def failed(one: Installed, why: BaseException) -> Installed:
    """The same extension as one that cannot be used."""
    told = str(why) if isinstance(why, OrderloomError) else f"{type(why).__name__}: {why}"
    return Installed(one.name, one.distribution, one.version, fault=told)


def settings_of(extension: Described) -> tuple[BaseModel, Mapping[str, BaseModel]]:
    """An extension's own settings, and those of further accounts at its payment company.

    They are in the environment: ORDERLOOM_<NAME>__<FIELD>, ORDERLOOM_<NAME>_ACCOUNTS__<CODE>__….
    Raises InvalidInput that names each variable at fault, and never shows a value.
    """
    name, model = extension.name, extension.settings
    fields: dict[str, Any] = {
        name: (model, Field(default_factory=dict, validate_default=True)),
        f"{name}{_ACCOUNTS}": (dict[Code, model], Field(default_factory=dict)),  # type: ignore[valid-type]  # a class, known at run time only
    }
    reader = create_model("Environment", __base__=_Environment, **fields)
    try:
        read = reader()
    except ValidationError as error:
        told = [
            f"{PREFIX}{'__'.join(str(step).upper() for step in place[:3])}: {reason}"
            for place, _, reason in faults(error)
        ]
        raise InvalidInput("; ".join(told), where="environment") from None
    return getattr(read, name), getattr(read, f"{name}{_ACCOUNTS}")


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, env_nested_delimiter="__"
    )


def _alone(point: EntryPoint) -> Installed:
    here = _named(point)
    try:
        loaded = point.load()
        if not isinstance(loaded, Described):
            raise InvalidInput(
                f"{point.value} is a {type(loaded).__name__}, and not an Extension of "
                "activities.extension"
            )
        _check_name(point, loaded)
        return Installed(here.name, here.distribution, here.version, loaded, *settings_of(loaded))
    except Exception as error:  # noqa: BLE001 - anybody's code, which may raise anything
        return failed(here, error)


def _check_name(point: EntryPoint, extension: Described) -> None:
    if extension.name != point.name:
        raise InvalidInput(
            f"its entry point says {point.name!r}, and the extension {extension.name!r}"
        )
    if not NAME.fullmatch(point.name):
        raise InvalidInput("a name is 2 to 31 small letters, digits and underscores, as in `acme`")
    if point.name.endswith(_ACCOUNTS) or point.name in TAKEN or point.name in Settings.model_fields:
        raise InvalidInput(f"{point.name!r} means something else to Orderloom: name it otherwise")


def _refused(point: EntryPoint, points: Sequence[EntryPoint]) -> Installed:
    here = _named(point)
    all_of_them = " and ".join(_named(each).origin for each in points)
    return Installed(
        here.name,
        here.distribution,
        here.version,
        fault=f"{all_of_them} have extensions of this name: uninstall all but one",
    )


def _named(point: EntryPoint) -> Installed:
    if point.dist is None:
        return Installed(point.name, point.value, "")
    return Installed(point.name, point.dist.name, point.dist.version)
