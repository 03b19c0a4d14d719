"""`--stratum-cov`: coverage of the workflows that a pytest session ran, as users' own sessions show it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from stratum.local.cli import main
from stratum.local.coverage import NotARecord, Record, report
from stratum.local.coverage.outputs import WrongOption, counted_of, outputs_of
from stratum.local.coverage.page import page as page_of
from stratum.local.coverage.table import table
from stratum.statelang.coverage import KINDS

SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
input: {total: number}
steps:
  - id: extra
    when: $input.total > 3
    task: m.extra
    retry: {attempts: 2, delay: 1s}
  - {id: last, succeed: 1}
"""
ASL = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": n, "Next": "B"} for n in (1, 2)], "Default": "B"},
        "B": {"Type": "Pass", "End": True},
    },
}  # fmt: skip
TESTS = """\
import pytest

@pytest.mark.parametrize("total", [1, 2, 3])
def test_small(stratum, total):
    assert stratum.run("w.yaml", {"total": total}).path == ["last"]

def test_large(stratum):
    assert stratum.run("w.yaml", {"total": 4}, mocks={"extra": 1}).path == ["extra", "last"]

def test_second_rule(stratum):
    stratum.run("machines/m.json", {"n": 2})
"""


class Folder:
    """A user's folder with a workflow, a definition and tests, and pytest sessions in it."""

    def __init__(self, path: Path):
        self.path = path
        self.write("w.yaml", SPEC)
        self.write("machines/m.json", json.dumps(ASL, indent=2))
        self.write("test_w.py", TESTS)
        self.write("pytest.ini", "[pytest]\n")

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def run(self, *options: str, code: int = 0) -> str:
        """What a session in a process of its own printed."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options], cwd=self.path,
            env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert done.returncode == code, printed
        return printed


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@dataclass
class Session:
    """One session with every report."""

    folder: Folder
    printed: str


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = Folder(tmp_path_factory.mktemp("session"))
    reports = [f"--stratum-cov-report={kind}" for kind in ("term", "json", "html:out/cov.html")]
    return Session(folder, folder.run("--stratum-cov", *reports))


def rows(printed: str) -> list[str]:
    """The table's lines, blanks made one."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    start = next(index for index, line in enumerate(lines) if line.startswith("Workflow Steps"))
    return [line for line in lines[start + 1 :] if line and not set(line) <= {"-"}]


TABLE = [
    "machines/m.json 2/2 1/3 60% 7 A: Choices[0] → B, 18 A: Default → B",
    "w.yaml 2/2 2/3 80% 9 extra: retry",
    "TOTAL 4/4 3/6 70%",
]


def test_the_table_names_what_is_missing(session: Session) -> None:
    assert rows(session.printed)[:3] == TABLE
    assert "coverage as HTML: out/cov.html" in session.printed


def test_workers_of_xdist_come_to_the_same_and_too_little_fails(folder: Folder) -> None:
    printed = folder.run("--stratum-cov", "-n", "2", "--stratum-cov-fail-under=70.5", code=1)
    assert rows(printed)[:3] == TABLE
    assert "FAIL workflow coverage of 70.5% is required, and it is 70.00%" in printed


def test_nothing_is_imported_for_sessions_that_do_not_ask() -> None:
    code = "import sys, stratum.local.testing.coverage; print([name for name in sys.modules if 'stratum' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "stratum.local.coverage" not in done.stdout
    assert "statelang" not in done.stdout


def test_workflows_that_no_test_ran_are_reported_where_asked_for(folder: Folder) -> None:
    folder.write("machines/idle.yaml", SPEC.replace("workflow: w", "workflow: idle"))
    folder.write("machines/broken.yaml", SPEC.replace("$input.total", "$input.totl"))
    folder.write("machines/compose.yaml", "services: {a: {image: b}}\n")
    folder.write(".hidden/w.yaml", SPEC)
    enough = ("--stratum-cov-fail-under=50", "--stratum-cov-count=steps,retries")
    printed = folder.run("--stratum-cov=machines", "--stratum-cov=w.yaml", *enough)
    assert rows(printed)[:4] == [
        "machines/idle.yaml 0/2 0/1 0% 6 extra, 10 last", "machines/m.json 2/2 0/0 100%",
        "w.yaml 2/2 0/1 67% 9 extra: retry", "TOTAL 4/6 0/2 50%",
    ]  # fmt: skip
    assert "machines/broken.yaml is left out: " in printed
    assert "compose" not in printed


def test_wrong_options_are_told_before_anything_runs(folder: Folder) -> None:
    printed = folder.run("--stratum-cov", "--stratum-cov-report=pdf", code=4)
    assert "'pdf' is no report: give term, html, html:FILE, json or json:FILE" in printed
    assert "Traceback" not in printed
    with pytest.raises(WrongOption, match=r"'step' is nothing that can be counted: give all, or of steps,"):
        counted_of("steps,step")
    with pytest.raises(WrongOption, match="nothing to count"):
        counted_of(" , ")
    with pytest.raises(WrongOption):
        outputs_of(["term:file"])
    assert (counted_of("all"), counted_of("retries, steps")) == (KINDS, ("steps", "retries"))
    assert [output.file for output in outputs_of(["html", "json:a:b"])] == ["stratum-coverage.html", "a:b"]
    assert outputs_of([""]) == []


def test_the_json_report_has_everything(session: Session) -> None:
    data = json.loads(session.folder.read("stratum-coverage.json"))
    assert (data["taken"], data["offered"], data["percent"]) == (7, 10, 70.0)
    spec = data["workflows"][1]
    assert (spec["file"], spec["name"], spec["executions"]) == ("w.yaml", "w", 4)
    assert spec["kinds"]["choices"] == {"taken": 2, "offered": 2}
    assert [part["hits"] for part in spec["parts"] if part["name"] == "extra: skipped"] == [3]
    assert [(part["name"], part["line"]) for part in spec["missing"]] == [("extra: retry", 9)]


def test_json_reports_merge(session: Session) -> None:
    data = json.loads(session.folder.read("stratum-coverage.json"))
    record = Record()
    for _ in range(2):
        record.merge(data)
    assert report(record, root=session.folder.path).counts == (7, 10)
    assert [each.executions for each in record.workflows] == [2, 8]
    one = data["workflows"][0]
    odd = [
        {"name": 1},
        {**one, "hits": {"A": 3}},
        {**one, "hits": {"A": {"": []}}},
        {**one, "definition": {"States": 1}},
    ]
    odd += [
        {**one, "definition": {"States": {"A": {}}}},
        {**one, "source_map": {}},
        {**one, "executions": None},
    ]
    wrongs = [{"format": "stratum-coverage/1", "workflows": [each]} for each in odd]
    for wrong in ({}, [], {"format": "other"}, *wrongs):
        with pytest.raises(NotARecord):
            record.merge(wrong)
    assert [each.executions for each in record.workflows] == [2, 8]


class _Page(HTMLParser):
    """What is on a page: its tags, its text, and where it leads."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone(session: Session) -> None:
    text = session.folder.read("out/cov.html")
    page = _Page(text)
    assert page.open == []
    assert page.tags.count("svg") == 2
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert set(page.links) == {"#w0", "#w1"}
    assert "url(" not in text
    for said in ("w.yaml", "machines/m.json", "never tried again", "task · 2/3 ways", "$input.total > 3"):
        assert said in page.text


HOSTILE = "<script>alert('x')</script>&\u202e\u0007"


def test_hostile_names_are_text_on_the_page(tmp_path: Path) -> None:
    record = Record()
    state = {"Type": "Pass", "End": True}
    record.offer(HOSTILE, {"StartAt": HOSTILE, "States": {HOSTILE: state}}, None, "m.json")
    (tmp_path / "m.json").write_text('{"States": {"A": 1}} # </code><script>alert(1)</script>\n')
    made = report(record, root=tmp_path)
    made.workflows[0].lines = ["</code><script>alert(1)</script>"]
    page = _Page(page_of(made))
    assert "script" not in page.tags
    assert "<script>alert('x')" in page.text


def test_children_of_distributed_maps_and_machines_of_boto3_count(folder: Folder) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **inner}
    definition = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}}
    folder.write("test_w.py", f"""\
import json
def test_w(stratum):
    client = stratum.client("stepfunctions")
    arn = client.create_state_machine(name="made", definition=json.dumps({definition!r}),
                                      roleArn="arn:aws:iam::123456789012:role/r")["stateMachineArn"]
    stratum.run({definition!r}, [1, 2, 3])
    client.start_execution(stateMachineArn=arn, input="[1]")
""")  # fmt: skip
    unwritable = ("--stratum-cov-report=json:w.yaml/x.json", "--stratum-cov-report=term")
    printed = folder.run("--stratum-cov", *unwritable, code=1)
    assert "FAIL w.yaml/x.json cannot be written: " in printed
    assert rows(printed)[:2] == [
        "made 2/2 1/3 60% M: no items, M: many items",
        "workflow 2/2 1/3 60% M: no items, M: one item",
    ]


def test_names_in_wide_letters_keep_the_columns() -> None:
    record = Record()
    for name in ("注文を確認する長い名前の状態機械", "a" * 90, "é🚀"):
        states: dict[str, Any] = {name: {"Type": "Task", "Resource": "r", "End": True}}
        record.offer(name, {"StartAt": name, "States": states}, None, f"{name}.json")
    for width in (60, 80, 120):
        lines = table(report(record), width)
        assert max(map(cell_len, lines)) <= max(width, 86)
        ends = {cell_len(line[: match.end()]) for line in lines if (match := re.search(r" 0%", line))}
        assert len(ends) == 1


# -- the commands ------------------------------------------------------------------------------------------


class Command:
    """`stratum` in a folder, in this process; `errors` is what it said on stderr."""

    def __init__(self, folder: Folder, capsys: pytest.CaptureFixture[str]):
        self.folder = folder
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        given = main(arguments)
        printed = self._capsys.readouterr()
        self.errors = printed.err
        assert given == code, printed
        return printed.out


@pytest.fixture
def stratum(folder: Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(folder.path)
    monkeypatch.setenv("COLUMNS", "100")
    folder.write("w.test.yaml", CASES)
    return Command(folder, capsys)


CASES = """\
stratum_test: "1"
workflow: w.yaml
cases:
  - {name: a small one, input: {total: 1}, expect: {path: [last]}}
  - {name: a large one, input: {total: 4}, mocks: {extra: {return: 1}}, expect: {path: [extra, last]}}
"""


def test_cases_in_yaml_are_measured(stratum: Command) -> None:
    printed = stratum("test", "w.test.yaml", "--coverage")
    assert rows(printed) == ["w.yaml 2/2 2/3 80% 9 extra: retry", "TOTAL 2/2 2/3 80%"]
    printed = stratum("test", "--coverage-fail-under", "90", "-k", "small", code=1)
    assert rows(printed)[:2] == ["machines/m.json 0/2 0/3 0% 4 A, 20 B", "w.yaml 1/2 1/3 40% 6 extra"]
    assert "FAIL workflow coverage of 90% is required, and it is 20.00%" in printed
    assert "coverage" not in stratum("test", "w.test.yaml")


def test_executions_of_a_store_are_measured_and_reports_merged(stratum: Command) -> None:
    each = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **ASL}
    stratum.folder.write("many.json", json.dumps({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": each, "End": True}}}))  # fmt: skip
    stratum("run", "many.json", "--input", '[{"n": 1}, {"n": 3}]')
    stratum("run", "w.yaml", "--input", '{"total": 1}')
    printed = stratum("coverage", "--report", "term", "--report", "json:one.json")
    assert rows(printed)[:2] == [
        "many.json 3/3 3/6 67% 1 M: no items, 1 M: one item, 1 A: Choices[1] → B", "w.yaml 1/2 1/3 40% 6 extra",
    ]  # fmt: skip
    stratum("test", "w.test.yaml", "--coverage-report", "json:two.json")
    merged = stratum("coverage", "one.json", "two.json", "machines", "--fail-under", "50")
    assert rows(merged) == [
        "machines/m.json 0/2 0/3 0% 4 A, 20 B", rows(printed)[0], "w.yaml 2/2 2/3 80% 9 extra: retry", "TOTAL 5/7 5/12 53%",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["coverage"], "there is no store at"),
        (["coverage", "none.json"], "none.json cannot be read: No such file or directory"),
        (["coverage", "bad.json"], "bad.json is not JSON"),
        (["coverage", "odd.json"], "odd.json is no report of coverage: its format is 3"),
        (["coverage", "--report", "pdf"], "'pdf' is no report"),
        (["test", "w.test.yaml", "--coverage", "--coverage-count", "much"], "'much' is nothing that can be counted"),
        (["test", "w.test.yaml", "--coverage-report", "html:w.yaml/x"], "w.yaml/x cannot be written"),
    ],
)  # fmt: skip
def test_wrong_requests(stratum: Command, arguments: list[str], said: str) -> None:
    stratum.folder.write("bad.json", "{")
    stratum.folder.write("odd.json", '{"format": 3}')
    stratum(*arguments, code=2)
    assert said in stratum.errors
