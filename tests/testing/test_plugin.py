"""The pytest plugin as its users have it: in a pytest of its own, and what a failing test says."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from stratum.local.testing.differences import path_differences, value_differences

FLOW = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Result": {"total": 40, "items": [1, 2]}, "Next": "B"},
        "B": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:shop-check",
            "End": True,
        },
    },
}


def run_pytest(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(f"FLOW = {FLOW!r}\n{textwrap.dedent(tests)}")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        *options,
    ]
    # No credentials at all, and nobody who would be asked for them.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ["AWS_EC2_METADATA_DISABLED"] = "true"
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_what_failing_tests_say(tmp_path: Path) -> None:
    code, told = run_pytest(
        tmp_path,
        """
        def test_path(stratum):
            result = stratum.run(FLOW, mocks={"B": 1})
            assert result.path == ["A", "C"]

        def test_output(stratum):
            result = stratum.run(FLOW, mocks={"B": lambda input: input})
            assert result.output == {"total": 41, "items": [1, 2]}

        def test_succeeded(stratum):
            stratum.run(FLOW, tasks={"shop.check": lambda event, context: event["no such key"]}).succeeded()

        def test_setup(stratum):
            stratum.run(FLOW, mocks={"b": 1})

        def test_status(stratum):
            assert stratum.run(FLOW, mocks={"B": ValueError("why")}).status == "SUCCEEDED"
        """,
    )
    assert code == 1
    for text in (
        "the path is not as wanted",
        "- C  wanted, and not there",
        "+ B  there, and not wanted",
        "the execution: SUCCEEDED",
        "the output is not as wanted",
        "$.total: 40, wanted 41",
        "KeyError: 'no such key'",  # with the user's own frame
        'lambda event, context: event["no such key"]',
        "SUCCEEDED was wanted",
        "workflow has no state, step or resource 'b'; did you mean 'B'?",
        "workflow:workflow-1: FAILED, ValueError: why",  # the section that each failing test has
    ):
        assert text in told, text
    assert "local/testing" not in told.replace("stratum.local.testing", "")  # none of our own frames


def test_a_session_without_the_fixture_pays_nothing(tmp_path: Path) -> None:
    code, told = run_pytest(
        tmp_path,
        """
        import sys

        def test_nothing():
            ours = {name for name in sys.modules if name.startswith("stratum.")}
            assert ours <= {
                "stratum.local", "stratum.local.testing", "stratum.local.testing.plugin",
            } | {name for name in ours if ".coverage" in name}, ours
            assert not {"boto3", "botocore", "moto", "pydantic", "yaml", "aws_lambda_powertools", "sqlite3"} & set(sys.modules)
        """,
    )
    assert code == 0, told


def test_a_workflow_alone_needs_no_aws(tmp_path: Path) -> None:
    code, told = run_pytest(
        tmp_path,
        """
        import sys

        def test_run(stratum):
            stratum.run(FLOW, mocks={"B": 1}).succeeded(1)
            assert not {"boto3", "botocore.client", "moto", "rich"} & set(sys.modules)
        """,
    )
    assert code == 0, told


def test_handlers_beside_the_test_are_the_modules_that_it_imports(tmp_path: Path) -> None:
    import json

    (tmp_path / "flow.asl.json").write_text(json.dumps(FLOW))
    (tmp_path / "shop.py").write_text(
        "import boto3\nclient = boto3.client('stepfunctions', region_name='us-east-1')\nPRICE = 1\n\n"
        "def check(event, context):\n    machines = client.list_state_machines()['stateMachines']\n"
        "    return event['total'] * PRICE, len(machines)\n"
    )
    code, told = run_pytest(
        tmp_path,
        """
        import shop

        def test_patched(stratum, monkeypatch):
            monkeypatch.setattr(shop, "PRICE", 10)
            stratum.run("flow.asl.json").succeeded([400, 1])

        def test_itself(stratum):
            stratum.run("flow.asl.json").succeeded([40, 1])
            stratum.run("flow.asl.json", tasks={"shop.check": "shop.py:check"}).succeeded([40, 1])
            stratum.run("flow.asl.json", tasks={"B": "shop.check"}).succeeded([40, 1])
        """,
        "-n2",
    )
    assert code == 0, told


def test_unittest(tmp_path: Path) -> None:
    (tmp_path / "test_unit.py").write_text(
        textwrap.dedent(f"""
            import unittest
            from stratum.local.testing import TestCloud

            class Flow(unittest.TestCase):
                def setUp(self):
                    self.stratum = self.enterContext(TestCloud())

                def test_it(self):
                    result = self.stratum.run({FLOW!r}, mocks={{"B": 1}})
                    self.assertEqual(result.path, ["A", "B"])
                    result.succeeded(1)
        """)
    )
    command = [sys.executable, "-m", "unittest", "-q", "test_unit"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("got", "wanted", "partial", "told"),
    [
        ({"a": 1}, {"a": 1.0}, False, []),
        ({"a": 1}, {"a": True}, False, ["$.a: 1, wanted true"]),
        ({"a": 1, "b": 2}, {"a": 1}, True, []),
        ({"a": 1, "b": 2}, {"a": 1}, False, ["$.b: 2, not wanted"]),
        ([{"a": 1, "b": 2}], [{"a": 2}], True, ["$[0].a: 1, wanted 2"]),
        ([1], [1, 2], False, ["$[1]: missing, wanted 2"]),
        ({"a b": None}, {}, False, ['$["a b"]: null, not wanted']),
        ("x", {"a": 1}, False, ['$: "x", wanted {"a": 1}']),
        (
            list(range(99)),
            [],
            False,
            [*(f"$[{n}]: {n}, not wanted" for n in range(30)), "and 69 more differences"],
        ),
    ],
)
def test_value_differences(got: object, wanted: object, partial: bool, told: list[str]) -> None:
    assert value_differences(got, wanted, partial=partial) == told


def test_path_differences() -> None:
    assert path_differences(["a", "c", "d"], ["a", "bb", "c"]) == [
        "    a",
        "  - bb  wanted, and not there",
        "    c",
        "  + d   there, and not wanted",
    ]
