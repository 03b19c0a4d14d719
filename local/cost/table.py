"""The price table of the package, with a user's own laid over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...statelang.cost import InvalidPrices, Prices, prices_of

REGION = "us-east-1"
_MOST = 256 * 1024


def load_prices(region: str = REGION, own: str | Path | None = None) -> Prices:
    """The prices of the region; `own` is a file in the form of `prices.yaml`. Raises `InvalidPrices`."""
    table = _data((Path(__file__).parent / "prices.yaml").read_bytes(), "prices.yaml")
    return prices_of(table, region, None if own is None else _own(Path(own)))


def _own(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST + 1)
    except OSError as error:
        raise InvalidPrices(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > _MOST:
        raise InvalidPrices(f"{file} is larger than {_MOST // 1024} KiB, which no price table is")
    return _data(content, str(file))


def _data(content: bytes, name: str) -> Any:
    from ...statelang.spec.source import read_source

    source, findings = read_source(content, name)
    if findings:
        raise InvalidPrices(source.render(findings[0]))
    return source.data
