"""`stratum deploy`, `destroy` and `stages`: workflows and their handlers on AWS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ...handlers import plugins
from ...handlers.tenancy.names import InvalidTenant, check_name
from ...infra import notifications, packaging, plan
from ...infra import stages as deployed
from ...infra.bundle.archive import TooLarge
from ...infra.bundle.functions import NoHandlers
from ...infra.bundle.wheels import NotDownloaded
from ...infra.deployer import Deployer, Failed, Strategy
from ...infra.template import template
from .aws import clients, reported
from .files import WorkflowFile, load_workflow
from .problem import WrongRequest
from .tables import print_table


@reported
def deploy(options: argparse.Namespace) -> int:
    if not options.files:
        raise WrongRequest(
            "name every workflow of the stage: stratum deploy hello.yaml orders.yaml --stage dev"
        )
    try:
        strategy = Strategy.read(options.canary, options.linear)
        deployment = plan.plan(
            [_source(load_workflow(Path(file))) for file in options.files], _settings(options), _plugin
        )
        _say(f"packing for Python {deployment.settings.python} on {deployment.settings.architecture}")
        artifacts = packaging.package(deployment)
    except (plan.Refused, NoHandlers, NotDownloaded, TooLarge) as problem:
        raise WrongRequest(str(problem)) from None
    if options.template_out is not None:
        return _write(Path(options.template_out), deployment, artifacts)
    deployer = Deployer(clients(options), _say)
    try:
        stage = deployer.deploy(
            deployment,
            artifacts,
            strategy,
            lambda text: _confirmed(text, options),
            despite_alarms=options.despite_alarms,
        )
    except plan.Refused as problem:
        raise WrongRequest(str(problem)) from None
    except Failed as failed:
        print(f"stratum deploy: {failed}", file=sys.stderr)
        return 1
    if stage is not None:
        print(
            json.dumps(
                {"stage": stage.name, "status": stage.status, "outputs": dict(stage.outputs)}, indent=2
            )
        )
    return 0


def _settings(options: argparse.Namespace) -> plan.Settings:
    """Raises `Refused`."""
    python = options.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    environment: dict[str, str] = {}
    for text in options.env:
        name, is_, value = text.partition("=")
        if not is_ or not name.isidentifier():
            raise plan.Refused(f"--env {text}: write NAME=VALUE")
        environment[name] = value
    if not 0 <= options.schedule_after <= 900:
        raise plan.Refused("--schedule-after is a number from 0 to 900")
    try:
        notify = None if options.notify is None else notifications.read(options.notify)
        tenants = [check_name(each) for each in options.tenant]
    except (notifications.Unfit, InvalidTenant) as problem:
        raise plan.Refused(str(problem)) from None
    return plan.Settings(
        stage=options.stage, target=options.target, python=python, architecture=options.architecture, memory=options.memory,
        function_memory=options.function_memory, function_timeout=options.function_timeout, environment=environment,
        allow=options.allow, keep_days=options.keep_logs, kms_key=options.kms_key, alarm_topic=options.alarm_topic,
        protected=not options.no_protection, reserve=options.reserve, permissions_boundary=options.permissions_boundary,
        gate_links=options.gate_links, notify=notify, tenants=tenants, mcp=options.mcp,
        retention=None if options.retention is None else plan.retention_of(options.retention), scheduler_after=options.schedule_after,
    )  # fmt: skip


def _plugin(name: str) -> plan.Plugin | None:
    found = plugins.find(name)
    if found is None or found.dist is None:
        return None
    return plan.Plugin(found.value.partition("[")[0].strip().replace(":", "."), found.dist.name)


def _source(file: WorkflowFile) -> plan.Source:
    spec = None if file.spec is None else file.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return plan.Source(
        file.name, file.definition, file.folder, None if file.spec is None else file.spec.version, file.source_map, file.text, spec
    )  # fmt: skip


def _write(folder: Path, deployment: plan.Deployment, artifacts: packaging.Artifacts) -> int:
    """The template and its artifacts as files: who deploys them himself uploads all but the template to a bucket."""
    made = template(deployment, artifacts.code, artifacts.workflows)
    for key, content in artifacts.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    path = folder / "template.json"
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(path)
    _say(
        f"{len(artifacts.objects)} objects beside it: upload them to a bucket under the same keys, and give its name as the "
        "parameter ArtifactBucket"
    )
    return 0


@reported
def destroy(options: argparse.Namespace) -> int:
    made = clients(options)
    stage = _stage(made, options.stage)
    what = (
        "with its table and bucket: every execution is lost"
        if options.delete_data
        else "its table and bucket stay"
    )
    if not options.yes:
        if not sys.stdin.isatty():
            raise WrongRequest(f"{stage.stack} is taken away, {what}; say --yes where nobody can be asked")
        print(
            f"{stage.stack} is taken away, {what}. Type the stage's name to go on: ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        if sys.stdin.readline().strip() != stage.name:
            print("nothing was done", file=sys.stderr)
            return 2
    try:
        Deployer(made, _say).destroy(stage, data=options.delete_data)
    except Failed as failed:
        print(f"stratum destroy: {failed}", file=sys.stderr)
        return 1
    if not options.delete_data:
        print(
            f"the table {stage.outputs['TableName']} and the bucket {stage.outputs['BucketName']} are kept",
            file=sys.stderr,
        )
    return 0


@reported
def stages(options: argparse.Namespace) -> int:
    made = clients(options)
    found = [deployed.find(made, name) for name in sorted(deployed.names(made))]
    if options.json:
        about: list[dict[str, Any]] = [
            {
                "stage": each.name,
                "target": each.target,
                "status": each.status,
                "shift": each.shift,
                "outputs": dict(each.outputs),
            }
            for each in found
        ]
        print(json.dumps(about, indent=2))
        return 0
    rows = [
        (each.name, each.target, each.status, f"{each.shift:.0%}", each.outputs["TableName"])
        for each in found
    ]
    print_table(("STAGE", "TARGET", "STATUS", "NEW VERSIONS HAVE", "TABLE"), rows)
    return 0


def _stage(made: deployed.Clients, name: str) -> deployed.Stage:
    try:
        return deployed.find(made, name)
    except deployed.NoSuchStage as problem:
        raise WrongRequest(str(problem)) from None


def _confirmed(text: str, options: argparse.Namespace) -> bool:
    print(text, file=sys.stderr)
    if options.dry_run:
        return False
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise WrongRequest("say --yes where nobody can be asked, or --dry-run to see what would be changed")
    print("go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
