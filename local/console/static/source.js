// The text of a workflow with its lines: a step's line leads to the step, and the chosen one's is marked.

import { html, useEffect, useMemo, useRef } from "./vendor/view.js";

export function Source({ source, language, lines, chosen, tones, onChoose }) {
  const box = useRef(null);
  const rows = useMemo(() => source.replace(/\n$/, "").split("\n").map((line) => pieces(line, language)), [source, language]);
  const at = useMemo(() => new Map(Object.entries(lines).map(([node, line]) => [line, node])), [lines]);
  const marked = chosen ? lines[chosen] : undefined;
  useEffect(() => {
    if (marked === undefined) return;
    const row = box.current.querySelector(`[data-line="${marked}"]`);
    const a = box.current.getBoundingClientRect(), b = row?.getBoundingClientRect();
    if (b && (b.top < a.top || b.bottom > a.bottom)) box.current.scrollTop += b.top - a.top - a.height / 3;
  }, [marked, source]);
  return html`<div class="source" ref=${box} tabindex="0" role="region" aria-label="Source">${rows.map((row, index) => {
    const line = index + 1, node = at.get(line), tone = node && tones?.(node);
    return html`<div class="source-line ${marked === line ? "chosen" : ""}" data-line=${line}>
      ${node ? html`<button type="button" class="source-number link tone-${tone || "none"}" aria-label="Line ${line}: choose ${node.slice(node.indexOf(" ") + 1)}" onClick=${() => onChoose(node)}>${line}</button>` : html`<span class="source-number">${line}</span>`}
      <code>${row.map(([kind, text]) => (kind ? html`<span class="token-${kind}">${text}</span>` : text))}</code></div>`;
  })}</div>`;
}

const YAML = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|([\w$.-]+)(?=:(?:\s|$))|(\b-?\d+(?:\.\d+)?(?:ms|s|m|h|d|%)?\b|\btrue\b|\bfalse\b|\bnull\b)/g;
const JSON_ = /("(?:[^"\\]|\\.)*")(?=\s*:)|("(?:[^"\\]|\\.)*")|(\b-?\d+(?:\.\d+)?\b|\btrue\b|\bfalse\b|\bnull\b)/g;

// A line as [kind, text]: enough colour to read by, no more.
export function pieces(line, language) {
  const made = [];
  let from = 0;
  for (const found of line.matchAll(language === "yaml" ? YAML : JSON_)) {
    if (found.index > from) made.push(["", line.slice(from, found.index)]);
    const kinds = language === "yaml" ? ["comment", "string", "key", "number"] : ["key", "string", "number"];
    made.push([kinds[kinds.findIndex((_, at) => found[at + 1] !== undefined)], found[0]]);
    from = found.index + found[0].length;
  }
  if (from < line.length) made.push(["", line.slice(from)]);
  return made.length ? made : [["", " "]];
}
