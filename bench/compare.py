"""Compares our index with hnswlib, faiss and usearch on the same vectors, in one run.

    pip install -r bench/requirements.txt
    python bench/compare.py [--corpora a,b,c] [DIR]

makes the vectors in DIR (default: target/bench) and builds all indices there, once; then it
asks all of them, one after the other, on one thread, and prints a table for each corpus. It
writes DIR/CORPUS.png, recall against queries a second.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np

from peers import K, SETTINGS, all_peers, prepare

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
EFS = (12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
# The best of so many rounds counts, or of those that fit into so many seconds.
ROUNDS = 3
SECONDS = 1.0
OURS = "copydesk"
LEVELS = (0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)
CORPORA = {
    "a": "all distinct paragraphs of Reuters-21578",
    "b": "60,000 of them and 40 families of 500 by noise",
    "c": "60,000 of them and 40 families of 500 by damage to the text",
}


def bench(name, *arguments):
    """The output of a benchmark of ours, as lines of JSON."""
    command = ["cargo", "bench", "--quiet", "--bench", name, "--", *map(str, arguments)]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def ask_peer(peer, queries, truth):
    """Recall and queries a second, for each ef."""
    line = []
    for ef in EFS:
        times = []
        while len(times) < ROUNDS and sum(times) < SECONDS:
            begun = time.perf_counter()
            ids = peer.search(queries, ef)
            times.append(time.perf_counter() - begun)
        found = [len(set(a) & set(b)) for a, b in zip(ids.tolist(), truth.tolist())]
        line.append((sum(found) / (K * len(queries)), len(queries) / min(times)))
    return line


def ask_us(folder, corpus):
    lines = bench("search", "ask", folder, corpus)
    points = [(line["recall"], line["queries_per_second"]) for line in lines if "ef" in line]
    return points, lines[-1]


def rate_at(line, recall):
    """Queries a second at a recall, between the two nearest points; None beyond the line."""
    points = sorted(line)
    for (r0, q0), (r1, q1) in zip(points, points[1:]):
        if r0 <= recall <= r1:
            share = (recall - r0) / (r1 - r0) if r1 > r0 else 0.0
            return q0 + share * (q1 - q0)
    return None


def best_peer(lines, recall):
    rates = {name: rate_at(line, recall) for name, line in lines.items() if name != OURS}
    rates = {name: rate for name, rate in rates.items() if rate is not None}
    return max(rates.items(), key=lambda item: item[1]) if rates else (None, None)


def compare(folder, corpus):
    load = lambda kind: np.load(folder / f"{corpus}.{kind}.npy")  # noqa: E731
    base, queries, truth = load("base"), load("queries"), load("truth")
    kept = folder / f"{corpus}.peers"
    kept.mkdir(exist_ok=True)
    built = bench("search", "build", folder, corpus)[0]
    print(f"\n({corpus}) {CORPORA[corpus]}: {len(base)} vectors, {len(queries)} queries")
    lines, rates = {}, {}
    # Before, between and after the others, as the machine may change; the median counts.
    ours = [ask_us(folder, corpus)]
    for setting in SETTINGS:
        for peer in all_peers():
            name = f"{peer.name} {setting}"
            rates[name] = prepare(peer, base, setting, kept)
            lines[name] = ask_peer(peer, queries, truth)
            peer.index = None
        if setting in (SETTINGS[1], SETTINGS[-1]):
            ours.append(ask_us(folder, corpus))
    memory = ours[-1][1]
    lines[OURS] = [statistics.median(points) for points in zip(*(points for points, _ in ours))]

    print(f"{'recall@10':>10} {'copydesk/s':>11} {'best peer/s':>12} {'ratio':>6}  which")
    for level in LEVELS:
        ours = rate_at(lines[OURS], level)
        name, rate = best_peer(lines, level)
        if ours is None or rate is None:
            print(f"{level:>10} {ours and f'{ours:.0f}' or '-':>11} {rate and f'{rate:.0f}' or '-':>12}")
        else:
            print(f"{level:>10} {ours:>11.0f} {rate:>12.0f} {ours / rate:>6.2f}  {name}")
    print("best recall, and queries a second there; vectors built a second")
    rates[OURS] = built["built_per_second"]
    for name, line in sorted(lines.items(), key=lambda item: -max(item[1])[0]):
        recall, rate = max(line)
        print(f"  {name:<34} {recall:.4f} {rate:>8.0f} {rates[name]:>8.0f}")
    print(f"found by their own vectors: {built['found_by_own']} of {built['vectors']}")
    resident = memory["resident"]
    walked = (resident["own"] + resident["walked"]) / len(base)
    full = resident["full"] / len(base)
    print(f"resident: {walked:.0f} bytes a vector, the whole process; and {full:.0f} of full vectors")

    for name, line in lines.items():
        points = sorted(line)
        style = {"linewidth": 3, "color": "black"} if name == OURS else {"linewidth": 1}
        plt.plot([r for r, _ in points], [q for _, q in points], label=name, **style)
    plt.xlim(0.85, 1.0)
    plt.yscale("log")
    plt.xlabel("recall@10")
    plt.ylabel("queries a second, one thread")
    plt.legend(fontsize=5)
    plt.savefig(folder / f"{corpus}.png", dpi=150)
    plt.clf()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "target" / "bench")
    parser.add_argument("--corpora", default="a,b,c")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    bench("corpora", folder)
    for corpus in arguments.corpora.split(","):
        compare(folder, corpus)


if __name__ == "__main__":
    sys.exit(main())
