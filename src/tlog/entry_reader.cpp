// SPDX-License-Identifier: Apache-2.0
#include "tlog/entry_reader.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::tlog {

namespace {

// Some twenty entries of the usual length: what is copied behind the entry is wasted.
constexpr std::size_t window_bytes = 16U << 10U;
constexpr std::size_t head_bytes = 2;

TileName bundle_of(std::uint64_t number) { return { .level = std::nullopt, .index = number }; }
TileName tile_of(std::uint64_t number) { return { .level = 0, .index = number }; }

Error damaged(TileName const& name, std::uint64_t index)
{
    return corruption("`" + name.path() + "`: entry " + std::to_string(index) + " is not what was written");
}

UniqueFd open_file(Path const& log_folder, TileName const& name)
{
    return UniqueFd(::open((log_folder / name.path()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

// Neither removed nor replaced since it was opened.
bool is_in_place(int file)
{
    struct stat status { };
    return ::fstat(file, &status) == 0 && status.st_nlink > 0;
}

// The lengths of a bundle one after another, read in windows.
class LengthReader {
public:
    explicit LengthReader(int file)
        : file_(file)
    {
    }
    std::optional<std::uint32_t> length_at(std::size_t offset)
    {
        if (offset < begin_ || offset + head_bytes > end_) {
            auto const got = ::pread(file_, window_.data(), window_.size(), static_cast<off_t>(offset));
            if (got < static_cast<ssize_t>(head_bytes))
                return std::nullopt;
            begin_ = offset;
            end_ = offset + static_cast<std::size_t>(got);
        }
        auto const at = offset - begin_;
        return std::uint32_t(window_[at]) << 8U | window_[at + 1];
    }

private:
    int file_;
    std::array<std::uint8_t, window_bytes> window_;
    std::size_t begin_ = 0, end_ = 0;
};

std::optional<Bytes> read_at(int file, std::size_t offset, std::size_t size)
{
    Bytes bytes(size);
    if (::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes.size()))
        return std::nullopt;
    return bytes;
}

} // namespace

EntryReader::EntryReader(Path log_folder)
    : folder_(std::move(log_folder))
{
}

// False: it is not there, or not full.
bool EntryReader::open(std::uint64_t number)
{
    if (last_ && last_->number == number && is_in_place(last_->entries.get()) && is_in_place(last_->leaves.get()))
        return true;
    last_.reset();
    Bundle bundle { .number = number, .entries = open_file(folder_, bundle_of(number)), .leaves = open_file(folder_, tile_of(number)) };
    if (!bundle.entries.is_open() || !bundle.leaves.is_open())
        return false;
    last_ = std::move(bundle);
    return true;
}

EntryReader::Places& EntryReader::places_of(std::uint64_t number)
{
    if (places_.size() >= remembered_bundles_max && !places_.contains(number))
        places_.clear();
    return places_[number];
}

// So that offsets has the entry. False: the bundle ends before it.
bool EntryReader::find(Bundle const& bundle, Places& places, std::uint64_t place)
{
    if (place < places.offsets.size())
        return true;
    LengthReader lengths(bundle.entries.get());
    while (places.offsets.size() <= place) {
        auto const length = lengths.length_at(places.next);
        if (!length)
            return false;
        places.offsets.push_back(places.next + head_bytes);
        places.next += head_bytes + *length;
    }
    return true;
}

Result<std::optional<Bytes>> EntryReader::read(std::uint64_t index)
{
    std::scoped_lock const lock(mutex_);
    auto const number = index / tile_width;
    if (!open(number))
        return std::optional<Bytes>();
    auto entry = read_checked(*last_, places_of(number), index);
    if (entry.is_error()) { // what is remembered of it may be as wrong
        last_.reset();
        places_.erase(number);
    }
    return entry;
}

Result<std::optional<Bytes>> EntryReader::read_checked(Bundle const& bundle, Places& places, std::uint64_t index)
{
    auto const place = index % tile_width;
    if (!find(bundle, places, place))
        return damaged(bundle_of(bundle.number), index);
    auto const& offsets = places.offsets;
    auto const begin = offsets[place];
    auto const end = place + 1 < offsets.size() ? offsets[place + 1] - static_cast<std::uint32_t>(head_bytes) : places.next;
    auto entry = read_at(bundle.entries.get(), begin, end - begin);
    if (!entry)
        return damaged(bundle_of(bundle.number), index);
    auto const leaf = read_at(bundle.leaves.get(), place * sizeof(Hash), sizeof(Hash));
    if (!leaf)
        return damaged(tile_of(bundle.number), index);
    if (!std::ranges::equal(leaf_hash(*entry), *leaf))
        return damaged(bundle_of(bundle.number), index);
    return entry;
}

} // namespace writ::tlog
