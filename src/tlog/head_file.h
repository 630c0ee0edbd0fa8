// SPDX-License-Identifier: Apache-2.0
//
// The strict store as a file, `head`: two slots written in turns, in place, so that one of them is whole after any crash. A write needs no
// sync: what was lost with power, the journal has. Private to tlog. Thread-compatible.
#pragma once

#include "base/durable_file.h"
#include "base/unique_fd.h"
#include "tlog/log_storage.h"

#include <array>
#include <optional>

namespace writ::tlog {

inline constexpr std::size_t head_slot_bytes = 1024;

struct HeadSlot {
    std::uint64_t number = 0; // of writes; the larger one is the newer
    std::string checkpoint;
};
Bytes encode_head_slot(HeadSlot const&);
// Nothing: torn, or altered. Bytes that encode_head_slot() writes and no others.
std::optional<HeadSlot> parse_head_slot(BytesView);

struct Head {
    std::array<std::optional<HeadSlot>, 2> slots;

    [[nodiscard]] HeadSlot const* newest() const;
};
// not_found; corruption: another length, or no slot is whole.
Result<Head> read_head(Path const& folder);

class HeadFile final : public CheckpointStore {
public:
    // Creates it, durably, if `may_create`; otherwise a file that is missing is corruption.
    static Result<std::unique_ptr<HeadFile>> open(Path const& folder, bool may_create);

    Result<std::string> load() override;
    Result<> replace(std::string_view expected, std::string_view next) override;

    // For open().
    HeadFile(Path path, UniqueFd fd)
        : path_(std::move(path))
        , fd_(std::move(fd))
    {
    }

private:
    Result<> check_in_place() const;
    Result<Head> read() const;

    Path path_;
    UniqueFd fd_;
};

} // namespace writ::tlog
