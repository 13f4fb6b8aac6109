const pages = [...document.querySelectorAll("section")];
let at = Math.max(0, (parseInt(location.hash.slice(1)) || 1) - 1);
function turn(to) {
  at = Math.min(Math.max(to, 0), pages.length - 1);
  pages.forEach((page, k) => page.classList.toggle("on", k === at));
  history.replaceState(null, "", "#" + (at + 1));
}
document.body.classList.add("one");
turn(at);
addEventListener("keydown", event => {
  if (event.target.matches("input")) return;
  if (["ArrowRight", "PageDown", " "].includes(event.key)) turn(at + 1);
  if (["ArrowLeft", "PageUp"].includes(event.key)) turn(at - 1);
  if (event.key === "n") document.body.classList.toggle("notes");
});
const stored = document.getElementById("flip");
if (stored) {
  const {frames, names, label} = JSON.parse(stored.textContent), knob = document.getElementById("eps");
  const show = () => {
    const frame = frames[knob.value], top = frame.p.indexOf(Math.max(...frame.p));
    document.getElementById("moved").src = frame.image;
    document.getElementById("said").textContent = "length " + frame.eps.toFixed(1) + ": the network says " + names[top] +
      ", " + Math.round(100 * frame.p[top]) + " %" + (top === label ? "" : ", and is wrong");
  };
  knob.addEventListener("input", show);
  show();
}
