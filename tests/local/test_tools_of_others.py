"""CDK and SAM as they are deploy to the local cloud: no wrapper, no setting but the endpoint that `stratum up -- …` gives.

`make test-deploy` fetches them and runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from up import BIN

pytestmark = pytest.mark.deploy

CDK = BIN.parent / "npm" / "node_modules"
SAM = BIN.parent / "sam" / "bin" / "sam"
HANDLER = "def handler(event, context):\n    return {'doubled': event['n'] * 2}\n"
APP = """\
const cdk = require('aws-cdk-lib'), lambda = require('aws-cdk-lib/aws-lambda'), sfn = require('aws-cdk-lib/aws-stepfunctions');
const tasks = require('aws-cdk-lib/aws-stepfunctions-tasks'), sqs = require('aws-cdk-lib/aws-sqs');
const stack = new cdk.Stack(new cdk.App(), 'Demo', { env: { account: '123456789012', region: 'us-east-1' } });
const queue = new sqs.Queue(stack, 'Queue', { queueName: 'demo' });
const double = new lambda.Function(stack, 'Double', {
  runtime: lambda.Runtime.PYTHON_3_12, handler: 'index.handler', code: lambda.Code.fromAsset('function'),
});
const call = new tasks.LambdaInvoke(stack, 'Call', { lambdaFunction: double, outputPath: '$.Payload' });
const send = new tasks.SqsSendMessage(stack, 'Send', {
  queue, messageBody: sfn.TaskInput.fromJsonPathAt('$'), resultPath: sfn.JsonPath.DISCARD,
});
new sfn.StateMachine(stack, 'Machine', { stateMachineName: 'demo', definitionBody: sfn.DefinitionBody.fromChainable(call.next(send)) });
"""
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Double:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: index.handler, CodeUri: function}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: demo
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {Double: !GetAtt Double.Arn}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Double}}]
      Events: {Nightly: {Type: Schedule, Properties: {Schedule: "cron(0 2 * * ? *)", Input: '{"n": 1}'}}}
"""
MACHINE = {
    "StartAt": "Call",
    "States": {"Call": {"Type": "Task", "Resource": "${Double}", "End": True}},
}
RUN = """\
set -e
{deploy}
arn=arn:aws:states:us-east-1:123456789012:stateMachine:demo
{aws} stepfunctions start-execution --state-machine-arn $arn --name one --input '{{"n": 4}}' > started.json
for _ in $(seq 100); do
  {aws} stepfunctions describe-execution --execution-arn arn:aws:states:us-east-1:123456789012:execution:demo:one > ended.json
  grep -q RUNNING ended.json || break
done
{delete}
{aws} stepfunctions list-state-machines > after.json
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "function").mkdir()
    (tmp_path / "function" / "index.py").write_text(HANDLER)
    return tmp_path


def deployed(project: Path, deploy: str, delete: str) -> None:
    """The commands ran to their end, the execution between them too, and nothing is left."""
    (project / "run.sh").write_text(RUN.format(deploy=deploy, delete=delete, aws=BIN / "aws"))
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    quiet = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        [BIN / "stratum", "up", "--port", "0", "--", "bash", "run.sh"], cwd=project, env={**os.environ, **keys, **quiet},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    ended = json.loads((project / "ended.json").read_text())
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"doubled": 8})
    assert json.loads((project / "after.json").read_text())["stateMachines"] == []


def test_cdk_bootstraps_deploys_and_destroys(project: Path) -> None:
    if not (CDK / ".bin" / "cdk").exists():
        pytest.skip("cdk is not there: `make test-deploy` fetches it from npm")
    (project / "node_modules").symlink_to(CDK)
    (project / "app.js").write_text(APP)
    (project / "cdk.json").write_text('{"app": "node app.js"}')
    cdk = shutil.which("cdk", path=str(CDK / ".bin"))
    deploy = f"{cdk} bootstrap aws://123456789012/us-east-1\n{cdk} deploy --require-approval never"
    deployed(project, deploy, f"{cdk} diff --fail\n{cdk} destroy --force")


def test_sam_deploys_and_deletes(project: Path) -> None:
    if not SAM.exists():
        pytest.skip("sam is not there: `make test-deploy` fetches it")
    (project / "template.yaml").write_text(TEMPLATE)
    (project / "machine.asl.json").write_text(json.dumps(MACHINE))
    options = "--stack-name demo --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset"
    deployed(project, f"{SAM} deploy {options}", f"{SAM} delete --stack-name demo --no-prompts")
