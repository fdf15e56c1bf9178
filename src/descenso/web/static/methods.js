// The list of methods: what each is, and a slider for each of its settings.

import { byId, DATA, make, marksOf, number, say } from "./common.js";
import { scaleOf } from "./sliders.js";
import { definition } from "./state.js";

const SCHEDULES = ["constant", "cosine", "exponential", "step_decay", "warmup"];
const MAIN = ["lr", "beta", "beta1", "beta2", "momentum"];

// `on` is told {changed} after each change, {rebuilt} after a change of the list itself.
export function showMethods(state, on) {
  const box = byId("methods");
  box.replaceChildren(...state.methods.map((method, i) => card(state, method, i, on)));
  byId("add").disabled = state.methods.length >= DATA.catalog.limits.methods;
}

function card(state, method, i, on) {
  const rule = definition(method.name);
  const names = make("select", {
    ariaLabel: say("method"),
    onchange: (event) => {
      state.methods[i] = { name: event.target.value, settings: {}, schedule: "constant" };
      on.rebuilt(i);
    },
  }, ...DATA.catalog.methods.map((m) => make("option", { value: m.name, selected: m.name === method.name }, m.name)));
  const remove = make("button", {
    type: "button", ariaLabel: say("remove", { name: method.name }), disabled: state.methods.length < 2,
    onclick: () => {
      state.methods.splice(i, 1);
      state.selected = Math.min(state.selected, state.methods.length - 1);
      on.rebuilt();
    },
  }, "×");
  const main = rule.settings.filter((s) => MAIN.includes(s.name));
  const more = rule.settings.filter((s) => !MAIN.includes(s.name));
  const element = make("div", { className: "method" },
    make("div", { className: "row" }, names, remove),
    ...main.map((s) => setting(state, method, s, i, on)),
    make("div", { className: "row" },
      make("button", { type: "button", onclick: () => on.tune(i) }, say("tune"))),
    make("details", {}, make("summary", {}, more.map((s) => s.name).concat(say("schedule")).join(", ")),
      ...more.map((s) => setting(state, method, s, i, on)), schedule(method, i, on)));
  element.style.borderLeftColor = marksOf(state.methods.map((each) => `${each.name}(`))[i].colour;
  return element;
}

function setting(state, method, s, i, on) {
  if (s.scale === "switch") return toggle(method, s, on);
  const follows = typeof s.default === "string";
  const now = method.settings[s.name] ?? (follows ? method.settings[s.default] ?? followed(method, s) : s.default);
  const scale = scaleOf(s);
  const shown = make("span", { className: "shown" }, number(now));
  const slider = make("input", {
    type: "range", min: 0, max: 1000, value: scale.toPlace(now), title: `${s.meaning} ${s.range}`,
    oninput: () => {
      const value = scale.toValue(Number(slider.value));
      method.settings[s.name] = value;
      if (s.name === "lr") method.byHand = true;
      shown.textContent = number(value);
      slider.setAttribute("aria-valuetext", number(value));
      state.selected = i;
      if (own) own.checked = false;
      on.changed();
    },
  });
  slider.dataset.setting = s.name;
  slider.setAttribute("aria-valuetext", number(now));
  const own = follows ? followBox(method, s, on) : null;
  const label = make("label", {}, s.name, " ", shown, slider);
  return own ? make("div", {}, label, make("label", {}, own, " ", say("as_other", { name: s.default }))) : label;
}

function followed(method, s) {
  return definition(method.name).settings.find((other) => other.name === s.default).default;
}

function followBox(method, s, on) {
  return make("input", {
    type: "checkbox", checked: !(s.name in method.settings),
    onchange: (event) => {
      if (event.target.checked) delete method.settings[s.name];
      else method.settings[s.name] = method.settings[s.default] ?? followed(method, s);
      on.changed();
    },
  });
}

function toggle(method, s, on) {
  return make("label", {}, make("input", {
    type: "checkbox", checked: method.settings[s.name] ?? s.default, title: s.meaning,
    onchange: (event) => {
      method.settings[s.name] = event.target.checked;
      on.changed();
    },
  }), " ", s.name);
}

function schedule(method, i, on) {
  return make("label", {}, say("schedule"), " ", make("select", {
    onchange: (event) => {
      method.schedule = event.target.value;
      if (!("lr" in method.settings)) method.settings.lr = definition(method.name).settings[0].default;
      on.changed();
    },
  }, ...SCHEDULES.map((name) => make("option", { value: name, selected: name === method.schedule }, say(name)))));
}
