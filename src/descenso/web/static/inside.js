// The chosen method from inside: its formula, the present numbers in it, its code.

import { byId, make, number, say } from "./common.js";
import { definition } from "./state.js";

let framework = "torch";

// MathML comes from the rules' own files through the server; it is parsed as XML, where nothing runs.
export function showFormula(element, mathml) {
  element.replaceChildren();
  if (!mathml) return;
  const parsed = new DOMParser().parseFromString(mathml, "text/html").querySelector("math");
  if (parsed) element.append(document.importNode(parsed, true));
}

export function showRule(method, path) {
  const rule = definition(method.name);
  byId("rule-title").textContent = rule.title;
  byId("rule-paper").textContent = rule.paper;
  showFormula(byId("rule-formula"), path.formula);
}

const five = (p) => `(${number(p[0], 5)}, ${number(p[1], 5)})`;

// Every number stands under the symbol it has in the formula, all of one and the same step t.
export function showNumbers(path, k) {
  const at = Math.min(k, path.points.length - 1);
  const rows = at < path.gradients.length ? numbersOfStep(path, at) : numbersAtEnd(path, at);
  byId("numbers-title").textContent = at < path.gradients.length ? say("step_t", { step: at + 1 }) : say("after", { step: at });
  byId("numbers").tBodies[0].replaceChildren(
    ...rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "number" }, value))));
}

function numbersOfStep(path, at) {
  const { settings } = definition(path.rule);
  const symbols = Object.fromEntries(settings.map((s) => [s.name, s.symbol]));
  const rows = [[`${say("theta")} θₜ₋₁`, five(path.points[at])], [`${say("gradient")} gₜ`, five(path.gradients[at])]];
  for (const [name, values] of Object.entries(path.states)) {
    rows.push([`${name}ₜ₋₁`, five(values[at])], [`${name}ₜ`, five(values[at + 1])]);
  }
  for (const [name, { beta, values }] of Object.entries(path.corrected)) {
    rows.push([`${name}\u0302ₜ = ${name}ₜ / (1 − ${symbols[beta]}ᵗ)`, five(values[at])]);
  }
  const constants = Object.entries(path.settings).filter(([name, v]) => name !== "lr" && typeof v === "number" && (name !== "momentum" || v));
  if (constants.length) rows.push([constants.map(([name]) => symbols[name]).join(", "), constants.map(([, v]) => number(v, 5)).join(", ")]);
  rows.push([`${say("rate")} η`, number(path.rates ? path.rates[at] : path.settings.lr, 5)]);
  rows.push([`${say("taken")} θₜ − θₜ₋₁`, five(path.taken[at])]);
  rows.push([`${say("theta")} θₜ`, five(path.points[at + 1])]);
  return rows;
}

function numbersAtEnd(path, at) {
  const states = Object.entries(path.states).map(([name, values]) => [name, five(values[at])]);
  return [[`${say("theta")} θ`, five(path.points[at])], ...states, [say("taken"), say("no_more")]];
}

export function showCode(path) {
  byId("code").textContent = path.code[framework];
}

export function chooseFramework(onchange) {
  const tabs = [...byId("frameworks").children];
  const choose = (tab) => {
    framework = tab.dataset.framework;
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    byId("code").setAttribute("aria-labelledby", tab.id);
    onchange();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!way) return;
      const next = tabs[(i + way + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
  });
}

export async function copy(text, status) {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = say("copied");
  } catch (error) {
    status.textContent = say("copy_failed");
  }
}
