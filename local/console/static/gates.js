// What waits for people: what each gate shows, its form, and the decision.

import { html, useState } from "./vendor/view.js";
import { get, post } from "./api.js";
import { Button, Confirm, Empty, Failure, Loading, useLoaded } from "./parts.js";
import { Json } from "./json.js";
import { SchemaForm } from "./forms.js";
import { moment, nameOf, when, who } from "./format.js";
import { useServerNow } from "./state.js";

const VERBS = { approve: "Approve", reject: "Reject", revise: "Send back" };

export function Gates({ about, argument }) {
  const { value, problem, again } = useLoaded((options) => get("gates", { limit: 100 }, options), [about?.waiting?.gates]);
  const now = useServerNow(about);
  const [done, setDone] = useState("");
  return html`<main class="page narrow"><div class="page-head"><h1>Gates</h1><p class="soft">Workflows that wait for a person's decision, the longest first.</p></div>
    <p role="status" class=${done ? "notice" : "quiet-status"}>${done}</p>
    ${problem && html`<${Failure} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Loading} />`}
    ${value?.items.length === 0 && html`<${Empty}>No gate waits for a decision.<//>`}
    ${value?.items.map((gate) => html`<${Gate} key=${gate.handle} gate=${gate} now=${now} open=${gate.id === argument || value.items.length === 1} onDone=${(words) => { setDone(words); again(); }} />`)}
  </main>`;
}

function Gate({ gate, now, open, onDone }) {
  const [asked, setAsked] = useState(null);
  const [form, setForm] = useState(gate.values);
  const [valid, setValid] = useState(true);
  return html`<details class="panel card" open=${open}>
    <summary><span class="title">${gate.step}${gate.iteration ? ` #${gate.iteration}` : ""}${gate.round > 1 ? `, round ${gate.round}` : ""}</span>
      <span class="soft">${gate.workflow} ${gate.version || ""}</span><span class="soft">${nameOf(gate.execution)}</span>
      <span class="spacer"></span><span class="soft" title=${moment(gate.opened)}>waits since ${when(gate.opened, now)}</span>
      ${gate.deadline && html`<span class="soft" title=${moment(gate.deadline)}>until ${when(gate.deadline, now)}</span>`}
      ${gate.message && html`<span class="line">${typeof gate.message === "string" ? gate.message : JSON.stringify(gate.message)}</span>`}</summary>
    <div class="card-body">
      ${gate.message && html`<p class="message">${gate.message}</p>`}
      <dl class="facts"><dt>Execution</dt><dd><a href="#/execution/${encodeURIComponent(gate.execution)}">${nameOf(gate.execution)}</a></dd>
        <dt>Asked by</dt><dd>${who(gate.requester)}</dd>
        ${gate.approvers.length > 0 && html`<dt>Approvers</dt><dd>${gate.approvers.map((each) => (each === "*" ? "anybody but whoever has asked" : each)).join(", ")}</dd>`}
        ${gate.risk && html`<dt>Risk</dt><dd>${gate.risk}</dd>`}</dl>
      ${gate.remarks.length > 0 && html`<h3>Asked for before</h3><${Json} value=${gate.remarks} label="Remarks" />`}
      ${gate.reason && html`<h3>Why</h3><${Json} value=${gate.reason} label="Reason" />`}
      ${gate.shows !== undefined && gate.shows !== null && html`<h3>What it shows</h3><${Json} value=${gate.shows} label="What the gate shows" open=${4} />`}
      ${gate.form && html`<${SchemaForm} schema=${gate.form} value=${form} onChange=${setForm} onValid=${setValid} title="Form" />`}
      ${gate.refused ? html`<p class="notice">You cannot decide this: ${gate.refused}</p>`
        : html`<p class="buttons">${gate.outcomes.map((outcome) => html`<${Button} kind=${outcome === "approve" ? "primary" : outcome === "reject" ? "danger" : ""} disabled=${!valid} onClick=${() => setAsked(outcome)}>${VERBS[outcome] || outcome}<//>`)}</p>`}
      <p class="soft small break">The decision holds for what is shown here, by its SHA-256 <code>${gate.digest}</code></p>
    </div>
    ${asked && html`<${Decide} gate=${gate} outcome=${asked} form=${form} onClose=${() => setAsked(null)} onDone=${onDone} />`}
  </details>`;
}

function Decide({ gate, outcome, form, onClose, onDone }) {
  const [comment, setComment] = useState("");
  const needed = outcome === "revise";
  const act = async () => {
    const body = { gate: gate.handle, outcome, comment, shown: gate.digest };
    if (gate.form && outcome !== "reject") body.form = form;
    await post("decide", body);
    onDone(`${gate.step} of ${nameOf(gate.execution)}: ${{ approve: "approved", reject: "rejected", revise: "sent back" }[outcome] || outcome}.`);
  };
  return html`<${Confirm} title="${VERBS[outcome] || outcome}: ${gate.step} of ${nameOf(gate.execution)}?" verb=${VERBS[outcome] || outcome} danger=${outcome === "reject"} disabled=${needed && !comment.trim()} onClose=${onClose} act=${act}>
    <p>The decision is yours by name, is written into the log, and counts once.</p>
    <label class="field"><span>Comment${needed ? ": what is to be changed" : html` <em>(optional)</em>`}</span><textarea rows="4" maxlength="8000" value=${comment} onInput=${(event) => setComment(event.target.value)}></textarea></label>
  <//>`;
}
