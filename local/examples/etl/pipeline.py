"""Load, clean, features, write: each reads the file of the one before and writes its own, whole or not at all."""

import csv
import hashlib
import json
import os
import re
from pathlib import Path

_COORDINATES = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")


def _folder():
    folder = Path(os.environ.get("STRATUM_EXAMPLE_DATA", ".stratum")) / "etl"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(name, text):
    """Whole or not at all: a handler that is called again finds either nothing or the same."""
    path = _folder() / name
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return str(path.resolve())


def load(event, context):
    source = Path(__file__).with_name(event["file"])
    text = source.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    path = _write("raw.tsv", "\n".join(rows))
    return {"path": path, "rows": len(rows), "digest": hashlib.sha256(text.encode()).hexdigest()}


def clean(event, context):
    kept, dropped = [], 0
    for line in Path(event["path"]).read_text(encoding="utf-8").splitlines():
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) < 3 or not _COORDINATES.fullmatch(parts[1]):
            dropped += 1
            continue
        comment = parts[3] if len(parts) > 3 and parts[3] else None
        kept.append(
            {"countries": parts[0].split(","), "coordinates": parts[1], "zone": parts[2], "comment": comment}
        )
    return {"path": _write("clean.json", json.dumps(kept)), "rows": len(kept), "dropped": dropped}


def _degrees(sign, degrees, minutes, seconds):
    value = int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600
    return round(-value if sign == "-" else value, 4)


def features(event, context):
    rows = json.loads(Path(event["path"]).read_text(encoding="utf-8"))
    for row in rows:
        found = _COORDINATES.fullmatch(row["coordinates"]).groups()
        row["latitude"], row["longitude"] = _degrees(*found[:4]), _degrees(*found[4:])
        row["continent"], _, row["place"] = row["zone"].partition("/")
        row["hemisphere"] = "north" if row["latitude"] >= 0 else "south"
        row["solar_offset_hours"] = round(row["longitude"] / 15, 2)
    latitudes, longitudes = [row["latitude"] for row in rows], [row["longitude"] for row in rows]
    return {
        "path": _write("features.json", json.dumps(rows)),
        "rows": len(rows),
        "latitude": {"minimum": min(latitudes), "maximum": max(latitudes)},
        "longitude": {"minimum": min(longitudes), "maximum": max(longitudes)},
        "countries": len({country for row in rows for country in row["countries"]}),
        "without_comment": round(sum(row["comment"] is None for row in rows) / len(rows), 4),
    }


def write(event, context):
    rows = json.loads(Path(event["path"]).read_text(encoding="utf-8"))
    columns = [
        "zone",
        "continent",
        "place",
        "latitude",
        "longitude",
        "hemisphere",
        "solar_offset_hours",
        "countries",
    ]
    path = _folder() / "zones.csv"
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for row in sorted(rows, key=lambda row: row["zone"]):
            writer.writerow({**row, "countries": " ".join(row["countries"])})
    partial.replace(path)
    data = path.read_bytes()
    return {"path": str(path.resolve()), "bytes": len(data), "digest": hashlib.sha256(data).hexdigest()}
