"""Texts and tables as items."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from ...statelang.asl import NotJson, read_json

MAX_ITEMS = 100_000_000
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


class ItemReaderFailed(Exception):
    """`States.ItemReaderFailed`; the text is the cause."""


def limit(config: dict[str, Any]) -> int | None:
    """How many items are read at the most; None for all."""
    given = config.get("MaxItems")
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    if given is None or given == 0:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ItemReaderFailed("field MaxItems must be positive")
    return min(given, MAX_ITEMS)


def read(body: bytes, key: str, config: dict[str, Any], fetch: Callable[[str, str], bytes]) -> Iterator[Any]:
    """The items of a file's content. `fetch(bucket, key)` gets the files that a manifest names."""
    if key.endswith(".gz") and body[:2] == b"\x1f\x8b":
        body = _unpacked(body)
    kind = config.get("InputType", "JSON")
    if kind == "CSV":
        return _csv(_text(body), config)
    if kind == "JSONL":
        return _lines(_text(body))
    if kind == "MANIFEST":
        return _manifest(_json(body, key), config, fetch)
    if kind == "PARQUET":
        return _parquet(body)
    return iter(_array(_json(body, key), config, key))


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ItemReaderFailed(f"The file cannot be unpacked: {error}") from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ItemReaderFailed(f"The file is not UTF-8: {error}") from None


def _json(body: bytes, key: str) -> Any:
    try:
        return read_json(_text(body))
    except NotJson as error:
        raise ItemReaderFailed(f"The file '{key}' is not JSON: {error}") from None


def _array(value: Any, config: dict[str, Any], key: str) -> list[Any]:
    pointer = config.get("ItemsPointer")
    if pointer:
        for part in pointer.lstrip("/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise ItemReaderFailed(
                    f"ItemsPointer '{pointer}' leads nowhere in the file '{key}'"
                ) from None
    if isinstance(value, dict):
        return [{"Key": name, "Value": item} for name, item in value.items()]
    if not isinstance(value, list):
        raise ItemReaderFailed("Attempting to map over non-iterable node.")
    return value


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield read_json(line)
            except NotJson as error:
                raise ItemReaderFailed(f"Line {number} of the file is not JSON: {error}") from None


def _csv(text: str, config: dict[str, Any]) -> Iterator[dict[str, str]]:
    delimiter = DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    # A field may be as long as the file.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "GIVEN":
        headers = config.get("CSVHeaders") or []
    else:
        headers = next(rows, [])
    if len(set(headers)) != len(headers):
        raise ItemReaderFailed("CSV headers cannot contain duplicates.")
    return _records(rows, headers)


def _records(rows: Iterator[list[str]], headers: list[str]) -> Iterator[dict[str, str]]:
    """Rows that are too short are filled up, those that are too long are cut."""
    order = _hashed(headers)
    for row in rows:
        if row:
            fields = dict(zip(headers, itertools.chain(row, itertools.repeat("")), strict=False))
            yield {header: fields[header] for header in order}


def _hashed(headers: list[str]) -> list[str]:
    """The headers in the order in which Step Functions gives a row's fields: that of Java's hash maps."""
    size = 16
    while len(headers) > size * 3 // 4:
        size *= 2

    def bucket(header: str) -> int:
        code = 0
        units = header.encode("utf-16-be", "surrogatepass")
        for high, low in zip(units[::2], units[1::2], strict=True):
            code = (code * 31 + (high << 8 | low)) & 0xFFFFFFFF
        return (code ^ code >> 16) & size - 1

    return sorted(headers, key=bucket)


def _manifest(
    manifest: Any, config: dict[str, Any], fetch: Callable[[str, str], bytes]
) -> Iterator[dict[str, str]]:
    """An S3 inventory: the objects that its CSV files list."""
    try:
        bucket = manifest["destinationBucket"].removeprefix("arn:aws:s3:::")
        headers = [name.strip() for name in manifest["fileSchema"].split(",")]
        files = [file["key"] for file in manifest["files"]]
    except (KeyError, TypeError, AttributeError):
        raise ItemReaderFailed("The file is no manifest of an S3 inventory in CSV format.") from None
    for key in files:
        body = fetch(bucket, key)
        if body[:2] == b"\x1f\x8b":
            body = _unpacked(body)
        yield from _csv(_text(body), {"CSVHeaderLocation": "GIVEN", "CSVHeaders": headers})


def _parquet(body: bytes) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow.parquet as parquet  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ItemReaderFailed("Reading Parquet needs pyarrow, which is not installed here.") from None
    try:
        for batch in parquet.ParquetFile(io.BytesIO(body)).iter_batches():
            yield from batch.to_pylist()
    except (ValueError, OSError) as error:  # pyarrow's own errors are of these kinds
        raise ItemReaderFailed(f"The file is not Parquet: {error}") from None
