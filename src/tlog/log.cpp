// SPDX-License-Identifier: Apache-2.0
#include "tlog/log.h"

#include "tlog/committer.h"
#include "tlog/log_folder.h"
#include "tlog/retention.h"
#include "tlog/segment_opener.h"
#include "tlog/tile_reader.h"

#include <algorithm>
#include <atomic>
#include <optional>

namespace writ::tlog {

namespace {

// LIMIT: bytes of records in memory that are not in full tiles yet. Far above what a working disk leaves; below what a full one may cost us.
constexpr std::size_t tail_bytes_max = 256U << 20U;

// What an open found and made: everything durable is signed, and in files if the disk has room.
struct Beginning {
    OpenedFolder folder;
    Publication publication;
    std::string published;
};

// Commits → seals → publishes: each of them on a thread of its own, each behind the one before.
class FolderLog final : public Log {
public:
    FolderLog(LogOptions options, Beginning beginning, std::unique_ptr<Journal> journal)
        : lock_(std::move(beginning.folder.lock))
        , tiles_(std::move(beginning.folder.storage.tiles))
        , tail_(beginning.folder.settled, beginning.folder.journal.groups)
        , dropped_(beginning.folder.dropped)
        , sealer_(std::in_place, std::move(options.signer), std::move(beginning.folder.storage.checkpoints), tail_,
              std::move(beginning.folder.sealed),
              Sealer::Callbacks { .sealed = [this] { publisher_->sealed(); }, .broken = [this](Error const& error) { refuse(error); } })
        , committer_(std::in_place, std::move(journal), options.waiting_records_max, [this](GroupPtr group) { add(std::move(group)); })
        , publisher_(std::in_place,
              Publisher::Parts { .tiles = *tiles_, .tail = tail_, .sealer = *sealer_, .journal = committer_->journal() },
              std::move(beginning.publication), std::move(beginning.published), [this](Error const& error) { refuse(error); })
    {
    }

    ~FolderLog() override
    {
        // Each has seen all that the one before it left.
        committer_->end();
        sealer_->end();
        publisher_.reset();
    }

    void append(Bytes record, Appended done) override
    {
        if (tail_.bytes() > tail_bytes_max)
            return done(resource_exhausted("more than " + std::to_string(tail_bytes_max) + " bytes of records wait for publication"));
        committer_->append(std::move(record), std::move(done));
    }

    [[nodiscard]] std::uint64_t size() const override { return tail_.size(); }

    [[nodiscard]] Result<Bytes> read(std::uint64_t index) const override
    {
        auto records = TRY(read_range(index, 1));
        if (records.empty())
            return not_found("entry " + std::to_string(index) + " is not in the log");
        return std::move(records.front());
    }

    [[nodiscard]] Result<std::vector<Bytes>> read_range(std::uint64_t first, std::size_t count) const override
    {
        std::vector<Bytes> records;
        while (records.size() < count) {
            auto in_memory = tail_.read(first, count - records.size());
            auto read = in_memory ? std::move(*in_memory) : TRY(read_from_bundle(first, count - records.size()));
            first += read.size();
            std::ranges::move(read, std::back_inserter(records));
            if (in_memory)
                break;
        }
        return records;
    }

    [[nodiscard]] std::string checkpoint() const override { return sealer_->latest()->note; }
    [[nodiscard]] Checkpoint latest() const override { return sealer_->latest()->checkpoint; }
    [[nodiscard]] std::string public_checkpoint() const override { return publisher_->published(); }

    void when_published(std::uint64_t size, std::function<void(Result<>)> done) override { sealer_->when_sealed(size, std::move(done)); }

    void when_in_folder(std::uint64_t size, std::function<void(Result<>)> done) override
    {
        sealer_->when_sealed(size, [this, size, done = std::move(done)](Result<> const& sealed) {
            sealed.is_ok() ? publisher_->when_published(size, done) : done(sealed);
        });
    }

    [[nodiscard]] Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size) const override
    {
        auto const sealed = TRY(sealed_tree(size));
        auto source = source_of(*sealed);
        return tlog::inclusion_proof(index, size, source.reader());
    }

    [[nodiscard]] Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const override
    {
        auto const sealed = TRY(sealed_tree(new_size));
        auto source = source_of(*sealed);
        return tlog::consistency_proof(old_size, new_size, source.reader());
    }

    [[nodiscard]] bool is_refusing() const override { return committer_->is_refusing(); }

    // SECURITY: what the journal still has would be written again by the next open, so it stays.
    [[nodiscard]] std::uint64_t droppable_before(std::uint64_t first) const override
    {
        return std::min(first, committer_->journal().first()) / tile_width * tile_width;
    }
    Result<std::uint64_t> drop_before(std::uint64_t first) override;
    [[nodiscard]] std::uint64_t first_kept() const override { return dropped_; }

private:
    // On the committer's thread.
    void add(GroupPtr group)
    {
        auto const size = group->end();
        tail_.append(std::move(group));
        sealer_->grown(size);
    }
    void refuse(Error const& error) { committer_->refuse(error); }

    [[nodiscard]] Result<SealedPtr> sealed_tree(std::uint64_t size) const
    {
        auto sealed = sealer_->latest();
        if (size > sealed->checkpoint.size)
            return not_found("a tree of " + std::to_string(size) + " entries is not published yet");
        return sealed;
    }
    [[nodiscard]] SubtreeSource source_of(Sealed const& sealed) const
    {
        return { *tiles_, [this](TileName const& name) { return sealer_->recent_tile(name); }, sealed.tree };
    }
    [[nodiscard]] Result<std::vector<Bytes>> read_from_bundle(std::uint64_t first, std::size_t count) const;

    UniqueFd const lock_;
    std::unique_ptr<TileStore> const tiles_;
    Tail tail_;
    std::atomic<std::uint64_t> dropped_;
    std::uint64_t removed_ = 0; // drop_before()'s: bundles of entries before it have been removed since this open
    std::optional<Sealer> sealer_;
    mutable std::optional<Committer> committer_; // its journal locks by itself
    std::optional<Publisher> publisher_;
};

Result<std::uint64_t> FolderLog::drop_before(std::uint64_t first)
{
    auto const wanted = droppable_before(first);
    if (wanted > dropped_) {
        TRY(write_dropped(*tiles_, wanted).in("drop entries"));
        dropped_ = wanted;
    }
    // From the beginning: what a crash has left is looked for once more.
    remove_bundles(*tiles_, removed_, dropped_);
    removed_ = dropped_;
    return removed_;
}

Result<std::vector<Bytes>> FolderLog::read_from_bundle(std::uint64_t first, std::size_t count) const
{
    if (first < dropped_)
        return dropped_error(first);
    auto const index = first / tile_width, offset = first % tile_width;
    TileName const name { .level = std::nullopt, .index = index };
    auto const bundle = TRY(read_bundle(*tiles_, index));
    auto const entries = TRY(parse_bundle(bundle, tile_width).in("`" + name.path() + "`"));
    auto const leaves = TRY(read_tile(*tiles_, { .level = 0, .index = index }));
    auto const asked = std::span(entries).subspan(offset, std::min<std::size_t>(count, tile_width - offset));
    std::vector<Hash> found(asked.size());
    leaf_hashes(asked, found);
    std::vector<Bytes> records;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (found[i] != leaves[offset + i])
            return corruption("`" + name.path() + "`: entry " + std::to_string(first + i) + " is not what was written");
        records.emplace_back(asked[i].begin(), asked[i].end());
    }
    return records;
}

// Signs what the newest checkpoint does not cover.
Result<> seal_all(OpenedFolder& opened, NoteSigner const& signer)
{
    auto const is_covered = opened.sealed && opened.sealed->checkpoint.size == opened.journal.end();
    if (!is_covered)
        opened.sealed = TRY(grow(opened.sealed ? opened.sealed->tree : opened.tree, opened.journal.groups, signer)).sealed;
    if (opened.sealed->note != opened.stored)
        TRY(opened.storage.checkpoints->replace(opened.stored, opened.sealed->note));
    return {};
}

// Everything the journal holds, as files. A disk that is full stops nobody from opening what is already published.
Result<Beginning> publish_all(OpenedFolder opened)
{
    Publication publication(*opened.storage.tiles, opened.tree);
    auto const published = publication.publish(opened.journal.groups, *opened.sealed);
    auto const is_excused = published.is_error() && published.error().code == ErrorCode::resource_exhausted && !opened.published.empty();
    if (published.is_error() && !is_excused)
        return published.error();
    auto note = published.is_ok() ? opened.sealed->note : opened.published;
    return Beginning { .folder = std::move(opened), .publication = std::move(publication), .published = std::move(note) };
}

OpenAppender appenders_of(Path const& folder, LogSeams const& seams)
{
    if (seams.open_appender)
        return seams.open_appender;
    auto const opener = std::make_shared<SegmentOpener>(folder / "tmp" / "segment", seams.segment_bytes);
    return [opener](Path const& path, std::uint64_t size) { return opener->open(path, size); };
}

} // namespace

Result<std::unique_ptr<Log>> open_log(LogOptions options, LogSeams const& seams)
{
    auto opened = TRY(open_folder(options.folder, options.signer, seams));
    TRY(seal_all(opened, options.signer));
    auto beginning = TRY(publish_all(std::move(opened)));
    auto journal = TRY(Journal::open(options.folder / "journal", beginning.folder.journal, appenders_of(options.folder, seams), seams.segment_bytes));
    TRY(write_verifier(options.folder, *beginning.folder.storage.tiles, options.signer));
    return std::unique_ptr<Log>(std::make_unique<FolderLog>(std::move(options), std::move(beginning), std::move(journal)));
}

Result<std::unique_ptr<Log>> Log::open(LogOptions options, Clock const&)
{
    auto const context = "open log `" + options.folder.string() + "`";
    return open_log(std::move(options), {}).in(context);
}

} // namespace writ::tlog
