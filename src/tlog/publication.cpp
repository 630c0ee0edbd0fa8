// SPDX-License-Identifier: Apache-2.0
#include "tlog/publication.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace writ::tlog {

namespace {

// LIMIT: partial bundles that stay readable for whoever has just read a checkpoint. Each is as long as all entries in it; keeping all of up
// to 255 would take a hundred times the entries' own room. Partial tiles of hashes stay until the full one is there, as C2SP tlog-tiles
// asks.
constexpr std::size_t partial_bundles_max = 2;

Result<> make_folder(Path const& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return errno_error("create folder `" + folder.string() + "`", error.value());
    return {};
}

Result<> write_new(Path const& path, BytesView bytes)
{
    UniqueFd const fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error("create `" + path.string() + "`", errno);
    while (!bytes.empty()) {
        auto const written = ::write(fd.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
            return errno_error("write `" + path.string() + "`", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written < 0 ? 0 : written));
    }
    return {};
}

void remove_quietly(Path const& path)
{
    // What cannot be removed is looked at by nobody, and removed with its folder.
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

} // namespace

Publication::Publication(Path log_folder, NoteSigner signer, TiledTree tree)
    : folder_(std::move(log_folder))
    , signer_(std::move(signer))
    , tree_(std::move(tree))
{
    ASSERT(tree_.size() % tile_width == 0);
}

Publication::Growth Publication::grow(std::span<EntryPtr const> entries) const
{
    Growth growth { .tree = tree_, .bundle = bundle_, .files = {} };
    for (auto const& entry : entries) {
        append_entry(growth.bundle, entry->bytes);
        if ((growth.tree.size() + 1) % tile_width == 0) {
            growth.files.push_back(
                { .name = { .level = std::nullopt, .index = growth.tree.size() / tile_width }, .bytes = std::move(growth.bundle) });
            growth.bundle = {};
        }
        growth.tree.append(entry->leaf, growth.files);
    }
    if (!growth.bundle.empty())
        growth.files.push_back(
            { .name = { .level = std::nullopt, .index = growth.tree.size() / tile_width, .width = growth.tree.size() % tile_width },
                .bytes = growth.bundle });
    for (auto& tile : growth.tree.partial_tiles())
        if (std::ranges::find(partial_tiles_, tile.name)
            == partial_tiles_.end()) // otherwise it is there: above the leaves most groups change nothing
            growth.files.push_back(std::move(tile));
    return growth;
}

Result<> Publication::place(Path const& name, BytesView bytes)
{
    auto const path = folder_ / name;
    auto const temporary = folder_ / "tmp" / "file";
    TRY(write_new(temporary, bytes));
    if (::rename(temporary.c_str(), path.c_str()) == 0)
        return {};
    if (errno != ENOENT)
        return errno_error("rename to `" + path.string() + "`", errno);
    TRY(make_folder(path.parent_path()));
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return errno_error("rename to `" + path.string() + "`", errno);
    return {};
}

Result<std::shared_ptr<Published const>> Publication::publish(std::span<EntryPtr const> entries)
{
    auto growth = grow(entries);
    for (auto const& file : growth.files)
        TRY(place(file.name.path(), file.bytes));
    Checkpoint checkpoint { .origin = signer_.name, .size = growth.tree.size(), .root = growth.tree.root(), .extension = "" };
    auto note = TRY(sign_checkpoint(checkpoint, signer_));
    TRY(place("checkpoint", as_bytes(note)));
    tree_ = growth.tree;
    bundle_ = std::move(growth.bundle);
    prune(growth.files);
    return std::make_shared<Published const>(
        Published { .checkpoint = std::move(checkpoint), .note = std::move(note), .tree = std::move(growth.tree) });
}

void Publication::prune(std::vector<TileFile> const& files)
{
    partial_tiles_.clear();
    for (auto const& tile : tree_.partial_tiles())
        partial_tiles_.push_back(tile.name);
    for (auto const& file : files) {
        if (file.name.is_full()) {
            full_files_.push_back(file.name);
            remove_quietly(folder_ / partial_folder(file.name));
            std::erase_if(partial_bundles_, [&](TileName const& partial) { return partial.full() == file.name; });
        } else if (!file.name.level && (partial_bundles_.empty() || partial_bundles_.back() != file.name)) {
            partial_bundles_.push_back(file.name);
        }
    }
    while (partial_bundles_.size() > partial_bundles_max) {
        remove_quietly(folder_ / partial_bundles_.front().path());
        partial_bundles_.pop_front();
    }
}

} // namespace writ::tlog
