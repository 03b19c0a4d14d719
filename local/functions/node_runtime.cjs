// What Lambda's Node runtime does around a handler: imports it, hands it event and context, marshals its answer.
//
// Started by node_launcher.py as a worker process that runs one handler, warm from call to call. Requests come on one
// pipe and answers go out on another, each as four bytes of length and JSON; the first answer says that the handler is
// loaded, or why it is not. What is printed goes to stderr, where the parent keeps it as the function's log; a mark tells
// the parent that a call's log is over. The Python runtime (handler_runtime.py) speaks the same way.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const util = require("node:util");
const { pathToFileURL } = require("node:url");

const options = JSON.parse(process.argv[2]);
process.argv.splice(1);
const MAX_RESPONSE = 6291556;
const MAX_TEXT = 32768;
const MAX_FRAMES = 100;
const EXTENSIONS = ["", ".js", ".mjs", ".cjs"];

let current = null; // the call that is being answered
const requests = new net.Socket({ fd: options.requests, readable: true, writable: false });

class Fault extends Error {
  constructor(type, message) {
    super(message);
    this.name = type;
    this.stack = `${type}: ${message}`;
  }
}

// -- answers --------------------------------------------------------------------------------------------

function send(answer) {
  // The empty answer says that the handler is loaded.
  const told = Object.keys(answer).length ? { ...answer, memory: process.resourceUsage().maxRSS } : answer;
  const body = Buffer.from(JSON.stringify(told));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  write(options.answers, Buffer.concat([head, body]));
}

function write(file, data) {
  for (let at = 0; at < data.length; ) {
    try {
      at += fs.writeSync(file, data, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function answer(given) {
  current = null;
  write(2, Buffer.from(options.mark));
  send(given);
  requests.ref();
}

function document(error) {
  if (!(error instanceof Error) && !util.types.isNativeError(error)) {
    return { errorType: typeof error, errorMessage: bounded(String(error)), trace: [] };
  }
  const frames = String(error.stack ?? "").split("\n");
  const own = frames.filter((line) => !line.includes(__filename) && !line.includes("node:internal"));
  return { errorType: error.name, errorMessage: bounded(error.message), trace: own.slice(0, MAX_FRAMES) };
}

function bounded(text) {
  const over = text.length - MAX_TEXT;
  return over <= 0 ? text : `${text.slice(0, MAX_TEXT)} [${over} characters cut off]`;
}

function failed(error, label, more = {}) {
  const told = document(error);
  log("ERROR", [`${label} \t${JSON.stringify({ ...told, trace: undefined, stack: told.trace })}`]);
  answer({ document: told, ...more });
}

// -- the log --------------------------------------------------------------------------------------------

function log(level, parts) {
  const text = util.format(...parts).replaceAll("\n", "\r");
  write(2, Buffer.from(`${new Date().toISOString()}\t${current?.context.awsRequestId ?? "undefined"}\t${level}\t${text}\n`));
}

for (const [name, level] of Object.entries({
  log: "INFO", info: "INFO", warn: "WARN", error: "ERROR", debug: "DEBUG", trace: "TRACE", fatal: "FATAL",
})) {
  console[name] = (...parts) => log(level, parts);
}
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);

// -- the handler ----------------------------------------------------------------------------------------

async function load() {
  const file = options.folders
    .flatMap((folder) => EXTENSIONS.map((extension) => path.resolve(folder, options.module + extension)))
    .find((each) => fs.statSync(each, { throwIfNoEntry: false })?.isFile());
  if (file === undefined) throw new Fault("Runtime.ImportModuleError", `Error: Cannot find module '${options.module}'`);
  let loaded;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw new Fault("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    if (error instanceof SyntaxError) throw new Fault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    throw error;
  }
  const handler = loaded[options.attribute] ?? loaded.default?.[options.attribute];
  const name = `${options.module}.${options.attribute}`;
  if (handler === undefined) throw new Fault("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new Fault("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

function contextOf(request) {
  const ends = request.timeout === null ? null : Date.now() + request.timeout * 1000;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: options.name,
    functionVersion: options.about.version,
    memoryLimitInMB: options.about.memory,
    invokedFunctionArn: request.arn || options.about.arn || `arn:aws:lambda:us-east-1:123456789012:function:${options.name}`,
    awsRequestId: request.request_id,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    identity: undefined,
    clientContext: request.client_context ? { custom: request.client_context } : undefined,
    getRemainingTimeInMillis: () => (ends === null ? 900000 : Math.max(0, ends - Date.now())),
    succeed: (value) => settle(null, value),
    fail: (error) => settle(error ?? "handled"),
    done: (error, value) => settle(error, value),
  };
}

// A handler answers by its promise or by the callback. An answer by callback goes out when nothing is left to do,
// unless the context says otherwise; where nothing is left and nobody has answered, the answer is null.
function settle(error, value, { promised = false } = {}) {
  if (current === null || current.settled) return;
  current.settled = true;
  if (error !== null && error !== undefined) {
    failed(error, "Invoke Error");
  } else if (promised || !current.context.callbackWaitsForEmptyEventLoop) {
    succeeded(value);
  } else {
    current.waiting = { value };
  }
}

function succeeded(value) {
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch (error) {
    return failed(new Fault("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`), "Invoke Error");
  }
  if (Buffer.byteLength(text) > MAX_RESPONSE) {
    const message = `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE} bytes).`;
    return answer({ error: "Function.ResponseSizeTooLarge", message, stack: null });
  }
  return answer({ payload: text });
}

function invoke(handler, request) {
  const context = contextOf(request);
  current = { context, settled: false, waiting: null };
  const mine = current;
  requests.unref(); // else the loop would never be empty
  try {
    const given = handler(JSON.parse(request.payload), context, (error, value) => current === mine && settle(error, value));
    if (typeof given?.then === "function") {
      given.then(
        (value) => current === mine && settle(null, value, { promised: true }),
        (error) => current === mine && settle(error ?? new Error(String(error))),
      );
    }
  } catch (error) {
    settle(error ?? new Error(String(error)));
  }
}

process.on("beforeExit", () => {
  if (current !== null) succeeded(current.waiting?.value);
});

for (const [event, type, status] of [["uncaughtException", null, 129], ["unhandledRejection", "Runtime.UnhandledPromiseRejection", 128]]) {
  process.on(event, (reason) => {
    if (current !== null) {
      let error = reason;
      if (type !== null) {
        error = new Fault(type, reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason));
        if (reason instanceof Error) error.stack = [error.stack, ...String(reason.stack).split("\n").slice(1)].join("\n");
      }
      failed(error, type === null ? "Uncaught Exception" : "Unhandled Promise Rejection", { ends: true });
    }
    process.exit(status);
  });
}

// -- requests -------------------------------------------------------------------------------------------

load().then(
  (handler) => {
    let unread = Buffer.alloc(0);
    requests.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readUInt32BE(0)) {
        const end = 4 + unread.readUInt32BE(0);
        const request = JSON.parse(unread.subarray(4, end).toString());
        unread = unread.subarray(end);
        invoke(handler, request);
      }
    });
    requests.on("end", end);
    requests.on("error", end);
    send({});
  },
  (error) => {
    failed(error, "Uncaught Exception", { ends: true });
    process.exit(1);
  },
);

// There is no parent any more: this process ends, and what the handler has started in its group.
function end() {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.exit(1);
  }
}
