"""Telling people of a gate: by SNS, by a webhook, or by a command.

A step names *targets*; what a target is, only the configuration says (`STRATUM_NOTIFY`: JSON, `@` and a file of
it, or the ARN of a secret of Secrets Manager), so that no spec can make this process run a program or call an address. An SNS topic alone may be named by its
ARN, as IAM guards it.

    {"targets": {"ops": {"sns": "arn:aws:sns:…"},
                 "chat": {"webhook": "https://chat.example.com/hook", "secret": "…", "for": "ops@example.com"},
                 "desk": {"command": ["notify-send", "A gate waits"]}},
     "always": ["chat"]}

With `for`, the notification carries a link by which that approver decides, where links can be made. A webhook's body
is signed as `X-Stratum-Signature: sha256=…` where there is a `secret`. A command finds the notification on its
standard input. What cannot be told is noted in the journal, and the gate waits all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..identity import Identity
from ..logs import logger
from ..times import rfc3339
from .items import WorkItem
from .refusal import Refused

if TYPE_CHECKING:
    from ..runtime import Runtime
    from .answers import Desk

VARIABLE = "STRATUM_NOTIFY"
STAGE = "STRATUM_STAGE"
"""The variable that names the stage which this runs on."""
SECRET = "arn:aws"
_FRESH = 5 * 60_000
_SECONDS = 10
_SHOWN = 4000
_QUIET = {"PATH", "HOME", "LANG", "USER", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
          "SYSTEMROOT"}  # fmt: skip
"""What a command sees of the environment: enough to reach a desktop, and no credentials."""


class InvalidConfiguration(ValueError):
    """`STRATUM_NOTIFY` is not as it has to be; the text says in what."""


def configuration(runtime: Runtime, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Raises `InvalidConfiguration`, and what Secrets Manager raises."""
    text = environ.get(VARIABLE, "").strip()
    if text.startswith(SECRET):
        text = _secret(runtime.client("secretsmanager"), text, runtime.clock() // _FRESH)
    try:
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                text = file.read()
    except OSError as error:
        raise InvalidConfiguration(f"{VARIABLE}: {error}") from None
    return read(text)


@lru_cache(maxsize=4)
def _secret(client: Any, arn: str, when: int) -> str:
    """Read again every few minutes, so that another value counts without another deployment."""
    return client.get_secret_value(SecretId=arn)["SecretString"]


def read(text: str) -> dict[str, Any]:
    """The configuration in a text. Raises `InvalidConfiguration`."""
    try:
        config = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidConfiguration(f"{VARIABLE}: {error}") from None
    targets = config.get("targets", {}) if isinstance(config, dict) else None
    if not isinstance(targets, dict) or not isinstance(config.get("always", []), list):
        raise InvalidConfiguration(f'{VARIABLE} is {{"targets": {{name: target}}, "always": [names]}}')
    for name, target in targets.items():
        if not isinstance(target, dict) or len({"sns", "webhook", "command"} & set(target)) != 1:
            raise InvalidConfiguration(f"{VARIABLE}: the target {name} is one of sns, webhook and command")
    return config


def notify(desk: Desk, item: WorkItem, why: str, also: Iterable[str] = ()) -> list[str]:
    """Tells everybody who is to be told of the gate; `why` is `gate`, `reminder` or `escalation`. Answers whom."""
    try:
        config = configuration(desk.runtime)
    except Exception as error:  # whatever is wrong with it, the gate waits all the same
        logger.warning("not notified", work=item.handle, reason=str(error))
        desk.note(item, "not notified", _ENGINE, reason=str(error)[:500])
        return []
    named = [*config.get("always", ()), *(item.request.get("notify") or ()), *also]
    told: list[str] = []
    for name in dict.fromkeys(str(each) for each in named):
        target = config.get("targets", {}).get(name)
        if target is None and name.startswith("arn:") and ":sns:" in name:
            target = {"sns": name}
        try:
            if target is None:
                raise LookupError(f"{VARIABLE} has no target {name}")
            _send(desk, target, message(desk, item, why, target.get("for")))
        except Exception as error:  # whatever a target does wrong, the gate waits all the same
            logger.warning("not notified", work=item.handle, target=name, reason=str(error))
            desk.note(
                item, "not notified", _ENGINE, target=name, reason=f"{type(error).__name__}: {error}"[:500]
            )
        else:
            told.append(name)
            desk.note(item, "notified", _ENGINE, target=name, reason=why)
    return told


_ENGINE = Identity(None, "engine")


def message(desk: Desk, item: WorkItem, why: str, approver: str | None = None) -> dict[str, Any]:
    """What is told of a gate, as JSON."""
    shown = json.dumps(item.request.get("shows"), ensure_ascii=False)
    told = {
        "type": why, "gate": item.id, "workflow": item.workflow, "version": item.version, "execution": item.execution,
        "step": item.step, "iteration": item.iteration, "message": item.request.get("message"),
        "outcomes": item.request.get("outcomes"), "approvers": item.request.get("approvers") or [],
        "shows": item.request.get("shows") if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …", "digest": item.digest,
        "deadline": None if item.deadline is None else rfc3339(item.deadline),
        "command": f"stratum approve {item.id}" + (f" --stage {stage}" if (stage := os.environ.get(STAGE)) else ""),
    }  # fmt: skip
    if approver is not None:
        told["link"] = _link(desk, item, approver)
    return told


def _link(desk: Desk, item: WorkItem, approver: str) -> str | None:
    from . import links

    try:
        return links.address(desk, item, approver)
    except (Refused, links.NoKey):
        return None  # told all the same: others than by a link may decide


def _send(desk: Desk, target: Mapping[str, Any], told: dict[str, Any]) -> None:
    kind = next(name for name in ("sns", "webhook", "command") if name in target)
    _WAYS[kind](desk, target, told)


def _sns(desk: Desk, target: Mapping[str, Any], told: dict[str, Any]) -> None:
    lines = [
        told["message"] or f"{told['step']} of {told['workflow']} waits for a decision.",
        f"Execution: {told['execution']}", f"Decide by: {told['deadline'] or 'no deadline'}",
        f"In a terminal: {told['command']}", *([f"Or here: {told['link']}"] if told.get("link") else []), "",
        json.dumps(told, indent=2, ensure_ascii=False),
    ]  # fmt: skip
    subject = f"Stratum: {told['step']} of {told['workflow']} ({told['type']})"
    # SNS takes ASCII subjects of 100 characters at the most.
    desk.runtime.client("sns").publish(
        TopicArn=target["sns"],
        Subject=subject.encode("ascii", "replace").decode()[:100],
        Message="\n".join(lines),
    )


def _webhook(desk: Desk, target: Mapping[str, Any], told: dict[str, Any]) -> None:
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *arguments: Any, **named: Any) -> None:
            """A redirect would lead to an address that nobody has configured: it counts as a failure."""

    url = str(target["webhook"])
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url} is no address of the web")
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "user-agent": "stratum"}
    if target.get("secret"):
        signature = hmac.new(str(target["secret"]).encode(), body, hashlib.sha256).hexdigest()
        headers["x-stratum-signature"] = f"sha256={signature}"
    request = Request(url, body, headers, method="POST")
    with build_opener(NoRedirect).open(request, timeout=_SECONDS) as answer:
        answer.read(1)


def _command(desk: Desk, target: Mapping[str, Any], told: dict[str, Any]) -> None:
    import subprocess

    command = target["command"]
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise ValueError("a command is a list of texts: the program and its arguments")
    subprocess.run(
        command, input=json.dumps(told, ensure_ascii=False).encode(), timeout=_SECONDS, check=True, capture_output=True,
        env={name: value for name, value in os.environ.items() if name in _QUIET},
    )  # fmt: skip


_WAYS: dict[str, Callable[[Desk, Mapping[str, Any], dict[str, Any]], None]] = {
    "sns": _sns,
    "webhook": _webhook,
    "command": _command,
}
