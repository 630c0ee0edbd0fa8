// SPDX-License-Identifier: Apache-2.0
//
// witness_conformance DIR: what others say and sign as witnesses, read by our code. The examples of C2SP's tlog-witness and tlog-cosignature
// (requests, answers, cosigned checkpoints, whose keys we do not have) are read, and written back as the same. Checkpoints that real
// witnesses have cosigned verify under the keys in their metadata, and with a changed byte they do not. Scripts of requests and expected
// answers in the form of rsc.io/script, NAME.txt, are run on our witness (witness_script.h).
#include "tally.h"
#include "witness_script.h"
#include "tlog/cosignature.h"
#include "tlog/note_format.h"
#include "tlog/receipt.h"
#include "tlog/witness_request.h"

#include "base/json.h"

using namespace writ;
using namespace writ::conformance;
using namespace writ::tlog;

namespace {

constexpr std::size_t file_bytes_max = 16U << 20U;

std::string read(Path const& path)
{
    auto const bytes = read_file(path, file_bytes_max);
    return bytes.is_ok() ? std::string(as_text(*bytes)) : std::string();
}

// The examples of a document: runs of lines indented by four spaces, and what stands between fences.
std::vector<std::string> examples_of(std::string_view document)
{
    std::vector<std::string> examples;
    std::string current, blank;
    auto is_fenced = false;
    auto const finish = [&] {
        if (!current.empty())
            examples.push_back(std::move(current));
        current.clear();
        blank.clear();
    };
    while (!document.empty()) {
        auto const line = document.substr(0, document.find('\n'));
        document.remove_prefix(std::min(document.size(), line.size() + 1));
        if (line.starts_with("```")) {
            finish();
            is_fenced = !is_fenced;
        } else if (is_fenced || line.starts_with("    ")) {
            current += blank + std::string(is_fenced ? line : line.substr(4)) + "\n";
            blank.clear();
        } else if (line.empty() && !current.empty()) {
            blank += "\n"; // may be within the example
        } else {
            finish();
        }
    }
    finish();
    return examples;
}

void check_example(std::string const& example, std::string const& name, Tally& tally)
{
    constexpr std::string_view mark = "\xE2\x80\x94 ";
    if (example.find("[...]") != std::string::npos || example.find('<') != std::string::npos)
        return; // shortened, or a pattern
    if (example.starts_with("old ")) {
        auto const request = parse_add_checkpoint(example);
        tally.expect(request.is_ok() && to_text(*request) == example && parse_checkpoint_without_verifying(request->note).is_ok(), name + ": request");
    } else if (example.starts_with(mark)) {
        auto const lines = parse_signature_lines(example);
        std::string again;
        if (lines.is_ok())
            for (auto const& line : *lines)
                again += signature_line(line.name, line.key_hash, line.bytes);
        tally.expect(again == example, name + ": answer");
    } else if (example.find("\n\n" + std::string(mark)) != std::string::npos && !example.starts_with("c2sp.org/")) {
        tally.expect(parse_checkpoint_without_verifying(example).is_ok(), name + ": checkpoint");
    }
}

void check_cosigned(Path const& metadata, Tally& tally)
{
    auto const object = parse_json_object(read(metadata));
    auto const name = metadata.parent_path().filename().string();
    if (object.is_error()) {
        tally.expect(false, name + ": metadata");
        return;
    }
    std::vector<WitnessVerifier> keys;
    auto const texts = strings_member(*object, "verifier_keys");
    for (auto const& text : texts.is_ok() ? *texts : std::vector<std::string>()) {
        auto key = WitnessVerifier::parse(text);
        tally.expect(key.is_ok() && key->to_text() == text, name + ": " + text);
        if (key.is_ok())
            keys.push_back(std::move(*key));
    }
    for (auto const& entry : std::filesystem::recursive_directory_iterator(metadata.parent_path())) {
        if (entry.path().filename() != "checkpoint")
            continue;
        auto note = read(entry.path());
        auto const found = verify_cosignatures(note, keys);
        tally.expect(found.is_ok() && found->size() == keys.size(), name + ": cosigned checkpoint");
        auto refused = true;
        for (std::size_t i = 0; i < note.rfind("\n\n"); ++i) {
            note[i] = static_cast<char>(note[i] ^ 1);
            auto const altered = verify_cosignatures(note, keys);
            refused = refused && (altered.is_error() || altered->empty());
            note[i] = static_cast<char>(note[i] ^ 1);
        }
        tally.expect(refused, name + ": altered checkpoints");
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fprintf(stderr, "usage: witness_conformance DIR\n");
        return 2;
    }
    Tally tally;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(arguments[1])) {
        auto const name = entry.path().filename().string();
        if (name == "tlog-witness.md" || name == "tlog-cosignature.md" || name == "tlog-proof.md")
            for (auto const& example : examples_of(read(entry.path())))
                check_example(example, name, tally);
        if (name == "witness.v0.json")
            check_cosigned(entry.path(), tally);
        if (entry.is_regular_file() && entry.path().extension() == ".txt")
            if (auto const text = read(entry.path()); is_witness_script(text))
                run_witness_script(name, text, tally);
    }
    return tally.print();
}
