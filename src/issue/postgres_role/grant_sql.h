// SPDX-License-Identifier: Apache-2.0
//
// RoleGrants as SQL. Nothing that is declared is SQL itself: names become quoted identifiers, values quoted literals. Pure. Why rows are a view of the run's own:
// docs/decisions/0013-rows-of-a-run.md.
#pragma once

#include "issue/postgres_role/role_grants.h"

namespace writ::issue {

// What gives a new role, in an open transaction, all but what a template has (template_role.h). `role` is a name, not quoted yet.
std::string grant_statements(RoleGrants const&, std::string const& role, std::string const& database, Recipient const&);

// A query with a row for each table of which the role may more than was granted, because everybody may: its name.
std::string exposure_query(RoleGrants const&, std::string const& role);

} // namespace writ::issue
