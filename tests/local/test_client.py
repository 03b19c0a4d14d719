"""The client: the same in this process and at an endpoint, sync and async."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stratum
from stratum import AsyncStratum, Stratum, TaskContext, Workflow, task
from stratum.local.aws import Door
from stratum.local.server import Endpoint, Service
from stratum.local.stores import open_store
from work_asl import gate, machine

GREET = """\
import os
from dataclasses import dataclass
from stratum import Workflow, task

@dataclass
class Greeting:
    text: str
    words: int

class Closed(Exception):
    pass

@task
def greet(name: str) -> Greeting:
    if name == "nobody" and not os.path.exists(os.path.join(os.path.dirname(__file__), "open")):
        raise Closed("come again")
    return Greeting(f"Hello, {name}!", 2)

hello = Workflow("hello", version="1.0.0", input={"name": str})
greeting = hello.task("greet", greet, input={"name": hello.input.name})
hello.returns(greeting)
"""
WAITS = {
    "StartAt": "Long", "QueryLanguage": "JSONata", "States": {"Long": {"Type": "Wait", "Seconds": 86400, "Next": "Done"}, "Done": {"Type": "Succeed"}}
}  # fmt: skip
ASKS = {
    "StartAt": "Ask", "QueryLanguage": "JSONata",
    "States": {"Ask": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 999999,
        "Arguments": {"FunctionName": "greet-greet", "Payload": {"name": "Ada", "token": "{% $states.context.Task.Token %}"}}, "End": True,
    }},
}  # fmt: skip


@dataclass
class Greeting:
    text: str
    words: int


@dataclass
class Place:
    """A client, and the files that it can start."""

    client: Stratum
    folder: Path
    virtual: bool

    def given(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("client")
    (made / "greet.py").write_text(GREET)
    (made / "waits.json").write_text(json.dumps(WAITS))
    (made / "asks.json").write_text(json.dumps(ASKS))
    return made


@pytest.fixture(scope="module")
def endpoint(folder: Path) -> Iterator[str]:
    door = Door(open_store("sqlite:///:memory:"), folders=[folder])
    with Service(door), Endpoint(door) as served:
        yield served.url


@pytest.fixture(params=["embedded", "endpoint"])
def place(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    before = list(sys.path)
    if request.param == "embedded":
        client = Stratum("sqlite:///:memory:")
    else:
        client = Stratum(endpoint=request.getfixturevalue("endpoint"))
    with client:
        yield Place(client, folder, request.param == "embedded")
    sys.path[:] = before
    sys.modules.pop("greet", None)
    (folder / "open").unlink(missing_ok=True)


def test_start_wait_and_result(place: Place) -> None:
    started = place.client.start(place.given("greet.py:hello"), {"name": "Ada"})
    assert (started.workflow, started.input) == ("hello", {"name": "Ada"})
    ended = place.client.wait(started, timeout=20)
    assert (ended.status, ended.output, ended.running) == (
        "SUCCEEDED",
        {"text": "Hello, Ada!", "words": 2},
        False,
    )
    assert ended.stopped is not None
    assert ended.stopped >= ended.started
    assert place.client.result(started.arn, as_=Greeting) == Greeting("Hello, Ada!", 2)
    assert place.client.run("hello", {"name": "Bob"}, timeout=20)["text"] == "Hello, Bob!"
    with pytest.raises(stratum.ContractViolated, match=r"the output: \$.words"):
        place.client.result(started, as_=dict[str, str])


def test_names_begin_an_execution_once(place: Place) -> None:
    first = place.client.start(place.given("waits.json"), {}, name="once")
    again = place.client.start(place.given("waits.json"), {}, name="once")
    assert again == first
    with pytest.raises(stratum.ExecutionAlreadyExists):
        place.client.start(place.given("waits.json"), {"other": 1}, name="once")
    assert place.client.get("once" if place.virtual else "waits:once").arn == first.arn
    place.client.stop(first)


def test_failures_are_told_and_redriven(place: Place) -> None:
    failed = place.client.start(place.given("greet.py:hello"), {"name": "nobody"})
    with pytest.raises(stratum.ExecutionFailed, match="come again") as caught:
        place.client.result(failed, timeout=20)
    assert caught.value.error == "Closed"
    assert caught.value.execution.status == "FAILED"
    (place.folder / "open").write_text("")
    place.client.redrive(failed)
    assert place.client.result(failed, timeout=20)["text"] == "Hello, nobody!"
    with pytest.raises(stratum.ExecutionNotRedrivable):
        place.client.redrive(failed)


def test_history_and_stream(place: Place) -> None:
    started = place.client.start(place.given("greet.py:hello"), {"name": "Ada"})
    streamed = list(place.client.stream(started, timeout=20))
    events = list(place.client.history(started))
    assert streamed == events
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert started.started == events[0]["timestamp"]


def test_stop_list_and_wait_timeout(place: Place) -> None:
    running = place.client.start(place.given("waits.json"), {"n": 1})
    with pytest.raises(stratum.WaitTimeout, match=r"still running after 0.2 s"):
        place.client.wait(running, timeout=0.2)
    with pytest.raises(stratum.WaitTimeout):
        list(place.client.stream(running, timeout=0.1))
    assert running.arn in [each.arn for each in place.client.list("waits", status="RUNNING")]
    stopped = place.client.stop(running, error="Enough", cause="it takes too long")
    assert (stopped.status, stopped.error, stopped.cause) == ("ABORTED", "Enough", "it takes too long")
    with pytest.raises(stratum.ExecutionAborted, match="Enough: it takes too long"):
        place.client.result(running)
    assert place.client.list(limit=1)[0].started >= place.client.list(limit=5)[-1].started
    assert running.arn not in [each.arn for each in place.client.list(status="RUNNING")]


def test_task_tokens(place: Place) -> None:
    asked = place.client.start(place.given("asks.json"))
    token = None
    for event in place.client.stream(asked, timeout=20):
        if event["type"] == "TaskScheduled":
            token = json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"]["token"]
        if event["type"] == "TaskSubmitted":
            break
    assert token is not None
    place.client.send_task_heartbeat(token)
    place.client.send_task_success(token, Greeting("done", 1))
    assert place.client.result(asked, timeout=20) == {"text": "done", "words": 1}
    with pytest.raises(stratum.TaskTimedOut):
        place.client.send_task_failure(token, "Late")
    with pytest.raises(stratum.ApiError) as caught:
        place.client.send_task_success("no token")
    assert caught.value.code == "InvalidToken"


def test_what_is_not_there(place: Place, tmp_path: Path) -> None:
    machine = (
        place.client.backend.machine("hello")
        if place.virtual
        else place.client.deploy(place.given("greet.py:hello"))
    )
    with pytest.raises(stratum.ExecutionDoesNotExist):
        place.client.get(machine.replace("stateMachine", "execution") + ":nobody")
    with pytest.raises(stratum.StateMachineDoesNotExist):
        place.client.start("nothing")
    with pytest.raises(stratum.ApiError):
        place.client.get("arn:nonsense")
    with pytest.raises(stratum.StratumError, match="there is no file"):
        place.client.start(tmp_path / "nothing.yaml")
    with pytest.raises(stratum.InvalidInput, match=r"\$.name: is missing") as caught:
        place.client.start(place.given("greet.py:hello"), {})
    assert caught.value.violations == ["$.name: is missing"]
    (tmp_path / "bad.yaml").write_text("stratum: '1'\n")
    with pytest.raises(stratum.InvalidWorkflow, match="`steps` is missing"):
        place.client.start(tmp_path / "bad.yaml")
    with pytest.raises(TypeError):
        place.client.start(place.given("waits.json"), object())


def test_what_only_a_store_knows_is_told(endpoint: str) -> None:
    with Stratum(endpoint=endpoint) as client:
        for call in (client.resume, client.gates, lambda: client.search("x")):
            with pytest.raises(stratum.NotAvailable, match="Stratum\\('dynamodb://table"):
                call()
    with pytest.raises(ValueError, match="either a store"):
        Stratum("sqlite:///:memory:", endpoint=endpoint)
    with Stratum(endpoint="http://127.0.0.1:9") as nobody, pytest.raises(stratum.ConnectionFailed):
        nobody.list()
    with pytest.raises(stratum.StratumError, match="is not the address of a store"):
        Stratum("nowhere://x")


# -- in this process -------------------------------------------------------------------------------------------------


class Busy(Exception):
    pass


class Attempts:
    """Tasks that are objects of the test: nothing is imported anew, and a breakpoint in them holds."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        seen = self.keys

        @task(retry={"on": [Busy], "attempts": 3, "delay": "1h"}, name="here.work")
        def work(n: int, context: TaskContext) -> int:
            seen.append(context.idempotency_key)
            if len(seen) < 3:
                raise Busy
            return n + 1

        self.workflow = Workflow("here", version="1.0.0", input={"n": int})
        self.workflow.returns({"n": self.workflow.task("work", work, input={"n": self.workflow.input.n})})


def test_functions_of_this_process_on_a_virtual_clock() -> None:
    attempts = Attempts()
    with Stratum("sqlite:///:memory:", clock="virtual") as client:
        execution = client.start(attempts.workflow, {"n": 1})
        assert client.result(execution, timeout=20) == {"n": 2}
        ended = client.get(execution)
    assert ended.stopped is not None
    assert (ended.stopped - ended.started).total_seconds() > 3 * 3600 - 1
    assert len(attempts.keys) == 3
    assert len(set(attempts.keys)) == 3


def test_a_workflow_that_has_grown_is_deployed_anew() -> None:
    wf = Workflow("grows", version="1.0.0")
    wf.set("one", {"n": 1})
    with Stratum("sqlite:///:memory:") as client:
        client.run(wf, timeout=20)
        wf.returns({"n": wf["one"].n})
        assert client.run(wf, timeout=20) == {"n": 1}


def test_another_client_on_the_store_sees_it_end(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/both.db"
    wf = Workflow("small", version="1.0.0")
    wf.wait("short", 1)
    with Stratum(url) as one, Stratum(url) as other:
        execution = one.start(wf)
        assert other.resume() == []  # it is the other's
        assert other.wait(execution, timeout=20).status == "SUCCEEDED"
        assert [each.name for each in other.search(step="short")] == [execution.name]
        assert other.search(step="nowhere") == []


def test_what_a_process_left_is_gone_on_with(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:///{tmp_path}/left.db"
    (tmp_path / "later.py").write_text(
        GREET.replace('hello.task("greet"', 'hello.wait("night", "1d")\ngreeting = hello.task("greet"', 1)
    )
    program = f"from stratum import Stratum; client = Stratum({url!r}); print(client.start('later.py', {{'name': 'Ada'}}).arn, flush=True); import os; os._exit(9)"
    left = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    arn = left.stdout.strip()
    assert arn, left.stderr
    with Stratum(url, clock="virtual") as client:
        assert client.get(arn).running
        assert [each.arn for each in client.resume()] == [arn]
        assert client.result(arn, timeout=20) == {"text": "Hello, Ada!", "words": 2}
        assert client.resume() == []


def test_isolated_functions_are_in_other_processes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(
        "import os\nfrom stratum import Workflow, task\n@task\ndef pid() -> int:\n    return os.getpid()\n"
        "wf = Workflow('elsewhere', version='1.0.0')\nwf.returns({'pid': wf.task('pid', pid)})\n"
    )
    specification = importlib.util.spec_from_file_location("elsewhere", tmp_path / "elsewhere.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    import os

    with Stratum("sqlite:///:memory:") as client:
        assert client.run(module.wf, timeout=20) == {"pid": os.getpid()}
    with Stratum("sqlite:///:memory:", isolated=True) as client:
        assert client.run(module.wf, timeout=20)["pid"] != os.getpid()


# -- async -----------------------------------------------------------------------------------------------------------


def test_many_at_once() -> None:
    wf = Workflow("many", version="1.0.0", input={"n": int})

    @task(name="many.double")
    async def double(n: int) -> int:
        await asyncio.sleep(0.01)
        return 2 * n

    wf.returns({"n": wf.task("double", double, input={"n": wf.input.n})})

    async def main() -> list[Any]:
        async with AsyncStratum("sqlite:///:memory:") as client:
            return await asyncio.gather(*(client.run(wf, {"n": n}, timeout=30) for n in range(20)))

    assert asyncio.run(main()) == [{"n": 2 * n} for n in range(20)]


def test_every_method_is_there_as_a_coroutine(endpoint: str, folder: Path) -> None:
    async def main() -> None:
        async with AsyncStratum(endpoint=endpoint) as client:
            running = await client.start(str(folder / "waits.json"))
            with pytest.raises(stratum.WaitTimeout):
                await client.wait(running, timeout=0.1)
            assert running.arn in [each.arn for each in await client.list("waits")]
            first = await anext(client.stream(running))
            assert first["type"] == "ExecutionStarted"
            assert (await client.stop(running)).status == "ABORTED"
            types = [event["type"] async for event in client.stream(running)]
            assert types == [event["type"] async for event in client.history(running)]
            with pytest.raises(stratum.ExecutionAborted):
                await client.result(running)
            with pytest.raises(stratum.NotAvailable):
                await client.gates()

    asyncio.run(main())
    public = {name for name in vars(Stratum) if not name.startswith("_")} - {"events_after"}
    assert public <= {name for name in vars(AsyncStratum) if not name.startswith("_")}


def test_threads_may_share_a_client() -> None:
    wf = Workflow("shared", version="1.0.0", input={"n": int})
    wf.returns({"n": wf.set("one", {"n": wf.input.n}).n})
    results: list[Any] = []
    with Stratum("sqlite:///:memory:") as client:
        threads = [
            threading.Thread(target=lambda n=n: results.append(client.run(wf, {"n": n}, timeout=30)["n"]))
            for n in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert sorted(results) == list(range(8))


# -- gates -----------------------------------------------------------------------------------------------------------


def test_gates_are_decided_here_and_from_another_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gates.db"
    (tmp_path / "gate.json").write_text(json.dumps(machine("approve", gate(approvers=["requester"]))))
    (tmp_path / "others.json").write_text(json.dumps(machine("approve", gate(approvers=["somebody-else"]))))
    with Stratum(url) as client, Stratum(url) as other:
        first, second = client.start(tmp_path / "gate.json"), client.start(tmp_path / "gate.json")
        refused = client.start(tmp_path / "others.json")
        gates = {each.execution: each for each in _eventually(lambda: client.gates(), 3)}
        assert [each.step for each in client.gates(first)] == ["approve"]
        assert client.approve(gates[first.arn], comment="fine").answer is not None
        assert client.result(first, timeout=20)["outcome"] == "approve"
        other.reject(gates[second.arn].id, comment="no")
        assert client.wait(second, timeout=20).error == "Stratum.Rejected"
        with pytest.raises(stratum.GateRefused, match="whoever asks does not approve") as caught:
            client.approve(gates[refused.arn])
        assert caught.value.reason == "NotAllowed"
        with pytest.raises(stratum.GateRefused) as caught:
            client.approve("nothing")
        assert caught.value.reason == "NotFound"


def test_a_gate_sends_work_back_with_remarks_and_an_edited_form(tmp_path: Path) -> None:
    wf = Workflow("draft", version="1.0.0")
    wf.set("text", {"words": 3})
    gate = wf.gate(
        "ask", approvers=["requester"], timeout="1h", form={"words": int}, values={"words": 3}, revise="text"
    )
    wf.succeed("done", gate.form.words)
    with Stratum(f"sqlite:///{tmp_path}/gates.db") as client:
        execution = client.start(wf)
        [first] = _eventually(lambda: client.gates(execution), 1)
        with pytest.raises(stratum.GateRefused, match="comment"):
            client.revise(first, comment="")
        client.revise(first, comment="longer")
        second = _eventually(lambda: [each for each in client.gates(execution) if each.id != first.id], 1)[0]
        client.approve(second, form={"words": 8})
        assert client.result(execution, timeout=20) == 8


def _eventually(ask: Callable[[], list[Any]], count: int) -> list[Any]:
    until = time.monotonic() + 20
    while len(found := ask()) < count and time.monotonic() < until:
        time.sleep(0.02)
    return found
