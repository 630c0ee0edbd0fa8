// SPDX-License-Identifier: Apache-2.0
//
// Who may, what may be done, and with what (OpenID AuthZEN Authorization API 1.0 §8): every candidate that is declared is decided on. A search permits nothing, so it is
// not on record; what is done with its results is asked again, and is.
#include "authority/decision.h"
#include "authority/endpoints.h"
#include "base/json_members.h"
#include "cedar/ast.h"
#include "crypto/digest.h"
#include "vocabulary/facts.h"
#include "vocabulary/schema.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace writ::authority {

namespace {

// LIMIT: results of one answer; the rest has a token.
constexpr std::uint64_t results_max = 1000;

enum class Sought : std::uint8_t { subjects, resources, actions };

// Where a page begins, for whoever asks for the next one: the same question has to come with it.
struct Page {
    std::uint64_t offset = 0, limit = results_max;
    bool is_asked_for = false;
};

struct Search {
    Sought sought = Sought::subjects;
    cedar::EntityUid subject, resource; // without an id, if it is sought
    std::string action;
    std::string purpose;
    cedar::Record context;
    std::string digest; // of the question and what it is decided on
    Page page;
};

Result<cedar::EntityUid> entity_at(JsonObject const& body, std::string_view name, bool is_sought)
{
    auto const& part = *TRY(object_member(body, name));
    cedar::EntityUid uid { std::string(TRY(string_member(part, "type").in(name))), "" };
    // SPEC: §8.4.1, §8.5.1: an id of what is sought is ignored.
    if (!is_sought)
        uid.id = TRY(string_member(part, "id").in(name));
    return uid;
}

Result<> read_context(JsonObject const& body, Search& search)
{
    if (!body.contains("context"))
        return {};
    auto const& context = *TRY(object_member(body, "context"));
    auto const value = TRY(cedar::parse_value(JsonValue(context)).in("context"));
    if (auto const* record = std::get_if<std::shared_ptr<cedar::Record const>>(&value.storage()))
        search.context = **record;
    search.purpose = TRY(text_member_or(context, "purpose", "").in("context"));
    return {};
}

std::string digest_of(JsonObject body, Sought sought, std::uint64_t version)
{
    body.erase("page");
    auto const text = std::to_string(static_cast<int>(sought)) + "." + std::to_string(version) + "." + writ::to_text(body);
    return to_hex(crypto::sha256(as_bytes(text))).substr(0, 32);
}

std::string token_of(Search const& search, std::uint64_t offset)
{
    return to_base64url(as_bytes(std::to_string(offset) + "." + std::to_string(search.page.limit) + "." + search.digest));
}

bool take_number(std::string_view& text, std::uint64_t& number)
{
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || !text.starts_with('.'))
        return false;
    text.remove_prefix(1);
    return true;
}

Result<> read_token(std::string_view token, Search& search)
{
    auto const bytes = TRY(parse_base64url(token).in("page token"));
    auto text = as_text(bytes);
    auto& page = search.page;
    // SPEC: §8.2: whoever changes the question between two pages is told.
    if (!take_number(text, page.offset) || !take_number(text, page.limit) || page.limit > results_max || text != search.digest)
        return invalid_argument("the page token is of another search, or what is declared has changed; begin anew without it");
    return {};
}

Result<> read_page(JsonObject const& body, Search& search)
{
    if (!body.contains("page"))
        return {};
    auto const& page = *TRY(object_member(body, "page"));
    search.page.is_asked_for = true;
    if (page.contains("limit")) {
        auto const limit = TRY(integer_member(page, "limit").in("page"));
        if (limit < 0)
            return invalid_argument("page: `limit` is not negative");
        search.page.limit = std::min(results_max, static_cast<std::uint64_t>(limit));
    }
    auto const token = TRY(text_member_or(page, "token", "").in("page"));
    return token.empty() ? Result<>() : read_token(token, search);
}

Result<Search> parse_search(Snapshot const& snapshot, JsonObject const& body, Sought sought)
{
    Search search;
    search.sought = sought;
    search.subject = TRY(entity_at(body, "subject", sought == Sought::subjects));
    search.resource = TRY(entity_at(body, "resource", sought == Sought::resources));
    if (sought != Sought::actions)
        search.action = TRY(string_member(*TRY(object_member(body, "action")), "name").in("action"));
    TRY(read_context(body, search));
    search.digest = digest_of(body, sought, snapshot.version);
    TRY(read_page(body, search));
    return search;
}

std::set<std::string> declared_ids(Snapshot const& snapshot, std::string const& type)
{
    std::set<std::string> ids;
    for (auto const& [uid, entity] : snapshot.entities)
        if (uid.type == type)
            ids.insert(uid.id);
    return ids;
}

// Those of workloads that are declared with one id; of an id with claims in it nobody knows them all.
std::set<std::string> subject_ids(Snapshot const& snapshot, std::string const& type)
{
    auto ids = declared_ids(snapshot, type);
    if (type == "Workload")
        for (auto const& [name, workload] : snapshot.declarations.workloads)
            if (workload.value.id_template.find('{') == std::string::npos)
                ids.insert(workload.value.id_template);
    return ids;
}

// All that policies or their vocabulary know.
std::set<std::string> action_names(Snapshot const& snapshot)
{
    std::set<std::string> names;
    for (auto const& [uid, action] : vocabulary::schema().actions())
        names.insert(uid.id);
    for (auto const& policy : snapshot.policies.policies())
        for (auto const& uid : policy->action.entities)
            names.insert(uid.id);
    return names;
}

class Searcher {
public:
    Searcher(Snapshot const& snapshot, Search const& search, Timestamp now)
        : snapshot_(snapshot)
        , decider_(*snapshot.engine)
        , request_ { search.subject, { "Action", search.action }, search.resource,
            vocabulary::context_of({ search.purpose, "", now }, {}, search.context) }
    {
    }

    std::vector<std::string> subjects()
    {
        return permitted(subject_ids(snapshot_, request_.principal.type), [this](std::string const& id) {
            request_.principal.id = id;
            return decide();
        });
    }
    std::vector<std::string> resources()
    {
        return permitted(declared_ids(snapshot_, request_.resource.type), [this](std::string const& id) {
            request_.resource.id = id;
            return decide();
        });
    }
    std::vector<std::string> actions()
    {
        return permitted(action_names(snapshot_), [this](std::string const& name) {
            request_.action.id = name;
            return decide();
        });
    }

private:
    template <typename IsPermitted> static std::vector<std::string> permitted(std::set<std::string> const& candidates, IsPermitted const& is_permitted)
    {
        std::vector<std::string> found;
        std::ranges::copy_if(candidates, std::back_inserter(found), is_permitted);
        return found;
    }

    bool decide()
    {
        if (!front_ || front_of_ != request_.principal.id) {
            front_ = entities_for(snapshot_, subject());
            front_of_ = request_.principal.id;
        }
        return decider_.decide(request_, &*front_).allowed;
    }

    [[nodiscard]] Principal subject() const
    {
        auto principal = request_.principal.type == "Workload" ? principal_of_id(snapshot_, request_.principal.id) : Principal();
        principal.type = request_.principal.type;
        principal.id = request_.principal.id;
        return principal;
    }

    Snapshot const& snapshot_;
    cedar::Decider decider_;
    cedar::Request request_;
    std::optional<cedar::EntityStore> front_;
    std::string front_of_;
};

std::vector<std::string> find(Snapshot const& snapshot, Search const& search, Timestamp now)
{
    Searcher searcher(snapshot, search, now);
    switch (search.sought) {
    case Sought::subjects: return searcher.subjects();
    case Sought::resources: return searcher.resources();
    case Sought::actions: return searcher.actions();
    }
    return {};
}

JsonObject to_json(Search const& search, std::vector<std::string> const& found)
{
    auto const offset = std::min<std::size_t>(search.page.offset, found.size());
    auto const count = std::min<std::size_t>(search.page.limit, found.size() - offset);
    JsonArray results;
    for (auto const& name : std::span(found).subspan(offset, count)) {
        if (search.sought == Sought::actions)
            results.push_back(JsonObject { { "name", name } });
        else
            results.push_back(
                JsonObject { { "type", search.sought == Sought::subjects ? search.subject.type : search.resource.type }, { "id", name } });
    }
    bool const has_more = offset + count < found.size();
    JsonObject object;
    if (has_more || search.page.is_asked_for)
        object.emplace("page", JsonObject { { "next_token", has_more ? token_of(search, offset + count) : "" }, { "count", count }, { "total", found.size() } });
    object.emplace("results", std::move(results));
    return object;
}

Reply answer(Desk desk, Call call, Sought sought)
{
    auto const snapshot = desk.state.snapshot;
    auto body = parse_json_object(call.request.body);
    auto parsed = parse_search(*snapshot, CO_TRY(body), sought);
    auto const search = CO_TRY(parsed);
    co_return json_response(to_json(search, find(*snapshot, search, desk.state.clock.now())));
}

Reply search_subjects(Desk desk, Call call) { return answer(desk, std::move(call), Sought::subjects); }
Reply search_resources(Desk desk, Call call) { return answer(desk, std::move(call), Sought::resources); }
Reply search_actions(Desk desk, Call call) { return answer(desk, std::move(call), Sought::actions); }

} // namespace

void add_search_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/access/v1/search/subject", Access::workload, search_subjects);
    add_route(router, desk, "POST", "/access/v1/search/resource", Access::workload, search_resources);
    add_route(router, desk, "POST", "/access/v1/search/action", Access::workload, search_actions);
}

} // namespace writ::authority
