// Times, sizes and names as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const count = new Intl.NumberFormat();

export const number = (value) => count.format(value);
export const time = (at) => clock.format(at);
export const moment = (at) => whole.format(at);

export function when(at, now = Date.now()) {
  const today = new Date(now).toDateString() === new Date(at).toDateString();
  return today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

export function duration(milliseconds) {
  if (milliseconds < 0) return "0 ms";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function ago(at, now) {
  const past = now - at;
  if (Math.abs(past) < 1500) return "just now";
  return past < 0 ? `in ${duration(-past)}` : `${duration(past)} ago`;
}

export function who(identity) {
  if (!identity) return "nobody has said";
  const name = identity.agent || identity.user || identity.via;
  return identity.via && identity.via !== name ? `${name} (${identity.via})` : name;
}

export const plural = (value, word, words = `${word}s`) => `${number(value)} ${value === 1 ? word : words}`;

export const STATUS = {
  RUNNING: ["running", "Running"], SUCCEEDED: ["done", "Succeeded"], FAILED: ["failed", "Failed"],
  TIMED_OUT: ["failed", "Timed out"], ABORTED: ["stopped", "Aborted"],
  running: ["running", "Running"], waiting: ["waiting", "Waiting"], retrying: ["retrying", "Retrying"], done: ["done", "Done"],
  failed: ["failed", "Failed"], skipped: ["skipped", "Skipped"], stopped: ["stopped", "Stopped"],
  violated: ["retrying", "Violated"],
};

export function nameOf(execution) {
  return execution.slice(execution.lastIndexOf(":") + 1);
}
