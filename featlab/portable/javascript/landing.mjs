// The landing page: the explorer, the trials, the wall of static. In a Worker the same text trains.

import { open } from "./page.mjs";
import { trials } from "./trials.mjs";
import { wall, work } from "./wall.mjs";

export function start() {
  if (typeof document === "undefined") {
    onmessage = event => work(event.data, postMessage);
    return;
  }
  const data = JSON.parse(document.getElementById("featlab-data").textContent);
  const { world, explorer } = open(document.getElementById("explorer"), data);
  for (const link of document.querySelectorAll("[data-state]")) {
    link.addEventListener("click", () => {
      explorer.set(JSON.parse(link.dataset.state));
      document.getElementById("explorer").scrollIntoView({ block: "nearest" });
    });
  }
  trials(document.getElementById("trials"), world, { against: "standard" });
  wall(document.getElementById("wall"), data, world, { teacher: "standard", measured: data.measured });
}
