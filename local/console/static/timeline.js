// What happened when: a row for every visit of a step, a bar for every attempt, and the waits between them.

import { html, useEffect, useMemo, useState } from "./vendor/view.js";
import { get } from "./api.js";
import { Button, Status } from "./parts.js";
import { STATUS, duration, number, plural, time } from "./format.js";

const PAGE = 40;
const BUCKETS = 60;
const WORDS = { attempt: "attempt", retry: "back-off before the next attempt", wait: "wait", gate: "waiting for a decision", agent: "waiting for an agent" };

export function Timeline({ visits, groups = [], execution, turn, start, end, chosen, onChoose, now }) {
  const [even, setEven] = useState(false);
  const rows = useMemo(() => grouped(visits, groups), [visits, groups]);
  const last = end ?? now;
  const scale = useMemo(() => (even ? evenly(visits, groups, start, last) : truly(start, last)), [even, even ? visits : 0, even ? groups : 0, start, last]);
  const ticks = useMemo(() => ticksOf(start, last, scale, even), [start, last, scale, even]);
  if (rows.length === 0) return html`<p class="empty">No step has been come to yet.</p>`;
  return html`<div class="timeline">
    <div class="timeline-tools">
      <div class="legend" aria-hidden="true"><span class="key attempt">attempt</span><span class="key failed">failed</span><span class="key retry">back-off</span><span class="key wait">wait</span><span class="key gate">somebody's turn</span></div>
      <label class="check"><input type="checkbox" checked=${even} onChange=${(event) => setEven(event.target.checked)} /> Even spacing</label>
    </div>
    <div class="timeline-axis" aria-hidden="true"><span></span><div class="lane">${ticks.map(([at, words]) => html`<span class="tick" style=${{ left: `${at}%` }}>${words}</span>`)}</div></div>
    <div class="timeline-rows" tabindex="0" role="group" aria-label="Visits">${rows.map((row) => (row.group
      ? html`<${Group} key=${`g${row.key}`} row=${row} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} execution=${execution} turn=${turn} />`
      : html`<${Row} key=${row.visit.id} visit=${row.visit} depth=${row.depth} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} />`))}</div>
  </div>`;
}

// Rows in the order in which steps were first come to; what many items of a Map did is one group for each step.
function grouped(visits, told) {
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
  for (const each of told) rows.push({ group: true, key: each.step, step: each.step, kind: each.kind, depth: each.depth, told: each });
  const first = (row) => row.visit?.id ?? row.told?.first ?? row.visits[0].id;
  return told.length ? rows.sort((a, b) => first(a) - first(b)) : rows;
}

const truly = (start, end) => {
  const whole = Math.max(1, end - start);
  return (at) => Math.min(100, Math.max(0, ((at - start) / whole) * 100));
};

// Every moment at which something began or ended is as far from the next as any other: a wait of a day hides nothing.
function evenly(visits, groups, start, end) {
  const found = new Set([start, end]);
  for (const group of groups) found.add(group.lane.from).add(group.lane.to);
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
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => [part * 100, part === 0 ? time(start) : `+${duration((end - start) * part)}`]);
  return ticks.filter(([at, words], index) => at === 100 || index === 0 || (words !== ticks[index - 1][1] && words !== ticks[4][1]));
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

const ORDER = ["failed", "retrying", "waiting", "running", "stopped"]; // what is looked for before any other
const rank = (visit) => (ORDER.includes(visit.status) ? ORDER.indexOf(visit.status) : ORDER.length);

function Group({ row, scale, chosen, onChoose, last, execution, turn }) {
  const [open, setOpen] = useState(false);
  const [page, setPage] = useState(0);
  const [only, setOnly] = useState("");
  const [item, setItem] = useState("");
  const counts = row.told ? row.told.counts : countsOf(row.visits);
  const all = row.told ? row.told.total : row.visits.length;
  const loop = (row.told ? row.told.last : row.visits[0]).iteration === undefined; // rounds, and no items
  const buckets = useMemo(() => (row.told ? stretches(row.told.lane, scale) : density(row.visits, scale, last)), [row.told || row.visits.length, scale, last]);
  const listed = usePage(row, { open, only, item, page }, execution, turn);
  const pages = Math.max(1, Math.ceil(listed.total / PAGE));
  const show = (status) => { setOnly(status); setPage(0); };
  const ordered = Object.entries(counts).sort(([a], [b]) => rank({ status: a }) - rank({ status: b }));
  return html`<div class="timeline-group">
    <button type="button" class="timeline-row group" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class="timeline-name" style=${{ "--depth": row.depth }}><span class="fold"></span><span class="name" title=${row.step}>${row.step}</span><span class="count">×${number(all)}</span></span>
      <span class="lane">${buckets.map(([left, width, weight, failed]) => html`<span class="bucket ${failed ? "failed" : ""}" style=${{ left: `${left}%`, width: `${width}%`, opacity: weight }}></span>`)}</span>
    </button>
    <div class="timeline-counts" style=${{ "--depth": row.depth }}>${ordered.map(([status, count]) => html`<button type="button" class="chip ${only === status ? "chosen" : ""}" aria-pressed=${only === status}
      onClick=${() => { show(only === status ? "" : status); setOpen(true); }}><${Status} of=${status} quiet text=${`${number(count)} ${STATUS[status][1].toLowerCase()}`} /></button>`)}</div>
    ${open && html`<div class="timeline-items">
      <div class="pager">${!loop && html`<label class="jump">Item <input type="text" inputmode="numeric" size="6" aria-label="Go to the item of this number" value=${item} onChange=${(event) => { setItem(event.target.value.trim()); setPage(0); }} /></label>`}
        ${(item || only) && html`<${Button} kind="small" onClick=${() => { setItem(""); show(""); }}>Show all<//>`}
        <span role="status">${listed.total === 0 ? (listed.busy ? "Reading …" : "None is like that.") : html`${number(page * PAGE + 1)} to ${number(Math.min(listed.total, (page + 1) * PAGE))} of ${plural(listed.total, loop ? "visit" : "item")}${only || item ? "" : counts.failed ? ", failed ones first" : ""}`}</span>
        ${pages > 1 && html`<span class="buttons"><${Button} kind="small" disabled=${page === 0} onClick=${() => setPage(page - 1)}>Back<//><${Button} kind="small" disabled=${page >= pages - 1} onClick=${() => setPage(page + 1)}>Further<//></span>`}</div>
      ${listed.items.map((visit) => html`<${Row} key=${visit.id} visit=${visit} depth=${row.depth + 1} named=${visit.iteration === undefined ? time(visit.start) : `#${visit.iteration}`} scale=${scale} chosen=${chosen} onChoose=${onChoose} last=${last} />`)}
    </div>`}
  </div>`;
}

// A page of a group's visits: of those that are here, or asked for where they are too many.
function usePage(row, { open, only, item, page }, execution, turn) {
  const [fetched, setFetched] = useState({ items: [], total: 0, busy: true });
  const there = !row.told;
  useEffect(() => {
    if (there || !open) return undefined;
    const gone = new AbortController();
    get("visits", { execution, step: row.step, status: only, item, offset: page * PAGE, limit: PAGE }, { signal: gone.signal }).then(
      (told) => setFetched({ ...told, busy: false }), () => {});
    return () => gone.abort();
  }, [there, open, execution, row.step, only, item, page, turn]);
  if (!there) return fetched;
  if (!open) return { items: [], total: 0 };
  const found = row.visits.filter((visit) => (!only || visit.status === only) && (!item || visit.iteration === item || visit.iteration?.endsWith(`/${item}`)));
  found.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  return { items: found.slice(page * PAGE, (page + 1) * PAGE), total: found.length };
}

function countsOf(visits) {
  const counts = {};
  for (const visit of visits) counts[visit.status] = (counts[visit.status] || 0) + 1;
  return counts;
}

// The same of visits that are told together: the stretches are of true time.
function stretches(lane, scale) {
  const wide = (lane.to - lane.from) / lane.weights.length, most = Math.max(1, ...lane.weights), failed = new Set(lane.failed);
  return lane.weights.flatMap((weight, at) => {
    if (!weight) return [];
    const left = scale(lane.from + at * wide), right = scale(lane.from + (at + 1) * wide);
    return [[left, Math.max(0, right - left), 0.25 + 0.75 * (weight / most), failed.has(at)]];
  });
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
