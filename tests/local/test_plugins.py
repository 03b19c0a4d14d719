"""Tasks that an installed package brings: functions, and what stands in for a service."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_calls import ROLE
from command_line import done
from endpoint import Everything
from plugin_wheel import EXAMPLE, wheel
from stratum.handlers import plugins


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example."""
    folder = tmp_path_factory.mktemp("plugin")
    target = folder / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        str(target),
    ]
    subprocess.run([*pip, str(wheel(EXAMPLE, folder))], check=True, capture_output=True)
    return target


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))  # for the processes of functions
    plugins.forget()
    yield
    plugins.forget()


def test_a_spec_runs_with_the_tasks_of_a_package(installed: None, tmp_path: Path) -> None:
    output = done(
        tmp_path, "run", str(EXAMPLE / "film.yaml"), "--input", '{"file": "s3://films/the-kid.mov"}'
    )
    assert output == {"title": "The Kid", "job": "COMPLETE"}


def ended(everything: Everything, resource: str, parameters: Any) -> dict[str, Any]:
    sfn = everything.client()
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    made = sfn.create_state_machine(
        name=f"plugged-{uuid.uuid4()}",
        definition=json.dumps({"StartAt": "A", "States": {"A": state}}),
        roleArn=ROLE,
    )
    execution = sfn.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    everything.settle()
    return sfn.describe_execution(executionArn=execution)


CONVERT = "arn:aws:states:::mediaconvert:createJob.sync"


def test_a_package_stands_in_for_a_service_that_is_not_here(installed: None, everything: Everything) -> None:
    settings = {"Inputs": [{"FileInput": "s3://films/a.mov"}]}
    converted = ended(everything, CONVERT, {"Role": "r", "Settings": settings})
    job = json.loads(converted["output"])["Job"]
    assert (job["Status"], job["Settings"]) == ("COMPLETE", settings)
    assert job["Id"].startswith(converted["name"]), "the idempotency key"
    failed = ended(everything, CONVERT, {"Role": "r", "Settings": {}})
    assert (failed["error"], failed["cause"]) == ("NoInput", "there is nothing to convert")


def test_a_function_of_a_package_is_called_like_any_other(installed: None, everything: Everything) -> None:
    arguments = {"FunctionName": "media-title", "Payload": {"file": "b/nosferatu.mov"}}
    called = ended(everything, "arn:aws:states:::lambda:invoke", arguments)
    assert json.loads(called["output"])["Payload"] == {"title": "Nosferatu"}
    answer = everything.other("lambda").invoke(FunctionName="media-title", Payload=b'{"file": "m.mov"}')
    assert json.loads(answer["Payload"].read()) == {"title": "M"}


def test_without_the_package_the_state_machine_is_refused(everything: Everything) -> None:
    with pytest.raises(
        everything.client().exceptions.InvalidDefinition, match=r"mediaconvert\.createJob\.sync"
    ):
        ended(everything, CONVERT, {"Role": "r", "Settings": {}})


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise ImportError('no ffmpeg')", "could not be loaded: ImportError: no ffmpeg"),
        (
            "def convert(arguments, context): return {1, 2}",
            "is not JSON: Object of type set is not JSON serializable",
        ),
        ("", "could not be loaded: AttributeError: module 'broken' has no attribute 'convert'"),
    ],
)
def test_a_package_that_is_broken(
    everything: Everything, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, cause: str
) -> None:
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[stratum.tasks]\nmediaconvert.createJob.sync = broken:convert\n")
    (tmp_path / "broken.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    plugins.forget()
    try:
        failed = ended(everything, CONVERT, {"Role": "r", "Settings": {}})
    finally:
        plugins.forget()
        sys.modules.pop("broken", None)
    assert failed["error"] == "States.Runtime"
    assert cause in failed["cause"]
