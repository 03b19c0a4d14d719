"""The compiler: a checked spec becomes Amazon States Language, and nothing but it.

    compiled = compile_spec(loaded.spec, loaded.source)
    compiled.definition    # runs here and on AWS Step Functions alike
    compiled.source_map    # which state belongs to which step

- `lowering`: the states of each kind of step, and the loops of `retry` and `needs`.
- `predicates`: contracts and `ensure` as JSONata that lists the violations.
- `rewriting`: the spec's variables as ASL's.
- `spelling`: data so that strict validators take it.
- `origins`: which part of a step each way out of a state stands for.
"""

from .compile import Compiled, compile_spec

__all__ = ["Compiled", "compile_spec"]
