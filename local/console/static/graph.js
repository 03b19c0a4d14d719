// The graph of a definition, as the server has laid it out: drawn here, so that it can be marked, chosen in, and changed live.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/view.js";
import { Button, SHAPES } from "./parts.js";
import { STATUS, number } from "./format.js";
import { Dragged, useDragging } from "./dragging.js";

const MARGIN = 16;
const SMALL = 0.35, LARGE = 2;

// `tone(node)` gives `{tone, badge, words}`; `took(edge)` whether its way was taken; `marks` classes by node. Where it can be
// edited, `edit` is `{keys, onKey(event, node), onDrop(node, {over, where, part}), onConnect(node, to)}`; see `dragging.js`.
export function Graph({ plan, tone, took, chosen, onChoose, label, marks = {}, edit }) {
  const box = useRef(null);
  const [room, setRoom] = useState(0);
  const [zoom, setZoom] = useState(null);
  const width = plan.width + 2 * MARGIN, height = plan.height + 2 * MARGIN;

  useLayoutEffect(() => {
    const seen = new ResizeObserver(([entry]) => setRoom(entry.contentRect.width));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);

  const fitting = room ? Math.min(1.15, Math.max(0.55, (room - 4) / width)) : 1;
  const scale = zoom ?? fitting;
  const order = useMemo(() => flat(plan), [plan]);
  const current = chosen ?? order[0];

  // A step that is moved in the page loses the focus, and is given it back before another key can be pressed.
  const focused = box.current?.contains(document.activeElement) ? document.activeElement.dataset.node : undefined;
  useLayoutEffect(() => {
    if (focused && document.activeElement === document.body) box.current.querySelector(`[data-node="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }, [plan]);

  useEffect(() => {
    if (chosen) reveal(box.current, box.current.querySelector(`[data-node="${CSS.escape(chosen)}"]`));
  }, [chosen, plan]);

  const { drag, ...pointer } = useDragging(box, plan, edit);

  const wheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    setZoom(bounded(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1)));
  };
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const node = event.target.closest?.("[data-node]");
    if (!node || drag) return;
    if (edit?.onKey(event, node.dataset.node)) {
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onChoose?.(node.dataset.node);
    } else if (step) {
      event.preventDefault();
      const next = order[Math.max(0, Math.min(order.length - 1, order.indexOf(node.dataset.node) + step))];
      onChoose?.(next);
      requestAnimationFrame(() => box.current?.querySelector(`[data-node="${CSS.escape(next)}"]`)?.focus());
    }
  };
  const draw = { tone, took, chosen, onChoose, current, marks, drag, edit };
  return html`<div class="graph">
    <div class="graph-tools" role="toolbar" aria-label="Size of the graph">
      <${Button} kind="plain" icon="minus" aria-label="Smaller" onClick=${() => setZoom(bounded(scale / 1.2))} />
      <${Button} kind="plain" icon="plus" aria-label="Larger" onClick=${() => setZoom(bounded(scale * 1.2))} />
      <${Button} kind="plain" icon="fit" aria-label="Fit the width" onClick=${() => setZoom(null)} />
    </div>
    <div class="graph-box" ref=${box} tabindex="0" role="region" aria-label="${label || "Graph"}, to be scrolled" onWheel=${wheel} onKeyDown=${move}>
      <svg class="machine ${edit ? "editable" : ""} ${drag ? `dragging-${drag.how}` : ""}" ...${pointer} role="group" aria-label=${label || "Graph"} width=${Math.ceil(width * scale)} height=${Math.ceil(height * scale)} viewBox="0 0 ${width} ${height}">
        <${Layout} plan=${plan} x=${MARGIN} y=${MARGIN} ...${draw} />
        ${drag?.how === "connect" && html`<${Dragged} drag=${drag} />`}
      </svg>
    </div>
  </div>`;
}

const bounded = (scale) => Math.min(LARGE, Math.max(SMALL, scale));

function flat(plan) {
  return plan.nodes.flatMap((node) => (node.kind === "start" || node.kind === "end" ? [] : [node.id, ...node.inner.flatMap((part) => flat(part.plan))]));
}

// Scrolls the box alone, and only as far as it must: the page stays where it is.
function reveal(box, node) {
  if (!box || !node) return;
  const a = box.getBoundingClientRect(), b = node.getBoundingClientRect();
  const over = (low, high, from, to) => (from < low + 24 ? from - low - 24 : to > high - 24 ? Math.min(to - high + 24, from - low - 24) : 0);
  box.scrollBy({ left: over(a.left, a.right, b.left, b.right), top: over(a.top, a.bottom, b.top, b.bottom), behavior: still() ? "auto" : "smooth" });
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function Layout({ plan, x, y, ...draw }) {
  return html`<g transform="translate(${x} ${y})">
    ${plan.edges.map((edge) => html`<${Edge} edge=${edge} took=${draw.took} />`)}
    ${plan.nodes.map((node) => html`<${Node} key=${node.id} node=${node} ...${draw} />`)}
    ${plan.edges.filter((edge) => edge.label).map((edge) => html`<${Label} edge=${edge} took=${draw.took} />`)}
  </g>`;
}

function Edge({ edge, took }) {
  const taken = took?.(edge) ? "taken" : "";
  return html`<g class="edge ${edge.kind} ${taken}"><path class="run" d=${edge.line} /><path class="head" d=${edge.head} /></g>`;
}

function Label({ edge, took }) {
  const [x, y] = edge.at;
  return html`<g class="edge label ${edge.kind} ${took?.(edge) ? "taken" : ""}"><title>${edge.full}</title>
    <rect x=${x - edge.room / 2} y=${y - 8} width=${edge.room} height="16" rx="3" /><text x=${x} y=${y + 4}>${edge.label}</text></g>`;
}

function Node({ node, tone, took, chosen, onChoose, current, marks, drag, edit }) {
  if (node.kind === "start" || node.kind === "end") {
    const x = node.x + node.width / 2, y = node.y + node.height / 2;
    return html`<g class="mark"><circle cx=${x} cy=${y} r=${node.kind === "end" ? 5 : 7} />${node.kind === "end" && html`<circle class="ring" cx=${x} cy=${y} r="8" />`}</g>`;
  }
  const state = tone?.(node) || {};
  const middle = node.width / 2;
  const words = [node.label, node.kind, marks[node.id], state.words].filter(Boolean).join(", ");
  const classes = ["node", node.inner.length ? "open" : "", state.tone ? `tone-${state.tone}` : "", chosen === node.id ? "chosen" : "", marks[node.id] ? `mark-${marks[node.id]}` : "", drag?.id === node.id ? "dragged" : "", drag?.over === node.id ? `over-${drag.where}` : ""].join(" ");
  const choose = (event) => {
    event.stopPropagation();
    onChoose?.(node.id);
  };
  return html`<g transform="translate(${node.x} ${node.y})">
    <g class=${classes} data-node=${node.id} role="button" tabindex=${current === node.id ? 0 : -1} aria-pressed=${chosen === node.id} aria-label=${words} aria-keyshortcuts=${edit?.keys} onClick=${choose}>
      <title>${words}</title>
      <${Shape} node=${node} />
      ${node.title.map((line, at) => html`<text x=${middle} y=${21 + 17 * at}>${line}</text>`)}
      <text class="caption" x=${middle} y=${19 + 17 * node.title.length}>${node.caption}</text>
      ${drag?.over === node.id && drag.where !== "into" && drag.how === "move" && html`<path class="drop" d="M-6 ${drag.where === "before" ? -9 : node.height + 9}H${node.width + 6}" />`}
      ${edit && chosen === node.id && node.kind !== "succeed" && node.kind !== "fail" && html`<circle class="handle" data-handle=${node.id} cx=${middle} cy=${node.height} r="6"><title>Drag to the step that it leads to</title></circle>`}
      ${state.tone && html`<${Sign} tone=${state.tone} />`}
      ${(state.badge || marks[node.id]) && html`<${Badge} text=${state.badge || marks[node.id]} x=${node.width} tone=${state.tone || MARKS[marks[node.id]]} />`}
    </g>
    ${node.inner.map((part) => html`<text class="part" x=${part.x + part.plan.width / 2} y=${part.y - 7}>${part.caption}</text>
      <${Layout} plan=${part.plan} x=${part.x} y=${part.y} ...${{ tone, took, chosen, onChoose, current, marks, drag, edit }} />`)}
  </g>`;
}

function Shape({ node }) {
  const { width: w, height: h } = node;
  if (node.kind === "choice" || node.kind === "decision") {
    const cut = Math.min(12, h / 2);
    return html`<path class="shape" d="M${cut} 0L${w - cut} 0L${w} ${h / 2}L${w - cut} ${h}L${cut} ${h}L0 ${h / 2}Z" />`;
  }
  const round = (node.kind === "succeed" || node.kind === "fail") && node.title.length === 1 ? h / 2 : 8;
  return html`<rect class="shape" width=${w} height=${h} rx=${round} />`;
}

const MARKS = { added: "done", removed: "failed", changed: "retrying", wrong: "failed" };

// How it stands, for whoever does not tell colours apart.
function Sign({ tone }) {
  return html`<g class="sign" transform="translate(-6 -7)"><circle cx="8" cy="8" r="8.5" /><path d=${SHAPES[tone] || ""} transform="translate(2.4 2.4) scale(0.7)" /></g>`;
}

function Badge({ text, x, tone }) {
  const room = 12 + text.length * 6.6;
  return html`<g class="badge tone-${tone}" transform="translate(${Math.max(x / 2 + 12, x - room + 14)} -9)"><rect width=${room} height="17" rx="8.5" /><text x=${room / 2} y="12.5">${text}</text></g>`;
}

// -- what an execution says of nodes ---------------------------------------------------------------------------

const RANK = ["skipped", "done", "stopped", "failed", "retrying", "waiting", "running"];

// The visits of each step, and how the whole of them stands: what is still under way says more than what is over.
// `groups` are those of steps that have too many to be told one by one.
export function byStep(visits, groups = []) {
  const steps = new Map();
  for (const visit of visits) {
    let step = steps.get(visit.step);
    if (!step) steps.set(visit.step, (step = { visits: [], total: 0, counts: {}, status: "skipped", tries: 0, violations: 0 }));
    step.visits.push(visit);
    step.total += 1;
    step.counts[visit.status] = (step.counts[visit.status] || 0) + 1;
    step.tries += visit.tries || 0;
    step.violations += visit.violations || 0;
  }
  for (const each of groups) steps.set(each.step, { ...each, visits: each.bad && each.bad.id < each.last.id ? [each.bad, each.last] : [each.last], group: each });
  const known = new Map(visits.map((visit) => [visit.id, visit]));
  for (const step of steps.values()) {
    const around = step.visits.at(-1).iteration === undefined ? undefined : known.get(step.visits.at(-1).parent);
    if (around?.items && !around.end && around.iteration === undefined) step.of = around.items.total; // so many are to come
    const worst = RANK.filter((status) => step.counts[status]).at(-1);
    const last = step.visits.at(-1).status;
    // Of a loop the last round counts, of many items all of them.
    step.status = step.total > 1 && step.visits.at(-1).iteration === undefined && !["running", "waiting", "retrying"].includes(worst) ? last : worst;
  }
  return steps;
}

export const stepOf = (node) => node.slice(node.indexOf(" ") + 1);

export function toneOf(steps, node) {
  const step = steps.get(stepOf(node.id));
  if (!step) return {};
  const many = step.total;
  const done = (step.counts.done || 0) + (step.counts.skipped || 0);
  const badge = many > 1 ? (step.visits.at(-1).iteration === undefined ? `${number(many)}×` : `${number(done)}/${number(Math.max(many, step.of || 0))}`) : step.tries > 1 ? `${step.tries} tries` : "";
  const told = [STATUS[step.status][1].toLowerCase()];
  if (many > 1) told.push(Object.entries(step.counts).map(([status, count]) => `${number(count)} ${STATUS[status][1].toLowerCase()}`).join(", "));
  if (step.tries > 1) told.push(`${number(step.tries)} attempts`);
  if (step.violations) told.push(`${number(step.violations)} violations`);
  return { tone: step.status, badge, words: told.join(", ") };
}

export function tookOf(taken, steps) {
  return (edge) => (edge.start === "start" && steps.has(stepOf(edge.target))) || edge.ways.some(([state, at]) => taken.has(`${state}|${at}`));
}
