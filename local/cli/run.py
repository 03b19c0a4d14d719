"""`stratum run` and `stratum resume`: executions taken to their end, with their steps shown as they go."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...handlers.loading import Loaded
from ...handlers.steps import Steps
from ...handlers.store import Commit, Head, Store
from ...handlers.workflows import DeploymentRefused, deploy, input_violations, source_map
from .. import runs
from ..cloud import CallFailed, LocalCloud
from ..owners import OwnedElsewhere, Owner
from ..people import whoami
from .children import children_of, not_found
from .files import WorkflowFile, load_workflow, read_input
from .opening import find_execution, open_store
from .parsers.adding import STAGE
from .problem import WrongRequest
from .progress import Progress, progress

if TYPE_CHECKING:
    from ...handlers.functions import Functions


def run(options: argparse.Namespace) -> int:
    if options.store.startswith(STAGE):
        from . import stages

        return stages.run(options, read_input(options.input), options.name or new_name())
    if (found := _published(options)) is not None:
        store, execution = found
        head = store.head(execution)
        assert head is not None
        return go_on(store, [head], options)
    workflow = load_workflow(Path(options.file))
    input = read_input(options.input)
    _check_input(workflow, input)
    for warning in workflow.warnings:
        print(warning, file=sys.stderr)
    store = open_store(options.store, create=True)
    watch = _Watch()
    with LocalCloud(store, _functions(workflow.folder), observer=watch) as cloud:
        cloud.runtime.requester = whoami().to_json()
        machine = _deploy(cloud, workflow)
        name = options.name or new_name()
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        runs.keep(store, execution, workflow.folder, workflow.path)
        with _owning(options.store, execution, name):
            watch.begin(
                execution, progress(f"{workflow.name} {name}", Steps(workflow.source_map), cloud.clock)
            )
            with watch.shown:
                started = _start(cloud, machine, name, input)
                known = cloud.runtime.executions().known(started)
                if known.seq > 0:
                    cloud.runtime.executions().dispatch_pending(started)
                loaded = cloud.wait(started)
    if options.json:
        print(json.dumps(outcome(loaded), indent=2, ensure_ascii=False))
    code = report(loaded, options.store, result=not options.json)
    _print_cost(store, started)
    return code


def _print_cost(store: Store, execution: str) -> None:
    head = store.head(execution)
    if head is not None:
        from .cost import cost_line

        print(cost_line(store, head), file=sys.stderr)


def _owning(store: str, execution: str, name: str) -> Owner:
    """The lock of an execution that is about to be run. Raises `WrongRequest` where another process has it."""
    try:
        return Owner(store, execution).take()
    except OwnedElsewhere:
        raise WrongRequest(
            f"another process is running '{name}'; another --name begins a new execution"
        ) from None


def resume(options: argparse.Namespace) -> int:
    if options.store.startswith(STAGE):
        raise WrongRequest(
            "executions of a stage go on by themselves; `stratum redrive` goes on with one that failed"
        )
    store = open_store(options.store, create=False)
    if options.execution is not None:
        head = find_execution(store, options.execution)
        if head.status != "RUNNING":
            raise WrongRequest(f"{head.name} has ended already: {head.status}")
        heads = [head]
    else:
        heads = runs.running(store)
        if not heads:
            print("nothing to resume: no execution is running", file=sys.stderr)
            return 0
    return go_on(store, heads, options)


def _published(options: argparse.Namespace) -> tuple[Store, str] | None:
    """Starts a published version, where one is meant; a file's run does without what that takes."""
    if "@" not in options.file:
        return None
    from . import versions

    if not versions.is_published(options.file):
        return None
    return versions.start(options, read_input(options.input), options.name or new_name())


def go_on(store: Store, heads: Sequence[Head], options: argparse.Namespace) -> int:
    """Takes running executions to their end, with the handlers that they were begun with; answers the exit code."""
    folders: dict[str, list[Head]] = defaultdict(list)
    for head in heads:
        record = store.get(runs.RUN, head.execution)
        if record is None:
            print(
                f"{head.name}: was not begun by `stratum run`, so its handlers are not known here",
                file=sys.stderr,
            )
        else:
            folders[record.value["folder"]].append(head)
    ended: list[Loaded] = []
    for folder, group in folders.items():
        watch = _Watch()
        with (
            LocalCloud(store, _functions(Path(folder)), observer=watch) as cloud,
            ExitStack() as owned,
        ):
            own: list[Head] = []
            for head in group:
                try:
                    owned.enter_context(Owner(options.store, head.execution))
                except OwnedElsewhere:
                    print(f"{head.name}: another process is running it", file=sys.stderr)
                    continue
                # All of them go on, also while the first is waited for.
                cloud.runtime.executions().dispatch_pending(head.execution)
                own.append(head)
            ended += [_resume(cloud, watch, head) for head in own]
    if options.json:
        print(json.dumps([outcome(loaded) for loaded in ended], indent=2, ensure_ascii=False))
    codes = [report(loaded, options.store, result=not options.json) for loaded in ended]
    return max(codes, default=2 if len(heads) == 1 else 0)


def outcome(loaded: Loaded) -> dict[str, Any]:
    """How an execution ended, as JSON."""
    snapshot = loaded.snapshot
    answer: dict[str, Any] = {
        "execution": loaded.execution,
        "name": snapshot["execution"]["name"],
        "status": snapshot["status"],
        "started": snapshot["execution"]["started"],
        "stopped": snapshot.get("stopped"),
        "events": snapshot["events"],
    }
    if snapshot.get("output") is not None:
        answer["output"] = json.loads(snapshot["output"])
    for key in ("error", "cause"):
        if snapshot.get(key) is not None:
            answer[key] = snapshot[key]
    return answer


class _Watch:
    """Takes commits from the cloud to what is shown."""

    def __init__(self) -> None:
        self.shown: Progress
        self._execution = ""

    def begin(self, execution: str, shown: Progress) -> None:
        self._execution, self.shown = execution, shown

    def __call__(self, execution: str, commit: Commit) -> None:
        if execution == self._execution:
            self.shown.feed(commit.events, commit.messages)
        for event in commit.events:
            if event["type"] == "TaskSubmitted" and (text := waits_for(event)) is not None:
                self.shown.say(text)


def waits_for(submitted: dict[str, Any]) -> str | None:
    """What a person or an agent is to do for an execution that has just begun to wait for them, or None."""
    output = submitted["taskSubmittedEventDetails"].get("output") or ""
    if '"work":' not in output:
        return None
    match json.loads(output).get("Payload"):
        case {"work": str(work), "kind": str(kind), "step": str(step)}:
            return _call(kind, step, work)
    return None


def _call(kind: str, step: str, work: str) -> str:
    if kind == "gate":
        return f"{step} waits for a person's decision: {_program()} approve {work.partition('.')[0]}"
    return f"{step} waits for an agent: {_program()} mcp, or {_program()} claim {work}"


def _functions(folder: Path) -> Functions:
    from ..functions import WorkerFunctions

    return WorkerFunctions([folder])


def _deploy(cloud: LocalCloud, workflow: WorkflowFile) -> str:
    """The ARN of the state machine, which has this definition now; the workflows that it runs are deployed with it."""
    children = children_of(workflow)
    for parent, step in children.missing:
        try:
            cloud.call("DescribeStateMachine", stateMachineArn=_machine(cloud, step.workflow))
        except CallFailed:
            raise WrongRequest(not_found(parent, step)) from None
    try:
        for child in children.found:
            deploy(cloud.runtime, cloud.store.tenant, child)
        return deploy(cloud.runtime, cloud.store.tenant, workflow)
    except DeploymentRefused as refused:
        raise WrongRequest(str(refused)) from None


def _machine(cloud: LocalCloud, name: str) -> str:
    return f"arn:aws:states:{cloud.runtime.region}:{cloud.runtime.account}:stateMachine:{name}"


def _start(cloud: LocalCloud, machine: str, name: str, input: str) -> str:
    try:
        return cloud.call("StartExecution", stateMachineArn=machine, name=name, input=input)["executionArn"]
    except CallFailed as failed:
        if failed.type == "ExecutionAlreadyExists":
            raise WrongRequest(
                f"there was an execution '{name}' before; `stratum show {name}` shows it, and another --name begins a new one"
            ) from None
        raise WrongRequest(failed.message) from None


def _check_input(workflow: WorkflowFile, input: str) -> None:
    """Refuses an input that the workflow's contract refuses, before anything runs."""
    found = input_violations(workflow, input)
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise WrongRequest(
            f"the input is not as {workflow.path} wants it; give one with --input JSON or @FILE\n{lines}"
        )


def _resume(cloud: LocalCloud, watch: _Watch, head: Head) -> Loaded:
    executions = cloud.runtime.executions()
    steps = Steps(source_map(cloud.store, head.definition))
    for commit in cloud.store.commits(head.execution):
        steps.feed(commit.events, commit.messages)
    name = head.workflow
    watch.begin(head.execution, progress(f"{name} {head.name} (resumed)", steps, cloud.clock))
    with watch.shown:
        from ...handlers.work.items import WorkItems

        for item in WorkItems(executions).of_execution(executions.known(head.execution)):
            watch.shown.say(_call(item.kind, item.step, item.handle))
        return cloud.wait(head.execution)


def report(loaded: Loaded, store: str, *, result: bool) -> int:
    """Says how it ended, with its result on standard output where that is wanted; answers the exit code."""
    snapshot = loaded.snapshot
    name = snapshot["execution"]["name"]
    seconds = (snapshot["stopped"] - snapshot["execution"]["started"]) / 1000
    from .parsers import DEFAULT_STORE

    option = "" if store == DEFAULT_STORE else f" --store {store}"
    if store.startswith(STAGE):
        option = f" --stage {store.removeprefix(STAGE).partition('?')[0]}"
    print(f"{snapshot['status']} in {seconds:.1f} s", file=sys.stderr)
    if snapshot["status"] == "SUCCEEDED":
        if result:
            sys.stderr.flush()
            print(json.dumps(json.loads(snapshot["output"]), indent=2, ensure_ascii=False), flush=True)
    else:
        print(
            f"{snapshot.get('error') or 'no error name'}: {_readable(snapshot.get('cause'))}", file=sys.stderr
        )
    print(f"its history: {_program()} history {name}{option}", file=sys.stderr)
    return 0 if snapshot["status"] == "SUCCEEDED" else 1


def _program() -> str:
    """How this command can be called from here: by its name, or by the path that it was called by."""
    name = os.path.basename(sys.argv[0])
    return sys.argv[0] if name == "stratum" and shutil.which(name) is None else "stratum"


def _readable(cause: str | None) -> str:
    """A cause that is JSON, laid out; any other as it is."""
    try:
        value = json.loads(cause or "null")
    except ValueError:
        return cause or ""
    if isinstance(value, dict) and "errorMessage" in value:
        trace = "".join(value.get("stackTrace") or []).rstrip()
        return f"{value['errorMessage']}" + (f"\n{trace}" if trace else "")
    return json.dumps(value, indent=2, ensure_ascii=False) if value is not None else ""


def new_name() -> str:
    """A name that tells when it was, and that no other execution has."""
    import secrets

    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
