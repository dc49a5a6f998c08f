// node web_corpus.js CALCULUS.js < CASES.json: the texts of the WebAssembly build for [[expression, options, formats], ...].
"use strict";

const [, , library] = process.argv;
const files = require("fs");
const cases = JSON.parse(files.readFileSync(0, "utf8"));

require(library)({ wasmBinary: files.readFileSync(library.replace(/js$/, "wasm")) }).then((module) => {
  const derive = module.cwrap("web_derive", "string", ["string", "string"]);
  const text = module.cwrap("web_text", "string", ["number", "number", "number"]);
  const answers = cases.map(([expression, options, parts]) => {
    const found = JSON.parse(derive(expression, options));
    if (found.errors) return { message: found.message };
    return { texts: parts.map(([part, format]) => JSON.parse(text(part, 0, format)).text) };
  });
  process.stdout.write(JSON.stringify(answers));
});
