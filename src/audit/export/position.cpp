// SPDX-License-Identifier: Apache-2.0
#include "audit/export/position.h"

#include "base/json.h"
#include "net/http_message.h"
#include "tlog/merkle_tree.h"

namespace writ::audit {

namespace {

constexpr std::size_t position_bytes_max = 4096;

} // namespace

PositionFile::PositionFile(Path const& folder, std::string const& export_name)
    : file_(folder / (net::percent_encode(export_name) + ".json"))
    , name_(export_name)
{
}

Result<std::uint64_t> parse_position(std::string_view text)
{
    auto const object = TRY(parse_json_object(text));
    auto const next = TRY(integer_member(object, "next"));
    if (next < 0 || static_cast<std::uint64_t>(next) > tlog::tree_size_max)
        return corruption("`next` is no place in a log");
    return static_cast<std::uint64_t>(next);
}

Result<std::optional<std::uint64_t>> PositionFile::load() const
{
    auto const text = read_file(file_, position_bytes_max);
    if (text.is_error() && text.error().code == ErrorCode::not_found)
        return std::optional<std::uint64_t>();
    auto const next = parse_position(as_text(TRY(text)));
    if (next.is_error())
        return corruption("`" + file_.string() + "`: " + next.error().message + "; remove it to send all records again");
    return std::optional(*next);
}

Result<> PositionFile::store(std::uint64_t next) const
{
    return replace_file(file_, as_bytes(to_text(JsonObject { { "export", name_ }, { "next", next } }) + "\n"));
}

Result<> PositionFile::remove() const
{
    std::error_code error;
    std::filesystem::remove(file_, error);
    return error ? errno_error("remove `" + file_.string() + "`", error.value()) : Result<>();
}

} // namespace writ::audit
