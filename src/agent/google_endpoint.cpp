// SPDX-License-Identifier: Apache-2.0
#include "agent/google_endpoint.h"

#include "agent/run_identity.h"

#include <algorithm>

namespace writ::agent {

namespace {

constexpr std::string_view root = "/computeMetadata/v1";
constexpr std::string_view accounts_path = "/instance/service-accounts/";
constexpr std::string_view flavor_header = "metadata-flavor";
constexpr std::string_view flavor = "Google";
// LIMIT: of whom a token is for; a URL or a name.
constexpr std::size_t audience_bytes_max = 1024;

net::Response google_response(int status, std::string_view type, std::string text)
{
    return { status, { { "content-type", std::string(type) }, { std::string(flavor_header), std::string(flavor) }, { "server", "Metadata Server for VM" }, { "cache-control", "no-store" } },
        std::move(text) };
}

net::Response text_response(int status, std::string text) { return google_response(status, "application/text", std::move(text)); }
net::Response json_response(JsonValue const& value) { return google_response(200, "application/json", to_text(value)); }

// Clients try again after 5xx and give up after 4xx.
net::Response error_response(Error const& error)
{
    bool const is_refusal = error.code == ErrorCode::permission_denied || error.code == ErrorCode::not_found || error.code == ErrorCode::invalid_argument;
    return text_response(is_refusal ? (error.code == ErrorCode::not_found ? 404 : 403) : 503, error.message);
}

// `serviceAccounts`, as whole subtrees are written; an account's address stays as it is.
std::string camel_case(std::string_view name)
{
    if (name.find('@') != std::string_view::npos)
        return std::string(name);
    std::string camel;
    for (std::size_t i = 0; i < name.size(); ++i) {
        bool const begins_word = name[i] == '-' && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
        camel += begins_word ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
    }
    return camel;
}

JsonValue whole(JsonValue const& value)
{
    if (!value.is_object())
        return value;
    JsonObject object;
    for (auto const& member : value.as_object())
        object.emplace(camel_case(member.key()), whole(member.value()));
    return object;
}

// A folder's names, or a list's elements, a line each.
std::string lines_of(JsonValue const& value)
{
    std::string lines;
    if (value.is_object()) {
        for (auto const& member : value.as_object())
            lines += std::string(member.key()) + (member.value().is_object() ? "/\n" : "\n");
    } else if (value.is_array()) {
        for (auto const& item : value.as_array())
            lines += std::string(item.as_string()) + "\n";
    } else {
        lines = value.is_string() ? std::string(value.as_string()) : to_text(value);
    }
    return lines;
}

JsonValue const* find(JsonObject const& metadata, std::string_view path)
{
    JsonObject const* folder = &metadata;
    while (!path.empty()) {
        path.remove_prefix(1);
        auto const slash = std::min(path.find('/'), path.size());
        auto const* found = folder == nullptr ? nullptr : folder->if_contains(path.substr(0, slash));
        path.remove_prefix(slash);
        if (found == nullptr || path.empty())
            return found;
        folder = found->if_object();
    }
    return nullptr;
}

struct Account {
    CloudSession session;
    JsonObject document;
};

net::Task<Result<Account>> open_account(LoopbackDesk& desk, WatchedRun const& run, std::string provider)
{
    auto uses = run.uses_of(provider, google_session_kind);
    if (uses.empty())
        co_return not_found("the run uses nothing at Google Cloud");
    auto got = co_await desk.sessions.get(run.id, std::move(uses));
    auto session = CO_TRY(got);
    auto parsed = parse_json_object(session.document->reveal());
    auto document = CO_TRY(parsed);
    co_return Account { std::move(session), std::move(document) };
}

// `default` is the run's first; another by its address or by the name of its CredentialProvider.
net::Task<Result<Account>> account_of(LoopbackDesk& desk, WatchedRun const& run, std::string name)
{
    if (name == "default" || !run.uses_of(name, google_session_kind).empty())
        co_return co_await open_account(desk, run, name == "default" ? "" : name);
    for (auto const& provider : run.providers_of(google_session_kind)) {
        auto opened = co_await open_account(desk, run, provider);
        if (opened.is_ok() && string_or(opened->document, "email", "") == name)
            co_return opened;
    }
    co_return not_found("the run has no service account `" + name + "`");
}

JsonObject token_of(Account const& account, Timestamp now)
{
    auto const left = std::chrono::duration_cast<std::chrono::seconds>(account.session.expires - now).count();
    return { { "access_token", string_or(account.document, "access_token", "") }, { "expires_in", std::int64_t(std::max<decltype(left)>(left, 0)) }, { "token_type", "Bearer" } };
}

net::Response token_response(JsonObject const& token)
{
    SecretText const text(to_text(token));
    return google_response(200, "application/json", text.reveal());
}

// An identity token is the run's own JWT-SVID: whoever it is shown to finds its key in the authority's discovery document.
net::Task<net::Response> identity_response(LoopbackDesk& desk, WatchedRun const& run, net::Request const& request)
{
    std::string audience(request.query.get("audience").value_or(""));
    if (audience.empty() || audience.size() > audience_bytes_max)
        co_return text_response(400, "non-empty audience parameter required");
    auto const token = co_await run_identity_token(desk, run, std::move(audience));
    if (token.is_error())
        co_return error_response(token.error());
    co_return google_response(200, "text/html", token->reveal());
}

net::Task<net::Response> answer_metadata(LoopbackDesk& desk, WatchedRun const& run, net::Request const& request)
{
    auto path = request.path.substr(root.size());
    while (path.ends_with('/'))
        path.pop_back();
    std::string name = "default", what;
    if (path.starts_with(accounts_path)) {
        auto const rest = path.substr(accounts_path.size());
        auto const slash = std::min(rest.find('/'), rest.size());
        name = rest.substr(0, slash);
        what = rest.substr(slash);
    }
    auto const account = co_await account_of(desk, run, name);
    if (account.is_error())
        co_return error_response(account.error());
    if (what == "/token")
        co_return token_response(token_of(*account, desk.clock.now()));
    if (what == "/identity")
        co_return co_await identity_response(desk, run, request);
    auto const metadata = google_metadata(account->document);
    if (metadata.is_error())
        co_return error_response(metadata.error());
    co_return metadata_response(*metadata, path, request.query.get("recursive") == "true", request.query.get("alt").value_or(""));
}

} // namespace

std::map<std::string, std::string> google_environment(std::uint16_t loopback_port)
{
    auto const here = "127.0.0.1:" + std::to_string(loopback_port);
    return { { "GCE_METADATA_HOST", here }, { "GCE_METADATA_ROOT", here }, { "GCE_METADATA_IP", here }, { "GCE_METADATA_MTLS_MODE", "none" } };
}

std::string google_subject_token(net::Request const& request)
{
    auto const form = net::parse_form(request.body);
    if (request.method != "POST" || form.is_error() || form->get("grant_type").value_or("") != "urn:ietf:params:oauth:grant-type:token-exchange")
        return "";
    return std::string(form->get("subject_token").value_or(""));
}

net::Task<net::Response> exchange_google_token(LoopbackDesk& desk, LoopbackCaller caller)
{
    auto const account = co_await open_account(desk, caller.run, "");
    if (account.is_error())
        co_return error_response(account.error());
    auto token = token_of(*account, desk.clock.now());
    token.emplace("issued_token_type", "urn:ietf:params:oauth:token-type:access_token");
    co_return token_response(token);
}

bool is_google_path(std::string_view path) { return path == "/" || path == "/computeMetadata" || path == root || path.starts_with("/computeMetadata/"); }

Result<JsonObject> google_metadata(JsonObject const& session)
{
    auto const email = TRY(string_member(session, "email"));
    auto const* const scopes = TRY(array_member(session, "scopes"));
    auto const project = TRY(string_member(session, "project"));
    auto const number = TRY(string_member(session, "project_number"));
    JsonObject const account { { "aliases", JsonArray { "default" } }, { "email", email }, { "scopes", *scopes } };
    return JsonObject { { "instance", JsonObject { { "service-accounts", JsonObject { { "default", account }, { email, account } } } } },
        { "project", JsonObject { { "numeric-project-id", number }, { "project-id", project } } },
        { "universe", JsonObject { { "universe-domain", "googleapis.com" } } } };
}

net::Response metadata_response(JsonObject const& metadata, std::string_view path, bool is_recursive, std::string_view alt)
{
    JsonValue const everything(metadata);
    auto const* value = path.empty() ? &everything : find(metadata, path);
    if (value == nullptr)
        return text_response(404, "no such metadata");
    if ((is_recursive && alt != "text") || alt == "json")
        return json_response(whole(*value));
    return text_response(200, lines_of(*value));
}

net::Task<net::Response> answer_google(LoopbackDesk& desk, LoopbackCaller caller, net::Request request)
{
    if (request.headers.get(flavor_header).value_or("") != flavor)
        co_return text_response(403, "missing header `Metadata-Flavor: Google`");
    if (request.method != "GET" && request.method != "HEAD")
        co_return text_response(405, "metadata is read");
    if (caller.run.uses_of("", google_session_kind).empty())
        co_return text_response(404, "the run uses nothing at Google Cloud");
    if (request.path == "/" || request.path == "/computeMetadata" || request.path == "/computeMetadata/")
        co_return text_response(200, request.path == "/" ? "computeMetadata/\n" : "v1/\n");
    if (!request.path.starts_with(root) || (request.path.size() > root.size() && request.path[root.size()] != '/'))
        co_return text_response(404, "no such metadata");
    co_return co_await answer_metadata(desk, caller.run, request);
}

} // namespace writ::agent
