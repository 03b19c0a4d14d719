"""The infra room: Stratum on AWS, as data first and as calls last.

A deployment comes about in four stages, each from nothing but the one before. All are pure but the last:

1. `plan`: from workflows and settings, what there is to be: functions, permissions, versions.
2. `bundle`: the archives that Lambda runs, and what of the workflows is uploaded; the same bytes for the same sources.
3. `template`: the CloudFormation template, a dict; `checks` are the rules that every template keeps.
4. `deployer`: uploads, makes a change set, shows it, executes it, watches it.

Two targets: `engine`, our handlers on Lambda, SQS, DynamoDB, EventBridge Scheduler and S3; and `step-functions`, AWS's
own state machines, with gates and agent steps served by our work handler. Nothing of either is always on.

`stages` finds what has been deployed; `tenants` are IAM policies of one tenant. The `stratum` command is the one who calls; this room imports no other but
`statelang`, and of `handlers` the names of what Lambda is pointed at.
"""
