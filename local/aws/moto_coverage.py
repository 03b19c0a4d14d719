"""Which operations of AWS moto has, and which of them only seem to do something."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import lru_cache
from typing import Any

_MODULES = {"lambda": "awslambda"}
_OTHER_NAMES = {"polly", "xray"}
"""Services whose operations moto's classes call otherwise: what it has of them a call will show."""
_HOLLOW = {
    ("bedrock-runtime", "InvokeModel"): "moto answers for every model with nothing",
    ("bedrock", "GetModelCustomizationJob:ends"): "moto's jobs that customize models never end",
    ("emr", "DescribeStep:ends"): "moto's steps of EMR never end",
    ("emr-containers", "DescribeJobRun:ends"): "moto's jobs of EMR on EKS never end",
}
"""What would look like success, or wait for ever."""


def lacks(service: str, operation: str) -> str | None:
    """Why moto is no answer for the operation (botocore's names; with `:ends:` the description of a job that has to end),
    or None."""
    described, _, started = operation.partition(":ends:")
    reason = _HOLLOW.get((service, f"{described}:ends" if started else described))
    if reason is not None:
        return reason
    has = _operations(service)
    if has is None:
        return f"moto has no {service}"
    if service not in _OTHER_NAMES and not _named(described) & has:
        return f"moto has no {described} of {service}"
    return None


def _named(operation: str) -> set[str]:
    """The operation as moto's classes may call it."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()
    return {snake, snake.replace("_", ""), re.sub(r"_v2$", "", snake)}


@lru_cache(maxsize=64)
def _operations(service: str) -> frozenset[str] | None:
    """What the classes of a service's module can do, or None where moto has no such module."""
    module = _MODULES.get(service, service.replace("-", ""))
    names: set[str] = set()
    try:
        for part in ("responses", "models"):
            loaded: Any = importlib.import_module(f"moto.{module}.{part}")
            for name, made in inspect.getmembers(loaded, inspect.isclass):
                if name.endswith(("Response", "Backend")) and made.__module__.startswith("moto."):
                    names |= {member for member in dir(made) if not member.startswith("_")}
    except ImportError:
        return None
    return frozenset(names)
