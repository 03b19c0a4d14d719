"""Two tasks: a function of our own, and what stands in for AWS Elemental MediaConvert on this machine."""


class NoInput(Exception):
    """The job names nothing to convert."""


def title(event, context):
    """A Lambda handler, as any other: on AWS it is deployed under the name `media-title`."""
    return {"title": event["file"].rpartition("/")[2].partition(".")[0].replace("-", " ").title()}


def convert(arguments, context):
    """Called with the arguments of the state, as MediaConvert would be; answers what `createJob.sync` does.

    A real stand-in would run ffmpeg here. `context` has `idempotency_key`, `execution`, `step` and `attempt`.
    """
    inputs = arguments["Settings"].get("Inputs") or []
    if not inputs:
        raise NoInput("there is nothing to convert")
    return {"Job": {"Id": context.idempotency_key, "Status": "COMPLETE", "Settings": arguments["Settings"]}}
