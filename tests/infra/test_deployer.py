"""The deployer against CloudFormation in this process: change sets, shares, alarms, what is taken away. The archives are empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from endpoint import Everything
from stratum.infra import stages
from stratum.infra.deployer import Deployer, RolledBack, Strategy
from stratum.infra.packaging import Artifacts
from stratum.infra.plan import Refused, Settings, plan
from stratum.infra.template.functions import Code
from stratum.local.aws.stacks import updates

EMPTY = b"PK\x05\x06" + bytes(18)
"""A zip of nothing: no function is called here."""


class Project:
    def __init__(self, everything: Everything):
        self.everything = everything
        self.said: list[str] = []
        self.shown: list[str] = []
        self.deployer = Deployer(everything.other, self.said.append, patience=0.01)

    def deploy(
        self, strategy: Strategy | None = None, *, confirm: Any = None, despite: bool = False, **settings: Any
    ) -> Any:
        self.said.clear()
        artifacts = Artifacts({"code/engine.zip": EMPTY}, Code("code/engine.zip"), {})

        def asked(text: str) -> bool:
            self.shown.append(text)
            return True

        return self.deployer.deploy(
            plan([], Settings("dev", **settings)),
            artifacts,
            strategy or Strategy(),
            confirm or asked,
            despite_alarms=despite,
        )

    def alarm(self, state: str) -> None:
        self.everything.other("cloudwatch").set_alarm_state(
            AlarmName="stratum-dev-Failures", StateValue=state, StateReason="a test"
        )

    def alias(self, name: str = "api") -> tuple[str, dict[str, float]]:
        found = self.everything.other("lambda").get_alias(FunctionName=f"stratum-dev--{name}", Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    everything = Everything()
    made = Project(everything)
    made.deploy()
    yield made
    everything.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "MINUTE", 0.02)


def test_a_new_stage_is_told_with_what_it_is_made_of(project: Project) -> None:
    assert project.shown[0].startswith("stratum-dev: a new stack\n")
    assert "table" in project.shown[0]
    found = stages.find(project.everything.other, "dev")
    assert (found.target, found.status, found.shift) == ("engine", "CREATE_COMPLETE", 1.0)
    assert found.store.startswith(f"dynamodb://{found.outputs['TableName']}?region=us-east-1")
    assert stages.names(project.everything.other) == ["dev"]
    table = project.everything.other("dynamodb").describe_table(TableName=found.outputs["TableName"])["Table"]
    assert table["DeletionProtectionEnabled"]


def test_what_has_not_changed_is_left_alone(project: Project) -> None:
    before = project.alias()
    assert project.deploy() is None
    assert project.said[-1].startswith("nothing to change")
    # What was shown and not confirmed leaves nothing behind.
    assert project.deploy(confirm=lambda text: False, memory=1024) is None
    assert project.deploy() is None
    assert project.alias() == before


def test_a_canary_takes_over_when_no_alarm_goes_off(project: Project) -> None:
    version, _ = project.alias()
    seen: list[Any] = []
    say = project.said.append

    def watch(line: str) -> None:
        say(line)
        seen.append(project.alias())

    project.deployer._say = watch
    project.deploy(Strategy.read("25%/5m", None), memory=640)
    assert (version, {str(int(version) + 1): 0.25}) in seen
    assert project.alias() == (str(int(version) + 1), {})
    assert project.shown[-1].startswith("stratum-dev: an update")
    assert "~ function         ApiFunction" in project.shown[-1]


def test_an_alarm_takes_a_release_back(project: Project) -> None:
    before = project.alias()

    def confirm(text: str) -> bool:
        project.alarm("ALARM")
        return True

    with pytest.raises(RolledBack, match=r"UPDATE_ROLLBACK_COMPLETE:\n.*stratum-dev-Release"):
        project.deploy(Strategy.read("10%/5m", None), confirm=confirm, memory=768)
    assert project.alias() == before
    configuration = project.everything.other("lambda").get_function_configuration(
        FunctionName="stratum-dev--api"
    )
    assert configuration["MemorySize"] == 640
    # While it is off nothing is released, unless somebody wants that.
    with pytest.raises(Refused, match="these alarms are off at present: stratum-dev-Failures"):
        project.deploy(memory=768)
    assert project.deploy(despite=True, memory=768).status == "UPDATE_COMPLETE"
    project.alarm("OK")


def test_a_release_that_was_broken_off_is_gone_on_with(project: Project) -> None:
    version, _ = project.alias()

    class GoneHome(Exception):
        pass

    def leave(line: str) -> None:
        if line.startswith("new versions have had"):
            raise GoneHome

    project.deployer._say = leave
    with pytest.raises(GoneHome):
        project.deploy(Strategy.read("10%/5m", None), memory=896)
    assert project.alias() == (version, {str(int(version) + 1): 0.1})
    assert stages.find(project.everything.other, "dev").shift == 0.1
    project.deployer._say = project.said.append
    project.deploy(memory=896)
    assert project.alias() == (str(int(version) + 1), {})


def test_a_stage_stays_on_its_target(project: Project) -> None:
    with pytest.raises(Refused, match="the stage dev is on engine: another target is another stage"):
        project.deploy(target="step-functions")


@pytest.mark.parametrize(
    "text", ["10", "10%", "0%/5m", "100%/5m", "10%/5s", "10%/200m", "ten%/5m", "10%/m", "/5m", "%/5m"]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"10%/5m|1 to 180 minutes"):
        Strategy.read(text, None)


def test_shares_come_one_after_the_other() -> None:
    assert Strategy.read(None, "40%/1h") == Strategy((0.4, 0.8, 1.0), 60)
    assert Strategy.read("5%/2m", None) == Strategy((0.05, 1.0), 2)
    with pytest.raises(Refused, match="either"):
        Strategy.read("5%/2m", "5%/2m")


def test_a_stage_is_taken_away_with_its_data_only_where_that_is_asked(project: Project) -> None:
    found = stages.find(project.everything.other, "dev")
    project.deployer.destroy(found, data=False)
    dynamodb = project.everything.other("dynamodb")
    assert found.outputs["TableName"] in dynamodb.list_tables()["TableNames"]
    with pytest.raises(stages.NoSuchStage, match="there is no stage 'dev'"):
        stages.find(project.everything.other, "dev")
    again = project.deploy()
    assert again.outputs["TableName"] != found.outputs["TableName"]
    project.deployer.destroy(again, data=True)
    assert again.outputs["TableName"] not in dynamodb.list_tables()["TableNames"]
    buckets = [each["Name"] for each in project.everything.other("s3").list_buckets()["Buckets"]]
    assert again.outputs["BucketName"] not in buckets
