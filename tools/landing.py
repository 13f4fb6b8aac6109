"""The landing page: one image, one slider, the flip; then what the paper makes of it."""

import json

from featlab import plots
from featlab.experiments import reports
from featlab.inputs.markup import escaped
from tools import flip

TITLE = "Adversarial examples are not bugs, they are features: run the paper"
WORDS = (
    "A boot becomes a sneaker under a change that you hardly see. Make it happen with one slider, "
    "then run the experiments behind it."
)
ROWS = {
    "D_rand": "images pushed towards a random class, and labelled with it",
    "D_det": "images pushed towards the next class, and labelled with it",
    "D_det control": "the same labels on images that nobody pushed",
}
SCRIPT = """
const frames = %s, names = %s, label = %d, knob = document.getElementById("eps");
const bars = [...document.querySelectorAll(".believes i")], shares = [...document.querySelectorAll(".believes b")];
function show() {
  const frame = frames[knob.value], top = frame.p.indexOf(Math.max(...frame.p)), sure = Math.round(100 * frame.p[top]);
  document.getElementById("attacked").src = frame.image;
  document.getElementById("change").src = frame.change;
  bars.forEach((bar, i) => { bar.style.width = 100 * frame.p[i] + "%%"; shares[i].textContent = Math.round(100 * frame.p[i]) + " %%"; });
  knob.setAttribute("aria-valuetext", "length " + frame.eps);
  document.getElementById("length").textContent = frame.eps.toFixed(1);
  document.getElementById("said").textContent = "The network says: " + names[top] + ", " + sure + " %%. " +
    (top === label ? "Right." : "Wrong, and you still see an " + names[label] + ".");
}
knob.addEventListener("input", show);
show();
"""


def body(lessons: list[tuple[str, str, str]]) -> str:
    """Everything between header and footer; lessons are (file, title, question)."""
    names, label, frames = flip.frames()
    moved = [
        {
            "eps": f.eps,
            "image": plots.data_uri(f.image),
            "change": plots.data_uri(f.change),
            "p": [round(p, 4) for p in f.believes],
        }
        for f in frames
    ]
    listed = "".join(
        f'<li><a href="{escaped(file)}">{escaped(name)}</a><br>{escaped(asks)}</li>'
        for file, name, asks in lessons
    )
    rows = "".join(
        f'<span>{escaped(n)}</span><i class="{"true" if i == label else ""}"></i><b></b>'
        for i, n in enumerate(names)
    )
    script = SCRIPT % (json.dumps(moved), json.dumps(names).replace("<", "\\u003c"), label)
    return f"""<h1>{TITLE}</h1>
<p>The right picture is the left one, changed by an <em>adversary</em>: a network's own gradient says where to move each pixel.
Move the slider.</p>
<div class="knob"><label for="eps">length of the change</label>
<input type="range" id="eps" min="0" max="{len(frames) - 1}" value="0"><output id="length" for="eps">0.0</output></div>
<div class="flip">
<figure><img src="{moved[0]["image"]}" alt="an {escaped(names[label])}, 28 by 28 pixels"><figcaption>the image</figcaption></figure>
<figure><img id="change" alt="the change: a noisy pattern without a shape">
<figcaption>the change, {flip.GAIN:g} times as strong</figcaption></figure>
<figure><img id="attacked" alt="the changed image: to the eye still an {escaped(names[label])}">
<figcaption>the changed image</figcaption></figure>
<div class="believes" aria-label="what the network believes" role="group">{rows}</div></div>
<p class="said" id="said" role="status"></p>
<p>Two other boots in this data set lie about 9 apart; the change that fools the network is a tenth of that. <strong>Is that a defect of the
network, or did it use something that is really there?</strong></p>
<h2>The experiment that decides</h2>
<p>Push every training image a little towards another class, as above, and give it that class as its label. To you the labels look wrong.
Train a fresh network on nothing else, and test it on real images with their real labels. Chance is 10 %.</p>
{_table()}
<p>The paper's answer: the change carries something real, signals that predict the class, that networks use and people do not see:
<em>non-robust features</em>. Whether that is the whole story is what the course asks.</p>
<h2>The course</h2><ol class="lessons" start="0" style="list-style: none; padding: 0">{listed}</ol>
<p>The paper: Ilyas, Santurkar, Tsipras, Engstrom, Tran, Madry, <em>Adversarial Examples Are Not Bugs, They Are Features</em>, NeurIPS 2019
(arXiv 1905.02175).</p><script>{script}</script>"""


def _table() -> str:
    """The stored accuracies on real test images."""
    runs = reports.measured("fashion-mnist-laptop")
    stored, source = reports.over_seeds(runs), runs[0]["provenance"]
    rows = ""
    for name, words in ROWS.items():
        mean, least, most = (100 * value for value in stored[name]["clean"])
        rows += f"<tr><td>{words}</td><td>{mean:.1f} %</td><td>{least:.1f} to {most:.1f} %</td></tr>"
    head = "<tr><th>trained on</th><th>right on real images</th><th>seeds from, to</th></tr>"
    return f"""<table><thead>{head}</thead><tbody>{rows}</tbody></table>
<p><small>Measured: Fashion-MNIST, 10,000 images, {len(runs)} seeds, {source["date"]}, {escaped(source["device"])}.</small></p>"""
