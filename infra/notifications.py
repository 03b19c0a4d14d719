"""Where gates of a stage are announced: what may be said of that in the open, and what goes into a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+")
_MOST = 2048
"""Bytes: a function's environment holds 4 KB in all."""


class Unfit(ValueError):
    """The configuration cannot be deployed; the text says why, and what can be done."""


def read(text: str) -> str:
    """`STRATUM_NOTIFY` of a stage: `text` is the ARN of a secret, or a file of the configuration, where everything is for all
    to see who may look at the function. Raises `Unfit`."""
    if text.startswith("arn:"):
        if SECRET.fullmatch(text):
            return text
        raise Unfit(
            f"--notify {text}: it is a JSON file, or the ARN of a secret of Secrets Manager with its content"
        )
    from ..handlers.work.notifying import InvalidConfiguration
    from ..handlers.work.notifying import read as check

    try:
        config = check(Path(text).read_text(encoding="utf-8"))
    except (OSError, UnicodeError, InvalidConfiguration) as error:
        raise Unfit(f"--notify {text}: {error}") from None
    for name, target in config.get("targets", {}).items():
        if "command" in target:
            raise Unfit(
                f"--notify {text}: the target {name} is a command, and on Lambda there are none; use sns or webhook"
            )
        if "webhook" in target:
            raise Unfit(
                f"--notify {text}: the target {name} is a webhook, whose address or secret is nobody's business: make the file's "
                f"content a secret (aws secretsmanager create-secret --name stratum-notify --secret-string file://{text}) "
                "and give its ARN instead of the file"
            )
        if not _TOPIC.fullmatch(str(target.get("sns"))):
            raise Unfit(f"--notify {text}: the target {name} names no SNS topic by its ARN")
    made = json.dumps(config, separators=(",", ":"))
    if len(made) > _MOST:
        raise Unfit(f"--notify {text}: it has more than {_MOST} bytes: make it a secret, and give its ARN")
    return made


def topics(notify: str | None) -> set[str]:
    """The topics of what `read` gave; what a secret names has to be allowed by somebody."""
    if notify is None or notify.startswith("arn:"):
        return set()
    return {str(each["sns"]) for each in json.loads(notify).get("targets", {}).values()}


def of_payload(arguments: Any) -> set[str]:
    """The topics that a gate's own payload names."""
    payload = arguments.get("Payload") if isinstance(arguments, dict) else None
    named = payload.get("notify") if isinstance(payload, dict) else None
    return (
        {each for each in named if isinstance(each, str) and _TOPIC.fullmatch(each)}
        if isinstance(named, list)
        else set()
    )
