// The API: what looks is a GET, what does something a POST with the header that only this page sends.

export class Problem extends Error {
  constructor(status, answer) {
    super(answer.message || `the answer was ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

async function answered(response) {
  let answer = {};
  try {
    answer = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    answer = { message: `the answer was ${response.status}, and no JSON` };
  }
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

export async function get(name, parameters = {}, options = {}) {
  return answered(await fetch(`api/${name}?${query(parameters)}`, { credentials: "same-origin", ...options }));
}

export async function post(name, body, options = {}) {
  const headers = { "content-type": "application/json", "x-stratum-console": "1" };
  return answered(
    await fetch(`api/${name}`, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body), ...options }),
  );
}

// Follows what changes while the page is seen: a browser has few connections to one address, and a hidden tab needs none.
// `parameters` is asked anew for every connection, so that it goes on after what is there by then. `lost` is told whether
// the connection is gone at the moment.
export function follow(parameters, changed, lost = () => {}) {
  let source = null;
  const close = () => {
    source?.close();
    source = null;
  };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(`api/stream?${query(parameters())}`);
    source.onopen = () => lost(false);
    source.onmessage = (message) => changed(JSON.parse(message.data));
    source.onerror = () => {
      lost(true);
      close(); // the browser would ask for the same place again, and be told twice
      setTimeout(open, 2000);
    };
  };
  const seen = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", seen);
  open();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    close();
    source = { close() {} }; // what is still to be opened again is not
  };
}
