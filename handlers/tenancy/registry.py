"""Tenants as the operator knows them: records of a tenant that no request can name.

A tenant need not be registered. One that is has limits, or callers, and is looked after by the sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..store import Conflict, Store
from .names import OPERATOR, check_name, limits_kind

_TENANT, _CALLER, _LIMITS = "tenant", "tenant-caller", "limits"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """`executions`: how many may run at once; `starts_per_second`: how many may be started, a second's worth at a time.
    None is no limit."""

    executions: int | None = None
    starts_per_second: int | None = None

    def __bool__(self) -> bool:
        return self.executions is not None or self.starts_per_second is not None


@dataclass(frozen=True, slots=True)
class Tenant:
    """`callers` are the IAM principals that may call the API for it: roles and users by ARN, accounts as
    `arn:aws:iam::ACCOUNT:root`."""

    name: str
    limits: Limits = Limits()
    callers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        limits = {key: value for key in Limits.__slots__ if (value := getattr(self.limits, key)) is not None}
        return {"limits": limits, "callers": list(self.callers)}


def find(store: Store, name: str) -> Tenant:
    """The tenant; one that is not registered has no limits and no callers."""
    record = store.for_tenant(OPERATOR).get(_TENANT, name)
    return Tenant(name) if record is None else _read(name, record.value)


def limits_of(store: Store) -> Limits:
    """The limits of the store's tenant."""
    record = store.for_tenant(OPERATOR).get(limits_kind(store.tenant), _LIMITS)
    return Limits() if record is None else Limits(**record.value)


def everyone(store: Store) -> list[Tenant]:
    """Every tenant that is registered, by name."""
    own = store.for_tenant(OPERATOR)
    found: list[Tenant] = []
    token = None
    while True:
        page = own.records(_TENANT, limit=_PAGE, token=token)
        found += [_read(record.key, record.value) for record in page.items]
        if (token := page.token) is None:
            return found


def keep(store: Store, tenant: Tenant) -> None:
    """Registers a tenant, as it is from now on. Raises `InvalidTenant`."""
    check_name(tenant.name)
    before = find(store, tenant.name)
    own = store.for_tenant(OPERATOR)
    # Whoever is no longer a caller is shut out first.
    for caller in before.callers:
        if caller not in tenant.callers:
            _change_caller(own, caller, tenant.name, called=False)
    value = tenant.to_json()
    own.put(_TENANT, tenant.name, value)
    own.put(limits_kind(tenant.name), _LIMITS, value["limits"])
    for caller in tenant.callers:
        _change_caller(own, caller, tenant.name, called=True)


def remove(store: Store, name: str) -> None:
    """Forgets limits and callers. What the tenant has in the store stays."""
    keep(store, replace(find(store, name), callers=(), limits=Limits()))
    own = store.for_tenant(OPERATOR)
    own.delete(_TENANT, name)
    own.delete(limits_kind(name), _LIMITS)


def tenants_of(store: Store, callers: Sequence[str]) -> list[str]:
    """The tenants that the first of these principals may call for that is a caller of any."""
    own = store.for_tenant(OPERATOR)
    for caller in callers:
        if (record := own.get(_CALLER, caller)) is not None and record.value["tenants"]:
            return record.value["tenants"]
    return []


def _change_caller(own: Store, caller: str, tenant: str, *, called: bool) -> None:
    while True:
        record = own.get(_CALLER, caller)
        tenants = set(record.value["tenants"]) if record is not None else set[str]()
        changed = tenants | {tenant} if called else tenants - {tenant}
        if changed == tenants:
            return
        try:
            own.put(
                _CALLER,
                caller,
                {"tenants": sorted(changed)},
                expect=0 if record is None else record.version,
            )
            return
        except Conflict:
            continue


def _read(name: str, value: dict[str, Any]) -> Tenant:
    return Tenant(name, Limits(**value["limits"]), tuple(value["callers"]))
