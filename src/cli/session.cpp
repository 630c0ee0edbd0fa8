// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "cli/output.h"
#include "net/http_client.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::cli {

namespace {

// LIMIT: the longest answer is that of a revocation: fifty thousand leases take a minute or two, at systems that answer at once.
constexpr Duration answer_deadline = std::chrono::minutes(10);
constexpr char const* node_run_folder = "/run/writ";

std::string environment(char const* name)
{
    auto const* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<net::Response> send(Session const& session, std::string const& name, std::string_view who, net::Request request)
{
    auto const folder = session.run_folder();
    auto const socket = folder / name;
    if (!session.is_run_folder_named()) {
        auto const checked = check_run_folder(folder);
        if (checked.is_error() && checked.error().code == ErrorCode::permission_denied)
            return checked.error();
    }
    struct stat found { };
    if (::stat(socket.c_str(), &found) == 0 && ::access(socket.c_str(), W_OK) != 0 && errno == EACCES)
        return permission_denied("the " + std::string(who) + " at `" + socket.string() + "` answers uid " + std::to_string(found.st_uid) + " and root alone, this is uid "
            + std::to_string(::geteuid()));
    net::EventLoop loop;
    net::HttpClient client(net::UnixAddress { socket.string() });
    auto response = loop.run(client.send(std::move(request), answer_deadline));
    if (response.is_error() && response.error().code == ErrorCode::unavailable)
        return unavailable("no " + std::string(who) + " answers at `" + socket.string()
            + "`; start one (`writ dev`), or name its folder with --run-dir or WRIT_RUN_DIR (" + response.error().message + ")");
    return response;
}

Result<net::Response> expect_success(Result<net::Response> response)
{
    if (response.is_ok() && response->status >= 400)
        return to_error(*response);
    return response;
}

ErrorCode parse_error_code(std::string_view name)
{
    for (auto const code : { ErrorCode::invalid_argument, ErrorCode::unauthenticated, ErrorCode::permission_denied, ErrorCode::not_found,
             ErrorCode::conflict, ErrorCode::resource_exhausted, ErrorCode::unavailable, ErrorCode::corruption }) {
        if (to_string(code) == name)
            return code;
    }
    return ErrorCode::internal;
}

} // namespace

Exit exit_of(ErrorCode code)
{
    switch (code) {
    case ErrorCode::unavailable: return Exit::unreachable;
    case ErrorCode::permission_denied:
    case ErrorCode::unauthenticated: return Exit::refused;
    default: return Exit::failure;
    }
}

Path own_run_folder()
{
    if (auto const named = environment("WRIT_RUN_DIR"); !named.empty())
        return named;
    if (::geteuid() == 0)
        return node_run_folder;
    if (auto const runtime = environment("XDG_RUNTIME_DIR"); !runtime.empty())
        return Path(runtime) / "writ";
    return "/tmp/writ-" + std::to_string(::geteuid());
}

Path default_run_folder()
{
    auto const own = own_run_folder();
    std::error_code ignored;
    auto const serves = [&ignored](Path const& folder) { return std::filesystem::exists(folder / "run.sock", ignored) || std::filesystem::exists(folder / "authority.sock", ignored); };
    bool const is_named = !environment("WRIT_RUN_DIR").empty();
    return is_named || serves(own) || !serves(node_run_folder) ? own : Path(node_run_folder);
}

Result<> check_run_folder(Path const& folder)
{
    struct stat found { };
    if (::lstat(folder.c_str(), &found) != 0)
        return errno_error("look at `" + folder.string() + "`", errno);
    auto const is_ours = [](struct stat const& status) { return (status.st_uid == 0 || status.st_uid == ::geteuid()) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0; };
    if (S_ISDIR(found.st_mode) && is_ours(found))
        return {};
    // In a folder of root's, only root can have said whose it is.
    struct stat parent { };
    if (S_ISDIR(found.st_mode) && ::lstat(folder.parent_path().c_str(), &parent) == 0 && parent.st_uid == 0 && is_ours(parent))
        return {};
    return permission_denied("`" + folder.string() + "` is not this user's own: uid " + std::to_string(found.st_uid)
        + " may answer there. If that is right, name it with --run-dir; if not, it was put there to be asked");
}

Path default_data_folder()
{
    if (::geteuid() == 0)
        return "/var/lib/writ";
    if (auto const data = environment("XDG_DATA_HOME"); !data.empty())
        return Path(data) / "writ";
    return Path(environment("HOME")) / ".local/share/writ";
}

bool Session::take_words(std::vector<std::string>& command)
{
    if (words.empty() || (command.size() == 1 && command.front() == words.front())) {
        command = words.empty() ? command : words;
        return true;
    }
    action = [before = command.empty() ? std::string() : command.front()] {
        std::fprintf(stderr, "writ: `%s` stands before `--`: the program and all of its arguments stand behind it\n", printable(before).c_str());
        return static_cast<int>(Exit::usage);
    };
    return false;
}

bool Session::is_run_folder_named() const { return !run_dir.empty() || !environment("WRIT_RUN_DIR").empty(); }

Path Session::run_folder() const { return run_dir.empty() ? default_run_folder() : Path(run_dir); }

Result<net::Response> send_to_authority(Session const& session, net::Request request)
{
    return send(session, "authority.sock", "authority", std::move(request));
}

Result<net::Response> call_authority(Session const& session, net::Request request)
{
    return expect_success(send_to_authority(session, std::move(request)));
}

Result<net::Response> send_to_agent(Session const& session, net::Request request)
{
    return send(session, "run.sock", "agent", std::move(request));
}

Result<net::Response> call_agent(Session const& session, net::Request request)
{
    return expect_success(send_to_agent(session, std::move(request)));
}

net::Request get_request(std::string path, net::Parameters query)
{
    net::Request request;
    request.path = std::move(path);
    request.query = std::move(query);
    return request;
}

net::Request post_request(std::string path, JsonValue const& body)
{
    net::Request request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers.set("content-type", "application/json");
    request.body = to_text(body);
    return request;
}

Error to_error(net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    if (problem.is_error())
        return unavailable("an answer of status " + std::to_string(response.status));
    auto const code = parse_error_code(string_or(*problem, "code", ""));
    auto const detail = string_or(*problem, "detail", "");
    return { code, detail.empty() ? std::string(to_string(code)) : std::string(detail) };
}

Result<JsonObject> object_of(Result<net::Response> response)
{
    auto const received = TRY(std::move(response));
    return parse_json_object(received.body, { .size_max = 64U << 20U });
}

} // namespace writ::cli
