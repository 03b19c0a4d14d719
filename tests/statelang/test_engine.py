"""The engine core on machines that nobody wrote: whatever is lost or said twice on the way, the history is the same."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.handlers.api import history
from stratum.handlers.runtime import Body, Runtime
from stratum.local.stores import open_store
from stratum.statelang.asl import StateMachine, dump, load_definition
from stratum.statelang.engine import decide, messages

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:m:x"
START = 1_767_225_600_000
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


# -- machines ----------------------------------------------------------------------------------------------


@st.composite
def bodies(draw: st.DrawFn, name: str, depth: int) -> dict[str, Any]:
    """One state, without where it goes; the names of the states within it begin with its own."""
    kinds = ["Pass", "Task", "Wait", "Choice", "Parallel", "Map"] if depth else ["Pass", "Task", "Wait"]
    kind = draw(st.sampled_from(kinds))
    jsonata = draw(st.booleans())
    body: dict[str, Any] = {"Type": kind, **({"QueryLanguage": "JSONata"} if jsonata else {})}
    if kind == "Pass":
        body |= draw(st.sampled_from(_JSONATA_PASSES if jsonata else _JSONPATH_PASSES))
    elif kind == "Wait":
        body["Seconds"] = draw(st.integers(0, 3))
    elif kind == "Task":
        body["Resource"] = FUNCTION
        if draw(st.booleans()):
            body["TimeoutSeconds"] = 5
    elif kind == "Parallel":
        count = draw(st.integers(1, 3))
        body["Branches"] = [draw(machines(f"{name}.{index}", depth - 1)) for index in range(count)]
    elif kind == "Map":
        items = [0, "one", {"two": 2}][: draw(st.integers(0, 3))]
        body["ItemProcessor"] = draw(machines(f"{name}.i", depth - 1))
        body["MaxConcurrency"] = draw(st.integers(0, 2))
        if jsonata:
            body["Items"] = items
        else:
            # The input may be anything: what is gone through is taken from a place that is always there.
            body |= {"Parameters": {"item.$": "$$.Map.Item.Value"}, "ItemsPath": "$$.Execution.Input.items"}
    if kind in ("Task", "Parallel", "Map"):
        if draw(st.booleans()):
            body["Retry"] = [
                {
                    "ErrorEquals": ["Odd"],
                    "MaxAttempts": 1,
                    "JitterStrategy": draw(st.sampled_from(["FULL", "NONE"])),
                }
            ]
        if not jsonata and draw(st.booleans()):
            body["ResultPath"] = None
    return body


_JSONPATH_PASSES: list[dict[str, Any]] = [
    {},
    {"Result": {"a": [1, 2]}},
    {"Parameters": {"all.$": "$", "id.$": "States.UUID()"}},
    {"Assign": {"seen.$": "$"}, "OutputPath": "$"},
]
_JSONATA_PASSES: list[dict[str, Any]] = [
    {},
    {"Output": "{% $states.input %}"},
    {"Output": {"n": "{% $random() %}"}, "Assign": {"seen": "{% $states.input %}"}},
    {"Output": "{% $states.context.State.Name %}"},
]


@st.composite
def machines(draw: st.DrawFn, name: str = "s", depth: int = 2) -> dict[str, Any]:
    """A machine whose states follow each other; Choices jump forward, and errors may be caught."""
    count = draw(st.integers(1, 3))
    names = [f"{name}{index}" for index in range(count)]
    states: dict[str, Any] = {}
    for index, own in enumerate(names):
        body = draw(bodies(own, depth))
        following = names[index + 1] if index + 1 < count else None
        if body["Type"] == "Choice":
            target = following or f"{name}.end"
            if following is None:
                states[target] = {"Type": "Succeed"}
            rule = (
                {"Condition": "{% $exists($states.input) %}"}
                if "QueryLanguage" in body
                else {"Variable": "$", "IsNull": False}
            )
            body |= {"Choices": [{**rule, "Next": target}], "Default": target}
        elif following:
            body["Next"] = following
        else:
            body["End"] = True
        if body["Type"] in ("Task", "Parallel", "Map") and draw(st.booleans()):
            states[f"{name}.caught"] = {"Type": "Pass", "End": True}
            body["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": f"{name}.caught"}]
        states[own] = body
    return {"StartAt": names[0], "States": states}


def answer(command: dict[str, Any]) -> dict[str, Any] | None:
    """What a task comes to: decided by which it is, so that it is the same whenever it is performed."""
    draw = crc32(command["key"].encode()) % 5
    if draw == 0:
        return messages.task_failed(command["frame"], command["task"], "Odd", "by chance")
    if draw == 1:
        return (
            None if "timeout" in command else messages.task_failed(command["frame"], command["task"], "Even")
        )
    return messages.task_succeeded(command["frame"], command["task"], command["arguments"])


# -- three ways to run one ---------------------------------------------------------------------------------


def in_one_chain(machine: StateMachine, start: dict[str, Any]) -> tuple[list[Any], Any]:
    """Every message decided on the snapshot that the last one left."""
    now = START
    decision = decide(machine, None, start, now)
    events = list(decision.events)
    todo = deque(decision.commands)
    while decision.snapshot["status"] == "RUNNING":
        message = None
        while todo and message is None:
            message = answer(todo.popleft())
        if message is None:
            assert decision.wake_at is not None
            now, message = decision.wake_at, messages.tick()
        decision = decide(machine, decision.snapshot, message, now)
        events += decision.events
        todo += decision.commands
    return events, _result(decision.snapshot)


class Outbox:
    """Keeps what an execution hands out, for the test to answer."""

    def __init__(self) -> None:
        self.commands: deque[dict[str, Any]] = deque()
        self.wakes: list[int] = []

    def advance(self, bodies: Sequence[Body]) -> None:
        raise AssertionError("nobody else is spoken to")

    def perform(self, bodies: Sequence[Body]) -> None:
        self.commands += [body["command"] for body in bodies]

    def perform_later(self, body: Body, at: int) -> None:
        raise AssertionError("there is no job to look after")

    def wake(self, tenant: str, execution: str, at: int) -> None:
        self.wakes.append(at)


def on_the_store(definition: str, start: dict[str, Any], *, twice: bool) -> tuple[list[Any], Any]:
    """Loaded from the store before every message, each of which may be delivered twice."""
    now = [START]
    outbox = Outbox()
    runtime = Runtime(open_store("sqlite:///:memory:"), outbox, None, clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    executions = runtime.executions()
    executions.start(start, executions.define(definition))
    done: set[tuple[str, int]] = set()
    while executions.load(EXECUTION).snapshot["status"] == "RUNNING":
        message = None
        while outbox.commands and message is None:
            command = outbox.commands.popleft()
            # A command may be handed out again; its result is then sent again, and counts once.
            if (place := (command["frame"], command["task"])) not in done:
                done.add(place)
                message = answer(command)
        if message is None:
            now[0], message = min(at for at in outbox.wakes if at > now[0] or not done), messages.tick()
            outbox.wakes = [at for at in outbox.wakes if at > now[0]]
        for _ in range(2 if twice else 1):
            executions._cache.clear()
            assert executions.advance({EXECUTION: [message]}) == {}
    events = history.get_execution_history(
        runtime, "default", {"executionArn": EXECUTION, "maxResults": 1000}
    )["events"]
    for event in events:
        event["timestamp"] = round(event["timestamp"] * 1000)
    return events, _result(executions.load(EXECUTION).snapshot)


def _result(snapshot: dict[str, Any]) -> Any:
    return [snapshot.get(key) for key in ("status", "output", "error", "cause", "stopped")]


@settings(max_examples=250, deadline=None)
@given(machines())
def test_a_history_does_not_depend_on_what_is_lost_or_repeated(definition: dict[str, Any]) -> None:
    text = dump(definition)
    machine = load_definition(text)
    start = messages.start(EXECUTION, MACHINE, '{"items":[1,2]}')
    events, result = in_one_chain(machine, start)
    assert len(events) < 1000
    assert on_the_store(text, start, twice=False) == (events, result)
    assert on_the_store(text, start, twice=True) == (events, result)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)


@settings(max_examples=150, deadline=None)
@given(machines(), st.lists(st.integers(0, 12), max_size=12))
def test_messages_that_wait_together_may_be_decided_together(
    definition: dict[str, Any], cuts: list[int]
) -> None:
    """However a list of messages is divided into batches, what follows from them is the same."""
    machine = load_definition(dump(definition))
    first = decide(machine, None, messages.start(EXECUTION, MACHINE, '{"items":[1,2]}'), START)
    tasks = [command for command in first.commands if command["type"] == "perform"]
    sent = [found for command in tasks if (found := answer(command))] + [messages.tick()]
    together = decide(machine, first.snapshot, sent, START + 1)
    snapshot, events = first.snapshot, []
    for message in sent:
        one = decide(machine, snapshot, message, START + 1)
        snapshot, events = one.snapshot, events + one.events
    assert (together.snapshot, together.events) == (snapshot, events)


def test_a_stale_message_changes_nothing() -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
    machine = load_definition(json.dumps(definition))
    first = decide(machine, None, messages.start(EXECUTION, MACHINE, "1"), START)
    [command] = first.commands
    for stale in (
        messages.task_succeeded("0", command["task"] + 1, "1"), messages.task_succeeded("0/7", command["task"], "1"),
        messages.child_finished("0", 1, 0, "SUCCEEDED", output="1"), messages.items_read("0", 1, "[]"), messages.redrive(),
        messages.activity_started("9", 1, None), messages.results_written("0", 2, "{}"), messages.heartbeat("0", command["task"]),
    ):  # fmt: skip
        assert decide(machine, first.snapshot, stale, START).changes is None, stale
