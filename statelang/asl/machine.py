"""A definition's text made into a machine: parsed, checked and prepared once, then only read.

What a definition must have, and what each type of state may have, follows the Amazon States Language
specification and AWS's guide, "State machine structure".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from .. import jsonata
from ..jsonpath import Path, parse_query, parse_reference, prepare_condition
from . import labels
from .json_reading import NotJson, read_json
from .json_text import dump
from .path_queries import DataPath, PathQuery, PathTemplate
from .problems import InvalidDefinition, Problem
from .states import (
    DISCARD,
    Catcher,
    Choice,
    ChoiceRule,
    Fail,
    ItemBatcher,
    ItemReader,
    Language,
    Map,
    Parallel,
    Pass,
    Query,
    ResultWriter,
    Retrier,
    State,
    StateMachine,
    Succeed,
    Task,
    Wait,
    _Discard,
)
from .templates import Template
from .validation import validate


def digest_of(text: str) -> str:
    """How a definition is known: the SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse_definition(text: str) -> Any:
    """The JSON of a definition. Raises `InvalidDefinition`."""
    try:
        return read_json(text)
    except NotJson as error:
        raise InvalidDefinition([Problem("INVALID_JSON_DESCRIPTION", str(error), "")]) from None


@lru_cache(maxsize=256)
def load_definition(text: str) -> StateMachine:
    """The machine that `text` (JSON) defines. Raises `InvalidDefinition` with every problem found."""
    definition = parse_definition(text)
    errors = [problem for problem in check(definition) if problem.severity == "ERROR"]
    if errors:
        raise InvalidDefinition(errors)
    machine = prepare(definition)
    machine.digest = digest_of(text)
    return machine


def check(definition: Any, *, type: str = "STANDARD") -> list[Problem]:
    """Every finding in a definition: what `validate` says, and labels of distributed maps."""
    return [*validate(definition, type=type), *labels.check(definition)]


def prepare(definition: dict[str, Any], language: Language = "JSONPath") -> StateMachine:
    """The machine of a definition that `validate` finds no error in."""
    own = definition.get("QueryLanguage", language)
    comment = definition.get("Comment")
    return StateMachine(
        definition["StartAt"],
        {name: _state(name, body, own) for name, body in definition["States"].items()},
        definition.get("TimeoutSeconds"),
        comment if isinstance(comment, str) else None,
        definition=definition,
    )


def _state(name: str, body: dict[str, Any], language: Language) -> State:
    own: Language = body.get("QueryLanguage", language)
    builder = _Builder(body, own, language)
    return getattr(builder, f"_{body['Type'].lower()}")(
        {
            "name": name,
            "type": body["Type"],
            "language": own,
            "next": body.get("Next"),
            "assign": builder.template("Assign") if body.get("Assign") else None,
            "output": builder.template("Output"),
            "input_path": builder.data_path("InputPath"),
            "output_path": builder.data_path("OutputPath"),
        }
    )


class _Builder:
    """One state's fields, made into what runs. `inherited` is the language of the machine around it."""

    def __init__(self, body: Mapping[str, Any], language: Language, inherited: Language):
        self.body = body
        self.language: Language = language
        self.inherited: Language = inherited

    # -- kinds of fields -------------------------------------------------------------------------------

    def template(
        self, key: str, body: Mapping[str, Any] | None = None, place: str | None = None
    ) -> Query | None:
        """A field that is data in which values may be computed."""
        source = self.body if body is None else body
        if key not in source:
            return None
        field = place or key
        if self.language == "JSONata":
            return Template(source[key], field, _raise)
        return PathTemplate(source[key], field)

    def value(self, key: str, body: Mapping[str, Any] | None = None) -> Query | None:
        """A field that is one value: a literal or an expression, or in JSONPath `…Path`."""
        source = self.body if body is None else body
        if f"{key}Path" in source and self.language == "JSONPath":
            return PathQuery(parse_query(source[f"{key}Path"]), f"{key}Path")
        if key not in source:
            return None
        if self.language == "JSONata":
            return Template(source[key], key, _raise)
        return PathTemplate(source[key], key)

    def data_path(self, key: str) -> Query | _Discard | None:
        if self.language == "JSONata" or self.body.get(key, "$") == "$":
            return None
        return DISCARD if self.body[key] is None else DataPath(Path.parse(self.body[key]), key)

    def result_path(self, body: Mapping[str, Any]) -> Path | _Discard | None:
        if self.language == "JSONata" or body.get("ResultPath", "$") == "$":
            return None
        return DISCARD if body["ResultPath"] is None else parse_reference(body["ResultPath"])

    def shape(self, arguments: str | None = None) -> dict[str, Any]:
        key = arguments or ("Arguments" if self.language == "JSONata" else "Parameters")
        return {
            "arguments": self.template(key),
            "result_selector": self.template("ResultSelector"),
            "result_path": self.result_path(self.body),
        }

    def errors(self) -> dict[str, Any]:
        retry = tuple(
            Retrier(
                tuple(entry["ErrorEquals"]),
                entry.get("IntervalSeconds", 1),
                entry.get("MaxAttempts", 3),
                entry.get("BackoffRate", 2.0),
                entry.get("MaxDelaySeconds"),
                entry.get("JitterStrategy", "NONE"),
            )
            for entry in self.body.get("Retry", ())
        )
        catch = tuple(
            Catcher(
                tuple(entry["ErrorEquals"]),
                entry["Next"],
                self.template("Assign", entry, f"Catch[{index}]/Assign") if entry.get("Assign") else None,
                self.template("Output", entry, f"Catch[{index}]/Output"),
                self.result_path(entry),
            )
            for index, entry in enumerate(self.body.get("Catch", ()))
        )
        return {"retry": retry, "catch": catch}

    # -- types of states -------------------------------------------------------------------------------

    def _pass(self, common: dict[str, Any]) -> State:
        result = dump(self.body["Result"]) if "Result" in self.body and self.language == "JSONPath" else None
        return Pass(**common, **self.shape(), result=result)

    def _task(self, common: dict[str, Any]) -> State:
        return Task(
            **common,
            **self.shape(),
            **self.errors(),
            resource=self.body["Resource"],
            timeout_seconds=self.value("TimeoutSeconds"),
            heartbeat_seconds=self.value("HeartbeatSeconds"),
            credentials=self.template("Credentials"),
        )

    def _choice(self, common: dict[str, Any]) -> State:
        rules = tuple(self._rule(index, rule) for index, rule in enumerate(self.body["Choices"]))
        return Choice(**common, rules=rules, default=self.body.get("Default"))

    def _rule(self, index: int, rule: dict[str, Any]) -> ChoiceRule:
        place = f"Choices[{index}]"
        assign = self.template("Assign", rule, f"{place}/Assign") if rule.get("Assign") else None
        if self.language == "JSONPath":
            return ChoiceRule(rule["Next"], test=prepare_condition(rule), assign=assign)
        condition = Template(rule["Condition"], f"{place}/Condition", _raise)
        output = self.template("Output", rule, f"{place}/Output")
        return ChoiceRule(rule["Next"], condition=condition, assign=assign, output=output)

    def _wait(self, common: dict[str, Any]) -> State:
        return Wait(**common, seconds=self.value("Seconds"), timestamp=self.value("Timestamp"))

    def _succeed(self, common: dict[str, Any]) -> State:
        return Succeed(**common)

    def _fail(self, common: dict[str, Any]) -> State:
        return Fail(**common, error=self.value("Error"), cause=self.value("Cause"))

    def _parallel(self, common: dict[str, Any]) -> State:
        branches = tuple(prepare(branch, self.inherited) for branch in self.body["Branches"])
        return Parallel(**common, **self.shape(), **self.errors(), branches=branches)

    def _map(self, common: dict[str, Any]) -> State:
        body = self.body
        processor = body.get("ItemProcessor", body.get("Iterator"))
        config = processor.get("ProcessorConfig", {})
        selector = self.template("ItemSelector") or (
            self.template("Parameters") if self.language == "JSONPath" else None
        )
        shape = {**self.shape(), "arguments": None}
        prepared = prepare(processor, self.inherited)
        return Map(
            **common,
            **shape,
            **self.errors(),
            processor=prepared,
            processor_definition=_processor_definition(processor, self.inherited),
            distributed=config.get("Mode") == "DISTRIBUTED",
            execution_type=config.get("ExecutionType", "STANDARD"),
            label=body.get("Label"),
            items=self._items(),
            item_selector=selector,
            max_concurrency=self.value("MaxConcurrency"),
            tolerated_failure_count=self.value("ToleratedFailureCount"),
            tolerated_failure_percentage=self.value("ToleratedFailurePercentage"),
            item_reader=self._item_reader(),
            item_batcher=self._item_batcher(),
            result_writer=self._result_writer(),
        )

    def _items(self) -> Query | None:
        if self.language == "JSONata":
            return self.template("Items")
        path = self.body.get("ItemsPath")
        return None if path is None else PathQuery(parse_query(path), "ItemsPath")

    def _item_reader(self) -> ItemReader | None:
        reader = self.body.get("ItemReader")
        if reader is None:
            return None
        key = "Arguments" if self.language == "JSONata" else "Parameters"
        config = {
            name: value
            for name, value in reader.get("ReaderConfig", {}).items()
            if not name.startswith("MaxItems")
        }
        return ItemReader(
            reader["Resource"],
            self.template(key, reader, f"ItemReader/{key}"),
            self.template("ReaderConfig", {"ReaderConfig": config}, "ItemReader/ReaderConfig"),
            self.value("MaxItems", reader.get("ReaderConfig", {})),
        )

    def _item_batcher(self) -> ItemBatcher | None:
        batcher = self.body.get("ItemBatcher")
        if batcher is None:
            return None
        return ItemBatcher(
            self.value("MaxItemsPerBatch", batcher),
            self.value("MaxInputBytesPerBatch", batcher),
            self.template("BatchInput", batcher, "ItemBatcher/BatchInput"),
        )

    def _result_writer(self) -> ResultWriter | None:
        writer = self.body.get("ResultWriter")
        if writer is None:
            return None
        key = "Arguments" if self.language == "JSONata" else "Parameters"
        return ResultWriter(
            writer.get("Resource"),
            self.template(key, writer, f"ResultWriter/{key}"),
            writer.get("WriterConfig", {}),
        )


def _processor_definition(processor: dict[str, Any], language: Language) -> str:
    """What a child execution of a distributed map runs: the item processor as a definition of its own."""
    own = {key: value for key, value in processor.items() if key != "ProcessorConfig"}
    return dump({"QueryLanguage": own.get("QueryLanguage", language), **own})


def _raise(place: str, error: jsonata.JsonataError) -> None:
    raise InvalidDefinition([Problem("INVALID_JSONATA_EXPRESSION", jsonata.reference_text(error), place)])


def transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where a state (as in its definition) can go: pairs of the place of the field in it, and the target."""
    for key in ("Next", "Default"):
        if key in state:
            yield key, state[key]
    for key in ("Choices", "Catch"):
        entries = state.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict) and "Next" in entry:
                yield f"{key}[{index}]/Next", entry["Next"]


__all__ = ["digest_of", "load_definition", "parse_definition", "prepare", "transitions"]
