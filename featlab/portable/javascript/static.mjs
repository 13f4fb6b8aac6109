// Learned from static: images of noise, pushed by a network towards labels that were drawn, teach a fresh network
// to name real clothes. (After Kumano, Kera and Yamasaki 2024; the paper's section 3.2 without any natural image.)

import { attack, norm } from "./attack.mjs";
import { random, rate, shuffled, student } from "./training.mjs";

export const RECIPE = { images: 2000, eps: 1.5, steps: 10, epochs: 15, batch: 25, highest: 0.1, decay: 5e-4, width: 8 };

// One picture of uniform noise, and the label that was drawn for it.
export function picture(draw, pixels, classes) {
  const noise = Float32Array.from({ length: pixels }, draw);
  return { noise, label: Math.floor(draw() * classes) };
}

export function push(network, { noise, label }, { eps, steps }) {
  return attack(network, noise, label, { eps, steps, targeted: true });
}

// Images side by side, in one array.
export function together(images) {
  const all = new Float32Array(images.length * images[0].length);
  images.forEach((image, i) => all.set(image, i * image.length));
  return all;
}

export function moments(numbers) {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const square = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  return { mean, std: Math.sqrt(square) };
}

// Trains a fresh network on images (n of them, side by side); yields {done, loss, student} after each epoch.
export function* learn(images, labels, kernel, { seed = 1, epochs, batch, highest, decay, width, classes = 10 }) {
  const n = labels.length, pixels = images.length / n, side = Math.sqrt(pixels);
  const fresh = student({ width, classes, batch, side, seed, ...moments(images) }, kernel), draw = random(seed + 1);
  const total = epochs * Math.floor(n / batch);
  for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
    const order = shuffled(n, draw);
    let loss = 0;
    for (let i = 0; i + batch <= n; i += batch, step++) {
      const chosen = order.slice(i, i + batch);
      const seen = together(chosen.map(j => images.subarray(j * pixels, (j + 1) * pixels)));
      loss = fresh.step(seen, chosen.map(j => labels[j]), rate((step + 1) / total, highest), { decay });
    }
    yield { done: (epoch + 1) / epochs, loss, student: fresh };
  }
}

export function length(pushed, noise) {
  return norm(pushed.map((x, i) => x - noise[i]));
}
