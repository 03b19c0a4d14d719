// A form made from a JSON Schema, such as a workflow's input contract or a gate's form; or the same as JSON.

import { html, useEffect, useState } from "./vendor/view.js";
import { Button, Icon } from "./parts.js";

let made = 0;

export function SchemaForm({ schema, value, onChange, onValid = () => {}, secrets = [], title }) {
  const [raw, setRaw] = useState(!schema || !simple(schema));
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState(null);
  const typed = (written) => {
    setText(written);
    try {
      onChange(JSON.parse(written));
      setWrong(null);
      onValid(true);
    } catch (error) {
      setWrong(error.message);
      onValid(false);
    }
  };
  const turn = () => {
    setText(JSON.stringify(value, null, 2));
    setWrong(null);
    onValid(true);
    setRaw(!raw);
  };
  return html`<fieldset class="schema"><legend>${title}</legend>
    ${raw ? html`<label class="field"><span>JSON</span><textarea rows="10" spellcheck="false" class="code" aria-invalid=${Boolean(wrong)} value=${text} onInput=${(event) => typed(event.target.value)}></textarea></label>
        ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}`
      : html`<${Field} schema=${schema} value=${value} onChange=${onChange} secret=${false} secrets=${secrets} required />`}
    ${schema && html`<p><${Button} kind="small" disabled=${Boolean(wrong)} onClick=${turn}>${raw ? "As a form" : "As JSON"}<//></p>`}
  </fieldset>`;
}

// Without the null that an optional one may be.
function bare(schema) {
  const ways = schema.anyOf;
  const real = ways?.filter((each) => each.type !== "null");
  return real?.length === 1 && real.length < ways.length ? real[0] : schema;
}

const simple = (schema) => bare(schema).type === "object" && Boolean(bare(schema).properties);

// A value to begin with: what the schema says must be there, empty.
export function blank(schema) {
  const own = bare(schema);
  if ("default" in own) return own.default;
  if (own !== schema) return null;
  if (own.enum) return own.enum[0];
  if (own.type === "object") return Object.fromEntries(Object.entries(own.properties || {}).filter(([name]) => own.required?.includes(name)).map(([name, each]) => [name, blank(each)]));
  if (own.type === "array") return Array.from({ length: own.minItems || (own.items && bare(own.items).type === "object" ? 1 : 0) }, () => blank(own.items || {}));
  return { string: "", boolean: false, integer: own.minimum ?? 0, number: own.minimum ?? 0 }[own.type] ?? null;
}

function Field({ schema, value, onChange, name, required, secret, secrets = [] }) {
  const own = bare(schema);
  const words = html`<span>${name}${required ? "" : html` <em>(optional)</em>`}${own.description && html` <em>${own.description}</em>`}</span>`;
  if (own.enum) {
    return html`<label class="field">${words}<select value=${JSON.stringify(value)} onChange=${(event) => onChange(JSON.parse(event.target.value))}>
      ${!required && html`<option value="null">–</option>`}${own.enum.map((each) => html`<option value=${JSON.stringify(each)}>${String(each)}</option>`)}</select></label>`;
  }
  if (own.type === "boolean") return html`<label class="check field"><input type="checkbox" checked=${value === true} onChange=${(event) => onChange(event.target.checked)} />${words}</label>`;
  if (own.type === "integer" || own.type === "number") {
    return html`<label class="field">${words}<input type="number" value=${value ?? ""} min=${own.minimum} max=${own.maximum} step=${own.type === "integer" ? 1 : "any"} required=${required}
      onInput=${(event) => onChange(event.target.value === "" ? null : Number(event.target.value))} /></label>`;
  }
  if (own.type === "string") {
    const set = (event) => onChange(event.target.value === "" && !required ? null : event.target.value);
    const long = (own.maxLength || 0) > 200 || String(value ?? "").includes("\n");
    return html`<label class="field">${words}${long ? html`<textarea rows="4" value=${value ?? ""} onInput=${set}></textarea>`
      : html`<input type=${secret ? "password" : "text"} autocomplete="off" value=${value ?? ""} minlength=${own.minLength} maxlength=${own.maxLength} pattern=${plain(own.pattern)} placeholder=${own.format === "date-time" ? "2026-01-31T12:00:00Z" : undefined} onInput=${set} />`}</label>`;
  }
  if (own.type === "object" && own.properties) return html`<${Members} own=${own} value=${value} onChange=${onChange} name=${name} required=${required} secrets=${secrets} />`;
  if (own.type === "array" && own.items) return html`<${Items} own=${own} value=${value} onChange=${onChange} name=${name} />`;
  return html`<${Free} name=${words} value=${value} onChange=${onChange} />`;
}

// A browser's pattern is of the whole text, a schema's of any part.
function plain(pattern) {
  if (!pattern) return undefined;
  return `${pattern.startsWith("^") ? "" : ".*"}${pattern.replace(/^\^/, "").replace(/\$$/, "")}${pattern.endsWith("$") ? "" : ".*"}`;
}

function Members({ own, value, onChange, name, required, secrets }) {
  const there = value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
  const set = (key) => (next) => {
    const changed = { ...there, [key]: next };
    if (next === null && !own.required?.includes(key)) delete changed[key];
    onChange(changed);
  };
  const fields = Object.entries(own.properties).map(([key, each]) => html`<${Field} key=${key} schema=${each} name=${key} value=${there[key]} onChange=${set(key)} required=${own.required?.includes(key) ?? false} secret=${secrets.includes(key)} />`);
  return name ? html`<fieldset class="members"><legend>${name}${required ? "" : html` <em>(optional)</em>`}</legend>${fields}</fieldset>` : fields;
}

function Items({ own, value, onChange, name }) {
  const items = Array.isArray(value) ? value : [];
  return html`<fieldset class="members"><legend>${name}</legend>
    ${items.map((each, at) => html`<div class="item" key=${at}><div class="item-body"><${Field} schema=${own.items} name="${name} ${at + 1}" value=${each} required onChange=${(next) => onChange(items.map((old, place) => (place === at ? next : old)))} /></div>
      <button type="button" class="button plain" aria-label="Remove ${name} ${at + 1}" onClick=${() => onChange(items.filter((_, place) => place !== at))}><${Icon} name="close" /></button></div>`)}
    <${Button} kind="small" icon="plus" onClick=${() => onChange([...items, blank(own.items)])}>Add one<//></fieldset>`;
}

function Free({ name, value, onChange }) {
  const [text, setText] = useState(() => JSON.stringify(value ?? null));
  const [wrong, setWrong] = useState(null);
  const [id] = useState(() => `free-${++made}`);
  useEffect(() => setWrong(null), []);
  const typed = (event) => {
    setText(event.target.value);
    try {
      onChange(JSON.parse(event.target.value));
      setWrong(null);
    } catch (error) {
      setWrong(error.message);
    }
  };
  return html`<label class="field" for=${id}>${name} <em>(JSON)</em><textarea id=${id} rows="3" class="code" spellcheck="false" aria-invalid=${Boolean(wrong)} value=${text} onInput=${typed}></textarea>${wrong && html`<span class="wrong">${wrong}</span>`}</label>`;
}
