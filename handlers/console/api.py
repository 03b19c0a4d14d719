"""The way in: a function URL's event in, JSON out.

What only looks is a GET, with its parameters in the query; what does something is a POST with a JSON body and the header
`x-stratum-console`, which no page of another origin can send without being asked first whether it may.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

from ..loading import ExecutionNotFound
from ..logs import logger
from ..step_functions.refusal import NotOnStepFunctions
from ..store import InvalidToken, StoreError
from ..work.refusal import Refused
from .host import Console, Refusal

HEADER = "x-stratum-console"
MAX_BODY = 2 * 1024 * 1024

Function = Callable[[Console, Mapping[str, Any]], Any]

_GET = {
    "about": "listing:about",
    "executions": "listing:executions",
    "execution": "execution:execution",
    "cost": "execution:cost",
    "events": "execution:events",
    "visits": "visits:visits",
    "visit": "visits:visit",
    "map-run": "maps:map_run",
    "event": "execution:event",
    "value": "execution:value",
    "definition": "definitions:definition",
    "workflows": "workflows:workflows",
    "workflow": "workflows:workflow",
    "start-form": "workflows:start_form",
    "compare": "workflows:compare",
    "gates": "work:gates",
    "agents": "work:agents",
}
_POST = {
    "start": "actions:start",
    "stop": "actions:stop",
    "redrive": "actions:redrive",
    "fork": "actions:fork",
    "decide": "actions:decide",
    "alias": "actions:alias",
    "check": "drafts:check",
    "edit": "drafts:edit",
    "try": "drafts:try_out",
}


def handle(console: Console, event: Mapping[str, Any]) -> dict[str, Any]:
    """Takes a function URL's event (payload format 2.0); the last part of its path is what is asked for."""
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method", "GET")
    name = str(event.get("rawPath") or "").rpartition("/")[2]
    try:
        if method in ("GET", "HEAD"):
            function = _function(_GET, name)
            parameters: Mapping[str, Any] = dict(parse_qsl(event.get("rawQueryString") or ""))
        elif method == "POST":
            function = _function(_POST, name)
            parameters = _body(event)
        else:
            raise Refusal(405, "what looks is a GET, and what does something a POST")
        return _answer(200, function(console, parameters))
    except Refusal as refusal:
        return _answer(refusal.status, {"message": str(refusal), **refusal.fields})
    except Refused as refused:
        return _answer(409, {"message": str(refused), "reason": refused.reason})
    except ExecutionNotFound as error:
        return _answer(404, {"message": f"there is no execution {error}"})
    except InvalidToken:
        return _answer(400, {"message": "that page of the list is gone: begin again"})
    except NotOnStepFunctions as refused:
        return _answer(409, {"message": str(refused)})
    except StoreError as error:
        logger.error("the store failed", asked=name, reason=str(error))
        return _answer(500, {"message": str(error)})
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "botocore":
            logger.error("AWS refused", asked=name, reason=str(error))
            return _answer(502, {"message": f"AWS refused: {error}"})
        logger.exception("failed", asked=name)
        return _answer(500, {"message": f"{type(error).__name__}: {error}"})


def _function(ways: Mapping[str, str], name: str) -> Function:
    """Imported when it is first asked for."""
    if name not in ways:
        raise Refusal(404, f"there is no {name[:80]!r} here")
    module, _, function = ways[name].partition(":")
    return getattr(import_module(f".{module}", __package__), function)


def _body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = {key.lower(): value for key, value in (event.get("headers") or {}).items()}
    if headers.get(HEADER) != "1" or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refusal(403, f"only the console's own pages do something here (with the header {HEADER}: 1)")
    text = event.get("body") or ""
    try:
        content = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
        if len(content) > MAX_BODY:
            raise Refusal(413, f"a request has {MAX_BODY} bytes at the most")
        parameters = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise Refusal(400, "the body is not a JSON object")
    return parameters


def _answer(status: int, value: Any) -> dict[str, Any]:
    headers = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
    }
    return {"statusCode": status, "headers": headers, "body": json.dumps(value, ensure_ascii=False)}


def text(parameters: Mapping[str, Any], name: str, *, most: int = 4096) -> str:
    """A parameter that must be there. Raises `Refusal`."""
    value = parameters.get(name)
    if not isinstance(value, str) or not value or len(value) > most:
        raise Refusal(400, f"`{name}` is a text of {most} characters at the most, and must be given")
    return value


def optional(parameters: Mapping[str, Any], name: str, *, most: int = 8192) -> str | None:
    value = parameters.get(name)
    if value is None or value == "":
        return None
    return text(parameters, name, most=most)


def number(parameters: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """A whole number from 0 to `most`. Raises `Refusal`."""
    value = parameters.get(name, default)
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = -1
    if isinstance(value, bool) or not 0 <= found <= most:
        raise Refusal(400, f"`{name}` is a number from 0 to {most}")
    return found
