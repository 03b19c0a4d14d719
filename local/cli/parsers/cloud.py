"""Commands for stages on AWS: deployed, looked at, taken away."""

from __future__ import annotations

import argparse

from .adding import Commands, add_stage


def declare(commands: Commands) -> None:
    deploy = commands.add("deploy", "deploy:deploy", "deploy workflows and their handlers to AWS, as a stage")
    deploy.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="every workflow of the stage: specs, definitions, flow.py:workflow",
    )
    add_stage(deploy, default="dev")
    deploy.add_argument(
        "--target", choices=("engine", "step-functions"), default="engine",
        help="engine: Stratum's own handlers (the default); step-functions: AWS's state machines",
    )  # fmt: skip
    deploy.add_argument(
        "--dry-run", action="store_true", help="show what would be changed, and change nothing"
    )
    deploy.add_argument(
        "--template-out",
        metavar="DIR",
        help="write the template and what it names there, for tools of your own; needs no account",
    )
    deploy.add_argument("--yes", action="store_true", help="do not ask")
    deploy.add_argument("--canary", metavar="10%%/5m", help="new versions get so much for so long, then all")
    deploy.add_argument("--linear", metavar="10%%/5m", help="new versions get so much more each time")
    deploy.add_argument(
        "--despite-alarms", action="store_true", help="release while alarms are off, and do not look at them"
    )
    deploy.add_argument(
        "--python", metavar="VERSION", help="Lambda's Python (default: the one that this runs on)"
    )
    deploy.add_argument("--architecture", choices=("arm64", "x86_64"), default="arm64", help="default: arm64")
    deploy.add_argument(
        "--memory", type=int, default=512, metavar="MB", help="of Stratum's own functions (default: 512)"
    )
    deploy.add_argument(
        "--function-memory", type=int, default=256, metavar="MB", help="of yours (default: 256)"
    )
    deploy.add_argument(
        "--function-timeout",
        type=int,
        default=60,
        metavar="S",
        help="of functions whose steps have no timeout (default: 60)",
    )
    deploy.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable for your functions; may be given again",
    )
    deploy.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ACTION=ARN",
        help="a permission for tasks; may be given again",
    )
    deploy.add_argument("--keep-logs", type=int, default=30, metavar="DAYS", help="default: 30")
    deploy.add_argument(
        "--kms-key", metavar="ARN", help="encrypt everything with this key (default: AWS's own keys)"
    )
    deploy.add_argument("--alarm-topic", metavar="ARN", help="an SNS topic that alarms go to")
    deploy.add_argument("--permissions-boundary", metavar="ARN", help="for every role that is made")
    deploy.add_argument(
        "--no-protection", action="store_true", help="let the table be deleted, for stages that come and go"
    )
    deploy.add_argument(
        "--reserve", action="store_true", help="reserve concurrency for what must run one at a time"
    )
    deploy.add_argument(
        "--gate-links",
        action="store_true",
        help="a page where gates are decided by signed links (stratum link), which anybody may call who has one; reserves a concurrency of 5",
    )
    deploy.add_argument(
        "--notify",
        metavar="FILE|ARN",
        help="where gates are announced: a JSON file with SNS topics, or the ARN of a secret with such JSON",
    )
    deploy.add_argument(
        "--tenant",
        action="append",
        default=[],
        metavar="NAME",
        help="a tenant that is swept although `stratum tenants` has not registered it; may be given again",
    )
    deploy.add_argument(
        "--mcp",
        action="store_true",
        help="an MCP server beside it, for agents that may call it by IAM",
    )
    deploy.add_argument(
        "--retention",
        metavar="90d",
        help="forget executions so long after they have ended: hours, days or weeks (default: never)",
    )
    deploy.add_argument("--schedule-after", type=int, default=900, help=argparse.SUPPRESS)

    destroy = commands.add(
        "destroy", "deploy:destroy", "take a stage away; its table and bucket stay, unless told otherwise"
    )
    add_stage(destroy, required=True)
    destroy.add_argument(
        "--delete-data", action="store_true", help="delete the table and the bucket too, with all executions"
    )
    destroy.add_argument("--yes", action="store_true", help="do not ask for the stage's name")

    stages = commands.add("stages", "deploy:stages", "list the stages of an account and region")
    add_stage(stages, stage=False)
    stages.add_argument("--json", action="store_true")

    redrive = commands.add(
        "redrive-dlq",
        "dead_letters:redrive",
        "show the messages that a stage has refused, and hand them out again",
    )
    add_stage(redrive, required=True)
    redrive.add_argument(
        "--queue", metavar="NAME", help="of this queue alone: advance, tasks, results or stream"
    )
    redrive.add_argument("--dry-run", action="store_true", help="show them only")
    redrive.add_argument("--yes", action="store_true", help="do not ask")
