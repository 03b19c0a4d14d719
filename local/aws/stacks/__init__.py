"""CloudFormation's stacks, by moto's engine with types of ours: state machines, functions, and what moto leaves out.

Each resource is made, changed and deleted by calls of the service's own API, so that a stack meets the same checks as any
other client. See the AWS CloudFormation template reference for what each type is given and answers.

- `engine`: what is changed about moto's CloudFormation.
- `templates`: templates as data, with SAM's transform.
- `resource`: a resource as moto meets it.
- `step_functions`, `functions`, `rest_apis`, `schedules`, `others`: the types, by service.
- `custom`: custom resources.
- `change_sets`: change sets within their stacks; `updates`: the order of updates, and what takes them back.
"""

from .custom import ANSWERS, answers
from .engine import install

__all__ = ["ANSWERS", "answers", "install"]
