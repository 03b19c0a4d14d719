"""`ItemReader`: where a distributed map's items come from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .formats import ItemReaderFailed, limit, read

if TYPE_CHECKING:
    from ..runtime import Runtime

_TEXTS = ("InputType", "CSVHeaderLocation", "CSVDelimiter", "ItemsPointer", "Transformation", "ManifestType")


def read_items(
    runtime: Runtime, resource: str, arguments: dict[str, Any], config: dict[str, Any] | None
) -> list[Any]:
    """The items. `arguments` are the evaluated Parameters or Arguments, `config` is the ReaderConfig.

    Raises `ItemReaderFailed`.
    """
    config = config or {}
    _check(arguments, config)
    most = limit(config)
    action = resource.rpartition(":")[2].lower()
    if action in ("listobjectsv2", "listobjects"):
        found = _listed(runtime, arguments, config)
    elif action == "getobject":
        key = arguments.get("Key", "")
        body = _get(runtime, arguments)
        found = read(body, key, config, lambda bucket, name: _get(runtime, {"Bucket": bucket, "Key": name}))
    else:
        raise ItemReaderFailed(f"The resource {resource} is not supported for reading items.")
    return list(itertools.islice(found, most))


def _check(arguments: dict[str, Any], config: dict[str, Any]) -> None:
    """Expressions may come to anything."""
    for given, names in ((arguments, ("Bucket", "Key", "Prefix")), (config, _TEXTS)):
        for name in names:
            if not isinstance(given.get(name) or "", str):
                raise ItemReaderFailed(f"The field '{name}' must be a string")
    headers = config.get("CSVHeaders") or []
    if not isinstance(headers, list) or not all(isinstance(header, str) for header in headers):
        raise ItemReaderFailed("The field 'CSVHeaders' must be an array of strings")


def _listed(runtime: Runtime, arguments: dict[str, Any], config: dict[str, Any]) -> Iterator[Any]:
    pages = _call(lambda: runtime.client("s3").get_paginator("list_objects_v2").paginate(**_only(arguments)))
    try:
        for page in pages:
            for item in page.get("Contents", []):
                if config.get("Transformation") == "LOAD_AND_FLATTEN":
                    place = {"Bucket": arguments.get("Bucket"), "Key": item["Key"]}
                    yield from read(
                        _get(runtime, place),
                        item["Key"],
                        config,
                        lambda b, k: _get(runtime, {"Bucket": b, "Key": k}),
                    )
                else:
                    yield {
                        "Etag": item["ETag"],
                        "Key": item["Key"],
                        "LastModified": int(item["LastModified"].timestamp()),
                        "Size": item["Size"],
                        "StorageClass": item.get("StorageClass", "STANDARD"),
                    }
    except Exception as error:
        raise _failed(error) from None


def _only(arguments: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if value is not None}


def _get(runtime: Runtime, arguments: dict[str, Any]) -> bytes:
    return _call(lambda: runtime.client("s3").get_object(**_only(arguments))["Body"].read())


def _call(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        raise _failed(error) from None


def _failed(error: Exception) -> Exception:
    """S3's refusal, or bad arguments, as the item reader's failure; anything else as it is."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        details = error.response["Error"]
        return ItemReaderFailed(
            f"{details.get('Message', '')} (Service: S3, Error Code: {details.get('Code')})"
        )
    return ItemReaderFailed(str(error)) if isinstance(error, BotoCoreError) else error
