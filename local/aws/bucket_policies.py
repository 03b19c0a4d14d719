"""Bucket policies: statements with conditions deny nothing.

moto leaves conditions out, so that the policy which CDK and Terraform give a bucket (nothing may come without TLS) would
deny everything. Permissions are not what this emulator is for; the policy is kept and shown as it was put.
"""

from __future__ import annotations

import json
from typing import Any


def complete() -> None:
    """Has moto's S3 judge so. Imports it, which takes a moment."""
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    if hasattr(FakeBucket, "stratum"):
        return

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy.decode())
        statements = policy.get("Statement", [])
        every = statements if isinstance(statements, list) else [statements]
        judged = {**policy, "Statement": [each for each in every if not each.get("Condition")]}
        return IAMPolicy(json.dumps(judged)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission
    FakeBucket.stratum = True  # pyright: ignore[reportAttributeAccessIssue]
