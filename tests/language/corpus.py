"""Specs that are made up: valid by the way they are made, with every kind of step and what it may have.

`specs()` gives a spec as data, and a plan: by the id of a task, how its calls come out in turn (`ok`, `busy`, `fatal`,
`wrong` for an `ensure`, `odd` for a contract), after which it is always the last of them. The tasks `m.do` and `m.undo` and the workflow `child` are what a run needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Step = dict[str, Any]
KINDS = (
    "task",
    "task",
    "task",
    "set",
    "wait",
    "decision",
    "parallel",
    "map",
    "repeat",
    "gate",
    "agent",
    "workflow",
    "succeed",
    "fail",
)
CHILD = """\
stratum: "1"
workflow: child
version: 1.0.0
steps: [{id: c, task: m.do, input: {what: "{% $input.what %}", seen: {}}}]
"""
BROKEN = "$number('x') = 1"
"""An expression that fails when it is evaluated."""
OUTCOMES = st.sampled_from(["ok", "ok", "ok", "ok", "busy", "fatal", "wrong", "odd"])


@dataclass
class Made:
    """What has been made so far: steps by kind, and what can be seen where the next one stands."""

    draw: Any
    plan: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    def id(self, kind: str) -> str:
        self.count += 1
        return f"{kind[0]}{self.count}"

    def chance(self, of: int) -> bool:
        """True once in so many times."""
        return self.draw(st.integers(1, of)) == of


@st.composite
def specs(draw: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
    made = Made(draw)
    steps = _steps(made, [], 0, draw(st.integers(1, 5)))
    spec: dict[str, Any] = {
        "stratum": "1",
        "workflow": "w",
        "version": "1.0.0",
        "input": {"n": "integer"},
        "steps": steps,
    }
    if made.chance(4):
        spec["timeout"] = "2h"
    if made.chance(3) and not {"succeed", "fail"} & set(steps[-1]):
        spec["result"] = {"all": [f"{{% ${step['id']} %}}" for step in steps if _has_result(step)]}
    if made.chance(3):
        spec["defaults"] = {"timeout": 30, "retry": {"attempts": 2, "delay": 1}}
    return spec, made.plan


def _has_result(step: Step) -> bool:
    return not {"wait", "decision", "succeed", "fail"} & set(step)


def _steps(made: Made, seen: list[str], depth: int, count: int) -> list[Step]:
    """A list of steps; `seen` are those around it that can have a result."""
    ids = [(kind, made.id(kind)) for kind in (made.draw(st.sampled_from(KINDS)) for _ in range(count))]
    steps: list[Step] = []
    there = list(seen)
    for at, (kind, id) in enumerate(ids):
        last = at == len(ids) - 1
        later = [other for _, other in ids[at + 1 :]] + ["end"]
        earlier = [other["id"] for other in steps]
        step = _step(made, kind, id, there, earlier, later, depth, last)
        steps.append(step)
        if _has_result(step):
            there.append(id)
    return steps


def _step(
    made: Made,
    kind: str,
    id: str,
    seen: list[str],
    earlier: list[str],
    later: list[str],
    depth: int,
    last: bool,
) -> Step:
    draw = made.draw
    step: Step = {"id": id}
    if kind in ("parallel", "map", "repeat") and depth > 1:
        kind = "task"
    if made.chance(6):
        step["when"] = draw(st.sampled_from(["$input.n > 2", "$input.n < 2", "$string($input.n) = '3'"]))
    if made.chance(20):
        step["when"] = BROKEN
    if made.chance(8):
        step["needs"] = [{"that": "$input.n != 99", "otherwise": "{% 'not ' & $input.n %}"}]
    if made.chance(20):
        step["needs"] = [
            {"that": draw(st.sampled_from([BROKEN, "$input.n = 99", "$millis() = 1"])), "within": "25s"}
        ]
    if kind == "task":
        step |= {"task": "m.do", "input": _input(made, id, seen)}
        if made.chance(2):
            step["output"] = {"n": "integer", "token": "string"}
            step["ensure"] = [{"that": "$result.n > 0", "otherwise": "{% 'only ' & $result.n %}"}]
        if made.chance(3):
            step["retry"] = {
                "attempts": draw(st.integers(2, 3)), "delay": 1,
                "backoff": draw(st.sampled_from(["fixed", "linear", "exponential"])),
                **draw(st.sampled_from([{}, {"on": ["Busy"]}, {"never": ["Fatal"]}, {"on": ["Busy"], "never": ["Fatal"]}])),
            }  # fmt: skip
        made.plan[id] = draw(st.lists(OUTCOMES, min_size=1, max_size=2))
    elif kind == "set":
        wrong = made.chance(10)
        step["set"] = {
            "n": "{% $number('x') %}" if wrong else "{% $input.n + 1 %}",
            "seen": [f"{{% ${other} %}}" for other in seen[-2:]],
        }
    elif kind == "wait":
        step["wait"] = draw(
            st.sampled_from([3, "{% $input.n %}", "1m", {"until": "{% $now() %}"}, "{% 'soon' %}"])
        )
    elif kind == "decision":
        branches = [{"when": "$input.n > 2", "next": draw(st.sampled_from(later))}] if made.chance(2) else []
        if branches and made.chance(8):
            branches[0]["when"] = BROKEN
        step["decision"] = [*branches, {"next": later[0]}]
    elif kind == "parallel":
        names = ["left", "right", "middle"][: draw(st.integers(1, 3))]
        step["parallel"] = {name: _steps(made, seen, depth + 1, draw(st.integers(1, 2))) for name in names}
    elif kind == "map":
        step["map"] = {
            "items": draw(st.sampled_from(["[1..3]", "[1, 2, 3][$ > 2]", [1, "{% $input.n %}"], []]))
        }
        if made.chance(2):
            step["map"]["tolerate"] = draw(st.sampled_from([1, "50%"]))
        if made.chance(3):
            step["map"]["max_concurrency"] = draw(st.integers(1, 2))
        if made.chance(12):
            step["map"]["items"] = "[$number('x')]"
        if made.chance(5):
            step["map"]["mode"] = "distributed"
        step["steps"] = _steps(made, seen, depth + 1, draw(st.integers(1, 2)))
    elif kind == "repeat":
        step["repeat"] = {"max": draw(st.integers(1, 3))}
        if made.chance(2):
            step["repeat"]["until"] = draw(
                st.sampled_from(["$round = 2", "$round > $input.n", "$result != null", BROKEN])
            )
            if made.chance(2):
                step["repeat"]["on_max"] = "end"
        if made.chance(3):
            step["repeat"]["collect"] = {"items": "[$round, $input.n]", "key": "$item"}
        step["steps"] = _steps(made, seen, depth + 1, draw(st.integers(1, 2)))
    elif kind == "gate":
        step["gate"] = {
            "approvers": ["ada"],
            "timeout": "1h",
            "on_timeout": draw(st.sampled_from(["reject", "approve", "error"])),
        }
        if made.chance(3):
            step["gate"]["reminders"] = ["10m", "30m"]
        outcomes = ["ok", "ok", "ok", "fatal", "busy"]
        if earlier and made.chance(2):
            step["gate"]["revise"] = {"to": draw(st.sampled_from(earlier)), "rounds": 2}
            outcomes += ["revise", "revise", "revise"]
        made.plan[id] = draw(st.lists(st.sampled_from(outcomes), min_size=1, max_size=3))
    elif kind == "agent":
        step |= {
            "agent": "claude",
            "intent": "do it",
            "input": _input(made, id, seen),
            "attempts": draw(st.integers(1, 2)),
        }
        step |= {"output": {"n": "integer", "token": "string"}, "ensure": ["$result.n > 0"], "timeout": "1h"}
        made.plan[id] = draw(st.lists(OUTCOMES, min_size=1, max_size=2))
        if made.chance(3):
            step["budget"] = {"usd": 1, "timeout": "1h"}
    elif kind == "workflow":
        step |= {"workflow": "child", "input": {"what": id}}
        if made.chance(2):
            step |= {"output": {"n": "integer", "token": "string"}, "ensure": ["$result.n > 0"]}
        if made.chance(3):
            step["retry"] = {"attempts": 2, "delay": 1, "backoff": draw(st.sampled_from(["fixed", "linear"]))}
        made.plan[id] = draw(st.lists(OUTCOMES, min_size=1, max_size=2))
    elif kind == "succeed":
        step["succeed"] = {
            "at": "{% $number('x') %}" if made.chance(12) else id,
            "seen": [f"{{% ${other} %}}" for other in seen[-2:]],
        }
    elif kind == "fail":
        step |= {
            "fail": "Given.Up",
            "because": "{% $number('x') %}" if made.chance(12) else "{% 'at ' & $input.n %}",
        }
    if kind in ("succeed", "fail") and not last:
        step["when"] = "$input.n > 3"
    if kind in ("task", "parallel", "map", "repeat", "gate", "agent", "workflow"):
        if made.chance(3):
            match = draw(
                st.sampled_from(
                    [["Fatal"], ["Busy", "Stratum.ContractViolated"], ["States.TaskFailed"], None]
                )
            )
            step["on_error"] = [{**({"match": match} if match else {}), "next": draw(st.sampled_from(later))}]
        if kind in ("task", "agent", "workflow") and made.chance(2):
            token = draw(st.sampled_from([f"{{% ${id}.token %}}", f"{{% $join([${id}.token]) %}}"]))
            step["compensate"] = {
                "task": "m.undo",
                "input": {"what": id, "token": token, "n": ["{% $input.n %}"]},
            }
        elif depth == 0 and kind not in ("task", "agent", "workflow") and made.chance(4):
            token = f"{{% $string(${id}) %}}"
            step["compensate"] = {
                "task": "m.undo",
                "input": {"what": id, "whole": token, "n": ["{% $input.n %}"]},
            }
    return step


def _input(made: Made, id: str, seen: list[str]) -> Step:
    refs = made.draw(st.lists(st.sampled_from(seen), max_size=2, unique=True)) if seen else []
    return {"what": id, "seen": {ref: f"{{% ${ref} %}}" for ref in refs}}
