// Networks from their packed form (featlab/portable/packing.py), ready to be asked.

import { kernel, numbers } from "./kernel.mjs";
import { network } from "./network.mjs";

// Room for one network: its weights twice (a transpose is kept), and what its layers hold of one image.
export function megabytes({ layers, shape }) {
  const [c, h, w] = shape, weights = layers.reduce((sum, layer) => sum + (layer.weight?.length ?? 0), 0);
  const patches = layers.reduce((sum, { height = 0, width = 0, channels = 0, kernel = [0, 0], out = 0 }) =>
    sum + height * width * (2 * channels * kernel[0] * kernel[1] + 4 * out + channels), 0);
  return 1 + 4 * (2 * weights + patches + 8 * c * h * w) / 2 ** 20;
}

export function unpacked(packed) {
  const layers = packed.layers.map(layer => layer.weight
    ? { ...layer, weight: numbers(layer.weight), bias: numbers(layer.bias) } : layer);
  return { ...packed, layers };
}

// {name: network}, each in a memory of its own.
export function load(networks, program) {
  const made = networks.map(unpacked).map(described => network(described, kernel(program, megabytes(described))));
  return Object.fromEntries(made.map(one => [one.name, one]));
}
