"""AWS's own policies (`arn:aws:iam::aws:policy/…`), in an account from when somebody names one.

moto knows them all and gives an account none, or, asked to, all 1,500, which every start and every snapshot would pay for.
"""

from __future__ import annotations

import functools
import json
from functools import lru_cache
from typing import Any

_AWS = ":iam::aws:policy"
_BY_ARN = (
    "attach_role_policy",
    "attach_user_policy",
    "attach_group_policy",
    "get_policy",
    "get_policy_version",
)


def complete() -> None:
    """Has moto's IAM find them. Imports it, which takes a moment."""
    from moto.iam.models import AWSManagedPolicy, IAMBackend

    if hasattr(IAMBackend, "stratum"):
        return

    def ensure(backend: Any, arn: Any) -> None:
        if not isinstance(arn, str) or _AWS not in arn or arn in backend.managed_policies:
            return
        name = arn.rpartition("/")[2]
        data = _data().get(name)
        if data is not None and arn.endswith(f"{_AWS}{data['Path']}{name}"):
            made = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
            backend.managed_policies[made.arn] = made

    for name in _BY_ARN:
        method = getattr(IAMBackend, name)

        def ensuring(self: Any, policy_arn: Any, *rest: Any, method: Any = method, **named: Any) -> Any:
            ensure(self, policy_arn)
            return method(self, policy_arn, *rest, **named)

        setattr(IAMBackend, name, functools.wraps(method)(ensuring))
    IAMBackend.stratum = True  # pyright: ignore[reportAttributeAccessIssue]


def arns_by_name() -> dict[str, str]:
    return {name: f"arn:aws{_AWS}{policy['Path']}{name}" for name, policy in _data().items()}


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return json.loads(aws_managed_policies_data)
