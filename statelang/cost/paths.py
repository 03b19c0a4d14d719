"""What a definition can come to before anything runs: the least, the typical and the most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..asl.machine import transitions
from .counts import Counts

_END = ""
_ROUNDS = 2000
_NEARLY = 1e-9

Items = Callable[[str], int]
"""How many items the Map of that name goes through."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`least`: the shortest way to an end without an error of a task. `typical`: no errors, and every rule of a Choice
    as likely as another. `most`: every retry used up, by the longest way; None where a loop has no bound that the definition
    tells, with the states of such `loops`. `maps` are those whose number of items was assumed."""

    least: Counts
    typical: Counts
    most: Counts | None
    loops: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


@dataclass(slots=True)
class _Assumed:
    items: Items
    task_seconds: float
    rounds: Mapping[str, tuple[str, int]]
    roles: Mapping[str, str]
    loops: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Costs:
    least: Counts
    typical: Counts
    most: Counts | None


def estimate(
    definition: Mapping[str, Any],
    source_map: Mapping[str, Any] | None = None,
    *,
    items: Items = lambda name: 10,
    task_seconds: float = 0.0,
) -> Estimate:
    """Estimates a definition that the validator finds no error in. With the source map of a spec, how often its loops
    can be gone through is known, and its steps are taken to run and to go well.

    `task_seconds` is how long a task takes.
    """
    roles = (
        {} if source_map is None else {name: state["role"] for name, state in source_map["states"].items()}
    )
    assumed = _Assumed(items, task_seconds, _rounds(source_map), roles)
    costs = _machine(definition, assumed)
    return Estimate(
        costs.least, costs.typical, costs.most, tuple(dict.fromkeys(assumed.loops)), tuple(dict.fromkeys(assumed.maps))
    )  # fmt: skip


def _rounds(source_map: Mapping[str, Any] | None) -> dict[str, tuple[str, int]]:
    """By state of a spec, its step and how often the loops of that step go round, the one in the other."""
    found: dict[str, tuple[str, int]] = {}
    for id, step in ({} if source_map is None else source_map["steps"]).items():
        rounds = math.prod(way.get("rounds", 1) for way in step["ways"])
        if rounds > 1:
            found |= dict.fromkeys(step["states"], (id, rounds))
    return found


_CHECKS = {"check": "= 0 %}", "start": "= 0 %}", "outcome": "= 'approve' %}", "join": "= null %}"}
"""How the condition ends that holds where all went well, by role; another rule is for what did not."""


def _likely(role: str | None, state: Mapping[str, Any]) -> str | None:
    """The place of a Choice's rule that is taken where all goes well, for a role that a spec's states have."""
    if role in ("when", "needs"):
        return "Choices[0]" if role == "when" else "Default"
    fine = _CHECKS.get(role or "")
    if fine is None:
        return None
    places = [index for index, rule in enumerate(state["Choices"]) if rule["Condition"].endswith(fine)]
    return f"Choices[{places[-1]}]" if places else None


# -- one machine -------------------------------------------------------------------------------------------


def _machine(machine: Mapping[str, Any], assumed: _Assumed) -> _Costs:
    states = machine["States"]
    costs = {name: _state(name, state, assumed) for name, state in states.items()}
    likely = {
        name: _likely(assumed.roles.get(name), state)
        for name, state in states.items()
        if state["Type"] == "Choice"
    }
    every = {name: _ways(name, state, errors=True) for name, state in states.items()}
    fine = {name: _ways(name, state, errors=False) for name, state in states.items()}
    for name, place in likely.items():
        if place is not None and assumed.roles[name] in _CHECKS:
            fine[name] = [way for way in fine[name] if way[0] == place]
    start = machine["StartAt"]
    least = _shortest(start, fine, costs) or _shortest(start, every, costs) or Counts()
    chances = {name: _chances(ways, likely.get(name)) for name, ways in fine.items()}
    return _Costs(least, _expected(start, chances, costs), _longest(start, every, costs, assumed))


def _ways(name: str, state: Mapping[str, Any], errors: bool) -> list[tuple[str, str]]:
    """Pairs of a place and the state that it leads to; _END where the machine ends well."""
    found = [
        (place.removesuffix("/Next"), target)
        for place, target in transitions(state)
        if errors or not place.startswith("Catch")
    ]
    if state.get("End") or state["Type"] == "Succeed":
        found.append(("End", _END))
    return found


def _state(name: str, state: Mapping[str, Any], assumed: _Assumed) -> _Costs:
    kind = state["Type"]
    own = Counts(transitions=1)
    if kind == "Task":
        own += Counts(tasks=1, seconds=assumed.task_seconds, task_seconds=assumed.task_seconds)
    elif kind == "Wait":
        seconds = state.get("Seconds")
        own += Counts(waits=1, seconds=seconds if isinstance(seconds, int) else 0)
    elif kind == "Parallel":
        inner = [_machine(branch, assumed) for branch in state["Branches"]]
        total = _together([(each, 1) for each in inner])
        return _retried(_plus(own + Counts(steps=1), total), state)
    elif kind == "Map":
        return _retried(_map(name, state, own + Counts(steps=1), assumed), state)
    return _retried(_Costs(own, own, own), state)


def _map(name: str, state: Mapping[str, Any], own: Counts, assumed: _Assumed) -> _Costs:
    processor = state.get("ItemProcessor", state.get("Iterator"))
    given = state.get("Items")
    if isinstance(given, list):
        count = len(given)
    else:
        count = assumed.items(name)
        assumed.maps.append(name)
    each = _machine(processor, assumed)
    config = processor.get("ProcessorConfig", {})
    if config.get("Mode") != "DISTRIBUTED":
        return _plus(own, _together([(each, count)]))
    batch = state.get("ItemBatcher", {}).get("MaxItemsPerBatch")
    children = -(-count // batch) if isinstance(batch, int) and batch else count
    if config.get("ExecutionType") == "EXPRESS":
        own += Counts(transitions=children, children=children, express_children=children)
        # What an Express child does is not billed by its transitions.
        return _plus(own, _together([(_quiet(each), children)]))
    return _plus(own + Counts(transitions=children, children=children), _together([(each, children)]))


def _quiet(costs: _Costs) -> _Costs:
    def without(counts: Counts) -> Counts:
        return Counts(
            tasks=counts.tasks, waits=counts.waits, express_seconds=counts.seconds + counts.express_seconds,
            task_seconds=counts.task_seconds,
        )  # fmt: skip

    most = without(costs.most) if costs.most is not None else None
    return _Costs(without(costs.least), without(costs.typical), most)


def _together(parts: list[tuple[_Costs, int]]) -> _Costs:
    least = typical = Counts()
    most: Counts | None = Counts()
    for costs, times in parts:
        least += costs.least * times
        typical += costs.typical * times
        most = (
            None
            if most is None or (costs.most is None and times)
            else most + (costs.most or Counts()) * times
        )
    return _Costs(least, typical, most)


def _plus(own: Counts, costs: _Costs) -> _Costs:
    most = None if costs.most is None else own + costs.most
    return _Costs(own + costs.least, own + costs.typical, most)


def _retried(costs: _Costs, state: Mapping[str, Any]) -> _Costs:
    """At the most, every retrier is used up; what is retried runs as a whole again."""
    times = sum(retrier.get("MaxAttempts", 3) for retrier in state.get("Retry", ()))
    if not times or costs.most is None:
        return costs
    return _Costs(costs.least, costs.typical, costs.most * (1 + times) + Counts(retries=times))


# -- ways through it ---------------------------------------------------------------------------------------

_Graph = Mapping[str, list[tuple[str, str]]]


def _shortest(start: str, ways: _Graph, costs: Mapping[str, _Costs]) -> Counts | None:
    """The cheapest way from `start` to an end, well or not; None where these ways lead to none."""
    import heapq

    waiting: list[tuple[float, int, str, Counts]] = [(0, 0, start, Counts())]
    done: set[str] = set()
    number = 0
    while waiting:
        _, _, name, so_far = heapq.heappop(waiting)
        if name == _END:
            return so_far
        if name in done:
            continue
        done.add(name)
        total = so_far + costs[name].least
        for _, target in ways[name] or [("", _END)]:  # what leads nowhere is a Fail state
            number += 1
            heapq.heappush(waiting, (total.transitions, number, target, total))
    return None


def _chances(ways: list[tuple[str, str]], likely: str | None) -> dict[str, float]:
    """How likely each next state is."""
    chosen = [target for place, target in ways if place == likely] or [target for _, target in ways]
    found: dict[str, float] = {}
    for target in chosen:
        found[target] = found.get(target, 0.0) + 1 / len(chosen)
    return found


def _expected(start: str, chances: Mapping[str, Mapping[str, float]], costs: Mapping[str, _Costs]) -> Counts:
    """What is spent on average: how often each state is come to, times what it costs."""
    visits = dict.fromkeys(costs, 0.0)
    moving = {start: 1.0}
    for _ in range(_ROUNDS):
        following: dict[str, float] = {}
        for name, weight in moving.items():
            if name == _END:
                continue
            visits[name] += weight
            for target, chance in chances[name].items():
                following[target] = following.get(target, 0.0) + weight * chance
        moving = {name: weight for name, weight in following.items() if weight > _NEARLY}
        if not moving:
            break
    total = Counts()
    for name, times in visits.items():
        if times:
            total += costs[name].typical * times
    return total


def _longest(
    start: str, ways: _Graph, costs: Mapping[str, _Costs], assumed: _Assumed
) -> Counts | None:  # fmt: skip
    """The dearest way; a loop counts as often as its bound says, and without one there is no answer."""
    groups = _circles(start, ways)
    of = {name: number for number, group in enumerate(groups) for name in group}
    best: dict[int, Counts] = {}
    for number, group in enumerate(groups):  # each after all that it leads to
        own = Counts()
        for name in group:
            most = costs[name].most
            if most is None:
                return None
            own += most
        if len(group) > 1 or any(target == name for name in group for _, target in ways[name]):
            rounds = _bound(group, costs, assumed)
            if rounds is None:
                assumed.loops += group
                return None
            own *= rounds
        after = [
            best[of[target]]
            for name in group
            for _, target in ways[name]
            if target != _END and of[target] != number
        ]
        best[number] = own + max(after, key=lambda counts: counts.transitions, default=Counts())
    return best[of[start]]


def _bound(group: list[str], costs: Mapping[str, _Costs], assumed: _Assumed) -> int | None:
    """How often the states of a circle can be gone through: in a spec every loop has a bound, and one within another
    multiplies it. What unwinds a saga comes to each compensation as often as its step may have been done."""
    if any(assumed.roles.get(name) == "compensate" for name in group):
        tasks = [name for name in group if costs[name].least.tasks > 0]
        return max(1, sum(assumed.rounds.get(name, ("", 1))[1] for name in tasks))
    rounds = dict(assumed.rounds[name] for name in group if name in assumed.rounds)
    return math.prod(rounds.values()) if rounds else None


def _circles(start: str, ways: _Graph) -> list[list[str]]:
    """The states that can be reached, those that lead to each other together (Tarjan's components), each group after
    all groups that it leads to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    groups: list[list[str]] = []
    stack: list[tuple[str, int]] = [(start, 0)]
    while stack:
        name, at = stack.pop()
        if at == 0:
            index[name] = low[name] = len(index)
            path.append(name)
            on_path.add(name)
        targets = [target for _, target in ways[name] if target != _END]
        descended = False
        for place in range(at, len(targets)):
            target = targets[place]
            if target not in index:
                stack += [(name, place + 1), (target, 0)]
                descended = True
                break
            if target in on_path:
                low[name] = min(low[name], index[target])
        if descended:
            continue
        if low[name] == index[name]:
            group: list[str] = []
            while not group or group[-1] != name:
                group.append(path.pop())
                on_path.discard(group[-1])
            groups.append(group)
        if stack:
            above = stack[-1][0]
            low[above] = min(low[above], low[name])
    return groups
