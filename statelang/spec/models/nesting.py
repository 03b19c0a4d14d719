"""Steps within steps: the branches of a parallel, the steps of a map and of a repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .steps import AnyStep, MapStep, ParallelStep, RepeatStep

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A list of steps within a step. `name` is the branch's, the item's, or `round`; `path` is within the step."""

    name: str
    steps: Sequence[AnyStep]
    path: Path


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with its place in the document, and the steps that it is within, the outermost first."""

    step: AnyStep
    path: Path
    within: tuple[AnyStep, ...] = ()


def bodies(step: AnyStep) -> list[Body]:
    """The lists of steps that the step holds."""
    if isinstance(step, ParallelStep):
        return [Body(name, steps, ("parallel", name)) for name, steps in step.parallel.items()]
    if isinstance(step, MapStep):
        return [Body(step.map.as_, step.steps, ("steps",))]
    if isinstance(step, RepeatStep):
        return [Body("round", step.steps, ("steps",))]
    return []


def walk(
    steps: Sequence[AnyStep], path: Path = ("steps",), within: tuple[AnyStep, ...] = ()
) -> Iterator[Placed]:
    """Every step, each before those within it, in the order of the document."""
    for index, step in enumerate(steps):
        yield Placed(step, (*path, index), within)
        for body in bodies(step):
            yield from walk(body.steps, (*path, index, *body.path), (*within, step))
