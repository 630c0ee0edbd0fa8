// SPDX-License-Identifier: Apache-2.0
//
// tlog_conformance DIR: logs of others read by our code. Tessera's small log: every checkpoint's signature, its entries, tiles and root,
// and consistency between any two of its sizes; and none of it when a bit is changed. Sunlight's certificates: the leaves of a real log
// against its tiles of hashes. Paths of all tiles. Checkpoints of logs with keys that we do not have are read without verifying.
#include "tally.h"
#include "tlog/note.h"
#include "tlog/tile.h"

#include <map>

using namespace writ;
using namespace writ::conformance;
using namespace writ::tlog;

namespace {

// LIMIT: a bundle of the longest entries; test files of others are trusted to be shorter.
constexpr std::size_t file_bytes_max = 64U << 20U;

Bytes read(Path const& path)
{
    auto bytes = read_file(path, file_bytes_max);
    return bytes.is_ok() ? std::move(*bytes) : Bytes();
}

std::vector<Path> files_below(Path const& folder)
{
    std::vector<Path> files;
    std::error_code error;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder, error))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

// What stands between the quotes of `NAME="…"` in a script.
std::string quoted_in(std::string_view script, std::string const& name)
{
    auto const begin = script.find(name + "=\"");
    if (begin == std::string_view::npos)
        return {};
    auto const text = script.substr(begin + name.size() + 2);
    return std::string(text.substr(0, text.find('"')));
}

SubtreeReader subtrees_of(std::vector<Hash> const& leaves)
{
    return [&leaves](Subtree subtree) -> Result<Hash> {
        auto const count = std::size_t(1) << static_cast<unsigned>(subtree.level);
        return root_of_hashes(std::span(leaves).subspan(subtree.index * count, count));
    };
}

void check_altered_notes(std::string note, NoteVerifier const& verifier, std::string const& name, Tally& tally)
{
    auto refused = true;
    for (auto& character : note) {
        character = static_cast<char>(character ^ 1);
        refused = refused && verify_checkpoint(note, verifier).is_error();
        character = static_cast<char>(character ^ 1);
    }
    tally.expect(refused, name + ": verifies although a bit was changed");
}

// One size of the log: entries → leaves → tile → root → checkpoint. Returns the leaves.
std::vector<Hash> check_size(Path const& log, Checkpoint const& checkpoint, Tally& tally)
{
    std::vector<Hash> leaves;
    TiledTree tree;
    auto const name = "size " + std::to_string(checkpoint.size);
    if (checkpoint.size > 0) {
        TileName const bundle { .level = std::nullopt, .index = 0, .width = checkpoint.size };
        auto const bytes = read(log / bundle.path());
        auto const entries = parse_bundle(bytes, checkpoint.size);
        tally.expect(entries.is_ok(), name + ": the bundle does not read");
        std::vector<TileFile> filled;
        for (auto const entry : entries.is_ok() ? *entries : std::vector<BytesView>()) {
            leaves.push_back(leaf_hash(entry));
            tree.append(leaves.back(), filled);
        }
        TileName const tile { .level = 0, .index = 0, .width = checkpoint.size };
        tally.expect(tile_bytes(leaves) == read(log / tile.path()), name + ": the tile has other hashes");
    }
    tally.expect(tree.root() == checkpoint.root, name + ": the checkpoint has another root");
    return leaves;
}

void check_consistency(std::map<std::uint64_t, Checkpoint> const& checkpoints, std::vector<Hash> const& leaves, Tally& tally)
{
    for (auto const& [new_size, latest] : checkpoints)
        for (auto const& [old_size, old] : checkpoints) {
            if (old_size > new_size)
                continue;
            auto const name = std::to_string(old_size) + " to " + std::to_string(new_size);
            auto proof = consistency_proof(old_size, new_size, subtrees_of(leaves)).value();
            tally.expect(verify_consistency(old_size, old.root, new_size, latest.root, proof).is_ok(), name + ": consistency");
            if (!proof.empty()) {
                proof.back()[0] ^= 1U;
                tally.expect(
                    verify_consistency(old_size, old.root, new_size, latest.root, proof).is_error(), name + ": an altered proof verifies");
            }
        }
}

void check_tessera(Path const& folder, Tally& tally)
{
    auto const script = read(folder / "build_log.sh");
    auto const verifier = NoteVerifier::parse(quoted_in(as_text(script), "LOG_PUBLIC_KEY"));
    tally.expect(verifier.is_ok(), "the verifier key does not read");
    if (verifier.is_error())
        return;
    std::map<std::uint64_t, Checkpoint> checkpoints;
    std::vector<Hash> leaves;
    for (auto const& file : files_below(folder / "log")) {
        if (!file.filename().string().starts_with("checkpoint"))
            continue;
        auto const note = to_text(read(file));
        auto const checkpoint = verify_checkpoint(note, *verifier);
        tally.expect(checkpoint.is_ok(), file.filename().string() + ": does not verify");
        if (checkpoint.is_error())
            continue;
        check_altered_notes(note, *verifier, file.filename().string(), tally);
        auto found = check_size(folder / "log", *checkpoint, tally);
        if (found.size() > leaves.size())
            leaves = std::move(found);
        checkpoints.insert_or_assign(checkpoint->size, *checkpoint);
    }
    check_consistency(checkpoints, leaves, tally);
}

// A certificate log's own bundles (C2SP static-ct-api): what a leaf is hashed from is the beginning of each entry, and lengths say where
// the next begins.
class CertificateBundle {
public:
    explicit CertificateBundle(BytesView bytes)
        : rest_(bytes)
    {
    }
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    // The MerkleTreeLeaf of RFC 6962 §3.4 for the next entry.
    Bytes take_leaf()
    {
        auto const begin = rest_;
        constexpr std::size_t timestamp_bytes = 8, issuer_key_hash_bytes = 32;
        skip(timestamp_bytes);
        auto const is_precertificate = take_number(2) == 1;
        if (is_precertificate)
            skip(issuer_key_hash_bytes);
        skip(take_number(3)); // certificate
        skip(take_number(2)); // extensions
        Bytes leaf { 0, 0 };  // version 1, a timestamped entry
        leaf.insert(leaf.end(), begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(begin.size() - rest_.size()));
        if (is_precertificate)
            skip(take_number(3));
        skip(take_number(2)); // fingerprints of the chain
        return leaf;
    }

private:
    void skip(std::size_t count) { rest_ = rest_.subspan(std::min(count, rest_.size())); }
    std::size_t take_number(std::size_t width)
    {
        std::size_t number = 0;
        for (auto const byte : rest_.first(std::min(width, rest_.size())))
            number = number << 8U | byte;
        skip(width);
        return number;
    }
    BytesView rest_;
};

void check_sunlight(Path const& log, Tally& tally)
{
    for (std::uint64_t index = 0; index < 3; ++index) {
        TileName const name { .level = 0, .index = index };
        auto const hashes = parse_tile(read(log / name.path()), tile_width);
        tally.expect(hashes.is_ok(), name.path() + ": does not read");
        auto const file = name.path().substr(name.path().rfind('/'));
        auto const bytes = read(log / ("tile/data" + file));
        CertificateBundle bundle(bytes);
        std::size_t count = 0;
        for (; hashes.is_ok() && !bundle.is_at_end() && count < tile_width; ++count)
            tally.expect(leaf_hash(bundle.take_leaf()) == (*hashes)[count], name.path() + ": leaf " + std::to_string(count));
        tally.expect(count == tile_width && bundle.is_at_end(), "tile/data" + file + ": has another number of entries");
    }
}

void check_paths(Path const& log, Tally& tally)
{
    for (auto const& file : files_below(log / "tile")) {
        auto const path = file.lexically_relative(log).string();
        if (path.starts_with("tile/data/") || path.starts_with("tile/names/")) {
            tally.skip("files of certificate logs that are not tiles of this format");
            continue;
        }
        auto const name = parse_tile_path(path);
        tally.expect(name.is_ok() && name->path() == path, path + ": is not a tile's path");
    }
}

void check_unverified(Path const& file, Tally& tally)
{
    auto const note = to_text(read(file));
    auto const checkpoint = parse_checkpoint_without_verifying(note);
    tally.expect(checkpoint.is_ok() && note.starts_with(checkpoint->origin + "\n" + std::to_string(checkpoint->size) + "\n"),
        file.string() + ": does not read");
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    Path const folder = arguments[1];
    Tally tally;
    check_tessera(folder / "tessera/testdata", tally);
    check_sunlight(folder / "sunlight/testdata/navigli2025h2", tally);
    for (auto const& log :
        { folder / "tessera/testdata/log", folder / "sunlight/testdata/navigli2025h2", folder / "sunlight/cmd/skylight/testdata/tree" })
        check_paths(log, tally);
    for (auto const& file : files_below(folder / "sunlight/cmd/skylight/testdata"))
        if (file.filename() == "checkpoint")
            check_unverified(file, tally);
    return tally.print();
}
