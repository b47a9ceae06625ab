"""Runs every command of the book, chapter by chapter, and compares what it prints.

    python book/check.py                 # all chapters
    python book/check.py verdicts        # one
    python book/check.py --show tuning   # and print what was printed
    python book/check.py --debug         # with the program that was built for tests

A block of `console` holds commands, each after `$ ` and going on after `> `, and what they print:
`...` stands for anything within a line, and a line of it for any lines. A command that shows
nothing may print anything, and all have to succeed. One in the background (`&`) is run until it is
ready. Each chapter is one session of bash in the root of the project, with the program of
target/release, or of target/debug; the ports 7151 and 7152 stand for free ones.

Code stands in files that the chapters include, and commands run. What takes hours stands in blocks
of `sh`: of these it is checked that the programs are there.
"""

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "book" / "src"
DATA = ROOT.parent / "shared" / "data"
READY_SECONDS = 300
MARK = "\x1e"
PORTS = ("7151", "7152")


class WrongError(Exception):
    """A chapter says what does not hold."""


@dataclass
class Block:
    """A fenced block of a chapter."""

    kind: str
    first_line: int
    lines: list[str]


@dataclass
class Step:
    """A command and what the book says that it prints."""

    line: int
    command: str
    expected: list[str]


def chapters() -> list[Path]:
    """The chapters in the order of the table of contents; generated ones hold no commands."""
    names = re.findall(r"\]\(([\w-]+\.md)\)", (SRC / "SUMMARY.md").read_text(encoding="utf-8"))
    return [SRC / name for name in names if (SRC / name).is_file()]


def blocks(chapter: Path) -> Iterator[Block]:
    """All fenced blocks."""
    block = None
    for number, line in enumerate(chapter.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            if block is not None:
                yield block
            block = Block(line[3:], number + 1, []) if block is None else None
        elif block is not None:
            block.lines.append(line)
    if block is not None:
        raise WrongError(f"{chapter.name}: a block is not closed")


def steps(block: Block) -> list[Step]:
    """The commands of a block."""
    found: list[Step] = []
    for number, line in enumerate(block.lines, block.first_line):
        if line.startswith("$ "):
            found.append(Step(number, line[2:], []))
        elif not found:
            raise WrongError(f"line {number}: output before a command")
        elif line.startswith(">") and not found[-1].expected:
            found[-1].command += "\n" + line[2:]
        else:
            found[-1].expected.append(line)
    return found


def matches(expected: list[str], printed: str) -> bool:
    """Whether a program printed what the book says."""
    pattern = ""
    for line in expected:
        if line.strip() in ("...", "…"):
            pattern += r"(?:.*\n)*?"
        else:
            parts = [re.escape(part.rstrip()) for part in line.split("...")]
            pattern += r".*".join(parts) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def free_ports(count: int) -> list[int]:
    """As many ports of this machine that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Session:
    """A shell that runs the commands of one chapter."""

    def __init__(self, scratch: Path, debug: bool) -> None:
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._scratch = scratch
        self._debug = debug
        self._servers = 0
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COPYDESK_")}
        programs = ROOT / "target" / ("debug" if debug else "release")
        environment |= {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COPYDESK_LISTEN": f"127.0.0.1:{self._ports['7151']}",
            "COPYDESK_SERVER": f"http://127.0.0.1:{self._ports['7151']}",
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(scratch),
            "XDG_CONFIG_HOME": str(scratch / "config"),
            "no_proxy": "127.0.0.1",
        }
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, and its exit code."""
        if self._debug:
            command = command.replace("target/release", "target/debug")
            # It was built.
            command = command.replace("cargo build --release --locked", "true")
            command = re.sub(r"^examples/\w+/run\.sh", r"\g<0> target/debug/copydesk", command)
        for port, ours in self._ports.items():
            command = command.replace(f":{port}", f":{ours}")
        background = command.removesuffix("&") if command.endswith(" &") else None
        log = self._scratch / f"server-{self._servers}"
        if background is not None:
            self._servers += 1
            log.touch()
            command = f"{background} > {shlex.quote(str(log))} 2>&1 &"
        # What it reads is nothing, and not the commands that follow.
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{command}\nprintf '{MARK}%s\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        for line in self._shell.stdout:
            printed += line
            if MARK in line:
                break
        printed, _, code = printed.rpartition(MARK)
        if background is not None:
            printed = self._ready(log)
        for port, ours in self._ports.items():
            printed = printed.replace(f":{ours}", f":{port}")
        return printed, int(code or -1)

    def _ready(self, log: Path) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while "ready on " not in log.read_text(encoding="utf-8"):
            if time.monotonic() > deadline:
                raise WrongError(f"not ready within {READY_SECONDS} s: {log.read_text()}")
            time.sleep(0.1)
        return log.read_text(encoding="utf-8")

    def end(self) -> None:
        """Ends the shell and what it left running."""
        self.run("jobs -p | xargs -r kill 2> /dev/null; wait")
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(60)


def check_programs(block: Block) -> None:
    """Checks that what the commands of a block of `sh` would run is there."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    benches = {bench["name"] for bench in manifest["bench"]}
    for number, line in enumerate(block.lines, block.first_line):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        match words:
            case ["cargo", "bench", "--bench", name, *_]:
                known = name in benches
            case ["cargo", "run", "--release", "-p", "copydesk-eval", *_]:
                known = (ROOT / "eval" / "Cargo.toml").is_file()
            case ["python", script, *_]:
                known = (ROOT / script).is_file()
            case ["pip", "install", "-r", requirements]:
                known = (ROOT / requirements).is_file()
            case _:
                known = False
        if not known:
            raise WrongError(f"line {number}: not a program of the project: {line}")


def check(chapter: Path, show: bool, debug: bool) -> int:
    """Runs a chapter. Returns how many commands it has."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), debug)
        try:
            for block in blocks(chapter):
                if block.kind == "sh":
                    check_programs(block)
                elif block.kind in ("python", "rust", "ts"):
                    if not all(line.startswith("{{#include ") for line in block.lines):
                        raise WrongError(
                            f"line {block.first_line}: code that nothing runs; include it"
                        )
                elif block.kind == "console":
                    for step in steps(block):
                        printed, code = session.run(step.command)
                        count += 1
                        if show:
                            print(f"$ {step.command}\n{printed}", end="")
                        if code != 0 or (step.expected and not matches(step.expected, printed)):
                            expected = "\n".join(step.expected)
                            raise WrongError(
                                f"line {step.line}: {step.command}\nexit code {code}\n"
                                f"--- printed\n{printed}\n--- expected\n{expected}"
                            )
        finally:
            session.end()
    return count


def main() -> None:
    """Runs the program."""
    parser = argparse.ArgumentParser(description="Runs every command of the book.")
    parser.add_argument("chapters", nargs="*", help="their names, without .md")
    parser.add_argument("--show", action="store_true", help="print what they print")
    parser.add_argument("--debug", action="store_true", help="with the program of target/debug")
    arguments = parser.parse_args()
    failed = 0
    for chapter in chapters():
        if arguments.chapters and chapter.stem not in arguments.chapters:
            continue
        if "../shared/data" in chapter.read_text(encoding="utf-8") and not DATA.is_dir():
            print(f"{chapter.name}: skipped, there is no ../shared/data")
            continue
        started = time.monotonic()
        try:
            count = check(chapter, arguments.show, arguments.debug)
            print(f"{chapter.name}: {count} commands, {time.monotonic() - started:.1f} s")
        except WrongError as wrong:
            print(f"{chapter.name}: {wrong}", file=sys.stderr)
            failed += 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
