#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy has a sample that breaks it and one that does not."""
import tempfile
import unittest
from pathlib import Path

import declared_words
import rules
import tidy

HEAD = f"// {rules.SPDX}\n"

BREAKS = [
    # (rule, path, text)
    ("layers", "src/base/json.cpp", '#include "crypto/digest.h"\n'),
    ("layers", "src/cedar/parser.cpp", '#include "crypto/digest.h"\n'),
    ("layers", "src/tlog/log.cpp", '#include "net/task.h"\n'),
    ("layers", "src/agent/runs.cpp", '#include "authority/engine.h"\n'),
    ("layers", "src/authority/engine.cpp", '#include "store/sqlite/lease_store.h"\n'),
    ("layers", "src/issue/postgres_role/role.cpp", '#include "issue/x509_svid/issuer.h"\n'),
    ("layers", "src/attest/unix/attestor.cpp", '#include "attest/kubernetes/token.h"\n'),
    ("layers", "src/cli/run.cpp", '#include "authority/engine.h"\n'),
    ("layers", "src/newcomer/thing.cpp", '#include "base/result.h"\n'),
    ("confined header", "src/authority/server.cpp", "#include <boost/asio/post.hpp>\n"),
    ("confined header", "src/net/http_server.cpp", "#include <openssl/ssl.h>\n"),
    ("confined header", "src/audit/query.cpp", "#include <sqlite3.h>\n"),
    ("confined header", "src/authority/leases.cpp", "#include <libpq-fe.h>\n"),
    ("confined header", "src/cli/apply.cpp", "#include <yaml-cpp/yaml.h>\n"),
    ("confined header", "src/net/json_body.cpp", "#include <boost/json.hpp>\n"),
    ("banned: C random numbers", "src/net/x.cpp", "int a = std::rand();\n"),
    ("banned: shell", "src/cli/x.cpp", 'system("ls");\n'),
    ("banned: wall clock", "src/cedar/x.cpp", "auto t = std::chrono::system_clock::now();\n"),
    ("banned: sleep", "src/tlog/log_test.cpp", "std::this_thread::sleep_for(1s);\n"),
    ("banned: environment", "src/authority/x.cpp", 'auto home = std::getenv("HOME");\n'),
    ("banned: swallowed exception", "src/cedar/x.cpp", "try { f(); } catch (...) { return {}; }\n"),
    ("banned: printed secret", "src/issue/x.cpp", 'log_info("made", { { "password", password.reveal() } });\n'),
    ("banned: printed secret", "src/issue/x.cpp", "return Error(ErrorCode::conflict,\n    password.reveal());\n"),
    ("banned: unbounded C strings", "src/net/x.cpp", "strcpy(to, from);\n"),
    ("banned: raw new", "src/audit/x.cpp", "auto* p = new Thing(3);\n"),
    ("banned: using namespace std", "src/audit/x.cpp", "using namespace std;\n"),
    ("banned: unfinished work", "src/audit/x.cpp", "// TODO: later\n"),
    ("banned: unfinished work", "docs/x.md", "FIXME\n"),
    ("banned: disabled test", "src/audit/x_test.cpp", "TEST(A, DISABLED_b) { }\n"),
    ("banned: non-constant comparison", "src/authority/x.cpp", "if (memcmp(a, b, 32) == 0)\n"),
    ("length", "src/audit/x.cpp", "int a;\n" * rules.LINES_MAX),
    ("form", "src/audit/x.h", "int a();\n"),
    ("names", "src/audit/utils.cpp", "int a;\n"),
    ("names", "src/common/a.cpp", "int a;\n"),
]

KEEPS = [
    ("src/cedar/parser.cpp", '#include "cedar/parser.h"\n#include "base/result.h"\n#include <vector>\n'),
    ("src/net/tls_stream.cpp", "#include <openssl/ssl.h>\n#include <boost/asio/post.hpp>\n"),
    ("src/store/sqlite/database.cpp", "#include <sqlite3.h>\n#include \"store/lease_store.h\"\n"),
    ("src/store/sqlite/database_test.cpp", '#include "store/sqlite/database.h"\n'),
    ("src/programs/authority.cpp", '#include "store/sqlite/database.h"\n#include "authority/engine.h"\n'),
    ("src/issue/postgres_role/role.cpp", '#include "issue/issuer.h"\n#include "issue/postgres_role/names.h"\n'),
    ("src/base/clock.cpp", "auto t = std::chrono::system_clock::now();\n"),
    ("src/cedar/x.cpp", "// an operating system (Linux) sleeps; catch (...) is for others\n"),
    ("src/cedar/x.cpp", 'auto text = "system(";\nauto raw = R"(std::rand() catch (...))";\n'),
    ("src/issue/x.cpp", "auto const view = std::string_view(password.reveal());\nlog_info(\"made\");\n"),
    ("src/audit/x.h", "#pragma once\nint renew (int);\n"),
]


class Tidy(unittest.TestCase):
    def test_each_broken_rule_is_found(self):
        for rule, path, text in BREAKS:
            head = "" if path.endswith(".md") else HEAD
            with self.subTest(rule=rule, path=path):
                self.assertIn(rule, {finding.rule for finding in tidy.check_file(path, head + text)})

    def test_what_keeps_the_rules_passes(self):
        for path, text in KEEPS:
            with self.subTest(path=path, text=text):
                self.assertEqual([], tidy.check_file(path, HEAD + text))

    def test_a_missing_licence_line_is_found(self):
        self.assertEqual(["licence"], [finding.rule for finding in tidy.check_file("src/base/x.cpp", "int a;\n")])
        self.assertEqual(["licence"], [finding.rule for finding in tidy.check_file("check", "#!/usr/bin/env bash\necho\n")])

    def test_a_finding_names_file_line_and_rule(self):
        found = tidy.check_file("src/cedar/x.cpp", HEAD + "\nint a = rand();\n")
        self.assertEqual(["src/cedar/x.cpp:3: banned: C random numbers: chance is a parameter: take a RandomSource"], [str(one) for one in found])

    def test_a_word_of_declarations_that_is_not_told_is_found(self):
        parser = '{ "Thing", into(&Declarations::things, read_thing) },\nfields.text("size");\nfields.one_of("type", { "round" });\n'
        samples = [
            (declared_words.PARSERS[0], parser, {"Thing": 1, "size": 2, "type": 3, "round": 3}),
            (declared_words.PARSERS[1], 'reader.tell(environment, "host", "H", true);\nrefuse_empty(fields, node, { "rows" });\n', {"host": 1, "rows": 2}),
            (declared_words.CLAIMS, 'claims.values["unix.uid"] = 1;\n', {"unix.uid": 1}),
            (declared_words.SCHEMA, "\naction read, write appliesTo {\n", {"read": 2, "write": 2}),
        ]
        for path, text, words in samples:
            self.assertEqual(declared_words.words_of(path, text), words)
            told = " ".join(f"`{word}`" for word in words)
            self.assertEqual(declared_words.undocumented(path, text, told), [])
            for word, line in words.items():
                self.assertEqual(declared_words.undocumented(path, text, told.replace(f"`{word}`", word)), [(word, line)])
        self.assertEqual(declared_words.undocumented(declared_words.PARSERS[0], parser, "## Thing\n`size`, `type`: `round`"), [])

    def test_layers_have_no_cycle(self):
        order = list(rules.LAYERS)
        for name, allowed in rules.LAYERS.items():
            for other in allowed:
                self.assertLess(order.index(other), order.index(name), f"{name} includes {other}, which stands below it")

    def test_a_tree_without_git_is_walked_and_an_empty_one_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(1, tidy.main(["tidy", folder]))
            (Path(folder) / "src/base").mkdir(parents=True)
            (Path(folder) / "src/base/x.cpp").write_text(HEAD + "int a;\n")
            self.assertEqual((1, []), tidy.check_tree(Path(folder)))


if __name__ == "__main__":
    unittest.main()
