// draws a figure; under one with plotly's slider, which no keyboard reaches, it puts a plain one that moves it
function draw(name, data, layout, config) {
  const box = document.getElementById(name), slider = layout.sliders?.[0];
  if (matchMedia("(prefers-reduced-motion: reduce)").matches && slider) slider.transition = {duration: 0};
  Plotly.newPlot(box, data, layout, config);
  if (slider) knob(box, slider);
}
const shown = text => new DOMParser().parseFromString(text, "text/html").body.textContent;  // what the figure shows, as text
function knob(box, slider) {
  const label = document.createElement("label"), input = document.createElement("input"), steps = slider.steps;
  const prefix = shown(slider.currentvalue?.prefix || "step ").replace(/[\s=]+$/, "");
  Object.assign(input, {type: "range", min: 0, max: steps.length - 1, value: slider.active || 0});
  const say = () => input.setAttribute("aria-valuetext", prefix + " " + shown(steps[input.value].label));
  input.addEventListener("input", () => {
    const step = steps[input.value];
    Plotly[step.method](box, ...step.args);
    Plotly.relayout(box, {"sliders[0].active": Number(input.value)});
    say();
  });
  box.on("plotly_sliderchange", moved => { input.value = steps.findIndex(step => step.label === moved.step.label); say(); });
  label.className = "knob";
  label.append(prefix + " (also with the arrow keys)", input);
  box.parentElement.append(label);
  say();
}
