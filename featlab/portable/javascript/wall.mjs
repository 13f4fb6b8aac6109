// The wall of static: noise with labels, a vote, and a fresh network that learns nothing else, here, in the background.

import { button, choice, element, highest, paint, pause, picture } from "./elements.mjs";
import { bytes, kernel } from "./kernel.mjs";
import { load } from "./load.mjs";
import { network } from "./network.mjs";
import { learn, picture as noisy, push, RECIPE, together } from "./static.mjs";
import { random } from "./training.mjs";

const WALL = 24, ROOM = 160; // pictures; megabytes of a training

// What a Worker does with {teacher, program, tests, recipe, control, seed}: makes the static, trains, and posts how far
// it is and which of the tests the student names rightly.
export function work({ teacher, program, tests, recipe, control, seed }, post) {
  const { [teacher.name]: taught } = load([teacher], program), draw = random(seed), images = [], labels = [];
  for (let i = 0; i < recipe.images; i++) {
    const one = noisy(draw, tests.images[0].length, teacher.classes);
    images.push(control ? one.noise : push(taught, one, recipe));
    labels.push(one.label);
    if (i % 50 === 0) post({ stage: "making static", done: i / recipe.images });
  }
  const own = kernel(program, ROOM);
  for (const { done, student } of learn(together(images), labels, own, { ...recipe, seed: seed + 1, classes: teacher.classes })) {
    const fresh = network(student.described("student"), kernel(program, 8));
    const named = tests.images.map(image => highest(fresh.predict(image)));
    post({ stage: "learning", done, named });
  }
}

export function wall(root, data, { networks, images, labels, classes, shape }, { teacher, measured }) {
  const tiles = Array.from({ length: WALL }, () => {
    const canvas = picture(shape, "static"), label = element("figcaption");
    return { canvas, label, box: element("figure", {}, canvas, label) };
  });
  const status = element("p", { role: "status", className: "told" }), votes = [["about 1 in 10: it guesses", 10], ["about 1 in 5", 20], ["about 1 in 3", 35], ["more than half", 60]];
  let guess = votes[0][1], workers = [];
  const vote = choice("your vote", votes, guess, value => { guess = Number(value); });
  const go = button("train it now", train), stop = button("stop", end, { hidden: true });
  const lanes = [["static that was pushed", false], ["control: the same static, not pushed", true]].map(([words, control]) => lane(words, control));

  async function fill() {
    const draw = random(7);
    for (const { canvas, label } of tiles) {
      const one = noisy(draw, images[0].length, classes.length), z = push(networks[teacher], one, RECIPE);
      paint(canvas, z, shape);
      label.textContent = classes[one.label];
      canvas.setAttribute("aria-label", `static, labelled ${classes[one.label]}`);
      await pause();
    }
  }

  function lane(words, control) {
    const bar = element("progress", { max: 1, value: 0, "aria-label": words }), told = element("p", { className: "told" }, "not begun");
    const ticks = images.map((image, i) => {
      const canvas = picture(shape, "", { "aria-hidden": "true" });
      paint(canvas, image, shape);
      return element("span", { className: "tick", title: classes[labels[i]] }, canvas);
    });
    const box = element("section", { className: "lane" }, element("h3", {}, words), bar, told, element("div", { className: "ticks", "aria-hidden": "true" }, ...ticks));
    let right = 0;
    function hear({ stage, done, named }) {
      bar.value = stage === "learning" ? 0.25 + 0.75 * done : 0.25 * done;
      if (named) {
        right = named.filter((label, i) => label === labels[i]).length;
        ticks.forEach((tick, i) => tick.classList.toggle("right", named[i] === labels[i]));
      }
      told.textContent = named ? `${stage}: right on ${right} of ${images.length} real clothes` : `${stage}: ${Math.round(100 * done)} %`;
      if (done === 1 && named) finished();
    }
    return { box, control, hear, right: () => right, bar };
  }

  function train() {
    end();
    [go.disabled, stop.hidden] = [true, false];
    status.textContent = "Two fresh networks learn here, in the background; the page stays yours.";
    const packed = data.networks.find(one => one.name === teacher), seed = Math.floor(1e6 * Math.random());
    const source = new Blob([document.getElementById("featlab-program").textContent], { type: "text/javascript" });
    workers = lanes.map(({ control, hear, bar }) => {
      bar.value = 0;
      const worker = new Worker(URL.createObjectURL(source)); // a classic one: from a file, Chromium loads no module into a Worker
      worker.onmessage = event => hear(event.data);
      worker.onerror = event => { status.textContent = `The training broke off: ${event.message ?? "this browser starts no Worker here"}`; end(); };
      worker.postMessage({ teacher: packed, program: bytes(data.program), tests: { images }, recipe: RECIPE, control, seed });
      return worker;
    });
  }

  function end() {
    workers.forEach(worker => worker.terminate());
    workers = [];
    [go.disabled, stop.hidden] = [false, true];
  }

  function finished() {
    if (!lanes.every(({ bar }) => bar.value === 1)) return;
    end();
    const [pushed, control] = lanes.map(one => one.right());
    status.textContent = `You voted ${guess} of 100. The network that learned from pushed static names ${pushed} of ${images.length} real clothes, its control ${control}. ${measured}`;
  }

  root.append(element("div", { className: "wall" }, ...tiles.map(tile => tile.box)), element("div", { className: "knobs" }, vote.box, element("div", { className: "knob" }, go, stop)), status, element("div", { className: "lanes" }, ...lanes.map(one => one.box)));
  return fill();
}
