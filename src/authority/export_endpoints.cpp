// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"

namespace writ::authority {

namespace {

JsonObject to_json(audit::ExportStatus const& status)
{
    JsonObject object { { "name", status.name }, { "format", status.format }, { "destination", status.destination }, { "next", status.next },
        { "lag", status.lag }, { "sent", status.sent }, { "failures", status.failures }, { "error", status.error } };
    object.emplace("arrived", status.arrived ? JsonValue(to_rfc3339(*status.arrived)) : JsonValue(nullptr));
    return object;
}

Reply list_exports(Desk desk, Call)
{
    co_return json_response(JsonObject { { "exports", exports_json(desk.state) }, { "tree_size", desk.state.audit->log().size() } });
}

} // namespace

JsonArray exports_json(AuthorityState const& state)
{
    JsonArray array;
    if (state.exports)
        for (auto const& status : state.exports->status())
            array.push_back(to_json(status));
    return array;
}

void add_export_routes(Router& router, Desk desk) { add_route(router, desk, "GET", "/v1/audit/exports", Access::administrator, list_exports); }

} // namespace writ::authority
