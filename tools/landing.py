"""The landing page: two networks that are attacked in the page itself, side by side; trials for the reader's
eyes; a wall of static that teaches; then what the paper makes of it.
"""

import json
from functools import cache

import torch

import featlab as fl
from featlab.experiments import released, reports
from featlab.inputs.markup import escaped
from featlab.portable import pages, program
from featlab.types import Dataset

TITLE = "Adversarial examples are not bugs, they are features: run the paper"
WORDS = (
    "A boot becomes a sneaker under a change that you hardly see. Attack two real networks in your browser, "
    "then run the experiments behind it."
)
BOOT, EACH = 92, 10  # the image that is shown first; images of each class
ROWS = {
    "D_rand": "images pushed towards a random class, and labelled with it",
    "D_det": "images pushed towards the next class, and labelled with it",
    "D_det control": "the same labels on images that nobody pushed",
}
STATES = {
    "the flip": {"image": BOOT, "eps": 0.6, "goal": -1, "against": ""},
    "make it a bag": {"image": BOOT, "eps": 1.5, "goal": 8, "against": ""},
    "one change for both": {"image": 20, "eps": 0.8, "goal": -1, "against": "standard"},
    "the robust one's change": {"image": BOOT, "eps": 2.0, "goal": -1, "against": "robust"},
}
# what the page says beside its own training
STATIC = ""


def style() -> str:
    """What the landing page needs beside the sheet of all pages."""
    return program.style("explorer") + program.style("landing")


def clothes(test: Dataset) -> Dataset:
    """The first images of each class, class after class: nothing is chosen by how it comes out."""
    first = [torch.nonzero(test.labels == label).flatten()[:EACH] for label in range(len(test.classes))]
    return test[torch.cat(first)]


@cache
def live() -> str:
    """The released networks, 100 test images and the program."""
    lab = fl.Lab("laptop")
    models = {name: lab.model(name) for name in ("standard", "robust")}
    begin = {"image": BOOT, "eps": 0.0}
    data = pages.contents(models, clothes(lab.data[1]), steps=10, begin=begin) | {"measured": STATIC}
    return pages.as_script(data) + pages.as_module("landing", "of_landing.start();")


def body(lessons: list[tuple[str, str, str]]) -> str:
    """Everything between header and footer; lessons are (file, title, question)."""
    listed = "".join(
        f'<li><a href="{escaped(file)}">{escaped(name)}</a><br>{escaped(asks)}</li>'
        for file, name, asks in lessons
    )
    tries = "".join(
        f'<li><button type="button" data-state="{escaped(json.dumps(state))}">{escaped(words)}</button></li>'
        for words, state in STATES.items()
    )
    return f"""<div class="hero"><h1>{TITLE.split(": run")[0]}</h1>
<p>Two neural networks are in this page, trained on the same 10,000 pictures of clothes. One was trained as usual, the other
against attacks. Move <strong>ε</strong>: each network's own gradient says where to push every pixel, and you watch what it believes.</p></div>
<ul class="tries" aria-label="begin with">{tries}</ul>
<div class="live"><div id="explorer" class="explorer"></div></div>
<p>ε is the length of the change: all pixels together, each between 0 and 1. Two other boots of this data set lie about 9 apart.
{_attacked()}
<strong>Is that a defect of the first, or did it use something that is really there?</strong></p>
<h2>Can you see it?</h2>
<p>Ten pairs. One picture of each pair was pushed by 0.5 against the standard network.</p>
<div class="live"><div id="trials" class="explorer"></div></div>
<h2>The experiment that decides</h2>
<p>Push every training image a little towards another class, as above, and give it that class as its label. To you the labels look wrong.
Train a fresh network on nothing else, and test it on real images with their real labels. Chance is 10 %.</p>
{_table()}
<p>The paper's answer: the change carries something real, signals that predict the class, that networks use and people do not see:
<em>non-robust features</em>. Whether that is the whole story is what the course asks.</p>
<h2>Without any picture at all</h2>
<p>This goes further than the paper (after Kumano, Kera and Yamasaki, 2024). Below is static, uniform noise, pushed by 1.5 towards a label
that was drawn by lot. There is no shirt in it and no boot. A fresh network learns 2,000 of these, and nothing else, here in your browser; it takes some minutes.
<strong>How many of the 100 real clothes above will it name rightly?</strong></p>
<div class="live"><div id="wall" class="explorer"></div></div>
<h2>The course</h2><ol class="lessons" start="0" style="list-style: none; padding: 0">{listed}</ol>
<p>The paper: Ilyas, Santurkar, Tsipras, Engstrom, Tran, Madry, <em>Adversarial Examples Are Not Bugs, They Are Features</em>, NeurIPS 2019
(arXiv 1905.02175). The networks of this page are those that come with featlab, rounded to 24 bits; everything is computed here, and nothing leaves
your machine.</p>{live()}"""


def _attacked() -> str:
    """How the two networks stand an attack, as measured when they were released."""
    card = {network["name"]: network for network in released.card().values()}
    said = [
        f"the {name} network names {100 * card[name]['clean']:.0f} % of 2,000 test images rightly, and "
        f"{100 * card[name]['attacked']['0.5']:.0f} % under an attack of ε = 0.5"
        for name in ("standard", "robust")
    ]
    return f"Measured, one seed, PGD of 20 steps: {'; '.join(said)}."


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
