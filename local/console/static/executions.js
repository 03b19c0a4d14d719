// The list of executions: filtered, searched, in pages, and kept up to date while it is looked at.

import { html, useEffect, useRef, useState } from "./vendor/view.js";
import { follow, get } from "./api.js";
import { Button, Empty, Failure, Icon, Loading, Status } from "./parts.js";
import { ago, duration, moment, nameOf, number, when } from "./format.js";
import { go, useServerNow } from "./state.js";
import { MapRun } from "./maps.js";

const STATUSES = [["", "Any status"], ["RUNNING", "Running"], ["SUCCEEDED", "Succeeded"], ["FAILED", "Failed"], ["TIMED_OUT", "Timed out"], ["ABORTED", "Aborted"]];
const SINCE = [["", "Any time"], ["3600000", "The last hour"], ["86400000", "The last day"], ["604800000", "The last 7 days"], ["2592000000", "The last 30 days"]];
const FILTERS = ["status", "workflow", "name", "text", "step", "error", "since", "map_run", "item"];
const FULL = 50;

export function Executions({ query, workflows, about }) {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) || ""]));
  const asked = JSON.stringify(filter);
  const [pages, setPages] = useState([]);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(true);
  const now = useServerNow(about);
  const parameters = () => ({ ...filter, since: filter.since ? Date.now() - Number(filter.since) : "" });
  const reads = filter.text || filter.step || filter.error;

  useEffect(() => {
    const gone = new AbortController();
    setPages([]);
    setBusy(true);
    read([], gone.signal);
    // A search through logs is not asked again every second.
    const stop = reads || filter.item ? () => {} : follow(() => ({ ...parameters(), limit: 50 }), (told) => told.list && setPages((before) => (before.length > 1 ? before : [told.list])));
    return () => { gone.abort(); going.current?.abort(); stop(); };
  }, [asked]);

  // Until there is another page full: where much must be read, an answer comes before it is all done, and is gone on from.
  const read = async (known, signal) => {
    setBusy(true);
    try {
      let found = 0, page = null;
      do {
        page = await get("executions", { ...parameters(), limit: FULL, token: page?.token || known.at(-1)?.token }, { signal });
        found += page.items.length;
        known = [...known, page];
        setPages(known);
      } while (page.paused && page.token && found < FULL);
      setProblem(null);
    } catch (error) {
      if (!signal.aborted) setProblem(error);
    }
    if (!signal.aborted) setBusy(false);
  };
  const going = useRef(null);
  const more = () => { going.current = new AbortController(); read(pages, going.current.signal); };
  const set = (name, value) => go("executions", { ...filter, [name]: value });
  const seen = new Set();
  const items = pages.flatMap((page) => page.items).filter((each) => !seen.has(each.execution) && seen.add(each.execution));
  const token = pages.at(-1)?.token;
  const looked = pages.reduce((sum, page) => sum + page.lookedAt, 0);
  return html`<main class="page">
    <div class="page-head"><h1>${filter.map_run ? "Items of a map" : "Executions"}</h1></div>
    ${filter.map_run && html`<${Run} map_run=${filter.map_run} turn=${items.filter((each) => each.status !== "RUNNING").length} />`}
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label><span>Status</span><select value=${filter.status} onChange=${(event) => set("status", event.target.value)}>${STATUSES.map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>
      ${!filter.map_run && html`<label><span>Workflow</span><select value=${filter.workflow} onChange=${(event) => set("workflow", event.target.value)}>
        <option value="">Any workflow</option>${names(workflows, filter.workflow).map((each) => html`<option value=${each}>${each}</option>`)}</select></label>`}
      <label><span>Started</span><select value=${filter.since} onChange=${(event) => set("since", event.target.value)}>${SINCE.map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>
      ${filter.map_run ? html`<${Field} name="item" title="Item number" value=${filter.item} set=${set} numeric />` : html`<${Field} name="name" title="Name has" value=${filter.name} set=${set} />`}
      <${Field} name="text" title="Anything in its log" value=${filter.text} set=${set} icon />
      <details class="more" open=${Boolean(filter.step || filter.error)}><summary>More</summary><div>
        <${Field} name="step" title="Came to the step" value=${filter.step} set=${set} />
        <${Field} name="error" title="Met the error" value=${filter.error} set=${set} /></div></details>
      ${Object.entries(filter).some(([name, value]) => value && name !== "map_run") && html`<${Button} onClick=${() => go("executions", { map_run: filter.map_run })}>Clear<//>`}
    </form>
    ${problem && html`<${Failure} problem=${problem} />`}
    ${items.length > 0 && html`<div class="table-box" tabindex="0" role="region" aria-label="Executions"><table class="list">
      <thead><tr><th scope="col">Status</th><th scope="col">Execution</th><th scope="col">Workflow</th><th scope="col">Started</th><th scope="col" class="number">Took</th></tr></thead>
      <tbody>${items.map((each) => html`<tr key=${each.execution} onClick=${(event) => !event.target.closest("a") && go(`execution/${encodeURIComponent(each.execution)}`)}>
        <td><${Status} of=${each.status} /></td>
        <td class="main"><a href="#/execution/${encodeURIComponent(each.execution)}">${each.item !== undefined && html`Item ${number(each.item)}: `}${each.name}</a>${each.forked && html`<span class="soft forked" title="Forked from ${nameOf(each.forked)}"> <${Icon} name="fork" label="forked" /></span>`}
          ${each.found && html`<div class="soft found">${each.found.slice(0, 2).map((entry) => `${entry.step || entry.state || "execution"}: ${entry.what}`).join("; ")}</div>`}</td>
        <td>${each.workflow}${each.version && html` <span class="soft">${each.version}</span>`}</td>
        <td title=${moment(each.started)}>${when(each.started, now)} <span class="soft">${ago(each.started, now)}</span></td>
        <td class="number">${duration((each.stopped ?? now) - each.started)}</td></tr>`)}</tbody>
    </table></div>`}
    ${items.length === 0 && !busy && !problem && html`<${Empty}>${Object.entries(filter).some(([name, value]) => value && name !== "map_run") ? html`No execution is like that. Fewer filters or other words may find it${reads ? ": words are looked for in what was logged, as it was written" : ""}. <a href="#/executions${filter.map_run ? `?map_run=${encodeURIComponent(filter.map_run)}` : ""}">Show all</a>` : html`Nothing has run here yet. <a href="#/workflows">Start a workflow</a>, or <code>stratum run FILE</code>.`}<//>`}
    ${busy && html`<${Loading} what=${reads ? `Reading logs: ${number(looked)} looked at, ${number(items.length)} found` : "Loading"} />`}
    ${token && !busy && html`<p class="more-line"><${Button} onClick=${more}>${reads ? `Look further: ${number(looked)} were looked at` : "Earlier ones"}<//></p>`}
  </main>`;
}

// The map run whose items are listed: how far it has come, and where it belongs.
function Run({ map_run, turn }) {
  return html`<section class="panel padded"><${MapRun} map_run=${map_run} turn=${turn} foot=${(value) => html`<p class="soft break">${value ? html`A map of <a href="#/execution/${encodeURIComponent(value.execution)}">${nameOf(value.execution)}</a>` : map_run} · <a href="#/executions">All executions</a></p>`} /></section>`;
}

function names(workflows, chosen) {
  const found = new Set((workflows || []).map((each) => each.workflow));
  if (chosen) found.add(chosen);
  return [...found].sort();
}

// Asked for when typing has paused, or at once with Enter.
function Field({ name, title, value, set, icon, numeric }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => set(name, text), 400);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<label class=${icon ? "wide" : ""}><span>${title}</span><input type="search" inputmode=${numeric ? "numeric" : undefined} value=${text} onInput=${(event) => setText(event.target.value)}
    onKeyDown=${(event) => event.key === "Enter" && set(name, text)} /></label>`;
}
