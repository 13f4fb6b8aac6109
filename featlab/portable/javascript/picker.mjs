// Many small images, of which one is chosen: by mouse, or with the arrow keys as one list.

import { element, paint, picture } from "./elements.mjs";

export function picker(images, labels, { shape, classes, chosen }) {
  const thumbs = images.map((image, i) => {
    const canvas = picture(shape, "", { "aria-hidden": "true" });
    paint(canvas, image, shape);
    const thumb = element("button", { type: "button", role: "radio", tabIndex: -1, "aria-label": `${classes[labels[i]] ?? "image"}, number ${i}`, title: classes[labels[i]] ?? "" }, canvas);
    thumb.addEventListener("click", () => choose(i));
    return thumb;
  });
  const box = element("div", { className: "picker", role: "radiogroup", "aria-label": "images; choose with the arrow keys" }, ...thumbs);

  function mark(i) {
    thumbs.forEach((thumb, k) => {
      thumb.setAttribute("aria-checked", String(k === i));
      thumb.tabIndex = k === (i < 0 ? 0 : i) ? 0 : -1;
    });
  }

  function choose(i) {
    mark(i);
    chosen(i);
  }

  box.addEventListener("keydown", event => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const here = thumbs.indexOf(document.activeElement), next = here + steps[event.key];
    if (next < 0 || next >= thumbs.length) return;
    thumbs[next].focus();
    choose(next);
  });

  function columns() {
    const top = thumbs[0].offsetTop, below = thumbs.findIndex(thumb => thumb.offsetTop > top);
    return below < 0 ? thumbs.length : below;
  }
  return { box, mark };
}
