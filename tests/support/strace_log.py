"""Reads what `strace -f -y -xx -ttt -o FILE` wrote.

With -xx every string is in hexadecimal, so that no string can look like syntax.
"""

import dataclasses
import re

LINE = re.compile(r"(\d+)\s+[\d.]+ (.*)", re.S)
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.S)
CALL = re.compile(r"(\w+)\((.*)", re.S)
RESULT = re.compile(r"(.*)\)\s+= (-?\w+|\?)(.*)", re.S)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
PATH = re.compile(r"<((?:\\x[0-9a-f]{2})+)>(?:\(deleted\))?")
UNFINISHED = " <unfinished ...>"


class Garbled(Exception):
    pass


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


@dataclasses.dataclass
class Argument:
    """One argument: its text without strings, its strings, and the path of a descriptor."""

    text: str
    strings: list
    path: str | None

    @property
    def string(self):
        return self.strings[0]

    @property
    def number(self):
        return int(self.text, 0)


@dataclasses.dataclass
class Call:
    thread: int
    name: str
    arguments: list = None  # complete only when the call has returned
    result: int | None = None  # None: it has not returned, or never does
    result_path: str | None = None


def split(text):
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "[{(":
            depth += 1
        elif char in "]})":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def arguments_of(text):
    strings, paths = [], []

    def keep_string(match):
        if match[2]:
            raise Garbled("strace was not told to write whole strings")
        strings.append(unhex(match[1]))
        return "$"

    def keep_path(match):
        paths.append(unhex(match[1]).decode())
        return "@"

    text = PATH.sub(keep_path, STRING.sub(keep_string, text))
    arguments = []
    for part in split(text):
        own = [strings.pop(0) for _ in range(part.count("$"))]
        path = [paths.pop(0) for _ in range(part.count("@"))]
        arguments.append(Argument(part.replace("@", ""), own, path[0] if path else None))
    return arguments


def read(path):
    """Yields (returned, Call): each call when it begins and again when it has returned."""
    begun = {}  # thread -> (Call, text of its first arguments)
    for line in path.read_text().splitlines():
        match = LINE.fullmatch(line)
        if not match:
            raise Garbled(line[:200])
        thread, text = int(match[1]), match[2]
        if text.startswith(("+++", "---", "????")):
            continue
        if resumed := RESUMED.fullmatch(text):
            call, first = begun.pop(thread)
            rest = first + resumed[2]
        else:
            name, rest = CALL.fullmatch(text).groups()
            call = Call(thread, name)
            if rest.endswith(UNFINISHED):
                first = rest.removesuffix(UNFINISHED)
                call.arguments = arguments_of(first)
                begun[thread] = (call, first)
                yield False, call
                continue
        ended = RESULT.fullmatch(rest)
        if not ended:
            raise Garbled(line[:200])
        began = call.arguments is not None
        call.arguments = arguments_of(ended[1])
        if not began:
            yield False, call
        if ended[2] != "?":
            call.result = int(ended[2], 0)
            if annotation := PATH.match(ended[3]):
                call.result_path = unhex(annotation[1]).decode()
            yield True, call
