"""Map states: processors, readers, batchers, writers, and how much may fail."""

from __future__ import annotations

from ..templates import is_expression
from . import queries
from .findings import Body, Findings

_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")
_INPUTS = ("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET")
_MAX = 100_000_000


def map_state(found: Findings, body: Body, at: str, language: str) -> None:
    found.either(body, at, "ItemProcessor", "Iterator", required=True)
    distributed = False
    for key in ("ItemProcessor", "Iterator"):
        processor = found.object(body, key, at)
        if processor is not None:
            distributed = _processor(found, processor, f"{at}/{key}") or distributed
    if distributed and found.type == "EXPRESS":
        found.error("Express state machine does not support Distributed Map", at)
    if not distributed:
        for key in _DISTRIBUTED:
            if key in body:
                found.error(f"Field '{key}' is only supported for a Map state in DISTRIBUTED mode", at)
    _items(found, body, at, language)
    _limits(found, body, at, language)
    _reader(found, body, at, language)
    _batcher(found, body, at, language)
    _writer(found, body, at, language)


def _processor(found: Findings, processor: Body, at: str) -> bool:
    """Whether it makes the map a distributed one."""
    if "QueryLanguage" in processor:
        found.error("Field 'QueryLanguage' is not supported", at)
    config = found.object(processor, "ProcessorConfig", at)
    if config is None:
        return False
    place = f"{at}/ProcessorConfig"
    found.one_of(config, "Mode", place, ("INLINE", "DISTRIBUTED"))
    found.one_of(config, "ExecutionType", place, ("STANDARD", "EXPRESS"))
    if config.get("Mode") != "DISTRIBUTED":
        return False
    found.required(config, place, "ExecutionType")
    return True


def _items(found: Findings, body: Body, at: str, language: str) -> None:
    found.either(body, at, "ItemSelector", "Parameters")
    if language == "JSONata":
        items = body.get("Items")
        if "Items" in body and not isinstance(items, list) and not is_expression(items):
            found.error("Value must be an array or a JSONata expression", f"{at}/Items")
        for key in ("Items", "ItemSelector"):
            if key in body:
                queries.expressions(found, body[key], f"{at}/{key}")
        return
    queries.path(found, body, "ItemsPath", at)
    for key in ("ItemSelector", "Parameters"):
        if key in body:
            queries.template(found, body[key], f"{at}/{key}")


def _limits(found: Findings, body: Body, at: str, language: str) -> None:
    for key, most in (("MaxConcurrency", _MAX), ("ToleratedFailureCount", _MAX)):
        _path_too(found, body, key, at, language)
        queries.expression_or(
            found, body, key, at, lambda key=key, most=most: found.whole(body, key, at, 0, most)
        )
    key = "ToleratedFailurePercentage"
    _path_too(found, body, key, at, language)
    value = body.get(key)
    if is_expression(value) and language == "JSONata":
        queries.expressions(found, value, f"{at}/{key}")
    elif key in body and (
        isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100
    ):
        found.error("Value must be a number from 0 to 100", f"{at}/{key}")


def _path_too(found: Findings, body: Body, key: str, at: str, language: str) -> None:
    if language == "JSONPath":
        found.either(body, at, key, f"{key}Path")
        queries.path(found, body, f"{key}Path", at)


def _reader(found: Findings, body: Body, at: str, language: str) -> None:
    reader = found.object(body, "ItemReader", at)
    if reader is None:
        return
    place = f"{at}/ItemReader"
    if found.required(reader, place, "Resource"):
        found.text(reader, "Resource", place)
    _arguments(found, reader, place, language)
    config = found.object(reader, "ReaderConfig", place)
    if config is None:
        return
    place = f"{place}/ReaderConfig"
    if not is_expression(config.get("InputType")):
        found.one_of(config, "InputType", place, _INPUTS)
    found.one_of(config, "CSVHeaderLocation", place, ("FIRST_ROW", "GIVEN"))
    found.one_of(config, "CSVDelimiter", place, ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"))
    if config.get("CSVHeaderLocation") == "GIVEN":
        found.required(config, place, "CSVHeaders")
    headers = config.get("CSVHeaders", [])
    if not isinstance(headers, list) or not all(isinstance(header, str) for header in headers):
        found.error("Value must be an array of strings", f"{place}/CSVHeaders")
    _path_too(found, config, "MaxItems", place, language)
    queries.expression_or(
        found, config, "MaxItems", place, lambda: found.whole(config, "MaxItems", place, 0, _MAX)
    )


def _arguments(found: Findings, body: Body, at: str, language: str) -> None:
    if language == "JSONata":
        if "Parameters" in body:
            found.error("Field 'Parameters' is not supported", at)
        if "Arguments" in body:
            queries.expressions(found, body["Arguments"], f"{at}/Arguments")
    else:
        if "Arguments" in body:
            found.error("Field 'Arguments' is not supported", at)
        if "Parameters" in body:
            queries.template(found, body["Parameters"], f"{at}/Parameters")


def _batcher(found: Findings, body: Body, at: str, language: str) -> None:
    batcher = found.object(body, "ItemBatcher", at)
    if batcher is None:
        return
    place = f"{at}/ItemBatcher"
    keys = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    if not any(key in batcher or f"{key}Path" in batcher for key in keys):
        found.error(f"One of these fields is required: [{', '.join(keys)}]", place)
    for key in keys:
        _path_too(found, batcher, key, place, language)
        queries.expression_or(
            found, batcher, key, place, lambda key=key: found.whole(batcher, key, place, 1, _MAX)
        )
    if "BatchInput" in batcher:
        check = queries.expressions if language == "JSONata" else queries.template
        check(found, batcher["BatchInput"], f"{place}/BatchInput")


def _writer(found: Findings, body: Body, at: str, language: str) -> None:
    writer = found.object(body, "ResultWriter", at)
    if writer is None:
        return
    place = f"{at}/ResultWriter"
    if "Resource" not in writer and "WriterConfig" not in writer:
        found.required(writer, place, "Resource")
    _arguments(found, writer, place, language)
    config = found.object(writer, "WriterConfig", place)
    if config is not None:
        found.one_of(config, "Transformation", f"{place}/WriterConfig", ("NONE", "COMPACT", "FLATTEN"))
        found.one_of(config, "OutputType", f"{place}/WriterConfig", ("JSON", "JSONL"))
