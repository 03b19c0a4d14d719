"""Tasks that wait for a job of another service (`.sync`)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import ROLE
from endpoint import ACCOUNT, Everything

OPTIMIZED = "arn:aws:states:::"


def start(everything: Everything, resource: str, parameters: Any, **more: Any) -> str:
    sfn = everything.client()
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}
    made = sfn.create_state_machine(
        name="jobs", definition=json.dumps({"StartAt": "A", "States": {"A": state}}), roleArn=ROLE
    )
    return sfn.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]


def described(everything: Everything, execution: str) -> dict[str, Any]:
    return everything.client().describe_execution(executionArn=execution)


def events(everything: Everything, execution: str) -> list[dict[str, Any]]:
    return everything.client().get_execution_history(executionArn=execution)["events"]


@pytest.fixture
def task(everything: Everything) -> dict[str, Any]:
    ecs = everything.other("ecs")
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="t", containerDefinitions=[{"name": "x", "image": "busybox", "memory": 64}]
    )
    return {"Cluster": "c", "TaskDefinition": "t", "LaunchType": "FARGATE"}


def test_a_task_of_ecs_is_waited_for(everything: Everything, task: dict[str, Any]) -> None:
    execution = start(everything, f"{OPTIMIZED}ecs:runTask.sync", task)
    everything.settle()
    done = described(everything, execution)
    output = json.loads(done["output"])
    assert (output["LastStatus"], output["StartedBy"]) == ("STOPPED", "AWS Step Functions")
    assert output["Containers"][0]["ExitCode"] == 0
    kinds = [event["type"] for event in events(everything, execution)]
    assert kinds[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    submitted = json.loads(events(everything, execution)[4]["taskSubmittedEventDetails"]["output"])
    assert submitted["Tasks"][0]["LastStatus"] == "RUNNING"


def moto_task(everything: Everything) -> Any:
    [task] = everything.door.moto.backend("ecs", ACCOUNT, "us-east-1").tasks["c"].values()
    return task


def until_submitted(everything: Everything, execution: str) -> None:
    while len(events(everything, execution)) < 5:
        everything.cloud.step(0.01)


def test_a_container_that_fails_fails_the_task(everything: Everything, task: dict[str, Any]) -> None:
    execution = start(everything, f"{OPTIMIZED}ecs:runTask.sync", task)
    until_submitted(everything, execution)
    moto_task(everything).containers[0].exitCode = 3
    everything.settle()
    done = described(everything, execution)
    assert done["error"] == "States.TaskFailed"
    assert json.loads(done["cause"])["Containers"][0]["ExitCode"] == 3


@pytest.mark.parametrize("how", ["stop", "timeout"])
def test_a_job_ends_with_who_waits_for_it(everything: Everything, task: dict[str, Any], how: str) -> None:
    more = {"TimeoutSeconds": 1} if how == "timeout" else {}
    execution = start(everything, f"{OPTIMIZED}ecs:runTask.sync", task, **more)
    until_submitted(everything, execution)
    if how == "stop":
        everything.client().stop_execution(executionArn=execution)
    everything.settle()
    assert described(everything, execution)["status"] == ("ABORTED" if how == "stop" else "FAILED")
    [arn] = everything.other("ecs").list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"]
    [stopped] = everything.other("ecs").describe_tasks(cluster="c", tasks=[arn])["tasks"]
    assert stopped["stoppedReason"] == "Its execution of AWS Step Functions was stopped."


def test_a_job_ends_with_the_branch_beside_it(everything: Everything, task: dict[str, Any]) -> None:
    waits = {"Type": "Task", "Resource": f"{OPTIMIZED}ecs:runTask.sync", "Parameters": task, "End": True}
    branches = [
        {"StartAt": "Run", "States": {"Run": waits}},
        {
            "StartAt": "Wait",
            "States": {"Wait": {"Type": "Wait", "Seconds": 2, "Next": "No"}, "No": {"Type": "Fail"}},
        },
    ]
    both = {"Type": "Parallel", "Branches": branches, "End": True}
    sfn = everything.client()
    made = sfn.create_state_machine(
        name="both", definition=json.dumps({"StartAt": "A", "States": {"A": both}}), roleArn=ROLE
    )
    sfn.start_execution(stateMachineArn=made["stateMachineArn"])
    everything.settle()
    assert moto_task(everything).desired_status == "STOPPED"


def test_a_nested_execution_ends_with_who_waits_for_it(everything: Everything) -> None:
    sfn = everything.client()
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    child = sfn.create_state_machine(name="child", definition=json.dumps(wait), roleArn=ROLE)
    arn = child["stateMachineArn"]
    execution = start(
        everything, f"{OPTIMIZED}states:startExecution.sync:2", {"StateMachineArn": arn}, TimeoutSeconds=60
    )
    everything.settle()
    assert described(everything, execution)["error"] == "States.Timeout"
    [nested] = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert nested["status"] == "ABORTED"


def test_the_looks_at_a_job_leave_nothing_in_the_log(everything: Everything, task: dict[str, Any]) -> None:
    execution = start(everything, f"{OPTIMIZED}ecs:runTask.sync", task)
    everything.settle()
    commits = everything.cloud.store.commits(execution, 0)
    assert len(commits) == 3, "started, submitted, succeeded: five looks in between"


def test_a_job_is_looked_after_again_by_who_takes_over(everything: Everything, task: dict[str, Any]) -> None:
    execution = start(everything, f"{OPTIMIZED}ecs:runTask.sync", task)
    until_submitted(everything, execution)
    everything.cloud.queues.clear()  # what a process had in hand when it was killed
    everything.cloud.runtime.executions().dispatch_pending(execution)
    everything.settle()
    assert described(everything, execution)["status"] == "SUCCEEDED"
    assert len(everything.door.moto.backend("ecs", ACCOUNT, "us-east-1").tasks["c"]) == 1


def glue(everything: Everything) -> None:
    everything.other("glue").create_job(
        Name="j", Role="r", Command={"Name": "glueetl", "ScriptLocation": "s3://x"}
    )


def batch(everything: Everything) -> None:
    client = everything.other("batch")
    role = everything.other("iam").create_role(RoleName="b", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    computer = client.create_compute_environment(
        computeEnvironmentName="computers", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    client.create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": computer}],
    )  # fmt: skip
    client.register_job_definition(
        jobDefinitionName="jd", type="container",
        containerProperties={"image": "busybox", "vcpus": 1, "memory": 64, "command": ["true"]},
    )  # fmt: skip


def codebuild(everything: Everything) -> None:
    everything.other("codebuild").create_project(
        name="project", source={"type": "S3", "location": "b/k"}, artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/service-role/builder",
    )  # fmt: skip


TRAINING = {
    "TrainingJobName": "t", "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "x"},
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/trainer", "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 10},
}  # fmt: skip


@pytest.mark.parametrize(
    ("prepare", "resource", "parameters", "found"),
    [
        (glue, "glue:startJobRun", {"JobName": "j", "Arguments": {"--k": "v"}}, ("JobRunState", "SUCCEEDED")),
        (batch, "batch:submitJob", {"JobName": "a", "JobQueue": "queue", "JobDefinition": "jd"}, ("Status", "SUCCEEDED")),
        (codebuild, "codebuild:startBuild", {"ProjectName": "project"}, ("Build", "BuildStatus", "SUCCEEDED")),
        (None, "athena:startQueryExecution", {"QueryString": "select 1"}, ("QueryExecution", "Status", "State", "SUCCEEDED")),
        (None, "sagemaker:createTrainingJob", TRAINING, ("TrainingJobStatus", "Completed")),
        (None, "emr-serverless:createApplication", {"Name": "a", "ReleaseLabel": "emr-6.6.0", "Type": "SPARK"}, ("Application", "State", "STARTED")),
        (None, "elasticmapreduce:createCluster", {"Name": "c", "ReleaseLabel": "emr-6.0.0", "ServiceRole": "r", "JobFlowRole": "j", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}}, ("Cluster", "Status", "State", "WAITING")),
        (None, "eks:createCluster", {"Name": "k", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "ResourcesVpcConfig": {"SubnetIds": ["subnet-1"]}}, ("Cluster", "Status", "ACTIVE")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_jobs_of_every_service_end_as_moto_has_them_end(
    everything: Everything, prepare: Any, resource: str, parameters: Any, found: tuple[str, ...]
) -> None:
    if prepare is not None:
        prepare(everything)
    execution = start(everything, f"{OPTIMIZED}{resource}.sync", parameters)
    everything.settle()
    done = described(everything, execution)
    assert done["status"] == "SUCCEEDED", done
    *path, value = found
    output = json.loads(done["output"])
    for part in path:
        output = output[part]
    assert output == value


def test_what_step_functions_adds_to_jobs_of_batch(everything: Everything) -> None:
    batch(everything)
    own = {"Environment": [{"Name": "A", "Value": "1"}]}
    parameters = {"JobName": "a", "JobQueue": "queue", "JobDefinition": "jd", "ContainerOverrides": own}
    execution = start(everything, f"{OPTIMIZED}batch:submitJob.sync", parameters)
    everything.settle()
    output = json.loads(described(everything, execution)["output"])
    assert output["Container"]["Environment"][:2] == [
        {"Name": "A", "Value": "1"},
        {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"},
    ]


def test_a_job_that_cannot_be_started(everything: Everything) -> None:
    execution = start(everything, f"{OPTIMIZED}glue:startJobRun.sync", {"JobName": "none"})
    everything.settle()
    done = described(everything, execution)
    assert done["error"] == "Glue.EntityNotFoundException"
    assert "(Service: AWSGlue; Status Code: 400; Error Code: EntityNotFoundException; " in done["cause"]
    assert "TaskSubmitted" not in [event["type"] for event in events(everything, execution)]
