// SPDX-License-Identifier: Apache-2.0
#include "authority/batch_decision.h"

#include "audit/record_items.h"
#include "authority/declared_versions.h"
#include "cedar/ast.h"
#include "vocabulary/facts.h"
#include "vocabulary/outage.h"

#include <algorithm>
#include <utility>

namespace writ::authority {

namespace {

// LIMIT: for what is put into a record after it left here.
constexpr std::size_t room_left = 1024;

// Decides in order; consecutive items of one group share a record.
class BatchRun {
public:
    BatchRun(AuthorityState& state, Batch const& batch)
        : state_(state)
        , batch_(batch)
        , policies_(batch.snapshot().policies.policies())
    {
        answers_.reserve(batch.items().size());
    }

    // All decisions; their records are begun.
    void decide(BatchSemantic semantic)
    {
        auto& decider = decider_of(state_, batch_.shared_snapshot());
        cedar::Request request;
        auto group_at = UINT32_MAX;
        for (auto const& item : batch_.items()) {
            auto const& group = batch_.groups()[item.group];
            bool const is_first = std::exchange(group_at, item.group) != item.group;
            if (is_first)
                request = { { group.question.principal.type, group.question.principal.id }, { "Action", group.question.action }, item.resource, group.context };
            auto const verdict = is_first ? decider.decide(request, &group.entities) : decider.decide_next(item.resource);
            note(item, verdict);
            if ((semantic == BatchSemantic::deny_on_first_deny && !verdict.allowed) || (semantic == BatchSemantic::permit_on_first_permit && verdict.allowed))
                break;
        }
        close_record();
    }

    std::vector<DecisionRecord> take_records() { return std::move(records_); }
    // Whose numbers are those of the records, in their order.
    std::vector<BatchAnswer> take_answers(std::vector<Recorded> const& recorded)
    {
        for (std::size_t record = 0; record < recorded.size(); ++record) {
            auto const end = record + 1 < begins_.size() ? begins_[record + 1] : answers_.size();
            for (auto i = begins_[record]; i < end; ++i)
                answers_[i].record = recorded[record].sequence;
        }
        return std::move(answers_);
    }

private:
    void note(BatchItem const& item, cedar::Verdict const& verdict)
    {
        if (!is_open_ || item.group != group_ || items_.is_full())
            open_record(item.group);
        // Most questions of a batch end alike; what is common is then compared by number, and said once.
        if (!last_.is(item, verdict)) {
            last_.set(item, verdict);
            note_outcome(item, verdict);
        }
        if (batch_.snapshot().has_versions)
            items_.add(described(item));
        else
            items_.add(item.resource.id);
        answers_.push_back({ verdict.allowed, std::nullopt });
        (verdict.allowed ? state_.metrics.decisions_allowed : state_.metrics.decisions_denied) += 1;
    }

    void note_outcome(BatchItem const& item, cedar::Verdict const& verdict)
    {
        names_.clear();
        for (auto const policy : verdict.determining)
            names_.push_back(policies_[policy]->id);
        errors_.clear();
        for (auto const policy : verdict.errors)
            errors_.push_back(policies_[policy]->id);
        items_.select({ item.resource.type, verdict.allowed, names_, errors_, !verdict.knows_resource });
        auto const& spooling = batch_.snapshot().spooling;
        may_spool_ = may_spool_ && !names_.empty()
            && std::ranges::all_of(names_, [&spooling](auto const name) { return spooling.contains(name); });
    }

    audit::RecordedEntity described(BatchItem const& item) const
    {
        auto entity = authority::described(batch_.snapshot(), item.resource);
        entity.alias = item.alias;
        return entity;
    }

    void open_record(std::uint32_t group)
    {
        close_record();
        is_open_ = true;
        group_ = group;
        open_begin_ = answers_.size();
        may_spool_ = !batch_.snapshot().spooling.empty();
        last_ = {};
    }

    void close_record()
    {
        if (!std::exchange(is_open_, false))
            return;
        auto const& group = batch_.groups()[group_];
        auto record = record_of(batch_.snapshot(), group.question, audit::RecordType::decision, batch_.now());
        record.resource.reset();
        std::erase(record.asserted, "resource"); // what the first item's is; each says it for itself
        record_grounds(record, batch_.snapshot(), group.context);
        record.latency = state_.clock.monotonic() - began_;
        record.outcome = "ok";
        begins_.push_back(open_begin_);
        record.items = items_.take();
        if (audit::whole_bytes(record) + audit::growth_bytes(batch_.snapshot().redaction) < limits::record_bytes_max - room_left)
            records_.push_back({ std::move(record), may_spool_ });
        else
            record_one_by_one(record);
    }

    // What the items have in common leaves no room for them.
    void record_one_by_one(audit::Record const& shared)
    {
        auto singles = audit::single_records(shared);
        ASSERT(singles.is_ok());
        for (std::size_t i = 0; i < singles->size(); ++i) {
            auto& record = (*singles)[i];
            record.classification = classification_of(batch_.snapshot(), { record.resource->type, record.resource->id });
            if (i > 0)
                begins_.push_back(open_begin_ + i);
            bool const may_spool = vocabulary::may_spool(batch_.snapshot().spooling, record.policies);
            records_.push_back({ std::move(record), may_spool });
        }
    }

    // The outcome of the record's last item.
    struct Outcome {
        std::string const* type = nullptr; // of the item's resource; nullptr: there was none
        bool allowed = false, knows_resource = false;
        std::vector<std::uint32_t> determining, errors;

        [[nodiscard]] bool is(BatchItem const& item, cedar::Verdict const& verdict) const
        {
            return type != nullptr && allowed == verdict.allowed && knows_resource == verdict.knows_resource && std::ranges::equal(determining, verdict.determining) && std::ranges::equal(errors, verdict.errors)
                && *type == item.resource.type;
        }
        void set(BatchItem const& item, cedar::Verdict const& verdict)
        {
            type = &item.resource.type;
            allowed = verdict.allowed;
            knows_resource = verdict.knows_resource;
            determining.assign(verdict.determining.begin(), verdict.determining.end());
            errors.assign(verdict.errors.begin(), verdict.errors.end());
        }
    };

    AuthorityState& state_;
    Batch const& batch_;
    std::vector<std::shared_ptr<cedar::Policy const>> const& policies_;
    Monotonic began_ = state_.clock.monotonic();
    std::vector<BatchAnswer> answers_;
    std::vector<DecisionRecord> records_;
    std::vector<std::size_t> begins_; // by record: its first answer
    bool is_open_ = false; // a record to which the next item may belong
    std::uint32_t group_ = 0;
    std::size_t open_begin_ = 0; // its first answer
    bool may_spool_ = false;     // whether that holds of all of its items
    audit::ItemWriter items_;
    Outcome last_;
    std::vector<std::string_view> names_, errors_;
};

} // namespace

void Batch::add_item(std::uint32_t group, UidView resource)
{
    auto& item = items_.emplace_back();
    item.group = group;
    item.resource.type = resource.type;
    item.resource.id = resource.id;
    item.alias = resolve(*snapshot_, item.resource);
}

std::uint32_t Batch::add_group(Question question)
{
    auto context = vocabulary::context_of({ question.purpose, question.run, now_ }, question.measured, question.context);
    auto entities = entities_for(*snapshot_, question.principal, question.foreign);
    groups_.push_back(BatchGroup { std::move(question), std::move(entities), std::move(context) });
    return static_cast<std::uint32_t>(groups_.size() - 1);
}

net::Task<Result<std::vector<BatchAnswer>>> decide_and_record(AuthorityState& state, Batch const& batch, BatchSemantic semantic)
{
    BatchRun run(state, batch);
    run.decide(semantic);
    auto kept = co_await record_or_spool(state, run.take_records());
    auto const recorded = CO_TRY(kept);
    co_return run.take_answers(recorded);
}

std::vector<cedar::MissingFact> explain_denial(Batch const& batch, BatchItem const& item)
{
    auto const& group = batch.groups()[item.group];
    auto const& principal = group.question.principal;
    return cedar::explain_denial({ { principal.type, principal.id }, { "Action", group.question.action }, item.resource, group.context },
        batch.snapshot().policies, group.entities);
}

} // namespace writ::authority
