// SPDX-License-Identifier: Apache-2.0
//
// What the role of a run may do: from a decided action, and a resource as it is declared.
#pragma once

#include "issue/credential_issuer.h"

#include <set>

namespace writ::issue {

// Rows whose column is one of these values, or in this range. A value that is `{run}`, `{workload}` or `{purpose}` is the run's own.
struct RowCondition {
    std::string column;
    std::vector<std::string> any_of; // empty: no matter
    std::optional<std::string> from, before;
};

// As a table's name: all of its schema that there are when the role is made.
inline constexpr std::string_view every_table = "*";

struct TableGrant {
    std::string schema, table; // or every_table
    std::vector<std::string> columns; // empty: all
    std::vector<RowCondition> rows; // all of them hold; empty: every row
    [[nodiscard]] bool is_filtered() const { return !rows.empty(); }
};

struct RoleGrants {
    std::set<std::string> privileges; // SELECT, INSERT, UPDATE, DELETE; CREATE: in the schemas of the tables
    std::vector<TableGrant> tables;
    std::string template_role; // instead: what was granted to that role is granted to this one
};

// `resource`: `schema` and `table` with `columns` and `rows` if not all; or `tables`, a list of such; or `template`, role by action. `privileges`: by action, where
// not as usual (read, train, evaluate: SELECT; write: SELECT, INSERT, UPDATE and, of whole tables, DELETE). permission_denied: not that action.
Result<RoleGrants> parse_role_grants(std::string_view action, JsonObject const& resource);

// Whether each action that is declared could be served.
Result<> check_postgres_resource(JsonObject const& resource);

// `SELECT on public.biopsies (id, site) where site = vienna`
std::string words_of(RoleGrants const&);

// Names and texts that the server would cut, or that could not be sent.
Result<> check_identifier(std::string_view what, std::string_view name);

} // namespace writ::issue
