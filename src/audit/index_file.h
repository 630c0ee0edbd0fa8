// SPDX-License-Identifier: Apache-2.0
//
// The SQLite file of the index: sealed segments as numbered pages. Private to audit. One thread.
#pragma once

#include "audit/index_segment.h"
#include "base/durable_file.h"

#include <functional>
#include <memory>

namespace writ::audit {

class IndexFile {
public:
    // unavailable: it cannot be written. What is no index of this version is removed and begun anew.
    static Result<IndexFile> open(Path file);
    static Result<IndexFile> open_read_only(Path const& file);
    ~IndexFile();
    IndexFile(IndexFile&&) noexcept;
    IndexFile& operator=(IndexFile&&) noexcept;

    [[nodiscard]] std::uint32_t segments() const;
    // The next segment, in one transaction.
    Result<> add(std::vector<SegmentPage> const&);
    // The bytes of a page, as long as the call lasts; false: there is no such page.
    Result<bool> read(std::uint32_t segment, std::uint32_t page, std::function<Result<>(BytesView)> const& take) const;

    // No sync and no way back between the two: for a file that is thrown away if it does not come to the end.
    Result<> begin_bulk();
    Result<> finish_bulk();

    // Whether SQLite, or what reads the pages, has said that it is not what was written.
    [[nodiscard]] bool is_damaged() const;

private:
    struct State;
    explicit IndexFile(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

// With its journals.
void remove_index_files(Path const&);

} // namespace writ::audit
