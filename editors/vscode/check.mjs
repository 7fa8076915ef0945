// The grammar colours what it should: a few lines, tokenised as the editor does it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");
const { parseRawGrammar, Registry, INITIAL } = require("vscode-textmate");

await loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
const path = "syntaxes/harn.tmLanguage.json";
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new OnigScanner(patterns),
    createOnigString: (text) => new OnigString(text),
  }),
  loadGrammar: async () => parseRawGrammar(readFileSync(path, "utf8"), path),
});
const grammar = await registry.loadGrammar("source.harn");

// Line, piece of it, scope that the piece must have.
const expected = [
  ["pub fn area(r: float) -> float {", "area", "entity.name.function.harn"],
  ['let s = "a ${f(x)} b"', "f", "entity.name.function.call.harn"],
  ['let s = "a ${ {k: 1} } b"', " b", "string.quoted.double.harn"],
  ["import { a } from \"b\"", "import", "keyword.control.import.harn"],
  ["deadline 10ms { /* a /* b */ c */ x() }", "10ms", "constant.numeric.duration.harn"],
  ["deadline 10ms { /* a /* b */ c */ x() }", "x", "entity.name.function.call.harn"],
  ["/** Doc. */", " Doc. ", "comment.block.documentation.harn"],
  ["@deprecated(since: \"1\")", "@deprecated", "entity.name.function.decorator.harn"],
  ["if x not in xs { return nil }", "nil", "constant.language.harn"],
];
let failed = 0;
for (const [line, piece, scope] of expected) {
  const { tokens } = grammar.tokenizeLine(line, INITIAL);
  const found = tokens.find((t) => line.slice(t.startIndex, t.endIndex) === piece);
  if (!found?.scopes.includes(scope)) {
    failed += 1;
    console.error(`${line}\n  ${piece}: ${found?.scopes.join(" ") ?? "no such token"}, expected ${scope}`);
  }
}
if (failed > 0) process.exit(1);
console.log(`grammar: ${expected.length} lines coloured as expected`);
