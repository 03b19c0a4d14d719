"""The workflow of release.yaml, built in Python: it compiles to the very same machine.

stratum run flow.py --input @input.json
"""

from typing import Annotated

import ship
from pydantic import BaseModel, Field
from stratum import Workflow

Version = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Tested(BaseModel):
    passed: Annotated[int, Field(ge=1)]
    seconds: float


class Built(BaseModel):
    file: str
    digest: Digest
    bytes: Annotated[int, Field(ge=1)]


class Staged(BaseModel):
    release: str
    previous: str | None = None


class Health(BaseModel):
    status: str
    version: str


release = Workflow(
    "release",
    version="1.0.0",
    description="Tests a small package, builds it, stages the build, starts it and asks for its health; where that "
    "fails, the release before it is put back. broken.json builds a version whose health check fails.",
    input={"version": Version, "fault": "optional string"},
    output={"version": str, "build": Built, "health": Health},
    defaults={"timeout": "2m"},
)
wanted = release.input

release.task("test", ship.test, output=Tested)
build = release.task(
    "build", ship.build, input={"version": wanted.version, "fault": wanted.fault}, output=Built
)
stage = release.task(
    "stage",
    ship.stage,
    input={"file": build.file, "digest": build.digest, "version": wanted.version},
    output=Staged,
)
health = release.task(
    "health",
    ship.health,
    description="Starts the staged release as a process of its own and asks it over HTTP.",
    input={"release": stage.release},
    output=Health,
    ensure=[
        lambda result: (result.status == "ok", f"the release says it is {result.status}"),
        lambda result: result.version == wanted.version,
    ],
    retry={"attempts": 2, "backoff": "fixed", "delay": "1s"},
    on_error={"States.ALL": "roll_back"},
)
release.succeed("released", {"version": wanted.version, "build": build, "health": health})

release.task("roll_back", ship.roll_back, input={"release": stage.release, "previous": stage.previous})
release.fail(
    "rolled_back",
    "ReleaseRolledBack",
    because=f"version {wanted.version} is not healthy: {release.error.Cause}",
)
