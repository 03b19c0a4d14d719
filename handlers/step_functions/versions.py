"""Versions and aliases of a stage's state machines, as our own records of published versions and aliases have them.

A deployment makes both (`infra.template.step_functions`). The version `1.2.0+7` is the spec's number and AWS's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..api.aliases import KIND as ALIAS
from ..store import Record
from ..versions.publishing import KIND as PUBLISHED
from .api import Api, milliseconds
from .stage import NativeStage

KINDS = (PUBLISHED, ALIAS)
MOST = 50
"""Versions of a state machine that are looked at, the newest: AWS keeps 1,000, and each is asked for by itself."""
_NO_NUMBER = "0.0.0"
"""Of a definition that no spec was compiled to."""


class Versions:
    """Read-only: what is put here is put by deploying."""

    def __init__(self, api: Api, stage: NativeStage):
        self._api = api
        self._stage = stage

    def records(self, kind: str, prefix: str) -> list[Record]:
        """Those whose key begins so: of a version `WORKFLOW/VERSION`, of an alias its ARN."""
        found = self._published(prefix) if kind == PUBLISHED else self._aliases(prefix)
        return [Record(kind, key, value, 1) for key, value in found if key.startswith(prefix)]

    def get(self, kind: str, key: str) -> Record | None:
        if kind == ALIAS:
            value = self._alias(key)
            return None if value is None else Record(kind, key, value, 1)
        return next((record for record in self.records(kind, key) if record.key == key), None)

    def _published(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for machine in self._stage.machines:
            workflow = self._stage.workflow(machine)
            if not f"{workflow}/".startswith(prefix) and not prefix.startswith(f"{workflow}/"):
                continue
            answer = (
                self._api.read("ListStateMachineVersions", stateMachineArn=machine, maxResults=MOST) or {}
            )
            for listed in answer.get("stateMachineVersions", ()):
                arn = listed["stateMachineVersionArn"]
                found = self._stage.definition(self._api, arn)
                if found is None:
                    continue  # it was deleted meanwhile
                version = f"{found.source.get('version') or _NO_NUMBER}+{arn.rpartition(':')[2]}"
                yield f"{workflow}/{version}", {
                    "workflow": workflow, "version": version, "arn": arn, "definition": found.digest,
                    "at": milliseconds(listed["creationDate"]), "by": {"via": "deploy"}, "spec": found.source.get("spec"),
                }  # fmt: skip

    def _aliases(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for machine in self._stage.machines:
            if not f"{machine}:".startswith(prefix) and not prefix.startswith(f"{machine}:"):
                continue
            answer = self._api.read("ListStateMachineAliases", stateMachineArn=machine) or {}
            for listed in answer.get("stateMachineAliases", ()):
                arn = listed["stateMachineAliasArn"]
                if (value := self._alias(arn)) is not None:
                    yield arn, value

    def _alias(self, arn: str) -> dict[str, Any] | None:
        told = self._api.read("DescribeStateMachineAlias", stateMachineAliasArn=arn)
        if told is None:
            return None
        return {
            "name": told["name"],
            "created": told["creationDate"],
            "routing": told["routingConfiguration"],
        }
