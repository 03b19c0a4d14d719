"""The MCP server of a stage: for agents that may call it by IAM, and reach nothing of the stage otherwise."""

from __future__ import annotations

from typing import Any

from ..plan import Deployment
from . import alarms, functions, roles
from .functions import Code, Own
from .parts import Parts, Value, ref, sub
from .release import Live

_SECONDS = 120
"""Tools that wait for an execution wait no longer."""


def add(
    parts: Parts, deployment: Deployment, code: Code, live: Live, watched: alarms.Alarms, statements: list[dict[str, Any]],
    environment: dict[str, Value],
) -> list[str]:  # fmt: skip
    """The function, where it is asked for: with an archive of its own, so that no other starts more slowly. Answers its name."""
    if code.mcp is None:
        return []
    alias = functions.add_own(
        parts, deployment, code, live,
        Own(
            "Mcp", "stratum.handlers.mcp.function.handler", _SECONDS, statements,
            {**environment, "STRATUM_STAGE": deployment.settings.stage}, archive=code.mcp,
            description="The MCP server: streamable HTTP",
        ),
    )  # fmt: skip
    parts.add(
        "McpUrl",
        "AWS::Lambda::Url",
        {"AuthType": "AWS_IAM", "Qualifier": functions.ALIAS, "TargetFunctionArn": ref("McpFunction")},
        DependsOn=alias,
    )
    parts.add(
        "McpPolicy",
        "AWS::IAM::ManagedPolicy",
        {
            "Description": "Calls the MCP server, and does nothing else",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": roles.calling_url(alias)},
        },
    )
    parts.output(
        "McpUrl", sub("${McpUrl.FunctionUrl}mcp"), "The MCP server, for whoever may invoke it by IAM"
    )
    parts.output("McpPolicyArn", ref("McpPolicy"), "The policy of agents that may call the MCP server")
    watched.function("Mcp")
    return ["Mcp"]
