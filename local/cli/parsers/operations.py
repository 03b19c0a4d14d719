"""Commands for whoever keeps a store: backups, tenants, traces."""

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
