// SPDX-License-Identifier: Apache-2.0
//
// cedar_conformance DIR [--show N]: other people's tests of Cedar. DIR may be laid out in any way; what a file is shows in its name and in what it
// holds, and what cannot be run is named. Archives are unpacked beside. `--show N` shows the first N checks that fail.
#include "cedar_cases.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::cedar::conformance {

namespace {

bool ends(fs::path const& path, std::string_view end) { return path.filename().string().ends_with(end); }

Corpus read_corpus(std::vector<fs::path> const& roots)
{
    Corpus corpus { .root = roots.front() };
    for (auto const& root : roots)
        for (auto const& entry : fs::recursive_directory_iterator(root))
            if (entry.is_regular_file())
                corpus.files.push_back(entry.path());
    std::sort(corpus.files.begin(), corpus.files.end());
    return corpus;
}

bool is_archive(fs::path const& path) { return ends(path, ".tar.xz") || ends(path, ".tar.gz"); }

bool unpack(fs::path const& archive, fs::path const& folder)
{
    std::array<std::string, 5> words { "tar", "-xf", archive.string(), "-C", folder.string() };
    std::array<char*, 6> arguments {};
    std::transform(words.begin(), words.end(), arguments.begin(), [](std::string& word) { return word.data(); });
    pid_t child = 0;
    int status = 0;
    return ::posix_spawnp(&child, "tar", nullptr, nullptr, arguments.data(), environ) == 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

// `corpus-tests.tar.xz` without a folder `corpus-tests` beside it is unpacked for this run.
void unpack_archives(Corpus& corpus, fs::path const& scratch, Tally& tally)
{
    std::vector<fs::path> roots { corpus.root };
    for (auto const& file : corpus.files) {
        if (!is_archive(file) || fs::exists(file.parent_path() / file.stem().stem()))
            continue;
        auto const folder = scratch / std::to_string(roots.size());
        fs::create_directories(folder);
        if (unpack(file, folder))
            roots.push_back(folder);
        else
            tally.not_run("an archive that `tar` does not unpack", file.string());
    }
    corpus = read_corpus(roots);
}

bool is_expectation(fs::path const& path) { return ends(path, ".validation.json") || ends(path, ".parsing.json"); }
bool is_named_json(fs::path const& path) { return ends(path, ".cedarschema.json") || ends(path, ".cedar.json") || is_expectation(path); }

bool has(JsonValue const& json, std::string_view member) { return json.is_object() && json.as_object().contains(member); }
bool begins_with(JsonValue const& json, std::string_view member) { return json.is_array() && !json.as_array().empty() && has(json.as_array().front(), member); }

void run_tests(Corpus& corpus, fs::path const& path, Tally& tally)
{
    if (path.extension() != ".json" || is_named_json(path))
        return;
    auto const json = read_json(path);
    if (json.is_error() || !has(*json, "entities") || !has(*json, "schema"))
        return;
    corpus.used.insert(path);
    if (has(*json, "requests"))
        run_test(corpus, path, json->as_object(), tally);
    else
        run_parsing_test(corpus, path, json->as_object(), tally);
}

void run_sample_json(Corpus const& corpus, fs::path const& path, Tally& tally)
{
    auto const json = read_json(path);
    if (json.is_error())
        return tally.not_run("JSON that no test names and that does not parse: " + json.error().message, path.string());
    if (path.filename().string().starts_with("tests") || begins_with(*json, "decision"))
        return run_decisions(path, *json, tally);
    if (json->is_array())
        return run_entities(path, *json, tally);
    if (has(*json, "principal") && has(*json, "resource"))
        return run_request(path, json->as_object(), tally);
    auto const has_type_alone = has(*json, "principal_type") || has(*json, "resource_type");
    tally.not_run(has_type_alone ? "a request of which only types are known: partial evaluation is no part of this engine"
                                 : "JSON that is read with another file, or of no known kind",
        path.lexically_relative(corpus.root).string());
}

// What no test names stands for itself.
void run_sample(Corpus const& corpus, fs::path const& path, Tally& tally)
{
    auto const name = path.lexically_relative(corpus.root).string();
    if (is_expectation(path))
        return tally.not_run("what is expected of a test that is not in the folder", name);
    if (ends(path, ".cedarschema.json"))
        return run_schema_json(path, tally);
    if (ends(path, ".cedar.json"))
        return run_policy_json(path, tally);
    if (ends(path, ".json"))
        return run_sample_json(corpus, path, tally);
    if (ends(path, ".cedarschema"))
        return run_schema(path, tally);
    if (ends(path, ".cedar"))
        return run_policies(path, tally);
    if (ends(path, ".snap"))
        return run_snapshot(corpus, path, tally);
    if (is_archive(path))
        return;
    tally.not_run(ends(path, ".pb") ? "protobuf, which this engine does not read; the Cedar and JSON forms beside it are run"
                                    : "files `*" + path.extension().string() + "`: no test",
        name);
}

} // namespace

static int run(fs::path const& root, std::size_t shown_max)
{
    Tally tally(shown_max);
    auto corpus = read_corpus({ root });
    auto scratch = (fs::temp_directory_path() / "cedar_conformance.XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr)
        return 2;
    unpack_archives(corpus, scratch, tally);
    for (auto const& path : corpus.files)
        run_tests(corpus, path, tally);
    for (auto const& path : corpus.files)
        if (!corpus.used.contains(path))
            run_sample(corpus, path, tally);
    fs::remove_all(scratch);
    return tally.print();
}

} // namespace writ::cedar::conformance

int main(int count, char** arguments)
{
    if (count < 2 || !std::filesystem::is_directory(arguments[1])) {
        std::cerr << "usage: cedar_conformance DIR [--show N]\n";
        return 2;
    }
    bool const is_limited = count == 4 && std::string_view(arguments[2]) == "--show";
    return writ::cedar::conformance::run(std::filesystem::canonical(arguments[1]), is_limited ? std::stoul(arguments[3]) : 10);
}
