"""IAM policies of one tenant: DynamoDB itself refuses every key that is another's.

For whatever runs for one tenant alone: workers with a role of their own, or credentials that are made for a tenant by
`sts:AssumeRole` with this document as its session policy. The engine's own handlers serve all tenants, and have no such
condition.
"""

from __future__ import annotations

from typing import Any

from ..handlers.tenancy.names import OPERATOR, check_name, limits_kind

ACTIONS = (
    "dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
    "dynamodb:UpdateItem",
)  # fmt: skip
"""What the store does with a tenant's keys. A scan has no keys to look at, so it is none of them."""


def leading_keys(tenant: str) -> dict[str, Any]:
    """The condition: every partition key of a request, the table's or an index's, is the tenant's.

    The table's keys begin with `TENANT#`; so do those of the index by state machine. Those of the indexes by start and by
    wake-up are `TENANT`, or `TENANT#N` in a table whose indexes are spread over shards. Without a key, the condition with
    `ForAllValues` would hold: so there must be one. See the DynamoDB developer guide, "Using IAM policy conditions for
    fine-grained access control".
    """
    return _keys(check_name(tenant), f"{tenant}#*")


def _keys(*patterns: str) -> dict[str, Any]:
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def policy(tenant: str, table: str, bucket: str | None = None) -> dict[str, Any]:
    """The policy document; `table` is an ARN, `bucket` the name of the one that takes what no item can hold. Raises
    `InvalidTenant`."""
    statements: list[dict[str, Any]] = [
        {
            "Sid": "OwnKeys", "Effect": "Allow", "Action": list(ACTIONS), "Resource": [table, f"{table}/index/*"],
            "Condition": leading_keys(tenant),
        },
        {
            "Sid": "OwnLimits", "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": [table],
            "Condition": _keys(f"{OPERATOR}#r#{limits_kind(tenant)}"),
        },
    ]  # fmt: skip
    if bucket is not None:
        partition = table.split(":")[1]
        statements.append(
            {
                "Sid": "OwnValues", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": [f"arn:{partition}:s3:::{bucket}/{tenant}/*"],
            }
        )  # fmt: skip
    return {"Version": "2012-10-17", "Statement": statements}
