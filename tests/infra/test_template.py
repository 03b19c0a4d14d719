"""Templates as data: the rules that they keep, who is allowed what, how versions take over."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from deployments import EXAMPLES, FILES, KEY, deployment, made
from stratum.infra import notifications
from stratum.infra.plan import (
    Plugin,
    Refused,
    Settings,
    Source,
    bound,
    functions_called,
    is_required,
    plan,
    retention_of,
)
from stratum.infra.template import checks
from stratum.infra.template.artifacts import artifacts_template
from stratum.infra.template.release import Live, parameters

TARGETS = ("engine", "step-functions")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("key", [None, KEY])
def test_the_templates_of_the_examples_keep_every_rule(target: str, key: str | None) -> None:
    assert checks.broken(made(deployment(target=target, kms_key=key))) == []
    for name in FILES:
        assert checks.broken(made(deployment(name, target=target))) == []


@pytest.mark.parametrize("target", TARGETS)
def test_gates_are_announced_and_decided_by_links_where_that_is_asked(target: str) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:gates"
    notify = json.dumps({"targets": {"ops": {"sns": topic}}, "always": ["ops"]})
    planned = deployment(
        "release/reviewed.yaml", target=target, gate_links=True, notify=notify, tenants=["acme"]
    )
    template = made(planned)
    assert checks.broken(template) == []
    opens = "Tasks" if target == "engine" else "Work"
    told = template["Resources"][f"{opens}Function"]["Properties"]["Environment"]["Variables"]
    assert (told["STRATUM_NOTIFY"], told["STRATUM_LINK_KEY_SECRET"]) == (notify, {"Ref": "LinkKey"})
    assert told["STRATUM_LINK_URL"] == {"Fn::GetAtt": ["GatesUrl", "FunctionUrl"]}
    assert allowed(template, f"{opens}Role")["sns:Publish"] == [topic]
    page = allowed(template, "GatesRole")
    assert page["secretsmanager:GetSecretValue"] == [{"Ref": "LinkKey"}]
    assert not {action for action in page if action.startswith(("lambda:", "sns:"))}
    assert template["Resources"]["GatesFunction"]["Properties"]["ReservedConcurrentExecutions"] == 5
    for spoil in (
        lambda t: t["Resources"]["GatesFunction"]["Properties"].pop("ReservedConcurrentExecutions"),
        lambda t: t["Resources"]["GatesFunction"]["Properties"].update(Handler="stratum.handlers.advance.handler"),
        lambda t: t["Resources"]["GatesFunction"]["Properties"]["Environment"]["Variables"].update(STRATUM_LINK_KEY="x"),
        lambda t: t["Resources"]["LinkKey"]["Properties"].update(SecretString="x"),
    ):  # fmt: skip
        spoilt = copy.deepcopy(template)
        spoil(spoilt)
        assert len(checks.broken(spoilt)) == 1
    if target == "engine":
        timers = template["Resources"]["TimersFunction"]["Properties"]["Environment"]["Variables"]
        assert timers["STRATUM_TENANTS"] == "default,acme"
    plain = made(deployment("release/reviewed.yaml", target=target))
    assert not [name for name in plain["Resources"] if name.startswith(("Gates", "LinkKey"))]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"targets": {"x": {"webhook": "https://chat.example.com/1"}}}, "create-secret"),
        ({"targets": {"x": {"command": ["notify-send"]}}}, "on Lambda there are none"),
        ({"targets": {"x": {"sns": "gates"}}}, "no SNS topic"),
        ({"targets": {"x": {}}}, "one of sns, webhook"),
        ({"targets": {}, "always": ["x" * 3000]}, "more than 2048 bytes"),
    ],
)
def test_what_must_not_stand_in_an_environment_is_refused(config: Any, says: str, tmp_path: Path) -> None:
    (tmp_path / "notify.json").write_text(json.dumps(config))
    with pytest.raises(notifications.Unfit, match=says):
        notifications.read(str(tmp_path / "notify.json"))


def test_what_is_secret_of_notifications_is_read_from_a_secret() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:notify-AbCdEf"
    template = made(deployment("release/reviewed.yaml", notify=notifications.read(arn)))
    assert allowed(template, "TasksRole")["secretsmanager:GetSecretValue"] == [arn]
    with pytest.raises(notifications.Unfit, match="or the ARN of a secret"):
        notifications.read("arn:aws:ssm:us-east-1:123456789012:parameter/x")


def test_an_mcp_server_has_an_archive_and_a_policy_of_its_own() -> None:
    template = made(deployment("orders/orders.yaml", mcp=True))
    assert checks.broken(template) == []
    resources = template["Resources"]
    assert resources["McpFunction"]["Properties"]["Code"]["S3Key"] == "code/mcp-1.zip"
    assert resources["AdvanceFunction"]["Properties"]["Code"]["S3Key"] == "code/engine-1.zip"
    statements = resources["McpPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Resource"] for each in statements] == [[{"Ref": "McpAlias"}]] * 2
    assert allowed(template, "McpRole") == allowed(template, "ApiRole") | {
        action: [{"Fn::Sub": "${McpLogs.Arn}"}] for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    }
    with pytest.raises(Refused, match="stratum mcp --stage dev"):
        deployment("orders/orders.yaml", target="step-functions", mcp=True)


def test_only_what_forgets_may_delete_in_bulk() -> None:
    template = made(deployment("orders/orders.yaml", retention=retention_of("90d")))
    assert checks.broken(template) == []
    for name in ("Advance", "Api"):
        variables = template["Resources"][f"{name}Function"]["Properties"]["Environment"]["Variables"]
        assert variables["STRATUM_RETENTION"] == "7776000"
    assert {"dynamodb:BatchWriteItem", "s3:DeleteObject"} <= set(allowed(template, "AdvanceRole"))
    for role in ("ApiRole", "TasksRole", "TimersRole"):
        assert not {"dynamodb:BatchWriteItem", "s3:DeleteObject"} & set(allowed(template, role))
    assert "s3:DeleteObject" not in allowed(made(deployment("orders/orders.yaml")), "AdvanceRole")
    for wrong in ("90", "0d", "d", "1y", "-3d"):
        with pytest.raises(Refused, match="write it like 90d"):
            retention_of(wrong)
    with pytest.raises(Refused, match="Step Functions forgets"):
        deployment("orders/orders.yaml", target="step-functions", retention=86400)


def test_the_bucket_of_artifacts_keeps_the_rules() -> None:
    assert checks.broken(artifacts_template()) == []


def _role(template: dict[str, Any]) -> dict[str, Any]:
    return template["Resources"]["TasksRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda t: _role(t).update(Action=["dynamodb:*"]), "TasksRole: the action dynamodb:* has a wildcard"),
        (lambda t: _role(t).update(Resource=["*"]), "TasksRole: the resource * is everything of its kind"),
        (
            lambda t: _role(t).update(Resource=["arn:aws:dynamodb:us-east-1:123456789012:table/*"]),
            "TasksRole: the resource arn:aws:dynamodb:us-east-1:123456789012:table/* is everything of its kind",
        ),
        (lambda t: t["Resources"]["AdvanceQueue"]["Properties"].pop("SqsManagedSseEnabled"), "AdvanceQueue: the queue is not encrypted"),
        (lambda t: t["Resources"]["AdvanceQueue"]["Properties"].pop("RedrivePolicy"), "AdvanceQueue: the queue has no dead-letter queue"),
        (lambda t: t["Resources"].pop("AdvanceDeadLettersAlarm"), "AdvanceDeadLetters: no alarm watches the dead letters"),
        (lambda t: t["Resources"].pop("AdvanceQueuePolicy"), "AdvanceQueue: it takes requests without TLS"),
        (lambda t: t["Resources"]["ApiUrl"]["Properties"].update(AuthType="NONE"), "ApiUrl: anybody may call the function's URL"),
        (lambda t: t["Resources"]["ApiLogs"]["Properties"].pop("RetentionInDays"), "ApiLogs: the log is kept for ever"),
        (lambda t: t["Resources"].pop("ApiLogs"), "ApiFunction: its log group is not the template's"),
        (lambda t: t["Resources"]["Table"].pop("DeletionPolicy"), "Table: it is deleted with the stack"),
        (lambda t: t["Resources"]["Table"]["Properties"].update(BillingMode="PROVISIONED"), "Table: it costs while nothing runs"),
        (lambda t: t["Resources"]["Bucket"]["Properties"]["PublicAccessBlockConfiguration"].update(BlockPublicAcls=False), "Bucket: the bucket may be made public"),
        (lambda t: t["Resources"]["TasksQueue"]["Properties"].update(VisibilityTimeout=30), "TasksSource: messages of TasksQueue come again while TasksFunction may be handling them"),
        (lambda t: t["Resources"]["StreamSource"]["Properties"].pop("DestinationConfig"), "StreamSource: what fails of the stream is lost"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told(spoil: Any, reason: str) -> None:
    template = copy.deepcopy(made(deployment("orders/orders.yaml")))
    spoil(template)
    assert reason in checks.broken(template)


# -- who is allowed what -------------------------------------------------------------------------------------


def allowed(template: dict[str, Any], role: str) -> dict[str, list[Any]]:
    """Resources by action."""
    found: dict[str, list[Any]] = {}
    for statement in template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
        for action in statement["Action"]:
            found.setdefault(action, []).extend(statement["Resource"])
    return found


def test_tasks_may_do_what_the_definitions_name_and_no_more() -> None:
    template = made(deployment("fulfilment/order.yaml"))
    tasks = allowed(template, "TasksRole")
    assert tasks["dynamodb:PutItem"][-1] == {
        "Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"
    }
    assert {"Fn::Sub": "${FulfilmentParcelLabelFunction.Arn}:*"} in tasks["lambda:InvokeFunction"]
    assert "lambda:InvokeFunction" not in allowed(template, "AdvanceRole")
    assert set(allowed(template, "TimersRole")) == {
        "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "sqs:SendMessage", "logs:CreateLogStream",
        "logs:PutLogEvents",
    }  # fmt: skip
    users = allowed(template, "TaskFunctionsRole")
    assert set(users) <= {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}


def machine(resource: str, arguments: Any) -> dict[str, Any]:
    return {
        "QueryLanguage": "JSONata", "StartAt": "A",
        "States": {"A": {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}},
    }  # fmt: skip


def tasks_of(resource: str, arguments: Any, **settings: Any) -> dict[str, list[Any]]:
    planned = plan([Source("one", machine(resource, arguments), EXAMPLES)], Settings("dev", **settings))
    return {action: list(each.resources) for each in planned.statements for action in each.actions}


PARTS = "${AWS::Region}:${AWS::AccountId}"


@pytest.mark.parametrize(
    ("resource", "arguments", "expected"),
    [
        ("sqs:sendMessage", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "MessageBody": "x"},
         {"sqs:SendMessage": ["arn:${AWS::Partition}:sqs:eu-west-1:123456789012:jobs"]}),
        ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:news"}, {"sns:Publish": ["arn:aws:sns:us-east-1:123456789012:news"]}),
        ("aws-sdk:s3:getObject", {"Bucket": "b", "Key": "{% $k %}"}, {"s3:GetObject": ["arn:${AWS::Partition}:s3:::b/*"]}),
        ("aws-sdk:s3:headObject", {"Bucket": "b", "Key": "k"}, {"s3:GetObject": ["arn:${AWS::Partition}:s3:::b/k"]}),
        ("events:putEvents", {"Entries": [{"Source": "x"}]}, {"events:PutEvents": [f"arn:${{AWS::Partition}}:events:{PARTS}:event-bus/default"]}),
        ("lambda:invoke", {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f"}, {"lambda:InvokeFunction": ["arn:aws:lambda:us-east-1:123456789012:function:f"]}),
        ("states:startExecution.sync:2", {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:child"}, {}),
    ],
)  # fmt: skip
def test_permissions_are_read_off_definitions(
    resource: str, arguments: Any, expected: dict[str, Any]
) -> None:
    assert tasks_of(resource, arguments) == expected


def test_what_only_an_execution_knows_has_to_be_allowed_by_somebody() -> None:
    with pytest.raises(
        Refused,
        match=r"A: what dynamodb:PutItem is for is only known when it runs.*--allow dynamodb:PutItem=ARN",
    ):
        tasks_of("dynamodb:putItem", {"TableName": "{% $t %}"})
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    assert tasks_of("dynamodb:putItem", {"TableName": "{% $t %}"}, allow=[f"dynamodb:PutItem={arn}"]) == {
        "dynamodb:PutItem": [arn]
    }
    for wrong in ("dynamodb:*=" + arn, "dynamodb:PutItem", "dynamodb:PutItem=*"):
        with pytest.raises(ValueError, match="it is ACTION=ARN"):
            tasks_of("dynamodb:putItem", {"TableName": "t"}, allow=[wrong])


def test_children_on_step_functions_may_be_started_and_watched() -> None:
    child = {
        "StateMachineArn": "{% $join($split($states.context.Execution.Id, ':')[[0..4]], ':') & ':stateMachine:child' %}"
    }
    found = tasks_of("states:startExecution.sync:2", child, target="step-functions")
    assert found["states:StartExecution"] == [f"arn:${{AWS::Partition}}:states:{PARTS}:stateMachine:child"]
    assert "events:PutRule" in found


# -- plans ---------------------------------------------------------------------------------------------------


def test_functions_are_found_beside_their_workflow() -> None:
    planned = deployment()
    names = {each.deployed: each for each in planned.functions}
    assert names["stratum-dev-orders-payments-charge"].handler == "payments.charge"
    assert names["stratum-dev-fulfilment-payments-charge"].folder == EXAMPLES / "fulfilment"
    assert not names["stratum-dev-orders-payments-charge"].long  # 30 s, as its step says
    assert names["stratum-dev-etl-pipeline-load"].long
    assert planned.has_work
    assert not deployment("orders/orders.yaml").has_work


@pytest.mark.parametrize("stage", ["", "Prod", "prod_eu", "-a", "a" * 21, "pröd", "a b"])
def test_a_stage_has_a_name_that_everything_can_have(stage: str) -> None:
    with pytest.raises(Refused, match="is no stage"):
        Settings(stage)


def test_a_function_that_is_nowhere_is_told() -> None:
    with pytest.raises(
        Refused, match=r"one calls the function gone-away, and there is no gone\.py beside it"
    ):
        tasks_of("lambda:invoke", {"FunctionName": "gone-away"})


def test_functions_of_a_package_are_deployed_where_it_is_required(tmp_path: Path) -> None:
    def bring(name: str) -> Plugin | None:
        return Plugin("stratum_media.title", "stratum-media") if name == "media-title" else None

    source = Source("one", machine("lambda:invoke", {"FunctionName": "media-title"}), tmp_path)
    with pytest.raises(Refused, match=r"the package stratum-media brings: name that in .*requirements\.txt"):
        plan([source], Settings("dev"), bring)
    for text, fits in (
        ("Stratum_Media==0.1.0\n", True), ("./wheels/stratum_media-0.1.0-py3-none-any.whl", True), ("# stratum-media", False),
        ("stratum-media-extras==1", False), ("my-stratum-media", False), ("stratum-media[x]>=1", True),
    ):  # fmt: skip
        (tmp_path / "requirements.txt").write_text(text)
        assert is_required("stratum-media", tmp_path) is fits, text
    [function] = plan([source], Settings("dev"), bring).functions
    assert (function.name, function.handler) == ("media-title", "stratum_media.title")


def test_everything_in_the_way_is_told_at_once() -> None:
    twice = [Source("one", machine("lambda:invoke", {"FunctionName": "gone-away"}), EXAMPLES)] * 2
    with pytest.raises(Refused, match=r"two workflows are called 'one'\n.*gone"):
        plan(twice, Settings("dev"))


def test_definitions_are_bound_to_versions_in_every_branch() -> None:
    orders = deployment("orders/orders.yaml")
    [workflow] = orders.workflows
    functions = orders.functions_of(workflow)
    again = bound(workflow.definition, {name: f"arn:{name}" for name in functions})
    assert set(functions_called(again)) == {f"arn:{name}" for name in functions}
    assert set(functions_called(workflow.definition)) == set(functions)


def test_long_names_stay_different_and_short_enough() -> None:
    definition = machine("lambda:invoke", {"FunctionName": "orders-" + "x" * 80})
    [function] = plan([Source("one", definition, EXAMPLES / "orders")], Settings("dev")).functions
    assert len(function.deployed) == 64


# -- how versions take over ----------------------------------------------------------------------------------


def alias_of(template: dict[str, Any], name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def test_what_has_not_changed_does_not_shift() -> None:
    planned = deployment("orders/orders.yaml")
    first = made(planned)
    assert "RoutingConfig" not in alias_of(first, "ApiAlias")
    live = Live({"stratum-dev--api": "3"}, {}, frozenset(first["Resources"]))
    assert alias_of(made(planned, live), "ApiAlias") == alias_of(first, "ApiAlias")


def test_new_versions_have_the_share_that_a_parameter_says() -> None:
    alias = alias_of(made(deployment("orders/orders.yaml"), Live({"stratum-dev--api": "3"})), "ApiAlias")
    assert alias["FunctionVersion"]["Fn::If"][2] == "3"
    [weight] = alias["RoutingConfig"]["Fn::If"][2]["AdditionalVersionWeights"]
    assert weight["FunctionWeight"] == {"Ref": "Shift"}
    assert parameters(0.1) == {"Shift": "0.1", "ShiftPercent": "10", "RestPercent": "90"}
    assert parameters(1.0)["Shift"] == "1"


def test_a_change_makes_a_version_of_what_it_changes_and_keeps_the_ones_before() -> None:
    one, other = made(deployment("etl/etl.yaml")), made(deployment("etl/etl.yaml", function_memory=512))
    versions = [
        {name for name, each in t["Resources"].items() if each["Type"] == "AWS::Lambda::Version"}
        for t in (one, other)
    ]
    assert {name.partition("Version")[0] for name in versions[0] - versions[1]} == {
        "EtlPipelineLoad", "EtlPipelineClean", "EtlPipelineFeatures", "EtlPipelineWrite",
    }  # fmt: skip
    assert all(one["Resources"][name]["DeletionPolicy"] == "Retain" for name in versions[0])


def test_a_template_is_the_same_whenever_it_is_made() -> None:
    assert json.dumps(made(deployment())) == json.dumps(made(deployment()))


def test_gates_on_step_functions_are_served_by_the_work_function() -> None:
    template = made(deployment("release/reviewed.yaml", target="step-functions"))
    machines = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    assert [each["Properties"]["DefinitionSubstitutions"]["StratumWork"] for each in machines] == [
        {"Ref": "WorkAlias"}
    ]
    assert "WorkAlias" not in made(deployment("orders/orders.yaml", target="step-functions"))["Resources"]
