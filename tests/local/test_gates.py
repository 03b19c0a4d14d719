"""The people's commands and the page of links: gates listed, decided, refused, from other processes too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from people import BY_A_PERSON
from stratum.handlers.api.front_door import call
from stratum.handlers.executions import Executions
from stratum.handlers.identity import Identity
from stratum.handlers.store import Store
from stratum.handlers.work import links, page
from stratum.handlers.work.answers import Desk
from stratum.handlers.work.items import WorkItem
from stratum.handlers.work.journal import Journal
from stratum.local.cli import main
from stratum.local.cli.executions import runtime_on
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.desk import desk_of, people_of
from stratum.local.functions import InProcessFunctions
from stratum.local.link_keys import KeyUnreadable, file_key
from stratum.local.people import account, whoami
from stratum.local.stores import open_store
from work_asl import FORM, agent, gate, text

STRATUM = [sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())"]
AGENT = Identity("ada", "mcp", "here", agent="claude-code")
KEY = b"k" * 32


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    from stratum.local import people

    for name in people.AGENTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(people, "agent_above", lambda: None)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/store.db"


def executions_on(url: str) -> Executions:
    return runtime_on(open_store(url)).executions()


def begin(store: Store, definition: str, requester: Identity | None = AGENT, name: str = "w") -> str:
    with LocalCloud(store, InProcessFunctions({}), workers=0) as cloud:
        runtime = cloud.runtime if requester is None else cloud.runtime.on_behalf_of(requester.to_json())
        machine = call(
            runtime, "CreateStateMachine", {"name": name, "definition": definition, "roleArn": "arn:aws:iam::1:role/r"}, "default"
        )  # fmt: skip
        started = call(
            runtime,
            "StartExecution",
            {**machine, "name": name} | {"stateMachineArn": machine["stateMachineArn"]},
            "default",
        )
        while cloud._work():
            pass
    return started["executionArn"]


def stratum(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def status(url: str, execution: str) -> str:
    store = open_store(url)
    head = store.head(execution)
    store.close()
    assert head is not None
    return head.status


# -- commands ----------------------------------------------------------------------------------------------


def test_a_gate_is_listed_and_approved(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    execution = begin(open_store(url), text("approve", gate()))
    code, out, _ = stratum(capsys, "gates", "--store", url, "--json")
    [listed] = json.loads(out)
    assert (code, listed["step"], listed["message"], listed["you_may_decide"]) == (
        0,
        "approve",
        "Ship it?",
        True,
    )
    assert listed["requester"]["agent"] == "claude-code"
    assert listed["gate"] in stratum(capsys, "gates", "--store", url)[1]
    code, _, err = stratum(
        capsys, "approve", listed["gate"][:5], "--store", url, "--comment", "go", "--shown", listed["digest"]
    )
    assert code == 0, err
    assert "short & sweet" in err
    assert "approved" in err
    assert status(url, execution) == "SUCCEEDED"
    code, _, err = stratum(capsys, "reject", listed["gate"], "--store", url)
    assert code == 2
    assert f"was answered by {account()}" in err


@pytest.mark.parametrize("variable", ["CLAUDECODE", "CODEX_SANDBOX"])
def test_an_agents_shell_decides_nothing(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    execution = begin(open_store(url), text("approve", gate()))
    monkeypatch.setenv(variable, "1")
    code, _, err = stratum(capsys, "approve", "approve", "--store", url)
    assert code == 2
    assert "an agent cannot decide a gate" in err
    assert stratum(capsys, "link", "approve", "--for", "bob", "--store", url)[0] == 2
    assert status(url, execution) == "RUNNING"


def test_nor_does_it_with_a_clean_environment(url: str) -> None:
    execution = begin(open_store(url), text("approve", gate()))
    code = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], env={}).returncode)"
    done = subprocess.run(
        [sys.executable, "-c", code, *STRATUM, "approve", "approve", "--yes", "--store", url],
        env={**os.environ, "CLAUDECODE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "an agent cannot decide a gate" in done.stderr
    assert status(url, execution) == "RUNNING"
    [note] = [note for note in Journal(executions_on(url)).read(execution) if note["type"] == "refused"]
    assert (note["reason"], note["by"]["user"], "agent" in note["by"]) == ("NotAllowed", account(), True)


def test_a_decision_says_at_which_terminal_it_was_made(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = begin(open_store(url), text("approve", gate()))
    monkeypatch.setattr("stratum.local.people._terminal", lambda: "/dev/pts/7")
    assert stratum(capsys, "approve", "approve", "--store", url)[0] == 0
    [note] = [note for note in Journal(executions_on(url)).read(execution) if note["type"] == "answered"]
    assert note["by"]["terminal"] == "/dev/pts/7"
    assert "via cli at /dev/pts/7" in stratum(capsys, "audit", "w", "--store", url)[1]


def test_whoever_asked_does_not_approve(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    begin(open_store(url), text("approve", gate()), requester=whoami())
    code, _, err = stratum(capsys, "approve", "approve", "--store", url)
    assert code == 2
    assert f"{account()} has started this execution" in err


def test_the_account_is_the_systems_and_not_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert whoami().user == account() != "somebody-else"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["approve", "nothing"], "there is no gate 'nothing'; `stratum gates` lists"),
        (["approve", "approve", "--form", "{no"], "--form:1:2: not JSON"),
        (["approve", "approve", "--form", "[]"], "has no form"),
        (["approve", "approve", "--shown", "beef"], "look at it again"),
        (["revise", "approve", "--comment", "x"], "knows approve, reject"),
        (["link", "approve", "--for", "eve"], "eve is not among"),
        (["step", "nothing.1", "--result", "1"], "there is no work"),
        (["claim", "💥"], "there is no work"),
    ],
)
def test_what_is_refused_says_why(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    execution = begin(open_store(url), text("approve", gate(approvers=[account(), "bob"])))
    code, _, err = stratum(capsys, *arguments, "--store", url)
    assert code == 2
    assert reason in err
    assert status(url, execution) == "RUNNING"


def test_two_gates_of_one_name_need_an_id(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(url)
    for name in ("one", "two"):
        begin(store, text("approve", gate()), name=name)
    code, _, err = stratum(capsys, "approve", "approve", "--store", url)
    assert code == 2
    assert "any of 2 gates" in err
    assert stratum(capsys, "approve", "two", "--store", url)[0] == 0
    assert stratum(capsys, "approve", "approve", "--store", url)[0] == 0


def test_the_forms_values_can_be_edited(url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    begin(open_store(url), text("approve", gate(form=FORM, values={"version": "1.0"})))
    (tmp_path / "form.json").write_text('{"version": "no"}')
    code, _, err = stratum(capsys, "approve", "approve", "--store", url, "--form", f"@{tmp_path}/form.json")
    assert code == 2
    assert "$.version" in err
    assert stratum(capsys, "approve", "approve", "--store", url, "--form", '{"version": "1.2"}')[0] == 0


def test_agent_steps_from_the_shell(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    execution = begin(open_store(url), text("notes: begin", agent()))
    [listed] = json.loads(stratum(capsys, "work", "--store", url, "--json")[1])
    work = listed["work"]
    assert json.loads(stratum(capsys, "claim", work, "--store", url, "--as", "one")[1])["intent"]
    assert "one" in stratum(capsys, "work", "--store", url)[1]
    code, _, err = stratum(capsys, "step", work, "--store", url, "--as", "two", "--result", "{}")
    assert code == 2
    assert "being worked on by one" in err
    result = '{"text": "a", "words": 1}'
    assert (
        stratum(capsys, "step", work, "--store", url, "--as", "one", "--result", result, "--usd", "0.1")[0]
        == 0
    )
    assert status(url, execution) == "SUCCEEDED"


@BY_A_PERSON
def test_a_run_waits_for_the_decision_that_another_process_makes(tmp_path: Path) -> None:
    definition = gate(approvers=["requester"], following="after")
    definition["after"] = {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "done", "Output": "{% $states.result.Payload %}",
        "Arguments": {"FunctionName": "code-after", "Payload": {"who": "{% $approve.by.user %}"}},
    }  # fmt: skip
    (tmp_path / "w.json").write_text(text("approve", definition))
    (tmp_path / "code.py").write_text(
        "def after(event, context):\n    return 'approved by ' + event['who']\n"
    )
    run = subprocess.Popen(
        [*STRATUM, "run", "w.json", "--name", "r"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    waits = ""
    for line in run.stderr:
        if found := re.search(r"waits for a person's decision: \S+ approve (\w+)", line):
            waits = found[1]
            break
    approved = subprocess.run(
        [*STRATUM, "approve", waits], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert approved.returncode == 0, approved.stderr
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 0
    assert json.loads(out) == f"approved by {account()}"


@BY_A_PERSON
def test_a_run_that_was_killed_is_resumed_after_the_decision(tmp_path: Path, url: str) -> None:
    (tmp_path / "w.json").write_text(text("approve", gate(approvers=["requester"])))
    command = [*STRATUM, "run", "w.json", "--name", "r", "--store", url]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "waits for a person" in line:
            break
    run.kill()
    run.communicate()
    approved = subprocess.run(
        [*STRATUM, "approve", "r", "--store", url], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert approved.returncode == 0, approved.stderr
    assert "nothing runs it" not in approved.stderr  # it came to its end with the decision
    assert status(url, "arn:aws:states:us-east-1:123456789012:execution:w:r") == "SUCCEEDED"


# -- keys and people ---------------------------------------------------------------------------------------


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db.key"
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(file_key(path))) for _ in range(2)]
    file_key(path)
    for thread in threads:
        thread.start()
        thread.join()
    assert len(set(keys)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(KeyUnreadable, match="chmod 600"):
        file_key(path)


@pytest.mark.parametrize("content", ["[]", '{"a": "b"}', "{", '{"a": [1]}'])
def test_a_file_of_people_that_is_none_is_refused(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    open_store(url).close()
    (tmp_path / "people.json").write_text(content)
    code, _, err = stratum(capsys, "gates", "--store", url)
    assert code == 2
    assert "people.json" in err


def test_people_stand_behind_names(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(open_store(url), text("approve", gate(approvers=["ops@example.com"])))
    assert stratum(capsys, "approve", "approve", "--store", url)[0] == 2
    (tmp_path / "people.json").write_text(json.dumps({"ops@example.com": [account()]}))
    assert people_of(url) == {"ops@example.com": [account()]}
    assert stratum(capsys, "approve", "approve", "--store", url)[0] == 0


# -- links and their page ----------------------------------------------------------------------------------


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions({}), clock=VirtualClock(), workers=0
    ) as cloud:
        yield cloud


@pytest.fixture
def desk(cloud: LocalCloud) -> Desk:
    return Desk(cloud.runtime, "default", link_key=lambda: KEY)


def opened(cloud: LocalCloud, desk: Desk, requester: Identity | None = AGENT, **fields: Any) -> WorkItem:
    runtime = cloud.runtime if requester is None else cloud.runtime.on_behalf_of(requester.to_json())
    request = {"name": "w", "definition": text("approve", gate(**fields)), "roleArn": "arn:aws:iam::1:role/r"}
    machine = call(runtime, "CreateStateMachine", request, "default")
    call(runtime, "StartExecution", {"stateMachineArn": machine["stateMachineArn"]}, "default")
    while cloud._work():
        pass
    [item] = desk.items.open_items().items
    return item


def get(desk: Desk, token: str) -> tuple[int, str]:
    answer = page.handle(
        lambda: desk,
        {"requestContext": {"http": {"method": "GET"}}, "rawQueryString": f"link={quote(token)}"},
    )
    return answer["statusCode"], answer["body"]


def post(
    desk: Desk, token: str, outcome: str = "approve", headers: Any = None, **fields: str
) -> tuple[int, str]:
    body = urlencode(
        {
            "link": token,
            "outcome": outcome,
            **{name.replace("__", "."): value for name, value in fields.items()},
        }
    )
    event = {"requestContext": {"http": {"method": "POST"}}, "headers": headers or {}, "body": body}
    answer = page.handle(lambda: desk, event)
    return answer["statusCode"], answer["body"]


def test_a_link_shows_the_gate_and_decides_it_once(cloud: LocalCloud, desk: Desk) -> None:
    item = opened(cloud, desk, form=FORM, values={"version": "1.0", "canary": 5})
    token = links.make(desk, item, "bob@example.com", by=Identity(None, "engine"))
    code, body = get(desk, token)
    assert code == 200
    for part in ("Ship it?", "short &amp; sweet", "bob@example.com", 'value="1.0"', item.digest):
        assert part in body
    assert get(desk, token)[0] == 200  # looking is not deciding
    code, body = post(desk, token, field__version="x", field__canary="7", comment="hm")
    assert code == 422
    assert "$.version" in body
    assert ">hm<" in body
    assert post(desk, token, field__version="1.1", field__canary="7")[0] == 200
    while cloud._work():
        pass
    answer = desk.find(item.id).answer
    assert answer is not None
    assert answer["by"] == {"user": "bob@example.com", "via": "link"}
    assert answer["form"] == {"version": "1.1", "canary": 7}
    assert post(desk, token)[0] == 410
    assert "has been used" in get(desk, token)[1]
    assert "refused" in [note["type"] for note in desk.journal.read(item.execution)]


def test_links_that_are_not_genuine_or_too_old_are_refused_and_noted(cloud: LocalCloud, desk: Desk) -> None:
    item = opened(cloud, desk)
    token = links.make(desk, item, "bob", seconds=60, by=Identity(None, "engine"))
    body, _, signature = token.partition(".")
    other = links.make(
        Desk(cloud.runtime, "default", link_key=lambda: b"x" * 32), item, "bob", by=Identity(None, "engine")
    )
    for forged in (
        body,
        f"{body}.",
        f"{body}.{signature[:-2]}AA",
        f"A{body}.{signature}",
        other,
        "",
        ".",
        "é.é",
        "x" * 9000,
    ):
        assert post(desk, forged)[0] == 403
        assert get(desk, forged)[0] == 403
    assert [note["reason"] for note in desk.journal.read(item.execution) if note["type"] == "refused"] == [
        "Forged"
    ] * 4
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + 60_000)
    assert post(desk, token)[0] == 410
    assert desk.find(item.id).state == "pending"


def test_no_link_for_whoever_may_not_decide(cloud: LocalCloud, desk: Desk) -> None:
    from stratum.handlers.work.refusal import Refused

    item = opened(cloud, desk, requester=Identity("ada", "cli"), approvers=["ada", "bob"])
    for approver in ("ada", "eve"):
        with pytest.raises(Refused):
            links.make(desk, item, approver, by=Identity(None, "engine"))
    with pytest.raises(Refused, match="agent makes no links"):
        links.make(desk, item, "bob", by=AGENT)


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\ud800"


def test_hostile_text_is_text(cloud: LocalCloud, desk: Desk) -> None:
    schema = {
        "type": "object",
        "properties": {HOSTILE: {"type": "string", "title": HOSTILE, "enum": [HOSTILE]}},
    }
    item = opened(
        cloud, desk, shows={HOSTILE: HOSTILE}, message=HOSTILE, remarks=[HOSTILE], form=schema, values={HOSTILE: HOSTILE}
    )  # fmt: skip
    token = links.make(desk, item, HOSTILE.replace("\ud800", ""), by=Identity(None, "engine"))
    answer = page.handle(
        lambda: desk,
        {"requestContext": {"http": {"method": "GET"}}, "rawQueryString": f"link={quote(token)}"},
    )
    assert answer["statusCode"] == 200
    assert "<script" not in answer["body"]
    assert "<img" not in answer["body"]
    answer["body"].encode()
    policy = answer["headers"]["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Host": "127.0.0.1:8083"},
        {"Origin": "null", "Host": "127.0.0.1:8083"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_cannot_decide(cloud: LocalCloud, desk: Desk, headers: dict[str, str]) -> None:
    item = opened(cloud, desk)
    token = links.make(desk, item, "bob", by=Identity(None, "engine"))
    assert post(desk, token, headers=headers)[0] == 403
    assert desk.find(item.id).state == "pending"
    own = {"Origin": "http://127.0.0.1:8083", "Host": "127.0.0.1:8083", "Sec-Fetch-Site": "same-origin"}
    assert post(desk, token, headers=own)[0] == 200


@pytest.mark.parametrize("body", ["", "link", "outcome=approve", "\x00", "=&=&=", "a" * 500_000, "link=%ff"])
def test_what_is_no_form_is_refused(desk: Desk, body: str) -> None:
    event = {"requestContext": {"http": {"method": "POST"}}, "body": body}
    assert page.handle(lambda: desk, event)["statusCode"] in (403, 422)


def test_stratum_up_takes_links_at_its_page(tmp_path: Path, url: str) -> None:
    import urllib.request

    from stratum.local.aws import Door
    from stratum.local.server import Endpoint, Service

    store = open_store(url)
    execution = begin(store, text("approve", gate()))
    made = subprocess.run(
        [*STRATUM, "link", "approve", "--for", "bob", "--store", url],
        capture_output=True,
        text=True,
        check=True,
    )
    door = Door(store)
    with Endpoint(door, desk=lambda: desk_of(door.cloud.runtime, url)) as endpoint, Service(door):
        address = made.stdout.strip().replace("http://127.0.0.1:8083", endpoint.url)
        with urllib.request.urlopen(address) as answer:
            assert "waits for a decision" in answer.read().decode()
        token = address.partition("link=")[2]
        body = f"link={token}&outcome=approve".encode()
        request = urllib.request.Request(f"{endpoint.url}/_stratum/gates", body, {"Origin": endpoint.url})
        with urllib.request.urlopen(request) as answer:
            assert "Decided" in answer.read().decode()
        for _ in range(100):
            if status(url, execution) != "RUNNING":
                break
            time.sleep(0.05)  # the endpoint's own thread does the rest
    assert status(url, execution) == "SUCCEEDED"


# -- notifications -----------------------------------------------------------------------------------------


def notify(monkeypatch: pytest.MonkeyPatch, config: Any) -> None:
    monkeypatch.setenv("STRATUM_NOTIFY", config if isinstance(config, str) else json.dumps(config))


def test_people_are_told_by_a_webhook_and_a_command(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import hashlib
    import hmac
    from http.server import BaseHTTPRequestHandler, HTTPServer

    received: list[tuple[bytes, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((body, self.headers["x-stratum-signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    write = f"import sys, os, json; json.dump([json.load(sys.stdin), sorted(os.environ)], open({str(tmp_path / 'told')!r}, 'w'))"
    notify(monkeypatch, {
        "targets": {
            "chat": {"webhook": f"http://127.0.0.1:{server.server_address[1]}/x", "secret": "s", "for": "bob"},
            "desk": {"command": [sys.executable, "-c", write]},
            "broken": {"command": ["/no/such/program"]},
        },
        "always": ["chat"],
    })  # fmt: skip
    monkeypatch.setenv("STRATUM_LINK_URL", "https://example.com/gates")
    monkeypatch.setenv("STRATUM_LINK_KEY", KEY.decode())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    item = opened(cloud, desk, notify=["desk", "broken", "unknown", "chat"])
    server.shutdown()
    [(body, signature)] = received
    told = json.loads(body)
    assert signature == "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    assert (told["gate"], told["message"], told["digest"]) == (item.id, "Ship it?", item.digest)
    assert post(desk, told["link"].partition("link=")[2].replace("%3D", "="))[0] == 200
    told, environment = json.loads((tmp_path / "told").read_text())
    assert told["command"] == f"stratum approve {item.id}"
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    notes = [(note["type"], note.get("target")) for note in desk.journal.read(item.execution)]
    assert ("notified", "chat") in notes
    assert ("not notified", "broken") in notes
    assert ("not notified", "unknown") in notes


def test_a_spec_alone_runs_no_command_and_calls_no_address(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRATUM_NOTIFY", raising=False)
    item = opened(cloud, desk, notify=["touch /tmp/x", "https://evil.example/", {"command": ["touch"]}])
    notes = [note["type"] for note in desk.journal.read(item.execution)]
    assert notes == ["opened", "not notified", "not notified", "not notified"]


def test_sns_is_told_on_behalf_of_the_execution(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[dict[str, Any]] = []

    class Sns:
        def publish(self, **fields: Any) -> None:
            published.append(fields)

    monkeypatch.delenv("STRATUM_NOTIFY", raising=False)
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions({}), clock=VirtualClock(), workers=0,
        clients=lambda service, account, region: Sns(),
    ) as cloud:  # fmt: skip
        own = Desk(cloud.runtime, "default")
        item = opened(cloud, own, notify=["arn:aws:sns:us-east-1:1:ops"], message="Überraschung?")
    [told] = published
    assert told["TopicArn"] == "arn:aws:sns:us-east-1:1:ops"
    assert f"stratum approve {item.id}" in told["Message"]


@pytest.mark.parametrize("config", ["{", "[]", '{"targets": []}', '{"targets": {"a": {}}}', "@/no/such/file"])
def test_a_configuration_that_is_none_holds_no_gate_up(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    notify(monkeypatch, config)
    item = opened(cloud, desk)
    [_, note] = desk.journal.read(item.execution)
    assert note["type"] == "not notified"
    assert "STRATUM_NOTIFY" in note["reason"]
