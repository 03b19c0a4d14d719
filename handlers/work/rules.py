"""What an answer must look like, and who may give it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...statelang.asl import measure
from ...statelang.engine import DATA_LIMIT
from ..identity import Identity
from .items import WorkItem
from .refusal import CHANGED, INVALID, NOT_ALLOWED, Refused

MAX_COMMENT = 8192
"""Characters of a comment."""
MAX_VIOLATIONS = 20
REQUESTER = "requester"
"""Among a gate's approvers: whoever has started the execution may decide as well."""

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")

People = Mapping[str, Sequence[str]]
"""Who stands behind a name of a gate's approvers (`ops@example.com`, a group): accounts and other names."""


# -- values ------------------------------------------------------------------------------------------------


def check_schema(schema: Any) -> None:
    """Raises ValueError for what is no JSON Schema."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        raise ValueError(f"not a JSON Schema: {str(error).splitlines()[0]}") from None


def violations(schema: Any, value: Any) -> list[dict[str, str]]:
    """In what the value is not as the JSON Schema says: each with its `path`, as in `$.items[0].qty`."""
    from jsonschema import Draft202012Validator, FormatChecker

    dates = FormatChecker(formats=())
    dates.checks("date-time")(lambda value: not isinstance(value, str) or bool(_DATE_TIME.fullmatch(value)))
    found: list[dict[str, str]] = []
    try:
        for error in Draft202012Validator(schema, format_checker=dates).iter_errors(value):
            found.append({"path": error.json_path, "message": _brief(error.message)})
            if len(found) == MAX_VIOLATIONS:
                break
    except RecursionError:
        found.append({"path": "$", "message": "is nested too deeply"})
    return sorted(found, key=lambda each: each["path"])


def _brief(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:200]} … {message[-80:]}"


def text_of(value: Any, what: str) -> str:
    """The value as JSON text. Raises `Refused` for one that is none, or too large for a task's result."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = measure(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused(INVALID, f"{what} is not JSON: {error}") from None
    if size > DATA_LIMIT:
        raise Refused(
            INVALID,
            f"{what} has {size} bytes, and a step's result has {DATA_LIMIT} at the most: put the data into a file or a bucket, and its place into the result",
        )
    return text


def check_result(item: WorkItem, result: Any) -> None:
    """Raises `Refused` with every violation of the item's contract."""
    contract = item.request.get("contract")
    found = violations(contract, result) if contract is not None else []
    if found:
        lines = "\n".join(f"  {each['path']}: {each['message']}" for each in found)
        raise Refused(
            INVALID,
            f"the result of {item.step} is not as its contract wants it, so nothing was handed in and no attempt was used:\n{lines}\n"
            "Mend these and hand the result in again with the same `work`.",
            found,
        )


def check_usage(usage: Any) -> dict[str, float]:
    """`{"usd"?, "tokens"?}` as numbers that are not negative."""
    if usage is None:
        return {}
    if not isinstance(usage, dict) or not set(usage) <= {"usd", "tokens"}:
        raise Refused(INVALID, 'usage is {"usd": number, "tokens": integer}, both optional')
    for name, value in usage.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            raise Refused(INVALID, f"usage.{name} is a number that is not negative, not {value!r}")
        if name == "tokens" and value != int(value):
            raise Refused(INVALID, f"usage.tokens is a whole number, not {value!r}")
    return dict(usage)


def checked_form(item: WorkItem, form: Any) -> Any:
    """The form's values that go with a decision: those given, else the ones that were shown."""
    schema = item.request.get("form")
    if schema is None:
        if form is not None:
            raise Refused(INVALID, f"the gate {item.step} has no form to fill in")
        return None
    value = item.request.get("values") if form is None else form
    found = violations(schema, value)
    if found:
        lines = "\n".join(f"  {each['path']}: {each['message']}" for each in found)
        raise Refused(INVALID, f"the form is not as {item.step} wants it:\n{lines}", found)
    return value


def check_comment(comment: Any) -> str | None:
    if comment is None:
        return None
    if not isinstance(comment, str) or len(comment) > MAX_COMMENT:
        raise Refused(INVALID, f"a comment is a text of {MAX_COMMENT} characters at the most")
    return comment.strip() or None


# -- people ------------------------------------------------------------------------------------------------


def check_outcome(item: WorkItem, outcome: str, comment: str | None) -> None:
    outcomes = item.request.get("outcomes") or ["approve", "reject"]
    if outcome not in outcomes:
        raise Refused(INVALID, f"the gate {item.step} knows {', '.join(outcomes)}, not {outcome}")
    if outcome == "revise" and comment is None:
        raise Refused(INVALID, "a revision needs a comment that says what is to be changed")


def check_shown(item: WorkItem, shown: str | None) -> None:
    """A decision holds for what was shown, to the letter."""
    if shown is not None and (len(shown) < 8 or not item.digest.startswith(shown.lower())):
        raise Refused(
            CHANGED,
            f"what {item.step} shows now is {item.digest[:12]}, not {shown[:64]}: look at it again before you decide",
        )


def check_may_decide(item: WorkItem, by: Identity, requester: Identity | None, people: People) -> None:
    """An agent never decides; whoever has asked does not; and where approvers are named, nobody else."""
    approvers = [str(each) for each in item.request.get("approvers") or []]
    if by.agent is not None:
        raise Refused(
            NOT_ALLOWED,
            f"an agent cannot decide a gate, and {by.agent} is one: a person does, in a terminal of their own or by a link",
        )
    if by.via == "elicitation" and item.request.get("risk") != "low":
        raise Refused(
            NOT_ALLOWED, f"the gate {item.step} is not marked as of low risk, so it is not decided from here"
        )
    if by.user is None:
        raise Refused(NOT_ALLOWED, "a gate is decided by somebody who has a name")
    asked = requester is not None and requester.agent is None and _same(requester, by)
    if asked and REQUESTER not in approvers:
        raise Refused(
            NOT_ALLOWED,
            f"{by.user} has started this execution, and whoever asks does not approve: somebody else does, or the gate's approvers name `{REQUESTER}`",
        )
    named = [name for name in approvers if name != REQUESTER]
    if named and not (asked or any(_is(name, by, people) for name in named)):
        raise Refused(NOT_ALLOWED, f"{by.user} is not among the approvers of {item.step}: {', '.join(named)}")
    if approvers == [REQUESTER] and not asked:
        raise Refused(NOT_ALLOWED, f"only whoever has started the execution decides {item.step}")


def may_decide(item: WorkItem, by: Identity, requester: Identity | None, people: People) -> bool:
    try:
        check_may_decide(item, by, requester, people)
    except Refused:
        return False
    return True


def _same(one: Identity, other: Identity) -> bool:
    """Of two accounts on different machines nothing is known but the name, which is taken to be the same person's."""
    return one.user == other.user


def _is(name: str, by: Identity, people: People) -> bool:
    """Whether the name of an approver stands for that person: an account, `account@host`, a name of `people`, or a pattern
    of such names (`*` is anybody)."""
    own = (str(by.user), f"{by.user}@{by.host}")
    seen: set[str] = set()
    names = [name]
    while names:
        each = names.pop()
        if any(fnmatchcase(name, each) for name in own):
            return True
        if each not in seen:
            seen.add(each)
            names += people.get(each, ())
    return False
