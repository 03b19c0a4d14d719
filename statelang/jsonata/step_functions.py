"""The functions that Step Functions adds to JSONata. See the AWS guide, "Transforming data with JSONata"."""

from __future__ import annotations

import hashlib
import json
import math
import random as _random
import uuid as _uuid
from typing import Any

from .errors import JsonataError, show
from .limits import Run
from .values import UNDEFINED, Arr

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def partition(run: Run, context: Any, items: Any, size: Any) -> Any:
    """`$partition(array, size)`: the array in parts of that size."""
    if items is UNDEFINED or size is UNDEFINED:
        return UNDEFINED
    step = math.floor(size)
    if step < 1:
        raise JsonataError(
            "D3200", f"the size of $partition must be at least 1, not {show(size)}", value=size
        )
    run.spend(len(items))
    return Arr(Arr(items[at : at + step]) for at in range(0, len(items), step))


def range_(run: Run, context: Any, first: Any, last: Any, step: Any) -> Any:
    """`$range(first, last, step)`: both ends included."""
    if first is UNDEFINED or last is UNDEFINED or step is UNDEFINED:
        return UNDEFINED
    if step == 0:
        raise JsonataError("D3201", "the step of $range must not be 0")
    count = math.floor((last - first) / step) + 1
    if count <= 0:
        return Arr()
    run.room(count)
    return Arr(first + step * index for index in range(count))


def hash_(run: Run, context: Any, data: Any, algorithm: Any) -> Any:
    """`$hash(data, algorithm)`: the digest in lower-case hex."""
    if data is UNDEFINED or algorithm is UNDEFINED:
        return UNDEFINED
    name = _ALGORITHMS.get(algorithm)
    if name is None:
        known = ", ".join(_ALGORITHMS)
        raise JsonataError(
            "D3202", f"{show(algorithm)} is no algorithm of $hash: it knows {known}", value=algorithm
        )
    run.spend(len(data) >> 8)
    return hashlib.new(name, data.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def random(run: Run, context: Any, seed: Any = UNDEFINED) -> Any:
    """`$random([seed])`: from 0 up to 1; the same seed gives the same number."""
    if seed is UNDEFINED:
        return run.draw()
    return _random.Random(json.dumps(seed, sort_keys=True, default=str)).random()


def uuid(run: Run, context: Any) -> Any:
    """`$uuid()`: a version 4 UUID, of the entropy that the evaluation was given."""
    number = 0
    for _ in range(4):
        number = number << 32 | int(run.draw() * 2**32)
    return str(_uuid.UUID(int=number, version=4))


def parse(run: Run, context: Any, text: Any) -> Any:
    """`$parse(text)`: the JSON in a string."""
    if text is UNDEFINED:
        return UNDEFINED
    run.spend(len(text) >> 4)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise JsonataError("D3203", f"$parse was given what is not JSON: {error}", value=text) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
