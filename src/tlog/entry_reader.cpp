// SPDX-License-Identifier: Apache-2.0
#include "tlog/entry_reader.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace writ::tlog {

namespace {

// Some ninety entries of the usual length.
constexpr std::size_t window_bytes = 64U << 10U;
constexpr std::size_t head_bytes = 2;

Error damaged(TileName const& name, std::uint64_t index)
{
    return corruption("`" + name.path() + "`: entry " + std::to_string(index) + " is not what was written");
}

UniqueFd open_file(Path const& log_folder, TileName const& name)
{
    return UniqueFd(::open((log_folder / name.path()).c_str(), O_RDONLY | O_CLOEXEC));
}

// The lengths of a bundle one after another, read in windows.
class LengthReader {
public:
    explicit LengthReader(int file)
        : file_(file)
    {
    }
    std::optional<std::size_t> length_at(std::size_t offset)
    {
        if (offset < begin_ || offset + head_bytes > end_) {
            auto const got = ::pread(file_, window_.data(), window_.size(), static_cast<off_t>(offset));
            if (got < static_cast<ssize_t>(head_bytes))
                return std::nullopt;
            begin_ = offset;
            end_ = offset + static_cast<std::size_t>(got);
        }
        auto const at = offset - begin_;
        return std::size_t(window_[at]) << 8U | window_[at + 1];
    }

private:
    int file_;
    std::array<std::uint8_t, window_bytes> window_;
    std::size_t begin_ = 0, end_ = 0;
};

std::optional<Bytes> entry_in(int bundle, std::uint64_t place)
{
    LengthReader lengths(bundle);
    std::size_t offset = 0;
    for (std::uint64_t i = 0;; ++i) {
        auto const length = lengths.length_at(offset);
        if (!length)
            return std::nullopt;
        offset += head_bytes;
        if (i < place) {
            offset += *length;
            continue;
        }
        Bytes entry(*length);
        if (::pread(bundle, entry.data(), entry.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(entry.size()))
            return std::nullopt;
        return entry;
    }
}

} // namespace

Result<std::optional<Bytes>> read_entry(Path const& log_folder, std::uint64_t index)
{
    TileName const bundle { .level = std::nullopt, .index = index / tile_width }, tile { .level = 0, .index = index / tile_width };
    auto const bundle_file = open_file(log_folder, bundle), tile_file = open_file(log_folder, tile);
    if (!bundle_file.is_open() || !tile_file.is_open())
        return std::optional<Bytes>();
    auto const place = index % tile_width;
    auto entry = entry_in(bundle_file.get(), place);
    if (!entry)
        return damaged(bundle, index);
    Hash leaf {};
    auto const got = ::pread(tile_file.get(), leaf.data(), leaf.size(), static_cast<off_t>(place * leaf.size()));
    if (got != static_cast<ssize_t>(leaf.size()))
        return damaged(tile, index);
    if (leaf_hash(*entry) != leaf)
        return damaged(bundle, index);
    return entry;
}

} // namespace writ::tlog
