"""Commands about published versions, and the aliases that lead to them."""

from __future__ import annotations

import argparse

from .adding import Commands


def declare(commands: Commands) -> None:
    publish = commands.add_with_store(
        "publish", "versions:publish", "publish a version of a workflow, which never changes"
    )
    publish.add_argument("file", metavar="FILE")
    publish.add_argument("--as", dest="version_number", metavar="VERSION", help="the version of plain ASL")
    publish.add_argument("--reason", metavar="TEXT", help="why, for those who look at the versions")
    publish.add_argument("--no-code", action="store_true", help="do not keep the handlers' code with it")
    publish.add_argument("--json", action="store_true")

    versions = commands.add_with_store(
        "versions", "versions:versions", "list published versions, with what leads to them and runs on them"
    )
    versions.add_argument("workflow", nargs="?", metavar="WORKFLOW")
    versions.add_argument("--json", action="store_true")

    diff = commands.add_with_store("diff", "versions:diff", "say in words what differs between two versions")
    diff.add_argument("old", metavar="OLD", help="a file, or WORKFLOW@VERSION")
    diff.add_argument("new", metavar="NEW", help="a file, or WORKFLOW@VERSION")
    diff.add_argument("--json", action="store_true")

    alias = commands.add_with_store(
        "alias", "versions:alias", "show an alias of a workflow, or lead it to a version"
    )
    alias.add_argument("workflow", metavar="WORKFLOW")
    alias.add_argument("name", metavar="ALIAS", help="such as prod")
    alias.add_argument("--to", metavar="VERSION", help="lead it there")
    alias.add_argument("--canary", metavar="10%%", help="with so much of what is started, for now")
    alias.add_argument("--linear", metavar="10%%/5m", help="with so much more each time, until it has all")
    alias.add_argument("--reason", metavar="TEXT", help="why, for the story of the alias")
    alias.add_argument("--protect", action=argparse.BooleanOptionalAction, default=None,
                       help="somebody else must approve moves from now on")  # fmt: skip
    alias.add_argument("--approve", action="store_true", help="approve the move that waits")
    alias.add_argument("--drop", action="store_true", help="take back the move that waits")
    alias.add_argument("--json", action="store_true")

    rollback = commands.add_with_store(
        "rollback", "versions:rollback", "lead an alias back to the version before, at once"
    )
    rollback.add_argument("workflow", metavar="WORKFLOW")
    rollback.add_argument("--alias", metavar="ALIAS", default="prod", help="default: prod")
    rollback.add_argument("--reason", metavar="TEXT", required=True, help="why, for the story of the alias")
    rollback.add_argument("--json", action="store_true")
