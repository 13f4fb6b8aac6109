// window.featlab: what a reader's console, or a test, can ask of a live page. Pixels are Float32Arrays (c * h * w) in
// [0, 1]; eps is a radius in l2.

import { attack } from "./attack.mjs";

export function api(networks) {
  function asked(name, pixels, label) {
    const network = networks[name];
    if (!network) throw new Error(`there is no network ${name}; this page has ${Object.keys(networks).join(", ")}`);
    const size = network.shape.reduce((a, b) => a * b);
    if (pixels?.length !== size) throw new Error(`an image has ${size} pixels, ${network.shape.join(" x ")}, this one ${pixels?.length}`);
    if (label !== undefined && !(Number.isInteger(label) && label >= 0 && label < network.classes)) {
      throw new Error(`labels are whole numbers from 0 to ${network.classes - 1}, not ${label}`);
    }
    return network;
  }
  return {
    ready: Promise.resolve(true),
    networks: Object.keys(networks),
    predict: (name, pixels) => asked(name, pixels).predict(pixels),
    logits: (name, pixels) => asked(name, pixels).logits(pixels),
    gradient: (name, pixels, label) => asked(name, pixels, label ?? NaN).gradient(pixels, label),
    attack: (name, pixels, label, options = {}) => attack(asked(name, pixels, label ?? NaN), Float32Array.from(pixels), label, options),
  };
}
