"""Commands for whoever keeps a store: backups, what is forgotten, tenants, traces."""

from __future__ import annotations

from .adding import Commands


def declare(commands: Commands) -> None:
    backup = commands.add_with_store("backup", "backup:backup", "write a whole store into one file")
    backup.add_argument("file", metavar="FILE", help="such as store.backup.gz; it must not be there yet")
    restore = commands.add_with_store(
        "restore", "backup:restore_", "bring a backup back into a store that is empty, of either form"
    )
    restore.add_argument("file", metavar="FILE", help="what `stratum backup` has written")
    restore.add_argument("--check", action="store_true", help="only see whether the file is whole")
    restore.add_argument("--create-table", action="store_true", help="make the table of a dynamodb:// store")
    for command in (backup, restore):
        command.add_argument(
            "--tenant", action="append", default=[], metavar="NAME", help="this tenant alone; may be given again"
        )  # fmt: skip
        command.add_argument("--json", action="store_true", help="what is in it, as JSON")

    prune = commands.add_with_store("prune", "prune:prune", "forget executions that ended long ago")
    prune.add_argument(
        "--older-than",
        metavar="90d",
        required=True,
        help="that ended so long ago, or before this date or time",
    )
    prune.add_argument("--workflow", metavar="NAME", help="of this workflow alone")
    prune.add_argument("--status", metavar="STATUS", help="that ended like this, such as SUCCEEDED")
    prune.add_argument("--dry-run", action="store_true", help="show them only")
    prune.add_argument("--yes", action="store_true", help="do not ask")

    tenants = commands.add_with_store("tenants", "tenants:tenants", "show and set what tenants may do")
    tenants.add_argument(
        "words", nargs="*", metavar="set|remove|policy NAME", help="nothing: list tenants; set: their limits and callers;"
        " remove: forget both; policy: print an IAM policy that lets nothing but the tenant's data be reached",
    )  # fmt: skip
    tenants.add_argument("--executions", metavar="N|none", help="how many may run at once")
    tenants.add_argument("--starts-per-second", metavar="N|none", help="how many may be started in a second")
    tenants.add_argument(
        "--caller", action="append", default=[], metavar="ARN",
        help="an IAM role, user or account that calls the API for the tenant, and for no other; may be given again",
    )  # fmt: skip
    tenants.add_argument("--no-caller", action="append", default=[], metavar="ARN")
    tenants.add_argument("--table", metavar="ARN", help="for `policy`: the table")
    tenants.add_argument("--bucket", metavar="NAME", help="for `policy`: the bucket of large values")
    tenants.add_argument("--json", action="store_true")

    trace = commands.add_with_store("trace", "trace:trace", "an execution as an OpenTelemetry trace")
    trace.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    trace.add_argument(
        "--otlp", metavar="URL", help="send it there, such as http://127.0.0.1:4318/v1/traces"
        " (default: by OTEL_EXPORTER_OTLP_ENDPOINT, else it is printed as JSON)",
    )  # fmt: skip
    trace.add_argument("-o", "--output", metavar="FILE", help="write it into a file, as JSON")
