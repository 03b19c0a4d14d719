"""`ResultWriter`: the results of a distributed map's child executions, as files in S3 with a manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..runtime import Runtime

GROUPS = ("FAILED", "PENDING", "SUCCEEDED")


class ResultWriterFailed(Exception):
    """`States.ResultWriterFailed`; the text is the cause."""


def child_results(runtime: Runtime, tenant: str, map_run: str) -> list[dict[str, Any]]:
    """What became of every child execution of the map run, in the order of its items."""
    from ..children import description

    executions = runtime.executions(tenant)
    results: list[tuple[int, dict[str, Any]]] = []
    token: str | None = None
    while True:
        page = executions.store.heads(state_machine=map_run, limit=1000, token=token)
        for head in page.items:
            snapshot = executions.load(head.execution).snapshot
            results.append((snapshot["parent"]["index"], description(snapshot, parsed=False, redrive=True)))
        token = page.token
        if token is None:
            return [result for _, result in sorted(results, key=itemgetter(0))]


def write_results(
    runtime: Runtime,
    resource: str,
    arguments: dict[str, Any],
    config: dict[str, Any],
    map_run: str,
    results: Iterable[dict[str, Any]],
) -> dict[str, Any]:
    """Writes `<prefix>/<map run>/manifest.json` and one file for each group; answers where the manifest is.

    Raises `ResultWriterFailed`.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = arguments.get("Bucket")
    if not isinstance(bucket, str):
        raise ResultWriterFailed("The field 'Bucket' is required but was missing")
    prefix = arguments.get("Prefix") or ""
    if not isinstance(prefix, str):
        raise ResultWriterFailed("The field 'Prefix' must be a string")
    folder = "/".join(part for part in (prefix, map_run.rpartition(":")[2]) if part)
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS}
    for result in results:
        status = result["Status"]
        groups[
            "SUCCEEDED" if status == "SUCCEEDED" else "PENDING" if status == "RUNNING" else "FAILED"
        ].append(result)
    files: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS}
    client = runtime.client("s3")
    try:
        for group, members in groups.items():
            if members:
                key, body = f"{folder}/{group}_0.{_suffix(config)}", _body(members, config)
                client.put_object(Bucket=bucket, Key=key, Body=body)
                files[group].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run, "ResultFiles": files}
        place = f"{folder}/manifest.json"
        client.put_object(Bucket=bucket, Key=place, Body=json.dumps(manifest).encode())
    except (ClientError, BotoCoreError) as error:
        raise ResultWriterFailed(str(error)) from None
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": bucket, "Key": place}}


def _suffix(config: dict[str, Any]) -> str:
    return "jsonl" if config.get("OutputType") == "JSONL" else "json"


def _body(results: list[dict[str, Any]], config: dict[str, Any]) -> bytes:
    """The file: whole descriptions (`NONE`), outputs alone (`COMPACT`), or outputs with lists taken apart (`FLATTEN`)."""
    transformation = config.get("Transformation", "NONE")
    items: list[Any] = list(results)
    if transformation != "NONE":
        items = [json.loads(result["Output"]) if "Output" in result else result for result in results]
    if transformation == "FLATTEN":
        items = [part for item in items for part in (item if isinstance(item, list) else [item])]
    if config.get("OutputType") == "JSONL":
        return "".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in items).encode()
    return json.dumps(items, ensure_ascii=False).encode()
