"""`stratum deploy` as people use it, on the local cloud: from the bundles, and not from this checkout.

`make test-deploy` runs these: packages are downloaded, and a stage of 100 resources is made, updated and taken away.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from deployed import ARCHITECTURE, BIN, HELLO, Project, until
from deployments import FILES, KEY, deployment, made
from plugin_wheel import EXAMPLE, wheel
from stratum.infra.bundle.archive import archive
from stratum.infra.bundle.engine import engine_archive, engine_files
from stratum.infra.template.artifacts import artifacts_template
from stratum.infra.template.release import Live
from up import Up

pytestmark = pytest.mark.deploy
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    up = Up()
    made = Project(tmp_path_factory.mktemp("project"), up)
    bring_films(made)
    yield made
    up.stop()


FILMS = """
stratum: "1"
workflow: films
version: 1.0.0
input: {file: string}
steps:
  - {id: name, task: media.title, input: {file: "{% $input.file %}"}, output: {title: string}}
  - {id: slowly, task: media.title, input: {file: "{% $input.file %}"}, output: {title: string}, timeout: 2m}
result: {title: "{% $name.title & ', ' & $slowly.title %}"}
"""


def bring_films(project: Project) -> None:
    """A workflow on the tasks of a package, which is installed for the commands, and for functions by `requirements.txt`."""
    folder, site = project.folder / "films", project.folder / "site"
    (folder / "wheels").mkdir(parents=True)
    (folder / "films.yaml").write_text(FILMS)
    made = wheel(EXAMPLE, folder / "wheels")
    (folder / "requirements.txt").write_text(f"./wheels/{made.name}\n")
    pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", site, made]
    subprocess.run([sys.executable, *pip], check=True, capture_output=True)
    project.environ["PYTHONPATH"] = str(site)


FOUR = (
    "hello/hello.yaml",
    "hello/ask.yaml",
    "films/films.yaml",
    "orders/orders.yaml",
    "etl/etl.yaml",
    "release/release.yaml",
)


@pytest.fixture(scope="module")
def stage(project: Project) -> dict[str, Any]:
    """The outputs of the stage `dev`, with the workflows and a page for links."""
    topic = project.up.service("sns").create_topic(Name="gates")["TopicArn"]
    notify = {"targets": {"ops": {"sns": topic, "for": "ops@example.com"}}, "always": ["ops"]}
    (project.folder / "notify.json").write_text(json.dumps(notify))
    about, told = project.deploy(*FOUR)
    assert "a new stack" in told
    return about["outputs"]


# -- the bundle and the templates ----------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_bundle_has_the_same_bytes_twice(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine_archive(PYTHON, architecture)
    engine_archive.cache_clear()
    assert engine_archive(PYTHON, architecture) == first  # out of what is kept
    engine_archive.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert engine_archive(PYTHON, architecture) == first  # and all anew
    assert len(first) < 10 * 1024 * 1024


def test_advance_starts_cold_in_less_than_400_ms_of_processor_time(tmp_path: Path) -> None:
    for name, content in engine_files(PYTHON, ARCHITECTURE).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import time; began = time.process_time(); import stratum.handlers.advance; "
        "import json; print(json.dumps([time.process_time() - began, stratum.__file__, list(sys.modules)]))"
    )
    # Nothing of this environment is seen (-I -S), as on Lambda; nor is bytecode written.
    outcomes = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=True
        )
        outcomes.append(json.loads(done.stdout))
    assert min(outcome[0] for outcome in outcomes) < 0.4
    assert outcomes[0][1].startswith(str(tmp_path))
    assert not {"moto", "mcp", "rich", "yaml", "boto3", "sqlite3"} & {
        name.partition(".")[0] for name in outcomes[0][2]
    }


def test_every_handler_imports_from_the_bundle_alone(tmp_path: Path) -> None:
    for name, content in engine_files(PYTHON, ARCHITECTURE).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    handlers = (
        "advance",
        "tasks",
        "timers",
        "stream",
        "deployments",
        "api.front_door",
        "work.intake",
        "work.rules",
        "work.answers",
    )
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]\n" + "\n".join(
        f"import stratum.handlers.{each}" for each in handlers
    )
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], check=True)


def test_the_mcp_server_starts_from_its_own_archive(tmp_path: Path) -> None:
    files = engine_files(PYTHON, ARCHITECTURE, mcp=True)
    assert len(archive(files)) < 25 * 1024 * 1024
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import stratum.handlers.mcp.function; import stratum.handlers.mcp.server; "
        "import mcp, json; print(mcp.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(tmp_path))


def test_the_templates_pass_all_rules_of_cfn_lint(tmp_path: Path) -> None:
    files: list[str] = []
    changed = Live(
        {"stratum-dev--api": "3", "stratum-dev--work": "2"},
        {"orders": "arn:aws:states:us-east-1:123456789012:stateMachine:stratum-dev-orders:1"},
    )

    def write(name: str, template: dict[str, Any]) -> None:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(template))
        files.append(str(path))

    write("artifacts", artifacts_template())
    for target in ("engine", "step-functions"):
        write(
            f"{target}-all",
            made(
                deployment(
                    target=target,
                    gate_links=True,
                    mcp=target == "engine",
                    retention=None if target != "engine" else 86400,
                )
            ),
        )
        write(
            f"{target}-shifting",
            made(deployment(target=target, kms_key=KEY, reserve=True, gate_links=True), changed),
        )
        for name in FILES:
            write(f"{target}-{Path(name).stem}", made(deployment(name, target=target)))
    done = subprocess.run(
        [BIN / "cfn-lint", "-c", "I", "-t", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


# -- a stage -------------------------------------------------------------------------------------------------


def test_workflows_run_on_what_was_deployed(project: Project, stage: dict[str, Any]) -> None:
    said, told = project("run", "hello", "--stage", "dev", "--input", '{"name": "Ada"}', "--name", "first")
    assert said == {"said": "Hello, Ada!"}
    assert "history first --stage dev" in told
    orders, _ = project("run", "orders", "--stage", "dev", "--input", "@orders/input.json", "--name", "order")
    assert (orders["order"], orders["receipt"]["amount"]) == ("o-1001", 105)
    # Its steps may take a minute: they are invoked asynchronously, and come back by the queue of results.
    zones, _ = project("run", "etl", "--stage", "dev", "--input", "@etl/input.json")
    assert zones["rows"] > 300
    released, _ = project("run", "release", "--stage", "dev", "--input", "@release/input.json")
    assert released


def test_tasks_of_a_package_run_where_requirements_bring_it(project: Project, stage: dict[str, Any]) -> None:
    said, _ = project("run", "films", "--stage", "dev", "--input", '{"file": "s3://films/the-kid.mov"}')
    assert said == {"title": "The Kid, The Kid"}
    requirements = project.folder / "films" / "requirements.txt"
    requirements.rename(requirements.with_suffix(".kept"))
    told = project.deploy(*FOUR, code=2)[1]
    requirements.with_suffix(".kept").rename(requirements)
    assert "the package stratum-media brings: name that in" in told


def test_what_ran_is_looked_at_from_here(project: Project, stage: dict[str, Any]) -> None:
    shown, _ = project("show", "order", "--stage", "dev", "--json")
    assert (shown["status"], shown["log"]) == ("SUCCEEDED", "intact")
    listed, _ = project("list", "--stage", "dev", "--json")
    assert {"first", "order"} <= {each["name"] for each in listed}
    assert "BROKEN" not in str(project("audit", "verify", "--stage", "dev"))
    versions, _ = project("versions", "hello", "--stage", "dev", "--json")
    assert json.dumps(versions).count("1.0.0+") >= 1
    stages, _ = project("stages", "--json")
    assert [(each["stage"], each["target"], each["shift"]) for each in stages] == [("dev", "engine", 1.0)]


def test_the_console_of_a_stage_is_served_here(project: Project, stage: dict[str, Any]) -> None:
    process = project.start("console", "--stage", "dev", "--port", "0")
    try:
        assert process.stdout is not None
        page = http.client.HTTPConnection(urlsplit(link := process.stdout.readline().split()[-1]).netloc)

        def ask(method: str, path: str, body: Any = None) -> Any:
            headers = {"cookie": cookie, "x-stratum-console": "1"}
            page.request(method, path, None if body is None else json.dumps(body), headers)
            answer = page.getresponse()
            text = answer.read().decode()
            return answer.headers if answer.status == 303 else json.loads(text)

        cookie = ""
        cookie = ask("GET", link.partition(urlsplit(link).netloc)[2])["set-cookie"].partition(";")[0]
        api = "/_stratum/console/api"
        assert {"first", "order"} <= {each["name"] for each in ask("GET", f"{api}/executions")["items"]}
        [hello] = [each for each in ask("GET", f"{api}/workflows") if each["workflow"] == "hello"]
        started = ask("POST", f"{api}/start", {"machine": hello["machine"], "input": {"name": "Eve"}})
        path = f"{api}/execution?execution={started['execution']}"
        shown = until(lambda: ask("GET", path), lambda each: each["status"] != "RUNNING")
        assert shown["output"] == {"said": "Hello, Eve!"}, shown
        assert shown["requester"]["user"].startswith("arn:aws:")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_gate_is_announced_and_decided_by_a_link(project: Project, stage: dict[str, Any]) -> None:
    sqs, sns = project.up.service("sqs"), project.up.service("sns")
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    sns.subscribe(TopicArn="arn:aws:sns:us-east-1:123456789012:gates", Protocol="sqs", Endpoint=arn)
    running = project.start("run", "ask", "--stage", "dev", "--input", '{"name": "Ada"}', "--name", "asked")
    messages = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    text = json.loads(messages[0]["Body"])["Message"]
    told = json.loads(text[text.index("{") :])
    assert told["command"].endswith(f"{told['gate']} --stage dev")
    assert told["link"].startswith(stage["GatePageUrl"])
    link, _ = project("link", told["gate"], "--for", "ops@example.com", "--stage", "dev")
    assert link.startswith(stage["GatePageUrl"])  # signed here with the same secret, and read there

    def ask(method: str, url: str, body: str | None = None) -> tuple[int, str]:
        parts = urlsplit(url.strip())
        page = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
        headers = {"host": parts.netloc, "content-type": "application/x-www-form-urlencoded"}
        page.request(method, f"{parts.path or '/'}?{parts.query}", body, headers)
        answer = page.getresponse()
        return answer.status, answer.read().decode()

    assert ask("GET", f"{stage['GatePageUrl']}?link=forged.abc")[0] == 403
    for each in (link, told["link"]):
        status, shown = ask("GET", each)
        assert (status, "Ada" in shown) == (200, True), shown
    form = urlencode({"link": parse_qs(urlsplit(told["link"]).query)["link"][0], "outcome": "approve"})
    assert ask("POST", stage["GatePageUrl"], form)[0] == 200
    out, _ = running.communicate(timeout=120)
    assert json.loads(out) == {"said": "Hello, Ada!", "by": "approve"}
    assert ask("GET", link)[0] == 410
    function = project.up.service("lambda").get_function_configuration(FunctionName="stratum-dev--gates")
    key = project.up.service("secretsmanager").get_secret_value(SecretId=stage["LinkKeyArn"])["SecretString"]
    assert len(key) == 48
    assert key not in json.dumps(function["Environment"])


def test_an_agent_calls_the_mcp_server_of_a_stage(project: Project, stage: dict[str, Any]) -> None:
    parts = urlsplit(stage["McpUrl"])
    assert parts.path == "/mcp"

    def ask(method: str, signed: bool = True, **parameters: Any) -> tuple[int, Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        headers = {
            "host": parts.netloc, "content-type": "application/json", "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2025-06-18",
        }  # fmt: skip
        if signed:
            headers["authorization"] = (
                "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request"
            )
        page = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=120)
        page.request("POST", "/mcp", body, headers)
        answer = page.getresponse()
        return answer.status, json.loads(answer.read())

    assert ask("tools/list", signed=False)[0] == 403
    status, listed = ask("tools/list")
    assert (status, "run" in [each["name"] for each in listed["result"]["tools"]]) == (200, True), listed
    call = {"workflow": "hello", "input": {"name": "Eve"}, "name": "by-agent", "wait": 30}
    _, told = ask("tools/call", name="run", arguments=call)
    assert "Hello, Eve!" in json.dumps(told), told
    shown, _ = project("audit", "by-agent", "--stage", "dev", "--format", "json")
    assert (shown["requester"]["via"], shown["requester"]["user"][:8]) == ("mcp", "arn:aws:")
    _, told = ask("tools/call", name="run", arguments={"spec": HELLO})
    assert "`stratum deploy` brings others" in json.dumps(told)


def test_waits_came_by_the_scheduler(project: Project, stage: dict[str, Any]) -> None:
    client = project.up.service("scheduler")
    assert [each["Name"] for each in client.list_schedules(GroupName="stratum-dev")["Schedules"]][
        -1
    ].startswith("stratum-dev-Sweep")


def test_the_code_that_ran_was_the_bundles(project: Project, stage: dict[str, Any]) -> None:
    configuration = project.up.service("lambda").get_function(FunctionName="stratum-dev--advance")[
        "Configuration"
    ]
    assert configuration["CodeSize"] > 5_000_000
    [alias] = project.up.service("lambda").list_aliases(FunctionName="stratum-dev--advance")["Aliases"]
    assert (alias["Name"], alias["FunctionVersion"]) == ("live", "1")


def test_deploying_the_same_again_changes_nothing(project: Project, stage: dict[str, Any]) -> None:
    assert "nothing to change" in project.deploy(*FOUR)[1]
    told = project.deploy(*FOUR, options=("--function-memory", "512", "--dry-run"))[1]
    assert "~ function         HelloHelloGreetFunction" in told
    assert "nothing to change" in project.deploy(*FOUR)[1]


def test_a_canary_whose_alarm_goes_off_is_taken_back(project: Project, stage: dict[str, Any]) -> None:
    good = alias(project, "hello")
    project.greet("raise RuntimeError('the new one is broken')")
    process = project.start(*project.deploying(*FOUR, options=("--canary", "50%/5m")))
    until(lambda: len(alias(project, "hello")) == 2 and stack(project)["StackStatus"] == "UPDATE_IN_PROGRESS")
    # While it is watched, executions that get the new version fail.
    seen = set()
    while "FAILED" not in seen:
        seen.add(ended(project, "hello", {"name": "Ada"}))
    # CloudWatch counts what the log says of them, and nobody has to do anything more.
    out, told = process.communicate(timeout=120)
    assert process.returncode == 1, out
    assert "UPDATE_ROLLBACK_COMPLETE" in told
    assert "stratum-dev-Release" in told
    assert alias(project, "hello") == good
    assert {ended(project, "hello", {"name": "Ada"}) for _ in range(4)} == {"SUCCEEDED"}
    # While the alarm is off nothing is released.
    assert "stratum-dev-Failures" in project.deploy(*FOUR, code=2)[1]
    history = project.up.service("cloudwatch").describe_alarm_history(
        AlarmName="stratum-dev-Failures", HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    assert history[0]["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_a_release_and_its_rollback(project: Project, stage: dict[str, Any]) -> None:
    good = alias(project, "hello")
    project.greet("return 'new'")
    # The alarm of the release before may still be off: who knows why releases all the same.
    project.deploy(*FOUR, options=("--despite-alarms",))
    assert alias(project, "hello") != good
    assert project("run", "hello", "--stage", "dev", "--input", '{"name": "Ada"}')[0] == {"said": "new"}
    project("rollback", "hello", "--alias", "live", "--reason", "it was too short", "--stage", "dev")
    assert project("run", "hello", "--stage", "dev", "--input", '{"name": "Ada"}')[0] == {
        "said": "Hello, Ada!"
    }


def test_a_run_that_fails_says_why(project: Project, stage: dict[str, Any]) -> None:
    declined, told = project("run", "orders", "--stage", "dev", "--input", "@orders/declined.json", code=1)
    assert "CardDeclined" in told
    assert declined == ""


def test_poisoned_messages_are_shown_and_handed_out_again(project: Project, stage: dict[str, Any]) -> None:
    sqs = project.up.service("sqs")
    sqs.send_message(QueueUrl=stage["AdvanceDeadLettersUrl"], MessageBody="no message at all")
    tick = {
        "tenant": "default",
        "execution": "arn:aws:states:us-east-1:123456789012:execution:hello:first",
        "message": {"type": "tick"},
    }
    sqs.send_message(QueueUrl=stage["AdvanceDeadLettersUrl"], MessageBody=json.dumps(tick))
    shown, _ = project("redrive-dlq", "--stage", "dev", "--dry-run")
    assert "tick, first" in shown
    assert "no JSON" in shown
    assert "2 messages are handed out again" in project("redrive-dlq", "--stage", "dev", "--yes")[1]
    assert "no message was refused" in project("redrive-dlq", "--stage", "dev", "--queue", "tasks")[1]
    project("redrive-dlq", "--stage", "dev", "--queue", "nothing", code=2)


IN_PYTHON = """
import socket
from stratum import Stratum
looked_up = socket.getaddrinfo  # names below localhost are this machine, which not every resolver knows
socket.getaddrinfo = lambda host, *rest, **named: looked_up("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)
with Stratum(stage="dev") as stratum:
    execution = stratum.start("hello", {"name": "Grace"})
    print(stratum.result(execution, timeout=60)["said"], len(list(stratum.history(execution))) > 5)
    print(stratum.get(execution.name).status, stratum.list("hello")[0].name == execution.name, stratum.gates())
"""


def test_a_stage_from_python(project: Project, stage: dict[str, Any]) -> None:
    script = project.folder / "use.py"
    script.write_text(IN_PYTHON)
    done = subprocess.run(
        [sys.executable, script],
        env=project.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Hello, Grace! True", "SUCCEEDED True []"]


def test_a_stage_is_taken_away_and_its_table_stays(project: Project, stage: dict[str, Any]) -> None:
    assert "say --yes" in project("destroy", "--stage", "dev", code=2)[1]
    assert stage["TableName"] in project("destroy", "--stage", "dev", "--yes")[1]
    assert stage["TableName"] in project.up.service("dynamodb").list_tables()["TableNames"]
    assert not [
        each
        for each in project.up.service("lambda").list_functions()["Functions"]
        if "dev" in each["FunctionName"]
    ]
    assert "there is no stage 'dev'" in project("list", "--stage", "dev", code=2)[1]


# -- Step Functions ------------------------------------------------------------------------------------------


def test_on_step_functions_gates_wait_for_people_all_the_same(project: Project) -> None:
    project.greet("return f\"Hello, {event['name']}!\"")
    about, _ = project.deploy(
        "hello/ask.yaml", "etl/etl.yaml", target="step-functions", stage="sfn", options=("--no-protection",)
    )
    machine = about["outputs"]["AskArn"]
    assert machine.endswith(":stateMachine:stratum-sfn-ask")
    client = project.up.client()
    execution = client.start_execution(stateMachineArn=f"{machine}:live", input='{"name": "Ada"}')[
        "executionArn"
    ]
    [gate] = until(lambda: project("gates", "--stage", "sfn", "--json")[0])
    assert (gate["step"], gate["shows"], gate["execution"]) == ("may", "Ada", execution)
    project("approve", gate["gate"], "--stage", "sfn", "--yes")
    described = until(
        lambda: client.describe_execution(executionArn=execution), lambda each: each["status"] != "RUNNING"
    )
    assert json.loads(described["output"]) == {"said": "Hello, Ada!", "by": "approve"}
    rows, _ = project("run", "etl", "--stage", "sfn", "--input", "@etl/input.json")
    assert rows["countries"] > 200
    project.greet("return 'new'")
    project.deploy(
        "hello/ask.yaml", "etl/etl.yaml", target="step-functions", stage="sfn", options=("--no-protection",)
    )
    [route] = client.describe_state_machine_alias(stateMachineAliasArn=f"{machine}:live")[
        "routingConfiguration"
    ]
    assert route["stateMachineVersionArn"].endswith(":2")
    project("destroy", "--stage", "sfn", "--yes", "--delete-data")
    assert about["outputs"]["TableName"] not in project.up.service("dynamodb").list_tables()["TableNames"]


def alias(project: Project, workflow: str) -> dict[str, int]:
    """Where the workflow's alias leads: percent by version."""
    about, _ = project("alias", workflow, "live", "--stage", "dev", "--json")
    return about["routing"]


def stack(project: Project) -> dict[str, Any]:
    return project.up.service("cloudformation").describe_stacks(StackName="stratum-dev")["Stacks"][0]


def ended(project: Project, workflow: str, input: Any) -> str:
    process = project.start("run", workflow, "--stage", "dev", "--input", json.dumps(input))
    process.communicate(timeout=120)
    return "SUCCEEDED" if process.returncode == 0 else "FAILED"
