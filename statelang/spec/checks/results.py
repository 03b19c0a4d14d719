"""What the steps of a spec come to: their contracts, and how a task is tried again."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..contracts import ANY, Contract, TypeReader
from ..diagnostics import Diagnostic
from ..models import Retry, SetStep, Spec, TaskStep

VIOLATIONS = ("Stratum.PostconditionFailed", "Stratum.ContractViolated")


@dataclass(slots=True)
class Contracts:
    """The contracts of a spec, resolved. `steps` are those of the steps that have a result."""

    input: Contract | None
    output: Contract | None
    steps: dict[str, Contract] = field(default_factory=dict)


def contracts_of(spec: Spec, findings: list[Diagnostic]) -> Contracts:
    """Resolves the types of a spec; what is wrong with them is added to `findings`."""
    reader = TypeReader(spec.types, findings)
    for name in spec.types:
        reader.named(name, ("types", name))
    contracts = Contracts(
        None if spec.input is None else reader.read(spec.input, ("input",)),
        None if spec.output is None else reader.read(spec.output, ("output",)),
    )
    for index, step in enumerate(spec.steps):
        if isinstance(step, TaskStep):
            written = step.output
            contracts.steps[step.id] = (
                ANY if written is None else reader.read(written, ("steps", index, "output"))
            )
        elif isinstance(step, SetStep):
            contracts.steps[step.id] = Contract("object", fields=dict.fromkeys(step.set, ANY))
    return contracts


def retry_of(spec: Spec, step: TaskStep) -> Retry | None:
    """The retry that holds for the task: its own, the default, or none."""
    if step.retry == "none":
        return None
    return step.retry if isinstance(step.retry, Retry) else spec.defaults.retry


def covers_violations(retry: Retry | None) -> bool:
    """Whether violations of an `ensure` or a contract are retried."""
    if retry is None or retry.attempts < 2 or set(VIOLATIONS) <= set(retry.never):
        return False
    return retry.on is None or bool({*VIOLATIONS, "States.ALL"} & set(retry.on))


def has_loop(spec: Spec, step: TaskStep, contract: Contract | None) -> bool:
    """Whether the task is tried again by a loop of states, and not by ASL's own Retry."""
    retry = retry_of(spec, step)
    if retry is None or retry.attempts < 2:
        return False
    checked = bool(step.ensure) or (contract is not None and contract.kind != "any")
    return retry.backoff == "linear" or (checked and covers_violations(retry))
