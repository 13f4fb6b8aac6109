// Which of these two was pushed? A few trials for the reader's eyes, and what the networks said of the same images.

import { attack } from "./attack.mjs";
import { article } from "./explorer.mjs";
import { button, element, highest, paint, picture } from "./elements.mjs";
import { shuffled } from "./training.mjs";

export function trials(root, { networks, images, labels, classes, shape }, { count = 10, eps = 0.5, steps = 15, against }) {
  const score = { eyes: 0, before: {}, after: {} }, order = shuffled(images.length, Math.random).slice(0, count);
  for (const name of Object.keys(networks)) score.before[name] = score.after[name] = 0;
  const canvases = [picture(shape, "the left image"), picture(shape, "the right image")];
  const sides = canvases.map((canvas, side) => button("", () => answer(side), { className: "side" }));
  sides.forEach((side, k) => side.append(canvases[k], element("span", {}, k ? "the right one" : "the left one")));
  const heading = element("h3"), told = element("p", { role: "status", className: "told" }), next = button("next pair", begin);
  let trial = -1, pair;

  function begin() {
    trial += 1;
    const i = order[trial], x = images[i], z = attack(networks[against], x, labels[i], { eps, steps }), pushed = Math.random() < 0.5 ? 0 : 1;
    pair = { i, x, z, pushed };
    heading.textContent = `Pair ${trial + 1} of ${count}: ${article(classes[labels[i]])}, twice. Which was pushed?`;
    [0, 1].forEach(side => paint(canvases[side], side === pushed ? z : x, shape));
    sides.forEach(side => { side.disabled = false; side.className = "side"; });
    told.textContent = "";
    next.hidden = true;
  }

  function answer(side) {
    const { i, x, z, pushed } = pair, right = side === pushed, said = [];
    score.eyes += right;
    for (const [name, network] of Object.entries(networks)) {
      const [of, after] = [x, z].map(image => highest(network.predict(image)));
      score.before[name] += of === labels[i];
      score.after[name] += after === labels[i];
      said.push(of === after ? `the ${name} network calls both “${classes[of]}”` : `the ${name} network says “${classes[of]}”, and after the push “${classes[after]}”`);
    }
    sides.forEach((one, k) => { one.disabled = true; one.classList.toggle("pushed", k === pushed); });
    told.textContent = `${right ? "Yes" : "No"}: ${pushed ? "the right one" : "the left one"}. Now ${said.join("; ")}.${trial + 1 < count ? "" : ` ${summary()}`}`;
    next.hidden = trial + 1 >= count;
    if (!next.hidden) next.focus();
  }

  function summary() {
    const nets = Object.keys(networks).map(name => `the ${name} network named ${score.before[name]} of ${count} before and ${score.after[name]} after`);
    return `Your eyes found ${score.eyes} of ${count}; guessing finds ${count / 2}. Of the same images ${nets.join(", ")}.`;
  }

  root.append(heading, element("div", { className: "sides" }, ...sides), told, next);
  begin();
}
