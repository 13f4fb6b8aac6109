// What every live picture is made of: elements with text (never markup), knobs, images on canvases, bars.

// An element with properties and children; strings become text.
export function element(kind, properties = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

let named = 0;

// A knob under its name; `said` gives the words for its value.
export function slider(name, { min, max, step, value, said, moved }) {
  const input = element("input", { type: "range", min, max, step, value, id: `featlab-${++named}` });
  const output = element("output", {});
  output.htmlFor.add(input.id);
  function say() {
    output.textContent = said(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  }
  input.addEventListener("input", () => { say(); moved(Number(input.value)); });
  say();
  return {
    box: element("div", { className: "knob" }, element("label", { htmlFor: input.id }, name), input, output),
    input,
    set(to) { input.value = to; say(); },
    span(most) { input.max = most; say(); },
  };
}

// A list of [words, value] to choose from.
export function choice(name, options, value, chosen) {
  const list = element("select", { id: `featlab-${++named}` }, ...options.map(([words, of]) => element("option", { value: of }, words)));
  list.value = value;
  list.addEventListener("change", () => chosen(list.value));
  return { box: element("div", { className: "knob" }, element("label", { htmlFor: list.id }, name), list), list };
}

export function button(words, pressed, properties = {}) {
  const made = element("button", { type: "button", ...properties }, words);
  made.addEventListener("click", pressed);
  return made;
}

export function picture([, h, w], words, properties = {}) {
  return element("canvas", { width: w, height: h, role: "img", "aria-label": words, className: "pixels", ...properties });
}

// Draws pixels (c, h, w) in [0, 1]; `colour` makes (r, g, b) in 0..255 of a pixel's c numbers.
export function paint(canvas, pixels, [c, h, w], colour = grey) {
  const pen = canvas.getContext("2d"), data = pen.createImageData(w, h), places = h * w;
  for (let i = 0; i < places; i++) {
    const [r, g, b] = colour(pixels[i], pixels[c === 3 ? i + places : i], pixels[c === 3 ? i + 2 * places : i]);
    data.data.set([r, g, b, 255], 4 * i);
  }
  pen.putImageData(data, 0, 0);
}

export function grey(r, g, b) {
  return [255 * r, 255 * g, 255 * b];
}

// A change by its sign: none is white, darker is blue, lighter is orange; `gain` times as strong as it is.
export function signed(gain) {
  return (r, g, b) => {
    const t = Math.max(-1, Math.min(1, gain * (r + g + b) / 3)), [x, y, z] = t > 0 ? [192, 74, 0] : [0, 84, 160];
    return [x, y, z].map(end => 255 + Math.abs(t) * (end - 255));
  };
}

// One lying bar for each class; show(p, own): shares, and which bar is solid.
export function bars(classes, words) {
  const rows = classes.map(name => ({ name: element("span", {}, name), bar: element("i"), share: element("b") }));
  const box = element("div", { className: "believes", role: "img", "aria-label": words }, ...rows.flatMap(({ name, bar, share }) => [name, element("div", {}, bar), share]));
  function show(p, own) {
    const top = highest(p);
    rows.forEach(({ name, bar, share }, k) => {
      bar.style.width = `${100 * p[k]}%`;
      bar.className = k === own ? "own" : "";
      name.className = share.className = k === top ? "top" : "";
      share.textContent = percent(p[k]);
    });
    box.setAttribute("aria-label", `${words}: ${classes[top]}, ${percent(p[top])}`);
  }
  return { box, show };
}

export function highest(p) {
  return p.indexOf(Math.max(...p));
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export function pause(milliseconds = 0) {
  return new Promise(done => setTimeout(done, milliseconds));
}
