// SPDX-License-Identifier: Apache-2.0
//
// A log's durable records, published or not yet, and the questions to them, from a data folder or a copy of one: no authority is asked, and nothing there
// is written to. One thread.
#pragma once

#include "audit/questions.h"
#include "tlog/folder_reader.h"

namespace writ::audit {

using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class FolderRecords final : public RecordSource {
public:
    explicit FolderRecords(tlog::FolderReader reader)
        : reader_(std::move(reader))
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return reader_.size(); }
    [[nodiscard]] std::uint64_t first_kept() const override { return reader_.first_kept(); }
    [[nodiscard]] Result<Bytes> read(std::uint64_t sequence) const override;
    [[nodiscard]] Result<std::string> checkpoint() const override { return reader_.note(); }
    [[nodiscard]] tlog::FolderReader const& reader() const { return reader_; }

private:
    tlog::FolderReader reader_;
};

// Adds what the index has not got of the log.
Result<> follow(Index&, FolderRecords const&, Progress const&);

// Builds the index of DATA/log anew beside the one that is there, which it then takes the place of; how many records it has. conflict: an authority
// holds the log, and writes to the index itself.
Result<std::uint64_t> rebuild_index(Path const& data_folder, Progress const&);

class OfflineLog {
public:
    // Uses the folder's index if it is good for it, otherwise a temporary one.
    static Result<std::unique_ptr<OfflineLog>> open(Path const& data_folder, Clock const&, Progress const&);
    ~OfflineLog();
    OfflineLog(OfflineLog const&) = delete;
    OfflineLog& operator=(OfflineLog const&) = delete;

    [[nodiscard]] Questions& questions() { return questions_; }
    [[nodiscard]] FolderRecords const& records() const { return *records_; }

private:
    OfflineLog(std::unique_ptr<FolderRecords> records, std::unique_ptr<Index> index, Path temporary, Clock const& clock)
        : records_(std::move(records))
        , index_(std::move(index))
        , temporary_(std::move(temporary))
        , questions_(*index_, *records_, clock)
    {
    }

    std::unique_ptr<FolderRecords> records_;
    std::unique_ptr<Index> index_;
    Path temporary_; // a folder; empty: none
    Questions questions_;
};

} // namespace writ::audit
