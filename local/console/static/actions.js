// What people do to executions, each confirmed and written down under their name.

import { html, useEffect, useState } from "./vendor/view.js";
import { get, post } from "./api.js";
import { Confirm, Failure, Loading } from "./parts.js";
import { SchemaForm, blank } from "./forms.js";
import { nameOf } from "./format.js";
import { go } from "./state.js";

export function StopDialog({ told, onClose }) {
  const [cause, setCause] = useState("");
  return html`<${Confirm} title="Stop ${told.name}?" verb="Stop it" danger onClose=${onClose} act=${() => post("stop", { execution: told.execution, cause })}>
    <p>What it has asked for and has not been answered is let go. It can be redriven later.</p>
    <label class="field"><span>Why, for the log</span><input type="text" value=${cause} onInput=${(event) => setCause(event.target.value)} autofocus /></label>
  <//>`;
}

export function RedriveDialog({ told, onClose }) {
  return html`<${Confirm} title="Redrive ${told.name}?" verb="Redrive it" onClose=${onClose} act=${() => post("redrive", { execution: told.execution })}>
    <p>It goes on where it failed, with what it has done so far. What failed is tried again.</p>
  <//>`;
}

export function ForkDialog({ told, visit, onClose }) {
  const [name, setName] = useState("");
  const [reason, setReason] = useState("");
  const [other, setOther] = useState(false);
  const [input, setInput] = useState(() => JSON.stringify(told.input, null, 2));
  const act = async () => {
    const body = { execution: told.execution, event: visit.id, name, reason };
    if (other) body.input = JSON.parse(input);
    const made = await post("fork", body);
    go(`execution/${encodeURIComponent(made.execution)}`);
  };
  return html`<${Confirm} title="Fork ${told.name} at ${visit.step}?" verb="Fork it" onClose=${onClose} act=${act} wide>
    <p>A new execution keeps all that had been done before event ${visit.id}, and goes on from there. ${told.name} stays as it is. Gates ask again.</p>
    <label class="field"><span>Name of the new execution <em>(one is made where this is empty)</em></span><input type="text" value=${name} maxlength="80" onInput=${(event) => setName(event.target.value)} /></label>
    <label class="field"><span>Why, for the log</span><input type="text" value=${reason} onInput=${(event) => setReason(event.target.value)} /></label>
    <label class="check"><input type="checkbox" checked=${other} onChange=${(event) => setOther(event.target.checked)} /> With another input from there on</label>
    ${other && html`<label class="field"><span>Input (JSON)</span><textarea rows="10" spellcheck="false" class="code" value=${input} onInput=${(event) => setInput(event.target.value)}></textarea></label>`}
  <//>`;
}

export function StartDialog({ workflow, version, alias, onClose }) {
  const [form, setForm] = useState(null);
  const [problem, setProblem] = useState(null);
  const [value, setValue] = useState({});
  const [valid, setValid] = useState(true);
  const [name, setName] = useState("");
  useEffect(() => void get("start-form", { machine: workflow.machine, version }).then((told) => {
    setForm(told);
    setValue(told.schema ? blank(told.schema) : {});
  }, setProblem), []);
  const act = async () => {
    const made = await post("start", { machine: workflow.machine, version, alias, name, input: value });
    go(`execution/${encodeURIComponent(made.execution)}`);
  };
  const what = `${workflow.workflow}${version || alias ? `@${version || alias}` : ""}`;
  return html`<${Confirm} title="Start ${what}" verb="Start" onClose=${onClose} act=${act} disabled=${!form || !valid} wide>
    ${problem && html`<${Failure} problem=${problem} />`}
    ${!form && !problem && html`<${Loading} />`}
    ${form && html`
      <label class="field"><span>Name of the execution <em>(one is made where this is empty)</em></span><input type="text" value=${name} maxlength="80" onInput=${(event) => setName(event.target.value)} /></label>
      <${SchemaForm} key=${form.used || 0} schema=${form.schema} value=${value} onChange=${setValue} onValid=${setValid} secrets=${form.secrets} title="Input" />
      ${form.last !== null && html`<p><button type="button" class="button small" onClick=${() => { setValue(form.last); setForm({ ...form, used: (form.used || 0) + 1 }); }}>Take the input of the last execution</button></p>`}`}
  <//>`;
}

export { nameOf };
