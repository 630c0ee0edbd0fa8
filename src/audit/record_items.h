// SPDX-License-Identifier: Apache-2.0
//
// The items of a record that holds many decisions: `items`, an array that says an outcome once, and behind it the ids of those that have it. Whoever decides writes
// it as text while deciding; whoever asks reads it item by item. docs/formats/audit-record.md has the form.
#pragma once

#include "audit/record.h"
#include "base/json.h"
#include "base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace writ::audit {

// LIMIT: of one record.
inline constexpr std::size_t items_max = 1024;
// LIMIT: of an item's type and id; a text that is longer is recorded cut, ending with `…`, and is not found by what was cut off.
inline constexpr std::size_t item_type_bytes_max = 256;
inline constexpr std::size_t item_id_bytes_max = 1024;
// LIMIT: as text; the rest of a record is for what its items have in common.
inline constexpr std::size_t items_bytes_max = limits::record_bytes_max / 2;

// What was decided, and by which policies.
struct ItemOutcome {
    std::string_view type; // of the resource
    bool allowed = false;
    std::span<std::string_view const> policies;      // that determined it
    std::span<std::string_view const> policy_errors; // ids of policies that erred and were skipped
    bool is_resource_asserted = false;               // nobody declared it
};

class ItemWriter {
public:
    // So that what is added from now on has this outcome.
    void select(ItemOutcome const&);
    // REQUIRES: an outcome was selected.
    void add(std::string_view id);
    // Of a resource whose version is known: `version`, `digest` and `alias` as a RecordedEntity has them. Its type is the outcome's.
    void add(RecordedEntity const&);
    template <typename Resource> void add(Resource const& resource, ItemOutcome const& outcome)
    {
        select(outcome);
        add(resource);
    }

    [[nodiscard]] std::size_t size() const { return text_.size(); } // bytes
    // Another item may be one too many.
    [[nodiscard]] bool is_full() const { return count_ == items_max || text_.size() > items_bytes_max; }
    // The array's text; the writer is empty then.
    std::string take();

private:
    struct Stated {
        std::string type;
        bool allowed;
        std::vector<std::string> policies, policy_errors;
        bool is_resource_asserted;
        std::size_t number; // among all that the text states
        [[nodiscard]] bool is(ItemOutcome const&) const;
    };

    void begin_element() { text_ += text_.empty() ? '[' : ','; }
    void state(ItemOutcome const&);
    void add_names(std::string_view member, std::span<std::string_view const> names);

    std::string text_;
    std::size_t count_ = 0;
    std::vector<Stated> stated_; // the first of them
    std::size_t states_ = 0;
    std::size_t selected_ = 0; // in stated_; its size: none of them
};

struct RecordedItem {
    std::string type, id;
    std::string version, digest, alias; // if they were known
    bool allowed = false;
    std::vector<std::string> policies;      // that determined it
    std::vector<std::string> policy_errors; // ids of policies that erred and were skipped
    std::vector<std::string> asserted;      // of the item, beside what is of all: `resource`
};
// What an item asserts, among what its record does: in the order that records have it in.
template <typename Texts, typename Names> void add_asserted(Texts& all, Names const& names)
{
    all.insert(all.begin() + (!all.empty() && all.front() == "workload" ? 1 : 0), names.begin(), names.end());
}

// corruption: not what ItemWriter writes.
Result<std::vector<RecordedItem>> parse_items(std::string_view text);
// How many items there are in the array of a record that was not looked at otherwise.
std::size_t count_items(JsonArray const&);

// A record of many decisions as a record for each of them; of any other, itself. What an item does not say is the shared part's.
Result<std::vector<Record>> single_records(Record const&);

} // namespace writ::audit
