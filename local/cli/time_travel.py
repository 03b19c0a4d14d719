"""`stratum redrive`, `fork`, `revert`, `replay`, `checkpoint(s)`: executions gone back to, and on with."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path

from ...handlers.audit.redaction import Redactor, redactor_for
from ...handlers.executions import Executions
from ...handlers.store import Head, Store
from ...handlers.tenancy.limits import LimitReached
from ...handlers.time_travel import checkpoints as named
from ...handlers.time_travel import forks, points, redriving
from ...handlers.time_travel import replay as replaying
from ...statelang.engine import CannotFork
from .. import runs
from .acting import who_acts
from .executions import clock_time, find, runtime_on
from .files import load_workflow, read_input
from .parsers.adding import STAGE
from .problem import WrongRequest
from .run import go_on, new_name
from .tables import print_table


def redrive(options: argparse.Namespace) -> int:
    store, head = find(options)
    if head.status in ("RUNNING", "SUCCEEDED"):
        hint = "`stratum fork` goes on from an earlier place" if head.status == "SUCCEEDED" else "it goes on"
        raise WrongRequest(f"{head.name} is {head.status}, so nothing is to be redriven; {hint}")
    try:
        redriving.redrive(_executions(store), head.execution, who_acts(store))
    except LimitReached as reached:
        raise WrongRequest(f"{head.name} stays as it is: {reached}") from None
    return _go_on(store, head.execution, options)


def fork(options: argparse.Namespace) -> int:
    store, head = find(options)
    name = options.name or new_name()
    input = None if options.input is None else read_input(options.input)
    try:
        made, point = forks.fork(
            runtime_on(store), store.tenant, head.execution, options.at, name, who_acts(store), input=input, reason=options.reason
        )  # fmt: skip
    except (points.NoSuchPoint, CannotFork, forks.ExecutionExists, forks.NotAllowed) as refused:
        raise WrongRequest(f"{head.name}: {refused}") from None
    print(f"{name} goes on from {head.name} at {point}", file=sys.stderr)
    runs.keep_as(store, head.execution, made.execution)
    return _go_on(store, made.execution, options)


def revert(options: argparse.Namespace) -> int:
    store, head = find(options)
    name = options.name or new_name()
    try:
        made, point = forks.revert(
            runtime_on(store), store.tenant, head.execution, options.to, name, who_acts(store), options.reason
        )
    except (points.NoSuchPoint, CannotFork, forks.ExecutionExists, forks.NotAllowed) as refused:
        raise WrongRequest(f"{head.name}: {refused}") from None
    print(f"{head.name} is reverted to {point}; {name} goes on from there", file=sys.stderr)
    runs.keep_as(store, head.execution, made.execution)
    return _go_on(store, made.execution, options)


def checkpoint(options: argparse.Namespace) -> int:
    store, head = find(options)
    point = points.find(store, head.execution, None)
    now = runtime_on(store).clock()
    try:
        named.mark(store, head.execution, options.name, point.event, now, who_acts(store), options.note)
    except named.InvalidCheckpoint as refused:
        raise WrongRequest(str(refused)) from None
    print(f"{head.name}: '{options.name}' is {point}", file=sys.stderr)
    return 0


def checkpoints(options: argparse.Namespace) -> int:
    store, head = find(options)
    found = points.points(store, head.execution)
    if options.json:
        print(json.dumps([point.to_json() for point in found], indent=2, ensure_ascii=False))
        return 0
    rows = [
        (
            str(point.event), clock_time(point.at / 1000), point.checkpoint or "", point.step or "",
            point.state or "(where it stands)",
        )
        for point in found
    ]  # fmt: skip
    print_table(("EVENT", "TIME", "CHECKPOINT", "STEP", "BEFORE STATE"), rows)
    return 0


def replay(options: argparse.Namespace) -> int:
    from ...statelang.asl import dump, load_definition

    store, head = find(options)
    workflow = load_workflow(Path(options.file))
    input = None if options.input is None else read_input(options.input)
    machine = load_definition(dump(workflow.definition))
    try:
        made = replaying.replay(_executions(store), head.execution, machine, workflow.source_map, input)
    except replaying.CannotReplay as refused:
        raise WrongRequest(f"{options.file}: {refused}") from None
    redactor = redactor_for(store, head.execution, head.definition)
    if options.json:
        told = {
            "same": made.same,
            "old": made.old.to_json(),
            "new": made.new.to_json(),
            "changes": made.changes,
        }
        print(json.dumps(redactor.hide_texts(told), indent=2, ensure_ascii=False))
    else:
        _tell(made, head.name, options.file, redactor)
    return 0 if made.same else 1


def _tell(made: replaying.Difference, name: str, file: str, redactor: Redactor) -> None:
    if made.same:
        print(f"{file} goes the same way as {name}, to the same end: {made.new.status}")
        return
    matched = difflib.SequenceMatcher(None, made.old.path, made.new.path, autojunk=False)
    for tag, a, b, c, d in matched.get_opcodes():
        if tag == "equal":
            print("\n".join(f"    {step}" for step in made.old.path[a:b]))
        else:
            lines = [f"  - {step}" for step in made.old.path[a:b]] + [
                f"  + {step}" for step in made.new.path[c:d]
            ]
            print("\n".join(lines))
    for word, run in (("was", made.old), ("is", made.new)):
        end = f"{run.error}: {run.cause or ''}" if run.error else json.dumps(run.output, ensure_ascii=False)
        if run.waits_at:
            end = f"for an answer that {name} never had: {', '.join(run.waits_at)}"
        print(f"{word + ':':<5}{run.status} {redactor.hide_text(end)}")


def _executions(store: Store) -> Executions:
    return runtime_on(store).executions(store.tenant)


def _go_on(store: Store, execution: str, options: argparse.Namespace) -> int:
    head: Head | None = store.head(execution)
    if options.store.startswith(STAGE) and not options.no_run:
        from .stages import follow, stage_of

        stage = stage_of(store)
        assert stage is not None
        return follow(stage, execution, options)
    if options.no_run or head is None:
        return 0
    return go_on(store, [head], options)
