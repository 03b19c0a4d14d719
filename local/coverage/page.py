"""The coverage report as one HTML file: no script, nothing from elsewhere, light and dark as the reader has it."""

from __future__ import annotations

from html import escape

from ...statelang.coverage import KINDS, Part, shown
from ...statelang.drawing import STYLE
from .look import NONE, picture, tone
from .report import Covered, Report

_STYLE = """
:root{color-scheme:light dark;--ground:#fbfcfd;--card:#ffffff;--edge:#dfe4ea;--ink:#1b2430;--soft:#5b6675;
--full:#1a7f4b;--full-fill:#e3f5ea;--some:#9a6700;--some-fill:#fff4d6;--none:#c62f2f;--none-fill:#fdeaea;--bar:#e6eaef}
@media (prefers-color-scheme: dark){:root{--ground:#14181e;--card:#191f27;--edge:#2c3540;--ink:#e8edf3;--soft:#a3adba;
--full:#4cc38a;--full-fill:#15301f;--some:#e0b341;--some-fill:#352a0d;--none:#ff7b72;--none-fill:#3b1a1c;--bar:#2a323d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans',Arial,sans-serif}
main{max-width:1500px;margin:0 auto;padding:28px 24px 80px}
h1{font-size:22px;margin:0 0 4px}
h2{font-size:17px;margin:0;overflow-wrap:anywhere}
h3{font-size:13px;margin:22px 0 8px;color:var(--soft);font-weight:600}
p{margin:0;color:var(--soft)}
a{color:inherit}
.card{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:18px 20px;margin-top:22px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 14px 7px 0;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:13px}
tr:last-child td{border-bottom:0}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:200px}
td.left,th.left{text-align:left}
td.wide{white-space:normal;overflow-wrap:anywhere;text-align:left}
.off{color:var(--soft);opacity:.75}
.meter{display:inline-block;width:110px;height:8px;border-radius:4px;background:var(--bar);overflow:hidden;vertical-align:1px;margin-right:10px}
.meter i{display:block;height:100%;background:var(--full)}
.meter.some i{background:var(--some)}.meter.none i{background:var(--none)}
.head{display:flex;justify-content:space-between;align-items:baseline;gap:18px;flex-wrap:wrap}
.sides{display:flex;gap:26px;align-items:flex-start;flex-wrap:wrap;margin-top:14px}
.sides>.graph{flex:0 1 auto;max-width:100%;overflow-x:auto;border:1px solid var(--edge);border-radius:8px;background:var(--ground)}
.sides>.text{flex:1 1 520px;min-width:0}
.graph svg{display:block}
.source{font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;border:1px solid var(--edge);border-radius:8px;padding:6px 0;margin:0;tab-size:4;overflow:hidden}
.source ol{list-style:none;margin:0;padding:0}
.source li{display:flex;gap:14px;padding:0 14px 0 0;border-left:4px solid transparent}
.source b{flex:none;width:46px;text-align:right;color:var(--soft);font-weight:400;user-select:none}
.source span{min-width:0}
.source code{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere}
.source em{font-style:normal;font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:12px;color:var(--soft);padding-left:14px}
.source .full{border-color:var(--full);background:var(--full-fill)}
.source .some{border-color:var(--some);background:var(--some-fill)}
.source .none{border-color:var(--none);background:var(--none-fill)}
.source .some em{color:var(--some)}.source .none em{color:var(--none)}
.key{display:flex;gap:18px;flex-wrap:wrap;color:var(--soft);font-size:13px;margin-top:10px}
.key span::before{content:"";display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:7px;vertical-align:-1px;border:1.5px solid}
.key .full::before{background:var(--full-fill);border-color:var(--full)}
.key .some::before{background:var(--some-fill);border-color:var(--some)}
.key .none::before{background:var(--none-fill);border-color:var(--none);border-style:dashed}
details{margin-top:18px}
summary{cursor:pointer;color:var(--soft);font-size:13px;font-weight:600}
.miss{color:var(--none)}

"""
"""The page's own colours; the drawing's are the same, in `STYLE`."""


def page(report: Report, title: str = "Workflow coverage") -> str:
    """The whole page."""
    count = len(report.workflows)
    runs = sum(each.recorded.executions for each in report.workflows)
    body = [
        f'<div class="head"><h1>{escape(title)}</h1>{_meter(report.percent)}</div>',
        f"<p>{count} workflow{'s' * (count != 1)}, {runs} execution{'s' * (runs != 1)}, "
        f"{report.counts[0]} of {report.counts[1]} taken; counted: {escape(', '.join(report.counted))}</p>",
        _summary(report),
    ]
    body += [_workflow(each, number) for number, each in enumerate(report.workflows)]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} {shown(report.percent)}</title><style>{_STYLE}{STYLE}</style></head>\n"
        f"<body><main>\n{''.join(body)}\n</main></body></html>\n"
    )


def _grade(percent: float) -> str:
    return "full" if percent >= 90 else "some" if percent >= 50 else "none"


def _meter(percent: float) -> str:
    grade = _grade(percent)
    return f'<span><span class="meter {grade}"><i style="width:{percent:.1f}%"></i></span><b>{shown(percent)}</b></span>'


def _kinds(report: Report) -> list[str]:
    """The kinds of parts that any workflow has."""
    return [kind for kind in KINDS if any(each.coverage.of([kind])[1] for each in report.workflows)]


def _summary(report: Report) -> str:
    kinds = _kinds(report)
    heads = "".join(f'<th class="{"" if kind in report.counted else "off"}">{kind}</th>' for kind in kinds)
    rows: list[str] = []
    for number, each in enumerate(report.workflows):
        cells = "".join(_fraction(each.coverage.of([kind]), kind in report.counted) for kind in kinds)
        link = f'<a href="#w{number}">{_text(each.title)}</a>'
        rows.append(f"<tr><td>{link}</td>{cells}<td>{_meter(each.coverage.percent)}</td></tr>")
    return f'<div class="card scroll"><table><thead><tr><th>workflow</th>{heads}<th>cover</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _fraction(counts: tuple[int, int], counted: bool) -> str:
    taken, offered = counts
    classes = "off" if not counted or not offered else "miss" if taken < offered else ""
    return f'<td class="{classes}">{f"{taken}/{offered}" if offered else "–"}</td>'


# -- one workflow ------------------------------------------------------------------------------------------


def _workflow(covered: Covered, number: int) -> str:
    recorded, coverage = covered.recorded, covered.coverage
    taken, offered = coverage.counts
    runs = recorded.executions
    what = f"{recorded.name}: " if recorded.name != covered.title else ""
    head = (
        f'<div class="head"><h2>{_text(covered.title)}</h2>{_meter(coverage.percent)}</div>'
        f"<p>{_text(what)}{runs} execution{'s' * (runs != 1)}, {taken} of {offered} taken</p>"
        '<div class="key"><span class="full">ran, and took every way</span>'
        '<span class="some">ran, but not every way</span><span class="none">never ran</span></div>'
    )
    source = _source(covered)
    parts = _parts(covered)
    text = (
        source + f"<details><summary>every part, and how often it was taken</summary>{parts}</details>"
        if source
        else parts
    )
    return (
        f'<section class="card" id="w{number}">{head}<div class="sides"><div class="graph">{picture(covered)}</div>'
        f'<div class="text">{text}</div></div></section>'
    )


def _parts(covered: Covered) -> str:
    coverage = covered.coverage
    rows: list[str] = []
    for part in coverage.parts:
        hits = part.hits(coverage.hits)
        counted = part.kind in coverage.counted
        classes = "off" if not counted else "" if hits else "miss"
        name = f"<b>{_text(part.owner)}</b>" if not part.label else _text(part.key or part.label)
        rows.append(
            f'<tr class="{classes}"><td>{name}</td><td class="left">{part.kind}</td>'
            f"<td>{part.line or ''}</td><td>{hits or 'never'}</td></tr>"
        )
    return f'<div class="scroll"><table><thead><tr><th>part</th><th class="left">kind</th><th>line</th><th>taken</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _source(covered: Covered) -> str:
    """The file with its lines marked; empty where there is none, or nothing in it has a line."""
    coverage = covered.coverage
    at: dict[int, list[Part]] = {}
    for part in coverage.parts:
        if part.line is not None and part.kind in coverage.counted:
            at.setdefault(part.line, []).append(part)
    if not at or not covered.lines:
        return ""
    lines = [
        _source_line(covered, number, line, at.get(number, []))
        for number, line in enumerate(covered.lines, 1)
    ]
    while lines and not covered.lines[len(lines) - 1].strip():
        lines.pop()
    return f'<div class="source"><ol>{"".join(lines)}</ol></div>'


def _source_line(covered: Covered, number: int, line: str, parts: list[Part]) -> str:
    coverage = covered.coverage
    taken = [part for part in parts if part.hits(coverage.hits)]
    left = [part for part in parts if not part.hits(coverage.hits)]
    grade, note = "", ""
    if parts:
        grade = "full" if not left else "some" if taken else "none"
        gone = [part.owner for part in left if not part.label]
        several = len({part.owner for part in parts}) > 1
        notes = [f"never ran: {', '.join(gone)}" if several else "never ran"] if gone else []
        ways = [part for part in left if part.owner not in gone and tone(covered, part.owner) != NONE]
        notes += [_NEVER[part.kind] for part in ways if part.kind in _NEVER and not several]
        if plain := [part for part in ways if several or part.kind not in _NEVER]:
            notes.append("not taken: " + ", ".join(part.key if several else part.label for part in plain))
        note = "; ".join(notes)
    tail = f"<em>{_text(note)}</em>" if note else ""
    return f'<li class="{grade}"><b>{number}</b><span><code>{_text(line)}</code>{tail}</span></li>'


_NEVER = {
    "ensures": "never violated", "contracts": "never violated", "retries": "never tried again", "catches": "never caught",
    "compensations": "never compensated", "timeouts": "never timed out", "heartbeats": "never missed",
}  # fmt: skip


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() or c in "\t " else "�" for c in text))
