// Every event of an execution, as its log has them; only those in sight are drawn, so that 25,000 are no burden.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/view.js";
import { get } from "./api.js";
import { Dialog, Failure, Loading } from "./parts.js";
import { Json } from "./json.js";
import { duration, moment, number, time } from "./format.js";

const MORE = 12;

export function Events({ execution, events, visits, start, chosen, onChoose }) {
  const [only, setOnly] = useState(false);
  const [find, setFind] = useState("");
  const [shown, setShown] = useState(null);
  const words = find.trim().toLowerCase();
  const listed = useMemo(() => {
    const mine = only && chosen !== null ? events.filter((each) => each.visit === chosen) : events;
    return words ? mine.filter((each) => `${each.type} ${each.state || ""} ${each.error || ""} ${each.cause || ""} ${each.iteration || ""}`.toLowerCase().includes(words)) : mine;
  }, [events, events.length, only, chosen, words]);
  return html`<div class="events">
    <div class="events-tools">
      <input type="search" placeholder="Find in the events" aria-label="Find in the events" value=${find} onInput=${(event) => setFind(event.target.value)} />
      <label class="check"><input type="checkbox" checked=${only} disabled=${chosen === null} onChange=${(event) => setOnly(event.target.checked)} /> Only of the chosen step</label>
      <span class="soft" role="status">${number(listed.length)} of ${number(events.length)}</span>
    </div>
    <${Rows} listed=${listed} visits=${visits} start=${start} chosen=${chosen} onChoose=${onChoose} onShow=${setShown} />
    ${shown !== null && html`<${EventDialog} execution=${execution} id=${shown} onClose=${() => setShown(null)} />`}
  </div>`;
}

function Rows({ listed, visits, start, chosen, onChoose, onShow }) {
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
  useLayoutEffect(() => {
    const row = box.current.querySelector(".event");
    if (row && Math.abs(row.offsetHeight - height) > 1) setHeight(row.offsetHeight);
    look();
  });
  useEffect(() => {
    const at = listed.findIndex((each) => each.visit === chosen);
    const element = box.current;
    if (chosen === null || at < 0) return;
    if (at * height < element.scrollTop || at * height > element.scrollTop + element.clientHeight - height) element.scrollTop = Math.max(0, at * height - height);
  }, [chosen]);
  const [first, last] = view;
  return html`<div class="events-box" ref=${box} onScroll=${look} role="table" aria-label="Events" aria-rowcount=${listed.length + 1} tabindex="0">
    <div class="event head" role="row"><span role="columnheader" aria-label="Event">#</span><span role="columnheader">Time</span><span role="columnheader">Type</span><span role="columnheader">State</span><span role="columnheader">Says</span></div>
    <div role="rowgroup" class="events-all" style=${{ height: `${listed.length * height}px` }}>
      <div class="events-seen" role="presentation" style=${{ transform: `translateY(${first * height}px)` }}>
      ${listed.slice(first, last).map((each, at) => html`<div key=${each.id} class="event ${toneOf(each)} ${each.visit !== undefined && each.visit === chosen ? "chosen" : ""}" role="row" aria-rowindex=${first + at + 2}
        onClick=${() => each.visit !== undefined && onChoose(each.visit)}>
        <span role="cell"><button type="button" class="link" aria-label="Event ${each.id}, ${each.type}: show it whole" onClick=${(event) => { event.stopPropagation(); onShow(each.id); }}>${each.id}</button></span>
        <span role="cell" title=${moment(each.at)}>${time(each.at)} <span class="soft">+${duration(each.at - start)}</span></span>
        <span role="cell">${each.type}</span>
        <span role="cell" title=${each.state}>${each.state || ""}${each.iteration ? html` <span class="soft">#${each.iteration}</span>` : ""}</span>
        <span role="cell" title=${each.cause || each.resource || ""}>${each.error ? html`<strong>${each.error}</strong> ` : ""}${each.cause || each.resource || ""}</span>
      </div>`)}
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
