"""The shape of what tools answer, and of their errors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Annotated, Any, ParamSpec

from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field

from .host import NotHere

P = ParamSpec("P")

MAX_TEXT = 600
"""Characters of a value that is shown in passing."""


class Next(BaseModel):
    """What to call now."""

    tool: str
    arguments: dict[str, Any] = {}


class Answer(BaseModel):
    """What every tool answers; each adds fields of its own."""

    model_config = ConfigDict(extra="allow")

    status: str = Field(
        description="of the execution (RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED), or of the request"
    )
    execution: str | None = Field(None, description="the execution's name, as other tools take it")
    next: Next | None = Field(None, description="the tool and the arguments to call now")
    hint: str = Field("", description="what this means and what to do")


Result = Annotated[CallToolResult, Answer]


def answer(
    status: str,
    *,
    execution: str | None = None,
    next: Mapping[str, Any] | None = None,
    hint: str = "",
    **fields: Any,
) -> CallToolResult:
    """A tool's answer; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    value = {"status": status, "execution": execution, **given, "next": next, "hint": hint}
    # Half a character, which JSON can hold, cannot be sent.
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace").decode()
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=json.loads(text))


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """A `next`."""
    return {"tool": tool, "arguments": arguments}


def reports_errors(tool: Callable[P, Awaitable[CallToolResult]]) -> Callable[P, Awaitable[CallToolResult]]:
    """What the caller can mend reaches it as text; anything else is a crash, which the server logs."""

    tool.__doc__ = inspect.cleandoc(tool.__doc__ or "")  # what a client shows has no indentation

    @wraps(tool)
    async def reporting(*arguments: P.args, **named: P.kwargs) -> CallToolResult:
        try:
            return await tool(*arguments, **named)
        except (ToolError, MCPError):
            raise
        except Exception as error:
            told = _mendable(error)
            if told is None:
                raise
            raise ToolError(_sendable(told)) from None

    return reporting


def _mendable(error: Exception) -> str | None:
    """What the caller is told of an error that it can do something about; None for a crash."""
    from ...statelang.spec.diagnostics import InvalidWorkflow
    from ..api.errors import ApiError
    from ..loading import ExecutionNotFound
    from ..lookup import NoSuchExecution
    from ..store import InvalidToken, StoreError
    from ..work.refusal import Refused

    if isinstance(error, NoSuchExecution):
        return str(error) if error.has_hint else f"{error}; `status` without arguments lists those there are"
    if isinstance(error, Refused | NotHere | InvalidWorkflow | StoreError):
        return str(error)
    if isinstance(error, ApiError):
        return f"{error.type}: {error.message}"
    if isinstance(error, ExecutionNotFound):
        return f"there is no execution {error}; `status` without arguments lists those there are"
    if isinstance(error, InvalidToken):
        return "the cursor is none of this list's: ask again without one"
    return None


def _sendable(text: str) -> str:
    return (text if len(text) <= 8000 else f"{text[:8000]} …").encode("utf-8", "replace").decode()


def shortened(value: Any, limit: int = MAX_TEXT) -> Any:
    """The value, or the beginning of its JSON text where that is longer than `limit` characters."""
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters in all)"
