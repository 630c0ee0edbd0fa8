#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the house rules (rules.py) over the source tree: `tidy.py [TREE]`. Prints each broken rule as FILE:LINE: RULE and exits 1."""
import fnmatch
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import declared_words
import rules

CPP = {".h", ".cpp"}
COMMENTED = CPP | {".py", ".sh", ".cmake", ".yaml", ".cedar", ".sql", ".proto", ".cedarschema"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.detail}"


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def blank(text: str, keep_strings: bool, keep_comments: bool) -> str:
    """C++ text with comments (and the insides of strings) blanked, its lines where they were."""
    token = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|//[^\n]*|/\*(?:.|\n)*?\*/')

    def replace(found: re.Match) -> str:
        is_comment = found[0].startswith("/")
        if keep_comments if is_comment else keep_strings:
            return found[0]
        return re.sub(r"[^\n]", " ", found[0])

    return token.sub(replace, text)


def layer_of(path: str) -> str | None:
    """The row of the layer table that a file of src/ belongs to: its longest folder that has one."""
    parts = path.split("/")[1:-1]
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in rules.LAYERS:
            return name
    return None


def check_layer(path: str, included: str) -> str | None:
    """What is wrong with `path` including `included`, if anything."""
    own = layer_of(path)
    target = layer_of("src/" + included)
    if own is None or target is None:
        return None
    family = own.split("/")[0]
    if family in rules.FAMILIES and included.startswith(family + "/"):
        return check_siblings(path, included, family)
    if any(included.startswith(name) for name in rules.IMPLEMENTATIONS) and own not in ("programs", target) and not is_test(path):
        return f"{own} names an implementation, {included}; only programs may"
    if target != own and target not in rules.LAYERS[own]:
        return f"{own} may not include {target} ({included})"
    return None


def check_siblings(path: str, included: str, family: str) -> str | None:
    own_parts, target_parts = path.split("/")[2:-1], included.split("/")[1:-1]
    if target_parts and own_parts and own_parts[0] != target_parts[0]:
        return f"siblings in {family} do not include each other ({included})"
    return None


def is_test(path: str) -> bool:
    return path.endswith(("_test.cpp", "_fuzz.cpp", "_bench.cpp"))


def check_includes(path: str, text: str) -> list[Finding]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        name = include[2]
        if path.startswith("src/"):
            if layer_of(path) is None:
                found.append(Finding(path, number, "layers", f"folder is not in the layer table of {rules.__name__}.py"))
            elif problem := check_layer(path, name):
                found.append(Finding(path, number, "layers", problem))
        for confined in rules.CONFINED:
            if re.match(confined.pattern, name) and path.startswith("src/") and not matches(path, confined.allowed):
                found.append(Finding(path, number, "confined header", f"{name}: {confined.reason}"))
    return found


def check_banned(path: str, text: str) -> list[Finding]:
    found = []
    for banned in rules.BANNED:
        if not matches(path, banned.only) or matches(path, banned.allowed):
            continue
        seen = blank(text, banned.keep_strings, banned.keep_comments) if Path(path).suffix in CPP else text
        if Path(path).suffix not in CPP and not banned.keep_comments:
            continue
        for hit in re.finditer(banned.pattern, seen):
            found.append(Finding(path, seen.count("\n", 0, hit.start()) + 1, f"banned: {banned.name}", banned.reason))
    return found


def check_form(path: str, text: str) -> list[Finding]:
    found = []
    lines = text.splitlines()
    suffix = Path(path).suffix
    if suffix in COMMENTED or Path(path).name == "CMakeLists.txt" or lines[:1] and lines[0].startswith("#!"):
        if rules.SPDX not in "\n".join(lines[:2]):
            found.append(Finding(path, 1, "licence", f"one of the first two lines says `{rules.SPDX}`"))
    if suffix in CPP and len(lines) > rules.LINES_MAX:
        found.append(Finding(path, len(lines), "length", f"{len(lines)} lines; {rules.LINES_MAX} at most"))
    if suffix == ".h" and "#pragma once" not in text:
        found.append(Finding(path, 1, "form", "a header has #pragma once"))
    for part in path.split("/"):
        if part.split(".")[0] in rules.EMPTY_NAMES:
            found.append(Finding(path, 1, "names", f"`{part}` says nothing of what is inside"))
    return found


def check_declared_words(tree: Path) -> list[Finding]:
    """docs/declarations.md tells every kind, field, claim and action that there is."""
    if not (tree / declared_words.PARSERS[0]).is_file():
        return []  # a tree of something else
    document = (tree / declared_words.DOCUMENT).read_text() if (tree / declared_words.DOCUMENT).is_file() else ""
    found = []
    for path in (*declared_words.PARSERS, declared_words.CLAIMS, declared_words.SCHEMA):
        text = (tree / path).read_text()
        if not declared_words.words_of(path, text):
            found.append(Finding(path, 1, "declarations", "no word of a declaration was found here; declared_words.py looks for them"))
        for word, line in declared_words.undocumented(path, text, document):
            found.append(Finding(path, line, "declarations", f"`{word}` is not told in {declared_words.DOCUMENT}"))
    return found


def check_file(path: str, text: str) -> list[Finding]:
    found = check_form(path, text) + check_banned(path, text)
    if Path(path).suffix in CPP:
        found += check_includes(path, text)
    return found


def files_of(tree: Path) -> list[str]:
    """Committed and new files that Git does not ignore; every file where there is no Git."""
    listed = subprocess.run(["git", "-C", str(tree), "ls-files", "--cached", "--others", "--exclude-standard", "-z"], capture_output=True, text=True)
    if listed.returncode == 0:
        return sorted(name for name in listed.stdout.split("\0") if name and (tree / name).is_file())
    return sorted(str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file() and "build" not in file.relative_to(tree).parts)


def check_tree(tree: Path) -> tuple[int, list[Finding]]:
    count, found = 0, []
    for path in files_of(tree):
        try:
            text = (tree / path).read_text()
        except UnicodeDecodeError:
            continue
        count += 1
        found += check_file(path, text)
    return count, found + check_declared_words(tree)


def main(arguments: list[str]) -> int:
    tree = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).resolve().parents[2]
    count, found = check_tree(tree)
    for finding in found:
        print(finding)
    print(f"tidy: {count} files, {len(found)} broken rules")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
