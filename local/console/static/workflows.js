// Workflows, their versions and aliases; two versions side by side.

import { html, useState } from "./vendor/view.js";
import { get, post } from "./api.js";
import { Button, Confirm, Empty, Failure, Loading, Status, Tabs, useLoaded } from "./parts.js";
import { Graph } from "./graph.js";
import { Diff } from "./json.js";
import { Source } from "./source.js";
import { StartDialog } from "./actions.js";
import { ago, moment, nameOf, plural, when, who } from "./format.js";
import { go, useServerNow } from "./state.js";

export function Workflows({ about }) {
  const { value, problem, again } = useLoaded((options) => get("workflows", {}, options), []);
  const [starting, setStarting] = useState(null);
  const now = useServerNow(about);
  return html`<main class="page"><div class="page-head"><h1>Workflows</h1></div>
    ${problem && html`<${Failure} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Loading} />`}
    ${value?.length === 0 && html`<${Empty}>No workflow is here yet: <code>stratum run FILE</code> or <code>stratum publish FILE</code> brings one.<//>`}
    ${value?.length > 0 && html`<div class="table-box" tabindex="0" role="region" aria-label="Workflows"><table class="list">
      <thead><tr><th scope="col">Workflow</th><th scope="col">Version</th><th scope="col">Published</th><th scope="col">Aliases</th><th scope="col">Last execution</th>${about?.actions && html`<th scope="col"><span class="hidden">Start</span></th>`}</tr></thead>
      <tbody>${value.map((each) => html`<tr key=${each.machine}>
        <td class="main"><a href="#/workflow/${encodeURIComponent(each.machine)}">${each.workflow}</a>${value.filter((other) => other.workflow === each.workflow).length > 1 && html` <span class="soft">${each.region}, ${each.account}</span>`}</td>
        <td>${each.version || html`<span class="soft">${each.spec ? "" : "ASL"}</span>`}</td>
        <td data-label="published">${each.versions.length ? each.versions.slice(-3).reverse().join(", ") : html`<span class="soft">none</span>`}</td>
        <td>${each.aliases.map((alias) => html`<${Routing} alias=${alias} />`)}</td>
        <td>${each.last ? html`<a href="#/execution/${encodeURIComponent(each.last.execution)}"><${Status} of=${each.last.status} quiet /></a> <span class="soft">${ago(each.last.started, now)}</span>` : html`<span class="soft">never</span>`}</td>
        ${about?.actions && html`<td class="number"><${Button} kind="small" aria-label="Start ${each.workflow}" onClick=${() => setStarting(each)}>Start<//></td>`}</tr>`)}</tbody></table></div>`}
    ${starting && html`<${StartDialog} workflow=${starting} onClose=${() => setStarting(null)} />`}
  </main>`;
}

function Routing({ alias }) {
  const entries = Object.entries(alias.routing);
  return html`<span class="routing"><strong>${alias.name}</strong> ${entries.length ? entries.map(([version, weight]) => `${version} ${weight}%`).join(", ") : "nothing yet"}</span>`;
}

export function Workflow({ about, machine }) {
  const { value, problem, again } = useLoaded((options) => get("workflow", { machine }, options), [machine]);
  const [dialog, setDialog] = useState(null);
  const [node, setNode] = useState(null);
  const [picked, setPicked] = useState([]);
  const now = useServerNow(about);
  if (problem) return html`<main class="page"><h1>${nameOf(machine)}</h1><${Failure} problem=${problem} again=${again} /></main>`;
  if (!value) return html`<main class="page"><h1>${nameOf(machine)}</h1><${Loading} /></main>`;
  const pick = (version) => setPicked((before) => (before.includes(version) ? before.filter((each) => each !== version) : [...before.slice(-1), version]));
  const close = () => { setDialog(null); again(); };
  const order = value.versions.map((each) => each.version);
  const [newer, older] = [...picked].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return html`<main class="page">
    <div class="page-head"><nav class="crumbs" aria-label="Where this is"><a href="#/workflows">Workflows</a></nav>
      <div class="title-line"><h1>${value.workflow}</h1><span class="soft">${value.version || ""}</span><span class="spacer"></span>
        <${Button} onClick=${() => go("executions", { workflow: value.workflow })}>Executions<//>
        <${Button} onClick=${() => go(`editor/${encodeURIComponent(value.definition)}`)}>Open in the editor<//>
        ${about?.actions && html`<${Button} kind="primary" icon="play" onClick=${() => setDialog({ what: "start" })}>Start<//>`}</div></div>
    ${value.versions.length > 0 && html`<section class="panel padded"><h2>Versions</h2>
      <div class="table-box" tabindex="0" role="region" aria-label="Versions"><table class="list"><thead><tr><th scope="col"><span class="hidden">Compare</span></th><th scope="col">Version</th><th scope="col">Running</th><th scope="col">Aliases</th><th scope="col">Published</th><th scope="col">By</th><th scope="col">Reason</th>${about?.actions && html`<th scope="col"><span class="hidden">Start</span></th>`}</tr></thead>
      <tbody>${value.versions.map((each) => html`<tr key=${each.version}>
        <td><input type="checkbox" aria-label="Compare ${each.version}" checked=${picked.includes(each.version)} onChange=${() => pick(each.version)} /></td>
        <td class="main">${each.version}</td><td>${each.running || ""}</td>
        <td>${value.aliases.filter((alias) => alias.routing[each.version]).map((alias) => html`<span class="weight"><meter min="0" max="100" value=${alias.routing[each.version]} aria-label="${alias.name}: ${alias.routing[each.version]} percent"></meter> ${alias.name} ${alias.routing[each.version]}%</span>`)}</td>
        <td title=${moment(each.at)}>${when(each.at, now)}</td><td>${who(each.by)}</td><td>${each.reason || ""}</td>
        ${about?.actions && html`<td class="number"><${Button} kind="small" aria-label="Start version ${each.version}" onClick=${() => setDialog({ what: "start", version: each.version })}>Start<//></td>`}</tr>`)}</tbody></table></div>
      <p><${Button} disabled=${picked.length !== 2} onClick=${() => go("compare", { workflow: value.workflow, old: older, new: newer })}>Compare the two that are marked<//>${value.unpublished > 0 && html` <span class="soft">${plural(value.unpublished, "execution")} of what was never published</span>`}</p></section>`}
    ${(value.aliases.length > 0 || (about?.actions && value.versions.length > 0)) && html`<section class="panel padded"><h2>Aliases</h2>
      ${value.aliases.map((alias) => html`<${Alias} key=${alias.name} alias=${alias} about=${about} now=${now} onMove=${() => setDialog({ what: "move", alias })} onDecide=${(what) => setDialog({ what, alias })} onStart=${() => setDialog({ what: "start", alias: alias.name })} />`)}
      ${about?.actions && value.versions.length > 0 && html`<p><${Button} kind="small" icon="plus" onClick=${() => setDialog({ what: "move", alias: { name: "", routing: {} } })}>A new alias<//></p>`}</section>`}
    <section class="panel tall"><${Graph} plan=${value.shown.plan} chosen=${node} onChoose=${setNode} label="Graph of ${value.workflow}" /></section>
    <section class="panel"><${Source} source=${value.shown.source} language=${value.shown.language} lines=${value.shown.lines} chosen=${node} onChoose=${setNode} /></section>
    ${dialog?.what === "start" && html`<${StartDialog} workflow=${value} version=${dialog.version} alias=${dialog.alias} onClose=${() => setDialog(null)} />`}
    ${dialog?.what === "move" && html`<${Move} workflow=${value} alias=${dialog.alias} onClose=${close} />`}
    ${(dialog?.what === "approve" || dialog?.what === "drop") && html`<${Confirm} title=${dialog.what === "approve" ? `Approve the move of ${dialog.alias.name} to ${dialog.alias.pending.to}?` : `Drop the move of ${dialog.alias.name}?`} verb=${dialog.what === "approve" ? "Approve" : "Drop it"} onClose=${close}
      act=${() => post("alias", { workflow: value.workflow, alias: dialog.alias.name, what: dialog.what })}><p>Asked for by ${who(dialog.alias.pending.by)}${dialog.alias.pending.reason ? `: ${dialog.alias.pending.reason}` : ""}.</p><//>`}
  </main>`;
}

function Alias({ alias, about, now, onMove, onDecide, onStart }) {
  const entries = Object.entries(alias.routing);
  return html`<div class="alias"><div class="title-line"><h3>${alias.name}</h3>${alias.protected && html`<span class="chip">protected</span>`}
      ${entries.map(([version, weight]) => html`<span class="weight"><meter min="0" max="100" value=${weight} aria-label="${version}: ${weight} percent"></meter> ${version} ${weight}%</span>`)}${entries.length === 0 && html`<span class="soft">leads nowhere yet</span>`}
      <span class="spacer"></span>${about?.actions && html`${entries.length > 0 && html`<${Button} kind="small" aria-label="Start ${alias.name}" onClick=${onStart}>Start<//>`}<${Button} kind="small" aria-label="Move ${alias.name}" onClick=${onMove}>Move<//>`}</div>
    ${alias.pending && html`<p class="notice">A move to ${alias.pending.to} waits for approval by somebody other than ${who(alias.pending.by)}.
      ${about?.actions && html` <${Button} kind="small" onClick=${() => onDecide("approve")}>Approve<//> <${Button} kind="small" onClick=${() => onDecide("drop")}>Drop<//>`}</p>`}
    ${alias.moves.length > 0 && html`<ol class="moves">${alias.moves.slice(-8).reverse().map((each) => html`<li><span class="soft" title=${moment(each.at)}>${when(each.at, now)}</span> ${each.how}${each.to ? ` to ${each.to}` : ""}${each.weight && each.weight < 100 ? ` (${each.weight}%)` : ""} by ${who(each.by)}${each.reason ? `: ${each.reason}` : ""}</li>`)}</ol>`}
  </div>`;
}

function Move({ workflow, alias, onClose }) {
  const [name, setName] = useState(alias.name);
  const [version, setVersion] = useState(workflow.versions[0].version);
  const [weight, setWeight] = useState(100);
  const [reason, setReason] = useState("");
  return html`<${Confirm} title=${alias.name ? `Move ${alias.name}` : "A new alias"} verb=${alias.name ? "Move it" : "Make it"} disabled=${!name} onClose=${onClose}
    act=${() => post("alias", { workflow: workflow.workflow, alias: name, version, weight, reason })}>
    ${!alias.name && html`<label class="field"><span>Name</span><input type="text" value=${name} pattern="[A-Za-z][\\w\\-.]*" maxlength="80" onInput=${(event) => setName(event.target.value)} /></label>`}
    <label class="field"><span>To version</span><select value=${version} onChange=${(event) => setVersion(event.target.value)}>${workflow.versions.map((each) => html`<option>${each.version}</option>`)}</select></label>
    <label class="field"><span>With so much of what is started, in percent</span><input type="number" min="1" max="100" value=${weight} onInput=${(event) => setWeight(Number(event.target.value))} /></label>
    <label class="field"><span>Why, for the story of the alias</span><input type="text" value=${reason} onInput=${(event) => setReason(event.target.value)} /></label>
    ${alias.protected && html`<p class="notice">It is protected: somebody else approves the move.</p>`}
  <//>`;
}

export function Compare({ query }) {
  const [workflow, old, next] = ["workflow", "old", "new"].map((name) => query.get(name) || "");
  const { value, problem } = useLoaded((options) => get("compare", { workflow, old, new: next }, options), [workflow, old, next]);
  const [node, setNode] = useState(null);
  const [tab, setTab] = useState("graph");
  if (problem) return html`<main class="page"><h1>${workflow}</h1><${Failure} problem=${problem} /></main>`;
  if (!value) return html`<main class="page"><h1>${workflow}</h1><${Loading} /></main>`;
  return html`<main class="page"><div class="page-head"><nav class="crumbs" aria-label="Where this is"><a href="#/workflows">Workflows</a></nav><h1>${workflow}: ${old} and ${next}</h1></div>
    <section class="panel padded"><h2>What differs</h2>${value.differences.length ? html`<ul class="plain">${value.differences.map((each) => html`<li>${each.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part))}</li>`)}</ul>` : html`<p class="soft">They mean the same.</p>`}
      ${value.breaks.length > 0 && html`<h3>Breaks what relies on the old contract</h3><ul class="plain">${value.breaks.map((each) => html`<li>${each}</li>`)}</ul>`}</section>
    <section class="panel"><${Tabs} tabs=${[["graph", "Graphs"], ["text", "Text"]]} chosen=${tab} onChoose=${setTab} label="How to compare" />
      <div role="tabpanel" id="panel-${tab}" aria-labelledby="tab-${tab}" class="tab-content">
      ${tab === "graph" ? html`<div class="beside">${["old", "new"].map((side) => html`<div><h3>${value[side].version}</h3><${Graph} plan=${value[side].plan} marks=${value.marks[side]} chosen=${node} onChoose=${setNode} label="Graph of ${value[side].version}" /></div>`)}</div>
        <p class="legend"><span class="key mark-added">added</span><span class="key mark-removed">removed</span><span class="key mark-changed">changed</span></p>`
        : html`<${Diff} old=${value.old.source} next=${value.new.source} label="Text of both" />`}</div></section>
  </main>`;
}
