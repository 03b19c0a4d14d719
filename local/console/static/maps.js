// How far a map has come: its items in numbers, and the executions of a distributed one.

import { html, useEffect, useState } from "./vendor/view.js";
import { get } from "./api.js";
import { Status, useLoaded, useNow } from "./parts.js";
import { number, plural } from "./format.js";

const KINDS = [["succeeded", "done", "done", "SUCCEEDED"], ["failed", "failed", "failed", "FAILED"], ["aborted", "stopped", "stopped", "ABORTED"], ["running", "running", "running", "RUNNING"], ["pending", "skipped", "not yet begun", ""]];

// A bar and a legend that says the same in words; `link(status)` gives where the items of one kind are found.
export function Progress({ counts, total, link }) {
  const over = (counts.succeeded || 0) + (counts.failed || 0) + (counts.aborted || 0);
  const part = total ? Math.floor((over / total) * 100) : 100;
  return html`<div class="progress">
    <div class="progress-bar" role="progressbar" aria-label="Items that are over" aria-valuemin="0" aria-valuemax=${total} aria-valuenow=${over} aria-valuetext="${number(over)} of ${number(total)}">
      ${KINDS.map(([kind, tone]) => counts[kind] > 0 && html`<span class="tone-${tone}" style=${{ width: `${(counts[kind] / Math.max(1, total)) * 100}%` }}></span>`)}</div>
    <p class="progress-words"><strong>${part} %</strong> of ${plural(total, "item")}
      ${KINDS.map(([kind, tone, words, status]) => counts[kind] > 0 && html` <span class="progress-kind">${link && status ? html`<a href=${link(status)}><${Status} of=${tone} quiet text="${number(counts[kind])} ${words}" /></a>` : html`<${Status} of=${tone} quiet text="${number(counts[kind])} ${words}" />`}</span>`)}</p>
  </div>`;
}

// Its items' executions write logs of their own, so it is asked for as long as it runs. `foot(value)` replaces the link.
export function MapRun({ map_run, turn, foot }) {
  const [running, setRunning] = useState(true);
  const tick = Math.floor(useNow(2000, running) / 2000);
  const { value } = useLoaded((options) => get("map-run", { map_run }, options), [map_run, turn, tick]);
  useEffect(() => setRunning(!value || value.status === "RUNNING"), [value]);
  const link = (status) => `#/executions?map_run=${encodeURIComponent(map_run)}&status=${status}`;
  return html`<div class="map-run">${value && html`<${Progress} counts=${value.counts} total=${value.total} link=${link} />`}
    ${foot ? foot(value) : html`<p><a href="#/executions?map_run=${encodeURIComponent(map_run)}">The executions of its items</a>${value?.at_once ? html` <span class="soft">${number(value.at_once)} at once</span>` : ""}</p>`}</div>`;
}
