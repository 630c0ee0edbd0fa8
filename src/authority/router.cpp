// SPDX-License-Identifier: Apache-2.0
#include "authority/router.h"

#include "authority/problem_details.h"
#include "base/logger.h"

namespace writ::authority {

namespace {

// Takes the first segment off a path: "/a/b" → "a", leaving "/b".
std::string_view take_segment(std::string_view& path)
{
    path.remove_prefix(1);
    auto const segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool is_capture(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

Error access_error(Caller const& caller, Access access)
{
    if (caller.kind == Caller::Kind::anonymous)
        return unauthenticated("this path is for callers with an identity (" + std::string(to_string(access)) + ")");
    return permission_denied("this path is for another kind of caller (" + std::string(to_string(access)) + ")");
}

} // namespace

std::string_view to_string(Access access)
{
    switch (access) {
    case Access::anyone: return "anyone";
    case Access::workload: return "workload";
    case Access::agent: return "agent";
    case Access::known: return "known";
    case Access::administrator: return "administrator";
    }
    return "administrator";
}

bool Caller::may_call(Access access) const
{
    switch (access) {
    case Access::anyone: return true;
    case Access::workload: return kind == Kind::workload || kind == Kind::administrator;
    case Access::agent: return kind == Kind::agent;
    case Access::known: return kind != Kind::anonymous;
    case Access::administrator: return kind == Kind::administrator;
    }
    return false;
}

std::optional<std::map<std::string, std::string, std::less<>>> match_pattern(std::string_view pattern, std::string_view path)
{
    std::map<std::string, std::string, std::less<>> captured;
    while (!pattern.empty() && !path.empty()) {
        auto const wanted = take_segment(pattern);
        if (wanted.ends_with("...}")) {
            captured.emplace(wanted.substr(1, wanted.size() - 5), path.substr(1));
            return captured;
        }
        auto const found = take_segment(path);
        if (is_capture(wanted) && !found.empty())
            captured.emplace(wanted.substr(1, wanted.size() - 2), found);
        else if (wanted != found)
            return std::nullopt;
    }
    if (pattern.empty() && path.empty())
        return captured;
    return std::nullopt;
}

net::Response Router::refuse(net::Request const& request, Caller const& caller, Error const& error) const
{
    if (auto const left_out = quota_ == nullptr ? std::optional<std::uint64_t>(0) : quota_->next(caller.id))
        log_info("request refused",
            { { "method", request.method }, { "path", request.path }, { "caller", caller.id }, { "code", to_string(error.code) },
                { "message", error.message }, { "left_out", *left_out } });
    return problem_response(error, caller.kind == Caller::Kind::anonymous ? Disclosure::code_only : Disclosure::message);
}

net::Task<net::Response> Router::answer(net::Request const& request, Caller const& caller) const
{
    bool path_known = false;
    for (auto const& route : routes_) {
        auto captured = match_pattern(route.pattern, request.path);
        if (!captured)
            continue;
        path_known = true;
        if (route.method != request.method && !(route.method == "GET" && request.method == "HEAD"))
            continue;
        if (!caller.may_call(route.access))
            co_return refuse(request, caller, access_error(caller, route.access));
        auto response = co_await route.handler(Call { request, caller, std::move(*captured) });
        if (response.is_error())
            co_return refuse(request, caller, response.error());
        co_return std::move(response).value();
    }
    if (path_known)
        co_return problem_response_with_status(405, invalid_argument("the path does not take `" + request.method + "`"));
    co_return problem_response(not_found("no such path"), Disclosure::code_only);
}

} // namespace writ::authority
