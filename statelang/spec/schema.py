"""The JSON Schema of the language, for editors: `# yaml-language-server: $schema=stratum.schema.json`."""

from __future__ import annotations

from typing import Any

from .models import Spec


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12, generated from the models."""
    schema = Spec.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A Stratum workflow",
    }
