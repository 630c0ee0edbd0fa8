// SPDX-License-Identifier: Apache-2.0
//
// A small world for tests: one record, policies, a log in memory.
#pragma once

#include "audit/record.h"
#include "cedar/authorizer.h"
#include "replay/declared.h"
#include "replay/entry_source.h"
#include "tlog/tile.h"
#include "vocabulary/facts.h"
#include "vocabulary/schema.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

namespace writ::replay {

inline audit::Record decision_record()
{
    audit::Record record;
    record.time = parse_rfc3339("2026-11-23T20:05:41.123456Z").value();
    record.trace = "t1";
    record.workload = "spiffe://example.org/trainer";
    record.workload_name = "trainer";
    record.pipeline = "classifier";
    record.team = "oncology";
    record.run = "r1";
    record.purpose = "train";
    record.claims = { { .name = "unix.user", .values = { "ml" }, .provider = "unix" }, { .name = "unix.pid", .values = { "17" }, .provider = "unix" } };
    record.action = "read";
    record.resource = audit::RecordedEntity { .type = "Dataset", .id = "biopsies", .version = "", .digest = "" };
    record.allowed = true;
    record.policies = { "readers" };
    record.policy_version = 1;
    record.outcome = "ok";
    return record;
}

// As they parse, valid or not.
inline cedar::PolicySet policies(std::string const& text)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto set = cedar::PolicySet::parse({ { "policies.cedar", text } }, problems);
    EXPECT_TRUE(problems.empty()) << text << ": " << problems.front().message;
    return set;
}

inline std::shared_ptr<cedar::EntityStore const> datasets(std::vector<std::string> const& names)
{
    auto store = std::make_shared<cedar::EntityStore>();
    for (auto const& name : names)
        store->add({ { "Dataset", name },
            { { "name", name }, { "location", "x" }, { "classification", cedar::Value::set({}) },
                { "purpose", cedar::Value::set_of({ "train", "evaluate" }) } },
            {}, {} });
    return store;
}

inline Declared declared(std::string const& text, std::vector<std::string> const& dataset_names, std::vector<DeclaredWorkload> workloads)
{
    Declared declared;
    declared.version = 1;
    declared.digest = "00";
    declared.sources = { { "policies.cedar", text } };
    declared.policies = policies(text);
    declared.entities = datasets(dataset_names);
    declared.workloads = std::move(workloads);
    return declared;
}

// The files of a log, of these entries.
class LogInMemory final : public EntrySource {
public:
    explicit LogInMemory(std::vector<std::string> const& entries)
        : size_(entries.size())
    {
        for (std::size_t first = 0; first < entries.size(); first += tlog::tile_width) {
            auto const width = std::min<std::size_t>(tlog::tile_width, entries.size() - first);
            Bytes bundle;
            for (std::size_t i = first; i < first + width; ++i)
                tlog::append_entry(bundle, as_bytes(entries[i]));
            files_[tlog::TileName { .level = std::nullopt, .index = first / tlog::tile_width, .width = width }.path()] = std::move(bundle);
        }
    }
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] Result<Bytes> file(std::string const& path) const override
    {
        auto const found = files_.find(path);
        return found == files_.end() ? Result<Bytes>(not_found("no `" + path + "`")) : Result<Bytes>(found->second);
    }

private:
    std::uint64_t size_;
    std::map<std::string, Bytes> files_;
};

// What the policies decide, written down as the authority would.
inline void decide_into(audit::Record& record, Declared const& by, cedar::Request const& request, cedar::Entity const& principal)
{
    cedar::EntityStore entities(by.entities.get());
    entities.add(principal);
    auto const decision = cedar::decide(request, by.policies, entities);
    record.allowed = decision.allowed;
    record.policies = decision.determining;
    record.policy_version = by.version;
}

} // namespace writ::replay
