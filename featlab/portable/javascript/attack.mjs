// Projected gradient descent in the l2 ball, as featlab's PGD(L2(eps), steps): section 2 of the paper.
//
//     z <- clamp( x + project( z - step * gradient / ||gradient|| - x ) ),    step = 2.5 eps / steps
//
// away from `label`, or with `targeted` towards it; pixels and eps in [0, 1].

export function attack(network, x, label, options = {}) {
  return path(network, x, label, options).at(-1);
}

// The images along the way: x itself, and the one after each step.
export function path(network, x, label, { eps = 1, steps = 15, targeted = false } = {}) {
  const step = (targeted ? -2.5 : 2.5) * eps / Math.max(steps, 1), images = [Float32Array.from(x)];
  for (let i = 0; i < steps; i++) {
    const z = images[i], gradient = network.gradient(z, label);
    const length = step / Math.max(norm(gradient), 1e-12);
    images.push(inside(x, z.map((value, j) => value + length * gradient[j]), eps));
  }
  return images;
}

// The nearest point of the ball around x, then of the box.
function inside(x, z, eps) {
  const delta = z.map((value, j) => value - x[j]), scale = Math.min(1, eps / Math.max(norm(delta), 1e-12));
  return delta.map((value, j) => Math.min(1, Math.max(0, x[j] + scale * value)));
}

export function norm(vector) {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  return Math.sqrt(sum);
}
