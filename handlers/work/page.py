"""What a browser sees of a gate's link: a function URL that shows the gate (GET) and takes the decision (POST).

Looking changes nothing, so that mail scanners may. There is no script; everything that comes from a workflow is
escaped; a page of another site can neither frame this one nor send its form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..logs import logger
from ..runtime import Runtime, invoked
from ..times import rfc3339
from . import links
from .answers import Desk
from .items import WorkItem
from .refusal import ANSWERED, CHANGED, EXPIRED, FORGED, INVALID, LATE, NOT_FOUND, USED, Refused

MAX_BODY = 400 * 1024
_STATUS = {
    NOT_FOUND: 404, FORGED: 403, EXPIRED: 410, USED: 410, ANSWERED: 410, LATE: 410, CHANGED: 409, INVALID: 422,
}  # fmt: skip
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}dt{color:#666;font-size:.85rem}dd{margin:0 0 .6rem}
pre{background:#f4f4f4;padding:.8rem;overflow:auto;max-height:30rem;white-space:pre-wrap;overflow-wrap:anywhere}
label{display:block;margin:.6rem 0 .2rem}input,textarea,select{width:100%;box-sizing:border-box;font:inherit;padding:.4rem}
button{font:inherit;padding:.5rem 1.2rem;margin:1rem .6rem 0 0}.wrong{color:#a00;white-space:pre-wrap}
.quiet{color:#666;font-size:.85rem;overflow-wrap:anywhere}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY", "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cache-control": "no-store", "cross-origin-opener-policy": "same-origin",
}  # fmt: skip


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point, behind a function URL that anybody may call: the link is what lets them in."""
    return invoked(_invoked, event, context)


def _invoked(runtime: Runtime, event: dict[str, Any], context: Any) -> dict[str, Any]:
    tenant = links.tenant_of(_token(event)) or runtime.store.tenant
    return handle(lambda: Desk(runtime, tenant), event)


def handle(make_desk: Callable[[], Desk], event: Mapping[str, Any]) -> dict[str, Any]:
    """Takes a function URL's event (payload format 2.0) and answers a page."""
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method", "GET")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        if method in ("GET", "HEAD"):
            return _shown(make_desk(), _token(event))
        if method != "POST":
            return _page(405, "No such way", "<p>A gate's page is looked at, and its form sent.</p>")
        if (elsewhere := _from_elsewhere(headers)) is not None:
            return _page(403, "Not from here", f"<p>{escape(elsewhere)}</p>")
        return _decided(make_desk(), _fields(event))
    except Refused as refused:
        return _page(
            _STATUS.get(refused.reason, 403), "Not possible", f'<p class="wrong">{escape(str(refused))}</p>'
        )
    except links.NoKey as error:
        logger.error("no key for links", reason=str(error))
        return _page(503, "Not set up", "<p>Links are not set up here.</p>")


def _token(event: Mapping[str, Any]) -> str:
    """The link's token: of the address that is looked at, or of the form that is sent."""
    if ((event.get("requestContext") or {}).get("http") or {}).get("method") == "POST":
        try:
            return _fields(event).get("link", "")
        except Refused:
            return ""
    return (parse_qs(event.get("rawQueryString") or "").get("link") or [""])[0]


def _shown(desk: Desk, token: str) -> dict[str, Any]:
    link = links.read(desk, token)
    item = links.item_of(desk, link)
    if not desk.items.is_open(item):
        raise desk.over(item)
    return _gate(item, link, token)


def _decided(desk: Desk, fields: Mapping[str, str]) -> dict[str, Any]:
    token, outcome = fields.get("link", ""), fields.get("outcome", "")
    link = links.read_for_deciding(desk, token)
    item = links.item_of(desk, link)
    schema = item.request.get("form")
    try:
        form = _form_values(schema, fields) if schema is not None and outcome != "reject" else None
        done = links.decide(desk, token, outcome, comment=fields.get("comment") or None, form=form)
    except Refused as refused:
        if refused.reason != INVALID:
            raise
        return _gate(item, link, token, problem=str(refused), typed=fields)
    answer = done.answer or {}
    said = f"<p>{escape(done.step)} of {escape(done.workflow)}: <strong>{escape(str(answer.get('outcome')))}</strong>, in the name of {escape(link.approver)}.</p>"
    return _page(200, "Decided", f"{said}<p>The workflow goes on. This link is used up.</p>")


def _gate(
    item: WorkItem, link: links.Link, token: str, problem: str = "", typed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    request = item.request
    facts = [
        ("Workflow", f"{item.workflow} {item.version or ''}"),
        ("Execution", item.execution),
        ("Step", item.step + (f" ({item.iteration})" if item.iteration else "")),
        ("Decide by", rfc3339(min(link.until, item.deadline or link.until))),
        ("In the name of", link.approver),
    ]
    body = [f"<p>{escape(request['message'])}</p>" if request.get("message") else ""]
    body.append(
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts) + "</dl>"
    )
    for remark in request.get("remarks") or []:
        body.append(f"<p>Asked for before:</p><pre>{escape(_json(remark))}</pre>")
    if request.get("shows") is not None:
        body.append(f"<pre>{escape(_json(request['shows']))}</pre>")
    outcomes = request.get("outcomes") or ["approve", "reject"]
    buttons = "".join(
        f'<button name="outcome" value="{escape(each)}">{escape(each.capitalize())}</button>'
        for each in outcomes
    )
    comment = escape((typed or {}).get("comment", ""))
    body += [
        f'<p class="wrong">{escape(problem)}</p>' if problem else "",
        f'<form method="post"><input type="hidden" name="link" value="{escape(token)}">',
        _inputs(request, typed),
        f'<label for="comment">Comment</label><textarea id="comment" name="comment" rows="3" maxlength="8000">{comment}</textarea>',
        f"{buttons}</form>",
        f'<p class="quiet">What is shown here: sha256 {item.digest}</p>',
    ]
    return _page(422 if problem else 200, f"{item.step} waits for a decision", "".join(body))


# -- the form ----------------------------------------------------------------------------------------------

_SIMPLE = {"string", "number", "integer", "boolean"}


def _is_flat(schema: Any) -> bool:
    """Whether the form has a field of its own for each value; otherwise it is one text of JSON."""
    if not isinstance(schema, dict):
        return False
    properties = schema.get("properties")
    return isinstance(properties, dict) and bool(properties) and all(
        isinstance(part, dict) and (part.get("type") in _SIMPLE or "enum" in part) for part in properties.values()
    )  # fmt: skip


def _inputs(request: Mapping[str, Any], typed: Mapping[str, str] | None) -> str:
    schema, values = request.get("form"), request.get("values")
    if schema is None:
        return ""
    if not _is_flat(schema):
        text = typed["form"] if typed and "form" in typed else _json(values)
        return f'<label for="form">Form (JSON)</label><textarea id="form" name="form" rows="10">{escape(text)}</textarea>'
    made: list[str] = []
    for number, (name, part) in enumerate(schema["properties"].items()):
        value = (values or {}).get(name) if isinstance(values, dict) else None
        text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        if typed is not None:
            text = typed.get(f"field.{name}", text)
        key, id = escape(f"field.{name}"), f"field{number}"
        made.append(f'<label for="{id}">{escape(part.get("title") or name)}</label>')
        choices = part.get("enum") or ([True, False] if part.get("type") == "boolean" else None)
        if choices:
            texts = [each if isinstance(each, str) else json.dumps(each) for each in choices]
            options = "".join(
                f'<option value="{escape(each)}"{" selected" if each == text else ""}>{escape(each)}</option>'
                for each in ["", *texts]
            )
            made.append(f'<select id="{id}" name="{key}">{options}</select>')
        else:
            made.append(f'<input id="{id}" name="{key}" value="{escape(text)}">')
    return "".join(made)


def _form_values(schema: Any, fields: Mapping[str, str]) -> Any:
    """What the form's fields say, as JSON. Raises `Refused` for a text that is none."""
    if not _is_flat(schema):
        if "form" not in fields:
            return None
        try:
            return json.loads(fields["form"])
        except (ValueError, RecursionError) as error:
            raise Refused(INVALID, f"the form is not JSON: {error}") from None
    values: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        text = fields.get(f"field.{name}", "")
        if text == "" and (part.get("type") != "string" or name not in schema.get("required", [])):
            continue  # left out
        values[name] = _value(part, text)
    return values


def _value(part: Mapping[str, Any], text: str) -> Any:
    for each in part.get("enum") or []:
        if text == (each if isinstance(each, str) else json.dumps(each)):
            return each
    if part.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # the form's check says what it should have been


# -- HTTP --------------------------------------------------------------------------------------------------


def _from_elsewhere(headers: Mapping[str, str]) -> str | None:
    """Why a form was sent by a page that is not ours, or None."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "This form was sent by another site."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return "This form was sent by a page of another origin."
    return None


def _fields(event: Mapping[str, Any]) -> dict[str, str]:
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        if len(body) > MAX_BODY:
            raise Refused(INVALID, f"a form has {MAX_BODY} bytes at the most")
        given = parse_qs(body, keep_blank_values=True, max_num_fields=200, errors="strict")
    except (ValueError, binascii.Error):
        raise Refused(INVALID, "the form cannot be read") from None
    return {name: values[-1].replace("\r\n", "\n") for name, values in given.items()}


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _page(status: int, title: str, body: str) -> dict[str, Any]:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    text = text.encode("utf-8", "replace").decode()  # half a character, which JSON can hold, no page can
    return {"statusCode": status, "headers": dict(_HEADERS), "body": text}
