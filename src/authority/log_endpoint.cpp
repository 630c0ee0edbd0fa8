// SPDX-License-Identifier: Apache-2.0
//
// The log's files as they lie, for monitors and auditors (C2SP tlog-tiles). Hashes and checkpoints are for everybody; what is in the
// records is not.
#include "authority/endpoints.h"

#include "base/durable_file.h"

#include <algorithm>
#include <cctype>

namespace writ::authority {

namespace {

// LIMIT: its one line.
constexpr std::size_t dropped_bytes_max = 64;

bool is_digits(std::string_view text, std::size_t shortest, std::size_t longest)
{
    return text.size() >= shortest && text.size() <= longest
        && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string_view take_segment(std::string_view& path)
{
    auto const segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    return segment;
}

// SPEC: C2SP tlog-tiles: `tile/<L or entries>/x001/x234/067` and `….p/<W>`. SECURITY: nothing else of the folder can be named.
bool is_tile_path(std::string_view path)
{
    if (take_segment(path) != "tile")
        return false;
    if (auto const level = take_segment(path); level != "entries" && !is_digits(level, 1, 2))
        return false;
    auto segment = take_segment(path);
    while (segment.starts_with('x') && is_digits(segment.substr(1), 3, 3))
        segment = take_segment(path);
    if (segment.ends_with(".p"))
        return is_digits(segment.substr(0, segment.size() - 2), 3, 3) && is_digits(path, 1, 3);
    return is_digits(segment, 3, 3) && path.empty();
}

net::Response changing_text(std::string text)
{
    auto response = text_response(std::move(text), "text/plain; charset=utf-8");
    response.headers.set("cache-control", "no-cache");
    return response;
}

Result<net::Response> final_checkpoint(AuthorityState const& state)
{
    auto const& note = state.witnessing->final_checkpoint().note;
    if (note.empty())
        return not_found("no checkpoint has been cosigned by enough witnesses yet");
    return changing_text(note);
}

Result<net::Response> dropped(AuthorityState const& state)
{
    auto const text = read_file(state.log_folder / "dropped", dropped_bytes_max);
    if (text.is_error() && text.error().code == ErrorCode::not_found)
        return not_found("retention has dropped nothing");
    return changing_text(writ::to_text(TRY(text)));
}

Reply log_file(Desk desk, Call call)
{
    auto const& path = call.captured.at("path");
    if (path == "checkpoint")
        co_return changing_text(desk.state.witnessing->checkpoint());
    if (path == "final")
        co_return final_checkpoint(desk.state);
    if (path == "dropped")
        co_return dropped(desk.state);
    bool const is_entries = path.starts_with("tile/entries/");
    if (is_entries && call.caller.kind != Caller::Kind::administrator)
        co_return permission_denied("entry bundles are for administrators");
    if (!is_tile_path(path))
        co_return not_found("no such file of the log");
    auto read = read_file(desk.state.log_folder / path, 1U << 25U);
    auto bytes = CO_TRY(read);
    auto response = text_response(writ::to_text(bytes), "application/octet-stream");
    response.headers.set("cache-control", is_entries ? "no-store" : "public, max-age=31536000, immutable");
    co_return response;
}

} // namespace

void add_log_routes(Router& router, Desk desk) { add_route(router, desk, "GET", "/log/{path...}", Access::anyone, log_file); }

} // namespace writ::authority
