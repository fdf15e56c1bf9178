// The chosen method from inside: its formula, the present numbers in it, its code.

import { byId, make, number, point, say } from "./common.js";
import { definition } from "./state.js";

let framework = "torch";

// MathML comes from the rules' own files through the server; it is parsed as XML, where nothing runs.
export function showFormula(element, mathml) {
  element.replaceChildren();
  if (!mathml) return;
  const parsed = new DOMParser().parseFromString(mathml, "text/html").querySelector("math");
  if (parsed) element.append(document.importNode(parsed, true));
}

export function showRule(method) {
  const rule = definition(method.name);
  byId("rule-title").textContent = rule.title;
  byId("rule-paper").textContent = rule.paper;
  showFormula(byId("rule-formula"), rule.formula);
}

export function showNumbers(path, k) {
  byId("numbers-title").textContent = say("before", { step: Math.min(k, path.points.length - 1) + 1 });
  const at = Math.min(k, path.points.length - 1);
  const rows = [[say("theta"), point(path.points[at])]];
  if (at < path.gradients.length) rows.push([say("gradient"), point(path.gradients[at])]);
  for (const [name, values] of Object.entries(path.states)) {
    rows.push([name, point(values[at])]);
    const next = corrected(path, name, values, at);
    if (next) rows.push(next);
  }
  if (at < path.gradients.length) {
    rows.push([say("rate"), number(path.rates ? path.rates[at] : path.settings.lr)]);
    const [from, to] = [path.points[at], path.points[at + 1]];
    rows.push([say("taken"), point([to[0] - from[0], to[1] - from[1]])]);
  } else {
    rows.push([say("taken"), say("no_more")]);
  }
  byId("numbers").tBodies[0].replaceChildren(
    ...rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "number" }, value))));
}

// Adam's averages as the step that follows uses them: after this gradient, divided by 1 - β^t.
function corrected(path, name, values, at) {
  const beta = { m: path.settings.beta1, v: path.settings.beta2 }[name];
  if (path.settings.beta1 === undefined || beta === undefined || at + 1 >= values.length) return null;
  const share = 1 - beta ** (at + 1);
  const hat = `${name}\u0302 = ${name} / (1 − β${name === "m" ? "₁" : "₂"}ᵗ), t = ${at + 1}`;
  return [hat, point(values[at + 1].map((v) => v / share))];
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
