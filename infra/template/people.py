"""What of a stage is for people who decide gates: where gates are announced, and the page that takes signed links."""

from __future__ import annotations

from typing import Any

from ..plan import Deployment
from . import alarms, functions, roles
from .functions import Code, Own
from .parts import Parts, Value, att, ref
from .release import Live

KEY = "LinkKey"
_SECONDS = 30
_AT_ONCE = 5
"""Requests that the page serves at a time. Anybody may ask it: more are refused by Lambda, and take nothing from other functions."""


def telling(parts: Parts, deployment: Deployment) -> tuple[dict[str, Value], list[dict[str, Any]]]:
    """Environment and permissions of the function that opens gates, and tells of them."""
    settings = deployment.settings
    environment: dict[str, Value] = {"STRATUM_STAGE": settings.stage}
    statements: list[dict[str, Any]] = []
    if settings.notify is not None:
        environment["STRATUM_NOTIFY"] = settings.notify
        if settings.notify.startswith("arn:"):
            statements.append(_reading(settings.notify))
    if topics := deployment.topics:
        statements.append(roles.allow("sns:Publish", *topics))
    if settings.gate_links:
        environment |= {
            "STRATUM_LINK_KEY_SECRET": ref(KEY),
            "STRATUM_LINK_URL": att("GatesUrl", "FunctionUrl"),
        }
        statements.append(_reading(ref(KEY)))
    return environment, statements


def add_page(
    parts: Parts, deployment: Deployment, code: Code, live: Live, watched: alarms.Alarms, statements: list[dict[str, Any]],
    environment: dict[str, Value],
) -> list[str]:  # fmt: skip
    """The page, where it is asked for: a function whose URL anybody may call, as a link is what lets somebody in. The key that
    links are signed with is made by Secrets Manager, and is in no template and no environment. Answers its name."""
    if not deployment.settings.gate_links:
        return []
    parts.add(
        KEY,
        "AWS::SecretsManager::Secret",
        {
            "Description": f"What links to gates of the stage {deployment.settings.stage} are signed with",
            "GenerateSecretString": {"ExcludePunctuation": True, "PasswordLength": 48},
            "KmsKeyId": deployment.settings.kms_key,
        },
        DeletionPolicy="Delete", UpdateReplacePolicy="Delete",
    )  # fmt: skip
    alias = functions.add_own(
        parts, deployment, code, live,
        Own(
            "Gates", "stratum.handlers.work.page.handler", _SECONDS, [*statements, _reading(ref(KEY))],
            {**environment, "STRATUM_LINK_KEY_SECRET": ref(KEY)}, concurrency=_AT_ONCE, always=True,
            description="The page that decides gates by signed links",
        ),
    )  # fmt: skip
    parts.add(
        "GatesUrl", "AWS::Lambda::Url", {"AuthType": "NONE", "Qualifier": functions.ALIAS, "TargetFunctionArn": ref("GatesFunction")},
        DependsOn=alias,
    )  # fmt: skip
    # Both are asked for: Lambda guide, "Control access to Lambda function URLs".
    for name, action, condition in (
        ("GatesUrlPermission", "lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("GatesInvokePermission", "lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        parts.add(
            name,
            "AWS::Lambda::Permission",
            {"Action": action, "FunctionName": ref(alias), "Principal": "*", **condition},
        )
    parts.output(
        "GatePageUrl",
        att("GatesUrl", "FunctionUrl"),
        "The page that decides gates by signed links, for anybody who has one",
    )
    parts.output("LinkKeyArn", ref(KEY), "The secret that links are signed with")
    watched.function("Gates")
    return ["Gates"]


def _reading(secret: Value) -> dict[str, Any]:
    return roles.allow("secretsmanager:GetSecretValue", secret)
