"""What an attempt's span says: OpenTelemetry's names where there are some, our own under `stratum.` else.

Agent steps and calls of models have those of the GenAI conventions ("Semantic conventions for generative AI systems", in
development: `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.agent.name`, `gen_ai.request.model`, …). Inputs, outputs,
arguments and causes are left out: they may be secret, and a trace goes to other people than the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Value = str | int | float | bool
_WORK = "stratum-work"
_PROVIDERS = {"claude": "anthropic", "codex": "openai", "gpt": "openai", "gemini": "gcp.gemini"}


def of_attempt(type: str, details: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Value]]:
    """Of the event in which it was scheduled: whether it is a `client`'s or internal, its name where that is not the
    step's, and its attributes."""
    resource = str(details.get("resource", ""))
    service = details.get("resourceType")
    attributes: dict[str, Value] = {"stratum.resource": f"{service}:{resource}" if service else resource}
    arguments = _object(details.get("parameters"))
    function = arguments.get("FunctionName")
    if type == "LambdaFunctionScheduled":
        function = resource
    if isinstance(function, str):
        name = function.split(":function:")[-1].split(":")[0]
        if name == _WORK:
            return _of_work(_mapping(arguments.get("Payload")), attributes)
        attributes |= {"faas.invoked_name": name, "faas.invoked_provider": "aws"}
    if service == "bedrock" and isinstance(model := arguments.get("ModelId"), str):
        attributes |= {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": model,
        }  # fmt: skip
        return "client", f"chat {model}", attributes
    return "client", None, attributes


def _of_work(
    payload: Mapping[str, Any], attributes: dict[str, Value]
) -> tuple[str, str | None, dict[str, Value]]:
    attributes["stratum.work"] = str(payload.get("kind", ""))
    if payload.get("kind") != "agent":
        return "internal", None, attributes
    agent = str(payload.get("agent") or "agent")
    provider = next(
        (known for start, known in _PROVIDERS.items() if agent.lower().startswith(start)), "_OTHER"
    )
    attributes |= {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": provider, "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": str(payload.get("execution", "")),
    }  # fmt: skip
    budget = _mapping(payload.get("budget"))
    for name in ("usd", "tokens"):
        if _is_number(budget.get(name)):
            attributes[f"stratum.budget.{name}"] = budget[name]
    return "client", f"invoke_agent {agent}", attributes


def of_result(output: Any, known: Mapping[str, Value]) -> dict[str, Value]:
    """What people and agents have answered beside the result itself: an agent's usage, a gate's outcome."""
    if "stratum.work" not in known:
        return {}
    answer, found = _object(output), dict[str, Value]()
    usage = _mapping(answer.get("usage"))
    for name in ("usd", "tokens"):
        if _is_number(usage.get(name)):
            found[f"stratum.usage.{name}"] = usage[name]
    if isinstance(answer.get("outcome"), str):
        found["stratum.outcome"] = answer["outcome"]
    client = _mapping(answer.get("by")).get("client")
    if isinstance(client, str):
        found["stratum.agent.client"] = client
    return found


def _object(text: Any) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
