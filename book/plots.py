"""Draws the plots of the book from book/figures.toml.

python book/plots.py book/src/generated
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

FIGURES = Path(__file__).resolve().with_name("figures.toml")
OURS, PEER, OTHERS = "#0b5fa5", "#c2571a", ("#8a8a8a", "#b5b5b5", "#d4d4d4")


def index(figures: dict[str, Any]) -> plt.Figure:
    """Questions a second over recall, one panel for each set of vectors."""
    figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True, layout="constrained")
    for panel, name in zip(panels, ("a", "b", "c"), strict=True):
        measured = figures[name]
        panel.plot(figures["recall"], measured["ours"], "o-", color=OURS, label="Copydesk")
        panel.plot(
            figures["recall"], measured["best_peer"], "s--", color=PEER, label="best of the others"
        )
        panel.set(title=measured["title"], xlabel="recall@10", yscale="log")
        panel.set_yticks([3_000, 10_000, 30_000, 70_000])
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.minorticks_off()
        panel.grid(visible=True, alpha=0.25)
    panels[0].set_ylabel("questions a second, one thread")
    panels[0].legend()
    return figure


def related(figures: dict[str, Any]) -> plt.Figure:
    """Mean average precision, a group of bars for each collection."""
    figure, panel = plt.subplots(figsize=(8, 3.4), layout="constrained")
    methods = ("ours", "fusion", "tf-idf", "dense")
    for place, (method, color) in enumerate(zip(methods, (OURS, *OTHERS), strict=True)):
        at = [group + (place - 1.5) * 0.2 for group in range(len(figures["collections"]))]
        panel.bar(at, figures[method], width=0.19, color=color, label=method)
    panel.set_xticks(range(len(figures["collections"])), figures["collections"])
    panel.set(ylabel="mean average precision", ylim=(0, 1))
    figure.legend(ncols=4, loc="outside upper center")
    return figure


def main() -> None:
    """Runs the program."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    figures = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    # The same figures make the same file.
    mpl.rcParams.update({"svg.hashsalt": "copydesk", "svg.fonttype": "none"})
    for name, draw in {"index": index, "related": related}.items():
        plot = draw(figures[name])
        plot.savefig(out / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
