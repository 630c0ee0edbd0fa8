// SPDX-License-Identifier: Apache-2.0
//
// What the parts of cedar_conformance share: the count of tests and of their checks, and the files of a corpus.
#pragma once

#include "cedar/schema.h"

#include <filesystem>
#include <functional>
#include <map>
#include <set>

namespace writ::cedar::conformance {

namespace fs = std::filesystem;

// LIMIT: test files of others are large and trusted.
inline constexpr JsonLimits corpus_limits { .size_max = 64U << 20U, .depth_max = 512 };

// A test passes if all of its checks hold. The first failed checks are printed.
class Tally {
public:
    explicit Tally(std::size_t shown_max)
        : shown_max_(shown_max)
    {
    }
    void run(std::string const& kind, std::string const& name, std::function<Result<>()> const& test);
    void check(bool holds, std::string const& what);
    [[nodiscard]] std::string const& name() const { return name_; } // of the test that runs
    void not_run(std::string const& why, std::string const& name);
    // Tests and checks of each kind, what was not run, and `N passed, M failed` of tests. The exit code.
    [[nodiscard]] int print() const;

private:
    struct Kind {
        std::size_t passed = 0, failed = 0, checks = 0;
    };
    std::map<std::string, Kind> kinds_;
    std::map<std::string, std::vector<std::string>> not_run_;
    Kind* current_ = nullptr;
    std::string name_;
    bool holds_ = true;
    std::size_t shown_max_ = 0, shown_ = 0;
};

// The files of a test, which names them relative to a folder above itself.
struct Corpus {
    fs::path root;
    std::vector<fs::path> files; // sorted
    std::set<fs::path> used;     // that some test names
    // Where `named` is: below `from`'s folder or one above, up to the root; else a file of that name beside `from`.
    [[nodiscard]] std::optional<fs::path> find(fs::path const& from, std::string_view named) const;
};

std::string read_text(fs::path const&);
Result<JsonValue> read_json(fs::path const&);
std::string text_of(std::vector<SyntaxProblem> const&);
Result<PolicySet> read_policies(fs::path const&, bool is_numbered);
Result<Schema> read_schema(fs::path const&); // Cedar's syntax or JSON, by the file's name
// The schema that belongs to a file: of its name, or `schema.cedarschema` beside it.
std::optional<fs::path> schema_beside(fs::path const&);

// Tests of {policies, entities, schema, requests}, with `.validation.json` beside; and of {entities, schema} with `.parsing.json` beside.
void run_test(Corpus&, fs::path const&, JsonObject const&, Tally&);
void run_parsing_test(Corpus&, fs::path const&, JsonObject const&, Tally&);

// What is printed parses to the same again, as text and as JSON.
Result<> check_policy_forms(Policy const&, Tally&);
Result<> check_schema_forms(fs::path const& schema, bool is_exact, Tally&);

// Samples: policies, schemas, entities, requests and golden decisions that lie beside each other.
void run_policies(fs::path const&, Tally&);
void run_policy_json(fs::path const&, Tally&);
void run_schema(fs::path const&, Tally&);
void run_schema_json(fs::path const&, Tally&);
void run_entities(fs::path const&, JsonValue const&, Tally&);
void run_request(fs::path const&, JsonObject const&, Tally&);
void run_decisions(fs::path const&, JsonValue const&, Tally&);
void run_snapshot(Corpus const&, fs::path const&, Tally&);

} // namespace writ::cedar::conformance
