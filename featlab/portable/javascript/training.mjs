// A fresh network that learns here: featlab's cnn with batch-norm, by SGD with momentum on the cross-entropy.

import { gather, looks, scatter, slopes, softmax, transpose } from "./network.mjs";

const SMALL = 1e-5; // batch-norm's, as torch's

// Random numbers from a seed (Weyl sequence, mixed), uniform in [0, 1).
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled(n, draw) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// As featlab's Recipe: up for a fifth of the steps, then down to 0.
export function rate(done, highest) {
  return highest * Math.min(done / 0.2, (1 - done) / 0.8);
}

// `width` channels after the first convolution; room for `batch` images of side x side pixels at a time.
export function student({ width = 16, classes = 10, batch = 125, side = 28, mean, std, seed = 0 }, kernel) {
  const draw = random(seed), half = Math.ceil(side / 2), quarter = Math.ceil(half / 2);
  const sizes = [[1, side, width, 2], [width, half, 2 * width, 1], [2 * width, half, 4 * width, 2], [4 * width, quarter, 4 * width, 1]];
  const blocks = sizes.map(([channels, side, out, stride]) => block({ channels, side, out, stride, batch, draw }, kernel));
  const d = 4 * width * quarter * quarter, head = last({ d, classes, batch, draw }, kernel);
  const x = kernel.floats(batch * side * side), all = [...blocks.flatMap(one => one.learned), ...head.learned];

  // One step on images (n of them, side by side) and their labels; the mean loss.
  function step(images, labels, rate, { momentum = 0.9, decay = 0 } = {}) {
    for (let i = 0; i < images.length; i++) x[i] = (images[i] - mean) / std;
    const logits = head.forward(blocks.reduce((seen, one) => one.forward(seen, labels.length), x), labels.length);
    let loss = 0;
    const slope = new Float32Array(logits.length);
    for (const [i, label] of labels.entries()) {
      const p = softmax(logits.subarray(i * classes, (i + 1) * classes));
      loss -= Math.log(Math.max(p[label], 1e-30)) / labels.length;
      slope.set(slopes(p, label).map(value => value / labels.length), i * classes);
    }
    blocks.reduceRight((d, one, i) => one.backward(d, labels.length, i > 0), head.backward(slope, labels.length));
    for (const one of all) descend(one, rate, momentum, decay);
    return loss;
  }

  // What it is now, as network.mjs computes it, with the moments of the batches behind it.
  function described(name) {
    const first = { kind: "standardise", mean: [mean], std: [std], places: side * side };
    const layers = [first, ...blocks.flatMap(one => one.folded()), head.folded()];
    return { name, classes, shape: [1, side, side], layers };
  }
  return { step, described };
}

function descend({ value, slope, speed }, rate, momentum, decay) {
  for (let i = 0; i < value.length; i++) {
    speed[i] = momentum * speed[i] + slope[i] + decay * value[i];
    value[i] -= rate * speed[i];
  }
}

function parameter({ floats }, n, first) {
  const value = floats(n);
  for (let i = 0; i < n; i++) value[i] = first();
  return { value, slope: floats(n), speed: floats(n) };
}

// Convolution 3x3, batch-norm with the batch's moments, ReLU.
function block({ channels: c, side, out: k, stride, batch, draw }, kernel) {
  const shape = { height: side, width: side, kernel: [3, 3], stride: [stride, stride], padding: [1, 1] };
  const { where, places } = looks(shape), inputs = 9 * c, bound = 1 / Math.sqrt(inputs), { floats, product } = kernel;
  const weight = parameter(kernel, inputs * k, () => bound * (2 * draw() - 1));
  const gain = parameter(kernel, k, () => 1), shift = parameter(kernel, k, () => 0);
  const [mean, variance] = [new Float32Array(k), new Float32Array(k).fill(1)], root = new Float32Array(k);
  const patches = floats(places * inputs), slopes = floats(places * inputs), turned = floats(inputs * k);
  const normal = floats(batch * places * k), y = floats(batch * places * k), dx = floats(batch * side * side * c);
  let seen;

  function forward(x, n) {
    seen = x;
    for (let i = 0; i < n; i++) {
      gather(part(x, i, side * side * c), c, where, patches);
      product(patches, weight.value, part(normal, i, places * k), [places, inputs, k]);
    }
    normalise(n * places);
    for (let i = 0, j = 0; i < n * places * k; i++, j = j + 1 === k ? 0 : j + 1) {
      y[i] = Math.max(0, gain.value[j] * normal[i] + shift.value[j]);
    }
    return y;
  }

  // normal <- (normal - its mean) / its standard deviation, over `rows` places, channel by channel
  function normalise(rows) {
    const sum = new Float64Array(k), squares = new Float64Array(k);
    for (let i = 0, j = 0; i < rows * k; i++, j = j + 1 === k ? 0 : j + 1) {
      sum[j] += normal[i];
      squares[j] += normal[i] * normal[i];
    }
    for (let j = 0; j < k; j++) {
      const here = sum[j] / rows, spread = Math.max(squares[j] / rows - here * here, 0);
      root[j] = 1 / Math.sqrt(spread + SMALL);
      sum[j] = here;
      mean[j] += 0.1 * (here - mean[j]);
      variance[j] += 0.1 * (spread * rows / (rows - 1) - variance[j]);
    }
    for (let i = 0, j = 0; i < rows * k; i++, j = j + 1 === k ? 0 : j + 1) normal[i] = (normal[i] - sum[j]) * root[j];
  }

  function backward(dy, n, further) {
    const rows = n * places;
    shift.slope.fill(0);
    gain.slope.fill(0);
    for (let i = 0, j = 0; i < rows * k; i++, j = j + 1 === k ? 0 : j + 1) {
      if (y[i] <= 0) dy[i] = 0;
      shift.slope[j] += dy[i];
      gain.slope[j] += dy[i] * normal[i];
    }
    for (let i = 0, j = 0; i < rows * k; i++, j = j + 1 === k ? 0 : j + 1) {
      const common = (shift.slope[j] + normal[i] * gain.slope[j]) / rows;
      dy[i] = gain.value[j] * root[j] * (dy[i] - common);
    }
    transpose(weight.value, inputs, k, turned);
    for (let i = 0; i < n; i++) {
      const d = part(dy, i, places * k);
      gather(part(seen, i, side * side * c), c, where, patches);
      product(patches, d, weight.slope, [inputs, places, k], { transposed: true, add: i > 0 });
      if (!further) continue;
      product(d, turned, slopes, [places, k, inputs]);
      scatter(slopes, c, where, part(dx, i, side * side * c));
    }
    return dx;
  }

  function folded() {
    const scale = Float64Array.from(variance, (v, j) => gain.value[j] / Math.sqrt(v + SMALL));
    const layer = { kind: "convolution", channels: c, out: k, ...shape };
    layer.weight = weight.value.map((w, i) => w * scale[i % k]);
    layer.bias = shift.value.map((b, j) => b - mean[j] * scale[j]);
    return [layer, { kind: "relu", places: places * k }];
  }
  return { forward, backward, folded, learned: [weight, gain, shift] };
}

// The linear head: logits = x weight + bias.
function last({ d, classes: k, batch, draw }, kernel) {
  const bound = 1 / Math.sqrt(d), { floats, product } = kernel;
  const weight = parameter(kernel, d * k, () => bound * (2 * draw() - 1)), bias = parameter(kernel, k, () => bound * (2 * draw() - 1));
  const logits = floats(batch * k), slope = floats(batch * k), turned = floats(d * k), dx = floats(batch * d);
  let seen;
  return {
    learned: [weight, bias],
    forward(x, n) {
      seen = x;
      for (let i = 0; i < n; i++) logits.set(bias.value, i * k);
      product(x, weight.value, logits, [n, d, k], { add: true });
      return logits.subarray(0, n * k);
    },
    backward(dy, n) {
      slope.set(dy);
      bias.slope.fill(0);
      for (let i = 0; i < n * k; i++) bias.slope[i % k] += dy[i];
      product(seen, slope, weight.slope, [d, n, k], { transposed: true });
      product(slope, transpose(weight.value, d, k, turned), dx, [n, k, d]);
      return dx;
    },
    folded: () => ({ kind: "linear", weight: Float32Array.from(weight.value), bias: Float32Array.from(bias.value) }),
  };
}

function part(array, i, size) {
  return array.subarray(i * size, (i + 1) * size);
}
