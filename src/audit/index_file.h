// SPDX-License-Identifier: Apache-2.0
//
// The SQLite file of the index: sealed segments as numbered pages. Private to audit. One thread.
#pragma once

#include "audit/index_signature.h"
#include "base/durable_file.h"

#include <functional>
#include <memory>

namespace writ::audit {

class IndexFile {
    struct State;

public:
    // unavailable: it cannot be written. What is no index of this version is removed and begun anew.
    static Result<IndexFile> open(Path file);
    static Result<IndexFile> open_read_only(Path const& file);
    ~IndexFile();
    IndexFile(IndexFile&&) noexcept;
    IndexFile& operator=(IndexFile&&) noexcept;

    [[nodiscard]] std::uint32_t segments() const;
    // The next segment, and signatures that end with it, in one transaction.
    Result<> add(std::vector<SegmentPage> const&, std::vector<Signature> const&);
    // The bytes of a page, as long as the call lasts; false: there is no such page.
    Result<bool> read(std::uint32_t segment, std::uint32_t page, std::function<Result<>(BytesView)> const& take) const;

    // As read().
    Result<bool> read_signature(std::uint64_t number, std::function<Result<>(BytesView)> const& take) const;

    // Of the first segments up to this one nothing stays but their heads; and no signatures where no segment has more. Freed space is used again.
    Result<> forget(std::uint32_t end);
    // Segments before the first that has more than its head.
    [[nodiscard]] Result<std::uint32_t> forgotten() const;

    // As long as it lives reads are of one state of the file, which is locked and looked at once and not for each of them. A writer waits for its
    // end, so keep it short.
    class Reading {
    public:
        explicit Reading(IndexFile const& file);
        ~Reading();
        Reading(Reading const&) = delete;
        Reading& operator=(Reading const&) = delete;

    private:
        State* state_; // null: somebody further out has begun
    };

    // No sync and no way back between the two: for a file that is thrown away if it does not come to the end.
    Result<> begin_bulk();
    Result<> finish_bulk();

    // Whether SQLite, or what reads the pages, has said that it is not what was written.
    [[nodiscard]] bool is_damaged() const;

private:
    explicit IndexFile(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

// With its journals.
void remove_index_files(Path const&);

} // namespace writ::audit
