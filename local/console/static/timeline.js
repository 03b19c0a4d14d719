// What happened when: a row for every visit of a step, a bar for every attempt, and the waits between them.

import { html, useMemo, useState } from "./vendor/view.js";
import { Button, Status } from "./parts.js";
import { STATUS, duration, number, plural, time } from "./format.js";

const PAGE = 40;
const BUCKETS = 60;
const WORDS = { attempt: "attempt", retry: "back-off before the next attempt", wait: "wait", gate: "waiting for a decision", agent: "waiting for an agent" };

export function Timeline({ visits, start, end, chosen, onChoose, now }) {
  const [even, setEven] = useState(false);
  const rows = useMemo(() => grouped(visits), [visits]);
  const last = end ?? now;
  const scale = useMemo(() => (even ? evenly(visits, start, last) : truly(start, last)), [even, even ? visits : 0, start, last]);
  const ticks = useMemo(() => ticksOf(start, last, scale, even), [start, last, scale, even]);
  if (rows.length === 0) return html`<p class="empty">No step has been come to yet.</p>`;
  return html`<div class="timeline">
    <div class="timeline-tools">
      <div class="legend" aria-hidden="true"><span class="key attempt">attempt</span><span class="key failed">failed</span><span class="key retry">back-off</span><span class="key wait">wait</span><span class="key gate">somebody's turn</span></div>
      <label class="check"><input type="checkbox" checked=${even} onChange=${(event) => setEven(event.target.checked)} /> Even spacing</label>
    </div>
    <div class="timeline-axis" aria-hidden="true"><span></span><div class="lane">${ticks.map(([at, words]) => html`<span class="tick" style=${{ left: `${at}%` }}>${words}</span>`)}</div></div>
    <div class="timeline-rows" tabindex="0" role="group" aria-label="Visits">${rows.map((row) => (row.group
      ? html`<${Group} key=${`g${row.key}`} row=${row} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} />`
      : html`<${Row} key=${row.visit.id} visit=${row.visit} depth=${row.depth} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} />`))}</div>
  </div>`;
}

// Rows in the order in which steps were first come to; what many items of a Map did is one group for each step.
function grouped(visits) {
  const depth = new Map();
  const rows = [];
  const groups = new Map();
  for (const visit of visits) {
    const level = visit.parent === undefined ? 0 : (depth.get(visit.parent) ?? 0) + 1;
    depth.set(visit.id, level);
    if (visit.iteration === undefined) {
      rows.push({ visit, depth: level });
      continue;
    }
    const key = `${visit.step}/${level}`;
    let group = groups.get(key);
    if (!group) {
      groups.set(key, (group = { group: true, key, step: visit.step, kind: visit.kind, depth: level, visits: [] }));
      rows.push(group);
    }
    group.visits.push(visit);
  }
  return rows;
}

const truly = (start, end) => {
  const whole = Math.max(1, end - start);
  return (at) => Math.min(100, Math.max(0, ((at - start) / whole) * 100));
};

// Every moment at which something began or ended is as far from the next as any other: a wait of a day hides nothing.
function evenly(visits, start, end) {
  const found = new Set([start, end]);
  for (const visit of visits) {
    found.add(visit.start);
    if (visit.end) found.add(visit.end);
    for (const part of visit.parts || []) {
      found.add(part.start);
      if (part.end) found.add(part.end);
    }
  }
  const moments = [...found].sort((a, b) => a - b);
  return (at) => {
    let low = 0, high = moments.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (moments[middle] < at) low = middle + 1;
      else high = middle;
    }
    if (moments.length < 2) return 0;
    const before = moments[Math.max(0, low - 1)], after = moments[low];
    const inside = after > before ? (at - before) / (after - before) : 1;
    return Math.min(100, (Math.max(0, low - 1 + Math.min(1, inside)) / (moments.length - 1)) * 100);
  };
}

function ticksOf(start, end, scale, even) {
  if (even) return [[0, time(start)], [100, `+${duration(end - start)}`]];
  return [0, 0.25, 0.5, 0.75, 1].map((part) => [part * 100, part === 0 ? time(start) : `+${duration((end - start) * part)}`]);
}

function Row({ visit, depth, scale, chosen, onChoose, last, named }) {
  const parts = visit.parts || [];
  const words = `${visit.step}${visit.iteration === undefined ? "" : ` #${visit.iteration}`}: ${STATUS[visit.status][1].toLowerCase()}, ${duration((visit.end ?? last) - visit.start)}${visit.tries > 1 ? `, ${visit.tries} attempts` : ""}`;
  return html`<button type="button" class="timeline-row ${chosen === visit.id ? "chosen" : ""}" aria-pressed=${chosen === visit.id} aria-label=${words} title=${words} onClick=${() => onChoose(visit.id)}>
    <span class="timeline-name" style=${{ "--depth": depth }}><${Status} of=${visit.status} quiet text=" " /><span class="name">${named || visit.step}</span></span>
    <span class="lane">
      ${["parallel", "map", "workflow"].includes(visit.kind) || parts.length === 0 ? html`<${Bar} what="span" of=${visit} scale=${scale} last=${last} status=${visit.status} />` : ""}
      ${parts.map((part) => html`<${Bar} what=${part.what} of=${part} scale=${scale} last=${last} status=${part.status} number=${part.number} />`)}
    </span>
  </button>`;
}

function Bar({ what, of, scale, last, status, number: attempt }) {
  const from = scale(of.start), to = scale(of.end ?? last);
  const title = `${WORDS[what] || "visit"}${attempt ? ` ${attempt}` : ""}: ${STATUS[status]?.[1].toLowerCase() || status}${of.error ? `, ${of.error}` : ""}, ${duration((of.end ?? last) - of.start)}`;
  return html`<span class="bar ${what} is-${status} ${of.end ? "" : "going"}" style=${{ left: `${from}%`, width: `${Math.max(0, to - from)}%` }} title=${title}></span>`;
}

function Group({ row, scale, chosen, onChoose, last }) {
  const [open, setOpen] = useState(false);
  const [page, setPage] = useState(0);
  const [only, setOnly] = useState("");
  const counts = {};
  for (const visit of row.visits) counts[visit.status] = (counts[visit.status] || 0) + 1;
  const buckets = useMemo(() => density(row.visits, scale, last), [row.visits.length, scale, last]);
  const listed = open ? (only ? row.visits.filter((visit) => visit.status === only) : row.visits) : [];
  const pages = Math.max(1, Math.ceil(listed.length / PAGE));
  const at = Math.min(page, pages - 1);
  return html`<div class="timeline-group">
    <button type="button" class="timeline-row group" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class="timeline-name" style=${{ "--depth": row.depth }}><span class="fold"></span><span class="name">${row.step}</span><span class="count">×${number(row.visits.length)}</span></span>
      <span class="lane">${buckets.map(([left, width, weight, failed]) => html`<span class="bucket ${failed ? "failed" : ""}" style=${{ left: `${left}%`, width: `${width}%`, opacity: weight }}></span>`)}</span>
    </button>
    <div class="timeline-counts" style=${{ "--depth": row.depth }}>${Object.entries(counts).map(([status, count]) => html`<button type="button" class="chip ${only === status ? "chosen" : ""}" aria-pressed=${only === status}
      onClick=${() => { setOnly(only === status ? "" : status); setOpen(true); setPage(0); }}><${Status} of=${status} quiet text=${`${number(count)} ${STATUS[status][1].toLowerCase()}`} /></button>`)}</div>
    ${open && html`<div class="timeline-items">
      ${listed.slice(at * PAGE, (at + 1) * PAGE).map((visit) => html`<${Row} key=${visit.id} visit=${visit} depth=${row.depth + 1} named=${`#${visit.iteration}`} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} />`)}
      ${pages > 1 && html`<div class="pager"><${Button} kind="small" disabled=${at === 0} onClick=${() => setPage(at - 1)}>Earlier<//>
        <span>${number(at * PAGE + 1)} to ${number(Math.min(listed.length, (at + 1) * PAGE))} of ${plural(listed.length, "item")}</span>
        <${Button} kind="small" disabled=${at === pages - 1} onClick=${() => setPage(at + 1)}>Later<//>
        <label class="jump">Item <input type="text" inputmode="numeric" size="6" aria-label="Go to the item of this number" onChange=${(event) => {
          const found = listed.findIndex((visit) => visit.iteration === event.target.value.trim());
          if (found >= 0) { setPage(Math.floor(found / PAGE)); onChoose(listed[found].id); }
        }} /></label></div>`}
    </div>`}
  </div>`;
}

// How many were under way in each stretch of the lane.
function density(visits, scale, last) {
  const weights = new Array(BUCKETS).fill(0), failed = new Array(BUCKETS).fill(false);
  for (const visit of visits) {
    const from = Math.min(BUCKETS - 1, Math.floor((scale(visit.start) / 100) * BUCKETS));
    const to = Math.min(BUCKETS - 1, Math.floor((scale(visit.end ?? last) / 100) * BUCKETS));
    for (let each = from; each <= to; each++) weights[each]++;
    if (visit.status === "failed") failed[to] = true;
  }
  const most = Math.max(1, ...weights);
  return weights.flatMap((weight, at) => (weight ? [[(at / BUCKETS) * 100, 100 / BUCKETS, 0.25 + 0.75 * (weight / most), failed[at]]] : []));
}
