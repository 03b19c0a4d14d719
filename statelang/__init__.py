"""The language room: what a workflow is, and what happens next in one. Pure: JSON in, JSON out.

- `spec`: typed YAML specs, their contracts and static checks, and edits of their text.
- `compiler`: a checked spec becomes Amazon States Language (ASL), with a source map.
- `earlier`: specs of the earlier Stratum, rewritten.
- `formatting`: the canonical form of YAML files, with their comments.
- `python`: Python as a way in: annotations as contracts, workflows that are built.
- `asl`: ASL definitions as models, their templates and expressions prepared once.
- `jsonata`, `jsonpath`: the two query languages, bounded in time, depth and size.
- `engine`: `decide`, the whole of an execution's behaviour as one function.
- `cost`: what executions come to, counted and estimated.
- `coverage`: what of a definition executions have taken.
- `versions`: two versions compared: what breaks, what differs.
- `drawing`: definitions as pictures.
- `tracing`: histories as OpenTelemetry spans.

Nothing in this room reads a file, a clock or the network, and nothing here imports another room.
"""
