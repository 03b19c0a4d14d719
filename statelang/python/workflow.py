"""Workflows that are built: each call of a `Workflow` adds a step, and what comes of it is a spec like any other.

    wf = Workflow("orders", version="1.0.0", input=Order)
    checked = wf.task("validate", orders.validate, input={"order": wf.input}, ensure=lambda result: result.ok)
    wf.task("reserve", stock.reserve, input={"items": wf.input["items"]}, when=checked.total > 0)
    wf.succeed("done", {"order": wf.input.id})

A step's call answers a reference to its result. The document is read and checked just as YAML is: it has the same
findings, with their places in the Python file, and compiles to the same Amazon States Language.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from .fields import (
    AgentFields,
    CallFields,
    Condition,
    FallibleFields,
    GateFields,
    MapFields,
    RepeatFields,
    StepFields,
    Target,
    TaskFields,
    collection,
    compensation,
    handler_name,
    target,
    written,
)
from .frames import call_in, caller
from .names import error_names
from .options import Duration, TaskOptions, written_duration
from .references import Expression, bare, template, variable
from .types import resolved, written_type

if TYPE_CHECKING:
    from ..compiler import Compiled
    from ..spec import Loaded, Position
    from ..spec.handlers import Handler, HandlersOf
    from ..spec.schema_files import ReadSchema

Path = tuple[str | int, ...]
ReadText = Callable[[str], str]
"""Gives the text of a Python file, or "" where it cannot be had."""


class Step(Expression):
    """A step as a reference to its result."""

    __slots__ = ("_id",)

    def __init__(self, id: str):
        super().__init__(f"${id}")
        self._id = id


class Nested(Step):
    """A step that has steps of its own: those that are added within its `with`."""

    __slots__ = ("_open", "_within")

    def __init__(self, id: str, open: Callable[[], Any]):
        super().__init__(id)
        self._open = open

    def __enter__(self) -> Any:
        self._within = self._open()
        return self._within.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._within.__exit__(*error)


class _Open:
    """A list of steps that is being added to."""

    def __init__(self, path: Path, steps: list[dict[str, Any]]):
        self.path = path
        self.steps = steps


class Workflow:
    """A workflow that is being built. The arguments are the fields of a spec; types may be annotations.

    `wf.input`, `wf.error`, `wf.context`, `wf.attempt` and `wf.violations` are what expressions can see beside the
    steps, `wf["id"]` is a step by its id, also one that comes later.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str,
        description: str | None = None,
        types: Mapping[str, Any] | None = None,
        input: Any = None,
        output: Any = None,
        timeout: Duration | None = None,
        defaults: Mapping[str, Any] | None = None,
    ):
        frame = caller()
        self.name = name
        self.file = frame.f_code.co_filename
        self._header: dict[str, Any] = {"stratum": "1", "workflow": name, "version": version}
        if description is not None:
            self._header["description"] = description
        self._header["types"] = {key: written_type(part) for key, part in (types or {}).items()}
        for key, part in (("input", input), ("output", output)):
            if part is not None:
                self._header[key] = written_type(part)
        if timeout is not None:
            self._header["timeout"] = written_duration(timeout)
        if defaults is not None:
            self._header["defaults"] = written(defaults)
        self._steps: list[dict[str, Any]] = []
        self._bodies = [_Open(("steps",), self._steps)]
        self._calls: dict[Path, Position] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        self._children: dict[str, Workflow] = {}
        self.changes = 0
        """Counts what was added; the same number means the same document."""
        self._note((), frame)

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"

    # -- what expressions can see --------------------------------------------------------------------------

    @property
    def input(self) -> Expression:
        return variable("input")

    @property
    def error(self) -> Expression:
        """`Error` and `Cause`, where an `on_error` has led."""
        return variable("error")

    @property
    def context(self) -> Expression:
        """The context object of Step Functions."""
        return variable("context")

    @property
    def result(self) -> Expression:
        """A task's answer, in its `ensure`."""
        return variable("result")

    @property
    def attempt(self) -> Expression:
        return variable("attempt")

    @property
    def violations(self) -> Expression:
        return variable("violations")

    def __getitem__(self, id: str) -> Step:
        return Step(id)

    # -- steps ---------------------------------------------------------------------------------------------

    def task(
        self, id: str, handler: Callable[..., Any] | str, *, output: Any = ..., **fields: Unpack[TaskFields]
    ) -> Step:
        """A call of a handler: a function, or its name as a spec writes it.

        The contract of what it answers is that of the function's annotation, unless `output` says otherwise (None:
        whatever it is). What `@task` says of the handler holds unless the step says otherwise.
        """
        given: dict[str, Any] = dict(fields)
        options = getattr(handler, "options", None)
        if isinstance(options, TaskOptions):
            for name in ("ensure", "retry", "timeout", "heartbeat", "compensate"):
                if name not in given and (value := getattr(options, name)):
                    given[name] = list(value) if name == "ensure" else value
        if output is ...:
            output = None if isinstance(handler, str) else _result_of(handler)
        name = handler_name(handler)
        if callable(handler):
            self._functions[name] = handler
        return self._add(id, {"task": name}, {"output": output, **given})

    def decision(
        self, id: str, *branches: tuple[Condition, Target], otherwise: Target, **fields: Unpack[StepFields]
    ) -> Step:
        """Where to go on: the first branch whose condition holds, each a condition and a step."""
        made: list[dict[str, Any]] = [{"when": bare(when), "next": target(to)} for when, to in branches]
        return self._add(id, {"decision": [*made, {"next": target(otherwise)}]}, fields)

    def wait(self, id: str, wait: Any = None, *, until: Any = None, **fields: Unpack[StepFields]) -> Step:
        """A duration, a number of seconds that a reference gives, or a time: `until`."""
        value = {"until": template(until)} if until is not None else template(written_duration(wait))
        return self._add(id, {"wait": value}, fields)

    def set(self, id: str, set: Mapping[str, Any], **fields: Unpack[StepFields]) -> Step:
        """Names and values, for later."""
        return self._add(id, {"set": template(set)}, fields)

    def succeed(self, id: str, succeed: Any = None, **fields: Unpack[StepFields]) -> Step:
        """The end, with the result of the workflow, or of the branch or item that the step is in."""
        return self._add(id, {"succeed": template(succeed)}, fields)

    def fail(
        self, id: str, fail: str | type[BaseException], *, because: Any = None, **fields: Unpack[StepFields]
    ) -> Step:
        """The end, with an error."""
        [name] = error_names(fail)
        cause = {} if because is None else {"because": template(because)}
        return self._add(id, {"fail": name, **cause}, fields)

    def workflow(self, id: str, workflow: str | Workflow, **fields: Unpack[CallFields]) -> Step:
        """Another workflow, run to its end."""
        if isinstance(workflow, Workflow):
            self._children[workflow.name] = workflow
            workflow = workflow.name
        return self._add(id, {"workflow": workflow}, fields)

    def gate(
        self, id: str, *, approvers: Sequence[str], timeout: Duration, **fields: Unpack[GateFields]
    ) -> Step:
        """A person's decision."""
        common = StepFields.__annotations__.keys() | FallibleFields.__annotations__.keys()
        given: dict[str, Any] = dict(fields)
        gate = {"approvers": approvers, "timeout": timeout}
        gate |= {name: value for name, value in given.items() if name not in common}
        return self._add(
            id, {"gate": written(gate)}, {name: value for name, value in given.items() if name in common}
        )

    def agent(self, id: str, agent: str, *, intent: Any, **fields: Unpack[AgentFields]) -> Step:
        """Work for an agent."""
        return self._add(id, {"agent": agent, "intent": template(intent)}, fields)

    def map(self, id: str, items: Any, *, as_: str = "item", **fields: Unpack[MapFields]) -> Nested:
        """Steps for every item: `with wf.map("parcels", wf.input["items"]) as item: …`."""
        own = ("max_concurrency", "tolerate", "mode")
        given: dict[str, Any] = dict(fields)
        over = {"items": collection(items), "as": as_}
        over |= {name: given.pop(name) for name in own if given.get(name) is not None}
        steps: list[dict[str, Any]] = []
        made, path = self._put(id, {"map": over}, given, {"steps": steps})
        return Nested(made, partial(self._within, _Open((*path, "steps"), steps), variable(as_)))

    def repeat(self, id: str, *, max: int, **fields: Unpack[RepeatFields]) -> Nested:
        """Steps, again and again: `with wf.repeat("refine", max=5, until=wf["review"].ok): …`."""
        own = ("until", "collect", "on_max")
        given: dict[str, Any] = dict(fields)
        how = {"max": max, **{name: given.pop(name) for name in own if given.get(name) is not None}}
        steps: list[dict[str, Any]] = []
        made, path = self._put(id, {"repeat": written(how)}, given, {"steps": steps})
        return Nested(made, partial(self._within, _Open((*path, "steps"), steps), None))

    def parallel(self, id: str, **fields: Unpack[FallibleFields]) -> Nested:
        """Branches that run at the same time: `with wf.parallel("both") as branch:` and `with branch("mail"): …`."""
        branches: dict[str, list[dict[str, Any]]] = {}
        made, path = self._put(id, {"parallel": branches}, fields)

        @contextmanager
        def opened() -> Iterator[Callable[[str], Any]]:
            def branch(name: str) -> Any:
                steps = branches.setdefault(name, [])
                return self._within(_Open((*path, "parallel", name), steps), None)

            yield branch

        return Nested(made, opened)

    def returns(self, result: Any) -> None:
        """The workflow's result, where it has one way out."""
        self._note(("result",), caller())
        self._header["result"] = template(result)

    def _add(self, id: str, kind: dict[str, Any], fields: Mapping[str, Any]) -> Step:
        return Step(self._put(id, kind, fields)[0])

    def _put(
        self, id: str, kind: dict[str, Any], fields: Mapping[str, Any], body: dict[str, Any] | None = None
    ) -> tuple[str, Path]:
        body_of = self._bodies[-1]
        path = (*body_of.path, len(body_of.steps))
        if (undo := fields.get("compensate")) is not None:
            undo = compensation(undo, variable(id))
            fields = {**fields, "compensate": undo}
            if callable(undo.get("task")):
                self._functions[handler_name(undo["task"])] = undo["task"]
        body_of.steps.append({"id": id, **kind, **written(fields), **(body or {})})
        self._note(path, caller())
        return id, path

    @contextmanager
    def _within(self, open: _Open, given: Any) -> Iterator[Any]:
        self._bodies.append(open)
        try:
            yield given
        finally:
            self._bodies.pop()

    def _note(self, path: Path, frame: Any) -> None:
        self.changes += 1
        place = call_in(self.file, frame)
        if place is not None:
            self._calls[path] = place

    # -- what comes of it ----------------------------------------------------------------------------------

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The handlers that were given as functions, by name."""
        return dict(self._functions)

    @property
    def children(self) -> Mapping[str, Workflow]:
        """The workflows that were given to be run as children, by name."""
        return dict(self._children)

    def load(
        self,
        name: str | None = None,
        read: ReadText | None = None,
        *,
        schemas: ReadSchema | None = None,
        handlers: HandlersOf | None = None,
    ) -> Loaded:
        """The spec with everything that is wrong with it. `name` is what findings call the file; `read` gives its
        text, so that they can show the line; `schemas` gives JSON Schema files that types name, `handlers` what is
        known of handlers that are given by name."""
        from ..spec.loading import load_source
        from .places import PythonSource

        document, findings = resolved({**self._header, "steps": self._steps})
        text = read(self.file) if read is not None else ""
        source = PythonSource(name or self.file, document, self._calls, text)
        known = partial(self._handler, handlers)
        return load_source(source, findings, schemas=schemas, handlers=known)

    def _handler(self, others: HandlersOf | None, name: str) -> Handler | None:
        """What is known of a handler: of a task that was given, by its signature."""
        from ..spec.handlers import Handler
        from .annotations import AnnotationError

        given: Any = self._functions.get(name)
        if not isinstance(getattr(given, "options", None), TaskOptions):
            return None if others is None else others(name)
        try:
            signature = given.signature
        except AnnotationError as error:
            return Handler(problem=(str(error), None))
        event, result = signature.event, signature.result
        return Handler(event and event.contract, result and result.contract)

    def compile(self) -> Compiled:
        """Amazon States Language, and the map from its states to the steps. Raises `InvalidWorkflow`."""
        from ..compiler import compile_spec
        from ..spec.diagnostics import InvalidWorkflow

        loaded = self.load()
        if not loaded.ok or loaded.spec is None:
            raise InvalidWorkflow.of(loaded.source.name, loaded.diagnostics, loaded.source.lines)
        return compile_spec(loaded.spec, loaded.source)


def _result_of(handler: Callable[..., Any]) -> Any:
    """What the function's annotation says of its answer; None where it says nothing."""
    from .signatures import hints_of

    function = inspect.unwrap(handler)
    found = hints_of(function, handler_name(handler), getattr(handler, "_namespace", None)).get("return", Any)
    if found is Any:
        return None
    return type(None) if found is None else found
