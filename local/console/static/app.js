// The console: its frame, and which view is shown.

import { html, render, useEffect, useState } from "./vendor/view.js";
import { follow, get } from "./api.js";
import { Icon } from "./parts.js";
import { Executions } from "./executions.js";
import { Execution } from "./execution.js";
import { Gates } from "./gates.js";
import { Agents } from "./agents.js";
import { Compare, Workflow, Workflows } from "./workflows.js";
import { who } from "./format.js";
import { usePlace } from "./state.js";

const THEME = "stratum-theme";
const TITLES = { executions: "Executions", execution: "Execution", gates: "Gates", agents: "Work of agents", workflows: "Workflows", workflow: "Workflow", compare: "Versions", editor: "Editor" };

function App() {
  const { view, argument, query } = usePlace();
  const [about, setAbout] = useState(null);
  const [workflows, setWorkflows] = useState([]);
  const [locked, setLocked] = useState(null);

  useEffect(() => {
    const take = (told) => setAbout({ ...told, skew: told.now - Date.now() });
    get("about").then(take, (problem) => setLocked(problem.message));
    get("workflows").then(setWorkflows, () => {});
  }, []);
  // One connection for what the frame shows; a view that lists or follows something has its own.
  useEffect(() => (view === "execution" ? undefined : follow(() => ({}), (told) => setAbout({ ...told.about, skew: told.about.now - Date.now() }))), [view === "execution"]);
  useEffect(() => {
    document.title = `${argument && view === "execution" ? argument.slice(argument.lastIndexOf(":") + 1) : TITLES[view] || "Stratum"} · Stratum`;
    document.querySelector("main")?.focus?.();
  }, [view, argument]);

  if (locked) return html`<main class="locked"><h1>This console cannot be seen</h1><p>${locked}</p></main>`;
  return html`<a class="skip" href="#content" onClick=${(event) => { event.preventDefault(); document.querySelector("main h1")?.scrollIntoView(); document.querySelector("main a, main button, main input")?.focus(); }}>To the content</a>
    <header class="top"><a class="brand" href="#/executions"><img src="icon.svg" alt="" width="22" height="22" />Stratum</a>
      <nav aria-label="Views">
        <${Link} to="executions" view=${view} also="execution">Executions<//>
        <${Link} to="workflows" view=${view} also="workflow compare">Workflows<//>
        <${Link} to="gates" view=${view} count=${about?.waiting.gates}>Gates<//>
        <${Link} to="agents" view=${view} count=${about?.waiting.agents}>Agents<//>
        <${Link} to="editor" view=${view}>Editor<//>
      </nav>
      <span class="spacer"></span>
      ${about && html`<span class="who" title=${about.place}>${about.actions ? html`<${Icon} name="person" /> ${who(about.who)}` : "read-only"}</span>`}
      <${Theme} />
    </header>
    <div class="content" id="content"><${View} ...${{ view, argument, query, about, workflows }} /></div>`;
}

function Link({ to, view, also = "", count, children }) {
  const here = view === to || also.split(" ").includes(view);
  return html`<a href="#/${to}" aria-current=${here ? "page" : undefined}>${children}${count > 0 && html` <span class="badge" aria-label="${count} open">${count}</span>`}</a>`;
}

function View({ view, argument, query, about, workflows }) {
  if (view === "execution" && argument) return html`<${Execution} key=${argument} execution=${argument} about=${about} />`;
  if (view === "gates") return html`<${Gates} about=${about} argument=${argument} />`;
  if (view === "agents") return html`<${Agents} about=${about} />`;
  if (view === "workflows") return html`<${Workflows} about=${about} />`;
  if (view === "workflow" && argument) return html`<${Workflow} key=${argument} about=${about} machine=${argument} />`;
  if (view === "compare") return html`<${Compare} query=${query} />`;
  if (view === "editor") return html`<${Lazy} key=${argument || ""} about=${about} argument=${argument} />`;
  return html`<${Executions} query=${query} workflows=${workflows} about=${about} />`;
}

// The editor is the largest part, and most who come here never open it.
function Lazy(properties) {
  const [Editor, setEditor] = useState(null);
  useEffect(() => void import("./editor.js").then((module) => setEditor(() => module.Editor)), []);
  return Editor ? html`<${Editor} ...${properties} />` : html`<main class="page"><h1>Editor</h1></main>`;
}

function Theme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState(() => localStorage.getItem(THEME) || system);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const turn = () => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem(THEME, next);
    setTheme(next);
  };
  return html`<button type="button" class="button plain" aria-label=${theme === "dark" ? "Light colours" : "Dark colours"} onClick=${turn}><${Icon} name=${theme === "dark" ? "sun" : "moon"} /></button>`;
}

render(html`<${App} />`, document.getElementById("app"));
