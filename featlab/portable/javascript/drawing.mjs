// A place to draw an image: with a finger, a mouse, or the keyboard (arrows move the pen, space lowers and lifts it).

import { button, element, paint, picture } from "./elements.mjs";

const WIDE = 1.25; // the pen's radius in pixels of the image

export function drawing(shape, drawn) {
  const [, h, w] = shape, pixels = new Float32Array(shape[0] * h * w), pen = { x: w / 2, y: h / 2, down: false };
  const canvas = picture(shape, "draw here: arrow keys move the pen, space lowers and lifts it", { role: "application", tabIndex: 0, className: "pixels paper" });
  const where = element("span", { role: "status", className: "pen" });

  function dab(x, y) {
    for (let i = 0; i < h * w; i++) {
      const far = Math.hypot((i % w) + 0.5 - x, Math.floor(i / w) + 0.5 - y), ink = Math.max(0, Math.min(1, WIDE + 0.5 - far));
      for (let c = 0; c < shape[0]; c++) pixels[c * h * w + i] = Math.max(pixels[c * h * w + i], ink);
    }
  }

  function line(x, y) {
    const steps = Math.ceil(2 * Math.hypot(x - pen.x, y - pen.y)) || 1;
    for (let k = 1; k <= steps; k++) dab(pen.x + (x - pen.x) * k / steps, pen.y + (y - pen.y) * k / steps);
    Object.assign(pen, { x, y });
    show();
  }

  function show() {
    paint(canvas, pixels, shape);
    drawn(pixels.slice());
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * w, (event.clientY - box.top) / box.height * h];
  }

  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    [pen.x, pen.y] = at(event);
    pen.down = true;
    line(pen.x, pen.y);
  });
  canvas.addEventListener("pointermove", event => { if (pen.down && event.buttons) line(...at(event)); });
  canvas.addEventListener("pointerup", () => { pen.down = false; });
  canvas.addEventListener("keydown", event => {
    const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], " ": [0, 0] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    if (event.key === " ") pen.down = !pen.down;
    const x = Math.max(0, Math.min(w, pen.x + moves[event.key][0])), y = Math.max(0, Math.min(h, pen.y + moves[event.key][1]));
    if (pen.down) line(x, y);
    else Object.assign(pen, { x, y });
    where.textContent = `pen ${pen.down ? "down" : "up"} at ${Math.round(x)}, ${Math.round(y)}`;
  });
  const clear = button("clear", () => { pixels.fill(0); show(); });
  paint(canvas, pixels, shape);
  return { box: element("div", { className: "drawing" }, element("strong", {}, "or draw one"), canvas, clear, where), pixels };
}
