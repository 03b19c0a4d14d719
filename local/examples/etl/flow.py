"""The workflow of etl.yaml, built in Python: it compiles to the very same machine.

stratum run flow.py --input @input.json
"""

from dataclasses import dataclass
from typing import Annotated

import pipeline
from pydantic import Field
from stratum import Workflow, fn


@dataclass
class Source:
    file: str
    min_rows: Annotated[int, Field(ge=1)]
    max_without_comment: Annotated[float, Field(ge=0, le=1)]


@dataclass
class Raw:
    path: str
    rows: int
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass
class Clean:
    path: str
    rows: int
    dropped: int


@dataclass
class Range:
    minimum: float
    maximum: float


@dataclass
class Features:
    path: str
    rows: int
    latitude: Range
    longitude: Range
    countries: int
    without_comment: float


@dataclass
class Written:
    path: str
    bytes: Annotated[int, Field(ge=1)]
    digest: str


etl = Workflow(
    "etl",
    version="1.0.0",
    description="The world's time zones (the IANA time zone database's table zone1970, in the public domain): loaded, "
    "cleaned, given features, judged by thresholds, and written to a file. dirty.json asks for more than the data can "
    "give.",
    input=Source,
    output={"file": Written, "rows": int, "countries": int},
    defaults={"timeout": "60s", "retry": {"on": [OSError], "attempts": 3, "delay": "1s"}},
)
source, result = etl.input, etl.result

load = etl.task(
    "load",
    pipeline.load,
    input={"file": source.file},
    output=Raw,
    ensure=(
        result.rows >= source.min_rows,
        f"the source has {result.rows} rows, and {source.min_rows} are the least",
    ),
)
clean = etl.task(
    "clean",
    pipeline.clean,
    input={"path": load.path},
    output=Clean,
    ensure=[
        (result.rows + result.dropped == load.rows, "rows got lost on the way"),
        (result.dropped / load.rows < 0.05, "more than 5 % of the rows could not be used"),
    ],
)
features = etl.task(
    "features",
    pipeline.features,
    input={"path": clean.path},
    output=Features,
    ensure=[
        result.rows == clean.rows,
        (result.latitude.minimum >= -90) & (result.latitude.maximum <= 90),
        (result.longitude.minimum >= -180) & (result.longitude.maximum <= 180),
        result.countries > 200,
        (
            result.without_comment <= source.max_without_comment,
            fn.formatNumber(result.without_comment, "0.0%") + " of the zones have no comment",
        ),
    ],
)
write = etl.task("write", pipeline.write, input={"path": features.path}, output=Written)

etl.returns({"file": write, "rows": features.rows, "countries": features.countries})
