"""Python as a way in: annotations as contracts, handlers with types, workflows that are built instead of written.

- `annotations`: an annotation as a contract, and values on the way from JSON and to it.
- `signatures`: what a handler takes and answers, as its annotations say.
- `options`: what `@task` says of a task beside its types.

Pydantic reads the annotations: its own models, dataclasses, TypedDicts, enums, dates and what else it knows.
"""
