"""A price table: what it must have, and which region's prices it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class InvalidPrices(ValueError):
    """The text says what is wrong, and where."""


Tiers = list[tuple[float, float]]
"""Pairs of an amount and the price of a unit up to it, the last without an end (infinity)."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars in one region, `as_of` the table's date.

    `standard_transition`, `express_request`, `lambda_request`, `lambda_gb_second`, `sqs_request`, `dynamodb_write` and
    `dynamodb_read` (a request unit each), `dynamodb_gb_month`; `express_gb_hour` by tiers. `free` is what a month has
    free of charge, `handlers` what our own deployment is assumed to be like.
    """

    region: str
    as_of: str
    values: Mapping[str, float]
    express_gb_hour: Tiers
    free: Mapping[str, float]
    handlers: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


UNITS = (
    "standard_transition", "express_request", "lambda_request", "lambda_gb_second", "sqs_request", "dynamodb_write",
    "dynamodb_read", "dynamodb_gb_month",
)  # fmt: skip
ASSUMED = (
    "memory_mb", "front_door_ms", "advance_ms", "tasks_ms", "cold_share", "kept_months", "commit_bytes",
)  # fmt: skip


def prices_of(table: Any, region: str, own: Any = None) -> Prices:
    """The prices of a region in the table; `own` is a table laid over it, which needs to say only what differs.

    Raises `InvalidPrices`.
    """
    merged = _laid_over(_object(table, "the table"), _object({} if own is None else own, "the table"))
    regions = _object(merged.get("regions", {}), "regions")
    if region not in regions:
        raise InvalidPrices(f"there are no prices for {region}; there are for {', '.join(sorted(regions))}")
    given = _laid_over(_object(merged.get("default", {}), "default"), _object(regions[region] or {}, f"regions.{region}"))  # fmt: skip
    where = f"regions.{region}"
    values = {name: _number(given.get(name), f"{where}.{name}") for name in UNITS}
    free = {
        name: _number(value, f"free.{name}")
        for name, value in _object(merged.get("free", {}), "free").items()
    }
    assumed = _object(merged.get("handlers", {}), "handlers")
    handlers = {name: _number(assumed.get(name), f"handlers.{name}") for name in ASSUMED}
    return Prices(region, str(merged.get("as_of", "no date")), values, _tiers(given.get("express_gb_hour"), where), free, handlers)  # fmt: skip


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            merged[key] = _laid_over(known, value)
        else:
            merged[key] = value
    return merged


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidPrices(f"{where} must hold names and values, not {value!r}")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise InvalidPrices(f"{where} must be a number that is not below zero, not {value!r}")
    return float(value)


def _tiers(value: Any, where: str) -> Tiers:
    """`[[1000, 0.06], [5000, 0.03], 0.01642]`: up to so many of a month at that price, then the last."""
    place = f"{where}.express_gb_hour"
    if not isinstance(value, list) or not value:
        raise InvalidPrices(f"{place} must be a list such as [[1000, 0.06], 0.03], not {value!r}")
    found: Tiers = []
    for tier in value[:-1]:
        if not isinstance(tier, list) or len(tier) != 2:
            raise InvalidPrices(
                f"{place}: every entry but the last is a pair of an amount and a price, not {tier!r}"
            )
        found.append((_number(tier[0], place), _number(tier[1], place)))
    if found != sorted(found):
        raise InvalidPrices(f"{place}: the amounts must grow")
    return [*found, (float("inf"), _number(value[-1], place))]
