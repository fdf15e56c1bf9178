// Guided tours: each stop sets the playground and says what to look at.

import { byId, DATA, make, say } from "./common.js";

export function offerTours(show) {
  let tour = null;
  let at = 0;
  const stop = () => {
    const { text, state } = tour.stops[at];
    byId("tour-title").textContent = tour.title;
    byId("tour-text").textContent = text;
    byId("tour-place").textContent = say("tour_step", { number: at + 1, count: tour.stops.length });
    byId("tour-back").disabled = at === 0;
    byId("tour-next").disabled = at === tour.stops.length - 1;
    byId("tour").hidden = false;
    show(state);
  };
  const go = (way) => {
    at += way;
    stop();
  };
  byId("tour-list").replaceChildren(...DATA.tours.map((offered) => make("button", {
    type: "button",
    onclick: () => {
      tour = offered;
      at = 0;
      stop();
      byId("tour-next").focus();
    },
  }, offered.title)));
  byId("tour-back").addEventListener("click", () => go(-1));
  byId("tour-next").addEventListener("click", () => go(1));
  byId("tour-end").addEventListener("click", () => {
    byId("tour").hidden = true;
  });
}
