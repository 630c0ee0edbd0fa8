// SPDX-License-Identifier: Apache-2.0
//
// The items of a record that holds many decisions: `items`, an array of {"type", "id", "decision", "policies", "policy_errors"}. Whoever decides writes them
// as text while deciding; whoever asks reads them one by one.
#pragma once

#include "audit/record.h"
#include "base/json.h"
#include "base/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace writ::audit {

class ItemWriter {
public:
    void add(std::string_view type, std::string_view id, bool allowed, std::span<std::string_view const> policies,
        std::span<std::string_view const> policy_errors);
    [[nodiscard]] std::size_t size() const { return text_.size(); }
    // The array's text; the writer is empty then.
    std::string take();

private:
    void add_names(std::string_view member, std::span<std::string_view const> names);

    std::string text_;
};

struct RecordedItem {
    std::string type, id;
    bool allowed = false;
    std::vector<std::string> policies;      // that determined it
    std::vector<std::string> policy_errors; // ids of policies that erred and were skipped
};
// corruption: not what ItemWriter writes.
Result<std::vector<RecordedItem>> parse_items(std::string_view text);

// A record of many decisions as a record for each of them; of any other, itself. What an item does not say is the shared part's.
Result<std::vector<Record>> single_records(Record const&);

} // namespace writ::audit
