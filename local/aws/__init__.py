"""Every AWS service at one door: Step Functions by our handlers, Lambda by our workers, everything else by moto.

- `messages`: a request and its response, and what a request says of itself: service, account, region.
- `door`: who answers which request.
- `moto_services`: moto, imported when the first request needs it.
- `functions`: Lambda functions, made through the API or out of folders, run in worker processes.
- `invocations`, `destinations`: Lambda's Invoke operations, and where asynchronous invocations end.
- `function_model`, `function_settings`, `function_checks`: what moto's Lambda lacks, and what it must not let pass.
- `function_logs`: what functions print, in CloudWatch Logs.
- `cloudwatch`: metrics that are counted, and alarms that go off.
- `function_urls`: HTTP requests that functions answer.
- `event_sources`: queues whose messages invoke functions.
- `streams`: tables whose changes invoke functions.
- `schedules`: what EventBridge Scheduler brings when it is due.
- `event_rules`: what EventBridge brings to the targets of its rules.
- `status_changes`: what Step Functions tells EventBridge.
- `rest_apis`: calls of APIs made in API Gateway that functions answer.
- `stacks`: CloudFormation, with state machines and functions of ours.
- `managed_policies`, `bucket_policies`: what moto's IAM and S3 lack.
- `clients`: boto3's clients that come in at this door without a network.
- `snapshots`: moto's state in a file, from one start to the next.
"""

from .door import Door
from .messages import Request, Response

__all__ = ["Door", "Request", "Response"]
