"""What tests say in place of the people and agents that gates and agent steps wait for.

A gate's mock is its outcome (`"approve"`, `"reject"`, `"revise"`), an agent's the result of its work; what else there is
to the answer is filled in. An answer that is whole is taken as it is. See `handlers.work.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORK = "stratum-work"
_AGENT = {"result", "usage", "by", "at"}


def is_work(function: str | None) -> bool:
    """Whether a task hands out work: to an agent, or to people to decide on."""
    return function == WORK


def whole_answer(request: Any, given: Any, at: str) -> Any:
    """The answer to a work item; `request` is what the task asks for, `at` the time now."""
    if not isinstance(request, Mapping):
        return given
    if request.get("kind") == "gate":
        answer = {"outcome": given} if isinstance(given, str) else given
        if not isinstance(answer, dict) or "outcome" not in answer:
            return given
        by = {"user": (request.get("approvers") or ["tester"])[0], "via": "test"}
        return {"by": by, "comment": None, "form": request.get("values"), "at": at, **answer}
    if isinstance(given, dict) and "result" in given and set(given) <= _AGENT:
        return {"usage": None, "by": {"agent": request.get("agent") or "tester"}, "at": at, **given}
    return {"result": given, "usage": None, "by": {"agent": request.get("agent") or "tester"}, "at": at}
