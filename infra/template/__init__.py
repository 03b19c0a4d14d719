"""The third stage: the CloudFormation template of a deployment, as data.

- `engine`, `step_functions`: the two targets.
- `storage`, `queues`, `functions`, `roles`, `workflows`, `alarms`: the parts that they are put together from.
- `release`: how much of what is started or called the new versions have.
- `checks`: the rules that every template keeps, beside those of cfn-lint.
- `artifacts`: the bucket that stages are deployed from; `parts`: what templates are written with.

See the AWS CloudFormation template reference for each type of resource.
"""

from .assemble import template

__all__ = ["template"]
