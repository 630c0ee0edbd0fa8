// SPDX-License-Identifier: Apache-2.0
//
// A record of many decisions, whose `items` say what differs between them, taken apart. Any other record of a decision is its own single one.
#pragma once

#include "replay/record_view.h"
#include "replay/recorded_request.h"

#include <string_view>
#include <vector>

namespace writ::replay {

// One decision of a record of many as a text of its own: `{"type":"Dataset","id":"a","decision":"allow","policies":["p"]}`.
// The resource, decision and policies of an item in the place of the record's. invalid_argument: it is no item.
Result<> apply_item(audit::Record&, std::string_view item);

// The request of a record, or of one of its items.
Result<RecordedRequest> recorded_request(std::string_view record, std::string_view item);

// One record each decision; of one without `items`, itself.
Result<std::vector<audit::Record>> single_decisions(std::string_view text);

// The items of `items`, one after the other.
class ItemViews {
public:
    explicit ItemViews(std::string_view items);
    // Puts what the next item says in the place of the record's own. False: there is none, or none that has the form of one.
    bool next(RecordView&);
    // The item that next() told of as a text of its own: until it is called again.
    [[nodiscard]] std::string_view text() const { return text_; }
    // Whether next() ended where the items do.
    [[nodiscard]] bool is_at_end() const { return is_well_formed_ && rest_ == "]"; }

private:
    struct Outcome {
        std::string_view type, decision, policies;
    };
    bool take_element(std::string_view element, std::string_view& id);
    bool take_object(std::string_view object, std::string_view& id);

    std::string_view rest_;
    bool is_well_formed_ = true; // what was taken from it
    std::vector<Outcome> outcomes_;
    std::size_t selected_ = 0;
    std::string text_;
};

// Calls with the view of each single decision and its item's text, empty if it is no item's. False: `items` has a form that is not ours.
template <typename Visit> bool for_each_decision(RecordView view, Visit const& visit)
{
    if (view.items.empty()) {
        visit(view, std::string_view());
        return true;
    }
    ItemViews items(view.items);
    while (items.next(view))
        visit(view, items.text());
    return items.is_at_end();
}

} // namespace writ::replay
