"""The spec language: YAML with its places, models, contracts, and the checks that run before anything else does.

    loaded = load(text, "orders.yaml")
    loaded.ok, loaded.spec, loaded.diagnostics

Names that are looked up when they are first used, so that reading ASL does not load the models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import Contracts, check, contracts_of
    from .contracts import Contract, Violation, violations
    from .diagnostics import CODES, Diagnostic, Position, render
    from .graph import mermaid, mermaid_of_asl
    from .loading import Loaded, load
    from .models import Spec
    from .schema import json_schema
    from .source import Source, is_asl, load_data, read_source

_WHERE = {
    "Contracts": "checks", "check": "checks", "contracts_of": "checks", "Contract": "contracts", "Violation": "contracts",
    "violations": "contracts", "CODES": "diagnostics", "Diagnostic": "diagnostics", "Position": "diagnostics",
    "render": "diagnostics", "mermaid": "graph", "mermaid_of_asl": "graph", "Loaded": "loading", "load": "loading",
    "Spec": "models", "json_schema": "schema", "Source": "source", "is_asl": "source", "load_data": "source",
    "read_source": "source",
}  # fmt: skip

__all__ = [
    "CODES",
    "Contract",
    "Contracts",
    "Diagnostic",
    "Loaded",
    "Position",
    "Source",
    "Spec",
    "Violation",
    "check",
    "contracts_of",
    "is_asl",
    "json_schema",
    "load",
    "load_data",
    "mermaid",
    "mermaid_of_asl",
    "read_source",
    "render",
    "violations",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
