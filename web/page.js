// The page: reads what is typed, has it derived, shows the parts. State is what the address says behind '#'.
"use strict";

(() => {
  const started = performance.now();
  const at = (id) => document.getElementById(id);
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const element = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content.firstChild;
  };

  // Parts and formats of tracegrad.h
  const PART = { expression: 1, derivative: 2, function: 7 };
  const FORMAT = { human: 0, expr: 2, latex: 3, numpy: 4, octave: 5, julia: 7, matlab: 8, pytorch: 9, jax: 10, c: 11, fortran: 12 };
  const PROPERTIES = [["", "any"], ["symmetric", "symmetric"], ["spd", "positive definite"], ["psd", "positive semidefinite"],
    ["diagonal", "diagonal"], ["orthogonal", "orthonormal columns"], ["positive", "positive entries"]];
  const LANGUAGES = [["latex", "LaTeX"], ["expr", "tracegrad"], ["job", "tracegrad job"], ["numpy", "NumPy function"],
    ["jax", "JAX function"], ["pytorch", "PyTorch function"], ["julia", "Julia function"], ["matlab", "MATLAB function"],
    ["octave", "Octave function"], ["c", "C function"], ["fortran", "Fortran module"], ["numpy-line", "NumPy expression"]];

  const state = { expression: "", wrt: null, dims: {}, properties: {} };
  let calculus = null; // the functions of the module
  let isShown = false; // a gradient, so far
  let answer = null; // the last derivation that succeeded

  // ---- the address ----

  // A plus is a plus: who writes a link by hand means a sum, and not the space that it is in forms.
  function readAddress() {
    const query = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
    state.expression = query.get("f") || "tr(X'*A*X)";
    state.wrt = query.get("wrt") ? query.get("wrt").split(",") : null;
    state.dims = {};
    state.properties = {};
    for (const entry of (query.get("dims") || "").split(",").filter(Boolean)) {
      const [name, size] = entry.split("=");
      const [rows, columns] = (size || "").split("x");
      state.dims[name] = [rows, columns === undefined ? "1" : columns];
    }
    for (const [property] of PROPERTIES)
      if (property) for (const name of (query.get(property) || "").split(",").filter(Boolean)) state.properties[name] = property;
  }

  function declarations() {
    const found = {};
    const dims = Object.entries(state.dims).map(([name, [rows, columns]]) => `${name}=${rows}x${columns}`);
    if (dims.length) found.dims = dims.join(",");
    for (const [name, property] of Object.entries(state.properties)) found[property] = found[property] ? `${found[property]},${name}` : name;
    return found;
  }

  function address() {
    return fragment({ f: state.expression, ...(state.wrt ? { wrt: state.wrt.join(",") } : {}), ...declarations() });
  }

  // Parentheses and quotes too: a link ends before them in many texts.
  function fragment(values) {
    const escape = (words) => encodeURIComponent(words).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    return `#${Object.entries(values).map(([name, words]) => `${name}=${escape(words)}`).join("&")}`;
  }

  // ---- deriving ----

  // Names in the text that are no functions, in order.
  function namesIn(text) {
    const found = [];
    for (const [, name, call] of text.matchAll(/(?<![\w.\\])([\p{L}_][\p{L}\d_]*)\s*(\()?/gu))
      if (!call && !found.includes(name) && !["eye", "ones", "zeros", "I", "pi"].includes(name)) found.push(name);
    return found;
  }

  // The variable where none was chosen: the letters that one differentiates by, else the first name.
  function guess(names) {
    return ["X", "x", "W", "w", "U", "theta", "beta", "Z", "z", "K", "S"].find((name) => names.includes(name)) || names[0];
  }

  function ask(hessian, wrt) {
    const options = [`wrt=${wrt.join(",")}`, "max_nodes=60000"];
    for (const [name, value] of Object.entries(declarations())) options.push(`${name}=${value}`);
    if (hessian) options.push("hessian=true");
    return JSON.parse(calculus.derive(state.expression, options.join("\n")));
  }

  function derive() {
    const names = namesIn(state.expression);
    let wrt = (state.wrt || []).filter((name) => names.includes(name));
    if (wrt.length === 0) wrt = [guess(names) || "X"];
    let found = ask(true, wrt);
    if (found.errors && found.errors.every((error) => /hessian/.test(error.message))) found = ask(false, wrt);
    found.wrt = wrt;
    return found;
  }

  // ---- input ----

  // Characters of a text before so many bytes of it.
  function charactersBefore(text, bytes) {
    return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, bytes)).length;
  }

  function showErrors(found) {
    const box = at("errors");
    const wrong = found && found.errors && state.expression.trim() !== "";
    at("expression").classList.toggle("wrong", Boolean(wrong));
    at("expression").setAttribute("aria-invalid", String(Boolean(wrong)));
    if (!wrong) {
      box.replaceChildren();
      return;
    }
    box.replaceChildren(...found.errors.slice(0, 4).map((error) => {
      const pre = document.createElement("pre");
      const isHere = error.source === "expression";
      let text = error.message;
      if (isHere && !state.expression.includes("\n") && state.expression.length < 70) {
        const begin = charactersBefore(state.expression, error.begin);
        const end = charactersBefore(state.expression, error.begin + error.length);
        text = `${state.expression}\n${" ".repeat(begin)}^${"~".repeat(Math.max(0, end - begin - 1))}`;
        const place = document.createElement("pre");
        place.className = "place";
        place.textContent = text;
        place.setAttribute("aria-hidden", "true");
        const both = document.createElement("div");
        pre.textContent = error.message;
        both.append(pre, place);
        return both;
      }
      pre.textContent = error.source && !isHere ? `${error.source}: ${text}` : text;
      return pre;
    }));
  }

  function resize() {
    const box = at("expression");
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 3}px`;
  }

  // ---- names ----

  function setSize(name, which, text, shown) {
    const given = text.trim();
    if (given === "") {
      delete state.dims[name];
    } else {
      const sizes = state.dims[name] || shown.slice();
      sizes[which] = given;
      state.dims[name] = sizes;
    }
    update();
  }

  function nameRow(symbol) {
    const sizes = [symbol.rows, symbol.columns];
    const given = state.dims[symbol.name];
    const row = element(`<table><tr>
      <td><label class="by"><input type="checkbox" aria-label="differentiate by ${escape(symbol.name)}"></label></td>
      <td class="name">${mathml.render(nameAsLatex(symbol.name))}</td>
      <td class="sizes"><input type="text" aria-label="rows of ${escape(symbol.name)}" size="4"><span class="times">×</span><input
        type="text" aria-label="columns of ${escape(symbol.name)}" size="4"></td>
      <td><select aria-label="property of ${escape(symbol.name)}"></select></td></tr></table>`).querySelector("tr");
    const [by, ...fields] = row.querySelectorAll("input");
    by.checked = symbol.wrt >= 0;
    by.addEventListener("change", () => {
      const chosen = answer.wrt.filter((name) => name !== symbol.name);
      if (by.checked) chosen.push(symbol.name);
      state.wrt = chosen.length ? chosen : null;
      update();
    });
    fields.forEach((field, which) => {
      field.value = sizes[which];
      field.dataset.key = `${symbol.name} ${which}`;
      field.classList.toggle("given", Boolean(given));
      field.addEventListener("change", () => setSize(symbol.name, which, field.value, sizes));
    });
    const select = row.querySelector("select");
    const isSquare = symbol.rows === symbol.columns && symbol.rows !== "1";
    for (const [value, title] of PROPERTIES)
      if (value === "" || value === "positive" || value === "orthogonal" || isSquare) select.add(new Option(title, value));
    select.value = state.properties[symbol.name] || "";
    select.dataset.key = `${symbol.name} property`;
    by.dataset.key = `${symbol.name} by`;
    select.addEventListener("change", () => {
      if (select.value) state.properties[symbol.name] = select.value;
      else delete state.properties[symbol.name];
      update();
    });
    return row;
  }

  function nameAsLatex(name) {
    const greek = /^(alpha|beta|gamma|delta|epsilon|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|psi|omega|Sigma|Omega|Lambda|Theta)$/;
    if (greek.test(name)) return `\\${name}`;
    return name.length > 1 ? `\\mathrm{${name.replace(/_/g, "\\_")}}` : name;
  }

  // The table is made again; what had the focus has it again.
  function showNames(found) {
    const directions = found.derivatives.map((derivative) => derivative.direction);
    const shown = found.symbols.filter((symbol) => !directions.includes(symbol.name));
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : undefined;
    const table = element(`<table><thead><tr><th title="differentiate by">by</th><th>name</th><th>size</th><th>property</th></tr></thead>
      <tbody></tbody></table>`);
    table.querySelector("tbody").append(...shown.map(nameRow));
    at("names").replaceChildren(table);
    if (focused) {
      const again = [...table.querySelectorAll("[data-key]")].find((field) => field.dataset.key === focused);
      if (again) again.focus();
    }
  }

  // ---- results ----

  const size = (item) => item.rows === "1" && item.columns === "1" ? "scalar" : `${item.rows} × ${item.columns}`;

  function derivativeLabel(found, derivative) {
    const name = nameAsLatex(derivative.wrt.replace(/'$/, "")) + (derivative.wrt.endsWith("'") ? "^{\\top}" : "");
    return found.scalar ? `\\frac{\\partial f}{\\partial ${name}}`
      : `\\frac{\\partial \\operatorname{vec}\\left(F\\right)}{\\partial \\operatorname{vec}\\left(${name}\\right)^{\\top}}`;
  }

  // A long formula goes on in further lines, between its terms and factors; its parts stand below it.
  function formula(label, latex) {
    const { main, where } = mathml.parts(latex);
    const text = `${label} = ${main}`;
    return `<div class="gradient${text.length > 130 ? " long" : ""}" tabindex="0" role="group" aria-label="formula">${
      mathml.pieces(text).join("<wbr>")}</div>${where.length ? `<div class="where"><span>where</span><div>${
      where.map((part) => `<p>${mathml.render(part)}</p>`).join("")}</div></div>` : ""}`;
  }

  function showGradients(found) {
    at("result-title").textContent = found.scalar ? "Gradient" : "Jacobian";
    at("gradients").innerHTML = found.derivatives.map((derivative) => {
      const latex = derivative.latex || "";
      return formula(derivativeLabel(found, derivative).replace(/\\partial/g, "∂"), latex) +
        `<p class="shape">${size(derivative)}</p>`;
    }).join("");
    at("spoken").textContent = found.derivatives.map((derivative) => `By ${derivative.wrt}: ${derivative.text}`).join(". ");
  }

  function stepsOf(derivative) {
    if (!derivative.steps_latex || !derivative.steps_latex.startsWith("\\begin{align*}"))
      return `<pre>${escape(derivative.steps || "")}</pre>`;
    const all = mathml.lines(derivative.steps_latex);
    const second = all.findIndex((line) => /^H\[/.test(line.left)); // has a panel of its own
    const lines = second < 0 ? all : all.slice(0, second);
    return `<ol class="steps">${lines.map((line, k) => {
      const number = /^\((\d+)\)/.exec(line.left);
      const left = number ? `<span class="left-side">(${number[1]})</span>`
        : `<span class="left-side">${line.left ? mathml.render(line.left) : ""}</span>`;
      const kind = number ? "part" : k + 1 === lines.length ? "last" : "";
      return `<li class="${kind}">${left}<span class="formula">${mathml.pieces(line.math).join("<wbr>")}</span>${
        line.rule ? `<span class="rule">${escape(line.rule)}</span>` : ""}</li>`;
    }).join("")}</ol>`;
  }

  function byName(found, show) {
    return found.derivatives.map((derivative) =>
      (found.derivatives.length > 1 ? `<p class="by-name">by ${escape(derivative.wrt)}</p>` : "") + show(derivative)).join("");
  }

  function structureOf(derivative) {
    const rows = (derivative.structure || "").split("\n").filter((line) => line.trim());
    if (rows.length === 0) return "<p>A matrix expression has no report of its structure.</p>";
    return `<dl>${rows.map((line) => {
      const cut = line.indexOf(":");
      return `<dt>${escape(line.slice(0, cut).trim())}</dt><dd>${escape(line.slice(cut + 1).trim())}</dd>`;
    }).join("")}</dl>`;
  }

  function showDetails(found) {
    at("panel-steps").innerHTML = byName(found, stepsOf);
    at("panel-hessian").innerHTML = found.scalar
      ? byName(found, (derivative) => formula(`H[${nameAsLatex(derivative.direction.replace(/_.*/, "")) +
        (derivative.direction.includes("_") ? `_{${nameAsLatex(derivative.wrt)}}` : "")}]`, derivative.hessian || "")) +
        '<p class="hint">The derivative of the gradient along V, which has the shape of the variable.</p>'
      : "<p>The Hessian is that of a scalar expression.</p>";
    at("panel-structure").innerHTML = byName(found, structureOf);
    const chosen = at("claim-wrt").value;
    at("claim-wrt").replaceChildren(...found.derivatives.map((derivative, k) => new Option(`by ${derivative.wrt} =`, String(k))));
    at("claim-wrt").value = Number(chosen) < found.derivatives.length && chosen !== "" ? chosen : "0";
    checkClaim();
    showCode();
  }

  // ---- a claim ----

  function checkClaim() {
    const text = at("claim").value.trim();
    if (text === "" || answer === null) {
      at("verdict").replaceChildren();
      return;
    }
    const found = JSON.parse(calculus.claim(Number(at("claim-wrt").value), text));
    const pre = document.createElement("pre");
    pre.textContent = found.errors ? found.message : found.text.trim();
    pre.className = found.errors ? "different" : { 0: "equal", 1: "different" }[found.verdict] || "undecided";
    at("verdict").replaceChildren(pre);
  }

  // ---- code ----

  function text(part, k, format) {
    const found = JSON.parse(calculus.text(part, k, format));
    return found.errors ? found.errors.map((error) => error.message).join("\n") || found.message : found.text;
  }

  // A text of YAML, in quotes where it would not be read as it stands.
  const yaml = (words) => /[:#]\s|^[\[{&*!|>'"%@`]|^\s*$|\n/.test(words) ? `'${words.replace(/\s*\n\s*/g, " ").replace(/'/g, "''")}'` : words;

  function job(found) {
    if (!found.scalar) return "# a job minimises a scalar expression";
    const names = (wanted) => found.symbols.filter((symbol) => (symbol.wrt >= 0) === wanted &&
      !found.derivatives.some((derivative) => derivative.direction === symbol.name));
    const isNumber = (words) => /^\d+$/.test(words);
    const lines = [`minimize: ${yaml(state.expression.trim())}`, "", "variables:"];
    for (const symbol of names(true)) {
      const sizes = [["rows", symbol.rows], ["columns", symbol.columns]].filter(([, words]) => isNumber(words));
      lines.push(`  ${symbol.name}: {${[...sizes, ["start", "normal"]].map(([key, value]) => `${key}: ${value}`).join(", ")}}`);
    }
    if (names(false).length) lines.push("", "data:");
    for (const symbol of names(false)) {
      const property = { symmetric: ", symmetric: true", spd: ", spd: true", psd: ", symmetric: true", diagonal: ", diagonal: true",
        orthogonal: ", orthogonal: true" }[state.properties[symbol.name]] || "";
      const isScalar = symbol.rows === "1" && symbol.columns === "1";
      lines.push(isScalar ? `  ${symbol.name}: 1.0` : `  ${symbol.name}: {file: ${symbol.name}.npy${property}}`);
    }
    lines.push("", "output: {directory: results}");
    return lines.join("\n");
  }

  function showCode() {
    if (answer === null) return;
    const language = at("language").value;
    const each = (format) => answer.derivatives.map((_, k) => text(PART.derivative, k, format)).join("\n");
    at("code").textContent = language === "job" ? job(answer)
      : language === "latex" || language === "expr" ? each(FORMAT[language])
      : language === "numpy-line" ? each(FORMAT.numpy)
      : text(PART.function, 0, FORMAT[language]);
  }

  async function copy(words, button) {
    let isDone = true;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      // A page from a file may not have the clipboard: the selection of a field has.
      const field = document.createElement("textarea");
      field.value = words;
      document.body.append(field);
      field.select();
      isDone = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    at("copied").textContent = isDone ? "copied" : "not copied: select the text";
    setTimeout(() => { at("copied").textContent = ""; }, 1500);
  }

  // ---- together ----

  function show(found) {
    showErrors(found);
    at("typeset").classList.toggle("stale", Boolean(found.errors));
    at("gradients").classList.toggle("stale", Boolean(found.errors));
    if (found.errors) return;
    answer = found;
    const left = found.scalar ? "f" : "F";
    at("typeset").innerHTML = mathml.render(`${left} = ${found.latex}`);
    at("notes").innerHTML = (found.notes || "").split("\n").filter(Boolean).map((note) => `<p>${escape(note)}</p>`).join("");
    showGradients(found);
    if (isShown) {
      showRest(found);
      return;
    }
    // The first gradient is painted before the rest is made.
    isShown = true;
    document.documentElement.dataset.firstGradient = (performance.now() - started).toFixed(1);
    document.documentElement.dataset.at = performance.now().toFixed(1);
    setTimeout(() => {
      showRest(answer);
      showExamplesOnce();
    });
  }

  function showRest(found) {
    showNames(found);
    showDetails(found);
  }

  function update() {
    if (calculus === null) return;
    if (state.expression.trim() === "") {
      showErrors(null);
      return;
    }
    try {
      show(derive());
    } catch (error) { // memory of the module ran out: it begins again
      calculus = null;
      showErrors({ errors: [{ message: `this expression is too large for the page (${error.message})`, source: "" }] });
      start();
      return;
    }
    history.replaceState(null, "", address());
  }

  function load(expression, wrt, declared) {
    location.hash = fragment({ f: expression, wrt, ...declared });
  }

  function showExamples() {
    for (const [title, rows] of Object.entries(EXAMPLES)) {
      const group = element(`<div class="group"><h3>${title}</h3></div>`);
      for (const [name, expression, wrt, declared] of rows) {
        const button = element(`<button type="button" title="${escape(expression)}">${name}</button>`);
        button.addEventListener("click", () => {
          load(expression, wrt, declared);
          if (matchMedia("(max-width: 56rem)").matches) scrollTo({ top: 0 });
        });
        group.append(button);
      }
      at("examples").append(group);
    }
  }

  function showExamplesOnce() {
    if (at("examples").childElementCount === 0) showExamples();
    document.documentElement.dataset.ready = "true";
  }

  function showAddress() {
    readAddress();
    at("expression").value = state.expression;
    resize();
    update();
  }

  function choose(tab) {
    for (const other of document.querySelectorAll('[role="tab"]')) {
      const isIt = other === tab;
      other.setAttribute("aria-selected", String(isIt));
      other.tabIndex = isIt ? 0 : -1;
      at(other.getAttribute("aria-controls")).hidden = !isIt;
    }
  }

  function listen() {
    at("expression").addEventListener("input", () => {
      state.expression = at("expression").value;
      resize();
      update();
    });
    const tabs = [...document.querySelectorAll('[role="tab"]')];
    tabs.forEach((tab, k) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(k + step + tabs.length) % tabs.length];
        choose(next);
        next.focus();
      });
    });
    at("claim").addEventListener("input", checkClaim);
    at("claim-wrt").addEventListener("change", checkClaim);
    at("language").append(...LANGUAGES.map(([value, title]) => new Option(title, value)));
    at("language").addEventListener("change", showCode);
    at("copy").addEventListener("click", () => copy(at("code").textContent, at("copy")));
    at("link").addEventListener("click", () => copy(location.href, at("link")));
    addEventListener("hashchange", () => { if (location.hash !== address()) showAddress(); });
    addEventListener("resize", resize);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const paint = (theme) => { document.documentElement.dataset.theme = theme; };
    paint(dark.matches ? "dark" : "light");
    dark.addEventListener("change", () => paint(dark.matches ? "dark" : "light"));
    at("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  }

  // The module's bytes; where a page of this address may not fetch from itself, by the long way.
  async function bytes() {
    try {
      return await (await fetch(CALCULUS)).arrayBuffer();
    } catch {
      const text = atob(CALCULUS.slice(CALCULUS.indexOf(",") + 1));
      return Uint8Array.from(text, (character) => character.charCodeAt(0));
    }
  }

  function start() {
    return bytes().then((wasmBinary) => tracegradModule({ wasmBinary })).then((module) => {
      calculus = {
        derive: module.cwrap("web_derive", "string", ["string", "string"]),
        text: module.cwrap("web_text", "string", ["number", "number", "number"]),
        claim: module.cwrap("web_claim", "string", ["number", "string"]),
        version: module.cwrap("web_version", "string", []),
      };
    });
  }

  listen();
  readAddress();
  at("expression").value = state.expression;
  resize();
  start().then(() => {
    update();
    at("version").textContent = `tracegrad ${calculus.version()}`;
    if (!isShown) setTimeout(showExamplesOnce);
  });
})();
