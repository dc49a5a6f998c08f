// The LaTeX that the calculus prints, as MathML: names, numbers, operators, scripts, roots, brackets and tables.
"use strict";

const mathml = (() => {
  const SIGNS = {
    top: "⊤", odot: "⊙", oslash: "⊘", otimes: "⊗", cdot: "⋅", times: "×", circ: "∘", infty: "∞", le: "≤", ge: "≥",
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ",
    iota: "ι", kappa: "κ", lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ",
    upsilon: "υ", phi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Xi: "Ξ",
    Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
  };
  const OPERATORS = new Set(["odot", "oslash", "otimes", "cdot", "times", "circ", "le", "ge"]);
  const FUNCTIONS = new Set(["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "det", "max", "min"]);
  const SPACES = { quad: 1, qquad: 2, ",": 0.17, ";": 0.28, ":": 0.22, " ": 0.25, "!": 0 };
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Commands, groups and single characters; a blank between factors is kept, as it is a product.
  const tokenise = (latex) => latex.match(/\\[a-zA-Z]+|\\.|\d+\.?\d*(?:e[-+]?\d+)?|\s+|[^]/gu) || [];

  class Reader {
    constructor(latex) {
      this.tokens = tokenise(latex);
      this.at = 0;
    }

    peek() {
      return this.tokens[this.at];
    }

    skipBlanks() {
      while (this.at < this.tokens.length && /^\s+$/.test(this.peek())) this.at++;
    }

    // The characters of {...}, with commands left as they are.
    raw() {
      this.skipBlanks();
      if (this.peek() !== "{") return this.tokens[this.at++] || "";
      let depth = 0, text = "";
      do {
        const token = this.tokens[this.at++];
        if (token === undefined) break;
        depth += (token === "{") - (token === "}");
        text += token;
      } while (depth > 0);
      return text.slice(1, -1);
    }

    group() {
      this.skipBlanks();
      if (this.peek() !== "{") return this.atom();
      this.at++;
      const inner = this.row((token) => token === "}");
      this.at++;
      return { html: `<mrow>${inner}</mrow>`, kind: "atom" };
    }

    // "(", "\|" or "." behind \left and \right
    bracket() {
      const token = this.tokens[this.at++];
      const sign = { "\\|": "‖", "\\{": "{", "\\}": "}", ".": "" }[token];
      const text = sign === undefined ? token : sign;
      return text && `<mo stretchy="true" symmetric="true">${escape(text)}</mo>`;
    }

    command(name) {
      if (name === "left") {
        const open = this.bracket();
        const inner = this.row((token) => token === "\\right");
        this.at++;
        return { html: `<mrow>${open}${inner}${this.bracket()}</mrow>`, kind: "atom" };
      }
      if (name === "mathrm" || name === "mathit" || name === "text") {
        const text = escape(this.raw().replace(/\\(.)/g, "$1"));
        if (name === "text") return { html: `<mtext>${text}</mtext>`, kind: "atom" };
        return { html: name === "mathit" ? `<mi>${text}</mi>` : `<mi mathvariant="normal">${text}</mi>`,
          kind: text === "d" ? "prefix" : "atom" };
      }
      if (name === "operatorname") return { html: `<mi>${escape(this.raw().replace(/\\(.)/g, "$1"))}</mi>`, kind: "function" };
      if (name === "mathbf") {
        const bold = this.raw().replace(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit)));
        return { html: `<mn>${escape(bold)}</mn>`, kind: "atom" };
      }
      if (name === "sqrt") return { html: `<msqrt>${this.group().html}</msqrt>`, kind: "atom" };
      if (name === "frac") return { html: `<mfrac>${this.group().html}${this.group().html}</mfrac>`, kind: "atom" };
      if (name === "begin") return this.table();
      if (FUNCTIONS.has(name)) return { html: `<mi>${name}</mi>`, kind: "function" };
      if (name in SPACES) return { html: `<mspace width="${SPACES[name]}em"></mspace>`, kind: "space" };
      if (OPERATORS.has(name)) return { html: `<mo>${SIGNS[name]}</mo>`, kind: "operator" };
      if (name in SIGNS) return { html: `<mi>${SIGNS[name]}</mi>`, kind: "atom" };
      if (name === "|") return { html: "<mo>‖</mo>", kind: "operator" };
      return { html: `<mi>${escape(name)}</mi>`, kind: "atom" };
    }

    // \begin{aligned} ... \end{aligned}
    table() {
      this.raw();
      let html = "", cells = "";
      for (;;) {
        const cell = this.row((token) => token === "&" || token === "\\\\" || token === "\\end");
        const end = this.tokens[this.at++];
        cells += `<mtd style="text-align:left;padding:0.25em 0.3em">${cell}</mtd>`;
        if (end === "&") continue;
        html += `<mtr>${cells}</mtr>`;
        cells = "";
        if (end !== "\\\\") break;
      }
      this.raw();
      return { html: `<mtable>${html}</mtable>`, kind: "atom" };
    }

    atom() {
      this.skipBlanks();
      const token = this.tokens[this.at++];
      if (token === undefined) return { html: "", kind: "space" };
      if (token[0] === "\\" && token.length > 1) return this.command(token.slice(1));
      if (token === "{") {
        this.at--;
        return this.group();
      }
      if (/^\d/.test(token)) return { html: `<mn>${token}</mn>`, kind: "atom" };
      if (/^\p{L}$/u.test(token)) return { html: `<mi>${token}</mi>`, kind: "atom" };
      if (token === "(" || token === "[") return { html: `<mo stretchy="false">${token}</mo>`, kind: "open" };
      if (token === ")" || token === "]") return { html: `<mo stretchy="false">${token}</mo>`, kind: "atom" };
      return { html: `<mo>${escape(token === "-" ? "−" : token)}</mo>`, kind: "operator" };
    }

    scripts(base) {
      const found = {};
      while (this.peek() === "^" || this.peek() === "_") {
        const which = this.tokens[this.at++];
        found[which] = this.group().html;
      }
      if (found["^"] && found["_"]) base.html = `<msubsup>${base.html}${found._}${found["^"]}</msubsup>`;
      else if (found["^"]) base.html = `<msup>${base.html}${found["^"]}</msup>`;
      else if (found._) base.html = `<msub>${base.html}${found._}</msub>`;
      return base;
    }

    // Up to a token that ends it. Between two factors stands an invisible product.
    row(ends, cuts) {
      let html = "", before = "operator";
      for (;;) {
        this.skipBlanks();
        const token = this.peek();
        if (token === undefined || ends(token)) return html;
        const item = this.scripts(this.atom());
        const begins = item.kind === "atom" || item.kind === "function" || item.kind === "prefix";
        if (before === "atom" && begins) html += '<mo lspace="0.1em" rspace="0.1em">&#x2062;</mo>';
        if (before === "function" && begins)
          html += item.kind === "function" ? '<mo lspace="0" rspace="0.17em">&#x2061;</mo>' : "<mo>&#x2061;</mo>";
        if (cuts && html !== "" && (item.kind === "operator" || (before === "atom" && begins))) {
          cuts.push(html);
          html = "";
          item.html = item.html.replace(/^<mo>/, '<mo form="infix">'); // alone it would stand before its operand
        }
        html += item.html;
        before = item.kind;
      }
    }
  }

  // A formula as a <math> element.
  function render(latex, isDisplay) {
    const inner = new Reader(latex).row(() => false);
    const display = isDisplay ? ' display="block"' : "";
    return `<math${display} alttext="${escape(latex).replace(/"/g, "&quot;")}"><mrow>${inner}</mrow></math>`;
  }

  // The same in several elements, between which a line may end.
  function pieces(latex) {
    const cuts = [];
    cuts.push(new Reader(latex).row(() => false, cuts));
    if (latex.length < 40 || cuts.length < 2) return [render(latex)];
    return cuts.map((inner) => `<math><mrow>${inner}</mrow></math>`);
  }

  // A result with named parts, an aligned environment: the result, and "T_1 = ..." of each part.
  function parts(latex) {
    const body = /^\s*\\begin\{aligned\}([^]*)\\end\{aligned\}\s*$/.exec(latex);
    if (!body) return { main: latex, where: [] };
    const [main, ...where] = body[1].split(/\\\\(?=\s|$)/).map((line) =>
      line.replace(/\\text\{where\s*\}|\\quad|\\qquad|&/g, "").trim().replace(/,$/, "")).filter(Boolean);
    return { main, where };
  }

  // The lines of an align* environment: {left, math, rule}, math as LaTeX.
  function lines(latex) {
    const body = latex.replace(/^\s*\\begin\{align\*\}/, "").replace(/\\end\{align\*\}\s*$/, "");
    const found = [];
    for (const line of body.split(/\\\\(?=\s|$)/)) {
      const rule = /\\text\{((?:[^{}\\]|\\.|\{[^{}]*\})*)\}\s*$/.exec(line);
      const words = rule ? rule[1].replace(/\\(.)(?:\{\})?/g, "$1") : "";
      const rest = (rule ? line.slice(0, rule.index) : line).replace(/&&?\s*(\\qquad)?\s*$/, "").replace(/&\\qquad/, "");
      const cut = rest.indexOf("&");
      const left = (cut < 0 ? "" : rest.slice(0, cut)).trim();
      const math = (cut < 0 ? rest : rest.slice(cut + 1)).trim();
      if (!left && !math && rule && found.length > 0) found[found.length - 1].rule = words;
      else if (left || math) found.push({ left, math, rule: words });
    }
    return found;
  }

  return { render, pieces, parts, lines };
})();

if (typeof module !== "undefined") module.exports = mathml;
