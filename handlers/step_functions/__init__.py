"""Executions that AWS Step Functions runs (a stage with `--target step-functions`), for the code that reads and leads our own.

The seam is a runtime. `StepFunctionsRuntime` gives, in place of our store and our executions, ones that have what AWS's API
tells: a log is the history, one event to a commit, without digests; a snapshot is what DescribeExecution and the open
tasks in the history say. Starting, stopping and redriving are AWS's operations; gates, agents' work and what people and
agents did about it are records and journals of our table, as everywhere.

- `stage`: which state machines are the stage's, and what their workflows were compiled from.
- `api`: the operations, with their errors as ours.
- `history`: an execution's events, and what in them is still open.
- `versions`: what deployments have published, and where aliases lead.
- `store`, `executions`, `runtime`: what stands in for ours.
- `refusal`: what there cannot be there.
"""
