// SPDX-License-Identifier: Apache-2.0
//
// A view of a record shows nothing else than the strict parser finds there.
#include "audit/record.h"
#include "base/bytes.h"
#include "replay/record_view.h"

using namespace writ;

namespace {

void expect_same(std::string_view shown, JsonObject const& object, std::string_view name)
{
    auto const* const found = object.if_contains(name);
    ASSERT(shown.empty() == (found == nullptr));
    if (found == nullptr)
        return;
    auto const value = parse_json(shown, { .size_max = shown.size(), .depth_max = 64 });
    ASSERT(value.is_ok() && *value == *found);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const text = as_text(BytesView(data, size));
    auto const view = replay::view_record(text);
    if (!view)
        return 0;
    replay::AskedFor asked;
    asked.all_tags = true;
    asked.context = { "note" };
    std::string key;
    replay::write_key(key, *view, asked);
    auto const object = parse_json_object(text, { .size_max = size, .depth_max = 64 });
    if (object.is_error())
        return 0;
    for (auto const& [name, shown] : { std::pair("type", view->type), { "time", view->time }, { "purpose", view->purpose }, { "claims", view->claims },
             { "context", view->context }, { "resource", view->resource }, { "policies", view->policies }, { "redacted", view->redacted } })
        expect_same(shown, *object, name);
    return 0;
}
