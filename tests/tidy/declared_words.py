# SPDX-License-Identifier: Apache-2.0
"""The words of declarations, as the parser and the schema have them: each stands in docs/declarations.md, in backticks or as a heading."""
import re

DOCUMENT = "docs/declarations.md"
PARSERS = (
    "src/authority/declaration_parser.cpp",
    "src/authority/cloud_declaration.cpp",
    "src/authority/database_declaration.cpp",
    "src/authority/export_declaration.cpp",
    "src/authority/token_declaration.cpp",
)
CLAIMS = "src/attest/unix/process.cpp"
SCHEMA = "policies/writ.cedarschema"

KIND = re.compile(r'\{ "(\w+)", into\(')
FIELD = re.compile(r'\b(?:fields|only)\.(?:text|text_or|one_of|texts|text_map|flag_or|port_or|duration_or|node)\("(\w+)"')
TOLD = re.compile(r'\breader\.tell\(\w+, "(\w+)"')
NAMED_APART = re.compile(r'std::pair\("(\w+)", &wanted\.|\{ "([a-z]\w*)", "[A-Z]\w+" \}')
LISTED = re.compile(r'(?:refuse_empty|one_of)\([^{;]*\{([^}]*)\}')
CLAIM = re.compile(r'claims\.values\["([\w.]+)"\]')
ACTION = re.compile(r"^action ([\w, ]+) appliesTo", re.MULTILINE)


def words_of(path: str, text: str) -> dict[str, int]:
    """Each word that declarations may use by what this file says, with the line where it first stands."""
    words: dict[str, int] = {}

    def keep(found: re.Match, names: list[str]) -> None:
        for name in names:
            words.setdefault(name, text.count("\n", 0, found.start()) + 1)

    if path == CLAIMS:
        for found in CLAIM.finditer(text):
            keep(found, [found[1]])
    elif path == SCHEMA:
        for found in ACTION.finditer(text):
            keep(found, re.findall(r"\w+", found[1]))
    else:
        for pattern in (KIND, FIELD, TOLD, NAMED_APART):
            for found in pattern.finditer(text):
                keep(found, [group for group in found.groups() if group])
        for found in LISTED.finditer(text):
            keep(found, re.findall(r'"([\w-]+)"', found[1]))
    return words


def documented(document: str) -> set[str]:
    headings = re.findall(r"^## (.*)$", document, re.MULTILINE)
    return set(re.findall(r"`([^`\n]+)`", document)) | {word for heading in headings for word in re.findall(r"\w+", heading)}


def undocumented(path: str, text: str, document: str) -> list[tuple[str, int]]:
    known = documented(document)
    return [(word, line) for word, line in words_of(path, text).items() if word not in known]
