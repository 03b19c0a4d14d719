"""Worker processes: what a handler does to its process stays there, and nothing of it is left over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from stratum.handlers.functions import Invocation, InvocationResult, InvokeError
from stratum.local.functions import FunctionsClosed, WorkerFunctions
from stratum.local.functions.process import WorkerProcess

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are looked at as POSIX has them")

HANDLERS = '''
import os, signal, subprocess, sys, threading, time

calls = 0

def count(event, context):
    global calls
    calls += 1
    return [os.getpid(), calls]

def ping(event, context):
    return "pong"

def spin(event, context):
    print("spinning", flush=True)
    while True:
        pass

def compute(event, context):
    """Never lets go of the interpreter."""
    hold(event)
    return sum(range(3 * 10 ** 9))

def hold(path):
    """Locks a file for as long as this process lives."""
    import fcntl
    file = open(path, "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    hold.file = file
    with open(f"{path}.held", "w"):
        pass

def start_child(event, context):
    script = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); " \\
             "open(sys.argv[1] + '.held', 'w'); time.sleep(1000)"
    subprocess.Popen([sys.executable, "-c", script, event["path"]])
    while not os.path.exists(event["path"] + ".held"):
        time.sleep(0.01)
    if event["then"] == "spin":
        while True:
            pass
    if event["then"] == "exit":
        os._exit(4)

def exit_now(event, context):
    print("so long", end="")
    os._exit(event)

def kill(event, context):
    os.kill(os.getpid(), event)
    time.sleep(100)

def fork(event, context):
    """Leaves a process behind that has all our descriptors."""
    pid = os.fork()
    if pid == 0:
        time.sleep(1000)
    if event == "exit":
        os._exit(5)
    return pid

def exit_with_threads(event, context):
    threading.Thread(target=time.sleep, args=(1000,)).start()
    raise SystemExit(6)

def exit_later(event, context):
    def later():
        while not os.path.exists(event):
            time.sleep(0.005)
        os._exit(1)
    threading.Thread(target=later).start()
    return os.getpid()

def close_descriptors(event, context):
    os.closerange(3, 256)
    time.sleep(1000)

def interrupted(event, context):
    raise KeyboardInterrupt

def meet(event, context):
    """Waits until as many calls as `event["of"]` are here at once."""
    with open(f"{event['folder']}/{os.getpid()}", "w"):
        pass
    while len(os.listdir(event["folder"])) < event["of"]:
        time.sleep(0.005)
    return os.getpid()
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "work.py").write_text(HANDLERS)
    (folder / "slow.py").write_text(
        "import time\ntime.sleep(0.6)\nprint('loaded')\ndef ping(event, context):\n    return 'pong'\n"
    )
    (folder / "endless.py").write_text("while True:\n    pass\n")
    (folder / "leaving.py").write_text("print('good', 'bye')\nraise SystemExit(9)\n")
    (folder / "types.py").write_text("def ping(event, context):\n    return 'pong'\n")
    return folder


@pytest.fixture
def functions(folder: Path) -> Iterator[WorkerFunctions]:
    with WorkerFunctions([folder], timeout=30) as functions:
        yield functions


Call = Callable[..., InvocationResult]


@pytest.fixture
def call(functions: WorkerFunctions) -> Call:
    def call(function: str, event: Any = None, timeout: float | None = None) -> InvocationResult:
        return functions.invoke(Invocation(f"work-{function}", json.dumps(event), "r-1", timeout=timeout))

    return call


def value(result: InvocationResult) -> Any:
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def error(result: InvocationResult) -> dict[str, Any]:
    assert result.function_error == "Unhandled"
    return json.loads(result.payload)


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_free(path: Path) -> bool:
    """Whether nobody has the file locked: the process that had it is gone."""
    import fcntl

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_zombie(process: int) -> bool:
    """Whether it has ended, and nobody has waited for it yet."""
    stat = Path(f"/proc/{process}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def is_gone(pid: int) -> bool:
    """Whether the process has ended and been waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_process_stays_warm_from_call_to_call(call: Call) -> None:
    first, second = value(call("count")), value(call("count"))
    assert first == [first[0], 1]
    assert second == [first[0], 2]
    assert first[0] != os.getpid()


def test_calls_at_once_have_processes_of_their_own(call: Call, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        events = [{"folder": str(tmp_path), "of": 3}] * 3
        processes = {value(result) for result in pool.map(call, ["meet"] * 3, events)}
    assert len(processes) == 3


def test_calls_above_the_concurrency_wait_for_a_process(folder: Path) -> None:
    with WorkerFunctions([folder], concurrency=2) as functions, ThreadPoolExecutor(8) as pool:
        invocation = Invocation("work-count", "null", "r")
        results = [value(result) for result in pool.map(functions.invoke, [invocation] * 100)]
    assert len({pid for pid, _ in results}) <= 2
    assert len({(pid, calls) for pid, calls in results}) == 100


def test_timeout_ends_the_process_and_says_what_lambda_says(call: Call) -> None:
    result = call("spin", timeout=0.25)
    assert error(result) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 0.25 seconds",
    }
    assert result.log == "spinning\n"
    assert value(call("ping")) == "pong"


def test_timeout_of_the_functions_holds_where_a_call_brings_none(folder: Path) -> None:
    with WorkerFunctions([folder], timeout=0.2) as functions:
        result = functions.invoke(Invocation("work-spin", "null", "r"))
        assert error(result)["errorMessage"] == "RequestId: r Error: Task timed out after 0.20 seconds"


def test_timeout_ends_what_the_handler_has_started(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    result = call("start_child", {"path": str(path), "then": "spin"}, timeout=2)
    assert error(result)["errorType"] == "Sandbox.Timedout"
    assert Path(f"{path}.held").exists()
    assert eventually(lambda: is_free(path))


def test_importing_does_not_count_against_the_timeout(functions: WorkerFunctions) -> None:
    first, second = [functions.invoke(Invocation("slow-ping", "null", "r", timeout=0.3)) for _ in range(2)]
    assert value(first) == value(second) == "pong"
    assert [first.log, second.log] == ["loaded\n", ""], "what importing prints is the first call's"


def test_import_that_never_ends_times_out(folder: Path) -> None:
    with WorkerFunctions([folder], init_timeout=0.2) as functions:
        result = functions.invoke(Invocation("endless-handler", "null", "r", timeout=0.2))
        assert error(result)["errorType"] == "Sandbox.Timedout"


def test_import_that_outlasts_its_time_uses_the_calls(folder: Path) -> None:
    with WorkerFunctions([folder], init_timeout=0.1) as functions:
        assert value(functions.invoke(Invocation("slow-ping", "null", "r", timeout=20))) == "pong"


def test_module_that_leaves_when_imported(functions: WorkerFunctions) -> None:
    result = functions.invoke(Invocation("leaving-handler", "null", "r"))
    assert error(result)["errorMessage"].endswith("Runtime exited with error: exit status 9")
    assert result.log == "good bye\n"


def test_module_with_the_name_of_one_of_pythons_is_refused(functions: WorkerFunctions) -> None:
    document = error(functions.invoke(Invocation("types-ping", "null", "r")))
    assert document["errorType"] == "Runtime.BuiltInModuleConflict"
    assert "give the file another name" in document["errorMessage"]


@pytest.mark.parametrize(
    ("function", "event", "reason"),
    [
        ("exit_now", 1, "Runtime exited with error: exit status 1"),
        ("exit_now", 129, "Runtime exited with error: exit status 129"),
        ("exit_now", 0, "Runtime exited without providing a reason"),
        ("kill", signal.SIGKILL, "Runtime exited with error: signal: killed"),
        ("kill", signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        ("kill", signal.SIGTERM, "Runtime exited with error: signal: terminated"),
        ("interrupted", None, "Runtime exited with error: exit status 1"),
        ("exit_with_threads", None, "Runtime exited with error: exit status 6"),
        ("fork", "exit", "Runtime exited with error: exit status 5"),
    ],
)
def test_end_of_the_process_is_an_exit_error_and_the_next_call_works(
    call: Call, function: str, event: Any, reason: str
) -> None:
    assert error(call(function, event)) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: r-1 Error: {reason}",
    }
    assert value(call("ping")) == "pong"


def test_end_of_the_process_ends_what_the_handler_has_started(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    result = call("start_child", {"path": str(path), "then": "exit"})
    assert error(result)["errorMessage"].endswith("exit status 4")
    assert eventually(lambda: is_free(path))


def test_handler_that_closes_every_descriptor_is_ended(call: Call) -> None:
    document = error(call("close_descriptors"))
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].endswith("signal: killed")


def test_process_that_ended_between_two_calls_is_replaced(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "now"
    gone = value(call("exit_later", str(path)))
    path.touch()
    assert eventually(lambda: is_gone(gone) or is_zombie(gone))
    assert value(call("exit_later", str(tmp_path / "never"))) != gone


def test_call_that_a_dead_process_was_given_is_performed_by_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ended a moment ago, and is not known to have: here that is never seen before the call is on its way."""
    with WorkerFunctions([folder], timeout=30, concurrency=1) as functions:
        first = value(functions.invoke(Invocation("work-exit_later", '"/nowhere"', "r")))
        monkeypatch.setattr(WorkerProcess, "_has_exited", lambda self: False)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: is_zombie(first))
        assert value(functions.invoke(Invocation("work-exit_later", '"/nowhere"', "r"))) != first


def test_process_that_the_handler_forks_goes_with_it(functions: WorkerFunctions, call: Call) -> None:
    child = value(call("fork"))
    assert value(call("fork")) != child
    functions.close()
    assert eventually(lambda: is_gone(child) or is_zombie(child))


def test_modules_of_workers_are_not_imported_here(call: Call) -> None:
    before = set(sys.modules)
    call("ping")
    assert "work" not in set(sys.modules) - before


def test_close_ends_all_processes_and_waits_for_them(folder: Path) -> None:
    functions = WorkerFunctions([folder])
    pid = value(functions.invoke(Invocation("work-count", "null", "r")))[0]
    assert not is_gone(pid)
    functions.close()
    assert is_gone(pid)
    functions.close()
    with pytest.raises(FunctionsClosed):
        functions.invoke(Invocation("work-count", "null", "r"))


def test_call_that_close_interrupts_has_no_result(folder: Path, tmp_path: Path) -> None:
    functions = WorkerFunctions([folder], concurrency=1)
    with ThreadPoolExecutor(2) as pool:
        invocation = Invocation("work-meet", json.dumps({"folder": str(tmp_path), "of": 2}), "r")
        calls = [pool.submit(functions.invoke, invocation) for _ in range(2)]  # one runs, one waits
        assert eventually(lambda: len(os.listdir(tmp_path)) == 1)
        functions.close()
        for running in calls:
            with pytest.raises(FunctionsClosed):
                running.result(timeout=20)


def test_no_process_to_be_had_is_a_service_exception(
    functions: WorkerFunctions, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(InvokeError, match="no process could be started for 'work-ping'") as raised:
            call("ping")
    assert raised.value.error == "Lambda.ServiceException"
    assert value(call("ping")) == "pong"


PARENT = """
import json, signal, sys, threading
from stratum.handlers.functions import Invocation
from stratum.local.functions import WorkerFunctions

signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
functions = WorkerFunctions([sys.argv[1]])

def call(function, event):
    print(functions.invoke(Invocation(function, json.dumps(event), "r")).payload, flush=True)

for function, event in json.loads(sys.argv[2]):
    threading.Thread(target=call, args=(function, event), daemon=True).start()
while True:
    threading.Event().wait(1)
"""


@contextlib.contextmanager
def parent(folder: Path, *calls: tuple[str, Any]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PARENT, str(folder), json.dumps(calls)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_workers_die_with_a_parent_that_is_killed(folder: Path, tmp_path: Path) -> None:
    computing, child = tmp_path / "computing", tmp_path / "child"
    calls = ("work-compute", str(computing)), ("work-start_child", {"path": str(child), "then": "spin"})
    with parent(folder, *calls) as process:
        for path in (computing, child):
            assert eventually(Path(f"{path}.held").exists)
            assert not is_free(path)
        process.kill()
        assert eventually(lambda: is_free(computing)), "also one that never lets go of the interpreter"
        assert eventually(lambda: is_free(child)), "also what a handler has started"


def test_ctrl_c_is_the_parents_alone(folder: Path, tmp_path: Path) -> None:
    with parent(folder, ("work-meet", {"folder": str(tmp_path), "of": 2})) as process:
        assert eventually(lambda: len(os.listdir(tmp_path)) == 1)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        [worker] = os.listdir(tmp_path)
        (tmp_path / "second").touch()
        assert process.stdout.readline() == f"{worker}\n"


def test_threads_share_the_functions(call: Call) -> None:
    results: list[Any] = []

    def many() -> None:
        results.extend(value(call("count")) for _ in range(50))

    threads = [threading.Thread(target=many) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(result) for result in results}) == 300
