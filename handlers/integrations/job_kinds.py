"""The kinds of job that tasks wait for with `.sync`: how each is described, when it is over, and how it is ended.

All in the terms of the service's own API. See the pages on the services in the AWS guide, "Integrating optimized services
with Step Functions".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Description = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """How a kind of job is looked after, in the terms of the service's API.

    `handle` takes what names the job out of the arguments and the answer that started it; `describe` is the operation that
    takes the handle, with `ask` where it wants it in another form; `within` is the field of its answer that is the job, where
    it is not the whole of it, and `status` finds the job's status. `result` makes the task's result of the job; what is
    neither in `done` nor in `failed` is under way. `cancel` is the operation that ends it, with `cancelling` for its arguments. `gone` is the code of the error that says
    that the job is no longer there, where that is what was wanted.
    """

    handle: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
    describe: str
    status: Callable[[Description], str]
    done: tuple[str, ...]
    failed: tuple[str, ...]
    ask: Callable[[dict[str, Any]], dict[str, Any]] = lambda handle: handle
    within: str | None = None
    result: Callable[[Description, dict[str, Any]], Description] = lambda found, handle: found
    cancel: str | None = None
    cancelling: Callable[[dict[str, Any]], dict[str, Any]] = lambda handle: handle
    gone: str | None = None
    broken: Callable[[Description], bool] = lambda found: False
    """Whether a job that is done has failed all the same."""


def _key(*names: str) -> Callable[[Description], str]:
    def status(found: Description) -> str:
        value: Any = found
        for name in names:
            value = value[name]
        return str(value)

    return status


def _sagemaker(kind: str, *, states: tuple[str, ...] = ("Failed", "Stopped")) -> Job:
    name = f"{kind}Name"
    return Job(
        handle=lambda given, answer: {name: given[name]},
        describe=f"Describe{kind}",
        status=_key(f"{kind}Status"),
        done=("Completed",),
        failed=states,
        cancel=f"Stop{kind}",
    )


def _emr_serverless(
    kind: str, describe: str, done: tuple[str, ...], failed: tuple[str, ...], **more: Any
) -> Job:
    return Job(describe=describe, status=_key(kind, "state"), done=done, failed=failed, **more)


def _application(done: tuple[str, ...], failed: tuple[str, ...] = ("TERMINATED",)) -> Job:
    return _emr_serverless(
        "application",
        "GetApplication",
        done,
        failed,
        handle=lambda given, answer: {"applicationId": answer.get("applicationId") or given["applicationId"]},
    )


def _emr_serverless_run(done: tuple[str, ...], failed: tuple[str, ...], *, cancel: bool) -> Job:
    return _emr_serverless(
        "jobRun",
        "GetJobRun",
        done,
        failed,
        handle=lambda given, answer: {
            "applicationId": answer.get("applicationId") or given["applicationId"],
            "jobRunId": answer.get("jobRunId") or given["jobRunId"],
        },
        cancel="CancelJobRun" if cancel else None,
    )


def _eks(name: str, names: tuple[str, ...], describe: str, *, deletes: bool = False) -> Job:
    return Job(
        handle=lambda given, answer: {key: given[key] for key in names},
        describe=describe,
        status=_key(name, "status"),
        done=() if deletes else ("ACTIVE",),
        failed=("DELETE_FAILED",) if deletes else ("FAILED", "CREATE_FAILED", "DELETE_FAILED"),
        gone="ResourceNotFoundException" if deletes else None,
    )


def _codebuild(name: str, names: str, describe: str, cancel: str) -> Job:
    return Job(
        handle=lambda given, answer: {"id": answer[name]["id"]},
        describe=describe,
        ask=lambda handle: {"ids": [handle["id"]]},
        within=names,
        status=_key("buildStatus" if name == "build" else "buildBatchStatus"),
        done=("SUCCEEDED",),
        failed=("FAILED", "FAULT", "STOPPED", "TIMED_OUT"),
        result=lambda found, handle: {name[:1].upper() + name[1:]: found},
        cancel=cancel,
    )


def _emr_cluster(done: tuple[str, ...], failed: tuple[str, ...]) -> Job:
    return Job(
        handle=lambda given, answer: {"ClusterId": answer.get("JobFlowId") or given["ClusterId"]},
        describe="DescribeCluster",
        status=_key("Cluster", "Status", "State"),
        done=done,
        failed=failed,
        result=lambda found, handle: {**found, **handle},
        cancel="TerminateJobFlows" if "WAITING" in done else None,
        cancelling=lambda handle: {"JobFlowIds": [handle["ClusterId"]]},
    )


JOBS = {
    "athena:startQueryExecution": Job(
        handle=lambda given, answer: {"QueryExecutionId": answer["QueryExecutionId"]},
        describe="GetQueryExecution",
        status=_key("QueryExecution", "Status", "State"),
        done=("SUCCEEDED",),
        failed=("FAILED", "CANCELLED"),
        cancel="StopQueryExecution",
    ),
    "batch:submitJob": Job(
        handle=lambda given, answer: {"jobId": answer["jobId"]},
        describe="DescribeJobs",
        ask=lambda handle: {"jobs": [handle["jobId"]]},
        within="jobs",
        status=_key("status"),
        done=("SUCCEEDED",),
        failed=("FAILED",),
        cancel="TerminateJob",
        cancelling=lambda handle: {**handle, "reason": "Its execution of AWS Step Functions was stopped."},
    ),
    "bedrock:createModelCustomizationJob": Job(
        handle=lambda given, answer: {"jobIdentifier": answer["jobArn"]},
        describe="GetModelCustomizationJob",
        status=_key("status"),
        done=("Completed",),
        failed=("Failed", "Stopped"),
        cancel="StopModelCustomizationJob",
    ),
    "codebuild:startBuild": _codebuild("build", "builds", "BatchGetBuilds", "StopBuild"),
    "codebuild:startBuildBatch": _codebuild("buildBatch", "buildBatches", "BatchGetBuildBatches", "StopBuildBatch"),
    "codebuild:retryBuildBatch": _codebuild("buildBatch", "buildBatches", "BatchGetBuildBatches", "StopBuildBatch"),
    "databrew:startJobRun": Job(
        handle=lambda given, answer: {"Name": given["Name"], "RunId": answer["RunId"]},
        describe="DescribeJobRun",
        status=_key("State"),
        done=("SUCCEEDED",),
        failed=("FAILED", "TIMEOUT", "STOPPED"),
        cancel="StopJobRun",
    ),
    "ecs:runTask": Job(
        handle=lambda given, answer: {
            "cluster": answer["tasks"][0]["clusterArn"],
            "task": answer["tasks"][0]["taskArn"],
        },
        describe="DescribeTasks",
        ask=lambda handle: {"cluster": handle["cluster"], "tasks": [handle["task"]]},
        within="tasks",
        status=_key("lastStatus"),
        done=("STOPPED",),
        failed=(),
        broken=lambda found: (
            found.get("stopCode") in ("TaskFailedToStart", "UserInitiated")
            or any(container.get("exitCode") for container in found.get("containers", []))
        ),
        cancel="StopTask",
        cancelling=lambda handle: {**handle, "reason": "Its execution of AWS Step Functions was stopped."},
    ),
    "eks:createCluster": _eks("cluster", ("name",), "DescribeCluster"),
    "eks:deleteCluster": _eks("cluster", ("name",), "DescribeCluster", deletes=True),
    "eks:createNodegroup": _eks("nodegroup", ("clusterName", "nodegroupName"), "DescribeNodegroup"),
    "eks:deleteNodegroup": _eks("nodegroup", ("clusterName", "nodegroupName"), "DescribeNodegroup", deletes=True),
    "eks:createFargateProfile": _eks(
        "fargateProfile", ("clusterName", "fargateProfileName"), "DescribeFargateProfile"
    ),
    "eks:deleteFargateProfile": _eks(
        "fargateProfile", ("clusterName", "fargateProfileName"), "DescribeFargateProfile", deletes=True
    ),
    "elasticmapreduce:createCluster": _emr_cluster(("WAITING", "RUNNING", "TERMINATED"), ("TERMINATED_WITH_ERRORS",)),
    "elasticmapreduce:terminateCluster": _emr_cluster(("TERMINATED", "TERMINATED_WITH_ERRORS"), ()),
    "elasticmapreduce:addStep": Job(
        handle=lambda given, answer: {"ClusterId": given["ClusterId"], "StepId": answer["StepIds"][0]},
        describe="DescribeStep",
        status=_key("Step", "Status", "State"),
        done=("COMPLETED",),
        failed=("FAILED", "CANCELLED", "INTERRUPTED"),
        cancel="CancelSteps",
        cancelling=lambda handle: {"ClusterId": handle["ClusterId"], "StepIds": [handle["StepId"]]},
    ),
    "emr-containers:startJobRun": Job(
        handle=lambda given, answer: {"id": answer["id"], "virtualClusterId": answer["virtualClusterId"]},
        describe="DescribeJobRun",
        status=_key("jobRun", "state"),
        done=("COMPLETED",),
        failed=("FAILED", "CANCELLED"),
        cancel="CancelJobRun",
    ),
    "emr-containers:createVirtualCluster": Job(
        handle=lambda given, answer: {"id": answer["id"]},
        describe="DescribeVirtualCluster",
        status=_key("virtualCluster", "state"),
        done=("RUNNING",),
        failed=("TERMINATED", "ARRESTED"),
    ),
    "emr-containers:deleteVirtualCluster": Job(
        handle=lambda given, answer: {"id": given["id"]},
        describe="DescribeVirtualCluster",
        status=_key("virtualCluster", "state"),
        done=("TERMINATED",),
        failed=("ARRESTED",),
    ),
    "emr-serverless:createApplication": _application(("CREATED", "STARTED", "STOPPED")),
    "emr-serverless:startApplication": _application(("STARTED",)),
    "emr-serverless:stopApplication": _application(("STOPPED",)),
    "emr-serverless:deleteApplication": _application(("TERMINATED",), ()),
    "emr-serverless:startJobRun": _emr_serverless_run(("SUCCESS",), ("FAILED", "CANCELLED"), cancel=True),
    "emr-serverless:cancelJobRun": _emr_serverless_run(("CANCELLED", "SUCCESS", "FAILED"), (), cancel=False),
    "glue:startJobRun": Job(
        handle=lambda given, answer: {"JobName": given["JobName"], "RunId": answer["JobRunId"]},
        describe="GetJobRun",
        within="JobRun",
        status=_key("JobRunState"),
        done=("SUCCEEDED",),
        failed=("FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"),
        result=lambda found, handle: {**found, "JobName": handle["JobName"]},
        cancel="BatchStopJobRun",
        cancelling=lambda handle: {"JobName": handle["JobName"], "JobRunIds": [handle["RunId"]]},
    ),
    "mediaconvert:createJob": Job(
        handle=lambda given, answer: {"Id": answer["Job"]["Id"]},
        describe="GetJob",
        status=_key("Job", "Status"),
        done=("COMPLETE",),
        failed=("ERROR", "CANCELED"),
        cancel="CancelJob",
    ),
    "sagemaker:createHyperParameterTuningJob": _sagemaker("HyperParameterTuningJob"),
    "sagemaker:createLabelingJob": _sagemaker("LabelingJob"),
    "sagemaker:createProcessingJob": _sagemaker("ProcessingJob"),
    "sagemaker:createTrainingJob": _sagemaker("TrainingJob"),
    "sagemaker:createTransformJob": _sagemaker("TransformJob"),
}  # fmt: skip
"""By `service:action` of the task."""
