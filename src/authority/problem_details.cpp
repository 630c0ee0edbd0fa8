// SPDX-License-Identifier: Apache-2.0
#include "authority/problem_details.h"

#include <algorithm>

namespace writ::authority {

namespace {

net::Response problem(JsonObject const& object, int status)
{
    net::Response response;
    response.status = status;
    response.headers.set("content-type", "application/problem+json");
    response.headers.set("cache-control", "no-store");
    response.body = to_text(JsonValue(object));
    return response;
}

std::string title_of(ErrorCode code)
{
    std::string title(to_string(code));
    std::replace(title.begin(), title.end(), '_', ' ');
    return title;
}

} // namespace

int status_of(ErrorCode code)
{
    switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::permission_denied: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::resource_exhausted: return 507;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::corruption: return 500;
    case ErrorCode::internal: return 500;
    }
    return 500;
}

JsonObject problem_object(Error const& error, int status, Disclosure disclosure)
{
    JsonObject object { { "type", "about:blank" }, { "title", title_of(error.code) }, { "status", status },
        { "code", to_string(error.code) } };
    if (disclosure == Disclosure::message)
        object.emplace("detail", error.message);
    return object;
}

net::Response problem_response(Error const& error, Disclosure disclosure)
{
    auto const status = status_of(error.code);
    return problem(problem_object(error, status, disclosure), status);
}

net::Response problem_response_with_status(int status, Error const& error)
{
    return problem(problem_object(error, status, Disclosure::message), status);
}

net::Response problem_response_with(Error const& error, JsonObject members)
{
    auto const status = status_of(error.code);
    auto object = problem_object(error, status, Disclosure::message);
    for (auto& member : members)
        object.insert_or_assign(member.key(), std::move(member.value()));
    return problem(object, status);
}

net::Response json_response(JsonValue const& value, int status)
{
    net::Response response;
    response.status = status;
    response.headers.set("content-type", "application/json");
    response.headers.set("cache-control", "no-store");
    response.body = to_text(value);
    return response;
}

net::Response text_response(std::string text, std::string_view content_type)
{
    net::Response response;
    response.headers.set("content-type", std::string(content_type));
    response.body = std::move(text);
    return response;
}

} // namespace writ::authority
