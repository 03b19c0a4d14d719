// The work of agents that is open: who is at it, and when they were last heard of.

import { html } from "./vendor/view.js";
import { get } from "./api.js";
import { Empty, Failure, Loading, Status, useLoaded, useNow } from "./parts.js";
import { Json } from "./json.js";
import { ago, moment, nameOf, number, when } from "./format.js";
import { useServerNow } from "./state.js";

export function Agents({ about }) {
  const tick = Math.floor(useNow(5000) / 5000);
  const { value, problem, again } = useLoaded((options) => get("agents", { limit: 100 }, options), [about?.waiting?.agents, tick]);
  const now = useServerNow(about);
  return html`<main class="page narrow"><div class="page-head"><h1>Work of agents</h1><p class="soft">Agent steps that are open. An agent's claim is its heartbeat: it ends by itself where nothing is heard.</p></div>
    ${problem && html`<${Failure} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Loading} />`}
    ${value?.items.length === 0 && html`<${Empty}>No agent step is open.<//>`}
    ${value?.items.map((work) => html`<details class="panel card" key=${work.handle}>
      <summary><span class="title">${work.step}${work.iteration ? ` #${work.iteration}` : ""}</span><span class="soft">${work.workflow}</span>
        ${work.claim ? html`<${Status} of="running" text="${work.claim.agent} is at it" /><span class="soft">heard of ${ago(work.claim.at ?? work.claim.until, now)}, until ${when(work.claim.until, now)}</span>`
          : html`<${Status} of="waiting" text=${work.lapsed ? "claim ran out" : "nobody is at it"} />`}
        <span class="soft">attempt ${work.attempt} of ${work.attempts}</span></summary>
      <div class="card-body">
        ${work.intent && html`<p class="message">${work.intent}</p>`}
        <dl class="facts"><dt>Execution</dt><dd><a href="#/execution/${encodeURIComponent(work.execution)}">${nameOf(work.execution)}</a></dd>
          <dt>Open since</dt><dd>${moment(work.opened)}</dd>${work.deadline && html`<dt>Until</dt><dd>${moment(work.deadline)}</dd>`}
          ${work.budget && html`<dt>Budget</dt><dd>${Object.entries(work.budget).map(([name, value]) => `${number(value)} ${name === "usd" ? "USD" : name}`).join(", ")}</dd>`}</dl>
        ${work.violations?.length > 0 && html`<h3>What was wrong last time</h3><${Json} value=${work.violations} label="Violations" />`}
        ${work.input !== undefined && work.input !== null && html`<h3>Input</h3><${Json} value=${work.input} label="Input" />`}
      </div></details>`)}
  </main>`;
}
