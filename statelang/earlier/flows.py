"""A flow of the earlier Stratum as a workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..jsonata.library import LIBRARY
from ..spec.contracts import ANY, Contract, TypeReader
from ..spec.diagnostics import Diagnostic
from ..spec.flow import END, Flow, build
from ..spec.loading import load
from ..spec.reading import RESERVED
from ..spec.source import Path, Source
from .reading import Old, read
from .references import Seen
from .steps import Place, StepRewriter, duration
from .types import Types
from .yaml_text import write

_MAX_ROUNDS_OF_REWRITING = 4


@dataclass(slots=True)
class Rewritten:
    """`specs` are texts by the workflow's name, the one to start first; empty where `findings` has errors.

    A finding of severity `warning` is a part that was not carried over, or that means something else here. `faults`
    are errors of the new specs that somebody has to see to, as text.
    """

    source: Source
    specs: dict[str, str] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def rewrite(text: str | bytes, name: str = "<spec>") -> Rewritten:
    """Rewrites a spec of the earlier Stratum. Never raises for a bad one."""
    old, findings = read(text, name)
    if old is None:
        from ..spec.source import read_source

        return Rewritten(read_source(text, name)[0], findings=findings)
    made = Rewritten(old.source)
    names = _workflow_names(old)
    for flow in _entry_first(old):
        workflow = _Workflow(old, flow, names)
        made.specs[names[flow]] = workflow.text()
        made.findings += workflow.findings
        made.faults += workflow.faults
    made.findings = sorted(
        dict.fromkeys(made.findings), key=lambda each: each.position.line if each.position else 0
    )
    return made


def _entry_first(old: Old) -> list[str]:
    """The flows, the one that the others are called from first."""
    flows = list(old.flows)
    called = {step.get("flow") for flow in flows for step in old.flows[flow]["steps"]}
    named = old.workflow.get("name") if old.workflow else None
    return sorted(flows, key=lambda flow: (flow != named, flow in called))


def _workflow_names(old: Old) -> dict[str, str]:
    names: dict[str, str] = {}
    for flow in old.flows:
        wanted = re.sub(r"[^A-Za-z0-9_-]", "-", flow)[:70] or "workflow"
        name, number = wanted, 1
        while name in names.values():
            number += 1
            name = f"{wanted}-{number}"
        names[flow] = name
    return names


class _Workflow:
    def __init__(self, old: Old, name: str, names: Mapping[str, str]):
        self.old = old
        self.name = name
        self.flow = old.flows[name]
        self.names = names
        self.at: Path = ("flows", name)
        self.order = _order(self.flow["steps"])
        self.ids = _ids([step["id"] for _, step in self.order])
        self.dropped: set[str] = set()
        self.output = True
        self.found: Flow | None = None
        self.findings: list[Diagnostic] = []
        self.faults: list[str] = []
        self.notes: dict[Path, list[str]] = {}
        self.new_path: Path = ()

    def text(self) -> str:
        """The text, once what its flow and its checks say of it has been minded."""
        text = self._write()
        for _ in range(_MAX_ROUNDS_OF_REWRITING):
            loaded = load(text, f"{self.names[self.name]}.yaml")
            before = (self.found, set(self.dropped), self.output)
            if loaded.spec is not None:
                self.found = build(loaded.spec.steps, [])
                self.dropped |= {step.id for step in loaded.spec.steps if step.id not in self.found.must}
            if any(each.path[:1] == ("result",) and each.severity == "error" for each in loaded.diagnostics):
                self.output = False
            if before == (self.found, self.dropped, self.output):
                break
            text = self._write()
        loaded = load(text, f"{self.names[self.name]}.yaml")
        self.faults = [loaded.source.render(each) for each in loaded.diagnostics if each.severity == "error"]
        return text

    # -- what is told ------------------------------------------------------------------------------------

    def note(self, message: str, path: Path) -> None:
        """Something that is not carried over."""
        self._tell("W911", f"not carried over: {message}", path)

    def changed(self, message: str, path: Path) -> None:
        """Something that means something else here."""
        self._tell("W912", message, path)

    def _tell(self, code: str, message: str, path: Path) -> None:
        position = self.old.source.position(path)
        name = self.old.source.name
        self.findings.append(Diagnostic(code, message, path, position, None, "warning", name))
        where = f"line {position.line}: " if position else ""
        comment = f"{where}{message}"
        if comment not in self.notes.setdefault(self.new_path, []):
            self.notes[self.new_path].append(comment)

    # -- the document ------------------------------------------------------------------------------------

    def _write(self) -> str:
        self.findings, self.notes = [], {}
        old = self.old
        document: dict[str, Any] = {"stratum": "1", "workflow": self.names[self.name], "version": "1.0.0"}
        self.notes[()] = [
            f"Rewritten by `stratum import` from {_name_of(old.source.name)}, version {old.version}, flow {self.name}."
        ]
        if len(old.flows) > 1:
            others = ", ".join(self.names[each] for each in old.flows if each != self.name)
            self.notes[()].append(f"Its other flows are workflows of their own: {others}.")
        self.notes[()].append("Steps stand in the order in which they ran, which `depends_on` had said.")
        workflow = old.workflow if old.workflow and _entry_first(old)[0] == self.name else None
        if workflow and isinstance(workflow.get("description"), str):
            document["description"] = " ".join(workflow["description"].split())
        self.new_path = ("types",)
        types = Types(old.contracts, self.note)
        input_type = self._input(types)
        contracts = self._contracts(types)
        rewriter = StepRewriter(
            old, types, lambda name: contracts.get(types.names.get(name, ""), ANY), self.names,
            re.sub(r"\W", "_", self.names[self.name], flags=re.ASCII), self.note, self.changed,
        )  # fmt: skip
        known = {self.ids[step["id"]]: rewriter.contract_of(step) for _, step in self.order}
        read_input = (
            TypeReader(types.made, []).read(input_type, ("input",)) if input_type is not None else ANY
        )
        steps = self._steps(rewriter, known, read_input)
        self._rest_of_flow(document)
        document["types"] = types.made
        document["input"] = input_type
        result = self._result(types, known)
        output = types.names.get(self._wanted())
        if self.output and output is not None and result is not None:
            document["output"] = output
        document["steps"] = steps
        document["result"] = result
        used = _used(document)
        document["types"] = {name: made for name, made in types.made.items() if name in used}
        return write({key: value for key, value in document.items() if value not in (None, {})}, self.notes)

    def _input(self, types: Types) -> Any:
        self.new_path = ("input",)
        schema = self.flow.get("input")
        if not isinstance(schema, dict) or not schema:
            return None
        told = (
            self.old.workflow.get("input")
            if self.old.workflow and _entry_first(self.old)[0] == self.name
            else None
        )
        merged = {
            key: {**value, **told[key]} if isinstance(told, dict) and isinstance(told.get(key), dict) and isinstance(value, dict) else value
            for key, value in schema.items()
        }  # fmt: skip
        return types.record(merged, (*self.at, "input"), "Input")

    def _contracts(self, types: Types) -> dict[str, Contract]:
        reader = TypeReader(types.made, [])
        return {name: reader.named(name) or ANY for name in list(types.made)}

    def _rest_of_flow(self, document: dict[str, Any]) -> None:
        self.new_path = ()
        budget = self.flow.get("budget")
        if isinstance(budget, dict):
            if type(budget.get("ms")) is int and budget["ms"] > 0:
                document["timeout"] = duration(-(-budget["ms"] // 1000))
            for key in budget:
                if key != "ms":
                    self.note(f"`{key}` for the whole flow: a step has a `budget`", (*self.at, "budget", key))
        for key in self.flow:
            if key not in ("input", "output", "budget", "steps", "max_rounds"):
                self.note(f"`{key}` has no counterpart", (*self.at, key))

    def _steps(self, rewriter: StepRewriter, known: Mapping[str, Contract], input: Contract) -> list[Any]:
        kept = [(index, step) for index, step in self.order if self.ids[step["id"]] not in self.dropped]
        rounds = self.flow.get("max_rounds")
        rounds = rounds if type(rounds) is int else None
        made: list[Any] = []
        for at, (index, step) in enumerate(kept):
            id, path = self.ids[step["id"]], (*self.at, "steps", index)
            self.new_path = ("steps", at)
            if id != step["id"]:
                self.notes.setdefault(self.new_path, []).append(
                    f"line {self.old.line(path)}: was `{step['id']}`"
                )
            seen = Seen(self.ids, known, input)
            if self.found is not None and id in self.found.must:
                seen.must, seen.may = self.found.must[id], self.found.may[id]
                seen.lost = lambda reason, path=path: self.note(reason, path)
            following = self.ids[kept[at + 1][1]["id"]] if at + 1 < len(kept) else None
            earlier = frozenset(each["id"] for _, each in kept[: at + 1])
            made.append(rewriter.step(step, Place(path, id, following, earlier), seen, rounds))
        self.new_path = ()
        for index, step in self.order:
            if self.ids[step["id"]] in self.dropped:
                self.note(f"the step `{step['id']}`: nothing led to it", (*self.at, "steps", index))
        return made

    def _result(self, types: Types, known: Mapping[str, Contract]) -> str | None:
        """What a flow came to: what the last of its steps did that had come to something."""
        self.new_path = ()
        wanted = self._wanted()
        steps = [
            step for _, step in self.order
            if self.old.mode_of(step) != "gate" and self.ids[step["id"]] not in self.dropped
        ]  # fmt: skip
        fitting = [step for step in steps if wanted in types.names and self._output_of(step) == wanted]
        if wanted and not fitting:
            self.note(f"`output: {wanted}`: no step comes to that", (*self.at, "output"))
            self.output = False
        elif wanted and not self.output:
            self.note(f"`output: {wanted}`: the flow can end without it", (*self.at, "output"))
        ids = [self.ids[step["id"]] for step in (fitting or steps)]
        must, may = (
            (self.found.must[END], self.found.may[END])
            if self.found and END in self.found.must
            else (None, None)
        )
        ids = [id for id in ids if may is None or id in may]
        if not ids:
            return None
        text = ""
        for id in reversed(ids):
            if must is None or id in must:
                return "{% " + text + f"${id}" + " %}"
            text += f"${id} != null ? ${id} : "
        return "{% " + text + "null %}"

    def _wanted(self) -> str:
        """The name of the contract of what the flow comes to."""
        return str(self.flow.get("output") or "")

    def _output_of(self, step: Mapping[str, Any]) -> Any:
        mode = self.old.mode_of(step)
        if mode == "flow":
            return step.get("output_contract") or self.old.flows[step["flow"]].get("output")
        return (
            None
            if mode == "parallel_dispatch"
            else self.old.function_of(step).get("output", step.get("output_contract"))
        )


def _name_of(name: str) -> str:
    shown = name.replace("\\", "/").rpartition("/")[2][:80]
    return "".join(character if character.isprintable() else "?" for character in shown)


def _order(steps: list[Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The steps as they ran: each after what it depends on, else as they stand. Circles are left as they stand."""
    needs: dict[str, set[str]] = {}
    known = {step["id"] for step in steps}
    for step in steps:
        needs[step["id"]] = set(step.get("depends_on") or ())
        for value in [*(step.get("inputs") or {}).values(), step.get("source")]:
            if isinstance(value, str) and value.startswith("$.steps."):
                needs[step["id"]] |= {
                    id for id in known if re.match(rf"\$\.steps\.{re.escape(id)}\.output(\.|$)", value)
                }
    waiting = list(enumerate(steps))
    done: list[tuple[int, Mapping[str, Any]]] = []
    ran: set[str] = set()
    while waiting:
        ready = next((each for each in waiting if needs[each[1]["id"]] <= ran), waiting[0])
        waiting.remove(ready)
        done.append(ready)
        ran.add(ready[1]["id"])
    return done


def _ids(olds: list[str]) -> dict[str, str]:
    """Ids that can be names of variables, by the old ones."""
    made: dict[str, str] = {}
    for old in olds:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", old)[:50]
        wanted = plain if plain[:1].isalpha() else f"step_{plain}"
        if wanted in RESERVED or wanted in LIBRARY:
            wanted = f"{wanted}_step"
        name, number = wanted, 1
        while name in made.values():
            number += 1
            name = f"{wanted}_{number}"
        made[old] = name
    return made


def _used(document: Mapping[str, Any]) -> set[str]:
    """The types that are named, also by types that are."""
    types: Mapping[str, Any] = document["types"]
    used: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, str):
            for word in re.findall(r"\w+", value):
                if word in types and word not in used:
                    used.add(word)
                    look(types[word])
        elif isinstance(value, dict):
            for part in value.values():
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)

    def look_at_steps(steps: Any) -> None:
        for step in steps:
            look(step.get("output"))
            look_at_steps(step.get("steps", []))

    look(document.get("input"))
    look(document.get("output"))
    look_at_steps(document["steps"])
    return used
