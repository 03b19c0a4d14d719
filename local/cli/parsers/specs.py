"""Commands that read workflows and tell of them."""

from __future__ import annotations

from .adding import Commands


def declare(commands: Commands) -> None:
    init = commands.add("init", "init:init", "write a small project to begin with")
    init.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where to (default: here)")

    validate = commands.add(
        "validate", "validate:validate", "check files and report everything that is wrong with them"
    )
    validate.add_argument("files", nargs="+", metavar="FILE")
    validate.add_argument("--json", action="store_true", help="the findings as JSON")

    compile = commands.add("compile", "compile:compile", "compile a spec to Amazon States Language")
    compile.add_argument("file", metavar="FILE")
    compile.add_argument("--source-map", action="store_true", help="the map from states to steps, instead")
    compile.add_argument("-o", "--output", metavar="OUT", help="write to this file instead of stdout")

    graph = commands.add_with_store(
        "graph",
        "graph:graph",
        "draw a workflow, or what an execution took of it: Mermaid, a picture, or text",
    )
    graph.add_argument("file", nargs="?", metavar="FILE")
    graph.add_argument(
        "--execution",
        metavar="EXECUTION",
        help="a name or an ARN, instead: its run is drawn over what it ran",
    )
    graph.add_argument(
        "--format", choices=("mermaid", "svg", "text"), default="mermaid", help="default: mermaid"
    )
    graph.add_argument("-o", "--output", metavar="OUT", help="write to this file instead of stdout")

    schema = commands.add("schema", "compile:schema", "print the JSON Schema of the language, for editors")
    schema.add_argument("--tests", action="store_true", help="of test files instead")

    fmt = commands.add("fmt", "fmt:fmt", "format files, with their comments; what they say does not change")
    fmt.add_argument(
        "files", nargs="*", metavar="FILE", help="- for stdin to stdout (default: specs and tests here)"
    )
    fmt.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where a file would change"
    )

    import_ = commands.add(
        "import", "import_:import_", "rewrite a spec of the earlier Stratum in this language"
    )
    import_.add_argument("file", metavar="FILE", help="a .stratum.yaml of version 0.1, 0.2 or 0.3")
    import_.add_argument(
        "--flow", metavar="NAME", help="this flow alone (default: every flow, a workflow each)"
    )
    import_.add_argument(
        "-o", "--output", metavar="OUT", help="write to this file, or folder for several, instead of stdout"
    )
    import_.add_argument(
        "--json", action="store_true", help="the specs, and what was not carried over, as JSON"
    )
