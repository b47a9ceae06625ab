"""Writes what is generated in this package: `copydesk.v1` from the contract, `copydesk._sync`
from `copydesk._async`.

    python generate.py           # writes it
    python generate.py --check   # exits with 1 if it is not what would be written
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROTO = HERE.parents[1] / "proto"
PACKAGE = HERE / "src" / "copydesk"
SERVICES = ["admin", "corpus", "similarity", "story"]
# Written by hand for either side.
OWN = "primitives.py"

NOTE = "# Generated from _async/{name} by generate.py: change that one.\n"
# In this order.
REPLACEMENTS = [
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAwaitable\[([\w.]+(?:\[\w+\])?)\]", r"\1"),
    (r"\bAsync(Client|Iterable|Iterator|Generator)\b", r"\1"),
    (r"(Generator\[.*), None\]", r"\1, None, None]"),
    (r"(import .*\b)Awaitable, ", r"\1"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\ba(iter|next)\(", r"\1("),
    (r"\bgrpc\.aio\.", "grpc."),
    (r"\b_async\b", "_sync"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
]


def synchronous(source: str, name: str) -> str:
    """What a module of `_async` is without waiting for the event loop."""
    for pattern, replacement in REPLACEMENTS:
        source = re.sub(pattern, replacement, source)
    return NOTE.format(name=name) + source


def write_sync(out: Path) -> None:
    """Writes `_sync`, in the form that ruff gives it."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((PACKAGE / "_async").glob("*.py")):
        if path.name != OWN:
            text = synchronous(path.read_text(encoding="utf-8"), path.name)
            (out / path.name).write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--quiet", "--config", str(HERE / "pyproject.toml")]
    subprocess.run([*ruff, "check", *config, "--select", "I", "--fix", str(out)], check=True)
    subprocess.run([*ruff, "format", *config, str(out)], check=True)


def write_v1(out: Path) -> None:
    """Has protoc write messages, stubs and their types."""
    out.mkdir(parents=True, exist_ok=True)
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTO}"]
    # Plugins stand beside the interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}

    def run(*arguments: str) -> None:
        command = [*protoc, *arguments]
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)

    run(f"--python_out={out}", f"--pyi_out={out}", *sorted(map(str, PROTO.rglob("*.proto"))))
    services = [str(PROTO / "copydesk" / "v1" / f"{name}.proto") for name in SERVICES]
    run(f"--grpc_python_out={out}", f"--mypy_grpc_out={out}", *services)


def write(out: Path) -> None:
    """Writes everything below `out`, which stands for `src`."""
    write_v1(out)
    (out / "copydesk" / "v1" / "__init__.py").write_text(
        '"""The contract: messages and stubs that protoc wrote."""\n', encoding="utf-8"
    )
    write_sync(out / "copydesk" / "_sync")


def generated(root: Path) -> dict[str, str]:
    """Every generated file below `root`, by its path there."""
    paths = [
        path
        for folder in ("v1", "_sync")
        for path in (root / "copydesk" / folder).glob("*.py*")
        if path.name != OWN
    ]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def main() -> None:
    """Runs the program."""
    parser = argparse.ArgumentParser(description="Writes what is generated.")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    if not parser.parse_args().check:
        write(PACKAGE.parent)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        wanted, there = generated(Path(folder)), generated(PACKAGE.parent)
    names = wanted.keys() | there.keys()
    stale = sorted(name for name in names if wanted.get(name) != there.get(name))
    if stale:
        sys.exit(f"not what generate.py writes; run it: {', '.join(stale)}")


if __name__ == "__main__":
    main()
