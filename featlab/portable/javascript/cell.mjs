// The explorer as the output of a notebook's cell (an anywidget): it computes in the browser; what it is set to is
// told to Python once it rests, and what Python sets is shown.

import { explorer } from "./explorer.mjs";
import { unpack } from "./page.mjs";

const REST = 250; // milliseconds without a move

export function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "explorer";
  el.append(box);
  let timer;
  const one = explorer(box, unpack(model.get("world")), { ...model.get("state") }, moved => {
    clearTimeout(timer);
    timer = setTimeout(() => { model.set("state", moved); model.save_changes(); }, REST);
  });
  const follow = () => {
    const set = model.get("state");
    if (Object.keys(set).some(name => set[name] !== one.state[name])) one.set(set);
  };
  model.on("change:state", follow);
  return () => { clearTimeout(timer); model.off("change:state", follow); };
}
