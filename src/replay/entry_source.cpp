// SPDX-License-Identifier: Apache-2.0
#include "replay/entry_source.h"

#include "replay/record_view.h"
#include "tlog/note.h"
#include "tlog/retention.h"
#include "tlog/tile.h"

#include <atomic>
#include <mutex>
#include <thread>

namespace writ::replay {

namespace {

// LIMIT: a bundle of the longest entries, and a checkpoint with many cosignatures.
constexpr std::size_t bundle_bytes_max = tlog::tile_width * (2 + 0xffff);
constexpr std::size_t checkpoint_bytes_max = 64U << 10U;

// Two records that were decided at the same time may be on record in either order, and a clock may be set back a little.
constexpr Duration disorder_max = std::chrono::minutes(5);

class LogFiles final : public EntrySource {
public:
    LogFiles(Path folder, std::uint64_t size)
        : folder_(std::move(folder))
        , size_(size)
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] Result<Bytes> file(std::string const& path) const override { return read_regular_file(folder_ / path, bundle_bytes_max); }

private:
    Path folder_;
    std::uint64_t size_;
};

// A bundle that was partial when the checkpoint was read may have grown full since, and its partial file is gone then.
Result<Bytes> read_entries(EntrySource const& source, std::uint64_t index, std::uint64_t& width)
{
    tlog::TileName const name { .level = std::nullopt, .index = index, .width = width };
    auto bytes = source.file(name.path());
    if (name.is_full() || bytes.is_ok() || bytes.error().code != ErrorCode::not_found)
        return bytes;
    width = tlog::tile_width;
    return source.file(name.full().path());
}

Result<bool> was_dropped(EntrySource const& source, std::uint64_t index, Error const& error)
{
    return error.code == ErrorCode::not_found && index < TRY(first_kept(source)) / tlog::tile_width;
}

std::optional<Timestamp> first_time(Bundle const& bundle)
{
    for (auto const entry : bundle.entries) {
        auto const view = view_record(entry);
        auto const text = view ? plain_text(view->time) : std::nullopt;
        if (auto const time = text ? parse_rfc3339(*text) : Result<Timestamp>(not_found("")); time.is_ok())
            return *time;
    }
    return std::nullopt;
}

Result<> visit_one(EntrySource const& source, std::uint64_t index, std::size_t worker, VisitBundle const& visit)
{
    auto const bundle = read_bundle(source, index);
    if (bundle.is_ok())
        return visit(worker, *bundle);
    return TRY(was_dropped(source, index, bundle.error())) ? Result<>() : bundle.error();
}

} // namespace

Result<std::uint64_t> size_of_checkpoint(std::string_view note) { return TRY(tlog::parse_checkpoint_without_verifying(note)).size; }

Result<std::unique_ptr<EntrySource>> open_log_files(Path const& folder)
{
    auto const path = folder / "checkpoint";
    auto const note = read_regular_file(path, checkpoint_bytes_max);
    if (note.is_error() && note.error().code == ErrorCode::not_found)
        return not_found("no log at `" + folder.string() + "`: it has no checkpoint");
    auto const size = TRY(size_of_checkpoint(as_text(TRY(note))).in("`" + path.string() + "`"));
    return std::unique_ptr<EntrySource>(std::make_unique<LogFiles>(folder, size));
}

std::uint64_t bundle_count(EntrySource const& source) { return (source.size() + tlog::tile_width - 1) / tlog::tile_width; }

Result<std::uint64_t> first_kept(EntrySource const& source)
{
    auto const text = source.file("dropped");
    if (text.is_error() && text.error().code == ErrorCode::not_found)
        return std::uint64_t(0);
    return tlog::parse_dropped(as_text(TRY(text)));
}

Result<Bundle> read_bundle(EntrySource const& source, std::uint64_t index)
{
    Bundle bundle;
    bundle.first = index * tlog::tile_width;
    ASSERT(bundle.first < source.size());
    auto const wanted = std::min(tlog::tile_width, source.size() - bundle.first);
    auto width = wanted;
    bundle.bytes = TRY(read_entries(source, index, width));
    auto const entries = TRY(tlog::parse_bundle(bundle.bytes, width).in("entries from " + std::to_string(bundle.first)));
    for (auto const entry : std::span(entries).first(wanted))
        bundle.entries.push_back(as_text(entry));
    return bundle;
}

Result<std::uint64_t> first_bundle_since(EntrySource const& source, std::optional<Timestamp> since)
{
    auto const kept = TRY(first_kept(source)) / tlog::tile_width;
    auto low = kept, high = since ? std::max(kept, bundle_count(source)) : kept; // the answer is among [low, high]
    while (low < high) {
        auto const middle = low + (high - low) / 2;
        auto const bundle = read_bundle(source, middle);
        bool const is_gone = bundle.is_error() && TRY(was_dropped(source, middle, bundle.error()));
        auto const time = is_gone ? std::nullopt : first_time(TRY(bundle));
        if (is_gone || (time && *time < *since - disorder_max))
            low = middle + 1;
        else
            high = middle;
    }
    return low == kept ? kept : low - 1;
}

Result<> visit_bundles(EntrySource const& source, std::uint64_t first, std::size_t workers, VisitBundle const& visit)
{
    std::atomic<std::uint64_t> next = first;
    std::atomic<bool> is_over = false;
    std::mutex mutex;
    Result<> outcome;
    auto const work = [&](std::size_t worker) {
        for (auto index = next++; index < bundle_count(source) && !is_over; index = next++) {
            auto visited = visit_one(source, index, worker, visit);
            if (visited.is_error()) {
                std::lock_guard const lock(mutex);
                if (!is_over.exchange(true))
                    outcome = std::move(visited);
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t worker = 1; worker < workers; ++worker)
        threads.emplace_back(work, worker);
    work(0);
    for (auto& thread : threads)
        thread.join();
    return outcome;
}

} // namespace writ::replay
