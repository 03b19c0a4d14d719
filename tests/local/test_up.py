"""`stratum up` as its users meet it: a process on a port, boto3 and the AWS CLI with an endpoint URL alone."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from up import BIN, ROLE, Up, ended

PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"done": True}, "End": True}}})
WAIT = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 2, "End": True}}})


def create(client: Any, definition: str, name: str) -> str:
    return client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def test_boto3_needs_the_endpoint_url_alone(up: Up) -> None:
    client = up.client()
    machine = create(client, PASS, "plain")
    execution = client.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
    assert ended(client, execution)["output"] == '{"done":true}'
    events = client.get_paginator("get_execution_history").paginate(
        executionArn=execution, PaginationConfig={"PageSize": 2}
    )
    assert [event["id"] for page in events for event in page["events"]] == [1, 2, 3, 4]
    with pytest.raises(client.exceptions.InvalidArn, match="Invalid ARN prefix: x"):
        client.describe_execution(executionArn="x")
    assert client.test_state(definition='{"Type": "Succeed"}', input="{}")["status"] == "SUCCEEDED"


def test_functions_out_of_a_folder(up: Up) -> None:
    client = up.client()
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "shop-charge", "Payload.$": "$"},
    }
    definition = json.dumps(
        {"StartAt": "A", "States": {"A": {**task, "OutputPath": "$.Payload", "End": True}}}
    )
    execution = client.start_execution(
        stateMachineArn=create(client, definition, "shop"), input='{"sum": 5}'
    )["executionArn"]
    assert ended(client, execution)["output"] == '{"charged":5}'


def test_an_express_execution_and_an_activity(up: Up) -> None:
    client = up.client()
    express = client.create_state_machine(name="express", definition=PASS, roleArn=ROLE, type="EXPRESS")[
        "stateMachineArn"
    ]
    assert client.start_sync_execution(stateMachineArn=express)["status"] == "SUCCEEDED"
    activity = client.create_activity(name="work")["activityArn"]
    definition = json.dumps(
        {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    )
    with ThreadPoolExecutor(1) as pool:
        # The worker asks before there is anything to do, and is answered as soon as there is.
        asked = pool.submit(up.client().get_activity_task, activityArn=activity)
        execution = client.start_execution(stateMachineArn=create(client, definition, "worked"), input="7")[
            "executionArn"
        ]
        token = asked.result(timeout=20)["taskToken"]
    client.send_task_success(taskToken=token, output="8")
    assert ended(client, execution)["output"] == "8"


def test_regions_and_accounts_lie_side_by_side(up: Up) -> None:
    ireland, other = up.client("eu-west-1"), up.client(key="111122223333")
    assert create(ireland, PASS, "here") == "arn:aws:states:eu-west-1:123456789012:stateMachine:here"
    assert create(other, PASS, "here") == "arn:aws:states:us-east-1:111122223333:stateMachine:here"
    assert len(ireland.list_state_machines()["stateMachines"]) == 1


def test_many_clients_at_once(up: Up) -> None:
    machine = create(up.client(), PASS, "busy")

    def start(number: int) -> str:
        client = up.client()
        return ended(
            client, client.start_execution(stateMachineArn=machine, name=f"n{number}")["executionArn"]
        )["status"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(start, range(40))) == {"SUCCEEDED"}


def test_what_runs_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = Up("--data", str(tmp_path))
    client = first.client()
    execution = client.start_execution(stateMachineArn=create(client, WAIT, "waits"))["executionArn"]
    code, out = first.stop()
    assert code == 0
    assert "stopped" in out
    second = Up("--data", str(tmp_path))
    assert ended(second.client(), execution)["status"] == "SUCCEEDED"
    code, out = second.stop()
    assert "1 executions were running, and go on" in out


def test_under_a_virtual_clock_no_wait_takes_time(tmp_path: Path) -> None:
    started = Up("--data", str(tmp_path), "--clock", "virtual")
    client = started.client()
    definition = WAIT.replace('"Seconds": 2', '"Seconds": 86400')
    execution = client.start_execution(stateMachineArn=create(client, definition, "day"))["executionArn"]
    described = ended(client, execution)
    assert (described["stopDate"] - described["startDate"]).total_seconds() == 86400
    started.stop()


def request(up: Up, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_only_this_machine_and_no_foreign_page_may_call(up: Up) -> None:
    target = "AWSStepFunctions.ListStateMachines"
    assert request(up, "POST", "/", "{}", X_Amz_Target=target)[0] == 200
    assert request(up, "POST", "/", "{}", X_Amz_Target=target, Host="evil.example")[0] == 403
    assert request(up, "POST", "/", "{}", X_Amz_Target=target, Origin="http://evil.example")[0] == 403
    assert request(up, "POST", "/", "{}", X_Amz_Target=target, Host=f"sync-localhost:{up.port}")[0] == 200


def test_uploads_do_not_wait_for_a_word(up: Up) -> None:
    """boto3 asks whether it may send an object, and after a second sends it all the same."""
    s3 = up.service("s3")
    s3.create_bucket(Bucket="uploads")
    taken = []
    for size in (1, 100_000):
        began = time.monotonic()
        s3.put_object(Bucket="uploads", Key="k", Body=b"x" * size)
        taken.append(time.monotonic() - began)
        assert s3.head_object(Bucket="uploads", Key="k")["ContentLength"] == size
    assert min(taken) < 0.9


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", 200),
        ("[1]", 400),
        ("{", 400),
        ('{"maxResults": "x"}', 400),
        ("\udcff", 400),
        ('{"nextToken": {}}', 400),
        ("[" * 100_000, 400),
    ],
)
def test_bodies_that_are_no_request(up: Up, body: str, code: int) -> None:
    raw = body.encode("utf-8", "surrogateescape").decode("latin-1")
    status, answer = request(up, "POST", "/", raw, X_Amz_Target="AWSStepFunctions.ListStateMachines")
    assert status == code
    assert json.loads(answer)


def test_requests_that_are_none(up: Up) -> None:
    assert request(up, "GET", "/_stratum/nothing")[0] == 404
    assert request(up, "POST", "/", "{}", X_Amz_Target="AWSStepFunctions.Nope")[0] == 400
    assert (
        request(
            up, "POST", "/", "", X_Amz_Target="AWSStepFunctions.ListStateMachines", Content_Length="99999999"
        )[0]
        == 413
    )
    status, health = request(up, "GET", "/_stratum/health")
    assert (status, len(json.loads(health)["operations"])) == (200, 37)


def test_a_reset_forgets_everything(tmp_path: Path) -> None:
    started = Up("--data", str(tmp_path))
    client = started.client()
    create(client, PASS, "gone")
    assert request(started, "POST", "/_stratum/reset") == (200, '{"status": "reset"}')
    assert client.list_state_machines()["stateMachines"] == []
    machine = create(client, PASS, "gone")
    assert (
        ended(client, client.start_execution(stateMachineArn=machine, name="x")["executionArn"])["status"]
        == "SUCCEEDED"
    )
    started.stop()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "--insecure-bind"),
        (["--host", "nowhere at all"], "is no address"),
        (["--functions", "/no/such/folder"], "there is no such folder"),
        (["--mock-config", "/no/such/file"], "--mock-config"),
        (["--store", "postgres://x"], "is not the address of a store"),
        (["--data", "/dev/null/x"], "cannot be made"),
        (["--", "no-such-program"], "no-such-program cannot be run: No such file"),
    ],
)
def test_what_cannot_be_served_is_refused(options: list[str], says: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "stratum", "up", *options], capture_output=True, text=True, timeout=30, cwd=tmp_path
    )
    assert done.returncode == 2
    assert says in done.stderr


def test_a_program_beside_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import boto3, sys\n"
        "client = boto3.client('stepfunctions')\n"
        "print(client.create_activity(name='work')['activityArn'])\n"
        "sys.exit(7)\n"
    )
    for _ in range(2):  # nothing of the first is there for the second
        done = subprocess.run(
            [BIN / "stratum", "up", "--", sys.executable, "program.py"],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
        )
        assert (done.returncode, done.stdout) == (
            7,
            "arn:aws:states:us-east-1:123456789012:activity:work\n",
        ), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["program.py"]


def test_a_port_that_is_taken(up: Up, tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "stratum", "up", "--port", str(up.port), "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr


def test_an_unknown_machine_is_the_error_that_boto3_knows(up: Up) -> None:
    with pytest.raises(ClientError) as caught:
        up.client().start_execution(stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:none")
    assert caught.value.response["Error"]["Code"] == "StateMachineDoesNotExist"
