"""For those who do not see a figure or use a mouse: figures in words, names and keys for controls."""

import base64
import html
import re
from collections.abc import Mapping, Sequence

import numpy as np

# a script
RUN = (
    '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" style="display:none" '
    'onload="{0}" onerror="{0}">'
)
# for screen readers and keyboards: ipywidgets writes a name beside a slider's handle or over an image, but
# does not say that they belong together, and JupyterLab takes keys (the arrows, in a list) that are meant for
# a control
NAMED = RUN.format(
    """setTimeout(() => document.querySelectorAll('.featlab-live, .featlab-predict').forEach(box => {
  box.querySelectorAll('select, input, button, .noUi-handle')
    .forEach(knob => knob.setAttribute('data-lm-suppress-shortcuts', 'true'));
  box.querySelectorAll('.noUi-handle').forEach(handle =>
    handle.setAttribute('aria-label',
      handle.closest('.widget-slider').querySelector('.widget-label')?.textContent || 'slider'));
  box.querySelectorAll('img.widget-image').forEach(image => {
    const before = image.previousElementSibling;
    image.alt = before?.classList.contains('widget-html') ? before.textContent : 'picture, in words below it';
  });
}), 300)"""
)
# a plotly figure has no name either: its title, axes and traces in words, for every figure that a page draws,
# and again when it is redrawn
SPOKEN = RUN.format(
    """
const shown = text => new DOMParser().parseFromString(text, 'text/html').body.textContent;
const plain = text => shown((text?.text ?? text ?? '').toString().replace(/<[^>]+>/g, ' '))
  .replace(/\\s+/g, ' ').trim();
const some = words => [...new Set(words.map(plain))].filter(word => word);
const words = ({layout, data}) => {
  const axes = some(Object.keys(layout ?? {}).filter(key => /^[xy]axis/.test(key))
    .map(key => layout[key].title));
  const names = some((data ?? []).map(trace => trace.name));
  const notes = some((layout?.annotations ?? []).map(note => note.text));
  const parts = [plain(layout?.title), axes.length && 'Axes: ' + axes.join('; '),
    names.length && 'Shown: ' + names.join('; ')];
  return ['Figure', ...parts, notes.length && 'Written in it: ' + notes.slice(0, 30).join('; ')]
    .filter(part => part).join('. ');
};
const name = () => document.querySelectorAll('.js-plotly-plot:not([role])').forEach(plot => {
  const say = (text = words(plot)) => plot.ariaLabel === text || plot.setAttribute('aria-label', text);
  plot.setAttribute('role', 'figure');
  say();
  plot.on?.('plotly_afterplot', () => say());
});
if (!window.featlabNames) {
  window.featlabNames = new MutationObserver(name);
  window.featlabNames.observe(document.body, {childList: true, subtree: true, attributeFilter: ['class']});
  name();
}""".strip().replace('"', "&quot;")
)
_KINDS = {"bar": "bars", "image": "images", "heatmap": "a map of values", "surface": "a surface"}


def numbers_in(data: object) -> list:
    """A list of a trace's numbers or words, also where plotly has packed them into base64."""
    if isinstance(data, Mapping):
        return np.frombuffer(base64.b64decode(data["bdata"]), np.dtype(data["dtype"])).tolist()
    return list(data) if isinstance(data, Sequence | np.ndarray) and not isinstance(data, str) else []


def _plain(text: object) -> str:
    """Text without HTML tags and entities of titles; the text of plotly's {"text": ...} as well."""
    text = text.get("text", "") if isinstance(text, Mapping) else text or ""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", str(text)))).strip()


def number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else _plain(value)


def trace_in_words(trace: Mapping) -> str:
    """One trace: its name, and where it begins and ends; every bar with its value."""
    kind, name = trace.get("type", "scatter"), _plain(trace.get("name"))
    xs, ys = numbers_in(trace.get("x")), numbers_in(trace.get("y"))
    if kind not in ("bar", "scatter", "scattergl") or not xs or not ys:
        return name
    if kind == "bar":
        names, numbers = (ys, xs) if trace.get("orientation") == "h" else (xs, ys)
        return f"{name}: ".removeprefix(": ") + ", ".join(
            f"{_plain(a)} {number(b)}" for a, b in zip(names, numbers, strict=False)
        )
    if len(xs) < 3 or not name or "lines" not in trace.get("mode", "lines"):
        return name
    return f"{name}: from {number(ys[0])} at {number(xs[0])} to {number(ys[-1])} at {number(xs[-1])}"


def axis_in_words(layout: Mapping, letter: str) -> str:
    titles = [
        _plain(axis.get("title")) for key, axis in sorted(layout.items()) if key.startswith(f"{letter}axis")
    ]
    named = list(dict.fromkeys(title for title in titles if title))
    return f"{'Horizontal' if letter == 'x' else 'Vertical'} axis: {'; '.join(named)}. " if named else ""


def describe(figure: Mapping) -> str:
    """A plotly figure (as json) in a few sentences: title, kinds, axes, traces, notes, slider."""
    layout, traces = figure.get("layout", {}), [t for t in figure["data"] if t.get("visible", True) is True]
    kinds = list(dict.fromkeys(_KINDS.get(t.get("type", "scatter"), "lines and points") for t in traces))
    words = list(dict.fromkeys(text for trace in traces if (text := trace_in_words(trace))))
    notes = list(
        dict.fromkeys(note for a in layout.get("annotations", []) if (note := _plain(a.get("text"))))
    )
    sliders = [s for s in layout.get("sliders", []) if s.get("steps")]
    title = _plain(layout.get("title"))
    text = f"{title}. " if title else ""
    text += f"Figure with {' and '.join(kinds)}. " + axis_in_words(layout, "x") + axis_in_words(layout, "y")
    text += f"{'; '.join(words)}. " if words else ""
    text += f"Written in it: {', '.join(notes[:30])}. " if notes else ""
    for slider in sliders:
        prefix = _plain(slider.get("currentvalue", {}).get("prefix"))
        text += (
            f"Slider: {prefix} {_plain(slider['steps'][0]['label'])} to "
            f"{_plain(slider['steps'][-1]['label'])}. "
        )
    return text.strip()
