// SPDX-License-Identifier: Apache-2.0
//
// Many questions of one request, decided together and kept in as few records as hold them: what a question and its record cost is then paid once for all that
// ask as one subject, for one action, in one context. docs/formats/audit-record.md has such records (`items`).
#pragma once

#include "authority/decision.h"

#include <deque>

namespace writ::authority {

// When to stop (AuthZEN 1.0 §7.1.2.1).
enum class BatchSemantic : std::uint8_t { execute_all, deny_on_first_deny, permit_on_first_permit };

// What questions of a batch have in common: all but the resource.
struct BatchGroup {
    Question question;
    cedar::EntityStore entities; // the principal, before the snapshot's
    cedar::Record context;       // as decided on
};

struct UidView {
    std::string_view type, id;
};

struct BatchItem {
    std::uint32_t group = 0;
    cedar::EntityUid resource;
    std::string alias; // that was asked for in the place of its version
};

class Batch {
public:
    Batch(std::shared_ptr<Snapshot const> snapshot, Timestamp now)
        : snapshot_(std::move(snapshot))
        , now_(now)
    {
    }

    // The number by which add_item() names the group. What the question says of a resource does not matter.
    std::uint32_t add_group(Question);
    void add_item(std::uint32_t group, UidView resource);
    void expect(std::size_t items) { items_.reserve(items); }

    [[nodiscard]] Snapshot const& snapshot() const { return *snapshot_; }
    [[nodiscard]] std::shared_ptr<Snapshot const> const& shared_snapshot() const { return snapshot_; }
    [[nodiscard]] Timestamp now() const { return now_; }
    [[nodiscard]] std::deque<BatchGroup> const& groups() const { return groups_; }
    [[nodiscard]] std::vector<BatchItem> const& items() const { return items_; }

private:
    std::shared_ptr<Snapshot const> snapshot_;
    Timestamp now_;
    std::deque<BatchGroup> groups_;
    std::vector<BatchItem> items_;
};

struct BatchAnswer {
    bool allowed = false;
    std::optional<std::uint64_t> record; // none: it is in the spool
};

// Of each item in order, until the semantic says stop; once all records are durable.
net::Task<Result<std::vector<BatchAnswer>>> decide_and_record(AuthorityState&, Batch const&, BatchSemantic);

// The facts that an item lacked.
std::vector<cedar::MissingFact> explain_denial(Batch const&, BatchItem const&);

} // namespace writ::authority
