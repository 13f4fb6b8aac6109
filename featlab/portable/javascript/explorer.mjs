// One image, attacked now: what is changed, and what each network believes of it, side by side.

import { path } from "./attack.mjs";
import { drawing } from "./drawing.mjs";
import { bars, button, choice, element, highest, paint, pause, percent, picture, signed, slider, still } from "./elements.mjs";
import { picker } from "./picker.mjs";

const DRAWN = -1; // the number of the reader's own image

// world   networks {name: network}, images, labels, classes, shape, and how it attacks: steps, largest, gain
// state   image, eps, goal (a class, or -1: away from its own), against (a network's name, or "": each by itself)
// changed called with the state after each move of the reader
export function explorer(root, world, state, changed = () => {}) {
  const { networks, images, labels, classes, shape, steps, largest, gain } = world;
  const names = Object.keys(networks), columns = Object.fromEntries(names.map(name => [name, column(name, world)]));
  const own = { pixels: new Float32Array(images[0].length) };
  let paths = {}, step = steps, waiting = false;

  const eps = slider("size of the change, ε", { min: 0, max: largest, step: largest / 40, value: state.eps, said: value => value.toFixed(2), moved: value => move({ eps: value }) });
  const goals = [["away from what it is", -1], ...classes.map((name, k) => [`towards ${name}`, k])];
  const goal = choice("goal", goals, state.goal, value => move({ goal: Number(value) }));
  const against = choice("pushed against", [["each network by itself", ""], ...names.map(name => [`the ${name} one`, name])], state.against, value => move({ against: value }));
  const walk = slider("step of the attack", { min: 0, max: steps, step: 1, value: steps, said: value => `${value} of ${steps}`, moved: value => { step = value; show(); } });
  const go = button("walk", walking, { className: "walk" });
  walk.box.append(go);
  const thumbs = picker(images, labels, { shape, classes, chosen: image => move({ image }) });
  const paper = drawing(shape, pixels => { own.pixels = pixels; move({ image: DRAWN }); });
  const before = picture(shape, "the image, unchanged"), called = element("figcaption");
  const said = element("p", { className: "said", role: "status" });

  function move(part) {
    Object.assign(state, part);
    step = steps;
    walk.set(steps);
    if ("image" in part) thumbs.mark(state.image);
    later();
    changed({ ...state });
  }

  // At most once a frame, and always the newest.
  function later() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; attackAll(); show(); });
  }

  function attackAll() {
    const x = original(), options = { eps: state.eps, steps: state.eps ? steps : 0, targeted: state.goal >= 0 };
    const made = name => path(networks[name], x, state.goal < 0 ? truth(name) : state.goal, options);
    const common = state.against ? made(state.against) : null;
    paths = Object.fromEntries(names.map(name => [name, common ?? made(name)]));
  }

  const original = () => (state.image === DRAWN ? own.pixels : images[state.image]);
  // what an image is; the reader's own is what the network calls it before the attack
  const truth = name => (state.image === DRAWN ? highest(networks[name].predict(own.pixels)) : labels[state.image]);

  function show() {
    const x = original(), told = [];
    paint(before, x, shape);
    called.textContent = state.image === DRAWN ? "your drawing" : `the image: ${article(classes[labels[state.image]])}`;
    for (const name of names) {
      const along = paths[name], z = along[Math.min(step, along.length - 1)], p = networks[name].predict(z);
      columns[name].show(x, z, p, truth(name));
      told.push(`${name}: ${classes[highest(p)]}, ${percent(p[highest(p)])}`);
    }
    said.textContent = `${told.join("; ")}.`;
  }

  async function walking() {
    if (still()) { step = step >= steps ? 0 : step + 1; walk.set(step); return show(); }
    go.disabled = true;
    for (step = 0; step <= steps; step++) { walk.set(step); show(); await pause(220); }
    step = steps;
    go.disabled = false;
  }

  // what a cell, or another part of the page, sets
  function set(next) {
    Object.assign(state, next);
    eps.set(state.eps);
    goal.list.value = state.goal;
    against.list.value = state.against;
    thumbs.mark(state.image);
    step = steps;
    walk.set(steps);
    attackAll();
    show();
  }

  const first = element("figure", { className: "before" }, before, called);
  const knobs = [eps.box, goal.box, ...(names.length > 1 ? [against.box] : []), walk.box];
  root.append(
    element("div", { className: "knobs" }, ...knobs),
    element("div", { className: `columns of-${names.length}` }, first, ...names.map(name => columns[name].box)),
    said,
    element("div", { className: "choose" }, element("div", { className: "among" }, element("strong", {}, `choose among ${images.length} images`), thumbs.box), paper.box),
  );
  set({});
  return { set, state };
}

function column(name, { classes, shape, gain }) {
  const after = picture(shape, `the image as it is shown to the ${name} network`), change = picture(shape, "the change");
  const beliefs = bars(classes, `the ${name} network believes`), verdict = element("p", { className: "verdict" });
  const pictures = element("div", { className: "pair" },
    element("figure", {}, after, element("figcaption", {}, "what it sees")),
    element("figure", {}, change, element("figcaption", {}, `the change × ${gain}`)));
  const box = element("section", { className: "network", "aria-label": `the ${name} network` }, element("h3", {}, `${name} network`), pictures, verdict, beliefs.box);

  function show(x, z, p, label) {
    paint(after, z, shape);
    paint(change, z.map((value, i) => value - x[i]), shape, signed(gain));
    beliefs.show(p, label);
    const top = highest(p), fooled = top !== label;
    box.classList.toggle("fooled", fooled);
    verdict.textContent = `“${classes[top]}”, ${percent(p[top])} sure${fooled ? ": fooled" : ""}`;
  }
  return { box, show };
}

export function article(name) {
  return /s$/i.test(name) && !/ss$/i.test(name) ? name : `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;
}
