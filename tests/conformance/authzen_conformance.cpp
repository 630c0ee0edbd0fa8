// SPDX-License-Identifier: Apache-2.0
//
// authzen_conformance DIR: the interoperability vectors of OpenID AuthZEN (todo, API gateway, search, identity provider) through the authority's own endpoints. Users
// and records are read from DIR/common; the policies of the scenarios are below, in Cedar. What an answer is to be tells what is asked: a
// truth an evaluation, a list evaluations, results a search.
#include "authority/endpoints.h"
#include "authority/outage.h"
#include "base/random.h"
#include "tally.h"

#include <set>
#include <unistd.h>

using namespace writ;
using conformance::Tally;

namespace {

// From the scenarios' descriptions (common/interop/authzen-interop-website/docs/scenarios).
constexpr auto policies_text = R"(
// todo
permit (principal is user, action == Action::"can_read_user", resource is user);
permit (principal is user, action == Action::"can_read_todos", resource is todo);
permit (principal is user, action == Action::"can_create_todo", resource is todo) when { principal.roles.containsAny(["admin", "editor"]) };
permit (principal is user, action == Action::"can_update_todo", resource is todo) when { principal.roles.contains("evil_genius") };
permit (principal is user, action == Action::"can_delete_todo", resource is todo) when { principal.roles.contains("admin") };
permit (principal is user, action in [Action::"can_update_todo", Action::"can_delete_todo"], resource is todo)
when { principal.roles.contains("editor") && resource has ownerID && resource.ownerID == principal.email };

// API gateway: by route
permit (principal is identity, action == Action::"GET", resource is route);
permit (principal is identity, action == Action::"POST", resource == route::"/todos") when { principal.roles.containsAny(["admin", "editor"]) };
permit (principal is identity, action == Action::"PUT", resource == route::"/todos/{todoId}")
when { principal.roles.containsAny(["evil_genius", "editor"]) };
permit (principal is identity, action == Action::"DELETE", resource == route::"/todos/{todoId}")
when { principal.roles.containsAny(["admin", "editor"]) };

// search, identity provider
permit (principal is user, action in [Action::"view", Action::"edit", Action::"delete"], resource is record) when { resource.owner == principal.login };
permit (principal is user, action == Action::"view", resource is record) when { resource.department == principal.department };
permit (principal is user, action == Action::"view", resource is record) when { principal.role == "manager" };
permit (principal is user, action == Action::"edit", resource is record)
when { principal.role == "manager" && resource.department == principal.department };
)";

std::string id_of(JsonObject const& object)
{
    auto const* const id = object.if_contains("id");
    return id == nullptr ? "" : id->is_string() ? std::string(id->as_string()) : writ::to_text(*id);
}

void add_missing(cedar::EntityStore& entities, cedar::EntityUid uid, cedar::Record attributes)
{
    if (entities.find(uid) == nullptr)
        entities.add({ std::move(uid), std::move(attributes), {}, {} });
}

// The users of the todo scenario stand in its description: {"SUBJECT": {"email": …, "roles": […]}, …}.
void add_todo_users(cedar::EntityStore& entities, std::string const& text)
{
    auto const begin = text.find("{\n  \"CiR");
    auto const end = begin == std::string::npos ? begin : text.find("\n```", begin);
    if (end == std::string::npos)
        return;
    auto const users = parse_json_object(std::string_view(text).substr(begin, end - begin));
    if (users.is_error())
        return;
    for (auto const& [subject, value] : *users) {
        auto const roles = strings_member(value.as_object(), "roles");
        auto const email = std::string(string_or(value.as_object(), "email", ""));
        cedar::Record const attributes { { "email", email }, { "roles", cedar::Value::set_of(roles.is_ok() ? *roles : std::vector<std::string>()) } };
        add_missing(entities, { "identity", std::string(subject) }, attributes);
        add_missing(entities, { "user", std::string(subject) }, attributes);
        add_missing(entities, { "user", email }, attributes); // as drafts before 01 name them
    }
}

void add_users_and_records(cedar::EntityStore& entities, Path const& file)
{
    auto const bytes = read_file(file);
    auto const list = bytes.is_ok() ? parse_json(as_text(*bytes), conformance::corpus_limits) : Result<JsonValue>(bytes.error());
    if (list.is_error() || !list->is_array())
        return;
    bool const is_users = file.stem() == "users";
    for (auto const& value : list->as_array()) {
        auto const& object = value.as_object();
        cedar::Record attributes;
        for (auto const* name : is_users ? std::initializer_list<char const*> { "role", "department" } : std::initializer_list<char const*> { "owner", "department" })
            if (object.contains(name))
                attributes.emplace(name, std::string(string_or(object, name, "")));
        if (is_users)
            attributes.emplace("login", id_of(object));
        add_missing(entities, { is_users ? "user" : "record", id_of(object) }, std::move(attributes));
    }
}

cedar::EntityStore read_world(Path const& common)
{
    cedar::EntityStore entities;
    std::error_code error;
    std::vector<Path> files;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(common, error))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    std::ranges::sort(files, std::greater()); // the search demo's before the identity provider's, which say less
    for (auto const& file : files) {
        if (file.filename() == "users.json" || file.filename() == "records.json")
            add_users_and_records(entities, file);
        else if (file.extension() == ".md")
            if (auto const bytes = read_file(file); bytes.is_ok())
                add_todo_users(entities, to_text(*bytes));
    }
    return entities;
}

std::shared_ptr<authority::Snapshot const> snapshot_of(cedar::EntityStore entities)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto snapshot = std::make_shared<authority::Snapshot>();
    snapshot->version = 1;
    snapshot->policies = cedar::PolicySet::parse({ { "authzen.cedar", policies_text } }, problems);
    if (!problems.empty())
        std::printf("%s\n", problems.front().message.c_str());
    snapshot->entities = std::move(entities);
    snapshot->engine = std::make_unique<cedar::Engine const>(snapshot->policies, snapshot->entities);
    return snapshot;
}

// An authority's router, with records on disk and everything that evaluation needs.
class Authority {
public:
    Authority(Path const& folder, std::shared_ptr<authority::Snapshot const> snapshot, std::unique_ptr<audit::AuditLog> log, std::unique_ptr<audit::Spool> spool)
        : state_ { clock_, random_, "authzen.example", "https://pdp.authzen.example", {}, std::move(log), folder / "log", {}, {},
            std::move(snapshot), {}, {} }
        , leases_(state_)
        , runs_(state_, leases_)
        , sessions_(state_, leases_)
    {
        state_.outage = std::make_unique<authority::Outage>(*state_.audit, std::move(spool), clock_);
        add_all_routes(router_, { state_, leases_, runs_, sessions_ });
    }

    Result<JsonObject> call(std::string method, std::string path, JsonValue const& body)
    {
        net::Request request;
        request.method = std::move(method);
        request.path = std::move(path);
        request.headers.set("content-type", "application/json");
        request.body = writ::to_text(body);
        authority::Caller const caller { authority::Caller::Kind::workload, "spiffe://authzen.example/pep" };
        auto const response = loop_.run(router_.answer(request, caller));
        if (response.status != 200)
            return invalid_argument("status " + std::to_string(response.status) + ": " + response.body);
        return parse_json_object(response.body, conformance::corpus_limits);
    }
    [[nodiscard]] bool serves(std::string const& path) const
    {
        return std::ranges::any_of(router_.routes(), [&](auto const& route) { return route.pattern == path; });
    }

private:
    SystemClock clock_;
    SystemRandom random_;
    net::EventLoop loop_;
    authority::AuthorityState state_;
    authority::LeaseKeeper leases_;
    authority::RunRegistry runs_;
    authority::RunSessions sessions_;
    authority::Router router_;
};

bool lacks_id(JsonObject const& request, std::string_view part)
{
    auto const* const value = request.if_contains(part);
    return value != nullptr && value->is_object() && !value->as_object().contains("id");
}

std::string path_of(JsonObject const& request, JsonValue const& expected)
{
    if (expected.is_bool())
        return "/access/v1/evaluation";
    if (expected.is_array())
        return "/access/v1/evaluations";
    if (!request.contains("action"))
        return "/access/v1/search/action";
    return lacks_id(request, "subject") ? "/access/v1/search/subject" : "/access/v1/search/resource";
}

bool same_decisions(JsonArray const& expected, JsonArray const& found)
{
    return std::ranges::equal(expected, found, [](JsonValue const& left, JsonValue const& right) {
        auto const wanted = bool_member(left.as_object(), "decision"), given = bool_member(right.as_object(), "decision");
        return wanted.is_ok() && given.is_ok() && *wanted == *given;
    });
}

std::multiset<std::string> results_of(JsonObject const& answer)
{
    std::multiset<std::string> results;
    for (auto const& result : conformance::objects_at(answer, "results"))
        results.insert(conformance::text_at(result, "type") + "::" + id_of(result) + conformance::text_at(result, "name"));
    return results;
}

bool is_expected(JsonValue const& expected, JsonObject const& answer)
{
    if (expected.is_bool()) {
        auto const decision = bool_member(answer, "decision");
        return decision.is_ok() && *decision == expected.as_bool();
    }
    if (expected.is_array()) {
        auto const evaluations = array_member(answer, "evaluations");
        return evaluations.is_ok() && same_decisions(expected.as_array(), **evaluations);
    }
    return answer.contains("results") && results_of(expected.as_object()) == results_of(answer);
}

void run_case(Authority& authority, JsonObject const& vector, std::string const& name, Tally& tally)
{
    auto const request = object_member(vector, "request");
    auto const* const expected = vector.if_contains("expected");
    if (request.is_error() || expected == nullptr || !(expected->is_bool() || expected->is_array() || expected->is_object())) {
        tally.expect(false, name + ": a case without `request` or `expected`");
        return;
    }
    auto const answer = authority.call("POST", path_of(**request, *expected), **request);
    bool const holds = answer.is_ok() && is_expected(*expected, *answer);
    tally.expect(holds, holds ? name : name + ": " + writ::to_text(**request) + " gives " + (answer.is_ok() ? writ::to_text(*answer) : answer.error().message));
}

void run_file(Authority& authority, Path const& file, Tally& tally)
{
    auto const object = conformance::read_json(file);
    std::size_t cases = 0;
    for (auto const* kind : { "evaluation", "evaluations", "search", "decisions" }) {
        if (object.is_error())
            break;
        std::size_t number = 0;
        for (auto const& vector : conformance::objects_at(*object, kind)) {
            run_case(authority, vector, file.string() + ": " + kind + " " + std::to_string(number++), tally);
            ++cases;
        }
    }
    if (cases == 0)
        tally.skip("no vectors: " + file.string());
}

// SPEC: §9.1.1: what the metadata names is there.
void check_metadata(Authority& authority, Tally& tally)
{
    auto const metadata = authority.call("GET", "/.well-known/authzen-configuration", JsonObject());
    auto const decision_point = metadata.is_ok() ? conformance::text_at(*metadata, "policy_decision_point") : "";
    tally.expect(!decision_point.empty(), "metadata: policy_decision_point");
    for (auto const* name : { "access_evaluation_endpoint", "access_evaluations_endpoint", "search_subject_endpoint", "search_resource_endpoint",
             "search_action_endpoint" }) {
        auto const url = metadata.is_ok() ? conformance::text_at(*metadata, name) : "";
        tally.expect(url.starts_with(decision_point + "/") && authority.serves(url.substr(decision_point.size())), std::string("metadata: ") + name);
    }
}

Result<int> run(Path const& corpus, Path const& folder)
{
    SystemClock const clock;
    tlog::NoteSigner const signer { "authzen.example/log", TRY(crypto::PrivateKey::generate(crypto::KeyType::ed25519)) };
    auto log = TRY(audit::AuditLog::open({ .folder = folder / "log", .signer = signer }, folder / "index.db", clock));
    auto spool = TRY(audit::Spool::open({ .folder = folder / "spool" }));
    Tally tally;
    {
        Authority authority(folder, snapshot_of(read_world(corpus / "common")), std::move(log), std::move(spool));
        check_metadata(authority, tally);
        for (auto const& file : conformance::json_files(corpus))
            if (file.string().find("/common/") == std::string::npos)
                run_file(authority, file, tally);
    }
    return tally.print();
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fprintf(stderr, "usage: authzen_conformance DIR\n");
        return 2;
    }
    auto pattern = (std::filesystem::temp_directory_path() / "writ-authzen-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        return 2;
    // The archive has one folder of the corpus's name.
    Path const given(arguments[1]);
    auto const code = run(std::filesystem::is_directory(given / "authzen") ? given / "authzen" : given, pattern);
    std::filesystem::remove_all(pattern);
    if (code.is_error())
        std::fprintf(stderr, "%s\n", code.error().message.c_str());
    return code.is_ok() ? *code : 2;
}
