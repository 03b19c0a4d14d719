"""Files of the earlier Stratum, read: what is in them with its place, and what makes one unusable.

Versions 0.1 to 0.3 are one language here, as each adds to the one before: a file that says 0.1 and has what came later is
read all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..spec.diagnostics import Diagnostic, did_you_mean
from ..spec.model_errors import kind_of
from ..spec.source import Path, Source, is_asl, read_source

VERSIONS = ("0.1", "0.2", "0.3")
MODES = ("infer", "compute", "gate")


@dataclass(slots=True)
class Old:
    """A document of the earlier Stratum whose shape is right, as far as it is rewritten."""

    source: Source
    version: str
    contracts: Mapping[str, Mapping[str, Any]]
    functions: Mapping[str, Mapping[str, Any]]
    flows: Mapping[str, Mapping[str, Any]]
    workflow: Mapping[str, Any] | None

    def line(self, path: Path) -> int:
        position = self.source.position(path, key=True)
        return position.line if position else 1

    def function_of(self, step: Mapping[str, Any]) -> Mapping[str, Any]:
        """The function that a step runs; an inline step is its own."""
        return self.functions[step["function"]] if step.get("function") else step

    def mode_of(self, step: Mapping[str, Any]) -> str:
        """infer, compute or gate; flow, and parallel_dispatch."""
        if step.get("type") == "parallel_dispatch":
            return "parallel_dispatch"
        if step.get("flow"):
            return "flow"
        return self.function_of(step).get("mode", "infer") if step.get("function") else "infer"


def read(text: str | bytes, name: str) -> tuple[Old | None, list[Diagnostic]]:
    """The document, or everything that is wrong with it."""
    source, findings = read_source(text, name)
    if source.data is None or findings:
        return None, findings
    reader = _Reader(source)
    old = reader.document()
    return (None, reader.findings) if reader.findings else (old, [])


class _Reader:
    def __init__(self, source: Source):
        self.source = source
        self.findings: list[Diagnostic] = []

    def problem(self, code: str, message: str, path: Path = (), hint: str | None = None) -> None:
        position = self.source.position(path)
        self.findings.append(Diagnostic(code, message, path, position, hint, file=self.source.name))

    def document(self) -> Old | None:
        data = self.source.data
        if not isinstance(data, dict):
            self.problem("S601", f"a spec of the earlier Stratum is a mapping, not {kind_of(data)}")
            return None
        if is_asl(data):
            self.problem(
                "S601", "this is Amazon States Language, which needs no import", (), "run it as it is"
            )
            return None
        if "stratum" in data:
            self.problem("S601", "this is a spec of this Stratum already", ("stratum",))
            return None
        version = str(data.get("version", ""))
        if version not in VERSIONS:
            self._unknown_version(data, version)
            return None
        contracts = self._mappings(data, "contracts", "its fields")
        functions = self._mappings(data, "functions", "its mode, intent, input and output")
        flows = self._mappings(data, "flows", "its input, output and steps")
        if not flows and not self.findings:
            self.problem("S602", "there is nothing to run: no `flows`", ())
        self._functions(functions)
        for flow in flows:
            self._flow(flow, flows, functions)
        workflow = data.get("workflow")
        if workflow is not None and not isinstance(workflow, dict):
            self.problem("S602", f"`workflow` is a mapping, not {kind_of(workflow)}", ("workflow",))
            workflow = None
        return Old(self.source, version, contracts, functions, flows, workflow)

    def _unknown_version(self, data: Mapping[str, Any], version: str) -> None:
        known = ", ".join(VERSIONS)
        if "version" not in data:
            self.problem(
                "S601",
                "`version` is missing: no spec of the earlier Stratum is without",
                (),
                f"it is one of {known}",
            )
        elif version in ("1", "1.0"):
            message = "version 1 is another language, of the earlier Stratum in TypeScript"
            self.problem("S601", message, ("version",), f"what can be rewritten are versions {known}")
        else:
            self.problem(
                "S601",
                f"{version[:40]!r} is no version that can be rewritten",
                ("version",),
                f"they are {known}",
            )

    def _mappings(self, data: Mapping[str, Any], key: str, what: str) -> dict[str, Any]:
        """A mapping of mappings."""
        found = data.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.problem("S602", f"`{key}` is a mapping of names, not {kind_of(found)}", (key,))
            return {}
        for name, value in found.items():
            if not isinstance(value, dict):
                self.problem("S602", f"`{name}` is a mapping of {what}, not {kind_of(value)}", (key, name))
        return {name: value for name, value in found.items() if isinstance(value, dict)}

    def _functions(self, functions: Mapping[str, Any]) -> None:
        for name, function in functions.items():
            mode = function.get("mode")
            if mode not in MODES:
                what = "is missing" if mode is None else f"is not {mode!r}"
                path = ("functions", name) if mode is None else ("functions", name, "mode")
                self.problem("S602", f"the `mode` of `{name}` {what}", path, "it is infer, compute or gate")
            elif mode != "gate":
                self._text(function, "intent", ("functions", name))
            if function.get("output") is not None:
                self._text(function, "output", ("functions", name))
            self._texts(function, "ensure", ("functions", name))
            self._texts(function, "guardrails", ("functions", name))

    def _flow(self, name: str, flows: Mapping[str, Any], functions: Mapping[str, Any]) -> None:
        at: Path = ("flows", name, "steps")
        steps = flows[name].get("steps")
        if not isinstance(steps, list) or not steps:
            what = (
                "is missing" if steps is None else "is empty" if steps == [] else f"is not {kind_of(steps)}"
            )
            self.problem("S602", f"the list of steps of `{name}` {what}", at)
            return
        ids: set[str] = set()
        for index, step in enumerate(steps):
            self._step(step, (*at, index), ids, flows, functions)
        for index, step in enumerate(steps):
            if isinstance(step, dict):
                self._targets(step, (*at, index), ids)
        if not self.findings:
            self._calls_itself(name, flows)

    def _step(
        self, step: Any, path: Path, ids: set[str], flows: Mapping[str, Any], functions: Mapping[str, Any]
    ) -> None:
        if not isinstance(step, dict):
            self.problem("S602", f"a step is a mapping, not {kind_of(step)}", path)
            return
        id = step.get("id")
        if not isinstance(id, str) or not id:
            self.problem("S602", "a step has an `id`, a text", path)
        elif id in ids:
            self.problem("S602", f"there is a step `{id}` already", (*path, "id"))
        else:
            ids.add(id)
        kinds = [key for key in ("function", "intent", "flow") if step.get(key)]
        if step.get("type") == "parallel_dispatch":
            for key in ("source", "intent_template"):
                self._text(step, key, path)
        elif len(kinds) != 1:
            told = " and ".join(f"`{kind}`" for kind in kinds) or "none of them"
            self.problem(
                "S602", f"a step has one of `function`, `intent` and `flow`, and here is {told}", path
            )
        for key, known in (("function", functions), ("flow", flows)):
            named = step.get(key)
            if named and (not isinstance(named, str) or named not in known):
                hint = did_you_mean(str(named), known)
                self.problem("S602", f"there is no {key} `{str(named)[:60]}`", (*path, key), hint)
        for key in ("intent", "agent", "skip_if", "exit_criterion", "type", "output_contract"):
            if step.get(key) is not None:
                self._text(step, key, path)
        for key in ("ensure", "guardrails", "depends_on"):
            self._texts(step, key, path)
        if not isinstance(step.get("inputs", {}), dict):
            self.problem("S602", f"`inputs` is a mapping, not {kind_of(step['inputs'])}", (*path, "inputs"))

    def _targets(self, step: Mapping[str, Any], path: Path, ids: set[str]) -> None:
        named = [
            ((key,), step[key])
            for key in ("next", "on_fail", "on_approve", "on_revise", "on_kill")
            if step.get(key) is not None
        ]
        depends = step.get("depends_on")
        named += [
            (("depends_on", at), each) for at, each in enumerate(depends if isinstance(depends, list) else ())
        ]
        for key, target in named:
            if not isinstance(target, str) or target not in ids:
                hint = did_you_mean(str(target), ids)
                self.problem("S602", f"there is no step `{str(target)[:60]}`", (*path, *key), hint)

    def _calls_itself(self, name: str, flows: Mapping[str, Any]) -> None:
        seen: set[str] = set()
        todo = [name]
        while todo:
            flow = flows[todo.pop()]
            for step in flow["steps"] if isinstance(flow.get("steps"), list) else ():
                called = step.get("flow") if isinstance(step, dict) else None
                if called is None:
                    continue
                if called == name:
                    self.problem("S602", f"the flow `{name}` runs itself without end", ("flows", name))
                    return
                if called in flows and called not in seen:
                    seen.add(called)
                    todo.append(called)

    def _text(self, value: Mapping[str, Any], key: str, path: Path) -> None:
        if not isinstance(value.get(key), str) or not value[key].strip():
            what = "is missing" if value.get(key) is None else "is a text that says something"
            self.problem("S602", f"`{key}` {what}", (*path, key))

    def _texts(self, value: Mapping[str, Any], key: str, path: Path) -> None:
        found = value.get(key)
        if found is not None and not (
            isinstance(found, list) and all(isinstance(each, str) for each in found)
        ):
            self.problem("S602", f"`{key}` is a list of texts", (*path, key))
