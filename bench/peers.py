"""The searchers that ours is compared with: how each is built, kept and asked."""

import time
from dataclasses import dataclass
from pathlib import Path

import faiss
import hnswlib
import numpy as np
from usearch.index import Index as UsearchIndex

K = 10


@dataclass(frozen=True)
class Setting:
    """Links of a node (twice as many in the lowest layer), and ef while building."""

    m: int
    ef_construction: int

    def __str__(self):
        return f"M={self.m} efC={self.ef_construction}"


SETTINGS = [Setting(m, ef) for m in (16, 32) for ef in (200, 500)]


class Hnswlib:
    name = "hnswlib f32"

    def build(self, base, setting):
        self.index = hnswlib.Index(space="ip", dim=base.shape[1])
        self.index.init_index(len(base), M=setting.m, ef_construction=setting.ef_construction)
        self.index.add_items(base, num_threads=1)

    def save(self, path):
        self.index.save_index(str(path))

    def load(self, path, dimension):
        self.index = hnswlib.Index(space="ip", dim=dimension)
        self.index.load_index(str(path))

    def search(self, queries, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=K, num_threads=1)[0]


class Faiss:
    def __init__(self, is_quantised):
        self.is_quantised = is_quantised
        self.name = "faiss HNSW+SQ8" if is_quantised else "faiss HNSW f32"

    def build(self, base, setting):
        if self.is_quantised:
            kind = faiss.ScalarQuantizer.QT_8bit
            self.index = faiss.IndexHNSWSQ(base.shape[1], kind, setting.m)
        else:
            self.index = faiss.IndexHNSWFlat(base.shape[1], setting.m)
        self.index.hnsw.efConstruction = setting.ef_construction
        self.index.train(base)
        self.index.add(base)

    def save(self, path):
        faiss.write_index(self.index, str(path))

    def load(self, path, dimension):
        self.index = faiss.read_index(str(path))

    def search(self, queries, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, K)[1]


class Usearch:
    def __init__(self, kind):
        self.kind = kind
        self.name = f"usearch {kind}"

    def empty(self, dimension, setting):
        return UsearchIndex(
            ndim=dimension,
            metric="cos",
            dtype=self.kind,
            connectivity=setting.m,
            expansion_add=setting.ef_construction,
        )

    def build(self, base, setting):
        self.index = self.empty(base.shape[1], setting)
        self.index.add(np.arange(len(base)), base, threads=1)

    def save(self, path):
        self.index.save(str(path))

    def load(self, path, dimension):
        self.index = UsearchIndex.restore(str(path))

    def search(self, queries, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, K, threads=1).keys


def all_peers():
    faiss.omp_set_num_threads(1)
    return [Hnswlib(), Faiss(False), Faiss(True)] + [Usearch(k) for k in ("f32", "bf16", "i8")]


def prepare(peer, base, setting, folder: Path):
    """Builds an index, or loads it where it was built before. Returns vectors a second."""
    path = folder / f"{peer.name} {setting}".replace(" ", "-")
    rate = path.with_suffix(".rate")
    if rate.is_file():
        peer.load(path, base.shape[1])
        return float(rate.read_text())
    begun = time.perf_counter()
    peer.build(base, setting)
    built = len(base) / (time.perf_counter() - begun)
    peer.save(path)
    rate.write_text(str(built))
    return built
