"""Lambda at the endpoint: functions are made, changed, published and called through boto3."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from up import ROLE, Up, archive, received, until

DESCRIBE = """
import os
def handler(event, context):
    print("called with", event)
    return {
        "event": event, "x": os.environ.get("X"), "region": os.environ["AWS_REGION"], "version": context.function_version,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
        "left": context.get_remaining_time_in_millis() // 1000,
    }
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function"


def test_a_function_is_made_changed_and_deleted(up: Up) -> None:
    client = up.service("lambda")
    arn = up.make("life", DESCRIBE, Environment={"Variables": {"X": "1"}}, Timeout=5, MemorySize=256)
    answer = up.call("life", {"a": 1})
    assert answer["ExecutedVersion"] == "$LATEST"
    assert answer["Payload"] == {
        "event": {"a": 1}, "x": "1", "region": "us-east-1", "version": "$LATEST", "arn": arn, "memory": "256", "left": 4,
    }  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName="life")
    changed = client.update_function_configuration(
        FunctionName="life", Environment={"Variables": {"X": "2"}}, Timeout=9, MemorySize=512
    )
    assert (changed["Timeout"], changed["MemorySize"]) == (9, 512)
    said = up.call(arn)["Payload"]
    assert (said["x"], said["memory"], said["left"]) == ("2", "512", 8)
    client.update_function_code(
        FunctionName="life", ZipFile=archive({"app.py": "handler = lambda e, c: 'new'"})
    )
    assert up.call("123456789012:function:life")["Payload"] == "new"
    assert "life" in [each["FunctionName"] for each in client.list_functions()["Functions"]]
    client.delete_function(FunctionName="life")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Function not found: {ARN}:life"):
        up.call("life")


def test_versions_and_aliases_keep_what_they_were(up: Up) -> None:
    client = up.service("lambda")
    up.make("shop", DESCRIBE, Environment={"Variables": {"X": "first"}})
    assert client.publish_version(FunctionName="shop")["Version"] == "1"
    client.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
    client.update_function_configuration(FunctionName="shop", Environment={"Variables": {"X": "second"}})
    assert client.publish_version(FunctionName="shop")["Version"] == "2"
    live = up.call("shop", Qualifier="live")
    assert (live["ExecutedVersion"], live["Payload"]["x"], live["Payload"]["arn"]) == (
        "1",
        "first",
        f"{ARN}:shop:live",
    )
    assert up.call("shop:2")["Payload"]["x"] == "second"
    first = client.get_alias(FunctionName="shop", Name="live")
    client.update_alias(FunctionName="shop", Name="live", FunctionVersion="2")
    assert client.get_alias(FunctionName="shop", Name="live")["RevisionId"] != first["RevisionId"]
    assert up.call(f"{ARN}:shop:live")["ExecutedVersion"] == "2"
    client.update_alias(
        FunctionName="shop", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}}
    )
    assert {up.call("shop:live")["ExecutedVersion"] for _ in range(30)} == {"1", "2"}
    assert [each["Version"] for each in client.list_versions_by_function(FunctionName="shop")["Versions"]] == [
        "$LATEST", "1", "2",
    ]  # fmt: skip
    for qualifier in ("3", "dead"):
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"{ARN}:shop:{qualifier}"):
            up.call("shop", Qualifier=qualifier)


def test_layers_by_their_versions(up: Up) -> None:
    client = up.service("lambda")
    layers = []
    for name, files in (
        ("base", {"python/shared.py": "NAME = 'base'", "python/lib/python3.0/none.py": ""}),
        ("over", {"python/shared.py": "NAME = 'over'", "python/data.txt": "data"}),
    ):
        made = client.publish_layer_version(LayerName=name, Content={"ZipFile": archive(files)})
        layers.append(made["LayerVersionArn"])
    code = "import shared\ndef handler(event, context):\n    return shared.NAME\n"
    up.make("layered", code, Layers=layers)
    assert up.call("layered")["Payload"] == "over"
    client.update_function_configuration(FunctionName="layered", Layers=layers[:1])
    assert up.call("layered")["Payload"] == "base"


def test_what_is_asked_for_by_the_type_of_invocation(up: Up) -> None:
    client = up.service("lambda")
    up.make("kinds", DESCRIBE)
    assert up.call("kinds", InvocationType="DryRun")["StatusCode"] == 204
    assert up.call("kinds", InvocationType="Event")["StatusCode"] == 202
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        up.call("not-there", InvocationType="Event")
    with pytest.raises(
        client.exceptions.InvalidRequestContentException, match="Could not parse request body"
    ):
        client.invoke(FunctionName="kinds", Payload=b"{")
    with pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="kinds", Payload=b'"' + b"x" * 7_000_000 + b'"')
    client.put_function_concurrency(FunctionName="kinds", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException, match="Rate Exceeded"):
        up.call("kinds")


def test_the_log_is_in_cloudwatch_logs(up: Up) -> None:
    up.make("chatty", DESCRIBE)
    up.call("chatty", "you")
    logs = up.service("logs")
    [stream] = logs.describe_log_streams(logGroupName="/aws/lambda/chatty")["logStreams"]
    events = logs.get_log_events(logGroupName="/aws/lambda/chatty", logStreamName=stream["logStreamName"])[
        "events"
    ]
    texts = [event["message"] for event in events]
    assert texts[1] == "called with you\n"
    assert [text.split()[0] for text in texts] == ["START", "called", "END", "REPORT"]
    assert int(texts[3].partition("Max Memory Used: ")[2].split()[0]) > 5
    assert time.strftime("%Y/%m/%d/[$LATEST]", time.gmtime())[:10] == stream["logStreamName"][:10]


FAILS = "def handler(event, context):\n    if event == 'fail':\n        raise ValueError('no')\n    return {'done': event}\n"


def test_asynchronous_invocations_tell_where_they_end(up: Up) -> None:
    client, sqs = up.service("lambda"), up.service("sqs")
    queues = {
        name: sqs.create_queue(QueueName=f"async-{name}")["QueueUrl"] for name in ("good", "bad", "dead")
    }
    arns = {name: f"arn:aws:sqs:us-east-1:123456789012:async-{name}" for name in queues}
    up.make("async", FAILS, DeadLetterConfig={"TargetArn": arns["dead"]})
    client.put_function_event_invoke_config(
        FunctionName="async", MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": arns["good"]}, "OnFailure": {"Destination": arns["bad"]}},
    )  # fmt: skip
    assert client.get_function_configuration(FunctionName="async")["DeadLetterConfig"] == {
        "TargetArn": arns["dead"]
    }
    up.call("async", "work", InvocationType="Event")
    record = json.loads(received(sqs, queues["good"])[0]["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert (record["requestPayload"], record["responsePayload"]) == ("work", {"done": "work"})
    up.call("async", "fail", InvocationType="Event")
    record = json.loads(received(sqs, queues["bad"])[0]["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "ValueError"
    [letter] = received(sqs, queues["dead"])
    assert json.loads(letter["Body"]) == "fail"
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"


def test_another_function_as_destination(up: Up) -> None:
    sqs = up.service("sqs")
    queue = sqs.create_queue(QueueName="relayed")["QueueUrl"]
    relay = f"import boto3, json\ndef handler(event, context):\n    boto3.client('sqs').send_message(QueueUrl={queue!r}, MessageBody=json.dumps(event))\n"
    target = up.make("relay", relay, Timeout=20)
    up.make("relayed", FAILS)
    up.service("lambda").put_function_event_invoke_config(
        FunctionName="relayed", DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    up.call("relayed", 1, InvocationType="Event")
    assert json.loads(received(sqs, queue)[0]["Body"])["responsePayload"] == {"done": 1}


def test_a_function_calls_aws_in_its_own_account_and_region(up: Up) -> None:
    code = "import boto3\ndef handler(event, context):\n    return [boto3.client('sts').get_caller_identity()['Account'], boto3.client('sqs').list_queues().get('QueueUrls', [])]\n"
    key, region = "111122223333", "eu-central-1"
    up.service("sqs", region, key).create_queue(QueueName="theirs")
    client = up.service("lambda", region, key)
    client.create_function(
        FunctionName="own", Runtime="python3.12", Role=ROLE.replace("123456789012", key), Handler="app.handler",
        Code={"ZipFile": archive({"app.py": code})}, Timeout=20,
    )  # fmt: skip
    account, queues = json.loads(client.invoke(FunctionName="own")["Payload"].read())
    assert account == key
    assert [url.rpartition("/")[2] for url in queues] == ["theirs"]
    with pytest.raises(up.service("lambda").exceptions.ResourceNotFoundException):
        up.call("own")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"Runtime": "java21"}, "the runtime java21 does not run here"),
        (
            {"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"}},
            "container image",
        ),
        ({"Runtime": "python3.12", "Code": {"ZipFile": b"no archive"}}, "Could not unzip uploaded file"),
    ],
)
def test_what_could_never_run_is_refused(up: Up, fields: dict[str, Any], says: str) -> None:
    client = up.service("lambda")
    given = {"Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": archive({"app.py": ""})}, **fields}
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=says):
        client.create_function(FunctionName="never", **given)


def test_what_terraform_and_cdk_ask_for_is_answered(up: Up) -> None:
    client = up.service("lambda")
    arn = up.make("asked", FAILS, Publish=True, Tags={"team": "a"})
    assert client.get_function(FunctionName="asked")["Tags"] == {"team": "a"}
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "a"}
    assert client.get_function_code_signing_config(FunctionName="asked")["FunctionName"] == "asked"
    assert client.get_runtime_management_config(FunctionName="asked")["UpdateRuntimeOn"] == "Auto"
    assert client.get_function_recursion_config(FunctionName="asked")["RecursiveLoop"] == "Terminate"
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert client.list_function_url_configs(FunctionName="asked")["FunctionUrlConfigs"] == []
    client.put_provisioned_concurrency_config(
        FunctionName="asked", Qualifier="1", ProvisionedConcurrentExecutions=2
    )
    found = client.get_provisioned_concurrency_config(FunctionName="asked", Qualifier="1")
    assert found["Status"] == "READY"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="asked")
    client.add_permission(
        FunctionName="asked",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="states.amazonaws.com",
    )
    assert json.loads(client.get_policy(FunctionName="asked")["Policy"])["Statement"][0]["Sid"] == "s"
    with pytest.raises(ClientError) as caught:
        client.list_code_signing_configs()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def test_a_function_url(up: Up) -> None:
    code = (
        "def handler(event, context):\n"
        "    if event['rawPath'] == '/plain':\n        return {'got': event.get('body')}\n"
        "    return {'statusCode': 201, 'headers': {'x-a': 'b'}, 'cookies': ['c=d'], 'body': event['queryStringParameters']['q'] + event['requestContext']['http']['method']}\n"
    )
    up.make("web", code)
    url = up.service("lambda").create_function_url_config(FunctionName="web", AuthType="NONE")["FunctionUrl"]
    assert url.endswith(f".localhost:{up.port}/")

    def call(method: str, path: str, body: str = "") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=20)
        connection.request(method, path, body, {"Host": url.split("/")[2]})
        return connection.getresponse()

    answer = call("PUT", "/x?q=1")
    assert (answer.status, answer.read()) == (201, b"1PUT")
    assert (answer.headers["x-a"], answer.headers["set-cookie"]) == ("b", "c=d")
    answer = call("POST", "/plain", "text")
    assert (answer.status, json.loads(answer.read())) == (200, {"got": "text"})
    url = url.replace(url[7], "0" if url[7] != "0" else "1", 1)
    assert call("GET", "/").status == 404


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on PATH")

NODE = """
exports.handler = async (event, context) => {
  console.log("got", event);
  switch (event.do) {
    case "fail": throw new RangeError("déjà vu");
    case "text": throw "a text";
    case "exit": process.exit(4);
    case "uncaught": setTimeout(() => { throw new Error("later"); }, 1); return new Promise(() => {});
    case "rejected": Promise.reject(new Error("nobody cares")); return new Promise(() => {});
    case "never": return new Promise(() => {});
    case "spin": while (true);
    case "circle": { const circle = {}; circle.self = circle; return circle; }
    case "nothing": return undefined;
    case "memory": { const all = []; while (true) all.push(Buffer.alloc(10_000_000, 1)); }
  }
  return { event, env: process.env.X, name: context.functionName, left: context.getRemainingTimeInMillis() > 500, arn: context.invokedFunctionArn };
};
exports.old = (event, context, callback) => { setTimeout(() => callback(null, event + 1), 5); };
exports.missed = (event, context, callback) => {};
"""


@needs_node
def test_functions_in_javascript(up: Up) -> None:
    arn = up.make("node", NODE, Runtime="nodejs20.x", Timeout=1, Environment={"Variables": {"X": "1"}})
    ours = {"event": {"do": "it"}, "env": "1", "name": "node", "left": True, "arn": arn}
    answer = up.call("node", {"do": "it"}, LogType="Tail")
    assert answer["Payload"] == ours
    log = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert log[1].split("\t")[2:] == ["INFO", "got { do: 'it' }"]

    def failed(do: str) -> dict[str, Any]:
        answer = up.call("node", {"do": do})
        assert answer["FunctionError"] == "Unhandled"
        assert up.call("node", {"do": "it"})["Payload"] == ours
        return answer["Payload"]

    document = failed("fail")
    assert (document["errorType"], document["errorMessage"]) == ("RangeError", "déjà vu")
    assert document["trace"][0] == "RangeError: déjà vu"
    assert "/var/task/app.js:5:" in document["trace"][1]
    assert failed("text") == {"errorType": "string", "errorMessage": "a text", "trace": []}
    assert failed("exit")["errorMessage"].endswith("Runtime exited with error: exit status 4")
    assert failed("uncaught")["errorMessage"] == "later"
    assert failed("rejected")["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert failed("spin")["errorType"] == "Sandbox.Timedout"
    assert "circular" in failed("circle")["errorMessage"]
    assert failed("memory")["errorMessage"].endswith("signal: killed")
    assert up.call("node", {"do": "nothing"})["Payload"] is None
    assert up.call("node", {"do": "never"})["Payload"] is None


@needs_node
def test_callbacks_and_modules_in_javascript(up: Up) -> None:
    up.make("old", NODE, "app.old", Runtime="nodejs20.x")
    assert [up.call("old", number)["Payload"] for number in (1, 2)] == [2, 3]
    up.make("missed", NODE, "app.missed", Runtime="nodejs20.x")
    assert up.call("missed", 1)["Payload"] is None
    up.make("absent", NODE, "app.absent", Runtime="nodejs20.x")
    assert up.call("absent")["Payload"]["errorType"] == "Runtime.HandlerNotFound"
    up.make("no-module", NODE, "other.handler", Runtime="nodejs20.x")
    assert up.call("no-module")["Payload"]["errorType"] == "Runtime.ImportModuleError"
    up.make("broken", "exports.handler = (", Runtime="nodejs20.x")
    assert up.call("broken")["Payload"]["errorType"] == "Runtime.UserCodeSyntaxError"
    client = up.service("lambda")
    layer = client.publish_layer_version(
        LayerName="js", Content={"ZipFile": archive({"nodejs/node_modules/shared/index.js": "exports.name = 'shared';"})}
    )  # fmt: skip
    module = "const { name } = require('shared');\nexports.handler = async () => name;\n"
    up.make("uses", module, Runtime="nodejs20.x", Layers=[layer["LayerVersionArn"]])
    assert up.call("uses")["Payload"] == "shared"
    client.create_function(
        FunctionName="esm", Runtime="nodejs22.x", Role=ROLE, Handler="src/app.handler",
        Code={"ZipFile": archive({"src/app.mjs": "import os from 'node:os';\nexport const handler = async (event) => [typeof os.EOL, event];\n"})},
    )  # fmt: skip
    assert up.call("esm", 1)["Payload"] == ["string", 1]


def test_javascript_without_node_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    without = Up()
    try:
        client = without.service("lambda")
        with pytest.raises(
            client.exceptions.InvalidParameterValueException, match="there is no `node` on PATH"
        ):
            without.make("js", NODE, Runtime="nodejs20.x")
    finally:
        without.stop()


def test_functions_out_of_a_folder_have_their_changes_at_once(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def greet(event, context):\n    return 'hello'\n")
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "shared.py").write_text("NAME = 'layer'\n")
    with_folder = Up("--functions", str(tmp_path), "--layer", str(tmp_path / "layer"))
    try:
        assert with_folder.call("app-greet")["Payload"] == "hello"
        assert with_folder.call("app.greet")["Payload"] == "hello"
        (tmp_path / "app.py").write_text(
            "import shared\ndef greet(event, context):\n    return shared.NAME\n"
        )
        until(lambda: with_folder.call("app-greet")["Payload"] == "layer")
        if shutil.which("node"):
            (tmp_path / "web.mjs").write_text("export const serve = async (event) => event * 2;\n")
            assert until(lambda: with_folder.call("web-serve", 21)["Payload"]) == 42
        with pytest.raises(ClientError, match="did you mean 'app-greet'"):
            with_folder.call("ap-greet")
        texts = [
            event["message"]
            for event in with_folder.service("logs").filter_log_events(logGroupName="/aws/lambda/app-greet")[
                "events"
            ]
        ]
        assert len([text for text in texts if text.startswith("REPORT")]) >= 3
    finally:
        with_folder.stop()
