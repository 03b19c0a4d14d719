"""Map states: processors, readers, batchers, writers, and how much may fail."""

from __future__ import annotations

from ..templates import is_expression
from . import queries
from .findings import Body, Findings

_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")
_INPUTS = ("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET")
_READERS = (":s3:getObject", ":s3:listObjectsV2")
_MAX = 100_000_000


def map_state(found: Findings, body: Body, at: str, language: str) -> None:
    found.either(body, at, "ItemProcessor", "Iterator", required=True)
    distributed = False
    for key in ("ItemProcessor", "Iterator"):
        processor = found.object(body, key, at)
        if processor is not None:
            distributed = _processor(found, processor, f"{at}/{key}") or distributed
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
    config = found.object(processor, "ProcessorConfig", at)
    if config is None:
        return False
    place = f"{at}/ProcessorConfig"
    found.supported(config, place, {"Mode", "ExecutionType"})
    found.one_of(config, "Mode", place, ("INLINE", "DISTRIBUTED"))
    found.one_of(config, "ExecutionType", place, ("STANDARD", "EXPRESS"))
    if config.get("Mode", "INLINE") != "DISTRIBUTED":
        if "ExecutionType" in config:
            found.error("Field 'ExecutionType' is not supported", place)
        return False
    found.required(config, place, "ExecutionType")
    if found.type == "EXPRESS":
        found.error(
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines",
            f"{place}/Mode",
        )
    return True


def _items(found: Findings, body: Body, at: str, language: str) -> None:
    found.either(body, at, "ItemSelector", "Parameters")
    if language == "JSONata":
        items = body.get("Items")
        if "Items" in body and not isinstance(items, list | dict) and not is_expression(items):
            found.error("Value must be an array or a JSONata expression", f"{at}/Items")
        for key in ("Items", "ItemSelector"):
            if key in body:
                queries.expressions(found, body[key], f"{at}/{key}")
        return
    queries.reference(found, body, "ItemsPath", at)
    for key in ("ItemSelector", "Parameters"):
        if key in body:
            queries.template(found, body[key], f"{at}/{key}")


def _limits(found: Findings, body: Body, at: str, language: str) -> None:
    for key in ("MaxConcurrency", "ToleratedFailureCount"):
        _path_too(found, body, key, at, language)
        queries.expression_or(found, body, key, at, lambda key=key: found.whole(body, key, at, 0, None))
    key = "ToleratedFailurePercentage"
    _path_too(found, body, key, at, language)
    queries.expression_or(found, body, key, at, lambda: found.number(body, key, at, 0.0, 100.0))


def _path_too(found: Findings, body: Body, key: str, at: str, language: str) -> None:
    if language == "JSONPath":
        found.either(body, at, key, f"{key}Path")
        queries.reference(found, body, f"{key}Path", at)


def _reader(found: Findings, body: Body, at: str, language: str) -> None:
    reader = found.object(body, "ItemReader", at)
    if reader is None:
        return
    place = f"{at}/ItemReader"
    if found.required(reader, place, "Resource"):
        resource = found.text(reader, "Resource", place)
        if resource is not None and not resource.endswith(_READERS):
            found.error("The field 'Resource' does not match any of the allowed values", f"{place}/Resource")
    _arguments(found, reader, place, language)
    config = found.object(reader, "ReaderConfig", place)
    if config is None:
        return
    place = f"{place}/ReaderConfig"
    if not is_expression(config.get("InputType")):
        found.one_of(config, "InputType", place, _INPUTS)
    _table(found, config, place)
    _path_too(found, config, "MaxItems", place, language)
    queries.expression_or(
        found, config, "MaxItems", place, lambda: found.whole(config, "MaxItems", place, 0, _MAX)
    )


def _table(found: Findings, config: Body, at: str) -> None:
    """What a reader of CSV files alone is told."""
    csv = config.get("InputType") in ("CSV", "MANIFEST") or is_expression(config.get("InputType"))
    if not csv and config.get("InputType") in _INPUTS:
        for key in ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"):
            if key in config:
                found.error(f"Field '{key}' is not supported", at)
        return
    if config.get("InputType") == "CSV" and "CSVHeaderLocation" not in config:
        found.error("The field 'CSVHeaderLocation' is required", at)
    found.one_of(config, "CSVHeaderLocation", at, ("FIRST_ROW", "GIVEN"))
    found.one_of(config, "CSVDelimiter", at, ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"))
    if config.get("CSVHeaderLocation") == "GIVEN":
        found.required(config, at, "CSVHeaders")
    headers = config.get("CSVHeaders", [])
    if not isinstance(headers, list):
        found.expected("ARRAY", f"{at}/CSVHeaders")
        return
    for index, header in enumerate(headers):
        if not isinstance(header, str):
            found.expected("STRING", f"{at}/CSVHeaders[{index}]")


def _arguments(found: Findings, body: Body, at: str, language: str) -> None:
    if language == "JSONata":
        if "Parameters" in body:
            found.other_language(language, "Parameters", at)
        if "Arguments" in body and not is_expression(body["Arguments"]):
            found.object(body, "Arguments", at)
        if "Arguments" in body:
            queries.expressions(found, body["Arguments"], f"{at}/Arguments")
    else:
        if "Arguments" in body:
            found.other_language(language, "Arguments", at)
        if found.object(body, "Parameters", at) is not None:
            queries.template(found, body["Parameters"], f"{at}/Parameters")


def _batcher(found: Findings, body: Body, at: str, language: str) -> None:
    batcher = found.object(body, "ItemBatcher", at)
    if batcher is None:
        return
    place = f"{at}/ItemBatcher"
    keys = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    if not any(key in batcher or f"{key}Path" in batcher for key in keys):
        found.error(
            f"This object should have at least one of the following fields: [{', '.join(keys)}]", place
        )
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
