// SPDX-License-Identifier: Apache-2.0
//
// Policies, entities and requests to measure Cedar engines with: the three application shapes of the Cedar paper (OOPSLA 2024) and an ML suite of any size.
// The same suite comes from the same seed; write() lays it down as files for other engines.
#pragma once

#include "base/json.h"
#include "base/random.h"
#include "cedar/random_world.h"
#include "cedar/value_json.h"

#include <filesystem>
#include <fstream>

namespace writ::bench {

struct Suite {
    std::string name;
    std::string policies;
    std::vector<cedar::Entity> entities;
    std::vector<cedar::Request> requests;
};

class SuiteMaker {
public:
    explicit SuiteMaker(std::uint64_t seed)
        : random_(seed)
    {
    }

    // A pipeline may read and train on its project's datasets for some purposes; some projects forbid unsigned models; embargoes hold for all.
    Suite machine_learning(std::size_t policy_count)
    {
        Suite suite { "ml-" + std::to_string(policy_count), {}, {}, {} };
        auto const rules = policy_count - 2;
        suite.policies = "permit (principal is Workload, action == Action::\"read\", resource is Model) when { resource.public };\n"
                         "forbid (principal, action, resource is Dataset) when { resource.embargoed } unless { context has approver };\n";
        for (std::size_t i = 0; i < rules; ++i)
            suite.policies += i % 10 == 9 ? unsigned_rule(i) : project_rule(i);
        for (std::size_t i = 0; i < rules; ++i) {
            auto const n = std::to_string(i);
            auto const tenant = "tenant-" + std::to_string(i % 7);
            suite.entities.push_back({ { "Pipeline", "p" + n }, {}, {}, { { "Team", "t" + std::to_string(i % 5) } } });
            suite.entities.push_back({ { "Project", "x" + n }, {}, {}, { { "Tenant", tenant } } });
            suite.entities.push_back({ { "Workload", "w" + n }, { { "tenant", tenant }, { "attested", true } }, {}, { { "Pipeline", "p" + n } } });
            suite.entities.push_back({ { "Dataset", "oncology/d" + n }, { { "tenant", tenant }, { "embargoed", below(20) == 0 } }, {}, { { "Project", "x" + n } } });
        }
        for (int i = 0; i < 1000; ++i) {
            auto const n = below(rules);
            auto const m = below(4) == 0 ? below(rules) : n;
            suite.requests.push_back({ { "Workload", "w" + std::to_string(n) }, { "Action", below(2) == 0 ? "read" : "train" }, { "Dataset", "oncology/d" + std::to_string(m) },
                { { "purpose", below(5) == 0 ? "sell" : "train" }, { "risk", static_cast<std::int64_t>(below(100)) }, { "signed", below(4) > 0 } } });
        }
        return suite;
    }

    // Documents, folders' viewers as groups, public links, blocked users.
    Suite document_sharing(std::size_t size)
    {
        Suite suite { "documents-" + std::to_string(size), {}, {}, {} };
        suite.policies = R"(
permit (principal, action in [Action::"view", Action::"edit", Action::"share", Action::"delete"], resource is Document) when { principal == resource.owner };
permit (principal, action == Action::"view", resource is Document) when { principal in resource.viewers };
permit (principal, action in [Action::"view", Action::"edit"], resource is Document) when { principal in resource.editors };
permit (principal, action == Action::"view", resource is Document) when { resource.isPublic };
forbid (principal, action in [Action::"edit", Action::"share", Action::"delete"], resource is Document) when { !(context.authenticated) };
forbid (principal, action, resource is Document) when { resource.owner.blocked.contains(principal) };
)";
        for (std::size_t i = 0; i < size; ++i) {
            suite.entities.push_back({ { "User", "u" + std::to_string(i) }, { { "blocked", some("User", "u", size, 2) } }, {}, parents("Group", "g", size) });
            suite.entities.push_back({ { "Group", "g" + std::to_string(i) }, {}, {}, i > 0 ? parents("Group", "g", i) : std::vector<cedar::EntityUid> {} });
            suite.entities.push_back({ { "Document", "d" + std::to_string(i) },
                { { "owner", one("User", "u", size) }, { "viewers", one("Group", "g", size) }, { "editors", one("Group", "g", size) }, { "isPublic", below(4) == 0 } }, {}, {} });
        }
        for (int i = 0; i < 1000; ++i)
            suite.requests.push_back({ one("User", "u", size), { "Action", pick({ "view", "edit", "share", "delete" }) }, one("Document", "d", size), { { "authenticated", below(4) > 0 } } });
        return suite;
    }

    // Repositories whose readers, writers and admins are groups of users and teams.
    Suite code_hosting(std::size_t size)
    {
        Suite suite { "code-" + std::to_string(size), {}, {}, {} };
        suite.policies = R"(
permit (principal, action in [Action::"pull", Action::"fork"], resource is Repository) when { principal in resource.readers };
permit (principal, action == Action::"push", resource is Repository) when { principal in resource.writers };
permit (principal, action in [Action::"add_reader", Action::"add_writer"], resource is Repository) when { principal in resource.admins };
permit (principal, action == Action::"delete_issue", resource is Issue) when { principal in resource.repo.readers && principal == resource.reporter };
permit (principal, action == Action::"edit_issue", resource is Issue) when { principal in resource.repo.writers };
)";
        for (std::size_t i = 0; i < size; ++i) {
            auto const n = std::to_string(i);
            suite.entities.push_back({ { "User", "u" + n }, {}, {}, parents("Team", "t", size) });
            suite.entities.push_back({ { "Team", "t" + n }, {}, {}, i > 0 ? parents("Team", "t", i) : std::vector<cedar::EntityUid> {} });
            suite.entities.push_back({ { "Repository", "r" + n }, { { "readers", one("Team", "t", size) }, { "writers", one("Team", "t", size) }, { "admins", one("Team", "t", size) } }, {}, {} });
            suite.entities.push_back({ { "Issue", "i" + n }, { { "repo", one("Repository", "r", size) }, { "reporter", one("User", "u", size) } }, {}, {} });
        }
        for (int i = 0; i < 1000; ++i) {
            bool const is_issue = below(3) == 0;
            suite.requests.push_back({ one("User", "u", size), { "Action", is_issue ? pick({ "delete_issue", "edit_issue" }) : pick({ "pull", "push", "fork", "add_reader" }) },
                is_issue ? one("Issue", "i", size) : one("Repository", "r", size), {} });
        }
        return suite;
    }

    // Lists of tasks with owners, readers and editors.
    Suite task_lists(std::size_t size)
    {
        Suite suite { "tasks-" + std::to_string(size), {}, {}, {} };
        suite.policies = R"(
permit (principal, action in [Action::"CreateList", Action::"GetLists"], resource == Application::"TinyTodo");
permit (principal, action, resource is List) when { resource has owner && resource.owner == principal };
permit (principal, action == Action::"GetList", resource is List) when { principal in resource.readers || principal in resource.editors };
permit (principal, action in [Action::"UpdateList", Action::"CreateTask", Action::"UpdateTask"], resource is List) when { principal in resource.editors };
)";
        for (std::size_t i = 0; i < size; ++i) {
            auto const n = std::to_string(i);
            suite.entities.push_back({ { "User", "u" + n }, {}, {}, parents("Team", "t", size) });
            suite.entities.push_back({ { "Team", "t" + n }, {}, {}, i > 0 ? parents("Team", "t", i) : std::vector<cedar::EntityUid> {} });
            suite.entities.push_back({ { "List", "l" + n }, { { "owner", one("User", "u", size) }, { "readers", one("Team", "t", size) }, { "editors", one("Team", "t", size) } }, {}, {} });
        }
        for (int i = 0; i < 1000; ++i)
            suite.requests.push_back({ one("User", "u", size), { "Action", pick({ "GetList", "UpdateList", "CreateTask", "DeleteList" }) }, one("List", "l", size), {} });
        return suite;
    }

private:
    std::size_t below(std::size_t limit)
    {
        std::uint8_t bytes[8];
        random_.fill(bytes);
        std::uint64_t number = 0;
        std::memcpy(&number, bytes, sizeof number);
        return number % limit;
    }
    std::string pick(std::initializer_list<char const*> words) { return words.begin()[below(words.size())]; }
    cedar::EntityUid one(char const* type, std::string const& prefix, std::size_t size) { return { type, prefix + std::to_string(below(size)) }; }
    std::vector<cedar::EntityUid> parents(char const* type, std::string const& prefix, std::size_t size) { return { one(type, prefix, size), one(type, prefix, size) }; }
    cedar::Value some(char const* type, std::string const& prefix, std::size_t size, std::size_t count)
    {
        std::vector<cedar::Value> elements;
        for (; count > 0; --count)
            elements.emplace_back(one(type, prefix, size));
        return cedar::Value::set(std::move(elements));
    }

    static std::string project_rule(std::size_t i)
    {
        auto const n = std::to_string(i);
        return "permit (principal in Pipeline::\"p" + n + "\", action in [Action::\"read\", Action::\"train\"], resource in Project::\"x" + n
            + "\") when { resource.tenant == principal.tenant && [\"train\", \"evaluate\"].contains(context.purpose) && context.risk < 70 };\n";
    }
    static std::string unsigned_rule(std::size_t i)
    {
        return "forbid (principal, action == Action::\"train\", resource in Project::\"x" + std::to_string(i) + "\") when { context has signed && !context.signed };\n";
    }

    SeededRandom random_;
};

// A world of src/cedar/random_world.h, to compare answers rather than time.
inline Suite random_suite(std::uint64_t seed, std::size_t request_count)
{
    // The peer refuses hierarchies with cycles.
    cedar::WorldGenerator make(seed, false);
    cedar::RandomWorld const world(make);
    Suite suite { "seed-" + std::to_string(seed), world.source, {}, {} };
    for (auto const& [uid, entity] : world.store)
        suite.entities.push_back(entity);
    while (suite.requests.size() < request_count)
        suite.requests.push_back({ make.uid(), make.action(), make.uid(), make.record(2) });
    return suite;
}

// DIR/NAME/{policies.cedar, entities.json, requests.json}.
inline void write(Suite const& suite, std::filesystem::path const& directory)
{
    auto const folder = directory / suite.name;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "policies.cedar") << suite.policies;
    JsonArray entities;
    for (auto const& entity : suite.entities) {
        JsonArray parents;
        for (auto const& parent : entity.parents)
            parents.push_back(cedar::to_json(parent));
        entities.push_back(JsonObject { { "uid", cedar::to_json(entity.uid) }, { "attrs", cedar::to_json(entity.attributes) }, { "tags", cedar::to_json(entity.tags) }, { "parents", std::move(parents) } });
    }
    std::ofstream(folder / "entities.json") << to_text(JsonValue(std::move(entities)));
    JsonArray requests;
    for (auto const& request : suite.requests)
        requests.push_back(JsonObject { { "principal", cedar::to_json(request.principal) }, { "action", cedar::to_json(request.action) }, { "resource", cedar::to_json(request.resource) },
            { "context", cedar::to_json(request.context) } });
    std::ofstream(folder / "requests.json") << to_text(JsonValue(std::move(requests)));
}

} // namespace writ::bench
