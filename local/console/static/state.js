// What the whole page shares: where it is, whose clock it goes by.

import { useEffect, useState } from "./vendor/view.js";
import { useNow } from "./parts.js";

export function go(place, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  const query = new URLSearchParams(given).toString();
  location.hash = `#/${place}${query ? `?${query}` : ""}`;
}

export function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/");
  let argument = null;
  try {
    argument = parts.length > 1 ? decodeURIComponent(parts.slice(1).join("/")) : null;
  } catch {
    argument = parts.slice(1).join("/");
  }
  return { view: parts[0] || "executions", argument, query: new URLSearchParams(query || "") };
}

export function usePlace() {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const moved = () => setAt(place());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return at;
}

// The server's time: its clock may be another than the browser's, or a virtual one.
export function useServerNow(about, active = true) {
  const now = useNow(1000, active);
  return now + (about?.skew || 0);
}
