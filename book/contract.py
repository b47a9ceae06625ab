"""Writes the reference of the contract, from the comments of `proto/`.

python book/contract.py book/src/generated/contract.md
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PROTO = Path(__file__).resolve().parents[1] / "proto"
# What a reader looks for first.
ORDER = ["corpus", "similarity", "story", "admin", "document", "verdict"]
# Numbers of fields in descriptor.proto, of which paths to comments consist.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, VALUES, METHODS = 2, 2, 2
Field = FieldDescriptorProto

HEAD = """# The contract

What `proto/copydesk/v1` says, for reading: first the services, then their messages. A field that
is `optional` can be told from one that is 0 or empty; of those with the same name in brackets, at
most one is set.
"""


class File:
    """One file of the contract, with its comments by path."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.file = file
        self._comments = {
            tuple(location.path): location.leading_comments
            for location in file.source_code_info.location
        }

    def comment(self, *path: int) -> str:
        """What stands above a declaration."""
        lines = self._comments.get(path, "").strip().splitlines()
        return "\n".join(line.strip() for line in lines).replace("<", "&lt;")


def compiled() -> list[File]:
    """The files of the contract."""
    with tempfile.NamedTemporaryFile() as out:
        sources = [str(PROTO / "copydesk" / "v1" / f"{name}.proto") for name in ORDER]
        protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTO}"]
        arguments = ["--include_source_info", f"--descriptor_set_out={out.name}"]
        subprocess.run([*protoc, *arguments, *sources], check=True)
        files = FileDescriptorSet.FromString(Path(out.name).read_bytes()).file
    by_name = {file.name: File(file) for file in files}
    return [by_name[f"copydesk/v1/{name}.proto"] for name in ORDER]


def link(type_name: str) -> str:
    """A type's name, as a link if it is ours."""
    name = type_name.rpartition(".")[2]
    return f"[{name}](#{name.lower()})" if type_name.startswith(".copydesk.") else name


def type_of(field: Field, message: DescriptorProto) -> str:
    """A field's type, as a reader writes it."""
    entries = {f".{nested.name}": nested for nested in message.nested_type}
    entry = entries.get("." + field.type_name.rpartition(".")[2])
    if entry is not None:
        key, value = (type_of(one, entry) for one in entry.field)
        return f"map of {key} to {value}"
    named = field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM)
    name = link(field.type_name) if named else Field.Type.Name(field.type)[5:].lower()
    if field.label == Field.LABEL_REPEATED:
        return f"repeated {name}"
    if field.proto3_optional:
        return f"optional {name}"
    if field.HasField("oneof_index"):
        return f"{name} [{message.oneof_decl[field.oneof_index].name}]"
    return name


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table."""
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in row) + " |"
    yield ""


def service(file: File, index: int, it: ServiceDescriptorProto) -> Iterator[str]:
    """Lines about a service."""
    yield f"## {it.name}\n\n{file.comment(SERVICES, index)}\n"
    for number, method in enumerate(it.method):
        asked, answered = (link(name) for name in (method.input_type, method.output_type))
        asked = f"stream of {asked}" if method.client_streaming else asked
        answered = f"stream of {answered}" if method.server_streaming else answered
        yield f"### {method.name}\n\n{asked} → {answered}\n"
        yield f"{file.comment(SERVICES, index, METHODS, number)}\n"


def message(file: File, index: int, it: DescriptorProto) -> Iterator[str]:
    """Lines about a message."""
    yield f"### {it.name}\n\n{file.comment(MESSAGES, index)}\n"
    rows = [
        (f"`{field.name}`", type_of(field, it), file.comment(MESSAGES, index, FIELDS, number))
        for number, field in enumerate(it.field)
    ]
    if rows:
        yield from table(("field", "type", "meaning"), rows)


def enum(file: File, index: int, it: EnumDescriptorProto) -> Iterator[str]:
    """Lines about an enumeration."""
    yield f"### {it.name}\n\n{file.comment(ENUMS, index)}\n"
    rows = [
        (f"`{value.name}`", file.comment(ENUMS, index, VALUES, number))
        for number, value in enumerate(it.value)
    ]
    yield from table(("value", "meaning"), rows)


def lines() -> Iterator[str]:
    """The whole reference."""
    files = compiled()
    yield HEAD
    for file in files:
        for index, one in enumerate(file.file.service):
            yield from service(file, index, one)
    yield "## Messages\n"
    for file in files:
        for index, one in enumerate(file.file.message_type):
            yield from message(file, index, one)
        for index, one in enumerate(file.file.enum_type):
            yield from enum(file, index, one)


def main() -> None:
    """Runs the program."""
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
