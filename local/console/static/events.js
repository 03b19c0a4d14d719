// Every event of an execution, as its log has them. Only those in sight are drawn, and asked for: 25,000 are no burden.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/view.js";
import { get } from "./api.js";
import { Dialog, Failure, Loading } from "./parts.js";
import { Json } from "./json.js";
import { duration, moment, number, time } from "./format.js";

const MORE = 12;
const PAGE = 200;

export function Events({ execution, total, start, chosen, onChoose }) {
  const [only, setOnly] = useState(false);
  const [find, setFind] = useState("");
  const [shown, setShown] = useState(null);
  const asked = { find: find.trim(), visit: only && chosen !== null ? chosen : "" };
  const listed = usePages(execution, asked, total);
  return html`<div class="events">
    <div class="events-tools">
      <input type="search" placeholder="Find in the events" aria-label="Find in the events" value=${find} onInput=${(event) => setFind(event.target.value)} />
      <label class="check"><input type="checkbox" checked=${only} disabled=${chosen === null} onChange=${(event) => setOnly(event.target.checked)} /> Only of the chosen step</label>
      <span class="soft" role="status">${number(listed.total)} of ${number(total)}</span>
    </div>
    ${listed.problem && html`<${Failure} problem=${listed.problem} />`}
    <${Rows} listed=${listed} start=${start} chosen=${chosen} onChoose=${onChoose} onShow=${setShown} />
    ${shown !== null && html`<${EventDialog} execution=${execution} id=${shown} onClose=${() => setShown(null)} />`}
  </div>`;
}

// Events by their place in the list, page by page as they come into sight; what was asked for before is forgotten when
// something else is asked for, or when there are more of them.
function usePages(execution, asked, all) {
  const key = JSON.stringify([execution, asked]);
  const [state, setState] = useState({ key, rows: new Map(), total: asked.find || asked.visit ? 0 : all, problem: null });
  const going = useRef(new Set());
  const current = useRef(key);
  current.current = key;
  const load = (page, again = false) => {
    const name = `${key}/${page}`;
    if (going.current.has(name) && !again) return;
    going.current.add(name);
    get("events", { execution, ...asked, offset: page * PAGE, limit: PAGE }).then((told) => {
      if (current.current !== key) return;
      setState((before) => {
        const rows = before.key === key ? new Map(before.rows) : new Map();
        told.items.forEach((row, at) => rows.set(told.offset + at, row));
        return { key, rows, total: told.total, problem: null };
      });
    }, (problem) => { going.current.delete(name); if (current.current === key) setState((before) => ({ ...before, problem })); });
  };
  useEffect(() => {
    const timer = setTimeout(() => { going.current = new Set(); load(0); }, asked.find ? 250 : 0);
    return () => clearTimeout(timer);
  }, [key]);
  // More have come: the last page that is here may be longer now.
  useEffect(() => {
    if (state.key === key && state.rows.size) load(Math.floor(Math.max(0, state.total - 1) / PAGE), true);
  }, [all]);
  const of = (at) => (state.key === key ? state.rows.get(at) : undefined);
  return { total: state.total, of, problem: state.problem, want: (first, last) => {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) if (state.key === key && !state.rows.has(page * PAGE) && page * PAGE < state.total) load(page);
  } };
}

function Rows({ listed, start, chosen, onChoose, onShow }) {
  const box = useRef(null);
  const [height, setHeight] = useState(30);
  const [view, setView] = useState([0, 40]);
  const look = () => {
    const element = box.current;
    if (!element) return;
    const first = Math.max(0, Math.floor(element.scrollTop / height) - MORE);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / height) + MORE;
    setView((before) => (before[0] === first && before[1] === last ? before : [first, last]));
  };
  const [first, last] = [view[0], Math.min(view[1], listed.total)];
  useLayoutEffect(() => {
    const row = box.current.querySelector(".event:not(.head)");
    if (row && Math.abs(row.offsetHeight - height) > 1) setHeight(row.offsetHeight);
    look();
  });
  useEffect(() => listed.want(first, last), [first, last, listed]);
  // The events of what was chosen elsewhere come into sight: a visit's number is that of its first event.
  useEffect(() => {
    const element = box.current, at = chosen === null ? -1 : chosen - 1;
    if (at < 0 || at >= listed.total) return;
    if (at * height < element.scrollTop || at * height > element.scrollTop + element.clientHeight - height) element.scrollTop = Math.max(0, at * height - height);
  }, [chosen, listed.total > 0]);
  const rows = [];
  for (let at = first; at < last; at++) rows.push([at, listed.of(at)]);
  return html`<div class="events-box" ref=${box} onScroll=${look} role="table" aria-label="Events" aria-rowcount=${listed.total + 1} tabindex="0">
    <div class="event head" role="row"><span role="columnheader" aria-label="Event">#</span><span role="columnheader">Time</span><span role="columnheader">Type</span><span role="columnheader">State</span><span role="columnheader">Says</span></div>
    <div role="rowgroup" class="events-all" style=${{ height: `${listed.total * height}px` }}>
      <div class="events-seen" role="presentation" style=${{ transform: `translateY(${first * height}px)` }}>
      ${rows.map(([at, each]) => (each ? html`<div key=${at} class="event ${toneOf(each)} ${each.visit !== undefined && each.visit === chosen ? "chosen" : ""}" role="row" aria-rowindex=${at + 2}
        onClick=${() => each.visit !== undefined && onChoose(each.visit)}>
        <span role="cell"><button type="button" class="link" aria-label="Event ${each.id}, ${each.type}: show it whole" onClick=${(event) => { event.stopPropagation(); onShow(each.id); }}>${each.id}</button></span>
        <span role="cell" title=${moment(each.at)}>${time(each.at)} <span class="soft">+${duration(each.at - start)}</span></span>
        <span role="cell">${each.type}</span>
        <span role="cell" title=${each.state}>${each.state || ""}${each.iteration ? html` <span class="soft">#${each.iteration}</span>` : ""}</span>
        <span role="cell" title=${each.cause || each.resource || ""}>${each.error ? html`<strong>${each.error}</strong> ` : ""}${each.cause || each.resource || ""}</span>
      </div>` : html`<div key=${at} class="event" role="row" aria-rowindex=${at + 2}><span role="cell" class="soft">…</span></div>`))}
      </div>
    </div>
  </div>`;
}

const toneOf = (event) => (/Failed|TimedOut|Aborted/.test(event.type) ? "bad" : /Succeeded$/.test(event.type) ? "good" : "");

function EventDialog({ execution, id, onClose }) {
  const [told, setTold] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => void get("event", { execution, event: id }).then(setTold, setProblem), [id]);
  return html`<${Dialog} title="Event ${id}" onClose=${onClose} wide>
    <div class="dialog-body">
      ${problem && html`<${Failure} problem=${problem} />`}
      ${!told && !problem && html`<${Loading} />`}
      ${told && html`<dl class="facts"><dt>Type</dt><dd>${told.type}</dd><dt>Time</dt><dd>${moment(told.at)}</dd><dt>After event</dt><dd>${told.previous}</dd>
        <dt>Commit</dt><dd>${told.seq}, SHA-256 <code class="break">${told.digest}</code></dd></dl>
        ${Object.entries(told.details).map(([name, value]) => html`<h5>${name}</h5><${Json} value=${value} label=${name} whole=${async () => (await get("event", { execution, event: id, whole: 1 })).details[name]} />`)}`}
    </div>
  <//>`;
}
