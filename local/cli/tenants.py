"""`stratum tenants`: what tenants may do, and who may call for them."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace

from ...handlers.store import Store
from ...handlers.tenancy import callers, limits, registry
from ...handlers.tenancy.names import OPERATOR, InvalidTenant, check_name
from .opening import open_store
from .problem import WrongRequest
from .tables import print_table


def tenants(options: argparse.Namespace) -> int:
    """`tenants`, `tenants set NAME …`, `tenants remove NAME` or `tenants policy NAME --table ARN`."""
    match options.words:
        case []:
            return _list(open_store(options.store, create=False), options.json)
        case ["set", name]:
            return _set(open_store(options.store, create=True), _name(name), options)
        case ["remove", name]:
            store = open_store(options.store, create=False)
            registry.remove(store, _name(name))
            print(f"{name}: no limits and no callers; what it has in the store stays", file=sys.stderr)
            return 0
        case ["policy", name]:
            return _policy(_name(name), options)
        case _:
            raise WrongRequest(
                "it is `tenants`, `tenants set NAME`, `tenants remove NAME` or `tenants policy NAME --table ARN`"
            )


def _list(store: Store, as_json: bool) -> int:
    known = {tenant.name: tenant for tenant in registry.everyone(store)}
    names = sorted({*known, *store.tenants()} - {OPERATOR})
    found = [(known.get(name) or registry.Tenant(name), store.for_tenant(name).running()) for name in names]
    if as_json:
        told = [{"tenant": tenant.name, "running": running, **tenant.to_json()} for tenant, running in found]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    rows = [
        (
            tenant.name,
            str(running),
            _limit(tenant.limits.executions),
            _limit(tenant.limits.starts_per_second),
            ", ".join(tenant.callers) or "-",
        )
        for tenant, running in found
    ]
    print_table(("TENANT", "RUNNING", "AT ONCE", "STARTS/S", "CALLERS"), rows)
    return 0


def _set(store: Store, name: str, options: argparse.Namespace) -> int:
    tenant = registry.find(store, name)
    most = tenant.limits
    if options.executions is not None:
        most = replace(most, executions=_number(options.executions, "--executions", least=0))
    if options.starts_per_second is not None:
        rate = _number(options.starts_per_second, "--starts-per-second", least=1)
        most = replace(most, starts_per_second=rate)
    try:
        added = [callers.check_caller(arn) for arn in options.caller]
    except ValueError as error:
        raise WrongRequest(f"--caller: {error}") from None
    if unknown := [arn for arn in options.no_caller if arn not in tenant.callers]:
        raise WrongRequest(f"--no-caller: {unknown[0]} is no caller of {name}")
    own = [arn for arn in dict.fromkeys([*tenant.callers, *added]) if arn not in options.no_caller]
    tenant = replace(tenant, limits=most, callers=tuple(own))
    limits.set_limits(store, tenant)
    if options.json:
        print(json.dumps({"tenant": name, **tenant.to_json()}, indent=2))
    else:
        print(
            f"{name}: {_limit(most.executions)} executions at once, {_limit(most.starts_per_second)} starts a second,"
            f" called for by {', '.join(own) or 'nobody in particular'}; holds within five seconds",
            file=sys.stderr,
        )
    return 0


def _policy(name: str, options: argparse.Namespace) -> int:
    from ...infra.tenants import policy

    if (
        options.table is None
        or re.fullmatch(r"arn:[a-z-]+:dynamodb:[^:]*:\d{12}:table/[\w.-]+", options.table) is None
    ):
        raise WrongRequest("--table is the table's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME")
    print(json.dumps(policy(name, options.table, options.bucket), indent=2))
    return 0


def _name(name: str) -> str:
    try:
        return check_name(name)
    except InvalidTenant as error:
        raise WrongRequest(str(error)) from None


def _number(text: str, option: str, *, least: int) -> int | None:
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= 1_000_000:
        raise WrongRequest(f"{option} is a number from {least} to 1000000, or none")
    return int(text)


def _limit(number: int | None) -> str:
    return "any" if number is None else str(number)
