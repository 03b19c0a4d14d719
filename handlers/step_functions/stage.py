"""A stage on Step Functions: its state machines, and what their workflows were compiled from."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...statelang.asl import StateMachine, digest_of, load_definition
from ..store import StoreError
from .api import Api

_SOURCE = re.compile(r"\(compiled from ([\w./-]+)\)\s*$")
"""How a deployed definition's Comment ends (`infra.packaging`)."""

_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Definition:
    """What an execution runs, by its role: the text as AWS has it, its digest, and the `source` that it was compiled from: `{"version",
    "source_map", "text", "spec"}`, empty for a definition that is not ours."""

    text: str
    digest: str
    machine: StateMachine
    role: str
    source: Mapping[str, Any]


class NativeStage:
    """`named` gives the name of a workflow's state machine; `machines` are the ARNs of those that there are; `work` is the name of
    the function that gates and agent steps invoke; `read` reads an artifact by its key."""

    def __init__(
        self, named: Callable[[str], str], machines: list[str], work: str, read: Callable[[str], bytes]
    ):
        self.named = named
        self._prefix = named("")
        self.machines = machines
        self.work = work
        self._read = read
        self._known: dict[str, Definition] = {}
        self._by_digest: dict[str, Definition] = {}
        self._lock = threading.Lock()

    def workflow(self, machine: str) -> str:
        """The workflow's name: of its state machine's ARN, or an execution's."""
        return (":".join(machine.split(":")[6:7]) or machine).removeprefix(self._prefix)

    def has(self, arn: str) -> bool:
        """Whether an execution, by its ARN, is of one of the state machines."""
        return any(_is_of(arn, machine) for machine in self.machines)

    def executions(self, name: str) -> list[str]:
        """The ARNs that an execution's name, or `workflow:name`, may stand for."""
        workflow, _, last = name.rpartition(":")
        return [
            f"{machine.replace(':stateMachine:', ':execution:')}:{last}"
            for machine in self.machines
            if workflow in ("", self.workflow(machine), machine.split(":")[6])
        ]

    def definition(self, api: Api, arn: str) -> Definition | None:
        """What an execution runs, or what a state machine (or a version of it) is, by ARN. None for what does not exist.

        Of a version, which never changes, and of an execution it is kept.
        """
        with self._lock:
            if arn in self._known:
                return self._known[arn]
        of = "stateMachine" if ":stateMachine:" in arn else "execution"
        operation = "DescribeStateMachine" if of == "stateMachine" else "DescribeStateMachineForExecution"
        described = api.read(operation, **{f"{of}Arn": arn})
        if described is None:
            return None
        text = described["definition"]
        digest = digest_of(text)
        with self._lock:
            found = self._by_digest.get(digest)
        if found is None:
            found = Definition(text, digest, load_definition(text), described["roleArn"], self._source(text))
        with self._lock:
            self._by_digest[digest] = found
            if of == "execution" or arn.split(":")[7:]:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[arn] = found
        return found

    def by_digest(self, digest: str) -> Definition | None:
        """A definition that has been met here before."""
        return self._by_digest.get(digest)

    def _source(self, text: str) -> Mapping[str, Any]:
        found = _SOURCE.search(json.loads(text).get("Comment") or "")
        if found is None:
            return {}
        try:
            return json.loads(self._read(found[1]))
        except Exception as error:
            # It says what is secret: without it nothing may be shown.
            raise StoreError(
                f"{found[1]}, which the workflow was compiled from and which says what of its data is secret, cannot be read from"
                f" the bucket of artifacts: {error}"
            ) from None


def _is_of(execution: str, machine: str) -> bool:
    return execution.startswith(f"{machine.replace(':stateMachine:', ':execution:')}:")
