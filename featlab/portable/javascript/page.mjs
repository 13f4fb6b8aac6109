// A page with networks and images inside: puts the explorer into it, and window.featlab.

import { api } from "./api.mjs";
import { explorer } from "./explorer.mjs";
import { bytes } from "./kernel.mjs";
import { load } from "./load.mjs";

// What featlab/portable/pages.py wrote: {networks, images, labels, classes, program, steps, largest, gain}.
export function unpack(data) {
  const shape = data.networks[0].shape, raw = bytes(data.images), size = shape.reduce((a, b) => a * b);
  const images = data.labels.map((_, i) => Float32Array.from(raw.subarray(i * size, (i + 1) * size), value => value / 255));
  return { ...data, shape, images, program: bytes(data.program), networks: load(data.networks, bytes(data.program)) };
}

export function open(root, data) {
  const world = unpack(data), { image = 0, eps = 0, goal = -1, against = "" } = data.begin ?? {};
  window.featlab = api(world.networks);
  return { world, explorer: explorer(root, world, { image, eps, goal, against }) };
}

// featlab.export_page's own: nothing but the explorer.
export function start() {
  open(document.getElementById("explorer"), JSON.parse(document.getElementById("featlab-data").textContent));
}
