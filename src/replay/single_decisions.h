// SPDX-License-Identifier: Apache-2.0
//
// A record of many decisions, whose `items` say what differs between them, taken apart. Any other record of a decision is its own single one.
#pragma once

#include "replay/record_view.h"
#include "replay/recorded_request.h"

#include <string_view>
#include <vector>

namespace writ::replay {

// The resource, decision and policies of one item, given as its text in `items`, in the place of the record's. invalid_argument: it is no item.
Result<> apply_item(audit::Record&, std::string_view item);

// The request of a record, or of one of its items.
Result<RecordedRequest> recorded_request(std::string_view record, std::string_view item);

// One record each decision; of one without `items`, itself.
Result<std::vector<audit::Record>> single_decisions(std::string_view text);

// Calls with the view of each single decision and its item's text, empty if it is no item's. False: `items` has a form that is not ours.
template <typename Visit> bool for_each_decision(RecordView view, Visit const& visit)
{
    if (view.items.empty()) {
        visit(view, std::string_view());
        return true;
    }
    if (view.items.front() != '[')
        return false;
    auto rest = view.items.substr(1);
    for (std::string_view item; next_element(rest, item);) {
        if (!view_item(view, item))
            return false;
        visit(view, item);
    }
    return rest == "]";
}

} // namespace writ::replay
