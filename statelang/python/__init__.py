"""Python as a way in: annotations as contracts, handlers with types, workflows that are built instead of written.

- `annotations`: an annotation as a contract, and values on the way from JSON and to it.
- `signatures`: what a handler takes and answers, as its annotations say; `declarations`: the same read from source alone, with
  `source_modules` and `source_types`.
- `schemas`: JSON Schemas with the definitions that they need.
- `options`, `names`: what `@task` says of a task beside its types, and what Python's things are called in a spec.
- `workflow`: the builder; `fields` and `types`: what its calls are given, as it stands in a spec.
- `references`: what a workflow's data will be: Python's operators write JSONata.
- `frames`, `places`: where in a Python file the parts of a workflow stand.

Pydantic reads the annotations: its own models, dataclasses, TypedDicts, enums, dates and what else it knows.
"""
