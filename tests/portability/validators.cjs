// Judges definitions with AWS's language service and with asl-validator.
// stdin: a JSON array of [name, definition]; stdout: a JSON array of {name, judge, message, line}.
const validator = require("asl-validator");
const service = require("amazon-states-language-service");
const { TextDocument } = require("vscode-languageserver-textdocument");

async function main() {
  const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const judge = service.getLanguageService({});
  const found = [];
  for (const [name, definition] of given) {
    const verdict = validator(definition, { checkPaths: true, checkArn: true });
    for (const error of verdict.errors) {
      found.push({ name, judge: "asl-validator", message: JSON.stringify(error), line: "" });
    }
    const text = JSON.stringify(definition, null, 1);
    const document = TextDocument.create(`memory://${found.length}`, "asl", 1, text);
    for (const one of await judge.doValidation(document, judge.parseJSONDocument(document))) {
      const line = text.split("\n")[one.range.start.line].trim().slice(0, 200);
      found.push({ name, judge: "amazon-states-language-service", message: one.message, line });
    }
  }
  process.stdout.write(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
