// SPDX-License-Identifier: Apache-2.0
#include "audit/offline_log.h"

#include "audit/index_file.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace writ::audit {

namespace {

constexpr std::size_t bundle_records = 256;
// LIMIT: records that a read-only index is completed with in memory; beyond it a temporary index is built instead.
constexpr std::uint64_t lag_max = std::uint64_t(8) * segment_records;

Path index_of(Path const& data_folder) { return data_folder / "audit-index.db"; }

Result<UniqueFd> hold(Path const& data_folder)
{
    UniqueFd lock(::open((data_folder / "log" / "lock").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!lock.is_open() && errno == ENOENT) // a copy
        return lock;
    if (!lock.is_open())
        return errno_error("open `" + (data_folder / "log" / "lock").string() + "`", errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return conflict("an authority uses `" + data_folder.string() + "`, and keeps the index by itself; stop it first");
    return lock;
}

Result<> fill(Index& index, FolderRecords const& records, Progress const& progress)
{
    TRY(index.begin_bulk());
    TRY(follow(index, records, progress));
    return index.finish_bulk();
}

struct TemporaryIndex {
    Path folder;
    std::unique_ptr<Index> index;
};

Result<TemporaryIndex> build_temporary(FolderRecords const& records, Progress const& progress)
{
    auto pattern = (std::filesystem::temp_directory_path() / "writ-audit-index-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        return errno_error("make a folder in `" + std::filesystem::temp_directory_path().string() + "`", errno);
    TemporaryIndex temporary { pattern, nullptr };
    auto built = Index::open(temporary.folder / "index.db");
    auto const filled = built.is_ok() ? fill(**built, records, progress) : Result<>(built.error());
    if (filled.is_error()) {
        std::error_code ignored;
        std::filesystem::remove_all(temporary.folder, ignored);
        return filled.error();
    }
    temporary.index = std::move(built).value();
    return temporary;
}

} // namespace

Result<Bytes> FolderRecords::read(std::uint64_t sequence) const
{
    auto entries = TRY(reader_.read_range(sequence, 1));
    if (entries.empty())
        return not_found("record " + std::to_string(sequence) + " is not in the log, which has " + std::to_string(size()));
    return std::move(entries.front());
}

Result<> follow(Index& index, FolderRecords const& records, Progress const& progress)
{
    RecordScanner scanner;
    ScannedRecord scanned;
    auto const size = records.size();
    for (auto next = index.next(); next < size; next = index.next()) {
        auto const read = records.reader().read_range(next, bundle_records);
        if (read.is_error() && read.error().code == ErrorCode::not_found) { // not kept any more
            for (auto end = std::min(size, (next / bundle_records + 1) * bundle_records); next < end; ++next)
                TRY(index.add(nullptr));
            continue;
        }
        auto const& entries = TRY(read);
        if (entries.empty())
            return corruption("audit log: entry " + std::to_string(next) + " cannot be read");
        for (auto const& entry : entries)
            TRY(index.add(scanner.scan(as_text(entry), scanned) ? &scanned : nullptr));
        if (next % segment_records < bundle_records && progress)
            progress(next, size);
    }
    return {};
}

Result<std::uint64_t> rebuild_index(Path const& data_folder, Progress const& progress)
{
    auto const lock = TRY(hold(data_folder));
    FolderRecords const records(TRY(tlog::FolderReader::open(data_folder / "log")));
    auto const place = index_of(data_folder);
    auto const beside = Path(place.string() + ".new");
    remove_index_files(beside);
    {
        auto const index = TRY(Index::open(beside));
        TRY(fill(*index, records, progress));
    }
    remove_index_files(place); // its journal too: it would be played back into the new one
    if (::rename(beside.c_str(), place.c_str()) != 0)
        return errno_error("rename `" + beside.string() + "`", errno);
    TRY(sync_folder(data_folder));
    return records.size();
}

Result<std::unique_ptr<OfflineLog>> OfflineLog::open(Path const& data_folder, Clock const& clock, Progress const& progress)
{
    auto records = std::make_unique<FolderRecords>(TRY(tlog::FolderReader::open(data_folder / "log")));
    auto existing = Index::open_read_only(index_of(data_folder));
    bool const is_good = existing.is_ok() && (*existing)->next() <= records->size() && records->size() - (*existing)->next() <= lag_max;
    if (is_good && follow(**existing, *records, progress).is_ok())
        return std::unique_ptr<OfflineLog>(new OfflineLog(std::move(records), std::move(*existing), {}, clock)); // NOLINT: the constructor is private
    auto built = TRY(build_temporary(*records, progress));
    return std::unique_ptr<OfflineLog>(new OfflineLog(std::move(records), std::move(built.index), built.folder, clock)); // NOLINT: the constructor is private
}

OfflineLog::~OfflineLog()
{
    std::error_code ignored;
    if (!temporary_.empty())
        std::filesystem::remove_all(temporary_, ignored);
}

} // namespace writ::audit
