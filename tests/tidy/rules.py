# SPDX-License-Identifier: Apache-2.0
"""The house rules as data. tidy.py applies them; ARCHITECTURE.md and CONTRIBUTING.md explain them.

A rule that must be broken in one place is broken here, in the table, with the reason beside it: never in the source.
"""
from dataclasses import dataclass

# Layers: what each folder of src/ may include. `base` is the floor; a folder never includes one that stands below it in this table,
# which tidy_test.py proves. A name with a slash is a subfolder with rules of its own.
LAYERS: dict[str, set[str]] = {
    "base": set(),
    "crypto": {"base"},
    "cedar": {"base"},
    "vocabulary": {"base", "cedar"},
    "tlog": {"base", "crypto"},
    "identity": {"base", "crypto"},
    "net": {"base", "crypto", "identity"},
    "store": {"base", "crypto", "identity"},
    "store/sqlite": {"base", "crypto", "identity", "store"},
    "attest": {"base", "crypto", "identity", "net"},
    "issue": {"base", "crypto", "identity", "net", "store"},
    "audit": {"base", "crypto", "cedar", "tlog", "identity", "store"},
    "audit/export": {"base", "crypto", "tlog", "identity", "net", "audit"},
    "replay": {"base", "crypto", "cedar", "vocabulary", "tlog", "audit"},
    "authority": {"base", "crypto", "cedar", "vocabulary", "tlog", "identity", "net", "store", "attest", "issue", "audit",
                  "audit/export", "replay"},
    "agent": {"base", "crypto", "identity", "net", "attest"},
    "cli": {"base", "crypto", "cedar", "vocabulary", "tlog", "identity", "net", "audit", "audit/export", "replay"},
    # Composition roots name everything, implementations too.
    "programs": {"base", "crypto", "cedar", "vocabulary", "tlog", "identity", "net", "store", "store/sqlite", "attest", "issue", "audit", "audit/export",
                 "replay",
                 "authority", "agent", "cli"},
}

# Folders whose subfolders are siblings of one kind: they see their parent folder, not each other.
FAMILIES = ("attest", "issue")

# What only programs/ may name, so that a role sees interfaces alone.
IMPLEMENTATIONS = ("store/sqlite/",)


@dataclass(frozen=True)
class Confined:
    """A header that only some files may include."""
    name: str
    pattern: str
    allowed: tuple[str, ...]  # path patterns (fnmatch), relative to the tree
    reason: str


CONFINED = (
    Confined("asio", r"boost/(asio|beast)", ("src/net/*",), "one folder owns the event loop"),
    Confined("boost url", r"boost/url", ("src/base/*", "src/net/*"), "URLs are parsed where they enter"),
    Confined("openssl", r"openssl/", ("src/crypto/*", "src/net/tls*"), "one folder owns cryptography; TLS needs the context itself"),
    Confined("nghttp2", r"nghttp2/", ("src/net/*",), "HTTP/2 stays behind net"),
    Confined("sqlite", r"sqlite3\.h", ("src/store/sqlite/*", "src/audit/index*"), "the database stays behind its store"),
    Confined("libpq", r"(postgresql/)?libpq-(fe|events)\.h", ("src/issue/postgres_role*", "src/net/postgres*"), "one issuer speaks PostgreSQL"),
    Confined("librdkafka", r"librdkafka/", ("src/audit/export/kafka*",), "one transport speaks Kafka"),
    Confined("zlib", r"zlib\.h", ("src/audit/export/gzip*",), "one file compresses"),
    Confined("yaml-cpp", r"yaml-cpp/", ("src/authority/*yaml*.cpp", "src/authority/declarations*.cpp"), "YAML is read in one place"),
    Confined("protobuf", r"google/protobuf/|\.pb\.h", ("src/net/*", "src/agent/*"), "wire messages stay at the edge"),
    Confined("CLI11", r"CLI/", ("src/cli/*", "src/programs/*"), "arguments are read in one place"),
    Confined("json library", r"boost/json(/parse|/stream_parser|\.hpp)", ("src/base/*",), "only base parses JSON: strictly, with limits"),
    Confined("fmt", r"(fmt|spdlog)/", ("src/base/*", "src/cli/*", "src/programs/*"), "messages are plain strings below the roles"),
)


@dataclass(frozen=True)
class Banned:
    """A call or word that only some files may use."""
    name: str
    pattern: str
    reason: str
    allowed: tuple[str, ...] = ()
    only: tuple[str, ...] = ("src/*", "bench/*", "tests/*")
    keep_strings: bool = False  # whether the text of string literals counts too
    keep_comments: bool = False


BANNED = (
    Banned("C random numbers", r"\b(std::)?s?rand\s*\(|\brandom_device\b|\bmt19937",
           "chance is a parameter: take a RandomSource", ("src/base/random*", "bench/*")),
    Banned("shell", r"\b(std::)?system\s*\(|\bpopen\s*\(", "no shell: arguments become code there"),
    Banned("wall clock", r"\bgettimeofday\s*\(|\b(system|steady|high_resolution)_clock::now\b|\bclock_gettime\s*\(|\b(std::)?time\s*\(\s*(nullptr|NULL|0)\s*\)",
           "time is a parameter: take a Clock", ("src/base/clock*", "src/base/logger*", "src/programs/*", "bench/*", "tests/scenarios/*")),
    Banned("sleep", r"\bsleep_(for|until)\s*\(|\bu?sleep\s*\(|\bnanosleep\s*\(", "wait for the event, or move a ManualClock"),
    Banned("environment", r"\b(std::|secure_)?getenv\s*\(", "what the environment says is read by cli and programs alone",
           ("src/cli/*", "src/programs/*", "*_test.cpp", "bench/*", "tests/conformance/*")),
    Banned("swallowed exception", r"catch\s*\(\s*\.\.\.\s*\)", "catch what the library is documented to throw",
           ("src/net/*", "src/base/json*", "src/authority/yaml*", "src/programs/*")),
    Banned("printed secret", r"(printf|cout|cerr|log_(debug|info|warning|error)|Error\s*\(|to_text|SCOPED_TRACE)[^;]*\breveal\s*\(\)",
           "a secret leaves through reveal() to where it is used, never to a log, an error or a record"),
    Banned("unbounded C strings", r"\b(std::)?(strcpy|strcat|sprintf|gets)\s*\(", "bounds are checked"),
    # `unique_ptr<X>(new X(…))` is how a private constructor is reached.
    Banned("raw new", r"(?<![\w:])(?<!>\()new\s+[A-Za-z_:]+\s*[({]", "std::make_unique", ("src/net/*", "src/agent/*")),
    Banned("using namespace std", r"\busing\s+namespace\s+std\s*;", "names say where they come from"),
    Banned("unfinished work", r"\b(TODO|FIXME|XXX|HACK)\b", "finish it, or write down the limit and its reason",
           only=("src/*", "tests/*", "bench/*", "api/*", "policies/*", "examples/*", "scripts/*", "docs/*", "cmake/*", "*.md", "quickstart", "check"),
           allowed=("tests/tidy/*",), keep_strings=True, keep_comments=True),
    Banned("disabled test", r"\bDISABLED_\w+|\bEXPECT_TRUE\(\s*true\s*\)|\bASSERT_TRUE\(\s*true\s*\)|GTEST_SKIP\(\)\s*;",
           "a test that cannot fail tells nothing"),
    Banned("non-constant comparison", r"\bmemcmp\s*\(", "secrets are compared by constant_time_equal; for the rest == on views",
           ("src/crypto/*", "src/base/*", "src/net/*", "bench/*")),
)

# Lines a file may have. 400 is what we aim at, 600 is where a file is two.
LINES_MAX = 600

# Words for files and folders that say nothing of what is inside.
EMPTY_NAMES = {"common", "util", "utils", "core", "manager", "helper", "helpers", "misc", "impl"}

SPDX = "SPDX-License-Identifier: Apache-2.0"
