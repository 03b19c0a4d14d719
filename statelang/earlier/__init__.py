"""Specs of the earlier Stratum (`.stratum.yaml`, versions 0.1 to 0.3), rewritten in this language.

    rewritten = rewrite(text, "review.stratum.yaml")
    rewritten.specs       # the text of a spec for each flow, the one to start first
    rewritten.findings    # what makes the file unusable; or what was not carried over, each with its place

- `reading`: the old document, and what is wrong with it.
- `conditions`: conditions in Python's syntax as JSONata.
- `references`: `$.input.x` and `$.steps.a.output.x` as JSONata.
- `types`: contracts and input schemas.
- `steps`, `flows`: steps, and whole flows as workflows.
- `yaml_text`: the specs as text.

The earlier Stratum handed every step to the coding agent of its session, one after the other. So an `infer` function
is an agent step, a `compute` function a task whose handler is to be written, a `gate` function a gate; a flow is a
workflow of its own, and its steps stand in the order in which they ran.
"""

from __future__ import annotations

from .flows import Rewritten, rewrite

__all__ = ["Rewritten", "rewrite"]
