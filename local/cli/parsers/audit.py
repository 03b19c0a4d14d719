"""The audit: what happened, proven."""

from __future__ import annotations

from .adding import Commands


def declare(commands: Commands) -> None:
    audit = commands.add_with_store(
        "audit", "audit:audit", "tell an execution's whole story, verify its log, or export it signed"
    )
    audit.add_argument(
        "words",
        nargs="+",
        metavar="EXECUTION | verify [EXECUTION|BUNDLE …] | export EXECUTION | refusals",
        help="an execution to tell of; `verify` computes every digest again, of all executions where none is named; "
        "`export` writes a signed bundle, which can be verified without the store; `refusals` lists answers to work that is not there",
    )
    audit.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    audit.add_argument("--whole", action="store_true", help="long values whole")
    audit.add_argument("-o", "--output", metavar="FILE", help="where `export` writes to")
    audit.add_argument("--key", metavar="FINGERPRINT", help="whose signature `verify` wants on bundles")
    audit.add_argument(
        "--redact", action="append", default=[], metavar="PATH",
        help="hide this too, such as input.card.number or *.password; may be given again",
    )  # fmt: skip
    audit.add_argument("--reveal", action="store_true", help="show what contracts call secret")
