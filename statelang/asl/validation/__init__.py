"""What is wrong with a definition: AWS's diagnostics, with its codes, and warnings beyond them.

`validate` takes a definition as parsed JSON (whatever that is) and answers every finding with its place. ERROR means
that AWS would not create such a state machine; WARNING that it would, and that somebody may regret it.

- `findings`: how findings are collected, and the checks of values that all parts share.
- `machine`: a machine's own fields, the names of its states, where they lead.
- `states`: each type of state.
- `tasks`: resources, retriers and catchers.
- `integrations`: which patterns a service has, and what its calls must be given.
- `choices`: choice rules.
- `maps`: Map states and what is in them.
- `queries`: paths, payload templates and expressions.
- `advice`: the warnings.

Codes are those of the API reference's `ValidateStateMachineDefinitionDiagnostic`; texts are AWS's where they are known.
"""

from .findings import EXPRESSION_CODES
from .machine import validate

__all__ = ["EXPRESSION_CODES", "validate"]
