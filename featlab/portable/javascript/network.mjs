// A network that knows its logits and its gradient with respect to the pixels, layer by layer.
//
// Each layer is {forward(x) -> y, backward(dy) -> dx} on Float32Arrays: channels last, (h, w, c), one image. `dx`
// is the gradient of the loss with respect to what the layer was given last. Both are the layer's own arrays,
// overwritten by the next call.

const LAYERS = { standardise, convolution, linear, relu, elu };

// `described`: {name, classes, shape: [c, h, w], layers: [{kind, ...}]}, as featlab/portable/packing.py writes it,
// with every layer's numbers as Float32Arrays.
export function network(described, kernel) {
  const layers = described.layers.map(layer => LAYERS[layer.kind](layer, kernel));
  let own; // where a slope lies that a layer multiplies
  const forward = pixels => layers.reduce((x, layer) => layer.forward(x), channelsLast(pixels, described.shape));
  const backward = slope => channelsFirst(layers.reduceRight((d, layer) => layer.backward(d), slope), described.shape);
  return {
    ...described,
    logits: pixels => Float32Array.from(forward(pixels)),
    predict: pixels => softmax(forward(pixels)),
    // of slope . logits
    pullback(pixels, slope) {
      forward(pixels);
      return backward(into(own ??= kernel.floats(slope.length), slope));
    },
    // of the cross-entropy -log p[label]
    gradient: (pixels, label) => backward(slopes(softmax(forward(pixels)), label)),
  };
}

export function softmax(logits) {
  const most = Math.max(...logits), powers = Float32Array.from(logits, z => Math.exp(z - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(power => power / sum);
}

// How the cross-entropy grows with each logit: p, and p - 1 at the label, which is exact as minus the others' sum.
export function slopes(p, label) {
  const others = p.reduce((sum, share, k) => (k === label ? sum : sum + share), 0);
  return p.map((share, k) => (k === label ? -others : share));
}

function channelsLast(x, [c, h, w]) {
  if (c === 1) return x;
  return Float32Array.from(x, (_, i) => x[(i % c) * h * w + Math.floor(i / c)]);
}

function channelsFirst(x, [c, h, w]) {
  if (c === 1) return Float32Array.from(x);
  return Float32Array.from(x, (_, i) => x[(i % (h * w)) * c + Math.floor(i / (h * w))]);
}

// (x - mean) / std, channel by channel
function standardise({ mean, std, places }, { floats }) {
  const c = mean.length, out = floats(places * c), back = floats(places * c);
  return {
    forward(x) {
      for (let i = 0; i < out.length; i++) out[i] = (x[i] - mean[i % c]) / std[i % c];
      return out;
    },
    backward(d) {
      for (let i = 0; i < back.length; i++) back[i] = d[i] / std[i % c];
      return back;
    },
  };
}

// Where each place of a convolution looks: the number of the input's pixel for (y, x, tap), -1 outside.
export function looks({ height, width, kernel: [tall, broad], stride: [down, right], padding: [top, left] }) {
  const high = Math.floor((height + 2 * top - tall) / down) + 1, wide = Math.floor((width + 2 * left - broad) / right) + 1;
  const where = new Int32Array(high * wide * tall * broad);
  for (let i = 0, y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
    for (let ky = 0; ky < tall; ky++) for (let kx = 0; kx < broad; kx++, i++) {
      const r = y * down + ky - top, s = x * right + kx - left;
      where[i] = r < 0 || r >= height || s < 0 || s >= width ? -1 : r * width + s;
    }
  }
  return { where, places: high * wide, taps: tall * broad };
}

// What each place of a convolution sees, side by side: x (h, w, c) -> patches (places, taps * c). What lies
// outside is 0 and stays so.
export function gather(x, c, where, patches) {
  for (let i = 0; i < where.length; i++) {
    if (where[i] < 0) continue;
    for (let from = where[i] * c, to = i * c, last = to + c; to < last; from++, to++) patches[to] = x[from];
  }
}

// The transpose of `gather`: adds what each place says of a pixel.
export function scatter(patches, c, where, x) {
  x.fill(0);
  for (let i = 0; i < where.length; i++) {
    if (where[i] < 0) continue;
    for (let to = where[i] * c, from = i * c, last = from + c; from < last; from++, to++) x[to] += patches[from];
  }
}

// weight (taps * c, k), bias (k): out = patches(x) weight + bias
function convolution(layer, { floats, product }) {
  const { weight, bias, channels: c, out: k } = layer, { where, places, taps } = looks(layer);
  const kept = into(floats(weight.length), weight), turned = into(floats(weight.length), transpose(weight, taps * c, k));
  const patches = floats(places * taps * c), y = floats(places * k);
  const slopes = floats(places * taps * c), dx = floats(layer.height * layer.width * c);
  return {
    forward(x) {
      gather(x, c, where, patches);
      for (let i = 0; i < y.length; i += k) y.set(bias, i);
      product(patches, kept, y, [places, taps * c, k], { add: true });
      return y;
    },
    backward(dy) {
      product(dy, turned, slopes, [places, k, taps * c]);
      scatter(slopes, c, where, dx);
      return dx;
    },
  };
}

// weight (d, k), bias (k): y = x weight + bias
function linear({ weight, bias }, { floats, product }) {
  const k = bias.length, d = weight.length / k, own = into(floats(d), []), y = floats(k), dx = floats(d), slope = floats(k);
  const kept = into(floats(d * k), weight), turned = into(floats(d * k), transpose(weight, d, k));
  return {
    forward(x) {
      y.set(bias);
      product(into(own, x), kept, y, [1, d, k], { add: true });
      return y;
    },
    backward(dy) {
      product(into(slope, dy), turned, dx, [1, k, d]);
      return dx;
    },
  };
}

function relu({ places }, { floats }) {
  const y = floats(places), dx = floats(places);
  return {
    forward(x) {
      for (let i = 0; i < places; i++) y[i] = Math.max(x[i], 0);
      return y;
    },
    backward(dy) {
      for (let i = 0; i < places; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
      return dx;
    },
  };
}

// x where it is positive, exp(x) - 1 below; its slope there is exp(x) = y + 1
function elu({ places }, { floats }) {
  const y = floats(places), dx = floats(places);
  return {
    forward(x) {
      for (let i = 0; i < places; i++) y[i] = x[i] > 0 ? x[i] : Math.expm1(x[i]);
      return y;
    },
    backward(dy) {
      for (let i = 0; i < places; i++) dx[i] = y[i] > 0 ? dy[i] : dy[i] * (y[i] + 1);
      return dx;
    },
  };
}

export function transpose(matrix, rows, columns, turned = new Float32Array(matrix.length)) {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = matrix[i * columns + j];
  return turned;
}

function into(place, numbers) {
  place.set(numbers);
  return place;
}
