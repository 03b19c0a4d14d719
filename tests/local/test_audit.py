"""`stratum audit` and `stratum search` at the command line; nothing in a store can be changed unseen."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from command_line import done, stratum

SPEC = """
stratum: "1"
workflow: pay
version: 2.1.0
types: {Card: {number: {type: string, secret: true}, cvc: {type: integer, secret: true}, holder: string}}
input: {card: Card, total: number}
steps:
  - id: check
    task: pay.check
    input: {card: "{% $input.card %}", attempt: "{% $attempt %}"}
    output: {ok: boolean, token: {type: string, secret: true}}
    ensure: [{that: $result.ok, otherwise: "'not ok with ' & $input.card.number"}]
    retry: {attempts: 3, backoff: linear, delay: 1s}
  - {id: large, when: $input.total > 100, task: pay.large, input: {token: "{% $check.token %}"}}
result: {paid: "{% $input.total %}"}
"""
HANDLERS = """
def check(event, context):
    return {"ok": event["attempt"] > 1, "token": "tok-" + event["card"]["number"][-4:] + "-x"}
def large(event, context):
    raise ValueError("no such token: " + event["token"])
"""
INPUT = {"card": {"number": "4000-1234-5678", "cvc": 123, "holder": "Åda <b>"}, "total": 20}


@pytest.fixture
def pay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "pay.yaml").write_text(SPEC)
    (tmp_path / "pay.py").write_text(HANDLERS)
    return tmp_path


def run(folder: Path, name: str, total: float = 20) -> None:
    stratum(folder, "run", "pay.yaml", "--input", json.dumps({**INPUT, "total": total}), "--name", name)


def told(folder: Path, name: str, *options: str) -> dict[str, Any]:
    return done(folder, "audit", name, "--format", "json", *options)


def test_the_story_of_an_execution(pay: Path) -> None:
    run(pay, "one")
    story = told(pay, "one")
    assert (story["workflow"], story["version"], story["status"]) == ("pay", "2.1.0", "SUCCEEDED")
    entries = story["entries"]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert entries[0]["what"] == "started"
    asked = [entry for entry in entries if entry["what"] == "scheduled"]
    assert [(entry["step"], entry["data"]["arguments"]["Payload"]["attempt"]) for entry in asked] == [
        ("check", 1),
        ("check", 2),
    ]
    [violated] = [entry for entry in entries if entry["what"] == "violated"]
    assert violated["step"] == "check"
    assert "not ok with" in json.dumps(violated["data"]["violations"])
    [decided] = [e for e in entries if e.get("state") == "large: when" and e["what"] == "left"]
    assert decided["data"]["way"] == "Default"
    assert entries[-1]["what"] == "ended"
    assert entries[-1]["data"]["output"] == {"paid": 20}


def test_secrets_are_hidden_wherever_they_got_to(pay: Path) -> None:
    run(pay, "one", 500)
    for options in ([], ["--format", "markdown", "--whole"], ["--format", "json"]):
        shown = stratum(pay, "audit", "one", *options).stdout
        for secret in ("4000-1234-5678", "tok-5678-x", ": 123"):
            assert secret not in shown
        assert "da &lt;b&gt;" in shown or "da <b>" in shown
    assert "no such token: •••" in stratum(pay, "audit", "one", "--whole").stdout
    assert "4000-1234-5678" in stratum(pay, "audit", "one", "--whole", "--reveal").stdout
    more = stratum(
        pay, "audit", "one", "--whole", "--redact", "input.card.holder", "--redact", "*.total"
    ).stdout
    assert "da <b>" not in more
    assert "500" not in more.partition("log:")[2].partition("started")[2].partition("is begun")[0]
    refused = stratum(pay, "audit", "one", "--redact", "card number")
    assert (refused.returncode, "no path to redact" in refused.stderr) == (2, True)


def test_a_secret_cannot_be_found_by_searching_for_it(pay: Path) -> None:
    run(pay, "one", 500)
    assert done(pay, "search", "4000-1234-5678", "--json")["found"] == []
    assert done(pay, "search", "--input", "card.number=4000-1234-5678", "--json")["found"] == []
    assert len(done(pay, "search", "no such token", "--json")["found"]) == 1


def test_search(pay: Path) -> None:
    run(pay, "one")
    run(pay, "two", 500)
    for options, names in {
        ("--status", "FAILED"): ["two"],
        ("--step", "large"): ["two", "one"],  # the first of them decided not to run it
        ("--error", "ValueError"): ["two"],
        ("--error", "Nothing"): [],
        ("--input", "total=500"): ["two"],
        ("--input", "card.holder=Åda <b>"): ["two", "one"],
        ("åda",): ["two", "one"],
        ("--workflow", "other"): [],
        ("--name", "on"): ["one"],
        ("--since", "1h"): ["two", "one"],
        ("--until", "1h"): [],
        ("--since", "2001-01-01", "--until", "2001-01-02T00:00:00Z"): [],
    }.items():
        found = done(pay, "search", *options, "--json")["found"]
        assert [each["name"] for each in found] == names, options
    first = done(pay, "search", "--limit", "1", "--json")
    assert [each["name"] for each in first["found"]] == ["two"]
    rest = done(pay, "search", "--limit", "1", "--token", first["token"], "--json")
    assert [each["name"] for each in rest["found"]] == ["one"]
    for wrong in (
        ["--since", "yesterday"],
        ["--status", "DONE"],
        ["--input", "total"],
        ["--limit", "0"],
        ["--token", "x"],
    ):
        refused = stratum(pay, "search", *wrong)
        assert refused.returncode == 2, wrong
        assert "Traceback" not in refused.stderr


def test_a_bundle_is_verified_without_the_store(pay: Path, tmp_path: Path) -> None:
    run(pay, "one")
    exported = stratum(pay, "audit", "export", "one", "-o", "one.json", "--reveal")
    assert exported.returncode == 0, exported.stderr
    key = tmp_path / "config" / "stratum" / "audit.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    bundle = json.loads((pay / "one.json").read_text())
    fingerprint = bundle["signature"]["fingerprint"]
    (pay / ".stratum").rename(pay / "elsewhere")
    assert stratum(pay, "audit", "verify", "one.json").returncode == 0
    assert stratum(pay, "audit", "verify", "one.json", "--key", fingerprint).returncode == 0
    other = stratum(pay, "audit", "verify", "one.json", "--key", "0000-1111")
    assert (other.returncode, "signed with the key" in other.stdout) == (1, True)
    for change in (
        lambda made: made["log"]["commits"][2].update(
            text=made["log"]["commits"][2]["text"].replace('"at":1', '"at":2', 1)
        ),
        lambda made: made["log"]["commits"].pop(2),
        lambda made: made["trail"].update(status="FAILED"),
        lambda made: made["exported"]["by"].update(user="eve"),
        lambda made: made["signature"].update(value=made["signature"]["value"][::-1]),
        lambda made: made.pop("signature"),
    ):
        made = json.loads(json.dumps(bundle))
        change(made)
        (pay / "changed.json").write_text(json.dumps(made))
        assert stratum(pay, "audit", "verify", "changed.json").returncode == 1
    for damaged in ("{}", "[]", "{", '{"format": "stratum-audit/1"}', ""):
        (pay / "damaged.json").write_text(damaged)
        refused = stratum(pay, "audit", "verify", "damaged.json")
        assert refused.returncode == 2, damaged
        assert "Traceback" not in refused.stderr


def test_a_redacted_bundle_holds_no_secret(pay: Path) -> None:
    run(pay, "one")
    assert stratum(pay, "audit", "export", "one", "-o", "one.json").returncode == 0
    text = (pay / "one.json").read_text()
    assert "4000-1234-5678" not in text
    assert "tok-5678-x" not in text
    verified = stratum(pay, "audit", "verify", "one.json")
    assert (verified.returncode, "signed and unchanged" in verified.stdout) == (0, True)


def test_one_byte_changed_in_any_commit_is_found(pay: Path) -> None:
    run(pay, "one")
    database = next((pay / ".stratum").glob("*.db"))
    assert stratum(pay, "audit", "verify").returncode == 0
    from stratum.handlers.audit.verification import verify_execution
    from stratum.local.stores import open_store

    store = open_store(f"sqlite:///{database}")
    [head] = store.heads().items
    assert verify_execution(store, head.execution) == []
    store.close()
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT execution, seq, body FROM commits ORDER BY seq").fetchall()
    assert len(rows) == head.seq + 1
    for execution, seq, body in rows:
        for place in sorted({0, len(body) // 3, len(body) // 2, len(body) - 1}):
            changed = bytes(body[:place]) + bytes([body[place] ^ 1]) + bytes(body[place + 1 :])
            with sqlite3.connect(database) as connection:
                connection.execute(
                    "UPDATE commits SET body = ? WHERE execution = ? AND seq = ?", (changed, execution, seq)
                )
            store = open_store(f"sqlite:///{database}")
            found = verify_execution(store, head.execution)
            store.close()
            assert found, (seq, place)
            assert found[0].seq == seq
            with sqlite3.connect(database) as connection:
                connection.execute(
                    "UPDATE commits SET body = ? WHERE execution = ? AND seq = ?", (body, execution, seq)
                )
    assert stratum(pay, "audit", "verify", "one").returncode == 0
