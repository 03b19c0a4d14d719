// Bundles the two entries, and gathers the licences of all that went into them.
import { build } from "esbuild";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const out = "../static/vendor";
const made = await build({
  entryPoints: ["view.js", "editor.js"], outdir: out, bundle: true, format: "esm", minify: true, target: "es2022",
  legalComments: "none", metafile: true, logLevel: "info",
});
const packages = new Map();
for (const input of Object.keys(made.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.set(found[1], join("node_modules", found[1]));
}
const parts = [...packages].sort().map(([name, folder]) => {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${about.version} (${about.license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
});
writeFileSync(join(out, "LICENSES.txt"), parts.join(`\n${"-".repeat(72)}\n\n`));
