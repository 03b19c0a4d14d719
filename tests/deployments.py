"""Deployments of the examples, as data: nothing is packed and nothing called."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from stratum.infra.plan import Deployment, Settings, Source, plan
from stratum.infra.template import template
from stratum.infra.template.functions import Code
from stratum.infra.template.release import Live
from stratum.local.cli.files import load_workflow

EXAMPLES = Path(__file__).resolve().parents[1] / "local" / "examples"
FILES = (
    "orders/orders.yaml",
    "etl/etl.yaml",
    "release/release.yaml",
    "release/reviewed.yaml",
    "fulfilment/order.yaml",
)
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"


@cache
def source(name: str) -> Source:
    file = load_workflow(EXAMPLES / name)
    spec = None if file.spec is None else file.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    version = None if file.spec is None else file.spec.version
    return Source(file.name, file.definition, file.folder, version, file.source_map, file.text, spec)


def deployment(*names: str, **settings: Any) -> Deployment:
    return plan([source(name) for name in names or FILES], Settings("dev", **settings))


def made(planned: Deployment, live: Live | None = None) -> dict[str, Any]:
    code = Code(
        "code/engine-1.zip",
        {str(each.folder): f"code/{each.folder.name}-1.zip" for each in planned.functions},
        "code/mcp-1.zip" if planned.settings.mcp else None,
    )
    packages = {each.name: f"workflows/{each.name}-1.json" for each in planned.workflows}
    return template(planned, code, packages, live)
