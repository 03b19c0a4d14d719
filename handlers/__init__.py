"""The handlers room: the stateless functions that run executions, and what they need to be given.

Each handler is a Lambda function: an event in, an answer out, and all that it knows comes from the event and
the store. On AWS they are invoked by function URLs, SQS queues and schedules; the local cloud hands them the
very same events.

- `api`: the front door, Step Functions' own API (`AWSStepFunctions.*`) over a function URL.
- `advance`: a batch of messages for executions; decides, commits, hands out what there is to do.
- `tasks`: a batch of commands; performs each and sends its result as a message.
- `timers`: the sweeper, which wakes what is due and hands out again what was lost.
- `stream`: the table's stream, for starts that nobody followed up.
- `deployments`: a custom resource of CloudFormation that publishes a workflow.
- `workflows`: a workflow's text, checked, compiled and deployed; `steps`: an execution's history by steps.
- `executions`: loads executions from the log and appends to it; what the handlers share.
- `children`: executions that other executions started, and the answers they owe.
- `integrations`: what a task's resource calls: functions, activities, Step Functions, AWS's services.
- `items`: what a distributed map reads its items from and writes its results to.
- `own_functions`, `long_function`: functions of ours that are called in the same process; how one that runs long is entered.
- `task_function`: `@task`, which makes users' own functions handlers with types.
- `mocks`: answers in place of integrations, in AWS's format.
- `work`: gates and agent steps: what waits for people and agents, and their answers; `identity`: who they are.
- `audit`: an execution's story, its verification, signed bundles of it; search.
- `time_travel`: forks, reverts, checkpoints, replays.
- `versions`: workflows published, aliases led to them, rolled back.
- `console`: what the web console shows and does, as JSON.
- `store`: the `Store` protocol and its DynamoDB form.
- `tenancy`: tenants, who calls for them, and their limits.
- `telemetry`: metrics and traces, where they are asked for.
- `backup`: a store as a file, and back.
- `step_functions`: executions that AWS Step Functions runs, in place of our own.
- `runtime`: what a handler runs on (store, queues, functions, clock), and how Lambda's environment names it.

Lambda is pointed at `stratum.handlers.advance.handler` and its like.
"""
