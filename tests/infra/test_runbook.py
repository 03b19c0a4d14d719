"""The runbook tells of every alarm that there is, and of commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployments import deployment, made
from stratum.local.cli.parsers import parser

RUNBOOK = (Path(__file__).resolve().parents[2] / "infra" / "RUNBOOK.md").read_text()
NAMED = set(re.findall(r"\*\*([^*]+)\*\*", RUNBOOK))
ALARMS = {name for each in NAMED for name in re.findall(r"`([^`]+)`", each)}


@pytest.mark.parametrize("target", ["engine", "step-functions"])
def test_every_alarm_of_a_template_is_told_of(target: str) -> None:
    resources = made(deployment("orders/orders.yaml", "fulfilment/order.yaml", target=target))["Resources"]
    alarms = [
        name
        for name, each in resources.items()
        if each["Type"].startswith("AWS::CloudWatch::") and "Alarm" in each["Type"]
    ]
    assert alarms
    patterns = [each.replace("…", ".*").replace("NAME", ".*") for each in ALARMS]
    for name in alarms:
        name = name.removesuffix("Alarm")
        assert any(re.fullmatch(pattern, name) for pattern in patterns), name


def test_every_command_in_it_parses() -> None:
    told = re.findall(r"`(stratum [^`]+)`", RUNBOOK) + re.findall(r"^(stratum .+)$", RUNBOOK, re.M)
    assert len(told) > 20
    for line in told:
        words = line.replace("…", "x").split()[1:]
        words = [re.sub(r"^\[|\]$", "", word) for word in words]
        words = ["2" if word in ("N", "MB") else word for word in words if word]
        if len(words) == 1:
            words.append("--help")  # mentioned by its name alone
        code: object = 0
        try:
            parser().parse_args(words)
        except SystemExit as ended:
            code = ended.code
        assert code == 0, f"{line} is no command"
